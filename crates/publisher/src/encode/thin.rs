//! Leaves pictures out, evenly.

use std::time::{Duration, Instant};

/// How much too early a picture may be: pictures do not come exactly on time.
const EARLY: Duration = Duration::from_millis(8);

/// Picks pictures by the times they were taken.
#[derive(Debug, Default)]
pub(crate) struct Thinner {
    /// When the next picture should be taken.
    due: Option<Instant>,
}

impl Thinner {
    /// Whether a picture taken `at` is one of those that come `interval` apart.
    pub(crate) fn takes(&mut self, at: Instant, interval: Duration) -> bool {
        let Some(due) = self.due else {
            self.due = Some(at + interval);
            return true;
        };
        if at + EARLY.min(interval / 8) < due {
            // Of a clock that was set back, or a rate that was raised.
            self.due = Some(due.min(at + interval));
            return false;
        }
        // On the grid, so that the mean is right; anew after a gap.
        let gap = at > due + interval;
        self.due = Some(if gap { at } else { due } + interval);
        true
    }

    /// A picture was taken out of turn, or all are: the next is an interval on.
    pub(crate) fn reset(&mut self) {
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the pictures taken of a second at `from`, thinned to `to`,
    /// each `jitter(number)` milliseconds late.
    fn taken(from: u64, to: u64, jitter: impl Fn(u64) -> u64) -> Vec<u64> {
        let start = Instant::now();
        let mut thinner = Thinner::default();
        let interval = Duration::from_secs(1) / to as u32;
        (0..from)
            .filter(|n| {
                let late = Duration::from_millis(jitter(*n));
                let at = start + Duration::from_nanos(n * 1_000_000_000 / from) + late;
                thinner.takes(at, interval)
            })
            .collect()
    }

    #[test]
    fn every_nth_picture_is_taken() {
        let halved: Vec<u64> = (0..30).step_by(2).collect();
        assert_eq!(taken(30, 15, |_| 0), halved);
        assert_eq!(taken(30, 15, |n| n * 7 % 5), halved, "with jitter");
        assert_eq!(taken(60, 15, |_| 0), (0..60).step_by(4).collect::<Vec<_>>());
    }

    #[test]
    fn other_rates_are_met_on_average_and_evenly() {
        for (from, to) in [(30, 20), (30, 24), (60, 50), (25, 10), (50, 30), (30, 7)] {
            let taken = taken(from, to, |_| 0);
            let count = taken.len() as u64;
            assert!(count.abs_diff(to) <= 1, "{from} to {to}: {count}");
            let gaps = taken.windows(2).map(|pair| pair[1] - pair[0]);
            let (least, most) = (gaps.clone().min(), gaps.max());
            assert!(most.unwrap() - least.unwrap() <= 1, "{from} to {to}");
        }
    }

    #[test]
    fn after_a_gap_it_goes_on_without_a_burst() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut thinner = Thinner::default();
        let interval = Duration::from_millis(66);
        let times = [0, 33, 66, 5_000, 5_033, 5_066, 5_099, 5_132];
        let taken = times.map(|ms| thinner.takes(at(ms), interval));
        let expected = [true, false, true, true, false, true, false, true];
        assert_eq!(taken, expected);
    }
}
