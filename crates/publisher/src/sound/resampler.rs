//! Any rate to 48 kHz, by a ratio that may change a little all the time.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Adjustable, Async, FixedAsync, ResampleError, Resampler as _, Resizable,
    SincInterpolationParameters, SincInterpolationType, WindowFunction,
};

use crate::encode::EncodeError;
use crate::source::SAMPLE_RATE;

/// Frames handed to the resampler at once.
const BLOCK: usize = 1_024;

/// The interpolation filter's length, in frames of 48 kHz or of a lower input
/// rate: half of it is delay. Long enough to keep 44.1 kHz flat up to 19 kHz,
/// short enough for 1.5 ms (8 ms at 8 kHz).
pub(super) const FILTER: usize = 128;

/// Points of the filter between two frames.
const OVERSAMPLING: usize = 128;

/// The ratio changes by no more than this factor; drift takes far less.
const MAX_CHANGE: f64 = 1.01;

/// Turns frames of a source's rate into frames of 48 kHz, knowing at any moment
/// exactly which of the source's frames the next one falls on.
pub(super) struct Resampler {
    inner: Async<f32>,
    channels: usize,
    filter: usize,
    /// Where the last frame that came out lies, in frames of the input.
    last: f64,
    /// Frames before this place are not wanted.
    from: f64,
    buffer: Vec<f32>,
}

impl Resampler {
    pub(super) fn new(rate: u32, channels: usize) -> Result<Self, EncodeError> {
        // When the rate is lowered, the filter must cut off at the lower one.
        let filter = FILTER * rate.div_ceil(SAMPLE_RATE) as usize;
        let parameters = SincInterpolationParameters::new(filter, WindowFunction::BlackmanHarris2)
            .oversampling_factor(OVERSAMPLING)
            .interpolation(SincInterpolationType::Cubic);
        let inner = Async::new_sinc(
            f64::from(SAMPLE_RATE) / f64::from(rate),
            MAX_CHANGE,
            &parameters,
            BLOCK,
            channels,
            FixedAsync::Input,
        )
        .map_err(EncodeError::resample)?;
        let room = inner.output_frames_max() * channels;
        let mut resampler = Self {
            inner,
            channels,
            filter,
            last: 0.0,
            from: 0.0,
            buffer: vec![0.0; room],
        };
        resampler.start(0.0, 0.0);
        Ok(resampler)
    }

    /// Begins anew: the next frame that goes in is number `first`, and none
    /// shall come out that lies before number `from`.
    pub(super) fn start(&mut self, first: f64, from: f64) {
        self.inner.reset();
        // `Async` begins this far before its first frame of input, and steps
        // before it interpolates.
        let before = (self.filter / 2) as f64 - 1.0 / OVERSAMPLING as f64;
        self.last = first - before;
        self.from = from;
    }

    /// Where the next frame that comes out lies, in frames of the input.
    pub(super) fn position(&self) -> f64 {
        (self.last + self.step()).max(self.from)
    }

    /// Frames of input for each that comes out.
    fn step(&self) -> f64 {
        self.inner.resample_ratio().recip()
    }

    /// Appends what comes of `input` to `output`; `stretch` is how many times
    /// longer than its nominal rate says the input lasts.
    pub(super) fn process(
        &mut self,
        input: &[f32],
        stretch: f64,
        output: &mut Vec<f32>,
    ) -> Result<(), EncodeError> {
        self.inner
            .set_resample_ratio_relative(stretch, false)
            .map_err(EncodeError::resample)?;
        for block in input.chunks(BLOCK * self.channels) {
            let made = self.process_block(block).map_err(EncodeError::resample)?;
            let early = self.count_early(made);
            output.extend_from_slice(&self.buffer[early * self.channels..made * self.channels]);
        }
        Ok(())
    }

    /// Fills the buffer with what comes of one block; returns the frames.
    fn process_block(&mut self, block: &[f32]) -> Result<usize, ResampleError> {
        let frames = block.len() / self.channels;
        self.inner.set_chunk_size(frames)?;
        let room = self.buffer.len() / self.channels;
        let size = |_| ResampleError::InvalidChunkSize {
            max: BLOCK,
            requested: frames,
        };
        let from = InterleavedSlice::new(block, self.channels, frames).map_err(size)?;
        let mut into =
            InterleavedSlice::new_mut(&mut self.buffer, self.channels, room).map_err(size)?;
        let (_, made) = self.inner.process_into_buffer(&from, &mut into, None)?;
        Ok(made)
    }

    /// Counts `made` frames; how many of them come before those wanted.
    fn count_early(&mut self, made: usize) -> usize {
        let step = self.step();
        let before = ((self.from - self.last) / step).ceil() - 1.0;
        self.last += made as f64 * step;
        (before.max(0.0) as usize).min(made)
    }
}
