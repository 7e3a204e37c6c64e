//! So much a second, and so much at once: a token bucket.

use std::time::Instant;

/// What somebody may still do. Full at first.
#[derive(Debug, Clone)]
pub(crate) struct Allowance {
    per_second: u32,
    most: u32,
    left: f64,
    /// When `left` was right; `None` while nothing was taken.
    at: Option<Instant>,
}

impl Allowance {
    /// `per_second` in the long run, `most` in one go.
    pub(crate) fn new(per_second: u32, most: u32) -> Self {
        Self {
            per_second,
            most,
            left: most.into(),
            at: None,
        }
    }

    /// Takes `amount` if so much is left; false, and nothing taken, if not.
    pub(crate) fn take(&mut self, amount: u32, now: Instant) -> bool {
        if let Some(at) = self.at {
            let passed = now.saturating_duration_since(at).as_secs_f64();
            let refilled = self.left + passed * f64::from(self.per_second);
            self.left = refilled.min(self.most.into());
        }
        self.at = Some(self.at.map_or(now, |at| at.max(now)));
        let enough = self.left >= f64::from(amount);
        if enough {
            self.left -= f64::from(amount);
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// How often one is granted when asked for every ms of a span.
    fn granted(allowance: &mut Allowance, start: Instant, ms: std::ops::Range<u64>) -> usize {
        ms.filter(|ms| allowance.take(1, start + Duration::from_millis(*ms)))
            .count()
    }

    #[test]
    fn much_at_once_and_then_so_much_a_second() {
        let start = Instant::now();
        let mut allowance = Allowance::new(10, 30);
        assert_eq!(granted(&mut allowance, start, 0..1), 1);
        assert!(allowance.take(29, start));
        assert!(!allowance.take(1, start));
        assert_eq!(granted(&mut allowance, start, 1..2_001), 20);
    }

    #[test]
    fn it_fills_up_to_the_most() {
        let start = Instant::now();
        let mut allowance = Allowance::new(10, 30);
        assert!(allowance.take(30, start));
        let later = start + Duration::from_secs(1_000);
        assert!(!allowance.take(31, later));
        assert!(allowance.take(30, later));
        assert!(!allowance.take(1, later));
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_gives_nothing() {
        let start = Instant::now() + Duration::from_secs(10);
        let mut allowance = Allowance::new(1_000, 1);
        assert!(allowance.take(1, start));
        let before = start.checked_sub(Duration::from_secs(5)).unwrap();
        assert!(!allowance.take(1, before));
        assert!(!allowance.take(1, start));
    }
}
