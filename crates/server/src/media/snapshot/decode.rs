//! From RTP packets to pixels to a file.

use std::io::Cursor;

use image_webp::WebPDecoder;
use openh264::decoder::Decoder;
use openh264::formats::YUVSource;
use str0m::rtp::VideoOrientation;

use super::Keyframe;
use crate::core::backend::{PictureSize, SnapshotError};
use crate::media::codec::Codec;
use crate::media::picture::{self, Unit, units, vp8_frame};

/// Largest picture that is decoded, in pixels: above level 5.2 of H.264, and
/// 48 MiB once decoded.
const MAX_PIXELS: u64 = 4_096 * 4_096;

/// Of a pixel: red, green, blue.
const BYTES: usize = 3;

/// Pixels in rows from the top.
pub(super) struct Pixels {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

/// Decodes a keyframe.
///
/// # Errors
/// [`SnapshotError::Codec`] and [`SnapshotError::Damaged`]; so is one that is
/// absurdly large.
pub(super) fn picture(keyframe: &Keyframe) -> Result<Pixels, SnapshotError> {
    let decode = match keyframe.codec {
        Codec::H264 => h264,
        Codec::Vp8 => vp8,
        // There is no decoder of VP9 in Rust that is kept up. Those of AV1 (rav1d and
        // re_rav1d) run behind `extern "C"`, where a panic ends the process instead
        // of being caught: one bad keyframe would end the server.
        Codec::Vp9 | Codec::Av1 => return Err(SnapshotError::Codec),
        Codec::Opus | Codec::Pcmu | Codec::Pcma => return Err(SnapshotError::NoVideo),
    };
    let first = keyframe.packets.first().ok_or(SnapshotError::Damaged)?;
    let header = picture::header(keyframe.codec, &first.payload).ok_or(SnapshotError::Damaged)?;
    checked(header.size)?;
    let decoded = decode(keyframe).ok_or(SnapshotError::Damaged)?;
    Ok((0..quarter_turns(keyframe)).fold(decoded, |pixels, _| pixels.turned_clockwise()))
}

/// How often the picture has to be turned clockwise by a right angle to stand
/// upright, as the camera told (3GPP TS 26.114 section 7.4.5). Only the last
/// packet of a frame has to say so.
fn quarter_turns(keyframe: &Keyframe) -> usize {
    let packets = keyframe.packets.iter().rev();
    let mut told = packets.filter_map(|packet| packet.extensions.video_orientation);
    match told.next() {
        None | Some(VideoOrientation::Deg0) => 0,
        Some(VideoOrientation::Deg270) => 1,
        Some(VideoOrientation::Deg180) => 2,
        Some(VideoOrientation::Deg90) => 3,
    }
}

impl Pixels {
    fn turned_clockwise(&self) -> Self {
        let (width, height) = (self.width as usize, self.height as usize);
        let pixel = |x: usize, y: usize| {
            let at = (y * width + x) * BYTES;
            &self.rgb[at..at + BYTES]
        };
        let rows = (0..width).flat_map(|x| (0..height).rev().map(move |y| (x, y)));
        let mut rgb = Vec::with_capacity(self.rgb.len());
        rows.for_each(|(x, y)| rgb.extend_from_slice(pixel(x, y)));
        Self {
            width: self.height,
            height: self.width,
            rgb,
        }
    }
}

/// A size that is worth the memory.
fn checked(size: PictureSize) -> Result<PictureSize, SnapshotError> {
    let pixels = u64::from(size.width) * u64::from(size.height);
    let sane = (1..=MAX_PIXELS).contains(&pixels);
    sane.then_some(size).ok_or(SnapshotError::Damaged)
}

fn h264(keyframe: &Keyframe) -> Option<Pixels> {
    let mut decoder = Decoder::new().ok()?;
    let decoded = decoder.decode(&annex_b(keyframe)).ok()??;
    let (width, height) = decoded.dimensions();
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let size = checked(PictureSize { width, height }).ok()?;
    let mut rgb = vec![0; size.width as usize * size.height as usize * BYTES];
    decoded.write_rgb8(&mut rgb);
    Some(Pixels { width, height, rgb })
}

/// The NAL units as a byte stream, H.264 annex B.
fn annex_b(keyframe: &Keyframe) -> Vec<u8> {
    const START_CODE: [u8; 4] = [0, 0, 0, 1];
    let mut stream = Vec::new();
    let packets = keyframe.packets.iter();
    for unit in packets.flat_map(|packet| units(&packet.payload)) {
        match unit {
            Unit::Whole(unit) => {
                stream.extend(START_CODE);
                stream.extend(unit);
            }
            Unit::Start(header, content) => {
                stream.extend(START_CODE);
                stream.push(header);
                stream.extend(content);
            }
            Unit::Further(content) => stream.extend(content),
        }
    }
    stream
}

/// A lossy WebP file is a VP8 keyframe in a RIFF container (RFC 9649 section
/// 2.5).
fn vp8(keyframe: &Keyframe) -> Option<Pixels> {
    let mut decoder = WebPDecoder::new(Cursor::new(web_p(keyframe)?)).ok()?;
    let (width, height) = decoder.dimensions();
    checked(PictureSize { width, height }).ok()?;
    let mut rgb = vec![0; decoder.output_buffer_size()?];
    decoder.read_image(&mut rgb).ok()?;
    Some(Pixels { width, height, rgb })
}

fn web_p(keyframe: &Keyframe) -> Option<Vec<u8>> {
    let packets = keyframe.packets.iter();
    let parts: Vec<_> = packets
        .filter_map(|packet| Some(vp8_frame(&packet.payload)?.1))
        .collect();
    let mut frame = parts.concat();
    let length = u32::try_from(frame.len()).ok()?;
    // Chunks are filled up to an even length.
    frame.resize(frame.len().next_multiple_of(2), 0);
    let riff_length = u32::try_from(frame.len()).ok()?.checked_add(12)?;
    let mut file = Vec::with_capacity(frame.len() + 20);
    file.extend(b"RIFF");
    file.extend(riff_length.to_le_bytes());
    file.extend(b"WEBPVP8 ");
    file.extend(length.to_le_bytes());
    file.extend(frame);
    Some(file)
}

/// A PNG file, compressed as far as costs next to nothing.
///
/// # Errors
/// There is no such picture, which decoders do not make.
pub(super) fn png(pixels: &Pixels) -> Result<Vec<u8>, SnapshotError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, pixels.width, pixels.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(|_| SnapshotError::Damaged)?;
    let written = writer.write_image_data(&pixels.rgb);
    written.map_err(|_| SnapshotError::Damaged)?;
    writer.finish().map_err(|_| SnapshotError::Damaged)?;
    Ok(file)
}
