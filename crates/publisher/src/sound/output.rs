//! Sound on its way to the encoder.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::source::SAMPLE_RATE;

/// Samples of a channel in a packet: 20 ms (RFC 7587 section 4.2 recommends it).
pub(crate) const FRAME: usize = SAMPLE_RATE as usize / 50;

/// Sound that is missing for longer is not made up for by silence.
const MAX_SILENCE: Duration = Duration::from_secs(1);

/// The sound of one packet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    /// When the first sample was taken.
    pub(crate) capture_time: Instant,
    /// [`FRAME`] samples of each channel, interleaved; full scale is 1.
    pub(crate) samples: Vec<f32>,
}

/// Cuts sound into frames that follow each other by exactly 20 ms.
#[derive(Debug)]
pub(super) struct Output {
    channels: usize,
    /// When counting began; `None` before any sound.
    start: Option<Instant>,
    /// Samples of a channel since then, up to the frame that is begun.
    cut: u64,
    begun: Vec<f32>,
    frames: VecDeque<Frame>,
}

impl Output {
    pub(super) fn new(channels: usize) -> Self {
        Self {
            channels,
            start: None,
            cut: 0,
            begun: Vec::with_capacity(FRAME * channels),
            frames: VecDeque::new(),
        }
    }

    /// The time of the next sample; `None` before any sound.
    pub(super) fn end(&self) -> Option<Instant> {
        let begun = self.begun.len() / self.channels;
        Some(self.start? + duration_of(self.cut + begun as u64))
    }

    /// Goes on at `at`, which is not before [`Self::end`], with silence up to
    /// there; if that would be long, only the frame begun is filled up.
    pub(super) fn go_on_at(&mut self, at: Instant) {
        let missing = self.end().map(|end| at.saturating_duration_since(end));
        match missing {
            Some(missing) if missing <= MAX_SILENCE => self.add_silence(samples_in(missing)),
            Some(_) | None => {
                if !self.begun.is_empty() {
                    self.add_silence(FRAME - self.begun.len() / self.channels);
                }
                self.start = Some(at);
                self.cut = 0;
            }
        }
    }

    fn add_silence(&mut self, count: usize) {
        self.add(&vec![0.0; count * self.channels]);
    }

    /// Appends interleaved samples. Before any [`Self::go_on_at`] they have no
    /// time and are lost.
    pub(super) fn add(&mut self, mut samples: &[f32]) {
        let Some(start) = self.start else { return };
        let whole = FRAME * self.channels;
        while self.begun.len() + samples.len() >= whole {
            let (now, later) = samples.split_at(whole - self.begun.len());
            self.begun.extend_from_slice(now);
            samples = later;
            self.frames.push_back(Frame {
                capture_time: start + duration_of(self.cut),
                samples: std::mem::replace(&mut self.begun, Vec::with_capacity(whole)),
            });
            self.cut += FRAME as u64;
        }
        self.begun.extend_from_slice(samples);
    }

    /// The next whole frame.
    pub(super) fn pop(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }
}

/// How long so many samples last at 48 kHz.
pub(crate) fn duration_of(samples: u64) -> Duration {
    let rate = u64::from(SAMPLE_RATE);
    let rest = (samples % rate) * 1_000_000_000 / rate;
    Duration::from_secs(samples / rate) + Duration::from_nanos(rest)
}

/// How many samples at 48 kHz `time` is nearest to.
fn samples_in(time: Duration) -> usize {
    (time.as_secs_f64() * f64::from(SAMPLE_RATE)).round() as usize
}
