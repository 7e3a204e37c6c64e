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
        let (header, left) =
            read_header(&mut input).map_err(|problem| SourceError(format!("{name}: {problem}")))?;
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
            Trouble::Failed(format!("{}: cannot be read: {error}", self.name))
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
        return Err("is not WAV: it must begin with RIFF and WAVE".to_owned());
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
            (b"data", None) => return Err("has no description of its sound".to_owned()),
            (b"fmt ", _) => header = Some(read_format(input, length)?),
            _ => {
                // Chunks are padded to an even length.
                let padded = u64::from(length) + u64::from(length % 2);
                skipped += padded;
                if skipped > MAX_SKIPPED {
                    return Err("has too much before its sound".to_owned());
                }
                skip(input, padded)?;
            }
        }
    }
}

/// Reads a `fmt ` chunk (Microsoft's WAVEFORMATEX and WAVEFORMATEXTENSIBLE).
fn read_format(input: &mut impl io::Read, length: u32) -> Result<Header, String> {
    if !(16..=MAX_FORMAT).contains(&length) {
        return Err("describes its sound in a way that is not WAV's".to_owned());
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
                "sound of WAV format {tag} with {bits} bits cannot be read: \
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
        return Err("describes its sound in a way that is not WAV's".to_owned());
    }
    Ok(header)
}

fn check_format(header: Header) -> Result<(), String> {
    let Header { rate, channels, .. } = header;
    if !RATES.contains(&rate) {
        return Err(format!(
            "sound of {rate} Hz cannot be sent, {} to {} Hz can: resample it, \
             with ffmpeg by -ar 48000",
            RATES.start(),
            RATES.end()
        ));
    }
    if !CHANNELS.contains(&channels) {
        return Err(format!(
            "sound of {channels} channels cannot be sent, {} to {} can: mix it down, \
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
        "ends before its sound begins".to_owned()
    } else {
        format!("cannot be read: {error}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::testing::{garble, outcome};

    fn open(bytes: impl Into<Vec<u8>>) -> Result<Reader, SourceError> {
        Reader::open(Box::new(io::Cursor::new(bytes.into())), "pipe")
    }

    fn chunk(name: &[u8; 4], length: u32, content: &[u8]) -> Vec<u8> {
        [name, &length.to_le_bytes()[..], content].concat()
    }

    fn format(tag: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
        let align = channels * bits.div_ceil(8);
        let mut format = Vec::new();
        format.extend(tag.to_le_bytes());
        format.extend(channels.to_le_bytes());
        format.extend(rate.to_le_bytes());
        format.extend((rate * u32::from(align)).to_le_bytes());
        format.extend(align.to_le_bytes());
        format.extend(bits.to_le_bytes());
        format
    }

    /// A file of one format and these samples, with a `data` chunk that says
    /// `length`.
    fn wav(format: &[u8], length: u32, samples: &[u8]) -> Vec<u8> {
        [
            chunk(b"RIFF", u32::MAX, b"WAVE"),
            chunk(b"LIST", 3, b"abc\0"),
            chunk(b"fmt ", format.len() as u32, format),
            chunk(b"data", length, samples),
        ]
        .concat()
    }

    /// All samples of a file, whose pieces must follow each other.
    fn samples(bytes: Vec<u8>) -> Vec<i16> {
        let mut reader = open(bytes).unwrap();
        let (mut samples, mut end) = (Vec::new(), 0.0);
        while let Some(unit) = stream::Read::read(&mut reader).unwrap() {
            assert_eq!(unit.span.start, end);
            end = unit.span.end;
            let Content::Sound(sound) = unit.content else {
                panic!("no sound")
            };
            samples.extend(sound);
        }
        samples
    }

    #[test]
    fn every_encoding_is_read() {
        let check = |tag: u16, bits: u16, bytes: &[u8], expected: &[i16]| {
            let file = wav(&format(tag, 1, 48_000, bits), bytes.len() as u32, bytes);
            assert_eq!(samples(file), expected, "{tag} {bits}");
        };
        check(1, 8, &[0, 128, 255], &[-32_768, 0, 32_512]);
        check(1, 16, &[0x34, 0x12, 0, 0x80], &[0x1234, i16::MIN]);
        check(1, 24, &[0xff, 0x34, 0x12], &[0x1234]);
        check(1, 32, &[0xff, 0xff, 0x34, 0x12], &[0x1234]);
        let floats = [0.5_f32, -1.0, 7.0, f32::NAN]
            .map(f32::to_le_bytes)
            .concat();
        check(3, 32, &floats, &[16_384, i16::MIN, i16::MAX, 0]);
        check(3, 64, &(-0.5_f64).to_le_bytes(), &[-16_384]);
    }

    #[test]
    fn an_extensible_format_tells_its_own() {
        let mut extensible = format(0xFFFE, 6, 44_100, 24);
        extensible.extend([22, 0, 24, 0, 0x3f, 0, 0, 0]);
        extensible.extend(b"\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71");
        let reader = open(wav(&extensible, 0, &[])).unwrap();
        let expected = AudioFormat::Raw {
            rate: 44_100,
            channels: 6,
        };
        assert_eq!(stream::Read::format(&reader).audio, Some(expected));
        assert_eq!(reader.header.encoding, Encoding::Signed24);
    }

    #[test]
    fn sound_lasts_as_long_as_the_header_says_or_to_the_end() {
        let check = |length: u32, expected: usize| {
            let file = wav(&format(1, 2, 48_000, 16), length, &[1; 8_000]);
            assert_eq!(samples(file).len(), expected, "{length}");
        };
        check(0, 4_000);
        check(u32::MAX, 4_000);
        check(0x7FFF_F000, 4_000);
        check(8_000, 4_000);
        check(400, 200);
    }

    #[test]
    fn what_breaks_off_is_told_and_ends() {
        let check = |length: u32, bytes: usize, pieces: usize, told: bool| {
            let file = wav(&format(1, 2, 48_000, 16), length, &vec![0; bytes]);
            let (units, notices, error) = outcome(open(file).unwrap());
            assert_eq!((units, error), (pieces, None), "{bytes}");
            let expected = ["pipe: the sound breaks off before its end"];
            assert_eq!(notices, &expected[..usize::from(told)], "{bytes}");
        };
        check(0, 0, 0, false);
        check(0, 1, 0, true);
        check(0, 1_920, 1, false);
        check(0, 1_924, 2, false);
        check(0, 1_926, 2, true);
        check(4_000, 1_920, 1, true);
        check(4_000, 4_000, 3, false);
    }

    #[test]
    fn each_wrong_header_has_its_sentence() {
        let check = |bytes: &[u8], expected: &str| {
            let error = open(bytes).err().unwrap();
            assert!(error.0.starts_with(&format!("pipe: {expected}")), "{error}");
            assert!(
                !error.0.contains('\n') && !error.0.ends_with('.'),
                "{error}"
            );
        };
        let riff = chunk(b"RIFF", 0, b"WAVE");
        let with = |format: &[u8]| wav(format, 0, &[]);
        check(b"", "ends before its sound begins");
        check(b"RIFFabcd", "ends before its sound begins");
        check(b"YUV4MPEG2 W160 H90", "is not WAV");
        check(b"RIFF....AVI LIST", "is not WAV");
        check(&riff, "ends before its sound begins");
        check(
            &[&riff, &b"LIST\xff\0\0\0ab"[..]].concat(),
            "ends before its sound",
        );
        check(
            &[&riff, &b"LIST\xff\xff\xff\xffab"[..]].concat(),
            "has too much before",
        );
        check(
            &[&riff, &b"data\0\0\0\0"[..]].concat(),
            "has no description",
        );
        check(&with(&[0; 15]), "describes its sound in a way");
        check(
            &with(&format(1, 1, 4_000, 16)),
            "sound of 4000 Hz cannot be sent",
        );
        check(
            &with(&format(1, 0, 48_000, 16)),
            "sound of 0 channels cannot be sent",
        );
        check(
            &with(&format(1, 9, 48_000, 16)),
            "sound of 9 channels cannot be sent",
        );
        check(
            &with(&format(7, 1, 8_000, 8)),
            "sound of WAV format 7 with 8 bits cannot",
        );
        check(
            &with(&format(1, 1, 8_000, 12)),
            "sound of WAV format 1 with 12 bits",
        );
        let mut misaligned = format(1, 2, 48_000, 16);
        misaligned[12] = 7;
        check(&with(&misaligned), "describes its sound in a way");
    }

    #[test]
    fn garbled_input_does_no_harm() {
        let whole = wav(&format(1, 2, 48_000, 16), 4_000, &[0; 4_000]);
        garble(&whole, 60, |bytes| open(bytes).ok().map(outcome));
    }
}
