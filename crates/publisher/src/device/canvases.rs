//! Pictures to draw in, used again and again.

use std::sync::Arc;

use crate::{Picture, Size};

/// Pictures of one size. There are never more of them than are under way,
/// which the encoder's queue bounds.
#[derive(Debug)]
pub(super) struct Canvases {
    size: Size,
    /// All that were handed out; the free ones are drawn again.
    pool: Vec<Arc<Picture>>,
}

impl Canvases {
    pub(super) const fn new(size: Size) -> Self {
        Self {
            size,
            pool: Vec::new(),
        }
    }

    pub(super) const fn size(&self) -> Size {
        self.size
    }

    /// A black picture.
    pub(super) fn black(&self) -> Arc<Picture> {
        Arc::new(Picture::black(self.size))
    }

    /// Lets `draw` fill a picture nobody else holds; what was in it before is
    /// of no meaning.
    pub(super) fn draw<E>(
        &mut self,
        draw: impl FnOnce(&mut Picture) -> Result<(), E>,
    ) -> Result<Arc<Picture>, E> {
        let free = |canvas: &Arc<Picture>| Arc::strong_count(canvas) == 1;
        let mut canvas = match self.pool.iter().position(free) {
            Some(index) => self.pool.swap_remove(index),
            None => self.black(),
        };
        // It is free: nobody else has it.
        let drawn = Arc::get_mut(&mut canvas).map_or(Ok(()), draw);
        self.pool.push(Arc::clone(&canvas));
        drawn.map(|()| canvas)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_drawn_again_once_it_is_free() {
        let mut canvases = Canvases::new(Size::MIN);
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
    }
}
