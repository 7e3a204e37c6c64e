//! The Two-way Streaming page: connect to a server, publish the browser's
//! camera, play any stream by name.
//!
//! [`state`] is what the screen shows, as plain values; [`platform`] is the only
//! code that touches the browser; [`driver`] joins both with a
//! [`session::Session`]; [`pages`] and [`components`] draw.

pub mod components;
pub mod driver;
pub mod pages;
pub mod platform;
pub mod state;
