//! What the screen shows and what a press leads to: plain values, no browser.
//!
//! Texts, states and enabling are those of the Two-way Streaming page.

mod controls;
mod defaults;
pub mod guard;
mod received;
mod screen;
mod settings;
pub mod statistics;
mod status;
mod texts;

pub use controls::{Button, Controls, FormControls};
pub use defaults::{random_name, server_url};
pub use received::{ReceivedLine, ReceivedLog};
pub use screen::{Command, Connection, Field, Half, Press, Report, Screen, Stage, Typed};
pub use settings::{Capture, Fit, Setting, Settings};
pub use status::{Status, Tone};
pub use texts::{play_info, publish_info};
