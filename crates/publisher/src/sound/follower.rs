//! Keeps what comes out in step with the capture clock: pure arithmetic.

use super::line::Line;

/// Capture times further than this, in seconds, from where the ones before
/// would put them are no jitter: sound is missing, or there twice.
pub(super) const MAX_STEP: f64 = 0.060;

/// An error is made up for at a rate that would undo it in so many seconds.
const PULL: f64 = 10.0;

/// But never faster than this: by far too little to be heard as a change of
/// pitch.
const MAX_PULL: f64 = 1_000e-6;

/// For so many seconds after a start ...
const SETTLING: f64 = 5.0;

/// ... the pull may be stronger, as the first capture time alone, jitter and
/// all, told where to begin. Still less than a twelfth of a semitone.
const MAX_SETTLING_PULL: f64 = 5_000e-6;

/// The clock of a source's sound card, as its capture times show it.
///
/// All times are in seconds since the first sample was taken.
#[derive(Debug)]
pub(super) struct Follower {
    /// Nominal, samples a second.
    rate: f64,
    line: Line,
    /// Frames of the source up to now.
    taken: u64,
}

/// A capture time that does not continue those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap;

impl Follower {
    pub(super) fn new(rate: u32) -> Self {
        Self {
            rate: f64::from(rate),
            line: Line::default(),
            taken: 0,
        }
    }

    /// Begins to count anew, with what is known of the clock's drift.
    pub(super) fn start(&mut self) {
        self.line = self.line.anew();
        self.taken = 0;
    }

    /// Learns that the next `frames` were taken from `at` on.
    pub(super) fn observe(&mut self, at: f64, frames: usize) -> Result<(), Gap> {
        let x = self.taken as f64 / self.rate;
        let y = at - x;
        if self
            .line
            .at(x)
            .is_some_and(|expected| (y - expected).abs() > MAX_STEP)
        {
            return Err(Gap);
        }
        self.line.observe(x, y, frames as f64 / self.rate);
        self.taken += frames as u64;
        Ok(())
    }

    /// Frames of the source since the start.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// When the frame at `position` was taken, as far as can be told.
    pub(super) fn time_of(&self, position: f64) -> f64 {
        let x = position / self.rate;
        x + self.line.at(x).unwrap_or_default()
    }

    /// How many times longer than their nominal time the next samples must
    /// last, if what comes out is stamped `error` seconds earlier than it was
    /// taken.
    pub(super) fn stretch(&self, error: f64) -> f64 {
        let settling = (self.taken as f64) < SETTLING * self.rate;
        let most = if settling {
            MAX_SETTLING_PULL
        } else {
            MAX_PULL
        };
        1.0 + self.line.slope() + (error / PULL).clamp(-most, most)
    }

    /// How much faster than the capture clock the source runs.
    pub(super) fn drift_ppm(&self) -> f64 {
        -self.line.slope() * 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Jitter of a busy machine: mostly late, up to 40 ms, a different amount
    /// every time; about an average of zero.
    struct Jitter(u64);

    impl Jitter {
        fn next(&mut self) -> f64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let even = (self.0 >> 33) as f64 / f64::from(1_u32 << 31);
            0.040 * (even * even - 1.0 / 3.0)
        }
    }

    /// A source whose clock is off by `drift`, followed for an hour of virtual
    /// time. What comes out is counted instead of computed.
    struct Hour {
        follower: Follower,
        rate: f64,
        drift: f64,
        jitter: Jitter,
        /// Frames that went in and came out, and where the last fell.
        taken: u64,
        made: u64,
        position: f64,
    }

    impl Hour {
        fn new(rate: u32, drift: f64) -> Self {
            Self {
                follower: Follower::new(rate),
                rate: f64::from(rate),
                drift,
                jitter: Jitter(7),
                taken: 0,
                made: 0,
                position: 0.0,
            }
        }

        /// When frame `position` is truly taken.
        fn truth(&self, position: f64) -> f64 {
            position / self.rate / (1.0 + self.drift)
        }

        /// Feeds a chunk; returns by how much what comes out is off.
        fn step(&mut self, frames: usize) -> f64 {
            let at = self.truth(self.taken as f64) + self.jitter.next();
            assert_eq!(self.follower.observe(at, frames), Ok(()));
            self.taken += frames as u64;
            let stamp = |made: u64| made as f64 / 48_000.0;
            let error = self.follower.time_of(self.position) - stamp(self.made);
            let step = self.rate / 48_000.0 / self.follower.stretch(error);
            let made = ((self.taken as f64 - self.position) / step).floor();
            self.made += made as u64;
            self.position += made * step;
            self.truth(self.position) - stamp(self.made)
        }
    }

    #[test]
    fn sound_stays_in_step_for_an_hour_whatever_the_drift_and_jitter() {
        for rate in [44_100, 48_000] {
            for drift in [-1_000e-6, -300e-6, 0.0, 300e-6, 1_000e-6] {
                let mut hour = Hour::new(rate, drift);
                let chunk = rate as usize / 100;
                let mut worst: f64 = 0.0;
                let mut worst_settled: f64 = 0.0;
                for number in 0..3600 * 100 {
                    let off = hour.step(chunk).abs();
                    worst = worst.max(off);
                    if number > 60 * 100 {
                        worst_settled = worst_settled.max(off);
                    }
                }
                assert!(worst < 0.020, "{rate} Hz, {drift}: {worst} s");
                assert!(
                    worst_settled < 0.003,
                    "{rate} Hz, {drift}: {worst_settled} s"
                );
                let told = hour.follower.drift_ppm();
                assert!(
                    (told - drift * 1e6).abs() < 30.0,
                    "{rate} Hz, {drift}: {told}"
                );
            }
        }
    }

    #[test]
    fn a_clock_that_warms_up_is_followed() {
        let mut hour = Hour::new(48_000, 0.0);
        let mut off: f64 = 0.0;
        // The true times are integrated, as the drift changes.
        let mut at = 0.0;
        for number in 0..600 * 50 {
            let drift = 300e-6 * f64::from(number) / 30_000.0;
            let jitter = hour.jitter.next();
            assert_eq!(hour.follower.observe(at + jitter, 960), Ok(()));
            at += 0.02 / (1.0 + drift);
            hour.taken += 960;
            off = hour.follower.time_of(hour.taken as f64) - at;
        }
        assert!(off.abs() < 0.003, "{off}");
    }

    #[test]
    fn a_step_is_a_gap_and_jitter_is_none() {
        let mut follower = Follower::new(48_000);
        assert_eq!(follower.observe(0.0, 4_800), Ok(()));
        assert_eq!(follower.observe(0.1 + 0.059, 4_800), Ok(()));
        assert_eq!(follower.observe(0.2 - 0.02, 4_800), Ok(()));
        assert_eq!(follower.observe(0.3 + 0.1, 4_800), Err(Gap));
        assert_eq!(follower.observe(0.3 - 0.1, 4_800), Err(Gap));
        assert_eq!(follower.taken(), 14_400);
    }
}
