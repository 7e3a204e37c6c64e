//! AV1: the OBUs of an RTP payload (AV1 RTP payload format section 4) and the
//! sequence header (AV1 bitstream specification section 5.5).

use super::bits::Bits;
use super::{Header, size};
use crate::core::backend::PictureSize;

/// The N bit: first packet of a coded video sequence. Section 4.4.
pub(in crate::media) fn starts_keyframe(payload: &[u8]) -> bool {
    payload.len() > 1 && payload[0] & 0x88 == 0x08
}

pub(super) fn header(payload: &[u8]) -> Option<Header> {
    let sequence = elements(payload).find_map(sequence_header)?;
    Some(Header {
        size: sequence_size(sequence)?,
        profile_level_id: None,
    })
}

/// The OBU elements of a payload, but for one that goes on from the payload
/// before. One that is cut short ends with its payload.
fn elements(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    const CONTINUES: u8 = 0x80;
    let (aggregation, rest) = payload.split_first().unwrap_or((&0, &[]));
    let elements = Elements {
        rest,
        // Zero says that every element has its length, or else the last has none.
        counted: (aggregation >> 4 & 0x03).checked_sub(1),
    };
    elements.skip(usize::from(aggregation & CONTINUES != 0))
}

struct Elements<'a> {
    rest: &'a [u8],
    /// Elements with a length before the last one, if that has none.
    counted: Option<u8>,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let last = self.counted == Some(0);
        self.counted = self.counted.map(|count| count.saturating_sub(1));
        if last {
            return Some(std::mem::take(&mut self.rest));
        }
        let (length, rest) = leb128(self.rest)?;
        let (element, rest) = rest.split_at(length.min(rest.len()));
        self.rest = rest;
        Some(element)
    }
}

/// AV1 section 4.10.5, as far as a payload is long.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0_usize;
    for (index, byte) in bytes.iter().enumerate().take(4) {
        number |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[index + 1..]));
        }
    }
    None
}

/// The content of a sequence header OBU; `None` of any other. Section 5.3.
fn sequence_header(element: &[u8]) -> Option<&[u8]> {
    const SEQUENCE_HEADER: u8 = 1;
    let (&header, mut content) = element.split_first()?;
    if header >> 3 & 0x0f != SEQUENCE_HEADER {
        return None;
    }
    if header & 0x04 != 0 {
        content = content.get(1..)?;
    }
    if header & 0x02 != 0 {
        content = leb128(content)?.1;
    }
    Some(content)
}

/// The greatest size of the sequence, which is that of its frames but for those
/// few that say otherwise.
fn sequence_size(content: &[u8]) -> Option<PictureSize> {
    let mut bits = Bits::new(content);
    bits.skip(4)?; // seq_profile, still_picture
    let reduced = bits.flag()?;
    if reduced {
        bits.skip(5)?; // seq_level_idx
    } else {
        skip_operating_points(&mut bits)?;
    }
    let (width_bits, height_bits) = (bits.number(4)? + 1, bits.number(4)? + 1);
    let width = bits.number(width_bits)? + 1;
    let height = bits.number(height_bits)? + 1;
    size(width, height)
}

fn skip_operating_points(bits: &mut Bits<'_>) -> Option<()> {
    let mut delay_bits = None;
    if bits.flag()? {
        bits.skip(64)?; // num_units_in_display_tick, time_scale
        if bits.flag()? {
            bits.exp_golomb()?; // num_ticks_per_picture_minus_1
        }
        if bits.flag()? {
            delay_bits = Some(bits.number(5)? as usize + 1);
            bits.skip(42)?; // the rest of decoder_model_info
        }
    }
    let has_display_delay = bits.flag()?;
    for _ in 0..=bits.number(5)? {
        bits.skip(12)?; // operating_point_idc
        if bits.number(5)? > 7 {
            bits.flag()?; // seq_tier
        }
        if let Some(delay_bits) = delay_bits
            && bits.flag()?
        {
            bits.skip(2 * delay_bits + 1)?; // operating_parameters_info
        }
        if has_display_delay && bits.flag()? {
            bits.skip(4)?; // initial_display_delay_minus_1
        }
    }
    Some(())
}
