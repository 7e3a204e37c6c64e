//! Notices that this machine slept: what was connected before is gone by then,
//! though no socket has said so yet.

use std::time::{Duration, Instant, SystemTime};

use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often the clocks are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// A sleep shorter than this does no harm: the server still waits for the
/// connection (it counts ICE as lost after about 15 s).
const SLEEP: Duration = Duration::from_secs(10);

/// Looks at the clocks once a second.
#[derive(Debug)]
pub(crate) struct Watch {
    ticks: Interval,
    clocks: Clocks,
}

impl Watch {
    /// Starts now.
    pub(crate) fn start() -> Self {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            ticks,
            clocks: Clocks::new(Instant::now(), SystemTime::now()),
        }
    }

    /// Returns when the machine has slept. Cancelled, it can be called again.
    pub(crate) async fn slept(&mut self) {
        loop {
            self.ticks.tick().await;
            if self.clocks.jumped(Instant::now(), SystemTime::now()) {
                return;
            }
        }
    }
}

/// Both clocks as last seen. The monotonic one stands still in a sleep on Linux
/// and macOS and goes on on Windows; the time of day is ahead afterwards on all
/// of them. Setting it forward looks the same and costs a reconnect.
#[derive(Debug)]
struct Clocks {
    monotonic: Instant,
    time_of_day: SystemTime,
}

impl Clocks {
    fn new(monotonic: Instant, time_of_day: SystemTime) -> Self {
        Self {
            monotonic,
            time_of_day,
        }
    }

    /// Whether much more time has passed than between two looks.
    fn jumped(&mut self, monotonic: Instant, time_of_day: SystemTime) -> bool {
        let before = std::mem::replace(self, Self::new(monotonic, time_of_day));
        let passed = monotonic.saturating_duration_since(before.monotonic);
        // Set back, it says nothing.
        let by_day = time_of_day.duration_since(before.time_of_day);
        passed.max(by_day.unwrap_or_default()) >= PERIOD + SLEEP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_is_noticed_on_either_clock_once() {
        let (start, day) = (Instant::now(), SystemTime::now());
        let check = |monotonic: f64, time_of_day: f64, expected: bool| {
            let mut clocks = Clocks::new(start, day);
            let later = |seconds| Duration::from_secs_f64(seconds);
            let (then, wall) = (start + later(monotonic), day + later(time_of_day));
            let what = format!("{monotonic} {time_of_day}");
            assert_eq!(clocks.jumped(then, wall), expected, "{what}");
            assert!(!clocks.jumped(then + PERIOD, wall + PERIOD), "{what}");
        };
        check(1.0, 1.0, false);
        check(5.0, 5.0, false);
        check(1.0, 3600.0, true);
        check(3600.0, 3600.0, true);
        check(3600.0, 1.0, true);
    }

    #[test]
    fn a_time_of_day_that_is_set_back_is_no_sleep() {
        let (start, day) = (Instant::now(), SystemTime::now());
        let mut clocks = Clocks::new(start, day);
        let hour = Duration::from_secs(3600);
        assert!(!clocks.jumped(start + PERIOD, day - hour));
    }
}
