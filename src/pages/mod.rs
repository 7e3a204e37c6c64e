//! Whole screens.

pub mod two_way;
