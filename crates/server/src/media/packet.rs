//! A publisher's packet on its way to the viewers.

use std::sync::Arc;

use str0m::media::{Frequency, MediaTime};
use str0m::rtp::{ExtensionValues, VideoOrientation};

use super::codec::{Codec, Kind};
use super::rewrite::Position;

/// One RTP packet of a publisher, shared by all viewers on all workers.
#[derive(Debug)]
pub(super) struct MediaPacket {
    pub(super) kind: Kind,
    pub(super) codec: Codec,
    /// Which of its simulcast layers it is of, a number that stays with it; 0 if
    /// there is one only. Which is the better one, only what they carry says.
    pub(super) layer: u8,
    /// The publisher's payload type.
    pub(super) pt: u8,
    pub(super) position: Position,
    pub(super) marker: bool,
    /// The first packet of a frame that decoding can start from.
    pub(super) starts_keyframe: bool,
    /// Header extensions that mean the same to every viewer.
    pub(super) extensions: Extensions,
    /// Without the RTP header.
    pub(super) payload: Arc<[u8]>,
}

/// What of a publisher's header extensions viewers get: what belongs to the
/// media, not what belongs to the transport from the publisher to here. A group of
/// pictures is kept of every stream, so each packet has no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Extensions {
    /// Loudness, 0 or less in dBov, and whether somebody speaks (RFC 6464).
    pub(super) audio_level: Option<(i8, bool)>,
    pub(super) video_orientation: Option<VideoOrientation>,
    /// The least and the most, each 12 bits of hundredths of a second.
    pub(super) playout_delay: Option<(u16, u16)>,
}

impl Extensions {
    /// Those of a packet that str0m has read.
    pub(super) fn read(values: &ExtensionValues) -> Self {
        let delay = values.play_delay_min.zip(values.play_delay_max);
        Self {
            audio_level: values.audio_level.zip(values.voice_activity),
            video_orientation: values.video_orientation,
            playout_delay: delay.map(|(min, max)| (hundredths(min), hundredths(max))),
        }
    }

    /// As str0m writes them.
    pub(super) fn to_str0m(self) -> ExtensionValues {
        let time = |hundredths: u16| MediaTime::from_hundredths(hundredths.into());
        ExtensionValues {
            audio_level: self.audio_level.map(|(level, _)| level),
            voice_activity: self.audio_level.map(|(_, voice)| voice),
            video_orientation: self.video_orientation,
            play_delay_min: self.playout_delay.map(|(min, _)| time(min)),
            play_delay_max: self.playout_delay.map(|(_, max)| time(max)),
            ..ExtensionValues::default()
        }
    }
}

/// A playout delay as header extensions tell it, with 12 bits.
pub(super) fn hundredths(time: MediaTime) -> u16 {
    time.rebase(Frequency::HUNDREDTHS).numer() as u16 & 0xfff
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Instant;

    use super::*;
    use crate::media::picture::PictureNumbers;

    /// A video frame of one packet.
    pub(in crate::media) fn video(layer: u8, bytes: usize) -> MediaPacket {
        MediaPacket {
            kind: Kind::Video,
            codec: Codec::H264,
            layer,
            pt: 102,
            position: Position {
                epoch: 0,
                sequence: 0,
                timestamp: 0,
                captured: Instant::now(),
                picture: PictureNumbers::default(),
            },
            marker: true,
            starts_keyframe: false,
            extensions: Extensions::default(),
            payload: Arc::from(vec![0; bytes]),
        }
    }

    #[test]
    fn what_belongs_to_the_media_is_all_there_again() {
        let media = ExtensionValues {
            audio_level: Some(-37),
            voice_activity: Some(true),
            video_orientation: Some(VideoOrientation::Deg90),
            play_delay_min: Some(MediaTime::from_hundredths(0)),
            play_delay_max: Some(MediaTime::from_hundredths(0xfff)),
            ..ExtensionValues::default()
        };
        let received = ExtensionValues {
            transport_cc: Some(1),
            mid: Some("0".into()),
            ..media.clone()
        };
        let kept = Extensions::read(&received);
        assert_eq!(kept.to_str0m(), media);
        let nothing = ExtensionValues::default();
        assert_eq!(Extensions::read(&nothing).to_str0m(), nothing);
    }

    #[test]
    fn a_packet_is_little_beside_its_payload() {
        assert!(size_of::<MediaPacket>() <= 96);
    }
}
