//! The app and its views.

pub mod app;
pub mod two_way;
pub mod view;
