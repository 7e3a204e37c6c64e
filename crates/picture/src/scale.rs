//! Makes pictures smaller, or larger.

use std::convert::Infallible;
use std::sync::Arc;

use crate::planes::Fitter;
use crate::{Canvases, Picture, Size};

/// Scales pictures to one size, whatever theirs is. The aspect is not its
/// concern: see [`Size::fit`].
#[derive(Debug)]
pub struct Scaler {
    fitter: Fitter,
    canvases: Canvases,
}

impl Scaler {
    /// A scaler to `size`.
    pub fn new(size: Size) -> Self {
        Self {
            fitter: Fitter::default(),
            canvases: Canvases::new(Picture::black(size)),
        }
    }

    /// The size of what comes out.
    pub fn size(&self) -> Size {
        self.canvases.size()
    }

    /// A black picture of that size.
    pub fn black(&self) -> Arc<Picture> {
        self.canvases.blank()
    }

    /// The picture in the scaler's size: itself, if it has that already. `None`
    /// if its planes do not fit its own size.
    pub fn scale(&mut self, picture: &Arc<Picture>) -> Option<Arc<Picture>> {
        if !picture.is_whole() {
            return None;
        }
        if picture.size() == self.size() {
            return Some(Arc::clone(picture));
        }
        let Ok(scaled) = self.canvases.draw(|canvas| {
            let all = canvas.dimensions();
            self.fitter.scale(picture.view(), canvas, all);
            Ok::<_, Infallible>(())
        });
        Some(scaled)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::TestCard;
    use crate::test_card::tests::stamp_of;

    fn size(text: &str) -> Size {
        text.parse().unwrap()
    }

    #[test]
    fn a_picture_looks_the_same_in_any_size() {
        let card = TestCard::new(size("1280x720"));
        let mut picture = card.canvas();
        card.draw(&mut picture, Duration::from_millis(1_795_334_399_123), 77);
        let picture = Arc::new(picture);
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
}
