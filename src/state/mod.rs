//! What the screen shows and what a press leads to: plain values, no browser.
//!
//! Texts, states and enabling are those of the Two-way Streaming page.

mod controls;
mod defaults;
mod received;
mod recovery;
mod screen;
mod settings;
mod status;
mod texts;

pub use controls::{Button, Controls, FormControls};
pub use defaults::{random_name, server_url};
pub use received::{ReceivedLine, ReceivedLog};
pub use recovery::{Recovery, Target, Wait};
pub use screen::{
    Command, Connection, Field, Half, Muted, Press, Report, Screen, ServerRate, Stage, Typed,
};
pub use settings::{Capture, Fit, Setting, Settings};
pub use status::{Status, Tone};
pub use texts::{play_info, publish_info};
