//! One clock for pictures and sound.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Ties monotonic time to the wall clock, once: every conversion agrees with
/// every other, so audio and video stay in step whatever happens to the
/// system's time of day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    origin: Instant,
    origin_unix: Duration,
}

impl Clock {
    /// A clock that shows the system's time of day now.
    pub(crate) fn start() -> Self {
        Self {
            origin: Instant::now(),
            // A system clock before 1970 shows 1970.
            origin_unix: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
        }
    }

    /// The time of day at `at`, as time since the Unix epoch.
    pub(crate) fn unix(&self, at: Instant) -> Duration {
        let after = at.saturating_duration_since(self.origin);
        let before = self.origin.saturating_duration_since(at);
        (self.origin_unix + after).saturating_sub(before)
    }

    /// The moment at which the time of day is `unix`. A time before the clock's
    /// start that the platform cannot express becomes the start.
    pub(crate) fn at(&self, unix: Duration) -> Instant {
        match unix.checked_sub(self.origin_unix) {
            Some(after) => self.origin + after,
            None => self
                .origin
                .checked_sub(self.origin_unix - unix)
                .unwrap_or(self.origin),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_are_each_other_s_inverse() {
        let clock = Clock::start();
        for offset in [0, 1, 999_999_999, 3_600_000_000_000] {
            let unix = clock.origin_unix + Duration::from_nanos(offset);
            assert_eq!(clock.unix(clock.at(unix)), unix);
        }
        let earlier = clock.origin_unix - Duration::from_millis(7);
        assert_eq!(clock.unix(clock.at(earlier)), earlier);
    }
}
