//! Keeps one stream on air: a session after the other, all with the same media.
//!
//! ```text
//! connect --lost--> wait --time--> connect ...
//!    |                |
//!    +--- stopped, sources ended, refused for good, given up ---> over
//! ```

use std::future::pending;
use std::time::{Duration, Instant};

use session::{Attempt, Event, SessionStatus, Severity, StreamUpdate, severity};
use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until};
use tracing::{info, warn};
use wire::StreamStatus;

use crate::awake;
use crate::client::{Session, SessionEvent};
use crate::media::{Media, Track};
use crate::publisher::{Options, PublisherEvent, Wish};
use crate::random::{fraction, fresh_id};
use crate::retry::{Loss, Next, Retry};
use crate::stream::{Stream, StreamOptions};
use crate::Error;

/// The task behind a publisher.
pub(crate) struct Keeper {
    options: Options,
    media: Media,
    retry: Retry,
    awake: awake::Watch,
    wishes: mpsc::Receiver<Wish>,
    events: mpsc::Sender<PublisherEvent>,
    /// A session got as far as asking for the name: the server may still hold
    /// it for us.
    asked_before: bool,
    stop_asked: bool,
}

/// One session and its stream.
struct OnAir {
    session: Session,
    stream: Stream,
    /// What ended the stream, once something has; see [`Loss`].
    severity: Option<Severity>,
    at_least: Duration,
}

/// What came of a session, or of a wait for the next.
enum Outcome {
    Over(Result<(), Error>),
    Lost(Loss),
    Again,
}

impl Keeper {
    pub(crate) fn new(
        options: Options,
        media: Media,
        wishes: mpsc::Receiver<Wish>,
        events: mpsc::Sender<PublisherEvent>,
    ) -> Self {
        Self {
            retry: Retry::new(options.retry, Instant::now()),
            options,
            media,
            awake: awake::Watch::start(),
            wishes,
            events,
            asked_before: false,
            stop_asked: false,
        }
    }

    /// Publishes until that is over.
    pub(crate) async fn run(mut self) -> Result<(), Error> {
        loop {
            let mut outcome = self.publish().await;
            if let Outcome::Lost(loss) = outcome {
                outcome = self.wait(loss).await;
            }
            if let Outcome::Over(result) = outcome {
                return result;
            }
        }
    }
}
