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
        assert!(
            error
                .0
                .starts_with(&format!("cannot play pipe: {expected}")),
            "{error}"
        );
        assert!(
            !error.0.contains('\n') && !error.0.ends_with('.'),
            "{error}"
        );
    };
    let riff = chunk(b"RIFF", 0, b"WAVE");
    let with = |format: &[u8]| wav(format, 0, &[]);
    check(b"", "it ends before its sound begins");
    check(b"RIFFabcd", "it ends before its sound begins");
    check(b"YUV4MPEG2 W160 H90", "it is not WAV");
    check(b"RIFF....AVI LIST", "it is not WAV");
    check(&riff, "it ends before its sound begins");
    check(
        &[&riff, &b"LIST\xff\0\0\0ab"[..]].concat(),
        "it ends before its sound",
    );
    check(
        &[&riff, &b"LIST\xff\xff\xff\xffab"[..]].concat(),
        "it has too much before",
    );
    check(
        &[&riff, &b"data\0\0\0\0"[..]].concat(),
        "it does not describe",
    );
    check(&with(&[0; 15]), "it describes its sound in a way");
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
    check(&with(&misaligned), "it describes its sound in a way");
}

#[test]
fn garbled_input_does_no_harm() {
    let whole = wav(&format(1, 2, 48_000, 16), 4_000, &[0; 4_000]);
    garble(&whole, 60, |bytes| open(bytes).ok().map(outcome));
}
