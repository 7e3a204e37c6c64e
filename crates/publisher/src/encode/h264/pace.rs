//! How `openh264` is told its bitrate while it runs.
//!
//! Its safe interface takes the bitrate once, when the encoder starts; starting
//! anew for every change would cost a keyframe each time. But its rate control
//! by timestamps spends what has flowed into a leaky bucket since the picture
//! before, and it is us who tell it the time. So the bucket is configured once
//! and its clock runs faster or slower: at half the speed half the bits flow.

use std::time::{Duration, Instant};

/// How many frames of the ceiling's bitrate make up a second of the encoder's
/// clock. The bucket holds half a second, four frames, of which one keyframe
/// may take three; fewer would leave a keyframe too little, more would let a
/// squeezed link wait too long until the bitrate has followed.
const FRAMES: u32 = 8;

/// The encoder's clock starts here: it takes zero for "never".
const START_MS: f64 = 1_000.0;

/// The most the clock may leap: the encoder takes more for a mistake.
const MAX_LEAP_MS: f64 = 1_000.0;

/// The least: the encoder takes less for a mistake, too.
const MIN_LEAP_MS: f64 = 1.0;

/// The clock told to the encoder.
#[derive(Debug)]
pub(super) struct Pace {
    /// What flows into the bucket in a second of the encoder's clock.
    configured_bps: u32,
    bitrate_bps: u32,
    last: Option<Instant>,
    clock_ms: f64,
}

impl Pace {
    /// For bitrates up to `ceiling_bps` at `fps` pictures a second; half as much
    /// again can be reached.
    pub(super) fn new(ceiling_bps: u32, fps: u32, most_bps: u32) -> Self {
        let frame = ceiling_bps / fps.max(1);
        Self {
            configured_bps: frame.saturating_mul(FRAMES).clamp(1_000, most_bps),
            bitrate_bps: ceiling_bps,
            last: None,
            clock_ms: START_MS,
        }
    }

    /// What the encoder is to be configured with: bits, and frames, a second.
    pub(super) fn configuration(&self) -> (u32, u32) {
        (self.configured_bps, FRAMES)
    }

    pub(super) fn set_bitrate(&mut self, bps: u32) {
        self.bitrate_bps = bps;
    }

    /// The encoder's time, in milliseconds, of a picture taken at `at`.
    pub(super) fn time_of(&mut self, at: Instant) -> u64 {
        if let Some(last) = self.last {
            let elapsed: Duration = at.saturating_duration_since(last);
            let speed = f64::from(self.bitrate_bps) / f64::from(self.configured_bps);
            let leap = elapsed.as_secs_f64() * 1_000.0 * speed;
            self.clock_ms += leap.clamp(MIN_LEAP_MS, MAX_LEAP_MS);
        }
        self.last = Some(at);
        self.clock_ms as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoder_s_clock_runs_as_fast_as_bits_may_flow() {
        let start = Instant::now();
        let mut pace = Pace::new(2_000_000, 30, 14_000_000);
        let configured = f64::from(pace.configuration().0);
        let mut frame = 0;
        let mut run = |pace: &mut Pace, seconds: u32| {
            let before = pace.clock_ms;
            for _ in 0..30 * seconds {
                frame += 1;
                pace.time_of(start + Duration::from_secs(frame) / 30);
            }
            (pace.clock_ms - before) / 1_000.0 * configured / f64::from(seconds)
        };
        run(&mut pace, 1);
        let check = |bits: f64, expected: f64| assert!((bits / expected - 1.0).abs() < 0.01);
        check(run(&mut pace, 4), 2_000_000.0);
        pace.set_bitrate(300_000);
        check(run(&mut pace, 4), 300_000.0);
    }

    #[test]
    fn the_encoder_s_clock_neither_stands_nor_leaps() {
        let start = Instant::now();
        let mut pace = Pace::new(2_000_000, 30, 14_000_000);
        assert_eq!(pace.time_of(start), 1_000);
        assert_eq!(pace.time_of(start), 1_001);
        let hours_later = start + Duration::from_secs(7_200);
        assert_eq!(pace.time_of(hours_later), 2_001);
    }
}
