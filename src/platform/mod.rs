//! The browser, and the only code that knows `web-sys`.
//!
//! Every listener, timer, task, socket, camera and peer connection has one
//! owner here whose `Drop` ends it, and everything JavaScript throws becomes a
//! typed error.

pub mod clipboard;
pub mod devices;
pub mod dialog;
pub mod dom;
pub mod frames;
pub mod fullscreen;
pub mod http;
pub mod keyboard;
pub mod level;
pub mod location;
pub mod media;
pub mod network;
pub mod peer;
pub mod permission;
pub mod picture_in_picture;
pub mod random;
pub mod snapshot;
pub mod socket;
pub mod storage;
pub mod task;
pub mod timer;
pub mod video;
pub mod warm_up;

mod picture_first;
mod thrown;
mod track;

pub use thrown::Thrown;
