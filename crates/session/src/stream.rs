//! One stream's state machine.
//!
//! ```text
//! Offering --offer--> Requested --answer--> Answered --status--> Active
//!                         |                     |                  |
//!                         +-------- stop -------+------ stop ------+--> Stopping
//! ```
//!
//! A final status of the server, failing media, a lost session or a missed
//! deadline end the stream from any state, as does a stop while `Offering`.
//!
//! Handlers take the stream by value and give it back while it lives: after its
//! final notification there is nothing left that could speak. The peer
//! connection is closed exactly once, before that notification.

use serde_json::{Value, json};
use tracing::debug;
use wire::{
    ClientMessage, MediaSessionId, SendStreamEvent, StreamEventType, StreamName, StreamStatus,
    StreamStatusEvent,
};

use crate::identity::{Failure, Identity, NO_ANSWER, NO_MEDIA, Offer};
use crate::outbox::Outbox;
use crate::{Error, Event, Severity, StreamRole, Time};

/// What to publish.
#[derive(Debug, Clone, PartialEq)]
pub struct Publish {
    /// Fresh id, see [`MediaSessionId::from_random`].
    pub id: MediaSessionId,
    /// The name to publish by.
    pub name: StreamName,
    /// Application data for the server.
    pub custom: Option<Value>,
}

/// What to play.
#[derive(Debug, Clone, PartialEq)]
pub struct Play {
    /// Fresh id, see [`MediaSessionId::from_random`].
    pub id: MediaSessionId,
    /// The name to play.
    pub name: StreamName,
    /// Application data for the server.
    pub custom: Option<Value>,
}

/// A stream that is not over.
#[derive(Debug)]
pub(crate) struct Stream {
    identity: Identity,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Media makes the offer, maybe asking the user for the camera: no
    /// deadline. The server knows nothing yet.
    Offering { custom: Option<Value> },
    /// The request is sent. A stop waits until the server has said something,
    /// as in the original clients.
    Requested { deadline: Time, stop_wanted: bool },
    /// The answer is with media; the server has not said that media flows.
    Answered { deadline: Time },
    /// PUBLISHING, or PLAYING and its kin. `answered` is false if the status
    /// overtook the answer.
    Active {
        status: StreamStatus,
        answered: bool,
    },
    /// Media is closed and the stop is sent; the server has the last word.
    Stopping { deadline: Time },
}

impl Stream {
    /// The stream's id.
    pub(crate) fn id(&self) -> &MediaSessionId {
        &self.identity.id
    }

    /// Starts a publisher; media makes its offer.
    pub(crate) fn publish(publish: Publish, out: &mut Outbox) -> Self {
        let stream = Self {
            identity: Identity {
                id: publish.id,
                name: publish.name,
                role: StreamRole::Publisher,
            },
            state: State::Offering {
                custom: publish.custom,
            },
        };
        stream.identity.ask_for_offer(out);
        stream
    }

    /// Starts a player; media makes its offer. Players are told PENDING and
    /// publishers are not: so do the original clients.
    pub(crate) fn play(play: Play, out: &mut Outbox) -> Self {
        let stream = Self {
            identity: Identity {
                id: play.id,
                name: play.name,
                role: StreamRole::Player,
            },
            state: State::Offering {
                custom: play.custom,
            },
        };
        stream.identity.notify(StreamStatus::Pending, None, out);
        stream.identity.ask_for_offer(out);
        stream
    }

    /// When [`Self::handle_timeout`] is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        match &self.state {
            State::Offering { .. } | State::Active { .. } => None,
            State::Requested { deadline, .. }
            | State::Answered { deadline }
            | State::Stopping { deadline } => Some(*deadline),
        }
    }

    /// Media made the offer: the request goes out and waits until `deadline`.
    pub(crate) fn handle_offer(mut self, offer: Offer, deadline: Time, out: &mut Outbox) -> Self {
        let State::Offering { custom } = self.state else {
            debug!(stream = %self.identity.id, "offer not asked for, dropped");
            return self;
        };
        self.identity.send_request(offer, custom, out);
        self.state = State::Requested {
            deadline,
            stop_wanted: false,
        };
        self
    }

    /// The server answered. Only the first answer counts: media would take a
    /// second one for an offer.
    pub(crate) fn handle_answer(mut self, sdp: String, deadline: Time, out: &mut Outbox) -> Self {
        match &mut self.state {
            State::Requested {
                stop_wanted: true, ..
            } => return self.begin_stop(&StreamStatus::Pending, deadline, out),
            State::Requested { deadline, .. } => {
                let deadline = *deadline;
                self.state = State::Answered { deadline };
            }
            State::Active { answered, .. } if !*answered => *answered = true,
            State::Offering { .. }
            | State::Answered { .. }
            | State::Active { .. }
            | State::Stopping { .. } => {
                debug!(stream = %self.identity.id, "answer not waited for, dropped");
                return self;
            }
        }
        self.identity.apply_answer(sdp, out);
        self
    }

    /// The server told a status. `deadline` is for a stop that this sets off.
    pub(crate) fn handle_status(
        self,
        event: StreamStatusEvent,
        deadline: Time,
        out: &mut Outbox,
    ) -> Option<Self> {
        match (&event.status, self.identity.role) {
            (StreamStatus::Failed | StreamStatus::Stopped | StreamStatus::Unpublished, _) => {
                self.close_media(out);
                self.identity.notify_server_status(event, out);
                None
            }
            (StreamStatus::Publishing, StreamRole::Publisher)
            | (
                StreamStatus::Playing | StreamStatus::Paused | StreamStatus::PlaybackProblem,
                StreamRole::Player,
            ) => Some(self.handle_active(event, deadline, out)),
            (StreamStatus::Pending, _) => Some(self.handle_pending(event, out)),
            (StreamStatus::NotEnoughBandwidth, _) => {
                self.handle_not_enough_bandwidth(event.info, out);
                Some(self)
            }
            (
                StreamStatus::New
                | StreamStatus::Publishing
                | StreamStatus::Playing
                | StreamStatus::Paused
                | StreamStatus::PlaybackProblem
                | StreamStatus::Resize
                | StreamStatus::SnapshotComplete
                | StreamStatus::StreamEvent
                | StreamStatus::Other(_),
                _,
            ) => {
                debug!(stream = %self.identity.id, status = event.status.as_str(), "status dropped");
                Some(self)
            }
        }
    }

    fn handle_active(mut self, event: StreamStatusEvent, deadline: Time, out: &mut Outbox) -> Self {
        let answered = match self.state {
            State::Requested {
                stop_wanted: true, ..
            } => return self.begin_stop(&event.status, deadline, out),
            State::Requested { .. } => false,
            State::Answered { .. } => true,
            State::Active { answered, .. } => answered,
            State::Offering { .. } | State::Stopping { .. } => {
                debug!(stream = %self.identity.id, status = event.status.as_str(), "status dropped");
                return self;
            }
        };
        self.state = State::Active {
            status: event.status.clone(),
            answered,
        };
        self.identity.notify_server_status(event, out);
        self
    }

    fn handle_pending(self, event: StreamStatusEvent, out: &mut Outbox) -> Self {
        match self.state {
            State::Requested { .. } | State::Answered { .. } => {
                self.identity.notify_server_status(event, out);
            }
            State::Offering { .. } | State::Active { .. } | State::Stopping { .. } => {
                debug!(stream = %self.identity.id, "PENDING dropped");
            }
        }
        self
    }

    /// The deprecated status is the event of the same name.
    fn handle_not_enough_bandwidth(&self, info: Option<String>, out: &mut Outbox) {
        let payload = json!({ "info": info });
        self.handle_event(StreamEventType::NotEnoughBandwidth, payload, out);
    }

    /// The server told what happened to the stream.
    pub(crate) fn handle_event(
        &self,
        event_type: StreamEventType,
        payload: Value,
        out: &mut Outbox,
    ) {
        if self.is_stopping() {
            return;
        }
        out.notify(Event::StreamEvent {
            id: self.identity.id.clone(),
            event_type,
            payload,
        });
    }

    /// The server told what it receives from the publisher or sends to the player.
    pub(crate) fn handle_video_rate(
        &self,
        role: StreamRole,
        bits_per_second: f64,
        out: &mut Outbox,
    ) {
        if self.identity.role != role || self.is_stopping() {
            return;
        }
        out.notify(Event::VideoRate {
            id: self.identity.id.clone(),
            bits_per_second,
        });
    }

    /// The application stops the stream.
    pub(crate) fn handle_stop(mut self, deadline: Time, out: &mut Outbox) -> Option<Self> {
        match &mut self.state {
            State::Offering { .. } => {
                self.close_media(out);
                self.identity.notify_stopped(out);
                None
            }
            State::Requested { stop_wanted, .. } => {
                *stop_wanted = true;
                Some(self)
            }
            State::Answered { .. } => Some(self.begin_stop(&StreamStatus::Pending, deadline, out)),
            State::Active { status, .. } => {
                let status = status.clone();
                Some(self.begin_stop(&status, deadline, out))
            }
            State::Stopping { .. } => Some(self),
        }
    }

    /// The publisher sends data or mute state to its players.
    pub(crate) fn send_event(
        &self,
        event_type: StreamEventType,
        payload: Option<Value>,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        if !matches!(
            (self.identity.role, &self.state),
            (StreamRole::Publisher, State::Active { .. })
        ) {
            return Err(Error::NotPublishing);
        }
        let payload = payload.filter(|_| event_type == StreamEventType::Data);
        out.send(&ClientMessage::SendStreamEvent(SendStreamEvent {
            media_session_id: Some(self.identity.id.clone()),
            event_type,
            payload,
        }));
        Ok(())
    }

    /// Media cannot go on. A server that knows of the stream is told to stop it,
    /// without waiting for its last word.
    pub(crate) fn handle_media_failed(
        self,
        error: String,
        severity: Severity,
        out: &mut Outbox,
    ) -> Option<Self> {
        match &self.state {
            State::Stopping { .. } => {
                debug!(stream = %self.identity.id, error, "failure of closed media dropped");
                return Some(self);
            }
            State::Offering { .. } => {}
            State::Requested { .. } | State::Answered { .. } => {
                self.identity.send_stop(&StreamStatus::Pending, out);
            }
            State::Active { status, .. } => self.identity.send_stop(status, out),
        }
        self.close_media(out);
        self.fail(error, severity, out);
        None
    }

    /// Ends a stream about which the server kept silent for too long.
    pub(crate) fn handle_timeout(self, now: Time, out: &mut Outbox) -> Option<Self> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Some(self);
        }
        match self.state {
            State::Offering { .. } | State::Active { .. } => return Some(self),
            State::Requested { stop_wanted, .. } => {
                self.identity.send_stop(&StreamStatus::Pending, out);
                self.close_media(out);
                if stop_wanted {
                    self.identity.notify_stopped(out);
                } else {
                    self.fail(NO_ANSWER.to_owned(), Severity::Passing, out);
                }
            }
            State::Answered { .. } => {
                self.identity.send_stop(&StreamStatus::Pending, out);
                self.close_media(out);
                self.fail(NO_MEDIA.to_owned(), Severity::Passing, out);
            }
            State::Stopping { .. } => self.identity.notify_stopped(out),
        }
        None
    }

    /// The session is over. Its driver has closed the stream's media before.
    pub(crate) fn handle_session_lost(self, out: &mut Outbox) {
        self.identity.notify(StreamStatus::Failed, None, out);
    }

    /// Closes the peer connection, unless that is done.
    pub(crate) fn close_media(&self, out: &mut Outbox) {
        if !self.is_stopping() {
            self.identity.close_media(out);
        }
    }

    fn fail(&self, error: String, severity: Severity, out: &mut Outbox) {
        self.identity
            .notify_failure(Failure::local(error, severity), out);
    }

    fn is_stopping(&self) -> bool {
        matches!(self.state, State::Stopping { .. })
    }

    /// Media is closed before the server replies: nothing of it is of use.
    fn begin_stop(mut self, status: &StreamStatus, deadline: Time, out: &mut Outbox) -> Self {
        self.identity.send_stop(status, out);
        self.close_media(out);
        self.state = State::Stopping { deadline };
        self
    }
}
