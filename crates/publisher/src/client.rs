//! The handle of one session: the iOS SDK's, in Rust.

use serde_json::Value;
use session::{SessionStatus, Severity};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tracing::{debug, warn};
use wire::MediaSessionId;

use crate::driver::{Driver, NewStream, Order};
use crate::media::{Media, Notify};
use crate::random::fresh_id;
use crate::stream::{Stream, StreamOptions, StreamState};
use crate::{Error, Server, Sources, TlsOptions, Token};

/// Events an application may leave unread before the newest are lost.
pub(crate) const UNREAD_EVENTS: usize = 256;

/// Wishes of the application that wait for the session.
const ORDERS: usize = 64;

/// The server and how to reach it.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionOptions {
    /// Where it is and what it speaks.
    pub server: Server,
    /// Sent as `Authorization: Bearer` (RFC 6750 section 2.1), to a Web Call Server also
    /// as `token` of `custom`, since proxies may keep the header; never shown.
    pub token: Option<Token>,
    /// Whom to trust.
    pub tls: TlsOptions,
    /// The server-side application (Web Call Server).
    pub app_key: String,
    /// Application data for the server (Web Call Server).
    pub custom: Option<Value>,
}

impl SessionOptions {
    /// The application `defaultApp`, no token, the system's certificates.
    pub fn new(server: Server) -> Self {
        Self {
            server,
            token: None,
            tls: TlsOptions::default(),
            app_key: "defaultApp".to_owned(),
            custom: None,
        }
    }
}

/// What a session tells its application.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionEvent {
    /// A status of the session or of one of its streams, or something else that
    /// the signalling tells.
    Signalling(session::Event),
    /// Something about a stream that the user should know, in a sentence.
    Notice {
        /// See [`Stream::id`].
        id: MediaSessionId,
        /// For people.
        text: String,
    },
}

/// Where a session is, as its handle sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SessionState {
    pub(crate) status: SessionStatus,
    /// How it ended, once it has.
    pub(crate) end: Option<Result<(), Error>>,
    /// Of a failure: whether another session may go better.
    pub(crate) severity: Severity,
    /// The server may know of a stream: a request for one went out to it.
    pub(crate) asked: bool,
}

impl SessionState {
    fn new() -> Self {
        Self {
            status: SessionStatus::Pending,
            end: None,
            severity: Severity::Passing,
            asked: false,
        }
    }
}

/// A session with a server. It connects once and never again: an application
/// that wants to come back makes another, and one that wants to stay on air
/// without further ado takes a [`crate::Publisher`].
///
/// Any number of sessions live in one process. Dropping one disconnects it.
#[derive(Debug)]
#[must_use = "dropping a session disconnects it"]
pub struct Session {
    orders: mpsc::Sender<Order>,
    events: mpsc::Receiver<SessionEvent>,
    /// For the notices of streams that are still to come.
    event_sender: mpsc::WeakSender<SessionEvent>,
    state: watch::Receiver<SessionState>,
}

impl Session {
    /// Connects; [`Session::event`] tells how it goes.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn connect(options: SessionOptions) -> Self {
        let (orders, order_receiver) = mpsc::channel(ORDERS);
        let (event_sender, events) = mpsc::channel(UNREAD_EVENTS);
        let (state_sender, state) = watch::channel(SessionState::new());
        let weak = event_sender.downgrade();
        let driver = Driver::new(options, order_receiver, event_sender, state_sender);
        tokio::spawn(driver.run());
        Self {
            orders,
            events,
            event_sender: weak,
            state,
        }
    }

    /// Where it is.
    pub fn status(&self) -> SessionStatus {
        self.state.borrow().status
    }

    /// How bad it is that it is over.
    pub(crate) fn severity(&self) -> Severity {
        self.state.borrow().severity
    }

    /// Whether the server may know of one of its streams.
    pub(crate) fn has_asked(&self) -> bool {
        self.state.borrow().asked
    }

    /// The next status or other event, of the session or one of its streams;
    /// `None` after the last.
    pub async fn event(&mut self) -> Option<SessionEvent> {
        self.events.recv().await
    }

    /// Publishes what `sources` capture, as soon as the session is ESTABLISHED.
    /// Capturing begins when the media connection is up.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn publish(&self, options: StreamOptions, sources: impl Into<Sources>) -> Stream {
        let id = fresh_id();
        let notify = self.notices_of(id.clone());
        let media = Media::start(sources.into(), &options.media, notify);
        self.publish_media(id, options, media)
    }

    /// The same of media that run already, or outlive the session.
    pub(crate) fn publish_media(
        &self,
        id: MediaSessionId,
        options: StreamOptions,
        media: Media,
    ) -> Stream {
        let (state_sender, state) = watch::channel(StreamState::new());
        let stats = media.stats();
        let new = NewStream {
            id: id.clone(),
            name: options.name,
            custom: options.custom,
            monitor: options.monitor,
            media,
            state: state_sender,
        };
        if self.orders.try_send(Order::Publish(Box::new(new))).is_err() {
            debug!(stream = %id, "the session is over or stuck: nothing is published");
        }
        let session = self.state.clone();
        Stream::new(id, self.orders.downgrade(), state, stats, session)
    }

    fn notices_of(&self, id: MediaSessionId) -> Notify {
        let events = self.event_sender.clone();
        Box::new(move |text| {
            let Some(events) = events.upgrade() else {
                return;
            };
            let id = id.clone();
            tell(&events, SessionEvent::Notice { id, text });
        })
    }

    /// Disconnects, as the iOS Streamer does: streams that are not stopped
    /// before end with the session.
    pub fn disconnect(&self) {
        // Full or closed: it is stuck or over.
        let _ = self.orders.try_send(Order::Disconnect);
    }

    /// Waits until the session is ESTABLISHED.
    ///
    /// # Errors
    /// It is over before that.
    pub async fn established(&mut self) -> Result<(), Error> {
        let there = |state: &SessionState| {
            state.status == SessionStatus::Established || state.end.is_some()
        };
        let Ok(state) = self.state.wait_for(there).await else {
            return Err(Error::Connection("the session is over".to_owned()));
        };
        match &state.end {
            None => Ok(()),
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(())) => Err(Error::Connection("the session is disconnected".to_owned())),
        }
    }

    /// Waits for its end and tells how it came; `Ok` after
    /// [`Session::disconnect`].
    ///
    /// # Errors
    /// It ended otherwise.
    pub async fn ended(&mut self) -> Result<(), Error> {
        let Ok(state) = self.state.wait_for(|state| state.end.is_some()).await else {
            return Err(Error::Connection("the session is over".to_owned()));
        };
        state.end.clone().unwrap_or(Ok(()))
    }
}

/// Tells the application, if it still listens.
pub(crate) fn tell<T>(events: &mpsc::Sender<T>, event: T) {
    if let Err(TrySendError::Full(_)) = events.try_send(event) {
        warn!("the application does not read its events: one is lost");
    }
}
