//! Makes pictures smaller, or larger.

use std::sync::Arc;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::{Picture, Size};

/// Scales pictures to one size, whatever theirs is. The aspect is not its
/// concern: see [`Size::fit`].
#[derive(Debug)]
pub struct Scaler {
    size: Size,
    resizer: Resizer,
    options: ResizeOptions,
    /// Made before; free again once nobody else holds them.
    canvases: Vec<Arc<Picture>>,
}

impl Scaler {
    /// A scaler to `size`.
    pub fn new(size: Size) -> Self {
        // Every pixel of the source counts, weighted by its distance: no jagged
        // lines, and nothing slower is visibly better.
        let filter = ResizeAlg::Convolution(FilterType::Bilinear);
        Self {
            size,
            resizer: Resizer::new(),
            options: ResizeOptions::new().resize_alg(filter),
            canvases: Vec::new(),
        }
    }

    /// The size of what comes out.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The picture in the scaler's size: itself, if it has that already. `None`
    /// if its planes do not fit its own size.
    pub fn scale(&mut self, picture: &Arc<Picture>) -> Option<Arc<Picture>> {
        if !picture.is_whole() {
            return None;
        }
        if picture.size() == self.size {
            return Some(Arc::clone(picture));
        }
        let mut canvas = self.free_canvas();
        if let Some(into) = Arc::get_mut(&mut canvas) {
            self.scale_planes(picture, into)?;
        }
        self.canvases.push(Arc::clone(&canvas));
        Some(canvas)
    }

    fn scale_planes(&mut self, from: &Picture, into: &mut Picture) -> Option<()> {
        let (of, to) = (from.size(), into.size());
        let half = |size: Size| (size.width() / 2, size.height() / 2);
        let full = |size: Size| (size.width(), size.height());
        self.scale_plane(&from.y, full(of), &mut into.y, full(to))?;
        self.scale_plane(&from.u, half(of), &mut into.u, half(to))?;
        self.scale_plane(&from.v, half(of), &mut into.v, half(to))
    }

    fn scale_plane(
        &mut self,
        from: &[u8],
        (width, height): (usize, usize),
        into: &mut [u8],
        (to_width, to_height): (usize, usize),
    ) -> Option<()> {
        let from = TypedImageRef::<U8>::from_buffer(width as u32, height as u32, from).ok()?;
        let mut into =
            TypedImage::<U8>::from_buffer(to_width as u32, to_height as u32, into).ok()?;
        self.resizer
            .resize_typed(&from, &mut into, &self.options)
            .ok()
    }

    /// There are never more canvases than pictures under way.
    fn free_canvas(&mut self) -> Arc<Picture> {
        let is_free = |canvas: &Arc<Picture>| Arc::strong_count(canvas) == 1;
        match self.canvases.iter().position(is_free) {
            Some(index) => self.canvases.swap_remove(index),
            None => Arc::new(Picture::black(self.size)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestPicture;
    use crate::test_picture::testing::{frames, stamp_of};

    fn size(text: &str) -> Size {
        text.parse().unwrap()
    }

    #[test]
    fn a_picture_looks_the_same_in_any_size() {
        let mut source = TestPicture::new(size("1280x720"), 30);
        let picture = frames(&mut source, 1).remove(0).picture;
        for wanted in ["960x540", "640x360", "480x270", "320x180", "1920x1080"] {
            let mut scaler = Scaler::new(size(wanted));
            let scaled = scaler.scale(&picture).unwrap();
            assert_eq!(scaled.size(), size(wanted));
            assert!(scaled.is_whole());
            assert_eq!(stamp_of(&scaled), stamp_of(&picture), "{wanted}");
        }
    }

    #[test]
    fn every_plane_is_scaled() {
        let mut picture = Picture::black(size("640x360"));
        picture.y.fill(100);
        picture.u.fill(50);
        picture.v.fill(200);
        let picture = Arc::new(picture);
        let scaled = Scaler::new(size("320x180")).scale(&picture).unwrap();
        for (plane, value) in [(&scaled.y, 100), (&scaled.u, 50), (&scaled.v, 200)] {
            assert!(plane.iter().all(|pixel| *pixel == value));
        }
    }

    #[test]
    fn a_picture_of_the_right_size_is_not_copied() {
        let picture = Arc::new(Picture::black(size("320x180")));
        let scaled = Scaler::new(size("320x180")).scale(&picture).unwrap();
        assert!(Arc::ptr_eq(&scaled, &picture));
    }

    #[test]
    fn planes_that_do_not_fit_are_refused() {
        let mut picture = Picture::black(size("320x180"));
        picture.v.pop();
        let mut scaler = Scaler::new(size("160x90"));
        assert!(scaler.scale(&Arc::new(picture)).is_none());
    }

    #[test]
    fn canvases_are_used_again_once_they_are_free() {
        let picture = Arc::new(Picture::black(size("320x180")));
        let mut scaler = Scaler::new(size("160x90"));
        for _ in 0..5 {
            drop(scaler.scale(&picture));
        }
        assert_eq!(scaler.canvases.len(), 1);
    }
}
