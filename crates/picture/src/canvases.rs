//! Pictures to draw in, used again and again.

use std::sync::Arc;

use crate::{Picture, Size};

/// Pictures of one size. There are never more of them than are under way: a
/// picture is drawn again once nobody else holds it.
#[derive(Debug)]
pub struct Canvases {
    blank: Arc<Picture>,
    /// All that were handed out.
    drawn: Vec<Arc<Picture>>,
}

impl Canvases {
    /// Canvases that begin as copies of `blank`.
    pub fn new(blank: Picture) -> Self {
        Self {
            blank: Arc::new(blank),
            drawn: Vec::new(),
        }
    }

    /// The size of them all.
    pub fn size(&self) -> Size {
        self.blank.size()
    }

    /// What nothing was drawn in.
    pub fn blank(&self) -> Arc<Picture> {
        Arc::clone(&self.blank)
    }

    /// Lets `draw` change a picture that nobody else holds: a copy of the blank
    /// one, or whatever was drawn before.
    ///
    /// # Errors
    /// That of `draw`.
    pub fn draw<E>(
        &mut self,
        draw: impl FnOnce(&mut Picture) -> Result<(), E>,
    ) -> Result<Arc<Picture>, E> {
        let mut canvas = self.free();
        // It is free: nobody else has it.
        let drawn = Arc::get_mut(&mut canvas).map_or(Ok(()), draw);
        self.drawn.push(Arc::clone(&canvas));
        drawn.map(|()| canvas)
    }

    fn free(&mut self) -> Arc<Picture> {
        let is_free = |canvas: &Arc<Picture>| Arc::strong_count(canvas) == 1;
        match self.drawn.iter().position(is_free) {
            Some(index) => self.drawn.swap_remove(index),
            None => Arc::new(Picture::clone(&self.blank)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_drawn_again_once_it_is_free() {
        let mut canvases = Canvases::new(Picture::black(Size::MIN));
        let mut draw = |luma: u8| {
            let drawn = canvases.draw(|canvas| {
                canvas.y.fill(luma);
                Ok::<(), ()>(())
            });
            drawn.unwrap()
        };
        let first = draw(1);
        let second = draw(2);
        assert_eq!((first.y[0], second.y[0]), (1, 2));
        let place = Arc::as_ptr(&first);
        drop(first);
        assert_eq!(Arc::as_ptr(&draw(3)), place);
        assert_eq!(second.y[0], 2);
        assert_eq!(canvases.blank().y[0], 16);
    }
}
