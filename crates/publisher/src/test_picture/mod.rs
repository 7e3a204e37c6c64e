//! The test picture: a source that needs no device and can be measured.
//!
//! What a viewer sees and hears tells everything about the way in between: the
//! strip (crate `strip`) carries each picture's capture time and number, and
//! with each full second of the wall clock a flash and a beep start together.

mod tone;

use std::convert::Infallible;
use std::thread;
use std::time::{Duration, Instant};

use picture::{Canvases, TestCard};

use crate::Size;
use crate::clock::Clock;
use crate::source::{
    AudioChunk, AudioFormat, Captured, Format, SAMPLE_RATE, Source, SourceError, VideoFormat,
    VideoFrame,
};

/// Samples in a piece of sound: 20 ms.
const CHUNK: u64 = SAMPLE_RATE as u64 / 50;

/// Sound that is this late (the machine slept) is skipped, not caught up with.
const MAX_AUDIO_LAG: Duration = Duration::from_secs(1);

/// The test picture's source. Pictures and sound lie on the wall clock's grid:
/// picture `n` of a second is captured `n / fps` after it began.
#[derive(Debug)]
pub struct TestPicture {
    clock: Clock,
    fps: u32,
    card: TestCard,
    canvases: Canvases,
    frame: u32,
    /// Number of the next picture on the grid, from the Unix epoch.
    next_tick: u64,
    /// Number of the next sample on the grid, from the Unix epoch.
    next_sample: u64,
}

impl TestPicture {
    /// A test picture of `size`, `fps` times a second (at least once).
    pub fn new(size: Size, fps: u32) -> Self {
        let clock = Clock::start();
        let now = clock.unix(Instant::now());
        Self::starting(size, fps, clock, now)
    }

    /// What is captured from `now` on, since the Unix epoch.
    fn starting(size: Size, fps: u32, clock: Clock, now: Duration) -> Self {
        let fps = fps.max(1);
        let card = TestCard::new(size);
        Self {
            clock,
            fps,
            canvases: Canvases::new(card.canvas()),
            card,
            frame: 0,
            next_tick: ticks(now, fps) + 1,
            next_sample: (ticks(now, SAMPLE_RATE) / CHUNK + 1) * CHUNK,
        }
    }

    /// The size of its pictures.
    pub fn size(&self) -> Size {
        self.canvases.size()
    }

    /// When the next picture is taken, and when the next piece of sound is complete.
    fn due(&self) -> (Duration, Duration) {
        (
            time_of(self.next_tick, self.fps),
            time_of(self.next_sample + CHUNK, SAMPLE_RATE),
        )
    }

    /// What is due first, when it is due or later.
    fn capture(&mut self, now: Duration) -> Captured {
        let (video_due, audio_due) = self.due();
        if video_due < audio_due {
            Captured::Video(self.draw(now))
        } else {
            Captured::Audio(self.record(now))
        }
    }

    /// Draws the next picture. A machine too slow for the frame rate loses
    /// pictures here rather than time.
    fn draw(&mut self, now: Duration) -> VideoFrame {
        self.next_tick = self.next_tick.max(ticks(now, self.fps));
        let unix = time_of(self.next_tick, self.fps);
        let Ok(picture) = self.canvases.draw(|canvas| {
            self.card.draw(canvas, unix, self.frame);
            Ok::<_, Infallible>(())
        });
        self.next_tick += 1;
        self.frame = self.frame.wrapping_add(1);
        VideoFrame {
            capture_time: self.clock.at(unix),
            picture,
        }
    }

    /// The sound up to now. Like a microphone's, a piece is there once its last
    /// sample is taken.
    fn record(&mut self, now: Duration) -> AudioChunk {
        let now = ticks(now, SAMPLE_RATE);
        let max_lag = ticks(MAX_AUDIO_LAG, SAMPLE_RATE);
        if self.next_sample + max_lag < now {
            self.next_sample = now / CHUNK * CHUNK;
        }
        let first = self.next_sample;
        self.next_sample += CHUNK;
        AudioChunk {
            capture_time: self.clock.at(time_of(first, SAMPLE_RATE)),
            samples: (first..self.next_sample).map(tone::sample).collect(),
        }
    }
}

impl Source for TestPicture {
    fn format(&self) -> Format {
        Format {
            video: Some(VideoFormat::Raw {
                size: self.size(),
                fps: self.fps,
            }),
            audio: Some(AudioFormat::Raw {
                rate: SAMPLE_RATE,
                channels: 1,
            }),
        }
    }

    fn next(&mut self) -> Result<Captured, SourceError> {
        let (video_due, audio_due) = self.due();
        let due = self.clock.at(video_due.min(audio_due));
        thread::sleep(due.saturating_duration_since(Instant::now()));
        Ok(self.capture(self.clock.unix(Instant::now())))
    }
}

/// How many whole periods of `rate` hertz fit into `time`.
fn ticks(time: Duration, rate: u32) -> u64 {
    (time.as_nanos() * u128::from(rate) / 1_000_000_000) as u64
}

/// The start of period `tick` of `rate` hertz, rounded up to whole nanoseconds
/// so that [`ticks`] gives `tick` again.
fn time_of(tick: u64, rate: u32) -> Duration {
    let rate = u64::from(rate);
    let rest = (tick % rate) * 1_000_000_000;
    Duration::from_secs(tick / rate) + Duration::from_nanos(rest.div_ceil(rate))
}

#[cfg(test)]
pub(crate) mod testing {
    use picture::read_strip;
    use strip::Stamp;

    use super::TestPicture;
    use crate::Picture;
    use crate::source::{Captured, VideoFrame};

    /// The source's next `count` pictures, without waiting for them.
    pub(crate) fn frames(source: &mut TestPicture, count: usize) -> Vec<VideoFrame> {
        let mut frames = Vec::new();
        while frames.len() < count {
            let (video_due, audio_due) = source.due();
            if let Captured::Video(frame) = source.capture(video_due.min(audio_due)) {
                frames.push(frame);
            }
        }
        frames
    }

    /// Reads a picture's strip.
    pub(crate) fn stamp_of(picture: &Picture) -> Option<Stamp> {
        let (width, height) = (picture.size().width(), picture.size().height());
        read_strip(&picture.y, width, width, height)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::stamp_of;
    use super::*;

    #[test]
    fn the_grid_meets_every_second_and_keeps_its_count() {
        for rate in [1, 7, 24, 30, 60, SAMPLE_RATE] {
            for second in [0, 1, 1_795_334_399] {
                let tick = second * u64::from(rate);
                assert_eq!(time_of(tick, rate), Duration::from_secs(second));
                for tick in tick..tick + 100 {
                    assert_eq!(ticks(time_of(tick, rate), rate), tick);
                }
            }
        }
    }

    /// Everything the source delivers in `seconds` from the middle of one on, without
    /// waiting for them.
    fn capture(seconds: u32, fps: u32) -> (Vec<VideoFrame>, Vec<AudioChunk>, Clock) {
        let clock = Clock::start();
        let second = clock.unix(Instant::now()).as_secs();
        let now = Duration::from_secs(second) + Duration::from_millis(500);
        let mut source = TestPicture::starting("320x180".parse().unwrap(), fps, clock, now);
        let (mut frames, mut chunks) = (Vec::new(), Vec::new());
        while frames.len() < (seconds * fps) as usize {
            let (video_due, audio_due) = source.due();
            match source.capture(video_due.min(audio_due)) {
                Captured::Video(frame) => frames.push(frame),
                Captured::Audio(chunk) => chunks.push(chunk),
                Captured::EncodedVideo(_)
                | Captured::EncodedAudio(_)
                | Captured::Nothing
                | Captured::Notice(_)
                | Captured::End => {}
            }
        }
        (frames, chunks, source.clock)
    }

    #[test]
    fn every_picture_differs_and_says_when_it_was_captured() {
        let (frames, _, clock) = capture(1, 30);
        for pair in frames.windows(2) {
            assert_ne!(pair[0].picture.y, pair[1].picture.y);
        }
        for (number, frame) in frames.iter().enumerate() {
            let stamp = stamp_of(&frame.picture).unwrap();
            assert_eq!(stamp.frame, number as u32);
            let capture = clock.unix(frame.capture_time).as_millis();
            assert_eq!(u128::from(stamp.capture_ms), capture);
        }
    }

    #[test]
    fn flash_and_beep_start_with_the_second() {
        let (frames, chunks, clock) = capture(2, 25);
        let second_of = |at: Instant| clock.unix(at).as_nanos() as f64 / 1e9;
        for frame in &frames {
            let flash = frame.picture.y[180 * 14 / 30 * 320 + 160] > 128;
            assert_eq!(flash, second_of(frame.capture_time).fract() < 0.1 - 1e-6);
        }
        let mut silent = true;
        let mut beeps = 0;
        for chunk in &chunks {
            let start = second_of(chunk.capture_time);
            for (index, &sample) in chunk.samples.iter().enumerate() {
                // The tone's first sample is its zero crossing; look at the next.
                if silent && sample != 0 {
                    let onset = start + (index as f64 - 1.0) / f64::from(SAMPLE_RATE);
                    assert!((onset - onset.round()).abs() < 1e-5, "{onset}");
                    beeps += 1;
                    silent = false;
                }
            }
            silent |= chunk.samples.iter().all(|&sample| sample == 0);
        }
        assert_eq!(beeps, 2);
    }

    #[test]
    fn sound_has_no_gaps() {
        let (_, chunks, clock) = capture(1, 30);
        for pair in chunks.windows(2) {
            let end = time_of(
                ticks(clock.unix(pair[0].capture_time), SAMPLE_RATE) + CHUNK,
                SAMPLE_RATE,
            );
            assert_eq!(clock.unix(pair[1].capture_time), end);
        }
    }
}
