//! Pictures in the form video encoders take: three planes, chroma halved.

use crate::Size;

/// An I420 picture: luma, then the two chroma planes at half width and height,
/// without padding. Limited range, BT.709 colours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    size: Size,
    /// Luma, `width * height` bytes, 16 (black) to 235 (white).
    pub y: Vec<u8>,
    /// Blue difference, a quarter of luma's bytes, 128 is neutral.
    pub u: Vec<u8>,
    /// Red difference, a quarter of luma's bytes, 128 is neutral.
    pub v: Vec<u8>,
}

impl Picture {
    /// A black picture.
    pub fn black(size: Size) -> Self {
        let pixels = size.width() * size.height();
        Self {
            size,
            y: vec![16; pixels],
            u: vec![128; pixels / 4],
            v: vec![128; pixels / 4],
        }
    }

    /// Whether the planes are as long as the size says: anybody can change them.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let pixels = self.size.width() * self.size.height();
        let chroma = [&self.u, &self.v];
        self.y.len() == pixels && chroma.iter().all(|plane| plane.len() == pixels / 4)
    }

    /// The picture's size.
    pub fn size(&self) -> Size {
        self.size
    }
}
