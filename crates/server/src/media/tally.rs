//! What of packets is counted for the operator.

use super::codec::Kind;
use super::packet::MediaPacket;
use crate::meters::{Meter, Meters};

/// Counts a publisher's packet.
pub(super) fn received(packet: &MediaPacket, meters: &Meters) {
    let (packets, bytes) = match packet.kind {
        Kind::Audio => (Meter::AudioIn, Meter::AudioBytesIn),
        Kind::Video => (Meter::VideoIn, Meter::VideoBytesIn),
    };
    meters.add(packets, 1);
    meters.add(bytes, packet.payload.len() as u64);
    if packet.kind == Kind::Video {
        meters.add(Meter::FramesIn, packet.marker.into());
        meters.add(Meter::KeyframesIn, packet.starts_keyframe.into());
    }
}

/// What was passed on to one viewer and is not counted yet: once a batch is enough.
#[derive(Debug, Default)]
pub(super) struct Forwarded {
    audio: u32,
    video: u32,
    audio_bytes: u32,
    video_bytes: u32,
    frames: u32,
}

impl Forwarded {
    /// Takes note of a packet.
    pub(super) fn note(&mut self, packet: &MediaPacket) {
        let bytes = packet.payload.len() as u32;
        match packet.kind {
            Kind::Audio => {
                self.audio += 1;
                self.audio_bytes += bytes;
            }
            Kind::Video => {
                self.video += 1;
                self.video_bytes += bytes;
                self.frames += u32::from(packet.marker);
            }
        }
    }

    /// Counts what was noted.
    pub(super) fn settle(&mut self, meters: &Meters) {
        let Self {
            audio,
            video,
            audio_bytes,
            video_bytes,
            frames,
        } = std::mem::take(self);
        if video > 0 {
            meters.add(Meter::VideoOut, video.into());
            meters.add(Meter::VideoBytesOut, video_bytes.into());
            meters.add(Meter::FramesOut, frames.into());
        }
        if audio > 0 {
            meters.add(Meter::AudioOut, audio.into());
            meters.add(Meter::AudioBytesOut, audio_bytes.into());
        }
    }
}
