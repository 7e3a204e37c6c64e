//! What is done to a server, from the first publisher to the last viewer's leave.
//!
//! Joining is timed from nothing: a viewer's wish comes before its signalling connection
//! is opened, so that servers whose signalling takes more round trips are told from those
//! that need one request.

mod churn;
mod field;
mod gather;
mod join;
mod load;

use std::time::Duration;

use crate::error::Result;
use crate::process::Process;
use crate::results::{Outcome, Scenario};
use crate::signalling::Signaller;
use field::Field;

/// A server under test.
pub struct Target {
    /// How peers come to it.
    pub signaller: Signaller,
    /// What it uses, where that can be seen.
    pub process: Option<Process>,
}

/// How long things take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From the last viewer's joining until measuring begins; of churn, from the last
    /// viewer's leave until memory is looked at for the last time.
    pub settle: Duration,
    /// How long is measured: load, viewers joining one after the other, churn.
    pub measure: Duration,
    /// How long a viewer may take until it has a keyframe.
    pub patience: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            settle: Duration::from_secs(2),
            measure: Duration::from_secs(10),
            patience: Duration::from_secs(15),
        }
    }
}

/// What is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Streams are on air, of so many.
    Publishing {
        /// So far.
        done: u32,
        /// In the end.
        of: u32,
    },
    /// Viewers have a picture, of so many.
    Joining {
        /// So far.
        done: u32,
        /// In the end; 0 where time decides.
        of: u32,
    },
    /// It is waited until everything has come to rest.
    Settling,
    /// It is measured.
    Measuring,
    /// Everyone leaves.
    Leaving,
}

/// Does `scenario` to `target`. What goes wrong is an outcome too: a sentence says what.
/// `progress` hears what is going on.
///
/// # Panics
/// Outside a tokio runtime with time and I/O.
pub async fn run(
    scenario: &Scenario,
    target: &Target,
    timing: &Timing,
    progress: &dyn Fn(Stage),
) -> Outcome {
    let done = try_run(scenario, target, timing, progress).await;
    done.unwrap_or_else(|error| Outcome::Failed(error.to_string()))
}

async fn try_run(
    scenario: &Scenario,
    target: &Target,
    timing: &Timing,
    progress: &dyn Fn(Stage),
) -> Result<Outcome> {
    let media = match scenario {
        Scenario::FanOut { media, .. }
        | Scenario::Streams { media, .. }
        | Scenario::Join { media, .. }
        | Scenario::Churn { media, .. } => *media,
    };
    let field = Field::new(target, media, timing, progress).await?;
    match *scenario {
        Scenario::FanOut { viewers, .. } => load::run(&field, 1, viewers).await,
        Scenario::Streams {
            streams,
            viewers_each,
            ..
        } => load::run(&field, streams, viewers_each).await,
        Scenario::Join { crowd, .. } => join::run(&field, crowd).await.map(Outcome::Join),
        Scenario::Churn { viewers, .. } => churn::run(&field, viewers).await.map(Outcome::Churn),
    }
}
