//! What the screen shows and what a press leads to: plain values, no browser.
//!
//! Texts, states and enabling are those of the Two-way Streaming page.

mod candidate;
mod controls;
mod defaults;
mod devices;
mod doctor;
pub mod guard;
mod json;
mod level;
mod link;
mod media_texts;
mod received;
mod recovery;
mod remembered;
mod screen;
mod settings;
mod share;
mod shortcuts;
mod snapshot;
mod sound;
pub mod statistics;
mod status;
mod studio;
mod texts;

pub use candidate::{Candidate, CandidateKind, Scope, Transport, candidates};
pub use controls::{Button, Controls, FormControls};
pub use defaults::{random_name, server_url};
pub use devices::{Device, DeviceKind, Devices};
pub use doctor::{Diagnoses, Diagnosis, Evidence, Media, Pair, PairState, Progress, diagnose};
pub use level::{Level, LevelWatch, percent as level_percent};
pub use link::{Errands, Layout, Link};
pub use media_texts::{MediaProblem, Permission};
pub use received::{ReceivedLine, ReceivedLog};
pub use recovery::{Loss, Recovery, Target, Wait};
pub use remembered::{Memory, Remembered, without_user};
pub use screen::{
    Command, Connection, Field, Half, Muted, Press, Report, Screen, ServerRate, Stage, Typed,
};
pub use settings::{Capture, Fit, Setting, Settings};
pub use share::Share;
pub use shortcuts::{Focus, Keys, PlayerAction, SHORTCUTS, Shortcut, Stroke};
pub use snapshot::{LocalMoment, snapshot_name};
pub use sound::{Loudness, NeededPress, Sound, SoundEvent, VOLUME_STEP, percent, volume_step};
pub use status::{Status, Tone};
pub use studio::{Ask, CapturePress, Found, Kinds, MediaKind, Size, Step, Studio, Wish};
pub use texts::{play_info, publish_info};
