//! Our clock as others are told it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// From the start of NTP's time to 1970, seconds (RFC 868).
const NTP_TO_1970: u64 = 2_208_988_800;

/// What the time of day was at some moment. It goes on evenly from there: what
/// viewers are told must not leap when the system's clock is set.
#[derive(Debug, Clone, Copy)]
pub(in crate::media) struct WallClock {
    origin: Instant,
    since_1970: Duration,
}

impl WallClock {
    pub(in crate::media) fn new(origin: Instant, time: SystemTime) -> Self {
        Self {
            origin,
            since_1970: time.duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }

    /// As NTP's 64 bits (RFC 3550 section 4), the seconds in the upper half.
    pub(super) fn ntp(&self, at: Instant) -> u64 {
        let time = self.time(at);
        let seconds = time.as_secs().wrapping_add(NTP_TO_1970);
        let fraction = (u64::from(time.subsec_nanos()) << 32) / 1_000_000_000;
        (seconds << 32) | fraction
    }

    /// As the middle 32 bits of that.
    pub(super) fn short_ntp(&self, at: Instant) -> u32 {
        (self.ntp(at) >> 16) as u32
    }

    /// As `abs-send-time` says it: 24 bits of seconds, 18 of them behind the point.
    pub(super) fn send_time(&self, at: Instant) -> [u8; 3] {
        let time = self.time(at);
        let fraction = (u64::from(time.subsec_nanos()) << 18) / 1_000_000_000;
        let [.., a, b, c] = ((time.as_secs() << 18) | fraction).to_be_bytes();
        [a, b, c]
    }

    fn time(&self, at: Instant) -> Duration {
        self.since_1970 + at.saturating_duration_since(self.origin)
    }
}

/// The middle 32 bits of a moment that somebody else has told.
pub(super) fn short_ntp(time: SystemTime) -> u32 {
    let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since_1970.as_secs().wrapping_add(NTP_TO_1970);
    let fraction = (u64::from(since_1970.subsec_nanos()) << 16) / 1_000_000_000;
    ((seconds << 16) | fraction) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_in_ntp_and_as_send_times() {
        let origin = Instant::now();
        let time = UNIX_EPOCH + Duration::new(1_700_000_000, 250_000_000);
        let clock = WallClock::new(origin, time);
        let at = origin + Duration::from_millis(64_500);
        let seconds = 1_700_000_064_u64 + NTP_TO_1970;
        assert_eq!(clock.ntp(at), (seconds << 32) | 0xc000_0000);
        assert_eq!(clock.short_ntp(at), ((seconds << 16) | 0xc000) as u32);
        assert_eq!(
            short_ntp(time + Duration::from_millis(64_500)),
            clock.short_ntp(at)
        );
        // 1,700,000,064 is 0 modulo 64.
        assert_eq!(clock.send_time(at), [0x03, 0, 0]);
    }
}
