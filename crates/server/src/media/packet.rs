//! A publisher's packet on its way to the viewers.

use std::sync::Arc;

use str0m::rtp::ExtensionValues;

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
    pub(super) extensions: ExtensionValues,
    /// Without the RTP header.
    pub(super) payload: Arc<[u8]>,
}

/// What of a publisher's header extensions viewers get: what belongs to the
/// media, not what belongs to the transport from the publisher to here.
pub(super) fn forwarded(extensions: &ExtensionValues) -> ExtensionValues {
    ExtensionValues {
        audio_level: extensions.audio_level,
        voice_activity: extensions.voice_activity,
        video_orientation: extensions.video_orientation,
        play_delay_min: extensions.play_delay_min,
        play_delay_max: extensions.play_delay_max,
        ..ExtensionValues::default()
    }
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
            extensions: ExtensionValues::default(),
            payload: Arc::from(vec![0; bytes]),
        }
    }
}
