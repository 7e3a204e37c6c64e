//! What a track of an MP4 or QuickTime file is encoded with: its first sample
//! entry (ISO/IEC 14496-12 section 8.5.2).

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::*;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};

use super::boxes::{Kind, children, find, full};
use crate::file::bytes::Fields;
use crate::file::container::Coding;
use crate::file::xiph;

/// Bytes of a visual sample entry in front of its boxes.
const VISUAL: usize = 78;

/// A track's coding, and whether its samples are single values of all channels,
/// too small to be handled one by one.
pub(super) struct Entry {
    pub(super) coding: Coding,
    pub(super) is_pcm: bool,
}

/// Reads a sample description (`stsd`) of pictures; `None` if it makes no sense.
pub(super) fn pictures(stsd: &[u8]) -> Option<Entry> {
    let (kind, content) = first(stsd)?;
    let boxes = content.get(VISUAL..)?;
    let coding = match &kind {
        b"avc1" | b"avc3" => Coding::H264(find(boxes, b"avcC")?.to_vec()),
        b"vp08" => Coding::Vp8,
        b"vp09" => Coding::Vp9,
        b"av01" => Coding::Av1(find(boxes, b"av1C").unwrap_or_default().to_vec()),
        other => Coding::OtherPictures(pictures_name(other)),
    };
    Some(Entry {
        coding,
        is_pcm: false,
    })
}

fn pictures_name(kind: &Kind) -> String {
    let name = match kind {
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => "HEVC (H.265)",
        b"vvc1" | b"vvi1" => "VVC (H.266)",
        b"mp4v" => "MPEG-4 Part 2",
        b"apch" | b"apcn" | b"apcs" | b"apco" | b"ap4h" | b"ap4x" => "ProRes",
        b"jpeg" | b"mjpa" | b"mjpb" => "Motion JPEG",
        b"encv" => "encrypted",
        other => return String::from_utf8_lossy(other).trim().to_owned(),
    };
    name.to_owned()
}

/// The first sample entry.
fn first(stsd: &[u8]) -> Option<(Kind, &[u8])> {
    let (_, _, mut fields) = full(stsd)?;
    fields.skip(4)?; // count
    children(fields.0).next()
}

/// What every sample entry of sound has.
struct Sound<'a> {
    channels: u32,
    rate: u32,
    bits: u32,
    /// Of `lpcm`: its flags.
    flags: u32,
    /// What follows.
    boxes: &'a [u8],
}

/// Reads a sample description (`stsd`) of sound; `None` if it makes no sense.
pub(super) fn sound(stsd: &[u8]) -> Option<Entry> {
    let (kind, content) = first(stsd)?;
    let sound = header(content)?;
    if let Some(codec) = pcm(&kind, &sound) {
        let coding = Coding::Sound(Box::new(params(codec, &sound, None)));
        return Some(Entry {
            coding,
            is_pcm: true,
        });
    }
    let decoded = |codec, extra: &[u8]| {
        let extra = (!extra.is_empty()).then_some(extra);
        Coding::Sound(Box::new(params(codec, &sound, extra)))
    };
    let other = |name: &str| Coding::OtherSound(name.to_owned());
    let coding = match &kind {
        b"mp4a" => match decoder_config(&sound) {
            Some((0x40 | 0x66..=0x68, config)) => decoded(CODEC_ID_AAC, config),
            Some((0x69 | 0x6b, _)) => decoded(CODEC_ID_MP3, &[]),
            Some((0xa5, _)) => other("AC-3"),
            Some((0xa6, _)) => other("E-AC-3"),
            Some((0xa9, _)) => other("DTS"),
            Some((number, _)) => other(&format!("mp4a.{number:02x}")),
            None => return None,
        },
        b"Opus" => Coding::Opus(opus_head(find(sound.boxes, b"dOps")?)?),
        b"fLaC" => {
            let (_, _, blocks) = full(find(sound.boxes, b"dfLa")?)?;
            decoded(CODEC_ID_FLAC, xiph::flac_stream_info(blocks.0)?)
        }
        b"alac" => decoded(CODEC_ID_ALAC, full(find_alac(&sound)?)?.2.0),
        b".mp3" => decoded(CODEC_ID_MP3, &[]),
        b"ac-3" => other("AC-3"),
        b"ec-3" => other("E-AC-3"),
        b"enca" => other("encrypted"),
        kind => other(String::from_utf8_lossy(kind).trim()),
    };
    Some(Entry {
        coding,
        is_pcm: false,
    })
}

/// The fields of an audio sample entry, of QuickTime's later versions too.
fn header(content: &[u8]) -> Option<Sound<'_>> {
    let mut fields = Fields(content);
    fields.skip(8)?;
    let version = fields.u16()?;
    fields.skip(6)?;
    let mut sound = Sound {
        channels: fields.u16()?.into(),
        bits: fields.u16()?.into(),
        flags: 0,
        rate: 0,
        boxes: &[],
    };
    fields.skip(4)?;
    sound.rate = fields.u32()? >> 16;
    match version {
        1 => fields.skip(16)?,
        2 => {
            fields.skip(4)?;
            sound.rate = f64::from_bits(fields.u64()?) as u32;
            sound.channels = fields.u32()?;
            fields.skip(4)?;
            sound.bits = fields.u32()?;
            sound.flags = fields.u32()?;
            fields.skip(8)?;
        }
        _ => {}
    }
    sound.boxes = fields.0;
    Some(sound)
}

/// What a decoder has to know of uncompressed sound; `None` if it is not.
fn pcm(kind: &Kind, sound: &Sound<'_>) -> Option<AudioCodecId> {
    let little_endian = || {
        let extension = find(sound.boxes, b"wave").and_then(|wave| find(wave, b"enda"));
        extension == Some(&[0, 1])
    };
    let (float, bits, little) = match kind {
        b"sowt" => (false, sound.bits, true),
        b"twos" => (false, sound.bits, false),
        b"in24" => (false, 24, little_endian()),
        b"in32" => (false, 32, little_endian()),
        b"fl32" => (true, 32, little_endian()),
        b"fl64" => (true, 64, little_endian()),
        b"lpcm" => (sound.flags & 1 != 0, sound.bits, sound.flags & 2 == 0),
        b"ipcm" | b"fpcm" => {
            let (_, _, mut fields) = full(find(sound.boxes, b"pcmC")?)?;
            let little = fields.u8()? & 1 == 1;
            (kind == b"fpcm", fields.u8()?.into(), little)
        }
        b"raw " => return Some(CODEC_ID_PCM_U8),
        b"alaw" => return Some(CODEC_ID_PCM_ALAW),
        b"ulaw" => return Some(CODEC_ID_PCM_MULAW),
        _ => return None,
    };
    Some(match (float, bits, little) {
        (false, 8, _) => CODEC_ID_PCM_S8,
        (false, 16, true) => CODEC_ID_PCM_S16LE,
        (false, 16, false) => CODEC_ID_PCM_S16BE,
        (false, 24, true) => CODEC_ID_PCM_S24LE,
        (false, 24, false) => CODEC_ID_PCM_S24BE,
        (false, 32, true) => CODEC_ID_PCM_S32LE,
        (false, 32, false) => CODEC_ID_PCM_S32BE,
        (true, 32, true) => CODEC_ID_PCM_F32LE,
        (true, 32, false) => CODEC_ID_PCM_F32BE,
        (true, 64, true) => CODEC_ID_PCM_F64LE,
        (true, 64, false) => CODEC_ID_PCM_F64BE,
        _ => return None,
    })
}

fn params(codec: AudioCodecId, sound: &Sound<'_>, extra: Option<&[u8]>) -> AudioCodecParameters {
    let mut params = AudioCodecParameters::new();
    params
        .for_codec(codec)
        .with_sample_rate(sound.rate)
        .with_channels(Channels::Discrete(sound.channels.min(255) as u16));
    if let Some(extra) = extra {
        params.with_extra_data(extra.into());
    }
    params
}

/// The object type and the decoder's own configuration of an `esds` box, which
/// QuickTime hides in another (ISO/IEC 14496-1 section 7.2.6).
fn decoder_config<'a>(sound: &Sound<'a>) -> Option<(u8, &'a [u8])> {
    let hidden = || find(find(sound.boxes, b"wave")?, b"esds");
    let (_, _, fields) = full(find(sound.boxes, b"esds").or_else(hidden)?)?;
    let mut fields = Fields(descriptor(fields, 3)?);
    fields.skip(2)?; // the stream's number
    let flags = fields.u8()?;
    if flags & 0x80 != 0 {
        fields.skip(2)?; // depends on another
    }
    if flags & 0x40 != 0 {
        let length = fields.u8()?;
        fields.skip(length.into())?; // an address
    }
    if flags & 0x20 != 0 {
        fields.skip(2)?; // has another's clock
    }
    let mut fields = Fields(descriptor(fields, 4)?);
    let object_type = fields.u8()?;
    fields.skip(12)?; // buffer size and bitrates
    Some((object_type, descriptor(fields, 5).unwrap_or_default()))
}

/// The content of the first descriptor, which has to be of that kind.
fn descriptor(mut fields: Fields<'_>, tag: u8) -> Option<&[u8]> {
    if fields.u8()? != tag {
        return None;
    }
    let mut length = 0;
    for _ in 0..4 {
        let byte = fields.u8()?;
        length = length << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    fields.take(length)
}

fn find_alac<'a>(sound: &Sound<'a>) -> Option<&'a [u8]> {
    let hidden = || find(find(sound.boxes, b"wave")?, b"alac");
    find(sound.boxes, b"alac").or_else(hidden)
}

/// The identification header of Opus (RFC 7845 section 5.1), which MP4 stores
/// big-endian and without its magic.
fn opus_head(dops: &[u8]) -> Option<Vec<u8>> {
    let mut fields = Fields(dops);
    let _version = fields.u8()?;
    let channels = fields.u8()?;
    let pre_skip = fields.u16()?.to_le_bytes();
    let rate = fields.u32()?.to_le_bytes();
    let gain = fields.u16()?.to_le_bytes();
    let start = [&b"OpusHead\x01"[..], &[channels], &pre_skip, &rate, &gain];
    Some([&start.concat(), fields.0].concat())
}

#[cfg(test)]
mod tests {
    use super::super::samples::testing::make;
    use super::*;

    fn stsd(kind: &Kind, content: &[u8]) -> Vec<u8> {
        [&[0, 0, 0, 0, 0, 0, 0, 1][..], &make(kind, content)].concat()
    }

    fn sound_entry(bits: u8, boxes: &[u8]) -> Vec<u8> {
        let mut content = vec![0; 28];
        content[17] = 2;
        content[19] = bits;
        content[24..26].copy_from_slice(&48_000_u16.to_be_bytes());
        [content, boxes.to_vec()].concat()
    }

    #[test]
    fn opus_headers_are_turned_around() {
        let dops = make(b"dOps", &[0, 2, 1, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0]);
        let entry = sound(&stsd(b"Opus", &sound_entry(16, &dops))).unwrap();
        let Coding::Opus(head) = entry.coding else {
            panic!("Opus");
        };
        assert_eq!(head, b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0");
    }

    #[test]
    fn codecs_are_known_by_their_entries() {
        let check = |kind, bits, expected| {
            let entry = sound(&stsd(kind, &sound_entry(bits, &[]))).unwrap();
            let Coding::Sound(params) = entry.coding else {
                panic!("playable");
            };
            assert!(entry.is_pcm);
            assert_eq!(params.codec, expected);
        };
        check(b"sowt", 16, CODEC_ID_PCM_S16LE);
        check(b"in24", 16, CODEC_ID_PCM_S24BE);
        check(b"ulaw", 16, CODEC_ID_PCM_MULAW);
    }

    #[test]
    fn what_cannot_be_played_has_a_name() {
        let entry = pictures(&stsd(b"hvc1", &[0; VISUAL])).unwrap();
        assert!(matches!(entry.coding, Coding::OtherPictures(name) if name.contains("HEVC")));
        let entry = sound(&stsd(b"ec-3", &sound_entry(16, &[]))).unwrap();
        assert!(matches!(entry.coding, Coding::OtherSound(name) if name == "E-AC-3"));
        assert!(pictures(&stsd(b"avc1", &[0; VISUAL])).is_none());
    }
}
