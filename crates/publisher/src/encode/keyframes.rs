//! When a wanted keyframe may be made.

use std::time::{Duration, Instant};

/// Wishes this close together are one: every viewer that joins sends its own.
const WINDOW: Duration = Duration::from_millis(300);

/// The part of the bitrate that keyframes made on request may take.
const SHARE: f64 = 0.5;

/// However large keyframes are, one may be had after this.
const MAX_WINDOW: Duration = Duration::from_secs(4);

/// Merges the wishes that come too soon after a keyframe and keeps them until
/// the link can bear another. None is lost.
#[derive(Debug, Default)]
pub(crate) struct Keyframes {
    wanted: bool,
    /// When the last one was made, and its bits.
    last: Option<(Instant, f64)>,
}

impl Keyframes {
    /// Somebody wants a keyframe.
    pub(crate) fn request(&mut self) {
        self.wanted = true;
    }

    /// Whether a picture taken `now` has to be one.
    pub(crate) fn is_due(&self, now: Instant, bitrate_bps: u32) -> bool {
        let over = |(at, bits): (Instant, f64)| {
            let seconds = bits / (f64::from(bitrate_bps.max(1)) * SHARE);
            let window = Duration::from_secs_f64(seconds.min(MAX_WINDOW.as_secs_f64()));
            now.saturating_duration_since(at) >= window.max(WINDOW)
        };
        self.wanted && self.last.is_none_or(over)
    }

    /// One was made, for whatever reason: it serves all who wanted one.
    pub(crate) fn handle_made(&mut self, bytes: usize, now: Instant) {
        self.wanted = false;
        self.last = Some((now, bytes as f64 * 8.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When keyframes of so many bytes are made, in frames of 10 ms, if somebody
    /// wants one at each of `wishes`.
    fn made(wishes: &[u64], bitrate_bps: u32, bytes: usize) -> Vec<u64> {
        let start = Instant::now();
        let mut keyframes = Keyframes::default();
        let mut made = Vec::new();
        for ms in (0..10_000).step_by(10) {
            let now = start + Duration::from_millis(ms);
            if wishes.contains(&ms) {
                keyframes.request();
            }
            if keyframes.is_due(now, bitrate_bps) {
                keyframes.handle_made(bytes, now);
                made.push(ms);
            }
        }
        made
    }

    #[test]
    fn a_wish_is_granted_at_once() {
        assert_eq!(made(&[50, 1_000], 2_000_000, 25_000), [50, 1_000]);
    }

    #[test]
    fn wishes_soon_after_a_keyframe_are_one_and_not_lost() {
        let wishes = [50, 60, 70, 100, 340];
        assert_eq!(made(&wishes, 2_000_000, 25_000), [50, 350]);
    }

    #[test]
    fn a_narrow_link_bears_fewer() {
        // 80 kbit at 100 of 200 kbit/s.
        assert_eq!(made(&[0, 100, 900], 200_000, 10_000), [0, 800, 1_600]);
    }

    #[test]
    fn nobody_waits_for_ever() {
        assert_eq!(made(&[0, 100], 10_000, 100_000), [0, 4_000]);
    }
}
