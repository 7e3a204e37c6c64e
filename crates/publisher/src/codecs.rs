//! What is offered of each codec: its format parameters, its payload types, and
//! its name for people.

use str0m::format::{Codec, FormatParams};
use str0m::media::Frequency;
use str0m::{Rtc, RtcConfig};

use crate::options::AudioOptions;
use crate::pipeline::Sent;
use crate::source::VideoCodec;

/// Dynamic payload types (RFC 3551 section 6); any three would do.
const VIDEO_PT: u8 = 108;
const VIDEO_RTX_PT: u8 = 109;
const OPUS_PT: u8 = 111;

/// Shorter packets than of 10 ms are not asked for (RFC 7587 section 6.1).
const MIN_PTIME_MS: u8 = 10;

/// A configuration that knows just what is sent; retransmissions of pictures are
/// packets of their own (RFC 4588).
pub(crate) fn rtc_config(sent: Sent, audio: &AudioOptions) -> RtcConfig {
    let mut config = Rtc::builder().clear_codecs();
    let codecs = config.codec_config();
    if let Some(video) = sent.video {
        let (codec, rate) = (video.in_rtc(), Frequency::NINETY_KHZ);
        let rtx = Some(VIDEO_RTX_PT.into());
        codecs.add_config(VIDEO_PT.into(), rtx, codec, rate, None, video.format());
    }
    if let Some(channels) = sent.audio {
        let (codec, rate) = (Codec::Opus, Frequency::FORTY_EIGHT_KHZ);
        // Always two, whatever is in it (RFC 7587 section 7).
        let format = opus_format(channels, audio.fec);
        codecs.add_config(OPUS_PT.into(), None, codec, rate, Some(2), format);
    }
    config
}

/// RFC 7587 section 6.1. What is said of receiving is for servers that hand it
/// on to players, who take one channel for mono if it is not said.
fn opus_format(channels: u16, fec: bool) -> FormatParams {
    let stereo = (channels > 1).then_some(true);
    FormatParams {
        min_p_time: Some(MIN_PTIME_MS),
        use_inband_fec: Some(fec),
        stereo,
        sprop_stereo: stereo,
        ..FormatParams::default()
    }
}

impl VideoCodec {
    /// As str0m has it.
    pub(crate) fn in_rtc(self) -> Codec {
        match self {
            Self::H264 { .. } => Codec::H264,
            Self::Vp8 => Codec::Vp8,
            Self::Vp9 { .. } => Codec::Vp9,
            Self::Av1 => Codec::Av1,
        }
    }

    /// As SDP spells it, and people do.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::H264 { .. } => "H264",
            Self::Vp8 => "VP8",
            Self::Vp9 { .. } => "VP9",
            Self::Av1 => "AV1",
        }
    }

    fn format(self) -> FormatParams {
        let format = FormatParams::default();
        match self {
            Self::H264 { profile_level_id } => FormatParams {
                level_asymmetry_allowed: Some(true),
                packetization_mode: Some(1),
                profile_level_id: Some(profile_level_id),
                ..format
            },
            Self::Vp9 { profile } => FormatParams {
                profile_id: Some(u32::from(profile)),
                ..format
            },
            Self::Vp8 | Self::Av1 => format,
        }
    }
}
