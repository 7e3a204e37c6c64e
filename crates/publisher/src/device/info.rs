//! What there is to choose from.

use serde::Serialize;

/// The devices of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Devices {
    /// In the order in which a camera is named by its number.
    pub cameras: Vec<CameraInfo>,
    /// In the order in which a microphone is named by its number.
    pub microphones: Vec<MicrophoneInfo>,
    /// In the order in which a display is named by its number.
    pub displays: Vec<DisplayInfo>,
    /// Those that are visible, the topmost last.
    pub windows: Vec<WindowInfo>,
    /// Sentences on what cannot be listed.
    pub notes: Vec<String>,
}

/// A camera.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CameraInfo {
    /// Its number, from 0.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// What names it to the system: on Linux the path of its device file.
    pub path: String,
    /// What it can deliver, as far as this build can use it.
    pub modes: Vec<CameraMode>,
}

/// A format and size that a camera offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CameraMode {
    /// `YUYV`, `NV12`, `I420` or `MJPEG`.
    pub format: &'static str,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pictures a second, rounded, highest first; empty if the camera does not
    /// tell.
    pub fps: Vec<u32>,
}

/// A microphone, or another thing that brings sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MicrophoneInfo {
    /// Its number, from 0.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// What names it to the system: with ALSA the PCM's name.
    pub id: String,
    /// It is the one taken when none is named.
    pub default: bool,
}

/// A display.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DisplayInfo {
    /// Its number, from 0.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// It is the one that the system calls the first.
    pub primary: bool,
}

/// A window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WindowInfo {
    /// What names it to the system, if its title does not tell it from others.
    pub id: u32,
    /// Its title.
    pub title: String,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}
