//! What the screen shows and what a press leads to: plain values, no browser.
//!
//! Texts, states and enabling are those of the Two-way Streaming page.

mod controls;
mod defaults;
mod devices;
mod level;
mod media_texts;
mod received;
mod screen;
mod settings;
mod status;
mod studio;
mod texts;

pub use controls::{Button, Controls, FormControls};
pub use defaults::{random_name, server_url};
pub use devices::{Device, DeviceKind, Devices};
pub use level::{Level, LevelWatch, percent as level_percent};
pub use media_texts::{MediaProblem, Permission};
pub use received::{ReceivedLine, ReceivedLog};
pub use screen::{Command, Connection, Field, Half, Press, Report, Screen, Stage, Typed};
pub use settings::{Capture, Fit, Setting, Settings};
pub use status::{Status, Tone};
pub use studio::{Ask, CapturePress, Found, Kinds, MediaKind, Size, Step, Studio, Wish};
pub use texts::{play_info, publish_info};
