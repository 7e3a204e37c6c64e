//! The tracks of a Matroska file and what they are encoded with.

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::*;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};

use super::ebml::{Id, children, float, integer, text};
use crate::file::bytes::Fields;
use crate::file::container::{Coding, Nanos, Track, clamped};
use crate::file::xiph;

const TRACK_ENTRY: Id = 0xae;
const TRACK_NUMBER: Id = 0xd7;
const TRACK_TYPE: Id = 0x83;
const CODEC_ID: Id = 0x86;
const CODEC_PRIVATE: Id = 0x63a2;
const CODEC_DELAY: Id = 0x56aa;
const DEFAULT_DURATION: Id = 0x23_e383;
const AUDIO: Id = 0xe1;
const SAMPLING_FREQUENCY: Id = 0xb5;
const CHANNELS: Id = 0x9f;
const BIT_DEPTH: Id = 0x6264;
const CONTENT_ENCODINGS: Id = 0x6d80;
const CONTENT_ENCODING: Id = 0x6240;
const CONTENT_COMPRESSION: Id = 0x5034;
const COMPRESSION_ALGORITHM: Id = 0x4254;
const COMPRESSION_SETTINGS: Id = 0x4255;
const CONTENT_ENCRYPTION: Id = 0x5035;

/// The algorithm that leaves out what all frames start with (RFC 9559 section
/// 5.1.4.1.31.6).
const HEADER_STRIPPING: u64 = 3;

/// A track with pictures or sound.
#[derive(Debug, Clone)]
pub(super) struct TrackEntry {
    /// Blocks name it.
    pub(super) number: u64,
    pub(super) id: u32,
    coding: Coding,
    /// How much the decoder makes before what is meant to be heard.
    pub(super) delay: Nanos,
    pub(super) frame_duration: Option<Nanos>,
    /// What all frames start with and the file leaves out.
    stripped: Vec<u8>,
}

impl TrackEntry {
    pub(super) fn track(&self) -> Track {
        Track {
            id: self.id,
            coding: self.coding.clone(),
            reordered: false,
        }
    }

    /// A frame with what the file leaves out.
    pub(super) fn whole(&self, frame: &[u8]) -> Vec<u8> {
        [&self.stripped, frame].concat()
    }
}

/// The tracks with pictures or sound in a `Tracks` element.
pub(super) fn parse(content: &[u8]) -> Vec<TrackEntry> {
    let entries = children(content).filter(|(id, _)| *id == TRACK_ENTRY);
    (0..)
        .zip(entries)
        .filter_map(|(id, (_, content))| entry(id, content))
        .collect()
}

fn entry(id: u32, content: &[u8]) -> Option<TrackEntry> {
    let find = |wanted| {
        children(content)
            .find(|(id, _)| *id == wanted)
            .map(|(_, found)| found)
    };
    let number = |wanted| find(wanted).and_then(integer);
    let codec = find(CODEC_ID).map(text).unwrap_or_default();
    let private = find(CODEC_PRIVATE).unwrap_or_default();
    let (stripped, scrambled) = find(CONTENT_ENCODINGS).map(encodings).unwrap_or_default();
    let coding = match (number(TRACK_TYPE)?, scrambled) {
        (1, Some(how)) => Coding::OtherPictures(how.to_owned()),
        (2, Some(how)) => Coding::OtherSound(how.to_owned()),
        (1, None) => pictures(&codec, private),
        (2, None) => sound(&codec, private, find(AUDIO).unwrap_or_default()),
        _ => return None,
    };
    let nanos = |ticks: u64| clamped(ticks.into());
    Some(TrackEntry {
        number: number(TRACK_NUMBER)?,
        id,
        coding,
        delay: number(CODEC_DELAY).map_or(0, nanos),
        frame_duration: number(DEFAULT_DURATION).map(nanos),
        stripped,
    })
}

/// What all frames start with and the file leaves out; and what keeps us from
/// reading the frames at all.
fn encodings(content: &[u8]) -> (Vec<u8>, Option<&'static str>) {
    let mut stripped = Vec::new();
    let encodings = children(content).filter(|(id, _)| *id == CONTENT_ENCODING);
    for (id, content) in encodings.flat_map(|(_, content)| children(content)) {
        let find = |wanted| {
            children(content)
                .find(|(id, _)| *id == wanted)
                .map(|(_, found)| found)
        };
        match id {
            CONTENT_COMPRESSION => {
                let algorithm = find(COMPRESSION_ALGORITHM).and_then(integer);
                if algorithm != Some(HEADER_STRIPPING) {
                    return (stripped, Some("compressed once more by Matroska"));
                }
                stripped = find(COMPRESSION_SETTINGS).unwrap_or_default().to_vec();
            }
            CONTENT_ENCRYPTION => return (stripped, Some("encrypted")),
            _ => {}
        }
    }
    (stripped, None)
}

fn pictures(codec: &str, private: &[u8]) -> Coding {
    let name = match codec {
        "V_MPEG4/ISO/AVC" => return Coding::H264(private.to_vec()),
        "V_VP8" => return Coding::Vp8,
        "V_VP9" => return Coding::Vp9,
        "V_AV1" => return Coding::Av1(private.to_vec()),
        "V_MPEGH/ISO/HEVC" => "HEVC (H.265)",
        "V_MPEGI/ISO/VVC" => "VVC (H.266)",
        "V_MPEG4/ISO/SP" | "V_MPEG4/ISO/ASP" | "V_MPEG4/ISO/AP" => "MPEG-4 Part 2",
        "V_MPEG2" => "MPEG-2",
        "V_MPEG1" => "MPEG-1",
        "V_MJPEG" => "Motion JPEG",
        "V_PRORES" => "ProRes",
        "V_FFV1" => "FFV1",
        "V_THEORA" => "Theora",
        "V_UNCOMPRESSED" => "uncompressed",
        other => other.trim_start_matches("V_"),
    };
    Coding::OtherPictures(name.to_owned())
}

fn sound(codec: &str, private: &[u8], audio: &[u8]) -> Coding {
    let find = |wanted| {
        children(audio)
            .find(|(id, _)| *id == wanted)
            .map(|(_, found)| found)
    };
    let bits = find(BIT_DEPTH).and_then(integer).unwrap_or(0);
    if codec == "A_OPUS" {
        return Coding::Opus(private.to_vec());
    }
    let Some(id) = sound_codec(codec, bits) else {
        return Coding::OtherSound(sound_name(codec).to_owned());
    };
    let mut params = AudioCodecParameters::new();
    let rate = find(SAMPLING_FREQUENCY).and_then(float).unwrap_or(8_000.0);
    let channels = find(CHANNELS).and_then(integer).unwrap_or(1);
    params
        .for_codec(id)
        .with_sample_rate(rate.round() as u32)
        .with_channels(Channels::Discrete(channels.min(255) as u16));
    if let (1.., Ok(bits)) = (bits, u32::try_from(bits)) {
        params.with_bits_per_sample(bits);
        params.with_bits_per_coded_sample(bits);
    }
    let extra = match id {
        CODEC_ID_VORBIS => vorbis_headers(private).unwrap_or_default(),
        CODEC_ID_FLAC => xiph::flac_stream_info(private).unwrap_or_default().to_vec(),
        _ => private.to_vec(),
    };
    if !extra.is_empty() {
        params.with_extra_data(extra.into_boxed_slice());
    }
    Coding::Sound(Box::new(params))
}

fn sound_name(codec: &str) -> &str {
    match codec {
        "A_AC3" | "A_AC3/BSID9" | "A_AC3/BSID10" => "AC-3",
        "A_EAC3" => "E-AC-3",
        "A_TRUEHD" => "TrueHD",
        "A_MPEG/L2" => "MPEG layer 2",
        other => other.trim_start_matches("A_"),
    }
}

fn sound_codec(codec: &str, bits: u64) -> Option<AudioCodecId> {
    Some(match (codec, bits) {
        ("A_VORBIS", _) => CODEC_ID_VORBIS,
        ("A_FLAC", _) => CODEC_ID_FLAC,
        ("A_ALAC", _) => CODEC_ID_ALAC,
        ("A_MPEG/L3", _) => CODEC_ID_MP3,
        ("A_PCM/INT/LIT", 8) => CODEC_ID_PCM_U8,
        ("A_PCM/INT/LIT", 16) => CODEC_ID_PCM_S16LE,
        ("A_PCM/INT/LIT", 24) => CODEC_ID_PCM_S24LE,
        ("A_PCM/INT/LIT", 32) => CODEC_ID_PCM_S32LE,
        ("A_PCM/INT/BIG", 16) => CODEC_ID_PCM_S16BE,
        ("A_PCM/INT/BIG", 24) => CODEC_ID_PCM_S24BE,
        ("A_PCM/INT/BIG", 32) => CODEC_ID_PCM_S32BE,
        ("A_PCM/FLOAT/IEEE", 32) => CODEC_ID_PCM_F32LE,
        ("A_PCM/FLOAT/IEEE", 64) => CODEC_ID_PCM_F64LE,
        (codec, _) if codec.starts_with("A_AAC") => CODEC_ID_AAC,
        _ => return None,
    })
}

/// The identification and the setup header, as symphonia wants them, of the
/// three that are laced in Matroska.
fn vorbis_headers(private: &[u8]) -> Option<Vec<u8>> {
    let (count, rest) = private.split_first()?;
    let frames = xiph::laced(*count, Fields(rest), xiph::size)?;
    match frames[..] {
        [identification, _comment, setup] => Some([identification, setup].concat()),
        _ => None,
    }
}
