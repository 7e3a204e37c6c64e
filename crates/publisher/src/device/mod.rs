//! Cameras, microphones, screens and windows of this machine as sources.
//!
//! Which of them a build can open is decided by the features `camera`,
//! `microphone` and `screen`; without one, its source says so when opened.
//!
//! Behind each source lies a small trait (open, next frame) that a platform
//! fulfils, so that all else is the same everywhere: what is chosen and how it
//! is converted, and that a device that is gone is waited for. Meanwhile the
//! stream goes on with darkness and silence. What a source delivers never
//! changes, whatever comes back.
//!
//! Deliberately absent: Wayland's screens, which are to be had by PipeWire
//! alone, whose crates do not build without libpipewire's and clang's files.

mod absent;
mod info;
mod options;

pub use info::{CameraInfo, CameraMode, Devices, DisplayInfo, MicrophoneInfo, WindowInfo};
pub use options::{CameraOptions, MicrophoneOptions, ScreenOptions, ScreenTarget};

pub use absent::{Camera, Microphone, Screen};

/// What this machine has. What cannot be listed is left out, and
/// [`Devices::notes`] says why.
///
/// Devices may come and go: a list is of the moment it was made.
pub fn list() -> Devices {
    Devices::default()
}
