//! WHIP and WHEP (RFC 9725, draft-ietf-wish-whep) behind the same surface as
//! [`crate::Session`]: the session without a server's side. It is ESTABLISHED
//! as soon as it is asked to connect, and each stream is a resource of its own:
//! made by a POST of the offer, ended by a DELETE.
//!
//! What HTTP does not carry: application data (`custom`), stream events, and
//! the question whether a name is live.

mod link;
mod message;
mod refusal;
mod requests;
mod stream;
mod trickle;

use core::mem;
use core::time::Duration;

use tracing::{debug, info};
use wire::{MediaSessionId, StreamEventType, StreamName};

pub use link::MAX_ICE_SERVERS;
pub use message::{
    BadToken, HttpRequest, HttpResponse, IceServer, LocalCandidate, MAX_TOKEN_CHARS, Method,
    RequestId, Token,
};
pub use refusal::{MAX_BODY_BYTES, MAX_DETAIL_CHARS, MAX_RETRY_AFTER, MAX_URL_BYTES};
pub use trickle::MAX_CANDIDATES;

use crate::identity::Identity;
use crate::io::MAX_STREAMS;
use crate::{Error, Event, HttpAddress, Input, Output, SessionStatus, StreamRole, Time};
use requests::{Requests, Waiting};
use stream::Stream;
use trickle::Trickle;

/// Requests a session can wait for before it takes no new streams. Each live
/// stream has two at most; those of streams that are over count too, since a
/// server that never answers keeps them.
pub const MAX_REQUESTS: usize = 4 * MAX_STREAMS;

/// Why an [`Event::Available`] says no.
const CANNOT_ASK: &str = "WHEP cannot tell whether a stream is live: play it to see";

/// How an HTTP session behaves; everything the application may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// Where to publish and to play.
    pub address: HttpAddress,
    /// Sent with every request.
    pub token: Option<Token>,
    /// From a stream's offer to its connected media; then it fails. Also how
    /// long the server has to confirm a stop.
    pub stream_timeout: Duration,
}

/// A client's session with a WHIP and WHEP server.
///
/// Every [`Output::Request`] gets exactly one [`Input::Response`] or
/// [`Input::RequestFailed`], in any order, also after the session's end: what
/// a late answer made is deleted then. [`Self::is_finished`] tells when nothing
/// is left.
#[derive(Debug)]
pub struct HttpSession {
    config: HttpConfig,
    state: State,
    /// The streams that are not over, in the order they were started.
    streams: Vec<Stream>,
    /// The server has not said that it never takes candidates.
    trickle: bool,
    io: Requests,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Established,
    Disconnected,
}

impl HttpSession {
    /// A session that has not connected yet.
    pub fn new(config: HttpConfig) -> Self {
        Self {
            io: Requests::new(config.token.clone()),
            config,
            state: State::New,
            streams: Vec::new(),
            trickle: true,
        }
    }

    /// The session's status. It never fails: its streams do.
    pub fn status(&self) -> SessionStatus {
        match self.state {
            State::New => SessionStatus::Pending,
            State::Established => SessionStatus::Established,
            State::Disconnected => SessionStatus::Disconnected,
        }
    }

    /// The session is over and has no request on its way: dropping it leaves
    /// nothing behind on the server.
    pub fn is_finished(&self) -> bool {
        self.state == State::Disconnected && self.io.outstanding() == 0
    }

    /// Takes what happened at `now`. Bad input from the server fails at most
    /// the stream it is for; what comes of a socket is ignored.
    ///
    /// # Errors
    /// The application asked for what the state does not allow.
    pub fn handle(&mut self, input: Input, now: Time) -> Result<(), Error> {
        let deadline = now + self.config.stream_timeout;
        match input {
            Input::Connect => return self.connect(),
            Input::Disconnect => self.disconnect(),
            Input::Publish(publish) => {
                return self.start(publish.id, publish.name, StreamRole::Publisher);
            }
            Input::Play(play) => return self.start(play.id, play.name, StreamRole::Player),
            Input::Stop(id) => {
                return self.with_stream(&id, |stream, io| stream.handle_stop(deadline, io));
            }
            Input::Available { id, .. } => return self.answer_available(id),
            Input::SendStreamEvent { id, event_type, .. } => {
                return self.check_event(&id, &event_type);
            }
            Input::OfferCreated { id, sdp, .. } => {
                self.tell_stream(&id, |stream, io| {
                    Some(stream.handle_offer(sdp, deadline, io))
                });
            }
            Input::MediaConnected { id } => {
                self.tell_stream(&id, |stream, io| Some(stream.handle_connected(io)));
            }
            Input::MediaFailed {
                id,
                error,
                severity,
            } => self.tell_stream(&id, |stream, io| {
                stream.handle_media_failed(error, severity, io)
            }),
            Input::LocalCandidate { id, candidate } => {
                self.tell_stream(&id, |stream, io| {
                    Some(stream.handle_candidate(candidate, io))
                });
            }
            Input::Response { id, response } => self.handle_reply(id, Ok(response)),
            Input::RequestFailed { id, error } => self.handle_reply(id, Err(error)),
            Input::Timeout => self.handle_timeout(now),
            Input::SocketOpened
            | Input::SocketMessage(_)
            | Input::SocketClosed
            | Input::SocketFailed(_) => debug!("there is no socket, ignored"),
        }
        Ok(())
    }

    /// The next thing to do; `None` when all is done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.io.out.pop()
    }

    /// When [`Input::Timeout`] is due; `None` while nothing is waited for.
    pub fn timeout(&self) -> Option<Time> {
        self.streams.iter().filter_map(Stream::deadline).min()
    }

    fn connect(&mut self) -> Result<(), Error> {
        if self.state != State::New {
            return Err(Error::AlreadyConnected);
        }
        self.notify(SessionStatus::Connected);
        self.state = State::Established;
        self.notify(SessionStatus::Established);
        Ok(())
    }

    /// Ends the session: media first, so that the camera is off whatever the
    /// application does; the session's own status last.
    fn disconnect(&mut self) {
        if self.state == State::Disconnected {
            return;
        }
        for stream in &self.streams {
            stream.close_media(&mut self.io);
        }
        for stream in mem::take(&mut self.streams) {
            stream.handle_session_lost(&mut self.io);
        }
        self.state = State::Disconnected;
        self.notify(SessionStatus::Disconnected);
    }

    fn start(
        &mut self,
        id: MediaSessionId,
        name: StreamName,
        role: StreamRole,
    ) -> Result<(), Error> {
        self.check_new_id(&id)?;
        if self.streams.len() >= MAX_STREAMS || self.io.outstanding() >= MAX_REQUESTS {
            return Err(Error::LimitReached);
        }
        let endpoint = self.config.address.endpoint(role, &name)?;
        let identity = Identity { id, name, role };
        let trickle = Trickle::new(self.trickle);
        let stream = Stream::start(identity, endpoint, trickle, &mut self.io);
        self.streams.push(stream);
        Ok(())
    }

    fn answer_available(&mut self, id: MediaSessionId) -> Result<(), Error> {
        self.check_new_id(&id)?;
        self.io.out.notify(Event::Available {
            id,
            available: false,
            info: Some(CANNOT_ASK.to_owned()),
        });
        Ok(())
    }

    /// Mute events need no word: muted tracks send silence and black.
    fn check_event(&self, id: &MediaSessionId, event_type: &StreamEventType) -> Result<(), Error> {
        let stream = self.stream(id).ok_or(Error::NoSuchStream)?;
        stream.check_publishing()?;
        if *event_type == StreamEventType::Data {
            return Err(Error::NoData);
        }
        Ok(())
    }

    fn check_new_id(&self, id: &MediaSessionId) -> Result<(), Error> {
        if self.state != State::Established {
            return Err(Error::NotEstablished);
        }
        if self.stream(id).is_some() {
            return Err(Error::IdInUse);
        }
        Ok(())
    }

    fn handle_reply(&mut self, id: RequestId, reply: Result<HttpResponse, String>) {
        let Some(Waiting { method, stream, .. }) = self.io.settle(id) else {
            debug!(?id, "response not waited for, dropped");
            return;
        };
        match method {
            Method::Post => self.handle_post_reply(id, &stream, reply),
            Method::Patch => self.handle_patch_reply(id, &stream, reply),
            Method::Delete => self.of_request(id, &stream, |stream, io| {
                stream.handle_deleted(io);
                None
            }),
        }
    }

    fn handle_post_reply(
        &mut self,
        id: RequestId,
        stream: &MediaSessionId,
        reply: Result<HttpResponse, String>,
    ) {
        let waits = self.waits_for(id, stream);
        match reply {
            Ok(response) if waits => self.of_request(id, stream, |stream, io| {
                stream.handle_post_response(response, io)
            }),
            // The stream is over; what the server made of it must go.
            Ok(response) => {
                if let Some(url) = refusal::made(&response) {
                    self.io.delete(stream, url.to_owned());
                }
            }
            Err(error) => self.of_request(id, stream, |stream, io| {
                stream.handle_request_failed(&error, io);
                None
            }),
        }
    }

    fn handle_patch_reply(
        &mut self,
        id: RequestId,
        stream: &MediaSessionId,
        reply: Result<HttpResponse, String>,
    ) {
        // Not for this resource only (RFC 9110 sections 15.5.6 and 15.6.2).
        if matches!(&reply, Ok(response) if matches!(response.status, 405 | 501)) {
            self.trickle = false;
        }
        let taken = reply.is_ok_and(|response| refusal::is_success(&response));
        self.tell_stream(stream, |stream, io| {
            Some(stream.handle_patched(id, taken, io))
        });
    }

    fn handle_timeout(&mut self, now: Time) {
        let live = mem::take(&mut self.streams).into_iter();
        self.streams = live
            .filter_map(|stream| stream.handle_timeout(now, &mut self.io))
            .collect();
    }

    fn notify(&mut self, status: SessionStatus) {
        info!(?status, "session status");
        let reason = None;
        self.io.out.notify(Event::Session { status, reason });
    }

    fn waits_for(&self, request: RequestId, stream: &MediaSessionId) -> bool {
        self.stream(stream)
            .is_some_and(|stream| stream.waits_for(request))
    }

    fn stream(&self, id: &MediaSessionId) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.id() == id)
    }

    /// Tells a stream of its request; one of an earlier stream with the same id
    /// is none of its business.
    fn of_request(
        &mut self,
        request: RequestId,
        stream: &MediaSessionId,
        handle: impl FnOnce(Stream, &mut Requests) -> Option<Stream>,
    ) {
        if self.waits_for(request, stream) {
            self.tell_stream(stream, handle);
        }
    }

    /// What is for a stream that is over comes too late and is dropped.
    fn tell_stream(
        &mut self,
        id: &MediaSessionId,
        handle: impl FnOnce(Stream, &mut Requests) -> Option<Stream>,
    ) {
        if self.with_stream(id, handle).is_err() {
            debug!(stream = %id, "no such stream");
        }
    }

    fn with_stream(
        &mut self,
        id: &MediaSessionId,
        handle: impl FnOnce(Stream, &mut Requests) -> Option<Stream>,
    ) -> Result<(), Error> {
        let (index, stream) = self.take(id)?;
        let stream = handle(stream, &mut self.io);
        self.put_back(index, stream);
        Ok(())
    }

    fn take(&mut self, id: &MediaSessionId) -> Result<(usize, Stream), Error> {
        let mut streams = self.streams.iter();
        let index = streams
            .position(|stream| stream.id() == id)
            .ok_or(Error::NoSuchStream)?;
        Ok((index, self.streams.remove(index)))
    }

    /// A stream that is over is not.
    fn put_back(&mut self, index: usize, stream: Option<Stream>) {
        if let Some(stream) = stream {
            self.streams.insert(index, stream);
        }
    }
}
