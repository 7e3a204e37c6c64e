//! Motion JPEG: a file for each picture.

use std::borrow::Cow;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{BadFrame, bad, mean};
use crate::Size;
use crate::planes::Planes;

/// Reads a file; an odd column and row are left out.
pub(super) fn decode(file: &[u8], planes: &mut Planes) -> Result<(), BadFrame> {
    let (pixels, width, height) = pixels(file)?;
    if width < 2 || height < 2 {
        return Err(BadFrame("the picture has hardly a pixel".to_owned()));
    }
    planes.reset(width & !1, height & !1);
    let half = planes.width / 2;
    let chroma = planes.u.chunks_exact_mut(half);
    let chroma = chroma.zip(planes.v.chunks_exact_mut(half));
    let lumas = planes.y.chunks_exact_mut(planes.width * 2);
    for ((rows, lumas), (u, v)) in pixels.chunks_exact(width * 6).zip(lumas).zip(chroma) {
        let (above, below) = rows.split_at(width * 3);
        let rows = [above, below].into_iter();
        for (pixels, lumas) in rows.zip(lumas.chunks_exact_mut(half * 2)) {
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

/// The pixels of a file, three bytes each, and its size.
fn pixels(file: &[u8]) -> Result<(Vec<u8>, usize, usize), BadFrame> {
    let whole = with_tables(file);
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::YCbCr)
        .set_max_width(Size::MAX.width())
        .set_max_height(Size::MAX.height())
        .set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&*whole), options);
    decoder.decode_headers().map_err(bad)?;
    let Some(info) = decoder.info().filter(|info| info.components == 3) else {
        return Err(BadFrame("the picture has no colour".to_owned()));
    };
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    let mut pixels = vec![0; width * height * 3];
    decoder.decode_into(&mut pixels).map_err(bad)?;
    Ok((pixels, width, height))
}

/// Motion JPEG often leaves out the Huffman tables and means those of ITU-T
/// T.81 annex K. The decoder knows them, but takes them only for files marked
/// as being part of an AVI file: we mark what has none.
fn with_tables(file: &[u8]) -> Cow<'_, [u8]> {
    const START: [u8; 2] = [0xFF, 0xD8];
    const AVI: [u8; 14] = *b"\xFF\xE0\x00\x0CAVI1\0\0\0\0\0\0";
    match file.strip_prefix(&START) {
        Some(rest) if !has_tables(rest) => Cow::Owned([&START[..], &AVI, rest].concat()),
        _ => Cow::Borrowed(file),
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
