//! The handle of one published stream of a session.

use serde_json::Value;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tracing::warn;
use wire::{MediaSessionId, StreamName, StreamStatus};

use crate::client::SessionState;
use crate::driver::Order;
use crate::{Error, MediaOptions, Stats, Track};

/// What a stream is published as.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamOptions {
    /// The name viewers play it by.
    pub name: StreamName,
    /// How it is encoded.
    pub media: MediaOptions,
    /// Application data for the server (Web Call Server).
    pub custom: Option<Value>,
    /// Play the stream back and measure what returns, see [`Stats::monitor`].
    pub monitor: bool,
}

impl StreamOptions {
    /// The default encoding, no application data, no monitor.
    pub fn new(name: StreamName) -> Self {
        Self {
            name,
            media: MediaOptions::default(),
            custom: None,
            monitor: false,
        }
    }
}

/// Where a stream is, as its handle sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StreamState {
    pub(crate) status: StreamStatus,
    /// How it ended, once it has.
    pub(crate) end: Option<Result<(), Error>>,
}

impl StreamState {
    pub(crate) fn new() -> Self {
        Self {
            status: StreamStatus::New,
            end: None,
        }
    }
}

/// A stream being published. It ends when it is stopped, lost or refused, when
/// its sources end, and with its session; it is not tried again.
#[derive(Debug)]
#[must_use = "dropping a stream stops it"]
pub struct Stream {
    id: MediaSessionId,
    orders: mpsc::WeakSender<Order>,
    state: watch::Receiver<StreamState>,
    stats: watch::Receiver<Stats>,
    /// Tells how it ended if the session never got to know it.
    session: watch::Receiver<SessionState>,
}

impl Stream {
    pub(crate) fn new(
        id: MediaSessionId,
        orders: mpsc::WeakSender<Order>,
        state: watch::Receiver<StreamState>,
        stats: watch::Receiver<Stats>,
        session: watch::Receiver<SessionState>,
    ) -> Self {
        Self {
            id,
            orders,
            state,
            stats,
            session,
        }
    }

    /// What tells its events from those of the session's other streams.
    pub fn id(&self) -> &MediaSessionId {
        &self.id
    }

    /// Where it is; NEW until the server says something.
    pub fn status(&self) -> StreamStatus {
        self.state.borrow().status.clone()
    }

    /// How it is doing: numbers at most a second old.
    pub fn stats(&self) -> Stats {
        self.stats.borrow().clone()
    }

    /// Unpublishes it. The server has the last word, see [`Stream::ended`].
    pub fn stop(&self) {
        self.order(Order::Stop(self.id.clone()));
    }

    /// Mutes or unmutes the sound: viewers hear silence and are told so.
    pub fn mute_audio(&self, muted: bool) {
        self.mute(Track::Audio, muted);
    }

    /// Mutes or unmutes the pictures: viewers see black and are told so. What is
    /// passed through as it came encoded is seen again from its next keyframe on.
    pub fn mute_video(&self, muted: bool) {
        self.mute(Track::Video, muted);
    }

    pub(crate) fn mute(&self, track: Track, muted: bool) {
        self.order(Order::Mute {
            id: self.id.clone(),
            track,
            muted,
        });
    }

    /// Sends data to the viewers, while PUBLISHING to a Web Call Server; else a
    /// notice tells that it was not sent.
    pub fn send_data(&self, payload: Value) {
        self.order(Order::SendData {
            id: self.id.clone(),
            payload,
        });
    }

    /// Waits until the stream is PUBLISHING.
    ///
    /// # Errors
    /// It ended before, if need be by [`Stream::stop`].
    pub async fn published(&mut self) -> Result<(), Error> {
        let there =
            |state: &StreamState| state.status == StreamStatus::Publishing || state.end.is_some();
        let Ok(state) = self.state.wait_for(there).await else {
            return Err(self.end_of_session().err().unwrap_or_else(session_gone));
        };
        match &state.end {
            None => Ok(()),
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(())) => Err(Error::Refused(wire::info::STOPPED_BY_USER.to_owned())),
        }
    }

    /// Waits for its end and tells how it came; `Ok` after [`Stream::stop`],
    /// after a disconnect by the application and after the end of all sources.
    ///
    /// # Errors
    /// It ended otherwise.
    pub async fn ended(&mut self) -> Result<(), Error> {
        let Ok(state) = self.state.wait_for(|state| state.end.is_some()).await else {
            return self.end_of_session();
        };
        state.end.clone().unwrap_or(Ok(()))
    }

    fn end_of_session(&self) -> Result<(), Error> {
        let end = self.session.borrow().end.clone();
        end.unwrap_or_else(|| Err(session_gone()))
    }

    fn order(&self, order: Order) {
        // Without a session there is nothing left to do.
        let Some(orders) = self.orders.upgrade() else {
            return;
        };
        if let Err(TrySendError::Full(_)) = orders.try_send(order) {
            warn!(stream = %self.id, "the session is stuck: a wish is lost");
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let session_is_over = self.session.borrow().end.is_some();
        if self.state.borrow().end.is_none() && !session_is_over {
            self.stop();
        }
    }
}

fn session_gone() -> Error {
    Error::Connection("the session is over".to_owned())
}
