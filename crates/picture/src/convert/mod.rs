//! From the bytes that devices and files deliver to pictures.

mod jpeg;
#[cfg(test)]
mod tests;

use thiserror::Error;
use yuv::{
    YuvConversionMode, YuvPackedImage, YuvRange, YuvStandardMatrix, bgra_to_yuv420, rgba_to_yuv420,
    yuyv422_to_yuv420,
};

use crate::colours::Conversion;
use crate::planes::{Fitter, Planes};
use crate::{Colours, Picture};

/// How the bytes of a frame make a picture.
///
/// Ordered by how good a source is in them, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PixelFormat {
    /// Luma, then both chromas a quarter each.
    I420,
    /// Luma, then both chromas half each: every other column.
    I422,
    /// Luma, then both chromas as large.
    I444,
    /// Luma, then both chromas a quarter each, interleaved.
    Nv12,
    /// Two pixels in four bytes: luma, blue, luma, red.
    Yuyv,
    /// A JPEG file each, perhaps without Huffman tables.
    Mjpeg,
    /// Blue, green, red and a byte without meaning.
    Bgrx,
    /// Red, green, blue and a byte without meaning.
    Rgbx,
    /// Luma alone.
    Grey,
}

impl PixelFormat {
    /// As people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::I420 => "I420",
            Self::I422 => "I422",
            Self::I444 => "I444",
            Self::Nv12 => "NV12",
            Self::Yuyv => "YUYV",
            Self::Mjpeg => "MJPEG",
            Self::Bgrx => "BGRX",
            Self::Rgbx => "RGBX",
            Self::Grey => "GREY",
        }
    }

    /// Bytes of the first plane's rows of so many pixels, without padding.
    pub const fn stride(self, width: usize) -> usize {
        match self {
            Self::I420 | Self::I422 | Self::I444 | Self::Nv12 | Self::Grey => width,
            Self::Yuyv => width * 2,
            Self::Bgrx | Self::Rgbx => width * 4,
            Self::Mjpeg => 0,
        }
    }
}

/// How the bytes of a frame lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// How pixels are made of bytes.
    pub format: PixelFormat,
    /// In pixels; an odd column is left out. MJPEG tells its own.
    pub width: usize,
    /// In pixels; an odd row is left out. MJPEG tells its own.
    pub height: usize,
    /// Bytes from one row of the first plane to the next; that of chroma follows
    /// from it. Of no meaning for MJPEG.
    pub stride: usize,
    /// What the numbers mean; of no meaning for MJPEG, BGRX and RGBX.
    pub colours: Colours,
}

impl Layout {
    /// Rows that follow each other without padding.
    pub const fn packed(format: PixelFormat, width: usize, height: usize) -> Self {
        Self {
            format,
            width,
            height,
            stride: format.stride(width),
            colours: Colours::OURS,
        }
    }

    /// Bytes of a frame; zero for MJPEG, whose frames differ.
    pub fn bytes(&self) -> usize {
        self.planes().iter().sum()
    }

    /// Bytes of each plane.
    fn planes(&self) -> [usize; 3] {
        let first = self.stride * self.height;
        let (rows, half) = (self.height.div_ceil(2), self.stride.div_ceil(2));
        match self.format {
            PixelFormat::I420 => [first, half * rows, half * rows],
            PixelFormat::I422 => [first, half * self.height, half * self.height],
            PixelFormat::I444 => [first; 3],
            PixelFormat::Nv12 => [first, self.stride * rows, 0],
            PixelFormat::Yuyv | PixelFormat::Bgrx | PixelFormat::Rgbx | PixelFormat::Grey => {
                [first, 0, 0]
            }
            PixelFormat::Mjpeg => [0; 3],
        }
    }

    /// The planes of a frame.
    fn split<'a>(&self, mut bytes: &'a [u8]) -> Result<[&'a [u8]; 3], BadFrame> {
        let mut planes = [[].as_slice(); 3];
        for (plane, length) in planes.iter_mut().zip(self.planes()) {
            let cut = bytes.split_at_checked(length);
            (*plane, bytes) = cut.ok_or_else(|| BadFrame("the frame is too short".to_owned()))?;
        }
        Ok(planes)
    }
}

/// A frame that is no picture, and why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct BadFrame(pub String);

/// Makes frames pictures.
#[derive(Debug, Default)]
pub struct Converter {
    planes: Planes,
    fitter: Fitter,
}

impl Converter {
    /// Draws a frame, in our colours, as large as fits, whole and undistorted;
    /// the rest is black.
    ///
    /// # Errors
    /// The frame is shorter than its layout says, has no pixels, or is a JPEG
    /// file that cannot be read. What is in the picture is then of no meaning.
    pub fn convert(
        &mut self,
        layout: &Layout,
        frame: &[u8],
        into: &mut Picture,
    ) -> Result<(), BadFrame> {
        let colours = match layout.format {
            PixelFormat::Mjpeg => {
                jpeg::decode(frame, &mut self.planes)?;
                Colours::JPEG
            }
            PixelFormat::Bgrx | PixelFormat::Rgbx => {
                self.unpack(layout, frame)?;
                Colours::OURS
            }
            PixelFormat::I420
            | PixelFormat::I422
            | PixelFormat::I444
            | PixelFormat::Nv12
            | PixelFormat::Yuyv
            | PixelFormat::Grey => {
                self.unpack(layout, frame)?;
                layout.colours
            }
        };
        if let Some(conversion) = Conversion::from(colours) {
            conversion.apply(&mut self.planes);
        }
        self.fitter.fit(&mut self.planes, into);
        Ok(())
    }

    /// Brings what is not compressed into the planes.
    fn unpack(&mut self, layout: &Layout, frame: &[u8]) -> Result<(), BadFrame> {
        let (width, height) = (layout.width & !1, layout.height & !1);
        if width == 0 || height == 0 {
            return Err(BadFrame("it has no pixels".to_owned()));
        }
        if layout.stride < layout.format.stride(layout.width) {
            return Err(BadFrame("its rows overlap".to_owned()));
        }
        let [first, second, third] = layout.split(frame)?;
        self.planes.reset(width, height);
        let planes = &mut self.planes;
        match layout.format {
            // `yuv` wants no more rows than it converts.
            PixelFormat::Yuyv => yuyv(layout, &first[..layout.stride * height], planes),
            PixelFormat::Bgrx | PixelFormat::Rgbx => {
                rgb(layout, &first[..layout.stride * height], planes)
            }
            PixelFormat::I420
            | PixelFormat::I422
            | PixelFormat::I444
            | PixelFormat::Nv12
            | PixelFormat::Grey
            | PixelFormat::Mjpeg => {
                copy_rows(first, layout.stride, &mut planes.y, width);
                chroma(layout, second, third, planes);
                Ok(())
            }
        }
    }
}

/// Brings chroma of planes of its own to a quarter.
fn chroma(layout: &Layout, blue: &[u8], red: &[u8], planes: &mut Planes) {
    let (stride, width) = (layout.stride.div_ceil(2), planes.width / 2);
    let (u, v) = (&mut planes.u, &mut planes.v);
    match layout.format {
        PixelFormat::I420 => {
            copy_rows(blue, stride, u, width);
            copy_rows(red, stride, v, width);
        }
        PixelFormat::I422 => {
            halve_rows(blue, stride, u, width);
            halve_rows(red, stride, v, width);
        }
        PixelFormat::I444 => {
            halve(blue, layout.stride, u, width);
            halve(red, layout.stride, v, width);
        }
        PixelFormat::Nv12 => separate(blue, layout.stride, planes),
        PixelFormat::Grey => {
            u.fill(128);
            v.fill(128);
        }
        // They have no such planes.
        PixelFormat::Yuyv | PixelFormat::Mjpeg | PixelFormat::Bgrx | PixelFormat::Rgbx => {}
    }
}

fn yuyv(layout: &Layout, bytes: &[u8], planes: &mut Planes) -> Result<(), BadFrame> {
    let packed = YuvPackedImage {
        yuy: bytes,
        yuy_stride: layout.stride as u32,
        width: planes.width as u32,
        height: planes.height as u32,
    };
    yuyv422_to_yuv420(&mut planes.borrowed(), &packed).map_err(bad)
}

fn rgb(layout: &Layout, bytes: &[u8], planes: &mut Planes) -> Result<(), BadFrame> {
    let convert = if layout.format == PixelFormat::Bgrx {
        bgra_to_yuv420
    } else {
        rgba_to_yuv420
    };
    convert(
        &mut planes.borrowed(),
        bytes,
        layout.stride as u32,
        YuvRange::Limited,
        YuvStandardMatrix::Bt709,
        YuvConversionMode::Balanced,
    )
    .map_err(bad)
}

/// Takes interleaved chroma apart.
fn separate(chroma: &[u8], stride: usize, planes: &mut Planes) {
    let half = planes.width / 2;
    let halves = planes.u.chunks_exact_mut(half);
    let halves = halves.zip(planes.v.chunks_exact_mut(half));
    for (row, (u, v)) in chroma.chunks(stride).zip(halves) {
        for (pair, (u, v)) in row.chunks_exact(2).zip(u.iter_mut().zip(v)) {
            (*u, *v) = (pair[0], pair[1]);
        }
    }
}

fn copy_rows(from: &[u8], stride: usize, to: &mut [u8], width: usize) {
    for (from, to) in from.chunks(stride).zip(to.chunks_exact_mut(width)) {
        to.copy_from_slice(&from[..width]);
    }
}

/// Makes one row of two.
fn halve_rows(from: &[u8], stride: usize, to: &mut [u8], width: usize) {
    for (rows, to) in from
        .chunks_exact(stride * 2)
        .zip(to.chunks_exact_mut(width))
    {
        let (above, below) = rows.split_at(stride);
        for ((to, above), below) in to.iter_mut().zip(above).zip(below) {
            *to = mean([*above, *below]);
        }
    }
}

/// Makes one sample of four.
fn halve(from: &[u8], stride: usize, to: &mut [u8], width: usize) {
    for (rows, to) in from
        .chunks_exact(stride * 2)
        .zip(to.chunks_exact_mut(width))
    {
        let (above, below) = rows.split_at(stride);
        let squares = above.chunks_exact(2).zip(below.chunks_exact(2));
        for (to, (above, below)) in to.iter_mut().zip(squares) {
            *to = mean([above[0], above[1], below[0], below[1]]);
        }
    }
}

fn mean<const N: usize>(samples: [u8; N]) -> u8 {
    let sum: usize = samples.into_iter().map(usize::from).sum();
    ((sum + N / 2) / N) as u8
}

fn bad(error: impl std::fmt::Debug) -> BadFrame {
    BadFrame(format!("{error:?}"))
}
