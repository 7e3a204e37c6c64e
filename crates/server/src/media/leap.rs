//! Leaps in an RTP stream's numbers.
//!
//! A sender may begin its sequence or its time anew without a new SSRC. Passed on
//! as they are, such numbers would have viewers wait for thousands of packets
//! that never were, or show a frame in an hour. They count as the start of a new
//! stream, which is spliced on to the one before.

use std::time::Instant;

/// Most packets that may be missing between two that come one after the other
/// (MAX_DROPOUT of RFC 3550 appendix A.1).
const MOST_MISSING: u64 = 3_000;

/// Furthest that media time may go ahead of the time that has passed, or stay
/// behind it, in seconds. A sender that pauses lets its time run on.
const FURTHEST_S: i64 = 10;

/// The newest packet of a stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newest {
    /// Sequence number, extended past 16 bits.
    pub(super) sequence: u64,
    /// RTP timestamp.
    pub(super) timestamp: u32,
    pub(super) arrival: Instant,
}

impl Newest {
    /// Whether `next`, which is newer, cannot be of the same stream. `clock_rate`
    /// is in ticks a second.
    pub(super) fn leaps_to(self, next: Self, clock_rate: u32) -> bool {
        if next.sequence.saturating_sub(self.sequence) > MOST_MISSING {
            return true;
        }
        let rate = i64::from(clock_rate.max(1));
        let ticks = i64::from(next.timestamp.wrapping_sub(self.timestamp) as i32);
        let passed = next.arrival.saturating_duration_since(self.arrival);
        // Past half of the timestamp's range (RFC 3550 section 5.1) nothing can
        // be told of it: 6 hours of video.
        let half = i64::from(i32::MAX) / rate;
        let passed_s = i64::try_from(passed.as_secs()).unwrap_or(i64::MAX);
        passed_s < half && (ticks / rate - passed_s).abs() > FURTHEST_S
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn only_what_cannot_be_the_same_stream_leaps() {
        let start = Instant::now();
        const RATE: u32 = 90_000;
        let at = |sequence, seconds: i64, arrival_s| Newest {
            sequence,
            timestamp: (seconds * i64::from(RATE)) as u32,
            arrival: start + Duration::from_secs(arrival_s),
        };
        // The next packet: sequence number, RTP time and arrival in seconds.
        let table = [
            ((101, 0, 0), false),
            ((3_100, 1, 1), false),
            ((3_101, 1, 1), true),
            ((30_000, 0, 0), true),
            // Time that leaps ahead or back.
            ((101, 9, 0), false),
            ((101, 11, 0), true),
            ((101, -9, 0), false),
            ((101, -11, 0), true),
            ((101, 3_600, 1), true),
            // A pause: time runs on, or stands still.
            ((101, 3_600, 3_600), false),
            ((101, 0, 60), true),
            // So long that the timestamp has wrapped around.
            ((101, 5, 100_000), false),
        ];
        for ((sequence, seconds, arrival), expected) in table {
            let leaps = at(100, 0, 0).leaps_to(at(sequence, seconds, arrival), RATE);
            assert_eq!(leaps, expected, "{sequence} {seconds} {arrival}");
        }
    }

    #[test]
    fn the_timestamp_may_wrap_around() {
        let now = Instant::now();
        let newest = |sequence, timestamp| Newest {
            sequence,
            timestamp,
            arrival: now,
        };
        assert!(!newest(1, u32::MAX - 5).leaps_to(newest(2, 3_000), 90_000));
    }
}
