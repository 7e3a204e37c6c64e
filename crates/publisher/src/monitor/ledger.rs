//! Which of the frames sent each frame is that comes back.
//!
//! A server passes frames on as they are, but numbers them anew, and may leave
//! some out or shift them in time. So a frame is known by its content, and by its
//! RTP timestamp, less what the server adds, where contents are alike.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use str0m::media::Frequency;

use crate::peer::rtp_ticks;
use crate::source::EncodedFrame;

/// A frame that has not come back for this long never will.
const LOST_AFTER: Duration = Duration::from_secs(5);

/// Frames under way at most; it takes more than 100 a second to get there.
const MAX_UNDER_WAY: usize = 512;

/// Bytes from a frame's end that tell it from others. What the codec's packets
/// leave out or add is at its beginning.
const TAIL: usize = 64;

/// What is known of a frame that came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Returned {
    /// When it was captured.
    pub(super) captured: Option<Instant>,
    /// How long before it nothing was sent.
    pub(super) pause: Duration,
}

/// The frames under way.
#[derive(Debug)]
pub(super) struct Ledger {
    /// RTP time zero.
    start: Instant,
    under_way: VecDeque<UnderWay>,
    last_captured: Option<Instant>,
    /// What the server adds to RTP timestamps; `None` until a frame is known by
    /// its content.
    offset: Option<u32>,
    lost: u64,
}

#[derive(Debug)]
struct UnderWay {
    ticks: u32,
    captured: Instant,
    pause: Duration,
    print: u64,
}

impl Ledger {
    /// Empty; RTP timestamps count from `start`.
    pub(super) fn new(start: Instant) -> Self {
        Self {
            start,
            under_way: VecDeque::new(),
            last_captured: None,
            offset: None,
            lost: 0,
        }
    }

    /// A frame is on its way.
    pub(super) fn note_sent(&mut self, frame: &EncodedFrame) {
        let captured = frame.capture_time;
        let last = self.last_captured.replace(captured);
        if self.under_way.len() == MAX_UNDER_WAY {
            self.under_way.pop_front();
            self.lost += u64::from(self.offset.is_some());
        }
        self.under_way.push_back(UnderWay {
            ticks: rtp_ticks(captured, self.start, Frequency::NINETY_KHZ) as u32,
            captured,
            pause: last.map_or(Duration::ZERO, |last| {
                captured.saturating_duration_since(last)
            }),
            print: print(&frame.data),
        });
    }

    /// A frame came back, in the order of sending; those before it that did not
    /// are lost, once the first has come. `None`: it is none of those under way.
    pub(super) fn note_returned(&mut self, ticks: u32, data: &[u8]) -> Option<Returned> {
        let index = self.find(ticks, print(data))?;
        let skipped = self.under_way.drain(..index).count();
        let frame = self.under_way.pop_front()?;
        if self.offset.is_some() {
            self.lost += skipped as u64;
        }
        self.offset = Some(ticks.wrapping_sub(frame.ticks));
        Some(Returned {
            captured: Some(frame.captured),
            pause: frame.pause,
        })
    }

    fn find(&self, ticks: u32, print: u64) -> Option<usize> {
        let frames = self.under_way.iter().enumerate();
        let mut alike = frames.clone().filter(|(_, frame)| frame.print == print);
        if let (Some((index, _)), None) = (alike.next(), alike.next()) {
            return Some(index);
        }
        let sent = ticks.wrapping_sub(self.offset?);
        let (index, _) = frames.clone().find(|(_, frame)| frame.ticks == sent)?;
        Some(index)
    }

    /// Frames that did not come back.
    pub(super) fn lost(&mut self, now: Instant) -> u64 {
        let old = |f: &UnderWay| now.saturating_duration_since(f.captured) > LOST_AFTER;
        while self.under_way.front().is_some_and(old) {
            self.under_way.pop_front();
            self.lost += u64::from(self.offset.is_some());
        }
        self.lost
    }

    /// The connection is over: what is under way is nobody's loss.
    pub(super) fn close(&mut self) {
        self.under_way.clear();
        self.last_captured = None;
        self.offset = None;
    }
}

/// Two frames with the same one may be the same.
fn print(data: &[u8]) -> u64 {
    let tail = &data[data.len().saturating_sub(TAIL)..];
    let mut hasher = DefaultHasher::new();
    tail.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICKS_PER_MS: u32 = 90;

    /// Frames are told apart by one byte, and sent some milliseconds after `start`.
    struct Fixture {
        start: Instant,
        ledger: Ledger,
    }

    impl Fixture {
        fn new() -> Self {
            let start = Instant::now();
            let ledger = Ledger::new(start);
            Self { start, ledger }
        }

        fn at(&self, ms: u64) -> Instant {
            self.start + Duration::from_millis(ms)
        }

        fn send(&mut self, ms: u64, content: u8) {
            self.ledger.note_sent(&EncodedFrame {
                capture_time: self.at(ms),
                keyframe: false,
                data: vec![content; 100],
            });
        }

        /// When the frame was captured, and how long nothing was sent before it.
        fn returns(&mut self, ticks: u32, content: u8) -> Option<(u128, u128)> {
            let returned = self.ledger.note_returned(ticks, &[content; 100])?;
            let captured = returned.captured?.duration_since(self.start);
            Some((captured.as_millis(), returned.pause.as_millis()))
        }

        fn lost(&mut self, ms: u64) -> u64 {
            let now = self.at(ms);
            self.ledger.lost(now)
        }
    }

    #[test]
    fn frames_are_known_by_their_content_whatever_their_numbers() {
        let mut f = Fixture::new();
        f.send(0, 1);
        f.send(33, 2);
        f.send(533, 3);
        assert_eq!(f.returns(7_777, 1), Some((0, 0)));
        assert_eq!(f.returns(u32::MAX, 2), Some((33, 33)));
        assert_eq!(f.returns(5, 3), Some((533, 500)));
        assert_eq!(f.returns(5, 3), None);
        assert_eq!(f.lost(600), 0);
    }

    #[test]
    fn the_packets_of_a_codec_may_change_how_a_frame_begins() {
        let mut f = Fixture::new();
        f.send(0, 1);
        let mut changed = vec![9, 9, 9];
        changed.extend([1; 80]);
        assert!(f.ledger.note_returned(0, &changed).is_some());
    }

    #[test]
    fn frames_that_are_alike_are_known_by_their_time() {
        let mut f = Fixture::new();
        for (ms, content) in [(0, 1), (40, 2), (80, 2), (120, 2), (160, 2)] {
            f.send(ms, content);
        }
        let offset = 0_u32.wrapping_sub(1_000);
        assert_eq!(f.returns(offset.wrapping_add(40 * TICKS_PER_MS), 2), None);
        assert_eq!(f.returns(offset, 1), Some((0, 0)));
        let returned = f.returns(offset.wrapping_add(80 * TICKS_PER_MS), 2);
        assert_eq!(returned, Some((80, 40)));
        assert_eq!(f.lost(160), 1);
        // Made anew by the server, but of the same time.
        let returned = f.returns(offset.wrapping_add(120 * TICKS_PER_MS), 7);
        assert_eq!(returned, Some((120, 40)));
    }

    #[test]
    fn what_is_skipped_is_lost_but_for_what_was_sent_before_the_first() {
        let mut f = Fixture::new();
        for frame in 0..6 {
            f.send(u64::from(frame) * 33, frame);
        }
        f.returns(0, 2);
        assert_eq!(f.lost(200), 0);
        f.returns(0, 5);
        assert_eq!(f.lost(200), 2);
    }

    #[test]
    fn what_does_not_come_for_long_is_lost() {
        let mut f = Fixture::new();
        f.send(0, 1);
        f.send(100, 2);
        f.send(4_000, 3);
        f.returns(0, 1);
        assert_eq!(f.lost(5_100), 0);
        assert_eq!(f.lost(5_101), 1);
        // Neither is what a connection that is over leaves.
        f.ledger.close();
        f.send(9_000, 4);
        f.returns(0, 4);
        assert_eq!(f.lost(60_000), 1);
    }

    #[test]
    fn the_ledger_does_not_grow() {
        let mut f = Fixture::new();
        f.send(0, 1);
        f.returns(0, 1);
        for frame in 0..1_000 {
            f.send(frame, 2);
        }
        assert_eq!(f.ledger.under_way.len(), MAX_UNDER_WAY);
        assert_eq!(f.lost(1_000), 1_000 - MAX_UNDER_WAY as u64);
    }
}
