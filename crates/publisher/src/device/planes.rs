//! Pictures on their way: of any size, brought into a [`Picture`] of another.

use std::mem;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use yuv::{BufferStoreMut, YuvPlanarImageMut};

use crate::Picture;

/// An I420 picture of any even size.
#[derive(Debug, Default)]
pub(super) struct Planes {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) y: Vec<u8>,
    pub(super) u: Vec<u8>,
    pub(super) v: Vec<u8>,
}

impl Planes {
    /// Gets another size; what is in it is then of no meaning.
    pub(super) fn reset(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        self.y.resize(width * height, 0);
        self.u.resize(width * height / 4, 0);
        self.v.resize(width * height / 4, 0);
    }

    /// As the crate `yuv` takes them.
    pub(super) fn borrowed(&mut self) -> YuvPlanarImageMut<'_, u8> {
        let width = self.width as u32;
        YuvPlanarImageMut {
            y_plane: BufferStoreMut::Borrowed(&mut self.y),
            y_stride: width,
            u_plane: BufferStoreMut::Borrowed(&mut self.u),
            u_stride: width / 2,
            v_plane: BufferStoreMut::Borrowed(&mut self.v),
            v_stride: width / 2,
            width,
            height: self.height as u32,
        }
    }
}

/// Brings pictures of any size into those of one, whole and undistorted, with
/// black beside or above and below.
#[derive(Debug, Default)]
pub(super) struct Fitter {
    resizer: Resizer,
    scaled: Vec<u8>,
}

impl Fitter {
    /// Takes the picture out of `from`.
    pub(super) fn fit(&mut self, from: &mut Planes, into: &mut Picture) {
        let (width, height) = (into.size().width(), into.size().height());
        if (from.width, from.height) == (width, height) {
            mem::swap(&mut from.y, &mut into.y);
            mem::swap(&mut from.u, &mut into.u);
            mem::swap(&mut from.v, &mut into.v);
            return;
        }
        let inner = largest_within((from.width, from.height), (width, height));
        if inner != (width, height) {
            *into = Picture::black(into.size());
        }
        let half = |(width, height)| (width / 2, height / 2);
        let (whole, outer) = ((from.width, from.height), (width, height));
        for (from, into, shift) in [
            (&from.y, &mut into.y, false),
            (&from.u, &mut into.u, true),
            (&from.v, &mut into.v, true),
        ] {
            let size = |size| if shift { half(size) } else { size };
            let from = Plane(from, size(whole));
            self.scale(&from, size(inner), into, size(outer));
        }
    }

    /// Scales to `inner` and puts that into the middle of `outer`.
    fn scale(&mut self, from: &Plane, inner: Dimensions, into: &mut [u8], outer: Dimensions) {
        self.scaled.resize(inner.0 * inner.1, 0);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        let Plane(bytes, (width, height)) = *from;
        let source = ImageRef::new(width as u32, height as u32, bytes, PixelType::U8);
        let (columns, rows) = (inner.0 as u32, inner.1 as u32);
        let target = Image::from_slice_u8(columns, rows, &mut self.scaled, PixelType::U8);
        // The buffers are as large as their sizes say, and of one type.
        let (Ok(source), Ok(mut target)) = (source, target) else {
            return;
        };
        let scaled = self.resizer.resize(&source, &mut target, &options);
        debug_assert!(scaled.is_ok(), "{scaled:?}");
        let (left, top) = ((outer.0 - inner.0) / 2, (outer.1 - inner.1) / 2);
        let into = into.chunks_exact_mut(outer.0).skip(top);
        for (from, into) in self.scaled.chunks_exact(inner.0).zip(into) {
            into[left..left + inner.0].copy_from_slice(from);
        }
    }
}

/// Bytes of one plane, and its size.
struct Plane<'a>(&'a [u8], Dimensions);

/// Width and height.
pub(super) type Dimensions = (usize, usize);

/// The largest size of the aspect of `size` within `outer`: its borders lie on
/// multiples of four where they do not meet `outer`'s, so that chroma can be
/// put in the middle too.
fn largest_within(size: Dimensions, outer: Dimensions) -> Dimensions {
    let round = |length: usize, limit: usize| {
        let gap = (limit - length.min(limit)) / 4 * 4;
        limit - gap
    };
    // Wider than what it shall fit into?
    if size.0 * outer.1 >= size.1 * outer.0 {
        let height = (size.1 * outer.0).div_ceil(size.0).max(2);
        (outer.0, round(height, outer.1))
    } else {
        let width = (size.0 * outer.1).div_ceil(size.1).max(2);
        (round(width, outer.0), outer.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Size;

    #[test]
    fn pictures_fit_whole_and_undistorted() {
        let check = |size, outer, expected| assert_eq!(largest_within(size, outer), expected);
        check((640, 480), (1280, 720), (960, 720));
        check((1280, 720), (640, 480), (640, 360));
        check((1280, 720), (1920, 1080), (1920, 1080));
        check((720, 1280), (1280, 720), (408, 720));
        check((100, 50), (160, 90), (160, 82));
        check((5000, 2), (160, 90), (160, 2));
    }

    fn planes(width: usize, height: usize, luma: u8) -> Planes {
        let mut planes = Planes::default();
        planes.reset(width, height);
        planes.y.fill(luma);
        planes.u.fill(90);
        planes.v.fill(200);
        planes
    }

    #[test]
    fn a_picture_of_the_right_size_goes_through_as_it_is() {
        let mut from = planes(160, 90, 77);
        from.y[5] = 99;
        let mut picture = Picture::black(Size::MIN);
        Fitter::default().fit(&mut from, &mut picture);
        assert_eq!((picture.y[5], picture.y[6]), (99, 77));
        assert!(picture.u.iter().all(|byte| *byte == 90));
    }

    #[test]
    fn another_lies_in_the_middle_of_black() {
        let mut picture = Picture::black("320x180".parse().unwrap());
        picture.y.fill(235);
        Fitter::default().fit(&mut planes(640, 480, 77), &mut picture);
        // 240 columns of the picture, 40 black ones on each side.
        for (row, line) in picture.y.chunks(320).enumerate() {
            assert!(line[..40].iter().all(|byte| *byte == 16), "row {row}");
            assert!(line[40..280].iter().all(|byte| *byte == 77), "row {row}");
            assert!(line[280..].iter().all(|byte| *byte == 16), "row {row}");
        }
        let chroma = &picture.u[160 * 45..160 * 46];
        assert_eq!(
            (chroma[19], chroma[20], chroma[139], chroma[140]),
            (128, 90, 90, 128)
        );
    }
}
