//! VP8 and VP9: frames are sent as they are; only their first bits matter.

use crate::file::bits::Bits;

/// Starts every keyframe's header (RFC 6386 section 9.1).
const VP8_START_CODE: [u8; 3] = [0x9d, 0x01, 0x2a];

/// `frame_sync_code` (VP9 section 6.2).
const VP9_SYNC_CODE: u32 = 0x49_8342;

/// Whether a VP8 frame is a keyframe; `None` if it is corrupt.
pub(super) fn vp8_is_keyframe(frame: &[u8]) -> Option<bool> {
    let keyframe = frame.first()? & 1 == 0;
    let starts_well = !keyframe || frame.get(3..6) == Some(&VP8_START_CODE);
    (frame.len() > 3 && starts_well).then_some(keyframe)
}

/// Whether a VP9 superframe starts with a keyframe; `None` if it is corrupt.
pub(super) fn vp9_is_keyframe(frame: &[u8]) -> Option<bool> {
    let mut bits = Bits::new(frame);
    profile(&mut bits)?;
    let show_existing_frame = bits.bit()?;
    if show_existing_frame {
        return Some(false);
    }
    let keyframe = !bits.bit()?;
    bits.number(2)?; // show_frame, error_resilient_mode
    if keyframe && bits.number(24)? != VP9_SYNC_CODE {
        return None;
    }
    Some(keyframe)
}

/// The profile of a VP9 frame, 0 to 3.
pub(super) fn vp9_profile(frame: &[u8]) -> Option<u8> {
    profile(&mut Bits::new(frame))
}

/// The start of `uncompressed_header` (VP9 section 6.2).
fn profile(bits: &mut Bits<'_>) -> Option<u8> {
    if bits.number(2)? != 2 {
        return None;
    }
    let (low, high) = (bits.bit()?, bits.bit()?);
    let profile = u8::from(high) << 1 | u8::from(low);
    let reserved = profile == 3 && bits.bit()?;
    (!reserved).then_some(profile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vp8_keyframes_are_known_by_bit_and_start_code() {
        let check = |frame: &[u8], expected| assert_eq!(vp8_is_keyframe(frame), expected);
        check(&[0x10, 2, 0, 0x9d, 0x01, 0x2a, 64, 1], Some(true));
        check(&[0x11, 2, 0, 7], Some(false));
        check(&[0x10, 2, 0, 0x9d, 0x01, 0x2b, 64, 1], None);
        check(&[0x11, 2], None);
        check(&[], None);
    }

    #[test]
    fn vp9_keyframes_are_known_by_bit_and_sync_code() {
        let check = |frame: &[u8], expected| assert_eq!(vp9_is_keyframe(frame), expected);
        check(&[0b1000_0010, 0x49, 0x83, 0x42], Some(true));
        check(&[0b1000_0110, 0], Some(false));
        check(&[0b1000_1000], Some(false));
        check(&[0b1000_0010, 0x49, 0x83, 0x43], None);
        check(&[0b0100_0010, 0x49, 0x83, 0x42], None);
        check(&[], None);
        assert_eq!(vp9_profile(&[0b1001_0010]), Some(2));
        assert_eq!(vp9_profile(&[0b1011_0010]), Some(3));
        assert_eq!(vp9_profile(&[0b1011_1010]), None);
    }
}
