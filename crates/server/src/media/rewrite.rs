//! One viewer's numbering of one track.
//!
//! A viewer sees a single RTP stream that starts near zero and goes on without
//! a jump when the publisher starts a new one (RFC 3550 section 5.1 fields).
//! Holes stay where they are, so that the viewer sees the loss and asks for it.

use std::time::Instant;

use super::picture::{PictureNumbers, Shift};

/// Where a packet stands in the publisher's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// Grows by one with every new SSRC of the track.
    pub(super) epoch: u32,
    /// Sequence number, extended past 16 bits.
    pub(super) sequence: u64,
    /// RTP timestamp.
    pub(super) timestamp: u32,
    /// When it was captured, on this server's clock.
    pub(super) captured: Instant,
    /// Which picture it is of.
    pub(super) picture: PictureNumbers,
}

/// Where the packet stands in the viewer's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rewritten {
    /// Sequence number, extended past 16 bits.
    pub(super) sequence: u64,
    /// RTP timestamp.
    pub(super) timestamp: u32,
    /// What becomes of its picture's numbers.
    pub(super) pictures: Shift,
}

/// Numbers one track for one viewer.
#[derive(Debug)]
pub(super) struct Rewriter {
    next_sequence: u64,
    mapping: Option<Mapping>,
    /// What was before: packets of it that are late still fill its holes.
    former: Option<Mapping>,
}

#[derive(Debug)]
struct Mapping {
    /// `None` once it is of a source that was left: nothing more comes of it, but
    /// what comes next is spliced on to it.
    epoch: Option<u32>,
    first_in: u64,
    first_out: u64,
    timestamp_offset: u32,
    pictures: Shift,
    /// The newest packet in, and its timestamp out.
    newest: Position,
    newest_timestamp: u32,
}

/// Where the first sequence number is drawn from: low enough that 16 bits do
/// not wrap while the viewer's SRTP has not seen a packet yet (RFC 3711
/// section 3.3.1).
const FIRST_SEQUENCE_MASK: u32 = 0x3fff;

impl Rewriter {
    /// A stream that has not started; `seed` decides its first number.
    pub(super) fn new(seed: u32) -> Self {
        Self {
            next_sequence: u64::from(seed & FIRST_SEQUENCE_MASK) + 1,
            mapping: None,
            former: None,
        }
    }

    /// Whether packets of this epoch are being passed on.
    pub(super) fn follows(&self, epoch: u32) -> bool {
        self.mapping
            .as_ref()
            .is_some_and(|m| m.epoch == Some(epoch))
    }

    /// The epochs of what comes from now on are another publisher's, and have
    /// nothing to do with those before.
    pub(super) fn leave_source(&mut self) {
        if let Some(mapping) = &mut self.mapping {
            mapping.epoch = None;
        }
        self.former = None;
    }

    /// Starts the stream at `from`, or splices it on to what came before: the
    /// sequence goes on by one, and so do the pictures, the timestamp by the time
    /// that has passed.
    pub(super) fn splice(&mut self, from: Position, clock_rate: u32) {
        let timestamp_offset = self.mapping.as_ref().map_or(0, |old| {
            let passed = from
                .captured
                .saturating_duration_since(old.newest.captured)
                .as_micros();
            // At least one tick, so that the frames stay apart.
            let ticks = (passed * u128::from(clock_rate) / 1_000_000).max(1) as u32;
            old.newest_timestamp
                .wrapping_add(ticks)
                .wrapping_sub(from.timestamp)
        });
        let pictures = self.mapping.as_ref().map_or_else(Shift::default, |old| {
            let last = old.newest.picture.shifted(old.pictures);
            from.picture.shift_after(last)
        });
        self.former = self.mapping.take();
        self.mapping = Some(Mapping {
            epoch: Some(from.epoch),
            first_in: from.sequence,
            first_out: self.next_sequence,
            timestamp_offset,
            pictures,
            newest: from,
            newest_timestamp: from.timestamp.wrapping_add(timestamp_offset),
        });
    }

    /// Whether the packet is a late one of what was passed on before.
    pub(super) fn has_place_for(&self, at: Position) -> bool {
        self.former.as_ref().is_some_and(|m| m.reaches(at))
    }

    /// The packet's place in the viewer's stream; `None` if it is from before
    /// the start, past what there is room for, or from another epoch.
    pub(super) fn rewrite(&mut self, at: Position) -> Option<Rewritten> {
        if let Some(former) = self.former.as_ref().filter(|m| m.reaches(at)) {
            return former.place(at);
        }
        let mapping = self
            .mapping
            .as_mut()
            .filter(|m| m.epoch == Some(at.epoch))?;
        let out = mapping.place(at)?;
        if at.sequence >= mapping.newest.sequence {
            let picture = at.picture.or(mapping.newest.picture);
            mapping.newest = Position { picture, ..at };
            mapping.newest_timestamp = out.timestamp;
            self.next_sequence = out.sequence + 1;
        }
        Some(out)
    }
}

impl Mapping {
    fn place(&self, at: Position) -> Option<Rewritten> {
        let since_first = at.sequence.checked_sub(self.first_in)?;
        Some(Rewritten {
            sequence: self.first_out + since_first,
            timestamp: at.timestamp.wrapping_add(self.timestamp_offset),
            pictures: self.pictures,
        })
    }

    /// The packet is of this epoch, and not newer than what has been.
    fn reaches(&self, at: Position) -> bool {
        self.epoch == Some(at.epoch) && at.sequence < self.newest.sequence
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const RATE: u32 = 90_000;

    struct Source(Instant);

    impl Source {
        fn at(&self, epoch: u32, sequence: u64, timestamp: u32, ms: u64) -> Position {
            Position {
                epoch,
                sequence,
                timestamp,
                captured: self.0 + Duration::from_millis(ms),
                picture: PictureNumbers::default(),
            }
        }
    }

    fn started(source: &Source, sequence: u64, timestamp: u32) -> Rewriter {
        let mut rewriter = Rewriter::new(9);
        rewriter.splice(source.at(0, sequence, timestamp, 0), RATE);
        rewriter
    }

    fn sequence(rewriter: &mut Rewriter, at: Position) -> Option<u64> {
        rewriter.rewrite(at).map(|out| out.sequence)
    }

    #[test]
    fn starts_low_whatever_the_publisher_is_at() {
        let source = Source(Instant::now());
        let mut rewriter = started(&source, 1_000_000, 7);
        let out = rewriter.rewrite(source.at(0, 1_000_000, 7, 0)).unwrap();
        assert_eq!((out.sequence, out.timestamp), (10, 7));
        assert!(Rewriter::new(u32::MAX).next_sequence < 1 << 15);
    }

    #[test]
    fn keeps_holes_and_fills_them_late() {
        let source = Source(Instant::now());
        let mut rewriter = started(&source, 100, 0);
        let got: Vec<_> = [100, 101, 104, 102, 105]
            .into_iter()
            .map(|n| sequence(&mut rewriter, source.at(0, n, 0, 0)))
            .collect();
        assert_eq!(got, [Some(10), Some(11), Some(14), Some(12), Some(15)]);
    }

    #[test]
    fn drops_what_is_from_before_the_start() {
        let source = Source(Instant::now());
        let mut rewriter = started(&source, 100, 0);
        assert_eq!(sequence(&mut rewriter, source.at(0, 99, 0, 0)), None);
    }

    #[test]
    fn goes_past_16_bits_of_sequence_and_32_of_timestamp() {
        let source = Source(Instant::now());
        let mut rewriter = started(&source, 65_535, u32::MAX);
        assert_eq!(
            rewriter.rewrite(source.at(0, 65_535 + 70_000, 2_999, 0)),
            Some(Rewritten {
                sequence: 70_010,
                timestamp: 2_999,
                pictures: Shift::default(),
            })
        );
    }

    #[test]
    fn a_new_ssrc_is_spliced_on() {
        let source = Source(Instant::now());
        let mut rewriter = started(&source, 100, 3_000);
        rewriter.rewrite(source.at(0, 120, 6_000, 33));
        let fresh = source.at(1, 5, 77, 133);
        assert!(!rewriter.follows(1));
        assert_eq!(rewriter.rewrite(fresh), None);
        rewriter.splice(fresh, RATE);
        let out = rewriter.rewrite(fresh).unwrap();
        assert_eq!(out.sequence, 31);
        assert_eq!(out.timestamp, 6_000 + 9_000);
        // A late packet of the old stream fills its hole, and what would come
        // after it has no place any more.
        let late = source.at(0, 119, 6_000, 33);
        assert!(rewriter.has_place_for(late));
        assert_eq!(sequence(&mut rewriter, late), Some(29));
        let after = source.at(0, 121, 6_000, 33);
        assert!(!rewriter.has_place_for(after));
        assert_eq!(sequence(&mut rewriter, after), None);
        assert_eq!(sequence(&mut rewriter, source.at(1, 6, 77, 133)), Some(32));
    }

    #[test]
    fn another_publisher_is_spliced_on_whatever_its_epoch() {
        let source = Source(Instant::now());
        let mut rewriter = started(&source, 100, 3_000);
        rewriter.leave_source();
        let other = source.at(0, 100, 500_000, 10_000);
        assert!(!rewriter.follows(0));
        assert_eq!(rewriter.rewrite(other), None);
        rewriter.splice(other, RATE);
        let out = rewriter.rewrite(other).unwrap();
        assert_eq!((out.sequence, out.timestamp), (10, 3_000 + 10 * RATE));
        assert!(rewriter.follows(0));
        // One that has sent nothing leaves nothing to go on from.
        let mut fresh = Rewriter::new(9);
        fresh.leave_source();
        fresh.splice(other, RATE);
        assert_eq!(fresh.rewrite(other).unwrap().timestamp, 500_000);
    }

    #[test]
    fn a_splice_never_repeats_a_timestamp() {
        let source = Source(Instant::now());
        let mut rewriter = started(&source, 1, 500);
        rewriter.splice(source.at(1, 9, 9, 0), RATE);
        let out = rewriter.rewrite(source.at(1, 9, 9, 0)).unwrap();
        assert_eq!(out.timestamp, 501);
    }
}
