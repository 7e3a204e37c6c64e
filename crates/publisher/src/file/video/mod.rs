//! Frames as they are in a file become frames as they are sent.

mod av1;
mod h264;
mod vpx;

use super::container::{Coding, OpenError};
use crate::source::VideoCodec;

/// How to make what can be played of pictures that cannot.
const CONVERT: &str =
    "convert it with `ffmpeg -i FILE -c:v libx264 -pix_fmt yuv420p -bf 0 -c:a copy NEW.mkv`";

/// Why pictures that are shown in another order than they are stored in are refused.
pub(super) fn reordered() -> OpenError {
    OpenError(format!(
        "it has B-frames, which WebRTC cannot carry; {CONVERT}"
    ))
}

/// Pictures with `what`, which cannot be played.
fn unplayable(what: &str) -> OpenError {
    OpenError(format!(
        "its pictures are {what}, which browsers do not play from a live stream; {CONVERT}"
    ))
}

/// A frame to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Decoding can start here.
    pub(super) keyframe: bool,
    /// As [`VideoCodec`] says.
    pub(super) data: Vec<u8>,
}

/// Turns a track's packets into frames.
pub(super) enum Pictures {
    H264(h264::H264),
    Vp8,
    Vp9,
    Av1(av1::Av1),
}

impl Pictures {
    /// `first` is the track's first packet: some files tell only there what
    /// they are.
    pub(super) fn open(
        coding: &Coding,
        first: Option<&[u8]>,
    ) -> Result<(Self, VideoCodec), OpenError> {
        match coding {
            Coding::H264(config) => {
                let h264 = h264::H264::open(config)?;
                let profile_level_id = h264.profile_level_id();
                Ok((Self::H264(h264), VideoCodec::H264 { profile_level_id }))
            }
            Coding::Vp8 => Ok((Self::Vp8, VideoCodec::Vp8)),
            Coding::Vp9 => {
                let profile = vpx::vp9_profile(first.unwrap_or_default()).unwrap_or(0);
                // The odd ones have more colour than 4:2:0.
                if profile % 2 == 1 {
                    return Err(unplayable(&format!("VP9 of profile {profile}")));
                }
                Ok((Self::Vp9, VideoCodec::Vp9 { profile }))
            }
            Coding::Av1(config) => {
                let av1 = av1::Av1::open(config, first.unwrap_or_default())?;
                Ok((Self::Av1(av1), VideoCodec::Av1))
            }
            Coding::OtherPictures(codec) => Err(unplayable(codec)),
            Coding::Opus(_) | Coding::Sound(_) | Coding::OtherSound(_) => Err(unplayable("sound")),
        }
    }

    /// `None`: the packet is corrupt.
    pub(super) fn frame(&mut self, data: Vec<u8>) -> Option<Frame> {
        match self {
            Self::H264(h264) => h264.frame(&data),
            Self::Vp8 => vpx::vp8_is_keyframe(&data).map(|keyframe| Frame { keyframe, data }),
            Self::Vp9 => vpx::vp9_is_keyframe(&data).map(|keyframe| Frame { keyframe, data }),
            Self::Av1(av1) => av1.frame(&data),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_do_not_play_is_refused_by_its_name() {
        let check = |coding, first: &[u8], name: &str| {
            let OpenError(why) = Pictures::open(&coding, Some(first)).err().unwrap();
            assert!(why.contains(name) && why.contains("ffmpeg"), "{why}");
        };
        check(Coding::OtherPictures("HEVC".to_owned()), &[], "HEVC");
        let profile_1 = [0b1010_0000, 0x49, 0x83, 0x42];
        check(Coding::Vp9, &profile_1, "VP9 of profile 1");
    }
}
