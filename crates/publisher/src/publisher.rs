//! The library's front door.

use std::time::Duration;

use session::Event;
use thiserror::Error as ThisError;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use wire::StreamName;

use crate::driver::Driver;
use crate::{ServerUrl, Source};

/// Events an application may leave unread before the newest are lost.
const UNREAD_EVENTS: usize = 256;

/// What to publish, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The server.
    pub server: ServerUrl,
    /// The name viewers play the stream by.
    pub name: StreamName,
    /// The video bitrate aimed at, in bits per second.
    pub bitrate_bps: u32,
    /// The longest time between two keyframes. Zero: only those that viewers need.
    pub keyframe_interval: Duration,
}

impl Options {
    /// 2 Mbit/s and a keyframe every 4 s.
    pub fn new(server: ServerUrl, name: StreamName) -> Self {
        Self {
            server,
            name,
            bitrate_bps: 2_000_000,
            keyframe_interval: Duration::from_secs(4),
        }
    }
}

/// Why a publication ended that nobody stopped.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum Error {
    /// The server could not be reached, or the connection to it is lost.
    #[error("connection lost: {0}")]
    Connection(String),
    /// The server refused the stream, or ended it; the text is the server's.
    #[error("refused by the server: {0}")]
    Refused(String),
    /// The source, an encoder or the media connection failed.
    #[error("media failed: {0}")]
    Media(String),
}

/// The application's wish to stop.
#[derive(Debug)]
pub(crate) struct Stop;

/// One stream being published. Any number of them live in one process.
///
/// Dropping it disconnects without unpublishing first, which the server takes
/// for the stream's end.
#[derive(Debug)]
#[must_use = "dropping a publisher ends its stream"]
pub struct Publisher {
    stops: mpsc::Sender<Stop>,
    events: mpsc::Receiver<Event>,
    task: JoinHandle<Result<(), Error>>,
}

impl Publisher {
    /// Connects and publishes what `source` captures; [`Publisher::event`] tells
    /// how it goes. Capturing begins when the media connection is up.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn connect(options: Options, source: impl Source + 'static) -> Self {
        let (stops, stop_receiver) = mpsc::channel(2);
        let (event_sender, events) = mpsc::channel(UNREAD_EVENTS);
        let driver = Driver::new(options, Box::new(source), stop_receiver, event_sender);
        Self {
            stops,
            events,
            task: tokio::spawn(driver.run()),
        }
    }

    /// The next status or other event; `None` after the last.
    pub async fn event(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Unpublishes, waits for the server's word and disconnects. A second call
    /// does not wait any more.
    pub fn stop(&self) {
        // Full or closed: it is already stopping.
        let _ = self.stops.try_send(Stop);
    }

    /// Waits for the end and tells how it came; `Ok` after [`Publisher::stop`].
    ///
    /// # Errors
    /// The publication ended by itself.
    pub async fn wait(self) -> Result<(), Error> {
        // Stopping still works: only the events are let go.
        let Self { stops, task, .. } = self;
        let result = task.await;
        drop(stops);
        result.unwrap_or_else(|error| Err(Error::Media(error.to_string())))
    }
}
