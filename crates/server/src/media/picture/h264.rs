//! H.264: NAL units of an RTP payload (RFC 6184 section 5), and the sequence
//! parameter set (ITU-T H.264 section 7.3.2.1.1).

use super::bits::Bits;
use super::{Header, size};

/// NAL unit types, RFC 6184 section 5.2 and H.264 table 7-1.
const SPS: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
const TYPE: u8 = 0x1f;

/// Longest parameter set that is read, in bytes: the fields up to the size are
/// longer only with scaling lists, and then by less than a thousand bits each.
const MAX_SPS: usize = 1_024;

/// A NAL unit, or what a payload holds of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::media) enum Unit<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// Its header and what follows, the rest being in the next payloads.
    Start(u8, &'a [u8]),
    /// What follows on the payload before.
    Further(&'a [u8]),
}

impl<'a> Unit<'a> {
    /// The content of a sequence parameter set, without its header.
    fn parameters(self) -> Option<&'a [u8]> {
        match self {
            Self::Whole(unit) => {
                let (header, content) = unit.split_first()?;
                (header & TYPE == SPS).then_some(content)
            }
            Self::Start(header, content) => (header & TYPE == SPS).then_some(content),
            Self::Further(_) => None,
        }
    }
}

/// The NAL units of a payload. One that is cut short ends with its payload.
pub(in crate::media) fn units(payload: &[u8]) -> impl Iterator<Item = Unit<'_>> {
    let kind = payload.first().map(|byte| byte & TYPE);
    let aggregated = match kind {
        Some(STAP_A) => &payload[1..],
        Some(_) | None => &[],
    };
    let single = match kind {
        Some(STAP_A) | None => None,
        Some(FU_A) => fragment(payload),
        Some(_) => Some(Unit::Whole(payload)),
    };
    single.into_iter().chain(Aggregated(aggregated))
}

/// RFC 6184 section 5.8.
fn fragment(payload: &[u8]) -> Option<Unit<'_>> {
    const START: u8 = 0x80;
    let (&[indicator, header], content) = payload.split_first_chunk::<2>()?;
    Some(if header & START != 0 {
        Unit::Start(indicator & !TYPE | header & TYPE, content)
    } else {
        Unit::Further(content)
    })
}

/// What is left of a STAP-A, RFC 6184 section 5.7.1.
struct Aggregated<'a>(&'a [u8]);

impl<'a> Iterator for Aggregated<'a> {
    type Item = Unit<'a>;

    fn next(&mut self) -> Option<Unit<'a>> {
        let (length, rest) = self.0.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (unit, rest) = rest.split_at(length);
        self.0 = rest;
        Some(Unit::Whole(unit))
    }
}

/// A sequence parameter set comes. An IDR slice alone is not enough for a
/// decoder that has just joined.
pub(in crate::media) fn starts_keyframe(payload: &[u8]) -> bool {
    units(payload).any(|unit| unit.parameters().is_some())
}

/// The sequence parameter set of a payload. Of one that is fragmented, the first
/// fragment has to hold what is read of it, as any that is not absurd does.
pub(super) fn header(payload: &[u8]) -> Option<Header> {
    let content = units(payload).find_map(Unit::parameters)?;
    parameters(&unescaped(&content[..content.len().min(MAX_SPS)]))
}

/// Without emulation prevention bytes, H.264 section 7.4.1.
fn unescaped(content: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(content.len());
    let mut zeros = 0;
    for &byte in content {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        plain.push(byte);
    }
    plain
}

fn parameters(content: &[u8]) -> Option<Header> {
    let mut bits = Bits::new(content);
    let profile_level_id = bits.number(24)?;
    bits.exp_golomb()?; // seq_parameter_set_id
    let chroma = chroma((profile_level_id >> 16) as u8, &mut bits)?;
    skip_order(&mut bits)?;
    bits.exp_golomb()?; // max_num_ref_frames
    bits.flag()?; // gaps_in_frame_num_value_allowed_flag
    let columns = bits.exp_golomb()?.checked_add(1)?;
    let rows = bits.exp_golomb()?.checked_add(1)?;
    let fields = if bits.flag()? { 1 } else { 2 };
    if fields == 2 {
        bits.flag()?; // mb_adaptive_frame_field_flag
    }
    bits.flag()?; // direct_8x8_inference_flag
    let (across, down) = cropped(&mut bits)?;
    let (unit_across, unit_down) = chroma;
    let width = columns.checked_mul(16)?;
    let height = rows.checked_mul(16)?.checked_mul(fields)?;
    let width = width.checked_sub(across.checked_mul(unit_across)?)?;
    let height = height.checked_sub(down.checked_mul(unit_down * fields)?)?;
    Some(Header {
        size: size(width, height)?,
        profile_level_id: Some(profile_level_id),
    })
}

/// How many pixels a chroma sample stands for, across and down, by which
/// cropping is counted (table 6-1); 1 where there is no chroma.
fn chroma(profile: u8, bits: &mut Bits<'_>) -> Option<(u32, u32)> {
    const WITH_CHROMA_FORMAT: [u8; 13] =
        [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];
    if !WITH_CHROMA_FORMAT.contains(&profile) {
        return Some((2, 2));
    }
    let format = bits.exp_golomb()?;
    if format == 3 {
        bits.flag()?; // separate_colour_plane_flag
    }
    bits.exp_golomb()?; // bit_depth_luma_minus8
    bits.exp_golomb()?; // bit_depth_chroma_minus8
    bits.flag()?; // qpprime_y_zero_transform_bypass_flag
    if bits.flag()? {
        let lists = if format == 3 { 12 } else { 8 };
        for list in 0..lists {
            if bits.flag()? {
                skip_scaling_list(if list < 6 { 16 } else { 64 }, bits)?;
            }
        }
    }
    match format {
        1 => Some((2, 2)),
        2 => Some((2, 1)),
        0 | 3 => Some((1, 1)),
        _ => None,
    }
}

/// Section 7.3.2.1.1.1.
fn skip_scaling_list(entries: usize, bits: &mut Bits<'_>) -> Option<()> {
    let mut last = 8_i32;
    for _ in 0..entries {
        let next = last.wrapping_add(bits.signed_exp_golomb()?).rem_euclid(256);
        if next == 0 {
            break;
        }
        last = next;
    }
    Some(())
}

/// Frame numbers and picture order counts.
fn skip_order(bits: &mut Bits<'_>) -> Option<()> {
    /// num_ref_frames_in_pic_order_cnt_cycle, section 7.4.2.1.1.
    const LONGEST_CYCLE: u32 = 255;
    bits.exp_golomb()?; // log2_max_frame_num_minus4
    match bits.exp_golomb()? {
        0 => {
            bits.exp_golomb()?; // log2_max_pic_order_cnt_lsb_minus4
        }
        1 => {
            bits.flag()?; // delta_pic_order_always_zero_flag
            bits.exp_golomb()?; // offset_for_non_ref_pic
            bits.exp_golomb()?; // offset_for_top_to_bottom_field
            let cycle = bits.exp_golomb()?;
            if cycle > LONGEST_CYCLE {
                return None;
            }
            for _ in 0..cycle {
                bits.exp_golomb()?;
            }
        }
        2 => {}
        _ => return None,
    }
    Some(())
}

/// Chroma samples that are cut off, across and down.
fn cropped(bits: &mut Bits<'_>) -> Option<(u32, u32)> {
    if !bits.flag()? {
        return Some((0, 0));
    }
    let [left, right, top, bottom] = [(); 4].map(|()| bits.exp_golomb());
    Some((left?.checked_add(right?)?, top?.checked_add(bottom?)?))
}
