//! The library's front door for one stream that stays on air.

use std::time::Duration;

use serde_json::Value;
use thiserror::Error as ThisError;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tracing::warn;
use wire::StreamName;

use crate::client::{UNREAD_EVENTS, tell};
use crate::keeper::Keeper;
use crate::media::Media;
use crate::{MediaOptions, Server, SessionOptions, Sources, Stats};

/// Wishes of the application that wait to be heard.
const WISHES: usize = 64;

/// When to come back after a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryOptions {
    /// The first wait, before chance takes off up to half of it.
    pub first_wait: Duration,
    /// The longest wait; each is twice the one before.
    pub longest_wait: Duration,
    /// Give up when the stream has been off air for this long. `None`: never.
    /// Zero: the first loss or failure is the end.
    pub give_up_after: Option<Duration>,
}

impl Default for RetryOptions {
    /// From half a second to ten, for ever.
    fn default() -> Self {
        Self {
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(10),
            give_up_after: None,
        }
    }
}

/// What to publish, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The server.
    pub session: SessionOptions,
    /// The name viewers play the stream by.
    pub name: StreamName,
    /// How it is encoded.
    pub media: MediaOptions,
    /// When to come back after a loss.
    pub retry: RetryOptions,
    /// Play the stream back and measure what returns, see [`Stats::monitor`].
    pub monitor: bool,
}

impl Options {
    /// The defaults of each part, without a monitor.
    pub fn new(server: Server, name: StreamName) -> Self {
        Self {
            session: SessionOptions::new(server),
            name,
            media: MediaOptions::default(),
            retry: RetryOptions::default(),
            monitor: false,
        }
    }
}

/// Why a publication ended that nobody stopped.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum Error {
    /// No connection came about; the text says whose and why.
    #[error("{0}")]
    NoConnection(String),
    /// The connection is lost that there was.
    #[error("connection lost: {0}")]
    Connection(String),
    /// The server refused the stream, or ended it; the text is the server's.
    #[error("refused by the server: {0}")]
    Refused(String),
    /// The source, an encoder or the media connection failed.
    #[error("media failed: {0}")]
    Media(String),
}

/// What a publisher tells its application.
#[derive(Debug, Clone, PartialEq)]
pub enum PublisherEvent {
    /// A status of the session or the stream, or something else that the
    /// signalling tells. Each connection has a new session and a new stream.
    Signalling(session::Event),
    /// The stream is off air and will be tried again.
    Reconnecting {
        /// Why, for people.
        reason: Error,
        /// Which attempt comes, from 1.
        attempt: u32,
        /// How long until it.
        wait: Duration,
    },
    /// Something the user should know, in a sentence.
    Notice(String),
}

/// The application's wishes.
#[derive(Debug)]
pub(crate) enum Wish {
    Stop,
    Mute { audio: bool, video: bool },
    SendData(Value),
}

/// One stream being published. Any number of them live in one process.
///
/// It stays on air: whatever connection is lost is made again, under the same
/// name, as [`RetryOptions`] say. Dropping it ends the stream without waiting for
/// the server.
#[derive(Debug)]
#[must_use = "dropping a publisher ends its stream"]
pub struct Publisher {
    wishes: mpsc::Sender<Wish>,
    events: mpsc::Receiver<PublisherEvent>,
    stats: watch::Receiver<Stats>,
    task: JoinHandle<Result<(), Error>>,
}

impl Publisher {
    /// Connects and publishes what `sources` capture; [`Publisher::event`] tells
    /// how it goes. Capturing begins when the media connection is first up.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn connect(options: Options, sources: impl Into<Sources>) -> Self {
        let (wishes, wish_receiver) = mpsc::channel(WISHES);
        let (event_sender, events) = mpsc::channel(UNREAD_EVENTS);
        let notices = event_sender.clone();
        let notify = Box::new(move |text| tell(&notices, PublisherEvent::Notice(text)));
        let media = Media::start(sources.into(), &options.media, notify);
        let stats = media.stats();
        let keeper = Keeper::new(options, media, wish_receiver, event_sender);
        Self {
            wishes,
            events,
            stats,
            task: tokio::spawn(keeper.run()),
        }
    }

    /// The next status or other event; `None` after the last.
    pub async fn event(&mut self) -> Option<PublisherEvent> {
        self.events.recv().await
    }

    /// How it is doing: numbers at most a second old.
    pub fn stats(&self) -> Stats {
        self.stats.borrow().clone()
    }

    /// Unpublishes, waits for the server's word and disconnects. A second call
    /// does not wait any more.
    pub fn stop(&self) {
        self.wish(Wish::Stop);
    }

    /// Mutes or unmutes: viewers see black, hear silence, and are told so.
    /// Pictures that are passed through as they came encoded are seen again from
    /// their next keyframe on.
    pub fn mute(&self, audio: bool, video: bool) {
        self.wish(Wish::Mute { audio, video });
    }

    /// Sends data to the stream's viewers (Web Call Server only; elsewhere an
    /// [`PublisherEvent::Notice`] says so).
    pub fn send_data(&self, payload: Value) {
        self.wish(Wish::SendData(payload));
    }

    fn wish(&self, wish: Wish) {
        if let Err(TrySendError::Full(_)) = self.wishes.try_send(wish) {
            warn!("the publication is stuck: a wish is lost");
        }
    }

    /// Waits for the end and tells how it came; `Ok` after [`Publisher::stop`]
    /// and after the end of all sources.
    ///
    /// # Errors
    /// The publication ended otherwise.
    pub async fn wait(self) -> Result<(), Error> {
        // Stopping still works: only the events are let go.
        let Self {
            wishes,
            events,
            task,
            ..
        } = self;
        drop(events);
        let result = task.await;
        drop(wishes);
        result.unwrap_or_else(|error| Err(Error::Media(error.to_string())))
    }
}
