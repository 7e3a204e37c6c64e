//! Pictures on their way to an encoder: everything that loops over pixels.
//!
//! Frames of cameras, screens and files come as many kinds of bytes;
//! [`Converter`] makes each a [`Picture`], in one form and one size.
//! [`Scaler`] makes pictures of other sizes, [`Canvases`] lets their memory be
//! used again, and [`TestCard`] draws the test picture.
//!
//! It is a crate of its own because it is hot: it is optimised in development
//! builds too, and what has no loops over pixels need not be. So devices, files,
//! encoders and clocks are deliberately absent.

mod canvases;
mod colours;
mod convert;
mod picture;
mod planes;
mod scale;
mod size;
mod test_card;

pub use canvases::Canvases;
pub use colours::{Colours, Matrix};
pub use convert::{BadFrame, Converter, Layout, PixelFormat};
pub use picture::Picture;
pub use scale::Scaler;
pub use size::{BadSize, Size};
pub use test_card::{FLASH, TestCard, read_strip};
