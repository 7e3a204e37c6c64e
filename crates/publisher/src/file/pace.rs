//! When things of a file are due: at the pace they were recorded in.

use std::time::{Duration, Instant};

use super::container::Nanos;

/// What is later than this is not caught up with: the file waits instead, for
/// instance while the machine sleeps.
const MAX_LATE: Duration = Duration::from_secs(1);

/// Ties the times of a file to the clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The moment of time zero.
    base: Option<Instant>,
}

impl Pace {
    /// Time zero is at `base`, or, with `None`, when [`Self::start`] is called.
    pub(super) fn new(base: Option<Instant>) -> Self {
        Self { base }
    }

    /// Lets the time run, if it does not yet.
    pub(super) fn start(&mut self, now: Instant) {
        self.base.get_or_insert(now);
    }

    /// The moment of `time`.
    pub(super) fn at(&self, time: Nanos) -> Option<Instant> {
        self.base?
            .checked_add(Duration::from_nanos(time.max(0).cast_unsigned()))
    }

    /// Something due at `time` is delivered now. What is too late moves the
    /// time of all that follows, pictures and sound alike.
    pub(super) fn settle(&mut self, time: Nanos, now: Instant) {
        if let (Some(base), Some(due)) = (self.base, self.at(time)) {
            let late = now.saturating_duration_since(due);
            if late > MAX_LATE {
                self.base = Some(base + late);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::container::SECOND;

    #[test]
    fn what_is_a_little_late_is_caught_up_with() {
        let start = Instant::now();
        let mut pace = Pace::new(None);
        assert_eq!(pace.at(0), None);
        pace.start(start);
        pace.start(start + MAX_LATE);
        pace.settle(SECOND, start + 2 * MAX_LATE);
        assert_eq!(pace.at(SECOND), Some(start + Duration::from_secs(1)));
    }

    #[test]
    fn what_is_very_late_moves_the_time() {
        let start = Instant::now();
        let mut pace = Pace::new(Some(start));
        let woken = start + Duration::from_secs(3_600);
        pace.settle(SECOND, woken);
        assert_eq!(pace.at(SECOND), Some(woken));
        assert_eq!(pace.at(2 * SECOND), Some(woken + Duration::from_secs(1)));
    }
}
