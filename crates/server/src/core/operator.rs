//! What operators ask over HTTP: what goes on, a page at a time, and orders, each of
//! which is answered once.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use wire::{
    DataEvent, MediaSessionId, ServerMessage, StreamEventType, StreamName, StreamStatus, info,
};

use super::backend::{PeerId, VideoRate};
use super::{
    ClientId, CloseCode, Core, Ending, Kind, Output, SessionInfo, State, Stream, StreamInfo,
};

/// Most streams or sessions that are looked at in one go, so that no list keeps
/// signalling waiting.
pub const PAGE: usize = 250;

/// Which streams are meant: those that all that is set fits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StreamFilter {
    /// Its name.
    pub name: Option<StreamName>,
    /// One of these, if there are any.
    pub ids: Vec<MediaSessionId>,
    /// Whether it is published, or played.
    pub published: Option<bool>,
    /// Where it is in its life: PENDING, PUBLISHING or PLAYING.
    pub status: Option<StreamStatus>,
}

/// Which sessions are meant: those that all that is set fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// See [`SessionInfo::session_id`].
    pub session_id: Option<String>,
    /// See [`SessionInfo::app_key`].
    pub app_key: Option<String>,
    /// See [`SessionInfo::client_version`].
    pub client_version: Option<String>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What fits of what was looked at.
    pub items: Vec<T>,
    /// What to ask for the next part with; `None` at the end of the list.
    pub next: Option<u64>,
}

/// A stream in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedStream {
    /// The stream.
    pub info: StreamInfo,
    /// How many play it; `None` of one that is played itself.
    pub viewers: Option<usize>,
    /// Its video of the last second, once there is some.
    pub rate: Option<VideoRate>,
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedSession {
    /// The session.
    pub session: Arc<SessionInfo>,
    /// It has a socket; one that has none waits for its client.
    pub is_connected: bool,
    /// How many streams it has.
    pub streams: usize,
}

/// What an operator wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// End streams; the filter names them by name or id.
    Terminate(StreamFilter),
    /// Send data to the players of streams; the filter names them by name or id.
    StreamEvent {
        /// Published streams.
        streams: StreamFilter,
        /// The data.
        payload: Value,
    },
    /// Take a picture of a stream.
    Snapshot {
        /// The stream's name.
        name: StreamName,
    },
    /// End a session and its streams.
    Disconnect {
        /// See [`SessionInfo::session_id`].
        session_id: String,
    },
    /// Send data to a session.
    Data {
        /// See [`SessionInfo::session_id`].
        session_id: String,
        /// What the client's answer is known by.
        operation_id: String,
        /// The data.
        payload: Value,
    },
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done, to so many streams or sessions.
    Done(usize),
    /// The picture, a PNG file.
    Picture(Vec<u8>),
    /// There is nothing that it could be done to.
    NotFound(String),
    /// Not now; it is worth trying again.
    Busy(String),
    /// It cannot be done.
    Failed(String),
}

impl StreamFilter {
    fn fits(&self, stream: &Stream) -> bool {
        let (name, ids) = (self.name.as_ref(), &self.ids);
        let published = stream.is_publisher();
        name.is_none_or(|name| *name == stream.name)
            && (ids.is_empty() || ids.contains(&stream.id))
            && self.published.is_none_or(|wanted| wanted == published)
            && (self.status.as_ref()).is_none_or(|status| *status == stream.current())
    }
}

impl SessionFilter {
    fn fits(&self, session: &SessionInfo) -> bool {
        let same = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        same(&self.session_id, &session.session_id)
            && same(&self.app_key, &session.app_key)
            && same(&self.client_version, &session.client_version)
    }
}

impl Core {
    /// The streams that fit, in the order they were asked for, from `after` on: 0, or
    /// what the page before ends with.
    pub fn streams(&self, filter: &StreamFilter, after: u64) -> Page<ListedStream> {
        let mut peers = match self.named_by(filter) {
            Some(peers) => peers,
            None => self.registry.after(PeerId(after)).take(PAGE).collect(),
        };
        peers.retain(|peer| peer.0 > after);
        peers.truncate(PAGE);
        let next = peers.last().filter(|_| peers.len() == PAGE);
        let listed = peers.iter().filter_map(|peer| {
            let stream = self.registry.stream(*peer)?;
            filter.fits(stream).then(|| self.listed(*peer, stream))
        });
        Page {
            items: listed.collect(),
            next: next.map(|peer| peer.0),
        }
    }

    /// The sessions that fit, from `after` on: 0, or what the page before ends with.
    pub fn sessions(&self, filter: &SessionFilter, after: u64) -> Page<ListedSession> {
        let mut found: Vec<_> = self.established(after).take(PAGE).collect();
        found.extend(self.kept.away(after).take(PAGE).map(|(c, s)| (c, s, false)));
        found.sort_by_key(|(client, ..)| *client);
        found.truncate(PAGE);
        let next = found.last().filter(|_| found.len() == PAGE);
        let next = next.map(|(client, ..)| client.0 + 1);
        let fitting = found
            .into_iter()
            .filter(|(_, session, _)| filter.fits(session));
        let listed = fitting.map(|(client, session, is_connected)| ListedSession {
            session: Arc::clone(session),
            is_connected,
            streams: self.registry.count_of_client(client),
        });
        Page {
            items: listed.collect(),
            next,
        }
    }

    pub(super) fn handle_order(&mut self, request: ClientId, order: Order, now: Instant) {
        let answer = match order {
            Order::Terminate(filter) => self.terminate(&filter),
            Order::StreamEvent { streams, payload } => self.send_to_players(&streams, &payload),
            Order::Snapshot { name } => return self.take_picture(request, &name, now),
            Order::Disconnect { session_id } => self.disconnect(&session_id),
            Order::Data {
                session_id,
                operation_id,
                payload,
            } => return self.send_data(request, &session_id, operation_id, payload),
        };
        self.answer(request, answer);
    }

    pub(super) fn answer(&mut self, client: ClientId, answer: Answer) {
        self.outputs.push_back(Output::Answer { client, answer });
    }

    /// Players first: they are ended too, and not left by their publisher.
    fn terminate(&mut self, filter: &StreamFilter) -> Answer {
        let mut peers = self.fitting(filter);
        peers.sort_by_key(|peer| {
            self.registry
                .stream(*peer)
                .is_some_and(Stream::is_publisher)
        });
        tracing::info!(streams = peers.len(), "streams terminated by an operator");
        for peer in &peers {
            let info = info::STOPPED_BY_REST_TERMINATE;
            self.end(*peer, Ending::Failed(info.into()));
        }
        done(peers.len())
    }

    fn send_to_players(&mut self, filter: &StreamFilter, payload: &Value) -> Answer {
        let mut publishers = self.fitting(filter);
        publishers.retain(|peer| {
            let stream = self.registry.stream(*peer);
            stream.is_some_and(|stream| stream.is_publisher() && stream.state == State::Active)
        });
        for peer in &publishers {
            self.tell_players(*peer, &StreamEventType::Data, Some(payload));
        }
        done(publishers.len())
    }

    fn disconnect(&mut self, session_id: &str) -> Answer {
        let Some(client) = self.find_session(session_id) else {
            return no_session();
        };
        tracing::info!(
            client = client.0,
            session = session_id,
            "session ended by an operator"
        );
        if self.clients.contains_key(&client) {
            let reason = "the session was ended by the server's operator";
            self.close(client, CloseCode::Policy, reason);
        } else {
            self.give_up(client);
        }
        Answer::Done(1)
    }

    fn send_data(
        &mut self,
        request: ClientId,
        session_id: &str,
        operation_id: String,
        payload: Value,
    ) {
        let Some(client) = self.find_session(session_id) else {
            return self.answer(request, no_session());
        };
        let Some(receiver) = self.clients.get_mut(&client) else {
            let info = "The session has lost its socket and waits for its client";
            return self.answer(request, Answer::Busy(info.into()));
        };
        receiver.expect_answer(operation_id.clone());
        let message = ServerMessage::Data(DataEvent {
            operation_id,
            payload,
        });
        self.outputs.push_back(Output::Deliver {
            client,
            text: message.encode(),
            request,
        });
    }

    /// The streams that a filter names, in order; `None` if it names none.
    fn named_by(&self, filter: &StreamFilter) -> Option<Vec<PeerId>> {
        let mut peers: Vec<_> = if filter.ids.is_empty() {
            self.registry.of_name(filter.name.as_ref()?)
        } else {
            let ids = filter.ids.iter();
            ids.filter_map(|id| Some(self.registry.with_id(id)?.0))
                .collect()
        };
        peers.sort_unstable();
        peers.dedup();
        Some(peers)
    }

    /// All streams that fit a filter, which must name them.
    fn fitting(&self, filter: &StreamFilter) -> Vec<PeerId> {
        let mut peers = self.named_by(filter).unwrap_or_default();
        peers.retain(|peer| {
            let stream = self.registry.stream(*peer);
            stream.is_some_and(|stream| filter.fits(stream))
        });
        peers
    }

    fn listed(&self, peer: PeerId, stream: &Stream) -> ListedStream {
        let mut event = self.current_status(peer, stream);
        let viewers = match &stream.kind {
            Kind::Publisher {
                players,
                audio,
                video,
                ..
            } => {
                event.audio_state = Some(*audio);
                event.video_state = Some(*video);
                Some(players.len())
            }
            Kind::Player { .. } => None,
        };
        ListedStream {
            info: StreamInfo::new(Arc::clone(&stream.session), event),
            viewers,
            rate: stream.rate,
        }
    }

    fn find_session(&self, session_id: &str) -> Option<ClientId> {
        let all = self.established(0);
        let all = all.chain(self.kept.away(0).map(|(client, s)| (client, s, false)));
        let mut all = all.filter(|(_, session, _)| session.session_id == session_id);
        all.next().map(|(client, ..)| client)
    }

    /// Sessions with a socket.
    fn established(&self, from: u64) -> impl Iterator<Item = (ClientId, &Arc<SessionInfo>, bool)> {
        let clients = self.clients.range(ClientId(from)..);
        clients.filter_map(|(client, entry)| Some((*client, entry.session()?, true)))
    }
}

fn done(count: usize) -> Answer {
    match count {
        0 => Answer::NotFound(info::STREAM_NOT_FOUND.into()),
        count => Answer::Done(count),
    }
}

fn no_session() -> Answer {
    Answer::NotFound(info::SESSION_DOES_NOT_EXIST.into())
}
