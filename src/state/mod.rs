//! What the screen shows and what a press leads to: plain values, no browser.
//!
//! Texts, states and enabling are those of the Two-way Streaming page.

mod controls;
mod defaults;
mod received;
mod screen;
mod settings;
mod shortcuts;
mod snapshot;
mod sound;
mod status;
mod texts;

pub use controls::{Button, Controls, FormControls};
pub use defaults::{random_name, server_url};
pub use received::{ReceivedLine, ReceivedLog};
pub use screen::{Command, Connection, Field, Half, Press, Report, Screen, Stage, Typed};
pub use settings::{Capture, Fit, Setting, Settings};
pub use shortcuts::{Focus, Keys, PlayerAction, SHORTCUTS, Shortcut, Stroke};
pub use snapshot::{LocalMoment, snapshot_name};
pub use sound::{NeededPress, Sound, SoundEvent, VOLUME_STEP, Wish, percent, volume_step};
pub use status::{Status, Tone};
pub use texts::{play_info, publish_info};
