//! The capture clock of a source, made out from capture times that jitter.

/// How long an observation counts: its weight falls to 1/e in this many
/// seconds. Jitter of tens of milliseconds is averaged down to less than one,
/// while a clock that drifts with its temperature is still followed.
const MEMORY: f64 = 30.0;

/// How much must be seen before a slope is believed, in cubed seconds (the
/// spread of the observations): about what it takes to tell 200 ppm from
/// jitter of 10 ms in chunks of 20 ms.
const DOUBT: f64 = 50.0;

/// Clocks differ by less: crystals are good to 100 ppm, cheap ones to some
/// hundreds. What looks like more is no drift.
pub(super) const MAX_DRIFT: f64 = 1_000e-6;

/// A straight line through capture times, by least squares with a memory that
/// fades (recursive weighted regression).
///
/// `x` is the time a sample should have by the source's nominal rate, `y` how
/// much later it was taken; both in seconds.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The slope that is not told by the sums: from before a gap.
    prior: f64,
    /// Of the last observation; the sums count from here.
    x: f64,
    weight: f64,
    sum_x: f64,
    sum_y: f64,
    sum_xx: f64,
    sum_xy: f64,
}

impl Line {
    /// A line that begins anew at zero, with the slope of this one.
    pub(super) fn anew(&self) -> Self {
        Self {
            prior: self.slope(),
            ..Self::default()
        }
    }

    /// Takes an observation into account; `weight` is how many seconds of sound
    /// it stands for.
    pub(super) fn observe(&mut self, x: f64, y: f64, weight: f64) {
        self.fade((-weight / MEMORY).exp());
        self.shift(x - self.x);
        self.x = x;
        // By `shift` the observation lies at zero.
        self.weight += weight;
        self.sum_y += weight * (y - self.prior * x);
    }

    fn fade(&mut self, factor: f64) {
        for sum in [
            &mut self.weight,
            &mut self.sum_x,
            &mut self.sum_y,
            &mut self.sum_xx,
            &mut self.sum_xy,
        ] {
            *sum *= factor;
        }
    }

    /// Makes the sums count from `by` further on.
    fn shift(&mut self, by: f64) {
        self.sum_xx += by * (by * self.weight - 2.0 * self.sum_x);
        self.sum_xy -= by * self.sum_y;
        self.sum_x -= by * self.weight;
    }

    /// How many seconds later each second of samples is taken: positive for a
    /// source that is slow.
    pub(super) fn slope(&self) -> f64 {
        (self.prior + self.beyond_prior()).clamp(-MAX_DRIFT, MAX_DRIFT)
    }

    fn beyond_prior(&self) -> f64 {
        if self.weight == 0.0 {
            return 0.0;
        }
        let spread = self.sum_xx - self.sum_x * self.sum_x / self.weight;
        let together = self.sum_xy - self.sum_x * self.sum_y / self.weight;
        together / (spread + DOUBT)
    }

    /// The line's `y` at `x`; `None` before the first observation.
    pub(super) fn at(&self, x: f64) -> Option<f64> {
        if self.weight == 0.0 {
            return None;
        }
        let slope = self.slope();
        let (mean_x, mean_y) = (self.sum_x / self.weight, self.sum_y / self.weight);
        // The sums have the prior's part taken off.
        let at_mean = mean_y + self.prior * (self.x + mean_x);
        Some(at_mean + slope * (x - self.x - mean_x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line through `seconds` of chunks of 20 ms.
    fn line(seconds: u32, slope: f64, jitter: impl Fn(u32) -> f64) -> Line {
        let mut line = Line::default();
        for chunk in 0..seconds * 50 {
            let x = f64::from(chunk) * 0.02;
            line.observe(x, slope * x + jitter(chunk), 0.02);
        }
        line
    }

    /// Plus and minus `amount`, in turn but unevenly.
    fn uneven(amount: f64) -> impl Fn(u32) -> f64 {
        move |chunk| amount * (f64::from(chunk * 7919 % 1009) / 504.0 - 1.0)
    }

    #[test]
    fn a_line_without_observations_knows_nothing() {
        assert_eq!(Line::default().at(1.0), None);
        assert_eq!(Line::default().slope(), 0.0);
    }

    #[test]
    fn one_observation_is_a_level_line() {
        let mut line = Line::default();
        line.observe(0.0, 0.5, 0.02);
        assert_eq!(line.at(7.0), Some(0.5));
    }

    #[test]
    fn drift_is_found_through_jitter() {
        for slope in [-300e-6, 0.0, 40e-6, 900e-6] {
            let line = line(120, slope, uneven(0.03));
            assert!(
                (line.slope() - slope).abs() < 20e-6,
                "{slope}: {}",
                line.slope()
            );
            let off = line.at(120.0).unwrap() - slope * 120.0;
            assert!(off.abs() < 0.002, "{slope}: {off}");
        }
    }

    #[test]
    fn jitter_is_not_taken_for_drift_at_the_start() {
        for chunks in 1..10 {
            let line = line(chunks, 0.0, uneven(0.03));
            assert!(line.slope().abs() < 200e-6, "{chunks}: {}", line.slope());
        }
    }

    #[test]
    fn what_is_no_clock_s_drift_is_limited() {
        assert_eq!(line(60, 0.01, |_| 0.0).slope(), MAX_DRIFT);
        assert_eq!(line(60, -0.01, |_| 0.0).slope(), -MAX_DRIFT);
    }

    #[test]
    fn after_a_gap_the_slope_is_known() {
        let mut line = line(60, 250e-6, |_| 0.0).anew();
        assert_eq!(line.at(0.0), None);
        line.observe(0.0, 0.0, 0.02);
        line.observe(0.02, 0.02 * 250e-6, 0.02);
        assert!((line.at(10.0).unwrap() - 0.0025).abs() < 1e-4);
    }
}
