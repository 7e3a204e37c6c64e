//! VP9: the payload descriptor (RFC 9628 section 4.2) and the uncompressed
//! header (VP9 bitstream specification section 6.2).

use super::bits::Bits;
use super::{Header, size};
use crate::core::backend::PictureSize;

/// A payload of a frame's start.
struct Start<'a> {
    /// The frame is predicted from others.
    inter_predicted: bool,
    /// The spatial layer, 0 the smallest.
    spatial: u8,
    /// The largest size that the descriptor tells of.
    largest: Option<PictureSize>,
    frame: &'a [u8],
}

/// Start of a frame that is not inter-picture predicted, lowest spatial layer.
pub(in crate::media) fn starts_keyframe(payload: &[u8]) -> bool {
    let Some((&first, rest)) = payload.split_first() else {
        return false;
    };
    let (inter_predicted, starts) = (first & 0x40 != 0, first & 0x08 != 0);
    let lowest = || Some(layers(first, skip_picture_id(first, rest)?)?.0 == 0);
    starts && !inter_predicted && lowest().unwrap_or(false)
}

pub(super) fn header(payload: &[u8]) -> Option<Header> {
    let start = start(payload)?;
    if start.inter_predicted || start.spatial != 0 {
        return None;
    }
    Some(Header {
        // The frame is the smallest layer's, the descriptor knows them all.
        size: start.largest.or_else(|| frame_size(start.frame))?,
        profile_level_id: None,
    })
}

fn skip_picture_id(first: u8, rest: &[u8]) -> Option<&[u8]> {
    if first & 0x80 == 0 {
        return Some(rest);
    }
    let long = rest.first()? & 0x80 != 0;
    rest.get(if long { 2 } else { 1 }..)
}

/// The spatial layer, and what follows the layer indices.
fn layers(first: u8, rest: &[u8]) -> Option<(u8, &[u8])> {
    let flexible = first & 0x10 != 0;
    if first & 0x20 == 0 {
        return Some((0, rest));
    }
    let spatial = rest.first()? >> 1 & 0x07;
    // Without flexible mode TL0PICIDX follows.
    Some((
        spatial,
        rest.get(if flexible { 1 } else { 2 }..).unwrap_or_default(),
    ))
}

fn start(payload: &[u8]) -> Option<Start<'_>> {
    let (&first, rest) = payload.split_first()?;
    let has = |bit: u8| first & bit != 0;
    let (inter_predicted, flexible, starts, structure) =
        (has(0x40), has(0x10), has(0x08), has(0x02));
    let (spatial, mut rest) = layers(first, skip_picture_id(first, rest)?)?;
    if flexible && inter_predicted {
        rest = skip_references(rest)?;
    }
    let (largest, frame) = if structure {
        scalability(rest)?
    } else {
        (None, rest)
    };
    starts.then_some(Start {
        inter_predicted,
        spatial,
        largest,
        frame,
    })
}

/// Up to three, each saying whether another one follows.
fn skip_references(mut rest: &[u8]) -> Option<&[u8]> {
    for _ in 0..3 {
        let (&reference, after) = rest.split_first()?;
        rest = after;
        if reference & 0x01 == 0 {
            break;
        }
    }
    Some(rest)
}

/// The largest layer's size of a scalability structure, and what follows it.
fn scalability(rest: &[u8]) -> Option<(Option<PictureSize>, &[u8])> {
    let (&first, mut rest) = rest.split_first()?;
    let layers = (first >> 5) + 1;
    let mut largest = None;
    if first & 0x10 != 0 {
        for _ in 0..layers {
            let (&[w0, w1, h0, h1], after) = rest.split_first_chunk::<4>()?;
            rest = after;
            let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
            largest = size(side(w0, w1), side(h0, h1)).or(largest);
        }
    }
    if first & 0x08 != 0 {
        let (&pictures, after) = rest.split_first()?;
        rest = after;
        for _ in 0..pictures {
            let references = usize::from(rest.first()? >> 2 & 0x03);
            rest = rest.get(1 + references..)?;
        }
    }
    Some((largest, rest))
}

/// Sections 6.2, 6.2.2 and 6.2.3.
fn frame_size(frame: &[u8]) -> Option<PictureSize> {
    const FRAME_MARKER: u32 = 2;
    const SYNC_CODE: u32 = 0x49_83_42;
    const RGB: u32 = 7;
    let mut bits = Bits::new(frame);
    if bits.number(2)? != FRAME_MARKER {
        return None;
    }
    let profile = u8::from(bits.flag()?) | u8::from(bits.flag()?) << 1;
    if profile == 3 {
        bits.flag()?; // reserved_zero
    }
    let shown_again = bits.flag()?;
    let inter = bits.flag()?;
    bits.skip(2)?; // show_frame, error_resilient_mode
    if shown_again || inter || bits.number(24)? != SYNC_CODE {
        return None;
    }
    if profile >= 2 {
        bits.flag()?; // ten_or_twelve_bit
    }
    let other_subsampling = profile == 1 || profile == 3;
    if bits.number(3)? != RGB {
        bits.skip(if other_subsampling { 4 } else { 1 })?; // range, subsampling
    } else if other_subsampling {
        bits.flag()?; // reserved_zero
    }
    let (width, height) = (bits.number(16)? + 1, bits.number(16)? + 1);
    size(width, height)
}
