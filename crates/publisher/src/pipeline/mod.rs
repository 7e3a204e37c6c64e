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
mod cover;
mod stats;
mod tally;
mod threads;
mod video;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::sync::mpsc;
use tracing::debug;

use crate::encode::EncodeError;
use crate::options::MediaOptions;
use crate::queue::{Receiver, bounded};
use crate::source::{
    AudioChunk, AudioFormat, EncodedFrame, EncodedPacket, Format, SourceError, Sources, VideoCodec,
    VideoFormat, VideoFrame,
};
pub(crate) use controls::Controls;
use controls::Counters;
use cover::Cover;
use tally::Tally;
use threads::{Shared, spawn};

/// Pictures waiting for the encoder; more would only add delay.
const PICTURES: usize = 2;

/// Frames waiting to be sent.
const FRAMES: usize = 8;

/// Pieces of sound, and packets, waiting: about a third of a second.
const SOUNDS: usize = 16;

/// Sentences for the user that nobody has read yet; more are lost.
const NOTICES: usize = 16;

/// Black pictures a second while the video is muted: enough to keep the stream
/// alive.
const MUTED_FPS: u32 = 2;

/// What is sent in place of Opus that is passed through while it is muted: 20 ms
/// of silence (RFC 6716 section 3.1: CELT, full band, mono, one frame; section
/// 4.3: the silence flag).
const SILENT_PACKET: [u8; 3] = [31 << 3, 0xff, 0xfe];

/// Why capture or encoding cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PipelineError {
    #[error("the source failed: {0}")]
    Source(#[from] SourceError),
    #[error("the encoder failed: {0}")]
    Encode(#[from] EncodeError),
    /// A bug of a source or an encoder.
    #[error("the program has a bug: a media thread panicked: {0}")]
    Panicked(String),
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
    sent: Sent,
    /// What its sources deliver.
    format: Format,
    /// How many there were.
    sources: usize,
    /// `None` once the pictures have ended.
    frames: Option<Receiver<Item<NumberedFrame>>>,
    /// The number of the frame that can be sent next; `None`: only a keyframe.
    next_number: Option<u64>,
    /// For pictures that come encoded.
    cover: Option<Cover>,
    sent_video: Tally,
    keyframes: u64,
    /// `None` once the sound has ended.
    packets: Option<Receiver<Item<EncodedPacket>>>,
    sent_audio: Tally,
    notices: mpsc::Receiver<String>,
    shared: Shared,
}

impl Pipeline {
    /// Starts capturing.
    pub(crate) fn start(sources: Sources, options: &MediaOptions) -> io::Result<Self> {
        let format = sources.format();
        let shared = Shared::default();
        let (frame_sender, frames) = bounded(FRAMES);
        let (packet_sender, packets) = bounded(SOUNDS);
        let (notice_sender, notices) = mpsc::channel(NOTICES);
        let mut video = match format.video {
            Some(video) => {
                let sound = format.audio.map(|audio| sound_bps(audio, options));
                Some(shared.start_video(video, options, sound, frame_sender)?)
            }
            None => None,
        };
        let mut audio = match format.audio {
            Some(audio) => Some(shared.start_audio(audio, options, packet_sender)?),
            None => None,
        };
        let sources = sources.into_inner();
        let count = sources.len();
        for source in sources {
            let format = source.format();
            let stage = capture::Stage {
                source,
                video: format.video.and_then(|_| video.take()),
                audio: format.audio.and_then(|_| audio.take()),
                notices: notice_sender.clone(),
                counters: Arc::clone(&shared.counters),
                ended: Arc::clone(&shared.ended),
            };
            spawn("capture", move || stage.run())?;
        }
        let now = Instant::now();
        Ok(Self {
            sent: Sent::of(format, options),
            format,
            sources: count,
            frames: format.video.map(|_| frames),
            next_number: None,
            cover: format.video.and_then(Cover::of),
            sent_video: Tally::new(now),
            keyframes: 0,
            packets: format.audio.map(|_| packets),
            sent_audio: Tally::new(now),
            notices,
            shared,
        })
    }

    /// What the threads are told.
    pub(crate) fn controls(&self) -> &Controls {
        &self.shared.controls
    }

    /// Nobody is connected: capturing goes on, encoding rests, and what
    /// [`Self::next`] would give of media is dropped. Notices, errors and the
    /// end still come.
    pub(crate) fn pause(&mut self) {
        self.controls().set_paused(true);
    }

    /// Somebody is connected again. What comes first is a picture captured from
    /// now on, a keyframe; of encoded pictures the next keyframe there is, and
    /// black until then: a server does not wait for media as long as a file may.
    pub(crate) fn resume(&mut self) {
        self.next_number = None;
        if let Some(cover) = &mut self.cover {
            cover.lower();
        }
        let frames = self.frames.as_ref().map_or(0, Receiver::clear);
        let packets = self.packets.as_ref().map_or(0, Receiver::clear);
        for _ in 0..frames {
            self.shared.counters.dropped_before_send();
        }
        for _ in 0..packets {
            self.shared.counters.dropped_sound();
        }
        self.controls().need_keyframe();
        self.controls().set_paused(false);
    }

    /// The next thing to send or say. Cancelled, it takes nothing.
    pub(crate) async fn next(&mut self) -> Result<Encoded, PipelineError> {
        loop {
            if self.frames.is_none() && self.packets.is_none() {
                if let Ok(notice) = self.notices.try_recv() {
                    return Ok(Encoded::Notice(notice));
                }
                let ended = self.shared.ended.load(Ordering::Acquire);
                return if ended == self.sources {
                    Ok(Encoded::End)
                } else {
                    Err(PipelineError::Ended)
                };
            }
            tokio::select! {
                Some(notice) = self.notices.recv() => return Ok(Encoded::Notice(notice)),
                packet = next_of(&self.packets) => match packet {
                    Some(packet) => {
                        if let Some(packet) = self.take_packet(packet?) {
                            return Ok(Encoded::Audio(packet));
                        }
                    }
                    None => self.packets = None,
                },
                frame = next_of(&self.frames) => match frame {
                    Some(frame) => {
                        if let Some(frame) = self.take_frame(frame?) {
                            return Ok(Encoded::Video(frame));
                        }
                    }
                    None => self.frames = None,
                },
            }
        }
    }

    /// The frame, or black instead, if it can be decoded and somebody is there.
    fn take_frame(&mut self, frame: NumberedFrame) -> Option<EncodedFrame> {
        let NumberedFrame { number, frame } = frame;
        if self.controls().is_paused() {
            return self.drop_frame();
        }
        let muted = self.controls().video_is_muted();
        // What the encoder makes is black already.
        if let Some(cover) = &mut self.cover
            && cover.hides(&frame, muted)
        {
            let black = cover.black(frame.capture_time);
            self.next_number = None;
            if black.is_none() {
                self.shared.counters.skipped();
            }
            return black.inspect(|black| self.count_frame(black));
        }
        if !frame.keyframe && self.next_number != Some(number) {
            return self.drop_frame();
        }
        self.next_number = Some(number + 1);
        self.count_frame(&frame);
        Some(frame)
    }

    fn drop_frame(&mut self) -> Option<EncodedFrame> {
        debug!("a frame is skipped: nobody could decode it");
        self.next_number = None;
        self.shared.counters.dropped_before_send();
        None
    }

    fn count_frame(&mut self, frame: &EncodedFrame) {
        self.keyframes += u64::from(frame.keyframe);
        self.sent_video
            .count(frame.data.len(), frame.capture_time, Instant::now());
    }

    fn take_packet(&mut self, mut packet: EncodedPacket) -> Option<EncodedPacket> {
        if self.controls().is_paused() {
            self.shared.counters.dropped_sound();
            return None;
        }
        let passes_through = matches!(self.format.audio, Some(AudioFormat::Opus { .. }));
        if passes_through && self.controls().audio_is_muted() {
            packet.data = SILENT_PACKET.to_vec();
        }
        self.sent_audio
            .count(packet.data.len(), packet.capture_time, Instant::now());
        Some(packet)
    }
}

/// What sound will take of the bandwidth, headers excluded.
fn sound_bps(format: AudioFormat, options: &MediaOptions) -> u32 {
    /// Of sound that comes encoded, if it is like most.
    const OPUS_BPS: u32 = 96_000;
    match format {
        AudioFormat::Raw { .. } => options.audio.bitrate_bps,
        AudioFormat::Opus { .. } => OPUS_BPS,
    }
}

/// The next item of a track that may be over.
async fn next_of<T>(queue: &Option<Receiver<T>>) -> Option<T> {
    match queue {
        Some(queue) => queue.recv().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
