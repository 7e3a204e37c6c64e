//! Capture and encode, each on a thread of its own, joined by queues that drop
//! what is too old.
//!
//! ```text
//! capture --pictures--> H.264 --frames---> send
//!        \---sound----> Opus  --packets--/
//! ```
//!
//! Every stage ends when the one after it is gone, so dropping the [`Pipeline`]
//! ends them all; an error travels the same way as the media.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tracing::debug;

use crate::encode::VideoConfig;
use crate::encode::{AudioEncoder, EncodeError, EncodedFrame, EncodedPacket, VideoEncoder};
use crate::queue::{Closed, Receiver, Sender, bounded};
use crate::source::{AudioChunk, Captured, Source, SourceError, VideoFrame};

/// Pictures waiting for the encoder; more would only add delay.
const PICTURES: usize = 2;

/// Frames waiting to be sent.
const FRAMES: usize = 8;

/// Pieces of sound, and packets, waiting: about a third of a second.
const SOUNDS: usize = 16;

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

/// Something to send.
#[derive(Debug)]
pub(crate) enum Encoded {
    Video(EncodedFrame),
    Audio(EncodedPacket),
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
    frames: Receiver<Item<NumberedFrame>>,
    /// The number of the frame that can be decoded next, but for keyframes.
    next_number: u64,
    packets: Receiver<Item<EncodedPacket>>,
    keyframe_wanted: Arc<AtomicBool>,
}

impl Pipeline {
    /// Starts capturing.
    pub(crate) fn start(source: Box<dyn Source>, config: VideoConfig) -> io::Result<Self> {
        let (picture_sender, pictures) = bounded(PICTURES);
        let (sound_sender, sounds) = bounded(SOUNDS);
        let (frame_sender, frames) = bounded(FRAMES);
        let (packet_sender, packets) = bounded(SOUNDS);
        let keyframe_wanted = Arc::new(AtomicBool::new(false));
        let wanted = Arc::clone(&keyframe_wanted);
        spawn("encode-video", move || {
            encode_video(config, &pictures, &frame_sender, &wanted)
        })?;
        spawn("encode-audio", move || {
            encode_audio(&sounds, &packet_sender)
        })?;
        spawn("capture", move || {
            capture(source, &picture_sender, &sound_sender)
        })?;
        Ok(Self {
            frames,
            next_number: 0,
            packets,
            keyframe_wanted,
        })
    }

    /// Makes the next picture that reaches the encoder a keyframe.
    pub(crate) fn request_keyframe(&self) {
        self.keyframe_wanted.store(true, Ordering::Relaxed);
    }

    /// The next thing to send. Cancelled, it takes nothing.
    pub(crate) async fn next(&mut self) -> Result<Encoded, PipelineError> {
        loop {
            let frame = tokio::select! {
                packet = self.packets.recv() => {
                    return packet.unwrap_or(Err(PipelineError::Ended)).map(Encoded::Audio);
                }
                frame = self.frames.recv() => frame.unwrap_or(Err(PipelineError::Ended))?,
            };
            if frame.frame.keyframe || frame.number == self.next_number {
                self.next_number = frame.number + 1;
                return Ok(Encoded::Video(frame.frame));
            }
            debug!("a frame is skipped: the one it needs was dropped");
        }
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

fn capture(
    mut source: Box<dyn Source>,
    pictures: &Sender<Item<VideoFrame>>,
    sounds: &Sender<Item<AudioChunk>>,
) -> Result<(), Closed> {
    loop {
        match source.next() {
            Ok(Captured::Video(frame)) => {
                if pictures.send(Ok(frame))?.is_some() {
                    debug!("the encoder is behind: a picture is dropped");
                }
            }
            Ok(Captured::Audio(chunk)) => {
                if sounds.send(Ok(chunk))?.is_some() {
                    debug!("the encoder is behind: sound is dropped");
                }
            }
            Ok(Captured::Nothing) => {}
            Err(error) => {
                pictures.send(Err(error.into()))?;
                return Ok(());
            }
        }
    }
}

fn encode_video(
    config: VideoConfig,
    pictures: &Receiver<Item<VideoFrame>>,
    frames: &Sender<Item<NumberedFrame>>,
    keyframe_wanted: &AtomicBool,
) -> Result<(), Closed> {
    let mut encoder = match VideoEncoder::new(config) {
        Ok(encoder) => encoder,
        Err(error) => return frames.send(Err(error.into())).map(drop),
    };
    let mut last_keyframe = 0;
    for number in 0.. {
        let Some(picture) = pictures.recv_blocking() else {
            break;
        };
        let encoded = picture.and_then(|picture| {
            let wanted = keyframe_wanted.swap(false, Ordering::Relaxed);
            let frame = encoder.encode(&picture, wanted)?;
            Ok(NumberedFrame { number, frame })
        });
        let failed = encoded.is_err();
        if encoded.as_ref().is_ok_and(|encoded| encoded.frame.keyframe) {
            last_keyframe = number;
        }
        if let Some(Ok(dropped)) = frames.send(encoded)? {
            debug!("sending is behind: a frame is dropped");
            // The frames after it need it, up to the next keyframe.
            if dropped.number >= last_keyframe {
                keyframe_wanted.store(true, Ordering::Relaxed);
            }
        }
        if failed {
            break;
        }
    }
    Ok(())
}

fn encode_audio(
    sounds: &Receiver<Item<AudioChunk>>,
    packets: &Sender<Item<EncodedPacket>>,
) -> Result<(), Closed> {
    let mut encoder = match AudioEncoder::new() {
        Ok(encoder) => encoder,
        Err(error) => return packets.send(Err(error.into())).map(drop),
    };
    while let Some(sound) = sounds.recv_blocking() {
        match sound.and_then(|chunk| Ok(encoder.encode(&chunk)?)) {
            Ok(encoded) => {
                for packet in encoded {
                    packets.send(Ok(packet))?;
                }
            }
            Err(error) => return packets.send(Err(error)).map(drop),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::test_picture::testing::frames;
    use crate::{Format, TestPicture};

    const FORMAT_SIZE: &str = "320x180";

    fn config(format: Format) -> VideoConfig {
        VideoConfig {
            format,
            bitrate_bps: 300_000,
            keyframe_interval: Duration::ZERO,
        }
    }

    /// Delivers what the test sends, and tells by `alive` when it is dropped.
    struct Script {
        steps: mpsc::Receiver<Result<Captured, SourceError>>,
        _alive: Arc<()>,
    }

    impl Source for Script {
        fn format(&self) -> Format {
            Format {
                size: FORMAT_SIZE.parse().unwrap(),
                fps: 30,
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
        let config = config(script.format());
        let pipeline = Pipeline::start(Box::new(script), config).unwrap();
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
                pipeline.request_keyframe();
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
