//! VP8: the payload descriptor (RFC 7741 section 4.2) and the keyframe's header
//! (RFC 6386 section 9.1).

use super::{Header, size};

/// Whether the payload starts a frame, and what is in it of the frame.
pub(in crate::media) fn frame(payload: &[u8]) -> Option<(bool, &[u8])> {
    let (&first, mut rest) = payload.split_first()?;
    let starts = first & 0x10 != 0 && first & 0x07 == 0;
    if first & 0x80 != 0 {
        let (&extensions, after) = rest.split_first()?;
        rest = after;
        if extensions & 0x80 != 0 {
            let long = rest.first()? & 0x80 != 0;
            rest = rest.get(if long { 2 } else { 1 }..)?;
        }
        let tl0_index = usize::from(extensions & 0x40 != 0);
        let layer_or_key_index = usize::from(extensions & 0x30 != 0);
        rest = rest.get(tl0_index + layer_or_key_index..)?;
    }
    Some((starts, rest))
}

/// First partition's start, and its frame header says key frame.
pub(in crate::media) fn starts_keyframe(payload: &[u8]) -> bool {
    frame(payload)
        .is_some_and(|(starts, frame)| starts && frame.first().is_some_and(|tag| tag & 0x01 == 0))
}

pub(super) fn header(payload: &[u8]) -> Option<Header> {
    const START_CODE: [u8; 3] = [0x9d, 0x01, 0x2a];
    let (starts, frame) = frame(payload)?;
    let (tag, rest) = frame.split_first_chunk::<3>()?;
    let (code, rest) = rest.split_first_chunk::<3>()?;
    let (&[w0, w1, h0, h1], _) = rest.split_first_chunk::<4>()?;
    if !starts || tag[0] & 0x01 != 0 || *code != START_CODE {
        return None;
    }
    // The two bits on top say how to scale the picture up, which nobody does.
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    Some(Header {
        size: size(side(w0, w1), side(h0, h1))?,
        profile_level_id: None,
    })
}
