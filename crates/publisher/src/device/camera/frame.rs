//! What cameras deliver, and how it becomes a picture.

use std::borrow::Cow;
use std::fmt;
use std::time::Instant;

use yuv::{YuvPackedImage, yuyv422_to_yuv420};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::device::colours::{Colours, Conversion};
use crate::device::planes::{Fitter, Planes};
use crate::{Picture, Size};

/// How the bytes of a frame make a picture; the best to have first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PixelFormat {
    /// Luma, then both chromas a quarter each.
    #[cfg_attr(
        not(any(target_os = "linux", test)),
        expect(dead_code, reason = "nokhwa does not know it")
    )]
    I420,
    /// Luma, then both chromas interleaved.
    Nv12,
    /// Two pixels in four bytes: luma, blue, luma, red.
    Yuyv,
    /// A JPEG file each, perhaps without Huffman tables.
    Mjpeg,
}

impl PixelFormat {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::I420 => "I420",
            Self::Nv12 => "NV12",
            Self::Yuyv => "YUYV",
            Self::Mjpeg => "MJPEG",
        }
    }

    /// Bytes of a row of luma, if the camera does not pad it.
    pub(super) const fn stride(self, width: usize) -> usize {
        match self {
            Self::I420 | Self::Nv12 => width,
            Self::Yuyv => width * 2,
            Self::Mjpeg => 0,
        }
    }
}

/// How a camera that is open delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) format: PixelFormat,
    pub(super) width: usize,
    pub(super) height: usize,
    /// Bytes from one row of luma to the next; of no meaning for MJPEG.
    pub(super) stride: usize,
    /// For MJPEG those of JPEG are taken.
    pub(super) colours: Colours,
}

/// A frame as the camera delivered it.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawFrame<'a> {
    pub(super) layout: Layout,
    pub(super) bytes: &'a [u8],
    pub(super) capture_time: Instant,
}

/// A frame that is no picture, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Corrupt(pub(super) String);

/// Makes frames pictures.
#[derive(Debug, Default)]
pub(super) struct Converter {
    planes: Planes,
    fitter: Fitter,
}

impl Converter {
    /// Draws the frame, in our colours, as large as fits.
    pub(super) fn convert(
        &mut self,
        frame: &RawFrame<'_>,
        into: &mut Picture,
    ) -> Result<(), Corrupt> {
        let Layout {
            format, colours, ..
        } = frame.layout;
        let colours = match format {
            PixelFormat::I420 => self.i420(frame).map(|()| colours),
            PixelFormat::Nv12 => self.nv12(frame).map(|()| colours),
            PixelFormat::Yuyv => self.yuyv(frame).map(|()| colours),
            PixelFormat::Mjpeg => self.mjpeg(frame.bytes).map(|()| Colours::JPEG),
        }?;
        if let Some(conversion) = Conversion::from(colours) {
            conversion.apply(&mut self.planes);
        }
        self.fitter.fit(&mut self.planes, into);
        Ok(())
    }

    /// The planes of a frame as large as `layout`, cut to be even.
    fn reset(&mut self, layout: &Layout) {
        self.planes.reset(layout.width & !1, layout.height & !1);
    }

    fn i420(&mut self, frame: &RawFrame<'_>) -> Result<(), Corrupt> {
        let layout = &frame.layout;
        let rows = layout.height.div_ceil(2);
        let chroma = layout.stride.div_ceil(2) * rows;
        let [y, u, v] = split(frame.bytes, [layout.stride * layout.height, chroma, chroma])?;
        self.reset(layout);
        let planes = &mut self.planes;
        copy_rows(y, layout.stride, &mut planes.y, planes.width);
        let stride = layout.stride.div_ceil(2);
        copy_rows(u, stride, &mut planes.u, planes.width / 2);
        copy_rows(v, stride, &mut planes.v, planes.width / 2);
        Ok(())
    }

    fn nv12(&mut self, frame: &RawFrame<'_>) -> Result<(), Corrupt> {
        let layout = &frame.layout;
        let chroma = layout.stride * layout.height.div_ceil(2);
        let luma = layout.stride * layout.height;
        let [y, chroma] = split(frame.bytes, [luma, chroma])?;
        self.reset(layout);
        let planes = &mut self.planes;
        copy_rows(y, layout.stride, &mut planes.y, planes.width);
        let half = planes.width / 2;
        let halves = planes.u.chunks_exact_mut(half);
        let halves = halves.zip(planes.v.chunks_exact_mut(half));
        for (row, (u, v)) in chroma.chunks(layout.stride).zip(halves) {
            for (pair, (u, v)) in row.chunks_exact(2).zip(u.iter_mut().zip(v)) {
                (*u, *v) = (pair[0], pair[1]);
            }
        }
        Ok(())
    }

    fn yuyv(&mut self, frame: &RawFrame<'_>) -> Result<(), Corrupt> {
        let layout = &frame.layout;
        self.reset(layout);
        let planes = &mut self.planes;
        let [bytes] = split(frame.bytes, [layout.stride * planes.height])?;
        let (width, height) = (planes.width as u32, planes.height as u32);
        let packed = YuvPackedImage {
            yuy: bytes,
            yuy_stride: layout.stride as u32,
            width,
            height,
        };
        yuyv422_to_yuv420(&mut planes.borrowed(), &packed).map_err(corrupt)
    }

    fn mjpeg(&mut self, bytes: &[u8]) -> Result<(), Corrupt> {
        let (pixels, width, height) = decode_jpeg(bytes)?;
        if width < 2 || height < 2 {
            return Err(Corrupt("the picture has hardly a pixel".to_owned()));
        }
        self.planes.reset(width & !1, height & !1);
        let planes = &mut self.planes;
        let half = planes.width / 2;
        let chroma = planes.u.chunks_exact_mut(half);
        let chroma = chroma.zip(planes.v.chunks_exact_mut(half));
        let lumas = planes.y.chunks_exact_mut(planes.width * 2);
        for ((rows, lumas), (u, v)) in pixels.chunks_exact(width * 6).zip(lumas).zip(chroma) {
            let (above, below) = rows.split_at(width * 3);
            for (pixels, lumas) in [above, below]
                .into_iter()
                .zip(lumas.chunks_exact_mut(half * 2))
            {
                for (pixel, luma) in pixels.chunks_exact(3).zip(lumas) {
                    *luma = pixel[0];
                }
            }
            let squares = above.chunks_exact(6).zip(below.chunks_exact(6));
            for ((above, below), (u, v)) in squares.zip(u.iter_mut().zip(v)) {
                *u = mean([above[1], above[4], below[1], below[4]]);
                *v = mean([above[2], above[5], below[2], below[5]]);
            }
        }
        Ok(())
    }
}

fn mean(bytes: [u8; 4]) -> u8 {
    ((bytes.iter().map(|byte| u16::from(*byte)).sum::<u16>() + 2) / 4) as u8
}

/// The first bytes, in pieces of these lengths.
fn split<const N: usize>(mut bytes: &[u8], lengths: [usize; N]) -> Result<[&[u8]; N], Corrupt> {
    let mut pieces = [[].as_slice(); N];
    for (piece, length) in pieces.iter_mut().zip(lengths) {
        let Some((first, rest)) = bytes.split_at_checked(length) else {
            return Err(Corrupt("the frame is too short".to_owned()));
        };
        (*piece, bytes) = (first, rest);
    }
    Ok(pieces)
}

fn copy_rows(from: &[u8], stride: usize, into: &mut [u8], width: usize) {
    for (from, into) in from.chunks(stride).zip(into.chunks_exact_mut(width)) {
        into.copy_from_slice(&from[..width]);
    }
}

/// The pixels of a JPEG file, three bytes each, and its size.
fn decode_jpeg(bytes: &[u8]) -> Result<(Vec<u8>, usize, usize), Corrupt> {
    let whole = with_tables(bytes);
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::YCbCr)
        .set_max_width(Size::MAX.width())
        .set_max_height(Size::MAX.height())
        .set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&*whole), options);
    decoder.decode_headers().map_err(corrupt)?;
    let Some(info) = decoder.info().filter(|info| info.components == 3) else {
        return Err(Corrupt("the picture has no colour".to_owned()));
    };
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    let mut pixels = vec![0; width * height * 3];
    decoder.decode_into(&mut pixels).map_err(corrupt)?;
    Ok((pixels, width, height))
}

/// Motion JPEG often leaves out the Huffman tables and means those of ITU-T
/// T.81 annex K. The decoder knows them, but takes them only for files marked
/// as being part of an AVI file: we mark what has none.
fn with_tables(bytes: &[u8]) -> Cow<'_, [u8]> {
    const START: [u8; 2] = [0xFF, 0xD8];
    const AVI: [u8; 14] = *b"\xFF\xE0\x00\x0CAVI1\0\0\0\0\0\0";
    match bytes.strip_prefix(&START) {
        Some(rest) if !has_tables(rest) => Cow::Owned([&START[..], &AVI, rest].concat()),
        _ => Cow::Borrowed(bytes),
    }
}

/// Whether there are Huffman tables (DHT) before the first scan (SOS).
fn has_tables(mut segments: &[u8]) -> bool {
    while let [0xFF, marker, high, low, ..] = *segments {
        match marker {
            0xC4 => return true,
            0xDA => return false,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        segments = segments.get(2 + length..).unwrap_or_default();
    }
    // Not for us to say: the decoder will complain.
    true
}

fn corrupt(error: impl fmt::Debug) -> Corrupt {
    Corrupt(format!("{error:?}"))
}

#[cfg(test)]
pub(super) mod testing {
    /// A JPEG file of one colour, without Huffman tables, as Motion JPEG has
    /// it: blocks of 8x8 pixels that differ from the one before in nothing.
    pub(in crate::device::camera) fn jpeg(width: u16, height: u16, colour: [u8; 3]) -> Vec<u8> {
        let [h, w] = [height, width].map(u16::to_be_bytes);
        let mut file = vec![0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0];
        // Divided by 8, the sum over a block is its mean.
        file.extend([8; 64]);
        file.extend([0xFF, 0xC0, 0, 17, 8, h[0], h[1], w[0], w[1], 3]);
        file.extend([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
        file.extend([0xFF, 0xDA, 0, 12, 3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]);
        let blocks = usize::from(width.div_ceil(8)) * usize::from(height.div_ceil(8));
        let mut bits = String::new();
        let mut before = [128; 3];
        for _ in 0..blocks {
            for (component, value) in colour.into_iter().enumerate() {
                let difference = i32::from(value) - before[component];
                before[component] = value.into();
                bits += &block(component == 0, difference);
            }
        }
        while !bits.len().is_multiple_of(8) {
            bits.push('1');
        }
        for byte in bits.as_bytes().chunks(8) {
            let byte = byte.iter().fold(0, |byte, bit| byte << 1 | (bit - b'0'));
            file.push(byte);
            if byte == 0xFF {
                file.push(0);
            }
        }
        file.extend([0xFF, 0xD9]);
        file
    }

    /// A block of one value, by the codes of ITU-T T.81 annex K.3.
    fn block(luma: bool, difference: i32) -> String {
        const LUMA: [&str; 9] = [
            "00", "010", "011", "100", "101", "110", "1110", "11110", "111110",
        ];
        const CHROMA: [&str; 9] = [
            "00", "01", "10", "110", "1110", "11110", "111110", "1111110", "11111110",
        ];
        let size = (32 - difference.unsigned_abs().leading_zeros()) as usize;
        let (code, end) = if luma {
            (LUMA[size], "1010")
        } else {
            (CHROMA[size], "00")
        };
        let bits = if difference < 0 {
            difference + (1 << size) - 1
        } else {
            difference
        };
        match size {
            0 => format!("{code}{end}"),
            _ => format!("{code}{bits:0size$b}{end}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::jpeg;
    use super::*;

    const OURS: [u8; 3] = [100, 90, 200];

    fn layout(format: PixelFormat, width: usize, height: usize, padding: usize) -> Layout {
        Layout {
            format,
            width,
            height,
            stride: format.stride(width) + padding,
            colours: Colours::OURS,
        }
    }

    fn convert(layout: Layout, bytes: &[u8]) -> Result<Picture, Corrupt> {
        let mut picture = Picture::black(Size::MIN);
        let frame = RawFrame {
            layout,
            bytes,
            capture_time: Instant::now(),
        };
        Converter::default()
            .convert(&frame, &mut picture)
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
        for format in [PixelFormat::I420, PixelFormat::Nv12, PixelFormat::Yuyv] {
            let layout = layout(format, width, height, 1);
            let bytes = vec![55; layout.stride * height * 2];
            let picture = convert(layout, &bytes).unwrap();
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
        for format in [PixelFormat::I420, PixelFormat::Nv12, PixelFormat::Yuyv] {
            let layout = layout(format, 160, 90, 0);
            let whole = vec![1; layout.stride * 90 * 2];
            assert!(convert(layout, &whole[..100]).is_err(), "{format:?}");
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
}
