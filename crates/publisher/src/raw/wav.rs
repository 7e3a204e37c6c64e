//! WAV without seeking: chunks up to `data`, then samples.

use std::io::{self, BufReader, Read as _};

use super::Input;
use super::pace::Span;
use super::stream::{self, Content, Trouble, Unit};
use crate::sound::{CHANNELS, RATES};
use crate::source::{AudioFormat, Format, SourceError};

/// Of chunks before the samples other than `fmt `: titles, pictures of covers.
const MAX_SKIPPED: u64 = 16 * 1024 * 1024;

/// Of the `fmt ` chunk; the extensible one has 40 bytes.
const MAX_FORMAT: u32 = 1_024;

/// Pieces of sound a second: 10 ms each.
const PIECES: u32 = 100;

/// From this on a length only means that it was not known: ffmpeg writes
/// 0xFFFFFFFF into a pipe, others a round number below.
const UNKNOWN_LENGTH: u32 = 0x7FFF_0000;

/// How a sample is written, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// 0 to 255.
    Unsigned8,
    Signed16,
    Signed24,
    Signed32,
    Float32,
    Float64,
}

impl Encoding {
    fn bytes(self) -> usize {
        match self {
            Self::Unsigned8 => 1,
            Self::Signed16 => 2,
            Self::Signed24 => 3,
            Self::Signed32 | Self::Float32 => 4,
            Self::Float64 => 8,
        }
    }

    /// The upper 16 bits of a sample.
    fn decode(self, bytes: &[u8]) -> i16 {
        match (self, bytes) {
            (Self::Unsigned8, [sample]) => (i16::from(*sample) - 128) << 8,
            (Self::Signed16, [low, high])
            | (Self::Signed24, [_, low, high])
            | (Self::Signed32, [_, _, low, high]) => i16::from_le_bytes([*low, *high]),
            (Self::Float32, &[a, b, c, d]) => from_float(f32::from_le_bytes([a, b, c, d]).into()),
            (Self::Float64, &[a, b, c, d, e, f, g, h]) => {
                from_float(f64::from_le_bytes([a, b, c, d, e, f, g, h]))
            }
            // Not of this encoding's length.
            (
                Self::Unsigned8
                | Self::Signed16
                | Self::Signed24
                | Self::Signed32
                | Self::Float32
                | Self::Float64,
                _,
            ) => 0,
        }
    }
}

/// What is beyond full scale is clipped; what is no number is silent.
fn from_float(sample: f64) -> i16 {
    (sample * 32_768.0).round() as i16
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    encoding: Encoding,
    rate: u32,
    channels: u16,
}

pub(super) struct Reader {
    name: String,
    input: BufReader<Input>,
    header: Header,
    /// Bytes of samples still to come; `None`: up to the end of the input.
    left: Option<u64>,
    piece: Vec<u8>,
    /// Samples of a channel read so far.
    taken: u64,
    /// The input ended inside a sample.
    torn: bool,
    over: bool,
}

impl Reader {
    pub(super) fn open(input: Input, name: &str) -> Result<Self, SourceError> {
        let mut input = BufReader::new(input);
        let (header, left) = read_header(&mut input)
            .map_err(|problem| SourceError(format!("cannot play {name}: {problem}")))?;
        let frames = header.rate.div_ceil(PIECES) as usize;
        let piece = vec![0; frames * usize::from(header.channels) * header.encoding.bytes()];
        Ok(Self {
            name: name.to_owned(),
            input,
            header,
            left,
            piece,
            taken: 0,
            torn: false,
            over: false,
        })
    }

    /// Fills the piece as far as the input goes.
    fn fill(&mut self) -> io::Result<usize> {
        let wanted = match self.left {
            Some(left) => left.min(self.piece.len() as u64) as usize,
            None => self.piece.len(),
        };
        let mut filled = 0;
        while filled < wanted {
            match self.input.read(&mut self.piece[filled..wanted]) {
                Ok(0) => break,
                Ok(length) => filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(left) = &mut self.left {
            *left -= filled as u64;
        }
        Ok(filled)
    }

    /// The input has ended: in good order or not.
    fn end(&mut self) -> Result<(), Trouble> {
        self.over = true;
        if !self.torn && self.left.is_none_or(|left| left == 0) {
            return Ok(());
        }
        Err(Trouble::Broken(format!(
            "{}: the sound breaks off before its end",
            self.name
        )))
    }

    /// The whole samples of a piece that is filled so far.
    fn decode(&mut self, filled: usize) -> Unit {
        let Header {
            encoding,
            rate,
            channels,
        } = self.header;
        let samples = self.piece[..filled].chunks_exact(encoding.bytes());
        let samples: Vec<i16> = samples.map(|sample| encoding.decode(sample)).collect();
        let time_of = |number: u64| number as f64 / f64::from(rate);
        let start = time_of(self.taken);
        self.taken += (samples.len() / usize::from(channels)) as u64;
        Unit {
            span: Span {
                start,
                end: time_of(self.taken),
            },
            content: Content::Sound(samples),
        }
    }
}

impl stream::Read for Reader {
    fn format(&self) -> Format {
        Format {
            video: None,
            audio: Some(AudioFormat::Raw {
                rate: self.header.rate,
                channels: self.header.channels,
            }),
        }
    }

    fn read(&mut self) -> Result<Option<Unit>, Trouble> {
        if self.over {
            return Ok(None);
        }
        let filled = self.fill().map_err(|error| {
            self.over = true;
            Trouble::Failed(format!("{}: it cannot be read ({error})", self.name))
        })?;
        let frame = self.header.encoding.bytes() * usize::from(self.header.channels);
        let rest = filled % frame;
        self.torn |= rest > 0;
        if filled == rest {
            return self.end().map(|()| None);
        }
        Ok(Some(self.decode(filled - rest)))
    }
}

/// Reads up to the first sample; the header, and how many bytes of samples
/// follow. What is wrong is a sentence.
fn read_header(input: &mut impl io::Read) -> Result<(Header, Option<u64>), String> {
    let mut magic = [0; 12];
    fill(input, &mut magic)?;
    if !matches!(&magic[..4], b"RIFF" | b"RF64") || &magic[8..] != b"WAVE" {
        return Err("it is not WAV, which begins with RIFF and WAVE".to_owned());
    }
    let mut header = None;
    let mut skipped = 0;
    loop {
        let mut start = [0; 8];
        fill(input, &mut start)?;
        let [a, b, c, d, length @ ..] = start;
        let length = u32::from_le_bytes(length);
        match (&[a, b, c, d], header) {
            (b"data", Some(header)) => {
                let known = (1..UNKNOWN_LENGTH).contains(&length);
                return Ok((header, known.then_some(u64::from(length))));
            }
            (b"data", None) => return Err("it does not describe its sound".to_owned()),
            (b"fmt ", _) => header = Some(read_format(input, length)?),
            _ => {
                // Chunks are padded to an even length.
                let padded = u64::from(length) + u64::from(length % 2);
                skipped += padded;
                if skipped > MAX_SKIPPED {
                    return Err("it has too much before its sound".to_owned());
                }
                skip(input, padded)?;
            }
        }
    }
}

/// Reads a `fmt ` chunk (Microsoft's WAVEFORMATEX and WAVEFORMATEXTENSIBLE).
fn read_format(input: &mut impl io::Read, length: u32) -> Result<Header, String> {
    if !(16..=MAX_FORMAT).contains(&length) {
        return Err("it describes its sound in a way that is not WAV's".to_owned());
    }
    let mut format = vec![0; length as usize + length as usize % 2];
    fill(input, &mut format)?;
    let word = |at: usize| u16::from_le_bytes([format[at], format[at + 1]]);
    // The real tag of an extensible format begins its GUID.
    let tag = match word(0) {
        0xFFFE if length >= 26 => word(24),
        tag => tag,
    };
    let (channels, align, bits) = (word(2), word(12), word(14));
    let rate = u32::from_le_bytes([format[4], format[5], format[6], format[7]]);
    let encoding = match (tag, bits) {
        (1, 8) => Encoding::Unsigned8,
        (1, 16) => Encoding::Signed16,
        (1, 24) => Encoding::Signed24,
        (1, 32) => Encoding::Signed32,
        (3, 32) => Encoding::Float32,
        (3, 64) => Encoding::Float64,
        _ => {
            return Err(format!(
                "sound of WAV format {tag} with {bits} bits cannot be read; \
                 convert it, with ffmpeg by -c:a pcm_s16le"
            ));
        }
    };
    let header = Header {
        encoding,
        rate,
        channels,
    };
    check_format(header)?;
    if usize::from(align) != usize::from(channels) * encoding.bytes() {
        return Err("it describes its sound in a way that is not WAV's".to_owned());
    }
    Ok(header)
}

fn check_format(header: Header) -> Result<(), String> {
    let Header { rate, channels, .. } = header;
    if !RATES.contains(&rate) {
        return Err(format!(
            "sound of {rate} Hz cannot be sent, {} to {} Hz can; resample it, \
             with ffmpeg by -ar 48000",
            RATES.start(),
            RATES.end()
        ));
    }
    if !CHANNELS.contains(&channels) {
        return Err(format!(
            "sound of {channels} channels cannot be sent, {} to {} can; mix it down, \
             with ffmpeg by -ac 2",
            CHANNELS.start(),
            CHANNELS.end()
        ));
    }
    Ok(())
}

fn fill(input: &mut impl io::Read, buffer: &mut [u8]) -> Result<(), String> {
    input.read_exact(buffer).map_err(|error| unreadable(&error))
}

fn skip(input: &mut impl io::Read, bytes: u64) -> Result<(), String> {
    let skipped = io::copy(&mut input.take(bytes), &mut io::sink());
    match skipped {
        Ok(skipped) if skipped == bytes => Ok(()),
        Ok(_) => Err(unreadable(&io::ErrorKind::UnexpectedEof.into())),
        Err(error) => Err(unreadable(&error)),
    }
}

fn unreadable(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        "it ends before its sound begins".to_owned()
    } else {
        format!("it cannot be read ({error})")
    }
}

#[cfg(test)]
mod tests;
