//! One stream's state machine over HTTP.
//!
//! ```text
//! Offering --offer--> Posted --201--> Answered --connected--> Active
//!                       |                |                      |
//!                       +----- stop -----+-------- stop --------+--> Stopping
//! ```
//!
//! A refusal, failing media, a lost session or a missed deadline end the stream
//! from any state, as does a stop while `Offering`. Whatever a POST made on the
//! server is deleted, also when it is made after the stream's end: then the
//! session sees to it.
//!
//! Handlers take the stream by value and give it back while it lives, as those
//! of the other signalling do.

use tracing::debug;
use wire::{MediaSessionId, StreamStatus};

use super::link::ice_servers;
use super::message::{HttpResponse, LocalCandidate, RequestId};
use super::refusal::{self, Created};
use super::requests::Requests;
use super::trickle::Trickle;
use crate::identity::{Failure, Identity, NO_ANSWER, NO_MEDIA};
use crate::{Error, Output, Severity, StreamRole, Time};

/// A stream that is not over.
#[derive(Debug)]
pub(super) struct Stream {
    identity: Identity,
    trickle: Trickle,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Media makes the offer, maybe asking the user for the camera: no
    /// deadline. The server knows nothing yet.
    Offering { endpoint: String },
    /// The offer is posted.
    Posted { request: RequestId, deadline: Time },
    /// The answer is with media, which is not connected yet.
    Answered { resource: Resource, deadline: Time },
    /// Media flows.
    Active { resource: Resource },
    /// Media is closed. `request` is the DELETE, or still the POST: then the
    /// DELETE follows its response.
    Stopping { request: RequestId, deadline: Time },
}

/// What a POST made on the server.
#[derive(Debug)]
struct Resource {
    url: String,
    etag: Option<String>,
}

impl Stream {
    /// Starts a stream; media makes its offer. Players are told PENDING and
    /// publishers are not, as with the other signalling.
    pub(super) fn start(
        identity: Identity,
        endpoint: String,
        trickle: Trickle,
        io: &mut Requests,
    ) -> Self {
        if identity.role == StreamRole::Player {
            identity.notify(StreamStatus::Pending, None, &mut io.out);
        }
        identity.ask_for_offer(&mut io.out);
        Self {
            identity,
            trickle,
            state: State::Offering { endpoint },
        }
    }

    pub(super) fn id(&self) -> &MediaSessionId {
        &self.identity.id
    }

    /// When [`Self::handle_timeout`] is due.
    pub(super) fn deadline(&self) -> Option<Time> {
        match &self.state {
            State::Offering { .. } | State::Active { .. } => None,
            State::Posted { deadline, .. }
            | State::Answered { deadline, .. }
            | State::Stopping { deadline, .. } => Some(*deadline),
        }
    }

    /// The stream waits for the response to this request.
    pub(super) fn waits_for(&self, id: RequestId) -> bool {
        match &self.state {
            State::Posted { request, .. } | State::Stopping { request, .. } => *request == id,
            State::Offering { .. } | State::Answered { .. } | State::Active { .. } => false,
        }
    }

    /// Media made the offer: it goes out and must become media by `deadline`.
    pub(super) fn handle_offer(mut self, sdp: String, deadline: Time, io: &mut Requests) -> Self {
        let State::Offering { endpoint } = self.state else {
            debug!(stream = %self.identity.id, "offer not asked for, dropped");
            return self;
        };
        self.trickle.handle_offer(&sdp);
        let request = io.post(&self.identity.id, endpoint, sdp);
        self.state = State::Posted { request, deadline };
        self
    }

    /// The server answered the POST that this stream waits for.
    pub(super) fn handle_post_response(
        self,
        response: HttpResponse,
        io: &mut Requests,
    ) -> Option<Self> {
        match self.state {
            State::Posted { deadline, .. } => self.handle_answer(response, deadline, io),
            State::Stopping { deadline, .. } => self.delete_late(&response, deadline, io),
            State::Offering { .. } | State::Answered { .. } | State::Active { .. } => Some(self),
        }
    }

    fn handle_answer(
        mut self,
        response: HttpResponse,
        deadline: Time,
        io: &mut Requests,
    ) -> Option<Self> {
        let servers = ice_servers(&response.links);
        let made = refusal::made(&response).map(str::to_owned);
        match refusal::read(response, self.identity.role) {
            Ok(Created {
                location,
                etag,
                answer,
            }) => {
                if !servers.is_empty() {
                    let id = self.identity.id.clone();
                    io.out.push(Output::IceServers { id, servers });
                }
                self.identity.apply_answer(answer, &mut io.out);
                let resource = Resource {
                    url: location,
                    etag,
                };
                self.state = State::Answered { resource, deadline };
                self.send_candidates(io);
                Some(self)
            }
            Err(failure) => {
                if let Some(url) = made {
                    io.delete(&self.identity.id, url);
                }
                self.fail(failure, io);
                None
            }
        }
    }

    /// The stream was stopped before the server made anything of it.
    fn delete_late(
        mut self,
        response: &HttpResponse,
        deadline: Time,
        io: &mut Requests,
    ) -> Option<Self> {
        let Some(url) = refusal::made(response) else {
            self.identity.notify_stopped(&mut io.out);
            return None;
        };
        let request = io.delete(&self.identity.id, url.to_owned());
        self.state = State::Stopping { request, deadline };
        Some(self)
    }

    /// The POST or the DELETE that this stream waits for came to nothing.
    pub(super) fn handle_request_failed(self, error: &str, io: &mut Requests) {
        if matches!(self.state, State::Posted { .. }) {
            self.fail(refusal::unreachable(error), io);
        } else {
            self.identity.notify_stopped(&mut io.out);
        }
    }

    /// The server answered the DELETE that this stream waits for. Even if it
    /// refuses, there is nothing more to do.
    pub(super) fn handle_deleted(self, io: &mut Requests) {
        self.identity.notify_stopped(&mut io.out);
    }

    /// The server answered candidates.
    pub(super) fn handle_patched(
        mut self,
        request: RequestId,
        taken: bool,
        io: &mut Requests,
    ) -> Self {
        self.trickle.handle_reply(request, taken);
        self.send_candidates(io);
        self
    }

    /// Media found a candidate, or the last one.
    pub(super) fn handle_candidate(
        mut self,
        candidate: Option<LocalCandidate>,
        io: &mut Requests,
    ) -> Self {
        self.trickle.handle_candidate(candidate);
        self.send_candidates(io);
        self
    }

    /// Candidates wait for the answer: before it nobody knows where to (RFC
    /// 9725 section 4.3.2).
    fn send_candidates(&mut self, io: &mut Requests) {
        let resource = match &self.state {
            State::Answered { resource, .. } | State::Active { resource } => resource,
            State::Offering { .. } | State::Posted { .. } | State::Stopping { .. } => return,
        };
        if let Some(fragment) = self.trickle.take_fragment() {
            let (url, etag) = (resource.url.clone(), resource.etag.clone());
            let request = io.patch(&self.identity.id, url, etag, fragment);
            self.trickle.sent(request);
        }
    }

    /// The peer connection is connected.
    pub(super) fn handle_connected(mut self, io: &mut Requests) -> Self {
        let State::Answered { resource, .. } = self.state else {
            debug!(stream = %self.identity.id, "connection not waited for, dropped");
            return self;
        };
        self.state = State::Active { resource };
        let status = match self.identity.role {
            StreamRole::Publisher => StreamStatus::Publishing,
            StreamRole::Player => StreamStatus::Playing,
        };
        self.identity.notify(status, None, &mut io.out);
        self
    }

    /// The application stops the stream.
    pub(super) fn handle_stop(mut self, deadline: Time, io: &mut Requests) -> Option<Self> {
        let request = match self.state {
            State::Offering { .. } => {
                self.identity.close_media(&mut io.out);
                self.identity.notify_stopped(&mut io.out);
                return None;
            }
            State::Stopping { .. } => return Some(self),
            State::Posted { request, .. } => {
                self.identity.close_media(&mut io.out);
                request
            }
            State::Answered { resource, .. } | State::Active { resource } => {
                self.identity.close_media(&mut io.out);
                io.delete(&self.identity.id, resource.url)
            }
        };
        self.state = State::Stopping { request, deadline };
        Some(self)
    }

    /// Only a publisher speaks to its players.
    pub(super) fn check_publishing(&self) -> Result<(), Error> {
        match (self.identity.role, &self.state) {
            (StreamRole::Publisher, State::Active { .. }) => Ok(()),
            (StreamRole::Publisher | StreamRole::Player, _) => Err(Error::NotPublishing),
        }
    }

    /// Media cannot go on.
    pub(super) fn handle_media_failed(
        self,
        error: String,
        severity: Severity,
        io: &mut Requests,
    ) -> Option<Self> {
        if matches!(self.state, State::Stopping { .. }) {
            debug!(stream = %self.identity.id, error, "failure of closed media dropped");
            return Some(self);
        }
        self.delete(io);
        self.fail(Failure::local(error, severity), io);
        None
    }

    /// Ends a stream about which the server kept silent for too long.
    pub(super) fn handle_timeout(self, now: Time, io: &mut Requests) -> Option<Self> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Some(self);
        }
        let error = match self.state {
            State::Offering { .. } | State::Active { .. } => return Some(self),
            State::Stopping { .. } => {
                self.identity.notify_stopped(&mut io.out);
                return None;
            }
            State::Posted { .. } => NO_ANSWER,
            State::Answered { .. } => NO_MEDIA,
        };
        self.delete(io);
        self.fail(Failure::local(error.to_owned(), Severity::Passing), io);
        None
    }

    /// The session is over. Its driver has closed the stream's media before.
    pub(super) fn handle_session_lost(self, io: &mut Requests) {
        self.delete(io);
        self.identity
            .notify(StreamStatus::Failed, None, &mut io.out);
    }

    /// Closes the peer connection, unless that is done.
    pub(super) fn close_media(&self, io: &mut Requests) {
        if !matches!(self.state, State::Stopping { .. }) {
            self.identity.close_media(&mut io.out);
        }
    }

    /// Deletes what the server made of the stream.
    fn delete(&self, io: &mut Requests) {
        match &self.state {
            State::Answered { resource, .. } | State::Active { resource } => {
                io.delete(&self.identity.id, resource.url.clone());
            }
            State::Offering { .. } | State::Posted { .. } | State::Stopping { .. } => {}
        }
    }

    fn fail(self, failure: Failure, io: &mut Requests) {
        self.identity.close_media(&mut io.out);
        self.identity.notify_failure(failure, &mut io.out);
    }
}
