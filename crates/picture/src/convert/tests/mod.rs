//! Frames, made by hand.

mod jpeg;

use super::*;
use crate::{Matrix, Size};
use jpeg::jpeg;

const OURS: [u8; 3] = [100, 90, 200];

/// What has luma and chroma.
const UNCOMPRESSED: [PixelFormat; 6] = [
    PixelFormat::I420,
    PixelFormat::I422,
    PixelFormat::I444,
    PixelFormat::Nv12,
    PixelFormat::Yuyv,
    PixelFormat::Grey,
];

const PACKED_RGB: [PixelFormat; 2] = [PixelFormat::Bgrx, PixelFormat::Rgbx];

fn layout(format: PixelFormat, width: usize, height: usize, padding: usize) -> Layout {
    let packed = Layout::packed(format, width, height);
    Layout {
        stride: packed.stride + padding,
        ..packed
    }
}

fn convert(layout: Layout, bytes: &[u8]) -> Result<Picture, BadFrame> {
    let mut picture = Picture::black(Size::MIN);
    Converter::default()
        .convert(&layout, bytes, &mut picture)
        .map(|()| picture)
}

/// A picture in which every sample tells its place, in each of its planes.
fn known() -> Picture {
    let mut picture = Picture::black(Size::MIN);
    let fill = |plane: &mut [u8], seed: usize| {
        for (index, byte) in plane.iter_mut().enumerate() {
            *byte = (index * 7 + seed) as u8;
        }
    };
    fill(&mut picture.y, 1);
    fill(&mut picture.u, 2);
    fill(&mut picture.v, 3);
    picture
}

/// Rows of 160 bytes, each with as many more behind it as `padding` says.
fn padded(plane: &[u8], width: usize, padding: usize) -> Vec<u8> {
    let pad = |row: &[u8]| [row, &vec![0xEE; padding]].concat();
    plane.chunks(width).flat_map(pad).collect()
}

#[test]
fn i420_is_copied() {
    for padding in [0, 32] {
        let known = known();
        let planes = [
            padded(&known.y, 160, padding),
            padded(&known.u, 80, padding / 2),
            padded(&known.v, 80, padding / 2),
        ];
        let layout = layout(PixelFormat::I420, 160, 90, padding);
        assert!(convert(layout, &planes.concat()) == Ok(known));
    }
}

#[test]
fn nv12_is_taken_apart() {
    for padding in [0, 32] {
        let known = known();
        let pairs = known.u.iter().zip(&known.v);
        let chroma: Vec<u8> = pairs.flat_map(|(u, v)| [*u, *v]).collect();
        let planes = [
            padded(&known.y, 160, padding),
            padded(&chroma, 160, padding),
        ];
        let layout = layout(PixelFormat::Nv12, 160, 90, padding);
        assert!(convert(layout, &planes.concat()) == Ok(known));
    }
}

#[test]
fn yuyv_keeps_its_luma_and_every_second_chroma() {
    for padding in [0, 32] {
        let known = known();
        let rows = known.y.chunks(160).enumerate().map(|(row, lumas)| {
            let chroma = (row / 2 * 80)..;
            let pairs = lumas.chunks(2).zip(chroma);
            pairs
                .flat_map(|(y, at)| [y[0], known.u[at], y[1], known.v[at]])
                .collect::<Vec<u8>>()
        });
        let bytes: Vec<u8> = rows.flatten().collect();
        let layout = layout(PixelFormat::Yuyv, 160, 90, padding);
        assert!(convert(layout, &padded(&bytes, 320, padding)) == Ok(known));
    }
}

#[test]
fn odd_sizes_lose_their_last_column_and_row() {
    let (width, height) = (161, 91);
    for format in PACKED_RGB {
        let layout = layout(format, width, height, 1);
        let picture = convert(layout, &vec![255; layout.bytes()]).unwrap();
        assert!(picture.y.iter().all(|luma| *luma == 235), "{format:?}");
    }
    for format in UNCOMPRESSED {
        let layout = layout(format, width, height, 1);
        let picture = convert(layout, &vec![55; layout.bytes()]).unwrap();
        assert!(picture.y.iter().all(|luma| *luma == 55), "{format:?}");
    }
}

#[test]
fn other_colours_become_ours() {
    let mut layout = layout(PixelFormat::I420, 160, 90, 0);
    layout.colours = Colours::JPEG;
    let mut bytes = vec![255; 160 * 90];
    bytes.extend([128; 160 * 45]);
    let picture = convert(layout, &bytes).unwrap();
    assert!(picture.y.iter().all(|luma| *luma == 235));
}

/// The planes of a frame without padding: luma is `x + y`, chroma where a sample
/// lies in luma's columns, and in luma's rows.
fn gradient(format: PixelFormat, width: usize, height: usize) -> Vec<u8> {
    let wide = if format == PixelFormat::I444 { 1 } else { 2 };
    let high = if format == PixelFormat::I420 { 2 } else { 1 };
    let plane = |wide: usize, high: usize, of: fn(usize, usize) -> usize| {
        let rows = 0..height.div_ceil(high);
        let columns = 0..width.div_ceil(wide);
        rows.flat_map(move |y| columns.clone().map(move |x| of(x * wide, y * high) as u8))
            .collect::<Vec<u8>>()
    };
    let luma = plane(1, 1, |x, y| x + y);
    [
        luma,
        plane(wide, high, |x, _| x),
        plane(wide, high, |_, y| y),
    ]
    .concat()
}

#[test]
fn chroma_of_any_size_is_made_a_quarter() {
    for format in [PixelFormat::I420, PixelFormat::I422, PixelFormat::I444] {
        for (width, height) in [(160, 90), (161, 91)] {
            let layout = Layout::packed(format, width, height);
            let bytes = gradient(format, width, height);
            assert_eq!(bytes.len(), layout.bytes());
            let picture = convert(layout, &bytes).unwrap();
            let (x, y) = (30, 20);
            assert_eq!(picture.y[y * 160 + x], 50, "{format:?}");
            let of = |plane: &[u8]| plane[y / 2 * 80 + x / 2];
            // A mean of neighbours, rounded up, is one further.
            assert!((30..=31).contains(&of(&picture.u)), "{format:?}");
            assert!((20..=21).contains(&of(&picture.v)), "{format:?}");
        }
    }
}

#[test]
fn grey_has_no_colours() {
    let layout = Layout::packed(PixelFormat::Grey, 160, 90);
    let picture = convert(layout, &gradient(PixelFormat::Grey, 160, 90)[..160 * 90]).unwrap();
    assert_eq!(picture.y[161], 2);
    let mut chroma = picture.u.iter().chain(&picture.v);
    assert!(chroma.all(|sample| *sample == 128));
}

#[test]
fn full_range_is_made_limited() {
    let full = Layout {
        colours: Colours {
            matrix: Matrix::Bt709,
            full_range: true,
        },
        ..Layout::packed(PixelFormat::I420, 160, 90)
    };
    let check = |sample: u8, luma: u8, chroma: u8| {
        let picture = convert(full, &vec![sample; full.bytes()]).unwrap();
        assert!(picture.y.iter().all(|y| *y == luma), "{sample}");
        assert!(picture.u.iter().all(|u| *u == chroma), "{sample}");
    };
    check(0, 16, 16);
    check(128, 126, 128);
    check(255, 235, 240);
}

#[test]
fn both_orders_of_colours_are_understood() {
    let check = |format, pixel: [u8; 4]| {
        let layout = Layout::packed(format, 160, 90);
        let picture = convert(layout, &pixel.repeat(160 * 90)).unwrap();
        let colour = [picture.y[0], picture.u[0], picture.v[0]];
        // BT.709's red.
        let near = |(a, b): (u8, u8)| a.abs_diff(b) <= 1;
        let expected = [63, 102, 240];
        assert!(colour.into_iter().zip(expected).all(near), "{colour:?}");
    };
    check(PixelFormat::Bgrx, [0, 0, 255, 0]);
    check(PixelFormat::Rgbx, [255, 0, 0, 255]);
}

#[test]
fn frames_that_cannot_be_are_refused() {
    for format in UNCOMPRESSED.into_iter().chain(PACKED_RGB) {
        for (width, height) in [(0, 90), (160, 1)] {
            let layout = Layout::packed(format, width, height);
            assert!(convert(layout, &[0; 4_096]).is_err(), "{format:?}");
        }
        let overlapping = Layout {
            stride: format.stride(160) - 1,
            ..Layout::packed(format, 160, 90)
        };
        let bytes = vec![0; 160 * 90 * 4];
        assert!(convert(overlapping, &bytes).is_err(), "{format:?}");
    }
}

fn mjpeg() -> Layout {
    layout(PixelFormat::Mjpeg, 160, 90, 0)
}

#[test]
fn jpeg_without_huffman_tables_is_read() {
    // Full red of BT.601 in full range.
    let picture = convert(mjpeg(), &jpeg(160, 90, [76, 85, 255])).unwrap();
    assert!(picture.y.iter().all(|luma| luma.abs_diff(63) <= 1));
    assert!(picture.u.iter().all(|blue| blue.abs_diff(102) <= 1));
    assert!(picture.v.iter().all(|red| red.abs_diff(240) <= 1));
    // Bytes behind the end, as some cameras pad.
    let mut padded = jpeg(160, 90, OURS);
    padded.extend([0; 100]);
    assert!(convert(mjpeg(), &padded).is_ok());
    // An odd size, and another than the camera said.
    assert!(convert(mjpeg(), &jpeg(321, 183, OURS)).is_ok());
}

#[test]
fn frames_cut_short_are_corrupt() {
    for format in UNCOMPRESSED.into_iter().chain(PACKED_RGB) {
        let layout = layout(format, 160, 90, 0);
        let whole = vec![1; layout.bytes()];
        assert!(convert(layout, &whole).is_ok(), "{format:?}");
        let short = &whole[..whole.len() - 1];
        assert!(convert(layout, short).is_err(), "{format:?}");
        assert!(convert(layout, &[]).is_err(), "{format:?}");
    }
    let whole = jpeg(160, 90, OURS);
    for length in (0..whole.len() - 40).step_by(7) {
        assert!(convert(mjpeg(), &whole[..length]).is_err(), "{length}");
    }
    let grey = whole.len() / 2;
    assert!(convert(mjpeg(), &whole[grey..]).is_err());
}

#[test]
fn damaged_jpeg_never_panics() {
    let whole = jpeg(160, 90, OURS);
    let mut random: u32 = 12345;
    for position in 0..whole.len() {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mut damaged = whole.clone();
        damaged[position] ^= (random >> 24) as u8 | 1;
        // Whether it can be read is all the same.
        drop(convert(mjpeg(), &damaged));
    }
}
