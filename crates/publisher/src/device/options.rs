//! What an application may choose of a device; in every build the same.

use crate::Size;

/// Which camera, and what is wanted of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CameraOptions {
    /// Its number, path, or a part of its name in any case; `None`: the first.
    pub device: Option<String>,
    /// The size it shall deliver; the nearest it has is taken. `None`: near
    /// 1280x720.
    pub size: Option<Size>,
    /// Pictures a second; the nearest rate it has is taken. `None`: near 30.
    pub fps: Option<u32>,
}

/// Which microphone, and what is wanted of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MicrophoneOptions {
    /// Its number, id, or a part of its name in any case; `None`: the system's
    /// default.
    pub device: Option<String>,
    /// 1 or 2; a microphone that has only one channel brings one.
    pub channels: u16,
}

impl Default for MicrophoneOptions {
    /// The system's default, in mono.
    fn default() -> Self {
        Self {
            device: None,
            channels: 1,
        }
    }
}

/// What of the screen, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenOptions {
    /// A display or a window.
    pub what: ScreenTarget,
    /// Pictures a second.
    pub fps: u32,
    /// Scale down to fit into this size, keeping the aspect; `None`: as it is.
    pub size: Option<Size>,
}

impl Default for ScreenOptions {
    /// The first display, 30 times a second, as it is.
    fn default() -> Self {
        Self {
            what: ScreenTarget::Display(0),
            fps: 30,
            size: None,
        }
    }
}

/// A display or a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScreenTarget {
    /// By its number in [`Devices::displays`](super::Devices::displays).
    Display(usize),
    /// By its id, its title, or a part of it in any case.
    Window(String),
}
