//! The time of a sound card, told in ours.

use std::time::{Duration, Instant};

/// How long the best sight of the other clock is trusted. In two of these,
/// clocks that differ by 500 ppm move 2 ms apart.
const WINDOW: Duration = Duration::from_secs(2);

/// Sound cannot be older than this when it arrives.
const MAX_AGE: Duration = Duration::from_secs(1);

/// Where another clock's zero lies on ours.
///
/// Each time it tells arrives late by what the system took to tell it. The
/// least late of the last seconds is right, or nearly so.
#[derive(Debug, Default)]
pub(super) struct ForeignClock {
    /// The earliest zero of this window and of the one before.
    windows: Option<(Instant, Instant)>,
    window_end: Option<Instant>,
}

impl ForeignClock {
    /// When something happened at `event` that is told by `told`, both of the
    /// other clock, if that arrives now. Never later than now.
    pub(super) fn map(&mut self, event: Duration, told: Duration, now: Instant) -> Instant {
        let Some(zero) = now.checked_sub(told) else {
            return now;
        };
        let best = self.best(zero, now);
        let mapped = (best + event).min(now);
        if now.saturating_duration_since(mapped) <= MAX_AGE {
            return mapped;
        }
        // The other clock has stood still or jumped.
        *self = Self::default();
        self.best(zero, now);
        let age = told.saturating_sub(event).min(MAX_AGE);
        now.checked_sub(age).unwrap_or(now)
    }

    /// The earliest zero lately, this one included.
    fn best(&mut self, zero: Instant, now: Instant) -> Instant {
        let (current, before) = self.windows.unwrap_or((zero, zero));
        let windows = match self.window_end {
            Some(end) if now < end => (current.min(zero), before),
            Some(_) | None => {
                self.window_end = Some(now + WINDOW);
                (zero, current)
            }
        };
        self.windows = Some(windows);
        windows.0.min(windows.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// Chunks of 20 ms, told after `late(n)` ms, by a clock that runs `ppm`
    /// fast; how far each is from the truth.
    fn errors(count: u64, ppm: u64, late: impl Fn(u64) -> u64) -> Vec<Duration> {
        let start = Instant::now();
        let mut clock = ForeignClock::default();
        let foreign = |micros: u64| Duration::from_micros(micros + micros * ppm / 1_000_000);
        let error = |n: u64| {
            let taken = n * 20_000;
            let told = taken + 20_000;
            let now = start + Duration::from_micros(told) + milliseconds(late(n));
            let mapped = clock.map(foreign(taken), foreign(told), now);
            let truth = start + Duration::from_micros(taken);
            mapped.max(truth) - mapped.min(truth)
        };
        (0..count).map(error).collect()
    }

    #[test]
    fn lateness_does_not_reach_the_times() {
        let late = |n| [0, 3, 11, 7, 1][n as usize % 5];
        assert!(errors(1000, 0, late).iter().all(|error| error.is_zero()));
    }

    #[test]
    fn drift_is_followed() {
        let late = |n| [2, 0, 5][n as usize % 3];
        let errors = errors(10_000, 300, late);
        let most = errors.iter().max().unwrap();
        assert!(*most < milliseconds(3), "{most:?}");
    }

    #[test]
    fn a_clock_that_starts_over_is_believed_again() {
        let start = Instant::now() + Duration::from_secs(100);
        let mut clock = ForeignClock::default();
        let mut check = |event: u64, told: u64, now: u64, expected: u64| {
            let mapped = clock.map(
                milliseconds(event),
                milliseconds(told),
                start + milliseconds(now),
            );
            assert_eq!(mapped, start + milliseconds(expected));
        };
        check(50_000, 50_020, 20, 0);
        check(50_020, 50_040, 40, 20);
        check(0, 20, 60, 40);
        check(20, 40, 80, 60);
        // It stood still for a minute, with the machine.
        check(40, 60, 60_080, 60_060);
        // What it says of the past is no use.
        check(0, 60_000, 60_100, 59_100);
    }
}
