//! The threads, and what they share.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread;

use tracing::debug;

use super::{
    Controls, Counters, Item, NumberedFrame, PICTURES, PipelineError, SOUNDS, audio, capture, video,
};
use crate::options::MediaOptions;
use crate::queue::{Closed, Sender, bounded};
use crate::source::{AudioFormat, EncodedPacket, VideoFormat};

/// What all threads of a pipeline share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) controls: Arc<Controls>,
    pub(super) counters: Arc<Counters>,
    /// The sources that have ended by themselves, in good order.
    pub(super) ended: Arc<AtomicUsize>,
}

impl Shared {
    /// Starts the encoder if there is something to encode; where the source's
    /// pictures go.
    pub(super) fn start_video(
        &self,
        format: VideoFormat,
        options: &MediaOptions,
        sound_bps: Option<u32>,
        frames: Sender<Item<NumberedFrame>>,
    ) -> io::Result<capture::VideoOut> {
        let (size, fps) = match format {
            VideoFormat::Raw { size, fps } => (size, fps),
            VideoFormat::Encoded(_) => return Ok(capture::VideoOut::Encoded(frames, 0)),
        };
        let (picture_sender, pictures) = bounded(PICTURES);
        let work = video::Work::new(
            size,
            fps,
            &options.video,
            sound_bps,
            Arc::clone(&self.controls),
            Arc::clone(&self.counters),
        );
        let encode = video::Stage {
            pictures,
            frames,
            work,
        };
        spawn("encode-video", move || encode.run())?;
        Ok(capture::VideoOut::Raw(picture_sender))
    }

    /// The same for sound.
    pub(super) fn start_audio(
        &self,
        format: AudioFormat,
        options: &MediaOptions,
        packets: Sender<Item<EncodedPacket>>,
    ) -> io::Result<capture::AudioOut> {
        let (rate, channels) = match format {
            AudioFormat::Raw { rate, channels } => (rate, channels),
            AudioFormat::Opus { .. } => return Ok(capture::AudioOut::Encoded(packets)),
        };
        let (sound_sender, sounds) = bounded(SOUNDS);
        let encode = audio::Stage {
            rate,
            channels,
            options: options.audio.clone(),
            sounds,
            packets,
            controls: Arc::clone(&self.controls),
            counters: Arc::clone(&self.counters),
        };
        spawn("encode-audio", move || encode.run())?;
        Ok(capture::AudioOut::Raw(sound_sender))
    }
}

/// Does a step of a stage. A panic in it, of a source or an encoder, becomes an
/// error: a thread that just ended would leave the others waiting.
pub(super) fn guarded<T>(
    step: impl FnOnce() -> Result<T, PipelineError>,
) -> Result<T, PipelineError> {
    // After a panic the stage ends: nobody sees what it left half done.
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Err(PipelineError::Panicked(
            text.unwrap_or("it did not say why").to_owned(),
        ))
    })
}

pub(super) fn spawn(
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
