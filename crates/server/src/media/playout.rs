//! The delay that a viewer asks of its jitter buffer.
//!
//! Its video packets say it in the `playout-delay` RTP header extension, all of
//! them: a receiver goes by the last value it has seen, but the publisher's own
//! packets may say another, and three bytes cost less than knowing what arrived.

use std::time::Duration;

use str0m::media::MediaTime;

use crate::core::backend::PlayoutDelay;

/// The extension holds 12 bits of steps of 10 ms.
const STEP: Duration = Duration::from_millis(10);
const MAX_STEPS: u128 = 0xfff;

/// Least and most, as the extension says them: rounded down to its steps, what
/// is over its range being its greatest value, and never the least above the most.
pub(super) fn to_rtp(delay: PlayoutDelay) -> (MediaTime, MediaTime) {
    let steps = |span: Duration| (span.as_millis() / STEP.as_millis()).min(MAX_STEPS) as u64;
    let (min, max) = (steps(delay.min), steps(delay.max));
    (
        MediaTime::from_hundredths(min),
        MediaTime::from_hundredths(max.max(min)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_told_in_steps_and_within_range() {
        // Least and most in ms; both in steps of 10 ms.
        let table = [
            ((0, 0), (0, 0)),
            ((100, 400), (10, 40)),
            ((15, 19), (1, 1)),
            ((40_950, 40_950), (4_095, 4_095)),
            ((50_000, 60_000), (4_095, 4_095)),
            ((300, 200), (30, 30)),
        ];
        for ((min, max), (least, most)) in table {
            let [min, max] = [min, max].map(Duration::from_millis);
            let expected = [least, most].map(MediaTime::from_hundredths);
            assert_eq!(to_rtp(PlayoutDelay { min, max }), expected.into());
        }
    }
}
