//! Where pictures and sound come from.

use std::sync::Arc;
use std::time::Instant;

use thiserror::Error;

use crate::{Picture, Size};

/// Opus is sampled at this rate, in hertz, whatever a source delivers.
pub const SAMPLE_RATE: u32 = 48_000;

/// Something that captures video, audio or both.
///
/// One thread calls [`Source::next`] again and again, so an implementation
/// needs no thread of its own: it waits for its device, or for the time of its
/// next picture, and returns what it got.
pub trait Source: Send {
    /// What the source delivers; asked before the first [`Source::next`], and
    /// never another later.
    fn format(&self) -> Format;

    /// Waits for the next picture or piece of sound and returns it.
    ///
    /// Must return within about a second, if need be with [`Captured::Nothing`]:
    /// between two calls the publisher looks whether it shall stop.
    ///
    /// # Errors
    /// The source is broken for good; its stream ends with the error's text. A
    /// device that may come back is not broken: say so by [`Captured::Notice`]
    /// and wait for it.
    fn next(&mut self) -> Result<Captured, SourceError>;
}

/// What a source delivers; at least one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// `None`: sound only.
    pub video: Option<VideoFormat>,
    /// `None`: pictures only.
    pub audio: Option<AudioFormat>,
}

/// The pictures of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoFormat {
    /// To be encoded: [`Captured::Video`].
    Raw {
        /// The size of every picture.
        size: Size,
        /// Pictures a second, at most.
        fps: u32,
    },
    /// Sent as they are: [`Captured::EncodedVideo`].
    Encoded(VideoCodec),
}

/// The sound of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioFormat {
    /// To be encoded: [`Captured::Audio`].
    Raw {
        /// Samples a second of each channel, 8,000 to 192,000.
        rate: u32,
        /// 1 to 8, in the order of WAVE files (front left and right, center, low
        /// frequency, surround); what is beyond stereo is mixed down.
        channels: u16,
    },
    /// Sent as it is: [`Captured::EncodedAudio`], Opus.
    Opus {
        /// 1 or 2.
        channels: u16,
    },
}

/// What pictures are encoded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// RFC 6184. Access units as an Annex B byte stream, with the parameter
    /// sets in front of each keyframe, without B-frames.
    H264 {
        /// `profile-level-id` (RFC 6184 section 8.1).
        profile_level_id: u32,
    },
    /// RFC 7741. A frame as RFC 6386 has it.
    Vp8,
    /// RFC 9628. A superframe, with its index if it has one.
    Vp9 {
        /// 0 to 3.
        profile: u8,
    },
    /// A temporal unit in the low-overhead format (AV1 section 5.2), with the
    /// sequence header in front of each keyframe.
    Av1,
}

/// One thing a source captured.
#[derive(Debug, Clone)]
pub enum Captured {
    /// A picture to be encoded.
    Video(VideoFrame),
    /// A piece of sound to be encoded.
    Audio(AudioChunk),
    /// A picture to be sent as it is.
    EncodedVideo(EncodedFrame),
    /// Sound to be sent as it is.
    EncodedAudio(EncodedPacket),
    /// Nothing came in time.
    Nothing,
    /// Something the user should know, in a sentence: a device is unplugged and
    /// waited for, or back; a corrupt frame was skipped.
    Notice(String),
    /// There is no more: a file is played to its end. The stream is stopped in
    /// good order once all sources have ended.
    End,
}

/// A picture and when it was taken.
#[derive(Debug, Clone)]
pub struct VideoFrame {
    /// When the picture was taken.
    pub capture_time: Instant,
    /// The picture. Shared, so that a source can draw into it again once the
    /// encoder is done with it ([`Arc::get_mut`]).
    pub picture: Arc<Picture>,
}

/// A piece of sound of any length, following the one before without a gap.
///
/// The times may drift against the count of samples, as a sound card's clock
/// does: the encoder follows the times.
#[derive(Debug, Clone)]
pub struct AudioChunk {
    /// When the first sample was taken.
    pub capture_time: Instant,
    /// Samples at the rate of the source's format, channels interleaved.
    pub samples: Vec<i16>,
}

/// An encoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedFrame {
    /// When the picture was taken.
    pub capture_time: Instant,
    /// Decoding can start here.
    pub keyframe: bool,
    /// In the form that the [`VideoCodec`] names.
    pub data: Vec<u8>,
}

/// A packet of Opus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedPacket {
    /// When the first sample that comes out of a decoder was taken. The codec
    /// looks ahead, so this is a little before the first sample that went in;
    /// sound stamped like this is in step with the pictures.
    pub capture_time: Instant,
    /// The packet (RFC 6716 section 3).
    pub data: Vec<u8>,
}

/// A source that cannot go on; the text is for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SourceError(pub String);

/// What a stream is made of: one source for all, or one for pictures and
/// another for sound, each on a thread of its own.
pub struct Sources(Vec<Box<dyn Source>>);

/// Sources that do not make a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadSources {
    /// Neither pictures nor sound.
    #[error("the source has neither pictures nor sound")]
    Nothing,
    /// Both bring pictures, or both sound.
    #[error("two sources both bring pictures or both bring sound")]
    Twice,
}

impl Sources {
    /// A stream of one source.
    pub fn one(source: impl Source + 'static) -> Self {
        Self(vec![Box::new(source)])
    }

    /// A stream of any number of sources that bring pictures and sound once
    /// each at most.
    ///
    /// # Errors
    /// They bring nothing, or something twice.
    pub fn new(sources: Vec<Box<dyn Source>>) -> Result<Self, BadSources> {
        let formats = sources.iter().map(|source| source.format());
        let count = |has: fn(&Format) -> bool| formats.clone().filter(has).count();
        let video = count(|format| format.video.is_some());
        let audio = count(|format| format.audio.is_some());
        match (video, audio) {
            (0, 0) => Err(BadSources::Nothing),
            (0 | 1, 0 | 1) => Ok(Self(sources)),
            _ => Err(BadSources::Twice),
        }
    }

    /// What they deliver together.
    pub fn format(&self) -> Format {
        let formats = || self.0.iter().map(|source| source.format());
        Format {
            video: formats().find_map(|format| format.video),
            audio: formats().find_map(|format| format.audio),
        }
    }

    pub(crate) fn into_inner(self) -> Vec<Box<dyn Source>> {
        self.0
    }
}

impl<S: Source + 'static> From<S> for Sources {
    fn from(source: S) -> Self {
        Self::one(source)
    }
}
