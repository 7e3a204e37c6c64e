//! Takes what a source captures and puts it where it belongs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;
use tracing::debug;

use super::threads::guarded;
use super::{AudioChunk, Counters, EncodedPacket, Item, NumberedFrame, PipelineError, VideoFrame};
use crate::queue::{Closed, Sender};
use crate::source::{Captured, Source};

/// Where a source's pictures go.
pub(super) enum VideoOut {
    Raw(Sender<Item<VideoFrame>>),
    /// With the number of the next frame.
    Encoded(Sender<Item<NumberedFrame>>, u64),
}

/// Where a source's sound goes.
pub(super) enum AudioOut {
    Raw(Sender<Item<AudioChunk>>),
    Encoded(Sender<Item<EncodedPacket>>),
}

/// One source's thread.
pub(super) struct Stage {
    pub(super) source: Box<dyn Source>,
    pub(super) video: Option<VideoOut>,
    pub(super) audio: Option<AudioOut>,
    pub(super) notices: mpsc::Sender<String>,
    pub(super) counters: Arc<Counters>,
    /// Counts the sources that have.
    pub(super) ended: Arc<AtomicUsize>,
}

impl Stage {
    pub(super) fn run(mut self) -> Result<(), Closed> {
        loop {
            match guarded(|| Ok(self.source.next()?)) {
                Ok(Captured::End) => {
                    // Dropping the senders tells the stages after this one.
                    self.ended.fetch_add(1, Ordering::Release);
                    return Ok(());
                }
                Ok(captured) => self.pass_on(captured)?,
                Err(error) => return self.fail(error),
            }
        }
    }

    fn pass_on(&mut self, captured: Captured) -> Result<(), Closed> {
        match (captured, &mut self.video, &mut self.audio) {
            (Captured::Video(frame), Some(VideoOut::Raw(pictures)), _) => {
                self.counters.captured();
                if pictures.send(Ok(frame))?.is_some() {
                    self.counters.dropped_before_encoder();
                }
            }
            (Captured::EncodedVideo(frame), Some(VideoOut::Encoded(frames, number)), _) => {
                self.counters.captured();
                let numbered = NumberedFrame {
                    number: *number,
                    frame,
                };
                *number += 1;
                if frames.send(Ok(numbered))?.is_some() {
                    self.counters.dropped_before_send();
                }
            }
            (Captured::Audio(chunk), _, Some(AudioOut::Raw(sounds))) => {
                if sounds.send(Ok(chunk))?.is_some() {
                    self.counters.dropped_sound();
                }
            }
            (Captured::EncodedAudio(packet), _, Some(AudioOut::Encoded(packets))) => {
                if packets.send(Ok(packet))?.is_some() {
                    self.counters.dropped_sound();
                }
            }
            (Captured::Notice(text), ..) => {
                if self.notices.try_send(text).is_err() {
                    debug!("nobody reads the notices: one is lost");
                }
            }
            (Captured::Nothing | Captured::End, ..) => {}
            (
                Captured::Video(_)
                | Captured::Audio(_)
                | Captured::EncodedVideo(_)
                | Captured::EncodedAudio(_),
                ..,
            ) => debug!("the source delivers what its format does not say: dropped"),
        }
        Ok(())
    }

    fn fail(self, error: PipelineError) -> Result<(), Closed> {
        match (self.video, self.audio) {
            (Some(VideoOut::Raw(pictures)), _) => pictures.send(Err(error)).map(drop),
            (Some(VideoOut::Encoded(frames, _)), _) => frames.send(Err(error)).map(drop),
            (None, Some(AudioOut::Raw(sounds))) => sounds.send(Err(error)).map(drop),
            (None, Some(AudioOut::Encoded(packets))) => packets.send(Err(error)).map(drop),
            (None, None) => Ok(()),
        }
    }
}
