//! The codecs that are forwarded, and who can decode them.

use str0m::format::{Codec as Str0mCodec, FormatParams};

/// Audio or video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Audio,
    Video,
}

/// A codec that is forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Codec {
    Opus,
    Pcmu,
    Pcma,
    H264,
    Vp8,
    Vp9,
    Av1,
}

impl Codec {
    /// The codec of an `a=rtpmap` encoding name, whatever its case.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        [
            Self::Opus,
            Self::Pcmu,
            Self::Pcma,
            Self::H264,
            Self::Vp8,
            Self::Vp9,
            Self::Av1,
        ]
        .into_iter()
        .find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// The name as the protocol and SDP spell it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::H264 => "H264",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::Av1 => "AV1",
        }
    }

    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Opus | Self::Pcmu | Self::Pcma => Kind::Audio,
            Self::H264 | Self::Vp8 | Self::Vp9 | Self::Av1 => Kind::Video,
        }
    }

    /// The RTP clock, ticks per second.
    pub(super) const fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::Pcmu | Self::Pcma => 8_000,
            Self::H264 | Self::Vp8 | Self::Vp9 | Self::Av1 => 90_000,
        }
    }

    /// Channels as `a=rtpmap` says them; `None` where it says nothing.
    pub(super) const fn channels(self) -> Option<u8> {
        match self {
            Self::Opus => Some(2),
            Self::Pcmu | Self::Pcma | Self::H264 | Self::Vp8 | Self::Vp9 | Self::Av1 => None,
        }
    }

    pub(super) const fn to_str0m(self) -> Str0mCodec {
        match self {
            Self::Opus => Str0mCodec::Opus,
            Self::Pcmu => Str0mCodec::PCMU,
            Self::Pcma => Str0mCodec::PCMA,
            Self::H264 => Str0mCodec::H264,
            Self::Vp8 => Str0mCodec::Vp8,
            Self::Vp9 => Str0mCodec::Vp9,
            Self::Av1 => Str0mCodec::Av1,
        }
    }
}

/// A codec with the parameters that decide who can decode it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Profile {
    /// A codec that has one profile only.
    Plain(Codec),
    /// RFC 6184 section 8.1.
    H264 { mode: u8, profile: H264Profile },
    /// RFC 9628 section 6: `profile-id`.
    Vp9(u32),
    /// AV1 RTP payload format section 7.2.1: `profile`.
    Av1(u8),
}

/// An H.264 profile, RFC 6184 section 8.1, table 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum H264Profile {
    ConstrainedBaseline,
    Baseline,
    Main,
    ConstrainedHigh,
    High,
    /// High 4:4:4 Predictive, which Chromium offers to receive in place of High.
    High444,
    /// `profile_idc` and `profile-iop` of any other.
    Other(u8, u8),
}

/// `profile-level-id` where an `a=fmtp` line has none: Baseline, level 1
/// (RFC 6184 section 8.1).
const DEFAULT_PROFILE_LEVEL_ID: u32 = 0x42_00_0a;

impl H264Profile {
    fn from_profile_level_id(id: u32) -> Self {
        let [_, idc, iop, _level] = id.to_be_bytes();
        // Bit 6 is constraint_set1_flag, bits 3 and 2 are sets 4 and 5.
        match (idc, iop) {
            (0x42, iop) if iop & 0x40 != 0 => Self::ConstrainedBaseline,
            (0x4d, iop) if iop & 0x80 != 0 => Self::ConstrainedBaseline,
            (0x42, _) => Self::Baseline,
            (0x4d, _) => Self::Main,
            (0x64, 0x0c) => Self::ConstrainedHigh,
            (0x64, 0x00) => Self::High,
            (0xf4, 0x00) => Self::High444,
            (idc, iop) => Self::Other(idc, iop),
        }
    }

    /// A decoder of this profile takes a stream of `stream`'s profile
    /// (H.264 section A.2).
    fn decodes(self, stream: Self) -> bool {
        use H264Profile::{Baseline, ConstrainedBaseline, ConstrainedHigh, High, High444, Main};
        let above: &[Self] = match stream {
            ConstrainedBaseline => &[Baseline, Main, ConstrainedHigh, High, High444],
            Main | ConstrainedHigh => &[High, High444],
            High => &[High444],
            Baseline | High444 | Self::Other(..) => &[],
        };
        self == stream || above.contains(&self)
    }
}

impl Profile {
    pub(super) fn new(codec: Codec, format: &FormatParams) -> Self {
        match codec {
            Codec::Opus | Codec::Pcmu | Codec::Pcma | Codec::Vp8 => Self::Plain(codec),
            Codec::H264 => Self::H264 {
                mode: format.packetization_mode.unwrap_or(0),
                profile: H264Profile::from_profile_level_id(
                    format.profile_level_id.unwrap_or(DEFAULT_PROFILE_LEVEL_ID),
                ),
            },
            Codec::Vp9 => Self::Vp9(format.profile_id.unwrap_or(0)),
            Codec::Av1 => Self::Av1(format.profile.unwrap_or(0)),
        }
    }

    /// Of H.264, the same with the profile that a stream really has.
    pub(super) fn with_profile_of(self, profile_level_id: u32) -> Self {
        match self {
            Self::H264 { mode, .. } => Self::H264 {
                mode,
                profile: H264Profile::from_profile_level_id(profile_level_id),
            },
            Self::Plain(_) | Self::Vp9(_) | Self::Av1(_) => self,
        }
    }

    /// Audio or video.
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Plain(codec) => codec.kind(),
            Self::H264 { .. } | Self::Vp9(_) | Self::Av1(_) => Kind::Video,
        }
    }

    /// How well a receiver that offers this takes a stream of `stream`'s
    /// profile: 0 is exact, more is a decoder that can do more; `None` if it
    /// cannot take it.
    pub(super) fn fitness(self, stream: Self) -> Option<u8> {
        match (self, stream) {
            (a, b) if a == b => Some(0),
            (
                Self::H264 { mode, profile },
                Self::H264 {
                    mode: stream_mode,
                    profile: stream_profile,
                },
            ) => {
                // A receiver of fragments and aggregates takes single NAL units too.
                let fits = mode >= stream_mode && profile.decodes(stream_profile);
                fits.then_some(u8::from(mode != stream_mode) + u8::from(profile != stream_profile))
            }
            (Self::H264 { .. } | Self::Plain(_) | Self::Vp9(_) | Self::Av1(_), _) => None,
        }
    }

    /// The place in an answer to a publisher, the first being what it will
    /// most likely send: the profiles that every player takes come first.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::H264 {
                mode: 1,
                profile: H264Profile::ConstrainedBaseline,
            } => 0,
            Self::H264 {
                mode: 1,
                profile: H264Profile::Baseline,
            } => 1,
            Self::Plain(Codec::Opus) => 0,
            Self::Plain(Codec::Pcmu) => 1,
            Self::Plain(_) => 2,
            Self::H264 { mode: 1, .. } => 3,
            Self::Vp9(_) => 4,
            Self::Av1(_) => 5,
            Self::H264 { .. } => 6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_protocols_spelling() {
        for (offered, expected) in [("OPUS", "opus"), ("h264", "H264"), ("vp8", "VP8")] {
            assert_eq!(Codec::from_name(offered).map(Codec::name), Some(expected));
        }
        assert_eq!(Codec::from_name("H265"), None);
    }

    fn h264(line: &str) -> Profile {
        Profile::new(Codec::H264, &FormatParams::parse_line(line))
    }

    #[test]
    fn h264_players_take_what_they_can_decode() {
        let table = [
            ("42e01f", 1, "42e01f", 1, Some(0)),
            ("42e034", 1, "42e01f", 1, Some(0)),
            ("42001f", 1, "42e01f", 1, Some(1)),
            ("64001f", 1, "42e01f", 1, Some(1)),
            ("42e01f", 1, "42001f", 1, None),
            ("42e01f", 1, "640c1f", 1, None),
            ("64001f", 1, "640c1f", 1, Some(1)),
            ("42e01f", 0, "42e01f", 1, None),
            ("42e01f", 1, "42e01f", 0, Some(1)),
        ];
        for (player, mode, stream, stream_mode, expected) in table {
            let line = |id, mode| h264(&format!("profile-level-id={id};packetization-mode={mode}"));
            assert_eq!(
                line(player, mode).fitness(line(stream, stream_mode)),
                expected,
                "{player}/{mode} takes {stream}/{stream_mode}"
            );
        }
    }

    #[test]
    fn other_codecs_need_the_same_profile() {
        assert_eq!(Profile::Vp9(0).fitness(Profile::Vp9(2)), None);
        assert_eq!(Profile::Vp9(2).fitness(Profile::Vp9(2)), Some(0));
        assert_eq!(Profile::Av1(0).fitness(Profile::Av1(1)), None);
        assert_eq!(
            Profile::Plain(Codec::Vp8).fitness(Profile::Plain(Codec::Opus)),
            None
        );
    }

    #[test]
    fn publishers_are_asked_for_constrained_baseline_first() {
        let mut profiles = [
            Profile::Vp9(0),
            Profile::Plain(Codec::Vp8),
            h264("profile-level-id=64001f;packetization-mode=1"),
            h264("profile-level-id=42e01f;packetization-mode=0"),
            h264("profile-level-id=42001f;packetization-mode=1"),
            h264("profile-level-id=42e01f;packetization-mode=1"),
        ];
        profiles.sort_by_key(|profile| profile.rank());
        assert_eq!(
            profiles,
            [
                h264("profile-level-id=42e01f;packetization-mode=1"),
                h264("profile-level-id=42001f;packetization-mode=1"),
                Profile::Plain(Codec::Vp8),
                h264("profile-level-id=64001f;packetization-mode=1"),
                Profile::Vp9(0),
                h264("profile-level-id=42e01f;packetization-mode=0"),
            ]
        );
    }
}
