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

#[cfg(not(all(feature = "camera", feature = "microphone", feature = "screen")))]
mod absent;
#[cfg(any(feature = "camera", feature = "microphone", feature = "screen"))]
mod away;
#[cfg(feature = "camera")]
mod camera;
#[cfg(any(feature = "camera", feature = "microphone"))]
mod choose;
mod info;
#[cfg(feature = "microphone")]
mod microphone;
mod options;
#[cfg(feature = "screen")]
mod screen;

#[cfg(not(feature = "camera"))]
pub use absent::Camera;
#[cfg(not(feature = "microphone"))]
pub use absent::Microphone;
#[cfg(not(feature = "screen"))]
pub use absent::Screen;
#[cfg(feature = "camera")]
pub use camera::Camera;
pub use info::{CameraInfo, CameraMode, Devices, DisplayInfo, MicrophoneInfo, WindowInfo};
#[cfg(feature = "microphone")]
pub use microphone::Microphone;
pub use options::{CameraOptions, MicrophoneOptions, ScreenOptions, ScreenTarget};
#[cfg(feature = "screen")]
pub use screen::Screen;

/// What this machine has. What cannot be listed is left out, and
/// [`Devices::notes`] says why.
///
/// Devices may come and go: a list is of the moment it was made.
pub fn list() -> Devices {
    let mut devices = Devices::default();
    Camera::list(&mut devices);
    Microphone::list(&mut devices);
    Screen::list(&mut devices);
    devices
}
