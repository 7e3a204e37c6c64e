use std::sync::Arc;
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::media::packet::Extensions;
use crate::media::rewrite::Position;

const CODECS: [Codec; 5] = [Codec::H264, Codec::Vp8, Codec::Vp9, Codec::Av1, Codec::Opus];

/// x264: High 4.0, cropped to 1,080 lines.
const HIGH_1080: &[u8] = b"\x67\x64\x00\x28\xac\xb4\x03\xc0\x11\x3f\x2c\x20\x00\x00\x03\x00\x20\x00\x00\x07\x91\xe3\x06\x54\x00";
/// x264: Main 3.0, cropped both ways.
const MAIN_642: &[u8] = b"\x67\x4d\x40\x1e\xd9\x00\xa4\x2f\xe2\x26\x84\x00\x00\x03\x00\x04\x00\x00\x03\x00\xf2\x3c\x58\xb9\x20\x00";
/// x264: Constrained Baseline 3.1.
const BASELINE_854: &[u8] = b"\x67\x42\xc0\x1f\xd9\x00\xd8\x3d\xe6\xe1\x00\x00\x03\x00\x01\x00\x00\x03\x00\x3c\x8f\x18\x32\x48\x00";
/// x264: High, interlaced.
const INTERLACED: &[u8] = b"\x67\x64\x00\x1f\xac\xe4\x02\xd0\x93\x42\x00\x00\x03\x00\x02\x00\x00\x03\x00\x79\x3e\x2c\x5c\x90\x00";
/// x264: High 4:2:2 and High 4:4:4, which crop by other units.
const HIGH_422: &[u8] = b"\x67\x7a\x00\x0d\xbc\xb2\x02\xa1\x0f\x11\x1f\x08\x00\x00\x03\x00\x08\x00\x00\x03\x01\xe4\x78\xa1\x52\x40\x00";
const HIGH_444: &[u8] = b"\x67\xf4\x00\x0d\x91\xd6\x40\x54\x21\xe3\xe3\xe1\x00\x00\x03\x00\x01\x00\x00\x03\x00\x3c\x8f\x14\x2a\x48\x00";
/// libvpx: starts of frames of 34x18.
const VP8_34: &[u8] = b"\x50\x02\x00\x9d\x01\x2a\x22\x00\x12\x00\x00\x47";
const VP9_34: &[u8] = b"\x82\x49\x83\x42\x00\x02\x10\x01\x16\x00\x38\x24";
const VP9_34_RGB: &[u8] = b"\xa2\x49\x83\x42\x00\x00\x42\x00\x22\xc0\x07\x04";
/// The same by hand: profile 2, 640x360.
const VP9_640_DEEP: &[u8] = b"\x92\x49\x83\x42\x10\x13\xf8\x0b\x38";
/// SVT-AV1: the sequence header of 640x360, with its size.
const AV1_640: &[u8] = b"\x0a\x0b\x00\x00\x00\x0c\xc4\xff\x67\x12\xbe\x40\x10";

fn read(codec: Codec, payload: &[u8]) -> Option<(u32, u32, Option<u32>)> {
    let header = header(codec, payload)?;
    let PictureSize { width, height } = header.size;
    Some((width, height, header.profile_level_id))
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Numbers of so many bits each, and zeros to the byte's end.
fn bits(fields: &[(u64, u32)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut at = 0;
    for (value, width) in fields {
        for bit in (0..*width).rev() {
            if at % 8 == 0 {
                bytes.push(0);
            }
            *bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (7 - at % 8);
            at += 1;
        }
    }
    bytes
}

#[test]
fn keyframes_are_found() {
    let table: &[(Codec, &[u8], bool)] = &[
        (Codec::H264, &[0x67, 0x42], true),
        (Codec::H264, &[0x68, 0xce], false),
        (Codec::H264, &[0x65, 0x88], false),
        // STAP-A: PPS alone; access unit delimiter, then SPS.
        (Codec::H264, &[0x78, 0, 2, 0x68, 0xce], false),
        (
            Codec::H264,
            &[0x78, 0, 2, 0x09, 0x10, 0, 2, 0x67, 0x42],
            true,
        ),
        // STAP-A whose size points past the end, and one cut in the size.
        (Codec::H264, &[0x78, 0xff, 0xff, 0x68], false),
        (Codec::H264, &[0x78, 0], false),
        // FU-A: start of an SPS, its middle, start of a slice.
        (Codec::H264, &[0x7c, 0x87, 0x42], true),
        (Codec::H264, &[0x7c, 0x07, 0x42], false),
        (Codec::H264, &[0x7c, 0x81, 0x42], false),
        (Codec::H264, &[0x7c], false),
        (Codec::H264, &[], false),
        (Codec::Vp8, &[0x10, 0x00], true),
        (Codec::Vp8, &[0x10, 0x01], false),
        (Codec::Vp8, &[0x00, 0x00], false),
        (Codec::Vp8, &[0x11, 0x00], false),
        // Extensions: 15-bit picture id, TL0PICIDX, TID and KEYIDX.
        (Codec::Vp8, &[0x90, 0xf0, 0x80, 1, 2, 3, 0x00], true),
        (Codec::Vp8, &[0x90, 0xf0, 0x80, 1, 2, 3, 0x01], false),
        (Codec::Vp8, &[0x90, 0x80, 0x01, 0x00], true),
        (Codec::Vp8, &[0x90, 0xf0, 0x80], false),
        (Codec::Vp8, &[], false),
        (Codec::Vp9, &[0x08], true),
        (Codec::Vp9, &[0x48], false),
        (Codec::Vp9, &[0x00], false),
        (Codec::Vp9, &[0xa8, 0x80, 0x01, 0x00], true),
        (Codec::Vp9, &[0xa8, 0x80, 0x01, 0x02], false),
        (Codec::Vp9, &[0xa8, 0x80], false),
        (Codec::Av1, &[0x18, 0x0a], true),
        (Codec::Av1, &[0x10, 0x0a], false),
        (Codec::Av1, &[0x98, 0x0a], false),
        (Codec::Av1, &[], false),
        (Codec::Opus, &[0x08, 0x08], false),
    ];
    for (codec, payload, expected) in table {
        assert_eq!(
            starts_keyframe(*codec, payload),
            *expected,
            "{codec:?} {payload:02x?}"
        );
    }
}

#[test]
fn h264_tells_size_profile_and_level() {
    let high = Some((1_920, 1_080, Some(0x64_00_28)));
    let length = [0, HIGH_1080.len() as u8];
    let table = [
        (HIGH_1080.to_vec(), high),
        (MAIN_642.to_vec(), Some((642, 358, Some(0x4d_40_1e)))),
        (BASELINE_854.to_vec(), Some((854, 480, Some(0x42_c0_1f)))),
        (INTERLACED.to_vec(), Some((720, 576, Some(0x64_00_1f)))),
        (HIGH_422.to_vec(), Some((322, 242, Some(0x7a_00_0d)))),
        (HIGH_444.to_vec(), Some((322, 242, Some(0xf4_00_0d)))),
        // STAP-A: access unit delimiter, SPS, PPS.
        (
            joined(&[
                &[0x78, 0, 2, 0x09, 0x10],
                &length,
                HIGH_1080,
                &[0, 2, 0x68, 0xce],
            ]),
            high,
        ),
        // FU-A, its first fragment and a further one.
        (joined(&[&[0x7c, 0x87], &HIGH_1080[1..20]]), high),
        (joined(&[&[0x7c, 0x07], &HIGH_1080[1..]]), None),
        // Cut before the size ends.
        (HIGH_1080[..8].to_vec(), None),
        (vec![0x65, 0x88, 0x84], None),
    ];
    for (payload, expected) in table {
        assert_eq!(read(Codec::H264, &payload), expected, "{payload:02x?}");
    }
}

#[test]
fn scaling_lists_are_passed_over() {
    // Exp-Golomb: as many zeros before the number as it has bits but one.
    let ue = |value: u64| {
        let width = u64::BITS - (value + 1).leading_zeros();
        (value + 1, 2 * width - 1)
    };
    let mut fields = vec![(0x67, 8), (0x64_00_1f, 24), ue(0), ue(1), ue(0), ue(0)];
    fields.extend([(0, 1), (1, 1)]);
    // A list whose second entry ends it (8 - 8), one of 16 equal entries, six
    // that are not there.
    fields.extend([(1, 1), ue(0), ue(16)]);
    fields.push((1, 1));
    fields.extend([ue(0); 16]);
    fields.push((0, 6));
    // Order of kind 1 with a cycle of two; four frames, 320x240, no cropping.
    fields.extend([ue(0), ue(1), (0, 1), ue(3), ue(4), ue(2), ue(5), ue(6)]);
    fields.extend([ue(4), (0, 1), ue(19), ue(14), (1, 1), (1, 1), (0, 1)]);
    assert_eq!(
        read(Codec::H264, &bits(&fields)),
        Some((320, 240, Some(0x64_00_1f)))
    );
}

#[test]
fn vp8_tells_its_size() {
    let table = [
        (joined(&[&[0x10], VP8_34]), Some((34, 18, None))),
        // Extensions: 15-bit picture id, TL0PICIDX, TID and KEYIDX.
        (
            joined(&[&[0x90, 0xf0, 0x80, 1, 2, 3], VP8_34]),
            Some((34, 18, None)),
        ),
        // Not the frame's start, not a keyframe, no start code, cut.
        (joined(&[&[0x00], VP8_34]), None),
        (joined(&[&[0x10, 0x51], &VP8_34[1..]]), None),
        (vec![0x10, 0x50, 2, 0, 1, 2, 3, 4, 5, 6, 7], None),
        (joined(&[&[0x10], &VP8_34[..9]]), None),
    ];
    for (payload, expected) in table {
        assert_eq!(read(Codec::Vp8, &payload), expected, "{payload:02x?}");
    }
}

#[test]
fn vp9_tells_its_size() {
    let structure: &[u8] = &[0x38, 0, 34, 0, 18, 0, 68, 0, 36, 2, 0x04, 9, 0x00];
    let table = [
        (joined(&[&[0x0c], VP9_34]), Some((34, 18, None))),
        (
            joined(&[&[0x8c, 0x81, 2], VP9_34_RGB]),
            Some((34, 18, None)),
        ),
        (joined(&[&[0x0c], VP9_640_DEEP]), Some((640, 360, None))),
        // Layers, non-flexible and flexible, with a structure of two sizes.
        (
            joined(&[&[0x2a, 0, 7], structure, VP9_34]),
            Some((68, 36, None)),
        ),
        (
            joined(&[&[0x3a, 0], structure, VP9_34]),
            Some((68, 36, None)),
        ),
        // A structure without sizes: the frame's own counts.
        (joined(&[&[0x0a, 0x00], VP9_34]), Some((34, 18, None))),
        // Predicted; the second layer; not the start; a structure cut.
        (joined(&[&[0x4c], VP9_34]), None),
        (joined(&[&[0x3c, 2], VP9_34]), None),
        (joined(&[&[0x04], VP9_34]), None),
        (vec![0x2a, 0, 7, 0x38, 0, 34, 0, 18, 0], None),
        (joined(&[&[0x0c], &VP9_34[..8]]), None),
    ];
    for (payload, expected) in table {
        assert_eq!(read(Codec::Vp9, &payload), expected, "{payload:02x?}");
    }
}

#[test]
fn av1_tells_its_size() {
    let bare = [&[0x08], &AV1_640[2..]].concat();
    let delimiter: &[u8] = &[0x02, 0x12, 0x00];
    let length = [bare.len() as u8];
    let expected = Some((640, 360, None));
    let table = [
        // One element without a length, its OBU with one and without.
        (joined(&[&[0x18], AV1_640]), expected),
        (joined(&[&[0x18], &bare]), expected),
        // With the extension byte.
        (joined(&[&[0x18, 0x0c, 0x20], &AV1_640[2..]]), expected),
        // After a delimiter, counted and not, and before a frame.
        (joined(&[&[0x28], delimiter, &bare]), expected),
        (joined(&[&[0x08], delimiter, &length, &bare]), expected),
        (joined(&[&[0x28], &length, &bare, &[0x30, 1, 2]]), expected),
        // The rest of an element that began before, then the header.
        (joined(&[&[0xa8, 2, 0x0a, 0x0b], &bare]), expected),
        (joined(&[&[0x98], &bare]), None),
        (joined(&[&[0x18], &bare[..6]]), None),
        (vec![0x18, 0x30, 1, 2], None),
    ];
    for (payload, expected) in table {
        assert_eq!(read(Codec::Av1, &payload), expected, "{payload:02x?}");
    }
}

#[test]
fn av1_headers_with_timing_and_several_operating_points_are_read() {
    let mut fields = vec![(0x18, 8), (0x08, 8), (0, 3), (0, 1), (0, 1)];
    // Timing of equal pictures; decoder model with delays of ten bits.
    fields.extend([(1, 1), (1, 32), (60, 32), (1, 1), (0b011, 3)]);
    fields.extend([(1, 1), (9, 5), (1, 32), (4, 5), (4, 5)]);
    // Two operating points: one with everything, one with nothing.
    fields.extend([(1, 1), (1, 5)]);
    fields.extend([(0x101, 12), (8, 5), (1, 1), (1, 1), (7, 21), (1, 1), (3, 4)]);
    fields.extend([(0x001, 12), (7, 5), (0, 1), (0, 1)]);
    fields.extend([(10, 4), (9, 4), (1_279, 11), (719, 10)]);
    let payload = bits(&fields);
    assert_eq!(read(Codec::Av1, &payload), Some((1_280, 720, None)));
    // A still picture's reduced header.
    let reduced = [(0x18, 8), (0x08, 8), (0, 3), (1, 1), (1, 1), (4, 5)];
    let sides = [(5, 4), (5, 4), (33, 6), (17, 6)];
    let payload = bits(&[&reduced[..], &sides].concat());
    assert_eq!(read(Codec::Av1, &payload), Some((34, 18, None)));
}

#[test]
fn absurd_sizes_are_none() {
    assert_eq!(size(0, 16), None);
    assert_eq!(size(16, MAX_SIDE + 1), None);
    assert!(size(1, MAX_SIDE).is_some());
}

fn packet(codec: Codec, layer: u8, pt: u8, payload: &[u8]) -> MediaPacket {
    MediaPacket {
        kind: codec.kind(),
        codec,
        layer,
        pt,
        position: Position {
            epoch: 0,
            sequence: 0,
            timestamp: 0,
            captured: Instant::now(),
            picture: PictureNumbers::default(),
        },
        marker: true,
        starts_keyframe: starts_keyframe(codec, payload),
        extensions: Extensions::default(),
        payload: Arc::from(payload),
    }
}

#[test]
fn a_size_is_told_once_and_when_it_changes() {
    let mut pictures = Pictures::default();
    let mut now = Instant::now();
    let mut told = |codec, layer, pt, payload: &[u8]| {
        now += TOLD_EVERY;
        pictures.take_in(&packet(codec, layer, pt, payload));
        let size = pictures.take_size(now);
        let size = size.map(|size| (size.width, size.height));
        (size, pictures.profile_level_id(102))
    };
    let high = Some(0x64_00_28);
    let main = Some(0x4d_40_1e);
    assert_eq!(told(Codec::H264, 0, 102, &[0x41, 0x9a]), (None, None));
    let table: [(&[u8], _); 5] = [
        (MAIN_642, (Some((642, 358)), main)),
        (MAIN_642, (None, main)),
        (&[0x41, 0x9a], (None, main)),
        (&[0x67, 0x42], (None, main)),
        (HIGH_1080, (Some((1_920, 1_080)), high)),
    ];
    for (payload, expected) in table {
        assert_eq!(told(Codec::H264, 0, 102, payload), expected);
    }
    // Of simulcast layers the largest counts.
    assert_eq!(told(Codec::H264, 1, 102, MAIN_642), (None, high));
    // Another codec has a size of its own, and no profile.
    let vp8 = joined(&[&[0x10], VP8_34]);
    assert_eq!(told(Codec::Vp8, 0, 96, &vp8), (Some((34, 18)), None));
}

#[test]
fn sizes_that_change_all_the_time_are_told_now_and_then() {
    let start = Instant::now();
    let mut pictures = Pictures::default();
    let mut told = Vec::new();
    for ms in 0..1_200 {
        let payload = if ms % 2 == 0 { MAIN_642 } else { HIGH_1080 };
        pictures.take_in(&packet(Codec::H264, 0, 102, payload));
        let size = pictures.take_size(start + Duration::from_millis(ms));
        told.extend(size.map(|size| (ms, size.width)));
    }
    // At its time the size is the one told before, and a moment later it is not.
    assert_eq!(told, [(0, 642), (501, 1_920), (1_002, 642)]);
    // The last one is told in the end, though nothing else comes.
    let at = pictures.poll_timeout().unwrap();
    assert_eq!(pictures.take_size(at).map(|size| size.width), Some(1_920));
    assert_eq!(pictures.poll_timeout(), None);
}

proptest! {
    #[test]
    fn garbage_is_never_read_past_its_end(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        for codec in CODECS {
            let _ = header(codec, &payload);
            let _ = starts_keyframe(codec, &payload);
        }
    }

    #[test]
    fn damaged_headers_are_read_or_not(
        which in 0_usize..6,
        at in 0_usize..40,
        value: u8,
        length in 0_usize..60,
    ) {
        let (codec, prefix, bytes): (_, &[u8], _) = [
            (Codec::H264, &[][..], HIGH_1080),
            (Codec::H264, &[0x7c, 0x87], INTERLACED),
            (Codec::Vp8, &[0x10], VP8_34),
            (Codec::Vp9, &[0x2a, 0, 7, 0x38, 0, 34, 0, 18, 0, 68, 0, 36, 2, 4, 9, 0], VP9_34),
            (Codec::Vp9, &[0x0c], VP9_640_DEEP),
            (Codec::Av1, &[0x18], AV1_640),
        ][which];
        let mut payload = [prefix, bytes].concat();
        if let Some(byte) = payload.get_mut(at) {
            *byte = value;
        }
        payload.truncate(length);
        if let Some(header) = header(codec, &payload) {
            let sides = 1..=MAX_SIDE;
            prop_assert!(sides.contains(&header.size.width) && sides.contains(&header.size.height));
        }
    }
}
