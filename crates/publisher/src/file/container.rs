//! What every kind of media file comes down to: tracks and packets.

use std::io;
use std::time::Instant;

use symphonia::core::codecs::audio::AudioCodecParameters;

/// A time or a length in nanoseconds; times may be negative.
pub(super) type Nanos = i64;

/// Nanoseconds in a second.
pub(super) const SECOND: Nanos = 1_000_000_000;

/// No single packet of a file may be larger, in bytes. Intra frames of 4K video
/// stay below 4 MiB.
pub(super) const MAX_PACKET: usize = 16 << 20;

/// Times are kept within this, about 73 years, so that sums cannot overflow.
const MAX_TIME: Nanos = 1 << 61;

/// `ticks` of which `per_second` make a second, as nanoseconds.
pub(super) fn nanos(ticks: i64, per_second: u32) -> Nanos {
    let per_second = i128::from(per_second.max(1));
    clamped(i128::from(ticks) * i128::from(SECOND) / per_second)
}

/// Nanoseconds, kept where sums of them cannot overflow.
pub(super) fn clamped(time: i128) -> Nanos {
    time.clamp(-i128::from(MAX_TIME), i128::from(MAX_TIME)) as Nanos
}

/// What a track is encoded with, and what its decoder has to know.
#[derive(Debug, Clone)]
pub(super) enum Coding {
    /// With the `AVCDecoderConfigurationRecord` (ISO/IEC 14496-15).
    H264(Vec<u8>),
    Vp8,
    Vp9,
    /// With the `AV1CodecConfigurationRecord`, if the file has one.
    Av1(Vec<u8>),
    /// Pictures that cannot be played; the codec's name.
    OtherPictures(String),
    /// With the identification header (RFC 7845 section 5.1), magic included.
    Opus(Vec<u8>),
    /// Sound that symphonia may be able to decode.
    Sound(Box<AudioCodecParameters>),
    /// Sound that cannot be played; the codec's name.
    OtherSound(String),
}

impl Coding {
    pub(super) fn is_pictures(&self) -> bool {
        match self {
            Self::H264(_) | Self::Vp8 | Self::Vp9 | Self::Av1(_) | Self::OtherPictures(_) => true,
            Self::Opus(_) | Self::Sound(_) | Self::OtherSound(_) => false,
        }
    }
}

/// A track that is pictures or sound.
#[derive(Debug, Clone)]
pub(super) struct Track {
    /// Packets name it.
    pub(super) id: u32,
    pub(super) coding: Coding,
    /// The file says that pictures are shown in another order than they are
    /// stored in. `false`: it does not say.
    pub(super) reordered: bool,
}

/// A piece of a track.
#[derive(Debug)]
pub(super) struct Packet {
    /// The track's id.
    pub(super) track: u32,
    /// When it is shown, or the first sample that a decoder makes of it is
    /// heard; `None`: right after the packet before.
    pub(super) time: Option<Nanos>,
    /// `None`: unknown.
    pub(super) duration: Option<Nanos>,
    /// How much of the decoded sound is not meant to be heard, at its start.
    pub(super) cut_start: Nanos,
    /// The same at its end.
    pub(super) cut_end: Nanos,
    pub(super) data: Vec<u8>,
}

/// Why there is no packet.
#[derive(Debug)]
pub(super) enum ReadError {
    /// There are no more.
    End,
    /// The file ends in the middle of something.
    BrokenOff,
    /// Something does not make sense and is skipped. The next call goes on
    /// behind it.
    Corrupt,
    /// Nothing came in time, from a pipe.
    NotYet,
    /// The file cannot be read any more.
    Io(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::BrokenOff
        } else {
            Self::Io(error)
        }
    }
}

/// Why a file cannot be opened: the end of a sentence about it, which calls it
/// "it".
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OpenError(pub(super) String);

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self("it is cut off near its beginning".to_owned())
        } else {
            Self(format!("it cannot be read ({error})"))
        }
    }
}

impl From<&str> for OpenError {
    fn from(why: &str) -> Self {
        Self(why.to_owned())
    }
}

/// A media file as a row of packets, in about the order of their times.
pub(super) trait Container: Send {
    /// The tracks with pictures or sound; others are left out.
    fn tracks(&self) -> &[Track];

    /// The next packet of any track. Waits for a pipe, but not longer than
    /// `until`, if the implementation can.
    fn next(&mut self, until: Instant) -> Result<Packet, ReadError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_become_nanoseconds_and_never_overflow() {
        assert_eq!(nanos(90_000, 90_000), SECOND);
        assert_eq!(nanos(-312, 48_000), -6_500_000);
        assert_eq!(nanos(i64::MAX, 1), MAX_TIME);
        assert_eq!(nanos(i64::MIN, 0), -MAX_TIME);
    }
}
