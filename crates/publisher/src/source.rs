//! Where pictures and sound come from.

use std::sync::Arc;
use std::time::Instant;

use thiserror::Error;

use crate::{Picture, Size};

/// Audio is always sampled at this rate, in hertz.
pub const SAMPLE_RATE: u32 = 48_000;

/// Something that captures video and audio.
///
/// One thread calls [`Source::next`] again and again, so an implementation
/// needs no thread of its own: it waits for its device, or for the time of its
/// next picture, and returns what it got.
pub trait Source: Send {
    /// What the source delivers; asked once, before the first [`Source::next`].
    fn format(&self) -> Format;

    /// Waits for the next picture or piece of sound and returns it.
    ///
    /// Must return within about a second, if need be with [`Captured::Nothing`]:
    /// between two calls the publisher looks whether it shall stop.
    ///
    /// # Errors
    /// The source is broken for good; its stream ends with the error's text.
    fn next(&mut self) -> Result<Captured, SourceError>;
}

/// What a source delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The size of every picture.
    pub size: Size,
    /// Pictures a second, at most.
    pub fps: u32,
}

/// One thing a source captured.
#[derive(Debug, Clone)]
pub enum Captured {
    /// A picture.
    Video(VideoFrame),
    /// A piece of sound.
    Audio(AudioChunk),
    /// Nothing came in time.
    Nothing,
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
#[derive(Debug, Clone)]
pub struct AudioChunk {
    /// When the first sample was taken.
    pub capture_time: Instant,
    /// Mono samples at [`SAMPLE_RATE`].
    pub samples: Vec<i16>,
}

/// A source that cannot go on; the text is for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SourceError(pub String);
