//! What the first packet of a keyframe says about the picture: its size, and of
//! H.264 the profile and level.
//!
//! Read from what a publisher sends, so nothing is trusted: a header that makes
//! no sense is no header. Not here: anything of the picture itself.

mod av1;
mod bits;
mod h264;
mod numbers;
#[cfg(test)]
mod tests;
mod vp8;
mod vp9;

use std::time::{Duration, Instant};

use super::codec::Codec;
use super::packet::MediaPacket;
use crate::core::backend::PictureSize;

pub(super) use h264::{Unit, units};
pub(super) use numbers::{PictureNumbers, Shift};
pub(super) use vp8::frame as vp8_frame;

/// Widest and highest picture that is believed: what VP8 can say, and more than
/// level 6.2 of H.264 allows.
const MAX_SIDE: u32 = 16_384;

/// Least time between two sizes that are told. All of a stream's viewers hear of
/// each, and nothing else keeps a publisher from another one with every packet.
const TOLD_EVERY: Duration = Duration::from_millis(500);

/// What a keyframe's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) size: PictureSize,
    /// Of H.264: the three bytes of RFC 6184 section 8.1.
    pub(super) profile_level_id: Option<u32>,
}

/// Whether an RTP payload is the first of a frame that decoding can start
/// from. Always false for audio. Never reads past the payload.
pub(super) fn starts_keyframe(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Opus | Codec::Pcmu | Codec::Pcma => false,
        Codec::H264 => h264::starts_keyframe(payload),
        Codec::Vp8 => vp8::starts_keyframe(payload),
        Codec::Vp9 => vp9::starts_keyframe(payload),
        Codec::Av1 => av1::starts_keyframe(payload),
    }
}

/// The header in an RTP payload that starts a keyframe; `None` if it has none
/// or a broken one.
pub(super) fn header(codec: Codec, payload: &[u8]) -> Option<Header> {
    match codec {
        Codec::Opus | Codec::Pcmu | Codec::Pcma => None,
        Codec::H264 => h264::header(payload),
        Codec::Vp8 => vp8::header(payload),
        Codec::Vp9 => vp9::header(payload),
        Codec::Av1 => av1::header(payload),
    }
}

/// A size within what is believed.
fn size(width: u32, height: u32) -> Option<PictureSize> {
    let sane = 1..=MAX_SIDE;
    (sane.contains(&width) && sane.contains(&height)).then_some(PictureSize { width, height })
}

/// The pictures that a publisher sends now.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    /// The latest of each simulcast layer, with its payload type.
    layers: Vec<(u8, u8, Header)>,
    /// The size that was told last, and when.
    told: Option<(PictureSize, Instant)>,
}

impl Pictures {
    /// Takes note of a packet.
    pub(super) fn take_in(&mut self, packet: &MediaPacket) {
        if !packet.starts_keyframe {
            return;
        }
        let Some(header) = header(packet.codec, &packet.payload) else {
            return;
        };
        // Another codec: nothing of what was known of the one before holds.
        self.layers
            .retain(|(layer, pt, _)| *layer != packet.layer && *pt == packet.pt);
        self.layers.push((packet.layer, packet.pt, header));
    }

    /// The size of the largest picture, if that is to be told now.
    pub(super) fn take_size(&mut self, now: Instant) -> Option<PictureSize> {
        let size = self.untold()?;
        if self.poll_timeout().is_some_and(|at| now < at) {
            return None;
        }
        self.told = Some((size, now));
        Some(size)
    }

    /// When [`Pictures::take_size`] has something, unless it has it at once.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.untold()?;
        self.told.map(|(_, at)| at + TOLD_EVERY)
    }

    fn untold(&self) -> Option<PictureSize> {
        let size = self.largest()?.2.size;
        let is_told = self.told.is_some_and(|(told, _)| told == size);
        (!is_told).then_some(size)
    }

    /// The real `profile-level-id` of what is sent with a payload type.
    pub(super) fn profile_level_id(&self, pt: u8) -> Option<u32> {
        let (_, of, header) = self.largest()?;
        header.profile_level_id.filter(|_| of == pt)
    }

    /// The layer with the largest picture of those that count.
    pub(super) fn largest_layer(&self, counts: impl Fn(u8) -> bool) -> Option<u8> {
        self.largest_of(counts).map(|(layer, ..)| layer)
    }

    fn largest(&self) -> Option<(u8, u8, Header)> {
        self.largest_of(|_| true)
    }

    fn largest_of(&self, counts: impl Fn(u8) -> bool) -> Option<(u8, u8, Header)> {
        let area = |size: PictureSize| u64::from(size.width) * u64::from(size.height);
        let layers = self.layers.iter().filter(|(layer, ..)| counts(*layer));
        layers.max_by_key(|(_, _, h)| area(h.size)).copied()
    }
}
