//! The session's state machine.
//!
//! ```text
//! New --Connect--> Opening --open--> Connected --getUserData--> Established
//! ```
//!
//! and from each of them to `Disconnected` or `Failed`, where all streams are
//! over and nothing is left to do.

mod messages;

use core::mem;

use serde_json::{Map, Value};
use tracing::{debug, info};
use wire::{
    AvailableRequest, ClientMessage, Connection, MediaSessionId, StreamEventType, StreamName,
};

use crate::identity::{MEDIA_PROVIDER, Offer};
use crate::io::{MAX_AVAILABLE_REQUESTS, MAX_STREAMS};
use crate::outbox::Outbox;
use crate::stream::Stream;
use crate::{Config, Error, Event, Input, Output, SessionStatus, Severity, Time, Token};

/// The signalling version that the original clients name.
const CLIENT_VERSION: &str = "2.0";

/// Why an [`Event::Available`] says no when the server said nothing.
const NO_REPLY: &str = "the server did not answer in time";

/// A client's session.
#[derive(Debug)]
pub struct Session {
    config: Config,
    state: State,
    /// The streams that are not over, in the order they were started. There are
    /// few: a map would cost the page more than it saves.
    streams: Vec<Stream>,
    /// Requests, and when to give up waiting for the reply.
    available: Vec<(MediaSessionId, Time)>,
    /// Of what ended it.
    severity: Severity,
    out: Outbox,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// The socket is opening.
    Opening {
        deadline: Time,
    },
    /// `connection` is sent.
    Connected {
        deadline: Time,
    },
    /// Streams are allowed.
    Established {
        silent_at: Time,
    },
    Disconnected,
    Failed,
}

/// Application data with the token in them.
fn with_token(custom: Option<Value>, token: Option<&Token>) -> Option<Value> {
    let Some(token) = token else {
        return custom;
    };
    let mut custom = custom.unwrap_or_else(|| Value::Object(Map::new()));
    if let Value::Object(members) = &mut custom {
        let free = members.entry("token");
        free.or_insert_with(|| token.as_str().into());
    }
    Some(custom)
}

/// How a session ends; a failure says why, for people.
enum End {
    Disconnected,
    Failed(String),
}

impl Session {
    /// A session that has not connected yet.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            state: State::New,
            streams: Vec::new(),
            available: Vec::new(),
            severity: Severity::Passing,
            out: Outbox::default(),
        }
    }

    /// Whether a session that failed may be tried again: not if the server has refused
    /// it for what it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The session's status.
    pub fn status(&self) -> SessionStatus {
        match self.state {
            State::New | State::Opening { .. } => SessionStatus::Pending,
            State::Connected { .. } => SessionStatus::Connected,
            State::Established { .. } => SessionStatus::Established,
            State::Disconnected => SessionStatus::Disconnected,
            State::Failed => SessionStatus::Failed,
        }
    }

    /// Takes what happened at `now`. Bad input from the server is logged and
    /// dropped, it is no error.
    ///
    /// # Errors
    /// The application asked for what the state does not allow.
    pub fn handle(&mut self, input: Input, now: Time) -> Result<(), Error> {
        match input {
            Input::Connect => return self.connect(now),
            Input::Disconnect => self.end(End::Disconnected),
            Input::Publish(publish) => {
                self.check_new_stream(&publish.id)?;
                self.streams.push(Stream::publish(publish, &mut self.out));
            }
            Input::Play(play) => {
                self.check_new_stream(&play.id)?;
                self.streams.push(Stream::play(play, &mut self.out));
            }
            Input::Stop(id) => return self.stop(&id, now),
            Input::Available { id, name } => return self.ask_available(id, name, now),
            Input::SendStreamEvent {
                id,
                event_type,
                payload,
            } => return self.send_stream_event(&id, event_type, payload),
            Input::SocketOpened => self.handle_socket_opened(),
            Input::SocketMessage(text) => self.handle_socket_message(&text, now),
            Input::SocketClosed => self.handle_socket_closed(),
            Input::SocketFailed(reason) => self.end(End::Failed(reason)),
            Input::OfferCreated {
                id,
                sdp,
                has_audio,
                has_video,
            } => {
                let deadline = now + self.config.stream_timeout;
                let offer = Offer {
                    sdp,
                    has_audio,
                    has_video,
                };
                self.with_stream(&id, |stream, out| {
                    Some(stream.handle_offer(offer, deadline, out))
                });
            }
            Input::MediaFailed {
                id,
                error,
                severity,
            } => {
                self.with_stream(&id, |stream, out| {
                    stream.handle_media_failed(error, severity, out)
                });
            }
            Input::Timeout => self.handle_timeout(now),
            // PUBLISHING and PLAYING come from the server, and candidates are
            // all in the offer and the answer.
            Input::MediaConnected { .. } | Input::LocalCandidate { .. } => {}
            Input::Response { .. } | Input::RequestFailed { .. } => {
                debug!("there are no requests, ignored");
            }
        }
        Ok(())
    }

    /// The next thing to do; `None` when all is done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop()
    }

    /// When [`Input::Timeout`] is due; `None` while nothing is waited for.
    pub fn timeout(&self) -> Option<Time> {
        let session = match self.state {
            State::Opening { deadline } | State::Connected { deadline } => Some(deadline),
            State::Established { silent_at } => Some(silent_at),
            State::New | State::Disconnected | State::Failed => None,
        };
        let streams = self.streams.iter().filter_map(Stream::deadline);
        let requests = self.available.iter().map(|&(_, deadline)| deadline);
        session.into_iter().chain(streams).chain(requests).min()
    }

    fn connect(&mut self, now: Time) -> Result<(), Error> {
        if self.state != State::New {
            return Err(Error::AlreadyConnected);
        }
        self.state = State::Opening {
            deadline: now + self.config.connect_timeout,
        };
        self.out.push(Output::OpenSocket);
        Ok(())
    }

    fn stop(&mut self, id: &MediaSessionId, now: Time) -> Result<(), Error> {
        let deadline = now + self.config.stream_timeout;
        if self.with_stream(id, |stream, out| stream.handle_stop(deadline, out)) {
            Ok(())
        } else {
            Err(Error::NoSuchStream)
        }
    }

    fn ask_available(
        &mut self,
        id: MediaSessionId,
        name: StreamName,
        now: Time,
    ) -> Result<(), Error> {
        self.check_new_id(&id)?;
        if self.available.len() >= MAX_AVAILABLE_REQUESTS {
            return Err(Error::LimitReached);
        }
        self.out
            .send(&ClientMessage::AvailableStream(AvailableRequest {
                media_session_id: Some(id.clone()),
                name: Some(name),
            }));
        let deadline = now + self.config.stream_timeout;
        self.available.push((id, deadline));
        Ok(())
    }

    fn send_stream_event(
        &mut self,
        id: &MediaSessionId,
        event_type: StreamEventType,
        payload: Option<serde_json::Value>,
    ) -> Result<(), Error> {
        let stream = find(&self.streams, id).ok_or(Error::NoSuchStream)?;
        stream.send_event(event_type, payload, &mut self.out)
    }

    fn check_new_stream(&self, id: &MediaSessionId) -> Result<(), Error> {
        self.check_new_id(id)?;
        if self.streams.len() >= MAX_STREAMS {
            return Err(Error::LimitReached);
        }
        Ok(())
    }

    fn check_new_id(&self, id: &MediaSessionId) -> Result<(), Error> {
        if !matches!(self.state, State::Established { .. }) {
            return Err(Error::NotEstablished);
        }
        let asked = self.available.iter().any(|(asked, _)| asked == id);
        if asked || find(&self.streams, id).is_some() {
            return Err(Error::IdInUse);
        }
        Ok(())
    }

    /// CONNECTED is told before `connection` leaves.
    fn handle_socket_opened(&mut self) {
        let State::Opening { deadline } = self.state else {
            debug!("socket open at the wrong time, ignored");
            return;
        };
        self.enter(State::Connected { deadline }, None);
        let config = &self.config;
        self.out.send(&ClientMessage::Connection(Connection {
            app_key: config.app_key.clone(),
            media_providers: vec![MEDIA_PROVIDER.to_owned()],
            client_version: CLIENT_VERSION.to_owned(),
            client_os_version: config.client_os_version.clone(),
            client_browser_version: config.client_browser_version.clone(),
            custom: with_token(config.custom.clone(), config.token.as_ref()),
            ..Connection::default()
        }));
    }

    fn handle_socket_closed(&mut self) {
        if matches!(self.state, State::Opening { .. }) {
            let reason = "the connection closed before it was open".to_owned();
            self.end(End::Failed(reason));
        } else {
            self.end(End::Disconnected);
        }
    }

    fn handle_timeout(&mut self, now: Time) {
        match self.state {
            State::Opening { deadline } | State::Connected { deadline } if deadline <= now => {
                let reason = "the server did not answer in time".to_owned();
                self.end(End::Failed(reason));
            }
            State::Established { silent_at } if silent_at <= now => {
                let reason = "the server fell silent".to_owned();
                self.end(End::Failed(reason));
            }
            State::New
            | State::Opening { .. }
            | State::Connected { .. }
            | State::Established { .. }
            | State::Disconnected
            | State::Failed => {}
        }
        let out = &mut self.out;
        let live = mem::take(&mut self.streams).into_iter();
        self.streams = live
            .filter_map(|stream| stream.handle_timeout(now, out))
            .collect();
        self.expire_available(now);
    }

    fn expire_available(&mut self, now: Time) {
        let out = &mut self.out;
        self.available.retain(|(id, deadline)| {
            let waiting = now < *deadline;
            if !waiting {
                out.notify(Event::Available {
                    id: id.clone(),
                    available: false,
                    info: Some(NO_REPLY.to_owned()),
                });
            }
            waiting
        });
    }

    /// Ends the session: media first, so that the camera is off whatever the
    /// application does; the session's own status last.
    fn end(&mut self, end: End) {
        match self.state {
            State::Disconnected | State::Failed => return,
            State::New => {}
            State::Opening { .. } | State::Connected { .. } | State::Established { .. } => {
                for stream in &self.streams {
                    stream.close_media(&mut self.out);
                }
                self.out.push(Output::CloseSocket);
            }
        }
        for stream in mem::take(&mut self.streams) {
            stream.handle_session_lost(&mut self.out);
        }
        self.available.clear();
        match end {
            End::Disconnected => self.enter(State::Disconnected, None),
            End::Failed(reason) => self.enter(State::Failed, Some(reason)),
        }
    }

    fn enter(&mut self, state: State, reason: Option<String>) {
        self.state = state;
        let status = self.status();
        info!(?status, reason, "session status");
        self.out.notify(Event::Session { status, reason });
    }

    /// Lets a live stream handle something; false if there is none of this id.
    /// There is a copy of this for each caller: what is the same in all of them
    /// is elsewhere.
    fn with_stream(
        &mut self,
        id: &MediaSessionId,
        handle: impl FnOnce(Stream, &mut Outbox) -> Option<Stream>,
    ) -> bool {
        let Some((index, stream)) = self.take(id) else {
            return false;
        };
        let stream = handle(stream, &mut self.out);
        self.put_back(index, stream);
        true
    }

    fn take(&mut self, id: &MediaSessionId) -> Option<(usize, Stream)> {
        let mut streams = self.streams.iter();
        let Some(index) = streams.position(|stream| stream.id() == id) else {
            debug!(stream = %id, "no such stream");
            return None;
        };
        Some((index, self.streams.remove(index)))
    }

    /// A stream that is over is not.
    fn put_back(&mut self, index: usize, stream: Option<Stream>) {
        if let Some(stream) = stream {
            self.streams.insert(index, stream);
        }
    }
}

fn find<'a>(streams: &'a [Stream], id: &MediaSessionId) -> Option<&'a Stream> {
    streams.iter().find(|stream| stream.id() == id)
}
