//! What a viewer counts, and what all of them together come to.
//!
//! A packet counts by when it was *sent*: viewers and publishers count the same span of
//! the stream, so that what was sent and is not among what was received is lost, however
//! it was lost and whether or not anything came after it.

use std::ops::Range;

use crate::results::{LATE_US, Received};
use crate::shape::MAX_PACKETS;
use crate::stamp::{Kind, Stamp};

/// Frames that are kept account of at a time: two seconds of pictures, one of sound.
const FRAMES: usize = 64;

/// Which packets of a frame have come.
#[derive(Clone, Copy, Debug)]
struct Progress {
    frame: u32,
    count: u16,
    came: u16,
    which: [u64; MAX_PACKETS / 64],
}

/// The frames of a viewer that were last begun.
#[derive(Debug)]
struct Track {
    frames: Box<[Option<Progress>]>,
}

/// What a packet was to its frame.
enum Step {
    Again,
    /// Of a frame that is no longer kept account of.
    TooLate,
    Partial,
    Completed,
}

impl Default for Track {
    fn default() -> Self {
        Self {
            frames: vec![None; FRAMES].into(),
        }
    }
}

impl Track {
    fn take(&mut self, stamp: &Stamp) -> Step {
        let slot = &mut self.frames[stamp.frame as usize % FRAMES];
        let fresh = Progress {
            frame: stamp.frame,
            count: stamp.count,
            came: 0,
            which: [0; MAX_PACKETS / 64],
        };
        let progress = slot.get_or_insert(fresh);
        if progress.frame > stamp.frame {
            return Step::TooLate;
        }
        if progress.frame < stamp.frame {
            *progress = fresh;
        }
        let (word, bit) = (usize::from(stamp.index / 64), 1 << (stamp.index % 64));
        // More packets than a publisher makes are no frame of one.
        let Some(word) = progress.which.get_mut(word) else {
            return Step::TooLate;
        };
        if *word & bit != 0 {
            return Step::Again;
        }
        *word |= bit;
        progress.came += 1;
        if progress.came == progress.count {
            Step::Completed
        } else {
            Step::Partial
        }
    }
}

/// A viewer's counts.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    stream: u32,
    /// What is counted, by when it was sent.
    window: Range<u64>,
    received: Received,
    pictures: Track,
    sound: Track,
}

/// What a packet was to its viewer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// How long it took, where it counts.
    pub(crate) delay_us: Option<u64>,
    /// It was the last that its frame had missed.
    pub(crate) completed: bool,
}

impl Meter {
    /// Of a viewer of this stream; counts nothing yet.
    pub(crate) fn new(stream: u32) -> Self {
        Self {
            stream,
            ..Self::default()
        }
    }

    /// Counts anew, what is sent in this span.
    pub(crate) fn measure(&mut self, window: Range<u64>) {
        self.window = window;
        self.received = Received::default();
    }

    /// The stream and what was received of it in the span. `lost` and `lost_frames` are
    /// for [`lose`].
    pub(crate) fn counts(&self) -> (u32, Received) {
        (self.stream, self.received)
    }

    /// Takes a packet whose datagram had `bytes` and came at `at_ns`; `late` if one with
    /// a higher number came before.
    pub(crate) fn take(&mut self, stamp: &Stamp, bytes: usize, at_ns: u64, late: bool) -> Taken {
        if stamp.stream != self.stream {
            self.damaged(at_ns);
            return Taken::default();
        }
        let track = match stamp.kind {
            Kind::Delta | Kind::Key => &mut self.pictures,
            Kind::Sound => &mut self.sound,
        };
        let step = track.take(stamp);
        let completed = matches!(step, Step::Completed);
        if !self.window.contains(&stamp.sent_ns) {
            return Taken {
                delay_us: None,
                completed,
            };
        }
        let delay_us = at_ns.saturating_sub(stamp.sent_ns) / 1_000;
        let received = &mut self.received;
        match step {
            Step::Again => {
                received.duplicates += 1;
                return Taken::default();
            }
            Step::TooLate => return Taken::default(),
            Step::Partial | Step::Completed => {}
        }
        received.packets += 1;
        received.bytes += bytes as u64;
        received.reordered += u64::from(late);
        // Sound has no frames to speak of: its packets are.
        if completed && stamp.kind != Kind::Sound {
            received.frames += 1;
            received.late_frames += u64::from(delay_us > LATE_US);
        }
        Taken {
            delay_us: Some(delay_us),
            completed,
        }
    }

    /// Takes a packet that is not what was sent.
    pub(crate) fn damaged(&mut self, at_ns: u64) {
        if self.window.contains(&at_ns) {
            self.received.damaged += 1;
        }
    }
}

/// What a publisher sent in the span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Packets, of pictures and of sound.
    pub(crate) packets: u64,
    /// Pictures.
    pub(crate) frames: u64,
}

/// Puts what did not come into a viewer's counts.
pub(crate) fn lose(received: &mut Received, sent: Sent) {
    received.lost = sent.packets.saturating_sub(received.packets);
    received.lost_frames = sent.frames.saturating_sub(received.frames);
}

/// Adds one viewer's counts to those of all.
pub(crate) fn add(all: &mut Received, one: &Received) {
    all.packets += one.packets;
    all.bytes += one.bytes;
    all.lost += one.lost;
    all.reordered += one.reordered;
    all.duplicates += one.duplicates;
    all.damaged += one.damaged;
    all.frames += one.frames;
    all.late_frames += one.late_frames;
    all.lost_frames += one.lost_frames;
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// Frame and index of each packet: three frames of three packets each.
    fn packets() -> Vec<(u32, u16)> {
        (0..3).flat_map(|f| (0..3).map(move |i| (f, i))).collect()
    }

    fn stamp((frame, index): (u32, u16)) -> Stamp {
        Stamp {
            sent_ns: u64::from(frame) * 33 * MS,
            stream: 1,
            frame,
            index,
            count: 3,
            length: 1_000,
            kind: Kind::Delta,
        }
    }

    const SENT: Sent = Sent {
        packets: 9,
        frames: 3,
    };

    /// What a viewer counts that gets just these, each after `delay_ms`.
    fn counts(came: &[(u32, u16)], delay_ms: u64) -> Received {
        let mut meter = Meter::new(1);
        meter.measure(0..100 * MS);
        let mut highest = (0, 0);
        for &packet in came {
            let stamp = stamp(packet);
            let late = packet < highest;
            highest = highest.max(packet);
            meter.take(&stamp, 1_200, stamp.sent_ns + delay_ms * MS, late);
        }
        let (stream, mut received) = meter.counts();
        assert_eq!(stream, 1);
        lose(&mut received, SENT);
        received
    }

    #[test]
    fn all_that_was_sent_is_counted() {
        let wanted = Received {
            packets: 9,
            bytes: 9 * 1_200,
            frames: 3,
            ..Received::default()
        };
        assert_eq!(counts(&packets(), 1), wanted);
    }

    #[test]
    fn what_never_comes_is_lost_with_its_frame() {
        for hole in packets() {
            let came: Vec<_> = packets().into_iter().filter(|p| *p != hole).collect();
            let received = counts(&came, 1);
            let lost = (received.lost, received.lost_frames, received.frames);
            assert_eq!(lost, (1, 1, 2), "without {hole:?}");
        }
        // Nothing comes after what is lost at the end.
        assert_eq!(counts(&packets()[..4], 1).lost_frames, 2);
        assert_eq!(counts(&[], 1).lost, 9);
    }

    #[test]
    fn what_is_mended_is_not_lost() {
        let mut came = packets();
        let mended = came.remove(4);
        came.insert(7, mended);
        let received = counts(&came, 1);
        assert_eq!((received.lost, received.frames), (0, 3));
        assert_eq!(received.reordered, 1);
    }

    #[test]
    fn what_comes_again_counts_once() {
        let mut came = packets();
        came.push((1, 1));
        let received = counts(&came, 1);
        assert_eq!((received.packets, received.duplicates), (9, 1));
    }

    #[test]
    fn frames_are_late_by_their_last_packet() {
        assert_eq!(counts(&packets(), 50).late_frames, 0);
        assert_eq!(counts(&packets(), 51).late_frames, 3);
    }

    #[test]
    fn only_what_was_sent_in_the_span_counts() {
        let mut meter = Meter::new(1);
        meter.measure(33 * MS..66 * MS);
        let taken: Vec<_> = packets()
            .into_iter()
            .map(|packet| meter.take(&stamp(packet), 1_200, 80 * MS, false))
            .collect();
        assert_eq!(meter.counts().1.packets, 3);
        assert_eq!(meter.counts().1.frames, 1);
        let completed = taken.iter().filter(|taken| taken.completed).count();
        assert_eq!(completed, 3);
        let delays = taken.iter().filter_map(|taken| taken.delay_us);
        assert_eq!(delays.collect::<Vec<_>>(), [47_000; 3]);
    }

    #[test]
    fn another_streams_packet_is_damage() {
        let mut meter = Meter::new(2);
        meter.measure(0..100 * MS);
        meter.take(&stamp((0, 0)), 1_200, MS, false);
        let (_, received) = meter.counts();
        assert_eq!((received.damaged, received.packets), (1, 0));
    }
}
