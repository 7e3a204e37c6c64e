//! Planes of any even size, and how they get from one size to another.

use std::mem;

use fast_image_resize::images::{TypedCroppedImageMut, TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use yuv::{BufferStoreMut, YuvPlanarImageMut};

use crate::Picture;

/// Width and height.
pub(crate) type Dimensions = (usize, usize);

/// An I420 picture of any even size; a [`Picture`] has limits.
#[derive(Debug, Default)]
pub(crate) struct Planes {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) y: Vec<u8>,
    pub(crate) u: Vec<u8>,
    pub(crate) v: Vec<u8>,
}

impl Planes {
    /// Gets another size; what is in it is then of no meaning.
    pub(crate) fn reset(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        self.y.resize(width * height, 0);
        self.u.resize(width * height / 4, 0);
        self.v.resize(width * height / 4, 0);
    }

    /// As the crate `yuv` takes them.
    pub(crate) fn borrowed(&mut self) -> YuvPlanarImageMut<'_, u8> {
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

    fn view(&self) -> View<'_> {
        View {
            size: (self.width, self.height),
            planes: [&self.y, &self.u, &self.v],
        }
    }
}

impl Picture {
    pub(crate) fn view(&self) -> View<'_> {
        View {
            size: self.dimensions(),
            planes: [&self.y, &self.u, &self.v],
        }
    }

    pub(crate) fn dimensions(&self) -> Dimensions {
        (self.size().width(), self.size().height())
    }
}

/// A picture to be looked at, whatever it is kept in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    size: Dimensions,
    planes: [&'a [u8]; 3],
}

/// Brings pictures of any size into those of another.
#[derive(Debug)]
pub(crate) struct Fitter {
    resizer: Resizer,
    options: ResizeOptions,
}

impl Default for Fitter {
    fn default() -> Self {
        // Every pixel of the source counts, weighted by its distance: no jagged
        // lines, and nothing slower is visibly better.
        let filter = ResizeAlg::Convolution(FilterType::Bilinear);
        Self {
            resizer: Resizer::new(),
            options: ResizeOptions::new().resize_alg(filter),
        }
    }
}

impl Fitter {
    /// Takes the picture out of `from`; it comes whole and undistorted, with
    /// black beside or above and below.
    pub(crate) fn fit(&mut self, from: &mut Planes, into: &mut Picture) {
        let (size, outer) = ((from.width, from.height), into.dimensions());
        if size == outer {
            mem::swap(&mut from.y, &mut into.y);
            mem::swap(&mut from.u, &mut into.u);
            mem::swap(&mut from.v, &mut into.v);
            return;
        }
        let inner = largest_within(size, outer);
        if inner != outer {
            *into = Picture::black(into.size());
        }
        self.scale(from.view(), into, inner);
    }

    /// Scales into `inner` pixels in the middle of `into`. The planes must be
    /// those that their sizes want.
    pub(crate) fn scale(&mut self, from: View<'_>, into: &mut Picture, inner: Dimensions) {
        let outer = into.dimensions();
        let half = |(width, height): Dimensions| (width / 2, height / 2);
        let planes = [&mut into.y, &mut into.u, &mut into.v];
        for (index, (bytes, into)) in from.planes.into_iter().zip(planes).enumerate() {
            let size = |size| if index == 0 { size } else { half(size) };
            let scaled = self.scale_plane(bytes, size(from.size), into, size(outer), size(inner));
            debug_assert!(scaled.is_some(), "planes of another size");
        }
    }

    fn scale_plane(
        &mut self,
        from: &[u8],
        (width, height): Dimensions,
        into: &mut [u8],
        outer: Dimensions,
        inner: Dimensions,
    ) -> Option<()> {
        let from = TypedImageRef::<U8>::from_buffer(width as u32, height as u32, from).ok()?;
        let into = TypedImage::<U8>::from_buffer(outer.0 as u32, outer.1 as u32, into).ok()?;
        let (left, top) = ((outer.0 - inner.0) / 2, (outer.1 - inner.1) / 2);
        let (columns, rows) = (inner.0 as u32, inner.1 as u32);
        let middle = TypedCroppedImageMut::new(into, left as u32, top as u32, columns, rows);
        self.resizer
            .resize_typed(&from, &mut middle.ok()?, &self.options)
            .ok()
    }
}

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

    #[test]
    fn strips_of_a_few_pixels_fit_too() {
        for (width, height) in [(5000, 2), (2, 5000), (2, 2)] {
            let mut picture = Picture::black(Size::MIN);
            Fitter::default().fit(&mut planes(width, height, 77), &mut picture);
            assert!(picture.y.contains(&77), "{width}x{height}");
        }
    }
}
