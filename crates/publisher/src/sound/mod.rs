//! A source's raw sound, made ready for Opus: 48 kHz, one or two channels, in
//! step with the capture clock.
//!
//! Sound cards have clocks of their own, which run a little faster or slower
//! than this machine's. Pictures are stamped by this machine's clock, so over
//! an hour sound would drift away from them by a second. [`Conditioner`] makes
//! out the drift from the capture times, through their jitter (`line`), decides
//! by how much to stretch the sound (`follower`), does so (`resampler`) and
//! cuts the result into frames (`output`).
//!
//! Sound that needs no change gets none: at 48 kHz and without drift samples
//! pass through as they are, and at once. Resampling adds 1.5 ms, 8 ms at 8 kHz,
//! as it looks ahead; the frames' capture times are those of what is in them.

mod follower;
mod line;
mod mix;
mod output;
mod resampler;

use std::time::{Duration, Instant};

use crate::encode::EncodeError;
use crate::source::{AudioChunk, SAMPLE_RATE};
use follower::{Follower, MAX_STEP};
use mix::Mix;
use output::Output;
pub(crate) use output::{FRAME, Frame, duration_of};
use resampler::{FILTER, Resampler};

/// Rates that sources have, in hertz.
pub(crate) const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// Channels that sources have.
pub(crate) const CHANNELS: std::ops::RangeInclusive<u16> = 1..=8;

/// Sound of 48 kHz is left as it is until it is off by so many seconds: beyond
/// what capture times that are rounded to milliseconds make it seem.
const MAX_IGNORED: f64 = 0.004;

/// Turns chunks of sound into frames for the encoder.
pub(crate) struct Conditioner {
    mix: Mix,
    rate: u32,
    /// What [`Follower`]'s times count from.
    origin: Option<Instant>,
    follower: Follower,
    path: Path,
    output: Output,
    /// The chunk at hand, mixed down, and what becomes of it.
    mixed: Vec<f32>,
    resampled: Vec<f32>,
}

/// How sound gets from the mix to the output.
enum Path {
    /// As it is. With the last samples, for a resampler to run up on.
    Straight(Vec<f32>),
    Resampled(Box<Resampler>),
}

impl Conditioner {
    /// For a source of `rate` and `channels`; `sent` channels come out.
    ///
    /// # Errors
    /// No source has such a format.
    pub(crate) fn new(rate: u32, channels: u16, sent: u16) -> Result<Self, EncodeError> {
        if !RATES.contains(&rate) || !CHANNELS.contains(&channels) {
            return Err(EncodeError::SoundFormat { rate, channels });
        }
        let mix = Mix::new(channels, sent);
        let path = if rate == SAMPLE_RATE {
            Path::Straight(Vec::new())
        } else {
            Path::Resampled(Box::new(Resampler::new(rate, mix.channels())?))
        };
        Ok(Self {
            rate,
            origin: None,
            follower: Follower::new(rate),
            path,
            output: Output::new(mix.channels()),
            mix,
            mixed: Vec::new(),
            resampled: Vec::new(),
        })
    }

    /// How much faster than the capture clock the source runs, in parts per
    /// million.
    pub(crate) fn drift_ppm(&self) -> f64 {
        self.follower.drift_ppm()
    }

    /// The next frame that is complete.
    pub(crate) fn pop(&mut self) -> Option<Frame> {
        self.output.pop()
    }

    /// Takes a chunk.
    ///
    /// # Errors
    /// `rubato` refuses.
    pub(crate) fn push(&mut self, chunk: &AudioChunk) -> Result<(), EncodeError> {
        self.mixed.clear();
        self.mix.apply(&chunk.samples, &mut self.mixed);
        let continues = self.origin.is_some_and(|origin| {
            let at = seconds_from(origin, chunk.capture_time);
            let frames = self.mixed_frames();
            self.follower.observe(at, frames).is_ok()
        });
        let in_step = self.error().is_some_and(|error| error.abs() <= MAX_STEP);
        if !continues || !in_step {
            self.start(chunk.capture_time);
        }
        self.convert()
    }

    /// Begins anew with the chunk at hand, taken `at`: with silence up to it, or
    /// without what overlaps.
    fn start(&mut self, at: Instant) {
        let at = self.cut_overlap(at);
        let frames = self.mixed_frames();
        if frames == 0 {
            self.origin = None;
            return;
        }
        self.origin = Some(at);
        self.follower.start();
        // The first after a start is no gap.
        let _ = self.follower.observe(0.0, frames);
        self.output.go_on_at(at);
        match &mut self.path {
            Path::Straight(recent) => recent.clear(),
            Path::Resampled(resampler) => resampler.start(0.0, 0.0),
        }
    }

    /// Cuts off what was taken before the end of the output; when the rest was
    /// taken.
    fn cut_overlap(&mut self, at: Instant) -> Instant {
        let early = self.output.end().map_or(0.0, |end| seconds_from(at, end));
        let rate = f64::from(self.rate);
        let overlap = ((early.max(0.0) * rate).ceil() as usize).min(self.mixed_frames());
        self.mixed.drain(..overlap * self.mix.channels());
        at + Duration::from_secs_f64(overlap as f64 / rate)
    }

    fn mixed_frames(&self) -> usize {
        self.mixed.len() / self.mix.channels()
    }

    /// How many seconds earlier than it was taken the next sample is stamped;
    /// `None` if nothing tells.
    fn error(&self) -> Option<f64> {
        let stamp = seconds_from(self.origin?, self.output.end()?);
        Some(self.follower.time_of(self.position()) - stamp)
    }

    /// Where the next sample that comes out lies, in frames of the source since
    /// the start. The chunk at hand is observed, but not converted.
    fn position(&self) -> f64 {
        match &self.path {
            Path::Straight(_) => self.follower.taken() as f64 - self.mixed_frames() as f64,
            Path::Resampled(resampler) => resampler.position(),
        }
    }

    /// Brings the chunk at hand to the output.
    fn convert(&mut self) -> Result<(), EncodeError> {
        let error = self.error().unwrap_or_default();
        if let Path::Straight(recent) = &self.path
            && error.abs() > MAX_IGNORED
        {
            let resampler = self.take_over(recent)?;
            self.path = Path::Resampled(Box::new(resampler));
        }
        match &mut self.path {
            Path::Straight(recent) => {
                self.output.add(&self.mixed);
                keep_recent(recent, &self.mixed, FILTER * self.mix.channels());
            }
            Path::Resampled(resampler) => {
                self.resampled.clear();
                let stretch = self.follower.stretch(error);
                resampler.process(&self.mixed, stretch, &mut self.resampled)?;
                self.output.add(&self.resampled);
            }
        }
        Ok(())
    }

    /// A resampler that goes on, without a seam, where the `recent` samples end.
    fn take_over(&self, recent: &[f32]) -> Result<Resampler, EncodeError> {
        let mut resampler = Resampler::new(self.rate, self.mix.channels())?;
        let first = self.position() - (recent.len() / self.mix.channels()) as f64;
        resampler.start(first, self.position());
        resampler.process(recent, 1.0, &mut Vec::new())?;
        Ok(resampler)
    }
}

/// Appends `samples` to the last `most` ones.
fn keep_recent(recent: &mut Vec<f32>, samples: &[f32], most: usize) {
    let new = &samples[samples.len().saturating_sub(most)..];
    let surplus = (recent.len() + new.len()).saturating_sub(most);
    recent.drain(..surplus);
    recent.extend_from_slice(new);
}

/// From `earlier` to `later`, in seconds; negative if they are not.
fn seconds_from(earlier: Instant, later: Instant) -> f64 {
    let after = later.saturating_duration_since(earlier);
    let before = earlier.saturating_duration_since(later);
    after.as_secs_f64() - before.as_secs_f64()
}

#[cfg(test)]
mod tests;
