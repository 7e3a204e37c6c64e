//! One stream's media: its sources and encoders, and the peer connection that
//! carries what they make, while there is one.
//!
//! A task of its own, since it outlives connections:
//!
//! ```text
//! sources wait --first connection up--> pipeline runs --end, failure--> over
//!
//! no connection --Connect--> offering --offer--> offered --ICE, DTLS--> up
//!       ^                        |                  |                    |
//!       +------------------ Close, or a failure ----+--------------------+
//! ```
//!
//! Capturing goes on between two connections while encoding rests: the next
//! connection begins with what is new then, and with a keyframe. RTP timestamps
//! count from the task's start over all of them.

mod connection;
mod playback;
mod task;
#[cfg(test)]
mod tests;

use tokio::sync::{mpsc, watch};
use tracing::warn;
use wire::MediaSessionId;

use crate::{MediaOptions, Sources, Stats, Track};
pub(crate) use connection::{Caller, Local};
use task::Task;

/// Orders that wait for the task: a connection takes four in its whole life.
const ORDERS: usize = 32;

/// Tells the user a sentence.
pub(crate) type Notify = Box<dyn Fn(String) + Send>;

/// Which tracks are muted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Muted {
    pub(crate) audio: bool,
    pub(crate) video: bool,
}

impl Muted {
    pub(crate) fn set(&mut self, track: Track, muted: bool) {
        match track {
            Track::Audio => self.audio = muted,
            Track::Video => self.video = muted,
        }
    }
}

/// What a session's driver wants.
#[derive(Debug)]
enum Order {
    /// Make a peer connection and tell its offer.
    Connect(Caller, Local),
    /// The same for the monitor's.
    Monitor(Caller),
    Accept(MediaSessionId, String),
    Close(MediaSessionId),
    OnAir,
}

/// What the task has of its handles.
#[derive(Debug)]
struct Hold {
    orders: mpsc::Receiver<Order>,
    muted: watch::Receiver<Muted>,
    stats: watch::Sender<Stats>,
    /// How capturing ended, once it has; an error is a sentence.
    end: watch::Sender<Option<Result<(), String>>>,
}

/// The handle of a stream's media; when the last is dropped, capturing ends.
#[derive(Debug, Clone)]
pub(crate) struct Media {
    orders: mpsc::Sender<Order>,
    muted: watch::Sender<Muted>,
    stats: watch::Receiver<Stats>,
    end: watch::Receiver<Option<Result<(), String>>>,
}

impl Media {
    /// Starts the task. The sources wait for the first connection.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) fn start(sources: Sources, options: &MediaOptions, notify: Notify) -> Self {
        let (orders, order_receiver) = mpsc::channel(ORDERS);
        let (muted, muted_receiver) = watch::channel(Muted::default());
        let (stats_sender, stats) = watch::channel(Stats::default());
        let (end_sender, end) = watch::channel(None);
        let hold = Hold {
            orders: order_receiver,
            muted: muted_receiver,
            stats: stats_sender,
            end: end_sender,
        };
        tokio::spawn(Task::new(sources, options, notify, hold).run());
        Self {
            orders,
            muted,
            stats,
            end,
        }
    }

    /// Makes a peer connection in place of the one before. The caller is told
    /// [`session::Input::OfferCreated`], then [`session::Input::MediaConnected`], or
    /// [`session::Input::MediaFailed`], and [`session::Input::Stop`] when the sources have ended.
    pub(crate) fn connect(&self, caller: Caller, local: Local) {
        self.order(Order::Connect(caller, local));
    }

    /// Makes a connection that plays the stream back and measures what returns,
    /// while the stream itself is connected. The caller is told the same.
    pub(crate) fn monitor(&self, caller: Caller) {
        self.order(Order::Monitor(caller));
    }

    /// Gives a connection the server's answer.
    pub(crate) fn accept(&self, id: MediaSessionId, sdp: String) {
        self.order(Order::Accept(id, sdp));
    }

    /// Ends the connection of this id, if it is still there.
    pub(crate) fn close(&self, id: MediaSessionId) {
        self.order(Order::Close(id));
    }

    /// The stream is PUBLISHING.
    pub(crate) fn on_air(&self) {
        self.order(Order::OnAir);
    }

    fn order(&self, order: Order) {
        if let Err(error) = self.orders.try_send(order) {
            warn!(%error, "a stream's media is stuck or gone");
        }
    }

    /// Mutes or unmutes a track, whether connected or not.
    pub(crate) fn mute(&self, track: Track, muted: bool) {
        self.muted.send_modify(|state| state.set(track, muted));
    }

    pub(crate) fn muted(&self) -> Muted {
        *self.muted.borrow()
    }

    /// The numbers, renewed once a second.
    pub(crate) fn stats(&self) -> watch::Receiver<Stats> {
        self.stats.clone()
    }

    /// How capturing ended, if it has; an error is a sentence.
    pub(crate) fn end(&self) -> Option<Result<(), String>> {
        self.end.borrow().clone()
    }

    /// Waits until capturing has ended.
    pub(crate) async fn ended(&mut self) -> Result<(), String> {
        match self.end.wait_for(Option::is_some).await {
            Ok(end) => end.clone().unwrap_or(Ok(())),
            Err(_) => Err("the stream's task ended".to_owned()),
        }
    }
}
