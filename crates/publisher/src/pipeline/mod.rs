//! Capture and encode, each on a thread of its own, joined by queues that drop
//! what is too old.
//!
//! ```text
//! capture --pictures--> H.264 --frames---> send
//!        \---sound----> Opus  --packets--/
//! ```
//!
//! What a source delivers encoded skips the encoder. Every stage ends when the
//! one after it is gone, so dropping the [`Pipeline`] ends them all; an error
//! travels the same way as the media. A pipeline outlives the connections it
//! feeds: while there is none, the queues drop what they hold.

mod audio;
mod capture;
mod controls;
mod video;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokio::sync::mpsc;
use tracing::debug;

use crate::encode::EncodeError;
use crate::options::MediaOptions;
use crate::queue::{Closed, Receiver, Sender, bounded};
use crate::source::{
    AudioChunk, AudioFormat, EncodedFrame, EncodedPacket, Format, SourceError, Sources, VideoCodec,
    VideoFormat, VideoFrame,
};
pub(crate) use controls::{Controls, Counters};

/// Pictures waiting for the encoder; more would only add delay.
const PICTURES: usize = 2;

/// Frames waiting to be sent.
const FRAMES: usize = 8;

/// Pieces of sound, and packets, waiting: about a third of a second.
const SOUNDS: usize = 16;

/// Sentences for the user that nobody has read yet; more are lost.
const NOTICES: usize = 16;

/// Why capture or encoding cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PipelineError {
    #[error("the source failed: {0}")]
    Source(#[from] SourceError),
    #[error("the encoder failed: {0}")]
    Encode(#[from] EncodeError),
    #[error("a media thread ended")]
    Ended,
}

/// What comes out of a pipeline.
#[derive(Debug)]
pub(crate) enum Encoded {
    /// To be sent.
    Video(EncodedFrame),
    /// To be sent.
    Audio(EncodedPacket),
    /// For the user.
    Notice(String),
    /// All sources have ended in good order.
    End,
}

/// What a pipeline sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) video: Option<VideoCodec>,
    /// Channels of Opus, 1 or 2.
    pub(crate) audio: Option<u16>,
}

impl Sent {
    /// What comes of a source's `format`.
    pub(crate) fn of(format: Format, options: &MediaOptions) -> Self {
        Self {
            video: format.video.map(|video| match video {
                VideoFormat::Raw { size, fps } => video::codec(size, fps, &options.video),
                VideoFormat::Encoded(codec) => codec,
            }),
            audio: format.audio.map(|audio| match audio {
                AudioFormat::Raw { channels, .. } if options.audio.stereo => channels.min(2),
                AudioFormat::Raw { .. } => 1,
                AudioFormat::Opus { channels } => channels,
            }),
        }
    }
}

type Item<T> = Result<T, PipelineError>;

/// A frame and its place in the stream: each but a keyframe needs the one before.
#[derive(Debug)]
struct NumberedFrame {
    number: u64,
    frame: EncodedFrame,
}

/// The running threads.
#[derive(Debug)]
pub(crate) struct Pipeline {
    /// `None` once the pictures have ended.
    frames: Option<Receiver<Item<NumberedFrame>>>,
    /// The number of the frame that can be decoded next, but for keyframes.
    next_number: u64,
    /// `None` once the sound has ended.
    packets: Option<Receiver<Item<EncodedPacket>>>,
    notices: mpsc::Receiver<String>,
    controls: Arc<Controls>,
    counters: Arc<Counters>,
    /// The sources have ended by themselves, in good order.
    ended: Arc<AtomicBool>,
}

impl Pipeline {
    /// Starts capturing.
    pub(crate) fn start(sources: Sources, options: &MediaOptions) -> io::Result<Self> {
        let format = sources.format();
        let controls = Arc::new(Controls::default());
        let counters = Arc::new(Counters::default());
        let ended = Arc::new(AtomicBool::new(false));
        let (frame_sender, frames) = bounded(FRAMES);
        let (packet_sender, packets) = bounded(SOUNDS);
        let (notice_sender, notices) = mpsc::channel(NOTICES);
        let video = match format.video {
            Some(VideoFormat::Raw { size, fps }) => {
                let (picture_sender, pictures) = bounded(PICTURES);
                let encode = video::Stage {
                    size,
                    fps,
                    options: options.video.clone(),
                    pictures,
                    frames: frame_sender,
                    controls: Arc::clone(&controls),
                    counters: Arc::clone(&counters),
                };
                spawn("encode-video", move || encode.run())?;
                Some(capture::VideoOut::Raw(picture_sender))
            }
            Some(VideoFormat::Encoded(_)) => Some(capture::VideoOut::Encoded(frame_sender, 0)),
            None => None,
        };
        let audio = match format.audio {
            Some(AudioFormat::Raw { rate, channels }) => {
                let (sound_sender, sounds) = bounded(SOUNDS);
                let encode = audio::Stage {
                    rate,
                    channels,
                    options: options.audio.clone(),
                    sounds,
                    packets: packet_sender,
                    controls: Arc::clone(&controls),
                    counters: Arc::clone(&counters),
                };
                spawn("encode-audio", move || encode.run())?;
                Some(capture::AudioOut::Raw(sound_sender))
            }
            Some(AudioFormat::Opus { .. }) => Some(capture::AudioOut::Encoded(packet_sender)),
            None => None,
        };
        let (mut video, mut audio) = (video, audio);
        for source in sources.into_inner() {
            let format = source.format();
            let stage = capture::Stage {
                source,
                video: format.video.and_then(|_| video.take()),
                audio: format.audio.and_then(|_| audio.take()),
                notices: notice_sender.clone(),
                counters: Arc::clone(&counters),
                ended: Arc::clone(&ended),
            };
            spawn("capture", move || stage.run())?;
        }
        Ok(Self {
            frames: format.video.map(|_| frames),
            next_number: 0,
            packets: format.audio.map(|_| packets),
            notices,
            controls,
            counters,
            ended,
        })
    }

    /// What the threads are told.
    pub(crate) fn controls(&self) -> &Controls {
        &self.controls
    }

    /// What the threads have counted.
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The next thing to send or say. Cancelled, it takes nothing.
    pub(crate) async fn next(&mut self) -> Result<Encoded, PipelineError> {
        loop {
            if self.frames.is_none() && self.packets.is_none() {
                let ended = self.ended.load(Ordering::Acquire);
                return if ended {
                    Ok(Encoded::End)
                } else {
                    Err(PipelineError::Ended)
                };
            }
            tokio::select! {
                Some(notice) = self.notices.recv() => return Ok(Encoded::Notice(notice)),
                packet = next_of(&self.packets) => match packet {
                    Some(packet) => return packet.map(Encoded::Audio),
                    None => self.packets = None,
                },
                frame = next_of(&self.frames) => match frame {
                    Some(frame) => {
                        let frame = frame?;
                        if frame.frame.keyframe || frame.number == self.next_number {
                            self.next_number = frame.number + 1;
                            return Ok(Encoded::Video(frame.frame));
                        }
                        debug!("a frame is skipped: the one it needs was dropped");
                    }
                    None => self.frames = None,
                },
            }
        }
    }
}

/// The next item of a track that may be over.
async fn next_of<T>(queue: &Option<Receiver<T>>) -> Option<T> {
    match queue {
        Some(queue) => queue.recv().await,
        None => std::future::pending().await,
    }
}

fn spawn(
    name: &'static str,
    run: impl FnOnce() -> Result<(), Closed> + Send + 'static,
) -> io::Result<()> {
    let named = thread::Builder::new().name(name.to_owned());
    named.spawn(move || {
        // Ended by the stage after it, or after it told its error.
        let _ = run();
        debug!(thread = name, "media thread ended");
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::test_picture::testing::frames;
    use crate::{Captured, Source, TestPicture};

    const FORMAT_SIZE: &str = "320x180";

    /// Delivers what the test sends, and tells by `alive` when it is dropped.
    struct Script {
        steps: mpsc::Receiver<Result<Captured, SourceError>>,
        _alive: Arc<()>,
    }

    impl Source for Script {
        fn format(&self) -> Format {
            Format {
                video: Some(VideoFormat::Raw {
                    size: FORMAT_SIZE.parse().unwrap(),
                    fps: 30,
                }),
                audio: Some(AudioFormat::Raw {
                    rate: crate::SAMPLE_RATE,
                    channels: 1,
                }),
            }
        }

        fn next(&mut self) -> Result<Captured, SourceError> {
            let wait = Duration::from_millis(20);
            self.steps
                .recv_timeout(wait)
                .unwrap_or(Ok(Captured::Nothing))
        }
    }

    type Steps = mpsc::Sender<Result<Captured, SourceError>>;

    fn start() -> (Pipeline, Steps, Weak<()>) {
        let (steps, receiver) = mpsc::channel();
        let alive = Arc::new(());
        let dead = Arc::downgrade(&alive);
        let script = Script {
            steps: receiver,
            _alive: alive,
        };
        let mut options = MediaOptions::default();
        options.video.keyframe_interval = Duration::ZERO;
        let pipeline = Pipeline::start(Sources::one(script), &options).unwrap();
        (pipeline, steps, dead)
    }

    async fn next_frame(pipeline: &mut Pipeline) -> EncodedFrame {
        loop {
            if let Encoded::Video(frame) = pipeline.next().await.unwrap() {
                return frame;
            }
        }
    }

    #[tokio::test]
    async fn a_requested_keyframe_is_the_very_next_frame() {
        let (mut pipeline, steps, _) = start();
        let mut source = TestPicture::new(FORMAT_SIZE.parse().unwrap(), 30);
        for (number, frame) in frames(&mut source, 12).into_iter().enumerate() {
            if number == 5 {
                pipeline.controls().request_keyframe();
            }
            steps.send(Ok(Captured::Video(frame))).unwrap();
            let encoded = next_frame(&mut pipeline).await;
            assert_eq!(encoded.keyframe, number == 0 || number == 5, "{number}");
        }
    }

    #[tokio::test]
    async fn after_a_dropped_frame_the_next_one_sent_is_a_keyframe() {
        let (mut pipeline, steps, _) = start();
        let mut source = TestPicture::new(FORMAT_SIZE.parse().unwrap(), 30);
        let mut captured = Vec::new();
        // Nobody sends, so the queues overflow; then everything is encoded.
        for frame in frames(&mut source, 4 * FRAMES) {
            captured.push(frame.capture_time);
            let picture = Arc::downgrade(&frame.picture);
            steps.send(Ok(Captured::Video(frame))).unwrap();
            while Arc::strong_count(&picture.upgrade().unwrap()) > 2 {
                std::thread::yield_now();
            }
        }
        let first = next_frame(&mut pipeline).await;
        assert!(first.keyframe);
        assert!(first.capture_time > captured[0]);
    }

    #[tokio::test]
    async fn sound_comes_through() {
        let (mut pipeline, steps, _) = start();
        let chunk = AudioChunk {
            capture_time: Instant::now(),
            samples: vec![0; 960],
        };
        steps.send(Ok(Captured::Audio(chunk))).unwrap();
        assert!(matches!(pipeline.next().await, Ok(Encoded::Audio(_))));
    }

    #[tokio::test]
    async fn a_broken_source_says_so() {
        let (mut pipeline, steps, _) = start();
        let unplugged = SourceError("unplugged".to_owned());
        steps.send(Err(unplugged)).unwrap();
        let error = loop {
            match pipeline.next().await {
                Err(PipelineError::Ended) => {}
                Err(error) => break error,
                Ok(_) => panic!("nothing was captured"),
            }
        };
        assert_eq!(error.to_string(), "the source failed: unplugged");
    }

    #[tokio::test]
    async fn a_source_that_ends_ends_the_pipeline_in_good_order() {
        let (mut pipeline, steps, _) = start();
        steps.send(Ok(Captured::Notice("bye".to_owned()))).unwrap();
        steps.send(Ok(Captured::End)).unwrap();
        let notice = pipeline.next().await.unwrap();
        assert!(matches!(notice, Encoded::Notice(text) if text == "bye"));
        assert!(matches!(pipeline.next().await, Ok(Encoded::End)));
    }

    #[tokio::test]
    async fn dropping_the_pipeline_ends_its_threads() {
        let (pipeline, steps, dead) = start();
        drop(pipeline);
        let mut source = TestPicture::new(FORMAT_SIZE.parse().unwrap(), 30);
        while dead.strong_count() > 0 {
            for frame in frames(&mut source, 1) {
                // Fails once the source is gone.
                let _ = steps.send(Ok(Captured::Video(frame)));
            }
            std::thread::yield_now();
        }
    }
}
