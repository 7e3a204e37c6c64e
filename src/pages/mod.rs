//! The app and its views.

pub mod app;
pub mod embed;
pub mod player;
pub mod two_way;
pub mod view;
