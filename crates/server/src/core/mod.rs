//! Signalling as a value: who is connected, who publishes and plays what, and
//! what everyone is told.
//!
//! [`Core`] owns no socket, clock or task. The shell calls [`Core::handle`]
//! with what happened, drains [`Core::poll_output`] until it is `None`, and
//! calls with [`Input::Timeout`] at [`Core::timeout`] at the latest. Media is
//! known only through [`backend`].
//!
//! A stream is born by `publishStream` or `playStream`, or by an offer over HTTP
//! ([`Endpoint`]) from a client that has no socket, and ends in one place,
//! `Core::end`: it leaves every index, its peer is closed, its client gets
//! the one terminal status, and its players fail with it, unless they are to wait
//! for the next publisher of its name, see `hold`. A session ends in one place
//! too, `Core::end_session`; it may outlive its socket, see `resume`.

mod about;
pub mod backend;
mod client;
mod config;
mod deadlines;
mod events;
mod hold;
mod ice_session;
mod media;
mod notice;
mod operator;
mod refusal;
mod registry;
mod resources;
mod resume;
mod snapshots;
mod streams;
mod wishes;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wire::{
    ClientMessage, Failure, MediaSessionId, ServerMessage, StreamStatus, StreamStatusEvent, info,
};

use self::backend::{Command, Event, PeerId, Wishes};
use self::client::Client;
pub use self::config::Config;
use self::deadlines::{Deadlines, Timer};
pub use self::notice::{Notice, SessionInfo, StreamInfo};
pub use self::operator::{
    Answer, ListedSession, ListedStream, Order, PAGE, Page, SessionFilter, StreamFilter,
};
use self::refusal::Refusal;
use self::registry::{Kind, Registry, State, Stream};
use self::resources::Resource;
pub use self::resources::{Endpoint, Problem, Reply, ResourcePath};
use self::resume::Kept;
use self::snapshots::Snapshots;
use crate::access::Denied;
use crate::counters::Reason;

/// One socket of one client, or one HTTP request and the resource that it makes;
/// numbered by the shell, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(pub u64);

/// What happened. Inputs about a client that is not there (any more) are ignored.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A client opened its socket.
    Opened {
        /// The new client.
        client: ClientId,
        /// The client's address.
        remote: SocketAddr,
        /// Our address, as the client reached it.
        local: SocketAddr,
        /// 128 random bits, with which nobody can guess the session's token.
        nonce: u128,
    },
    /// A client sent a text message.
    Text {
        /// The sender.
        client: ClientId,
        /// The message.
        text: String,
    },
    /// A client sent a message that asks for what it may not have; nothing but
    /// the refusal comes of it.
    Denied {
        /// The sender.
        client: ClientId,
        /// The message.
        message: Box<ClientMessage>,
        /// Why it may not.
        denied: Denied,
    },
    /// A client sent a binary message; nothing here has a use for one.
    Binary {
        /// The sender.
        client: ClientId,
    },
    /// A client sent a message so large that the shell did not read it.
    Oversized {
        /// The sender.
        client: ClientId,
    },
    /// A client sends messages faster than it may.
    Flooding {
        /// The sender.
        client: ClientId,
    },
    /// A client does not read: its outgoing queue is full.
    Overflowed {
        /// The client.
        client: ClientId,
    },
    /// A client's socket is gone.
    Gone {
        /// The client.
        client: ClientId,
    },
    /// An HTTP request offers media: WHIP and WHEP. [`Output::Reply`] follows.
    Offer {
        /// The request.
        client: ClientId,
        /// The resource it would make.
        path: ResourcePath,
        /// The SDP offer.
        offer: String,
        /// What the request asks for beside it.
        wishes: Wishes,
        /// The client's address.
        remote: SocketAddr,
        /// Our address, as the client reached it.
        local: SocketAddr,
    },
    /// An HTTP request brings candidates, or restarts ICE. [`Output::Reply`]
    /// follows.
    Patch {
        /// The request.
        client: ClientId,
        /// The resource they are for.
        path: ResourcePath,
        /// The request's `If-Match`.
        tag: Option<String>,
        /// The part of an SDP, RFC 8840 section 9.
        fragment: String,
    },
    /// An HTTP request ends a resource. [`Output::Reply`] follows.
    Delete {
        /// The request.
        client: ClientId,
        /// The resource.
        path: ResourcePath,
    },
    /// An HTTP request of an operator. [`Output::Answer`] or [`Output::Deliver`]
    /// follows.
    Order {
        /// The request.
        client: ClientId,
        /// What it wants.
        order: Order,
    },
    /// The media backend reports.
    Backend(Event),
    /// The time asked for by [`Core::timeout`] has come.
    Timeout,
    /// The server is about to end: let no new session in; those there are go on.
    Drain,
    /// The server ends: tell everyone, let nobody in.
    Shutdown,
}

/// What the shell must do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send a text message.
    Send {
        /// The receiver.
        client: ClientId,
        /// The message.
        text: String,
    },
    /// Send a text message if the client keeps up with what it is sent. If not,
    /// drop it: the client can do without.
    Update {
        /// The receiver.
        client: ClientId,
        /// The message.
        text: String,
    },
    /// Send a text message that may be larger than all others together, if there
    /// is room for it. If not, send another one.
    Large {
        /// The receiver.
        client: ClientId,
        /// The message.
        text: String,
        /// What is sent without room for it.
        otherwise: String,
    },
    /// Answer an HTTP request. If that cannot be done any more, an
    /// [`Input::Gone`] ends the resource that it made.
    Reply {
        /// The request.
        client: ClientId,
        /// The answer.
        reply: Reply,
    },
    /// Answer an operator's request.
    Answer {
        /// The request.
        client: ClientId,
        /// The answer.
        answer: Answer,
    },
    /// Send an operator's message if the client keeps up with what it is sent, and
    /// answer the operator's request with whether it does: [`Answer::Done`] or
    /// [`Answer::Busy`].
    Deliver {
        /// The receiver.
        client: ClientId,
        /// The message.
        text: String,
        /// The request.
        request: ClientId,
    },
    /// Close the socket once what was sent before is out. The client is
    /// forgotten here already; no [`Input::Gone`] is needed.
    Close {
        /// The client.
        client: ClientId,
        /// Close code, RFC 6455 section 7.4.1.
        code: CloseCode,
        /// For people.
        reason: String,
    },
    /// Tell the media backend.
    Backend(Command),
    /// Something was refused or dropped: count it, and log the first of its kind.
    Refused {
        /// Whose it was.
        client: ClientId,
        /// What kind.
        reason: Reason,
        /// For people.
        detail: String,
    },
    /// Tell whoever watches; only if [`Config::notices`] asks for it.
    Notice(Notice),
}

/// Why a socket is closed, RFC 6455 section 7.4.1 and its registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// The server ends.
    GoingAway = 1001,
    /// The client asked for something this socket cannot do.
    Unsupported = 1003,
    /// The client broke a rule: silent, dead or not reading.
    Policy = 1008,
    /// A message over the size limit.
    TooBig = 1009,
    /// The server is full.
    TryAgainLater = 1013,
}

/// How much of everything there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Established sessions, those that wait for their client included.
    pub sessions: usize,
    /// Published streams, starting ones included.
    pub publishers: usize,
    /// Played streams, starting ones included.
    pub players: usize,
    /// Those of the published streams that came by WHIP.
    pub whip: usize,
    /// Those of the played streams that were asked for by WHEP.
    pub whep: usize,
}

/// The signalling core; see the [module](self).
#[derive(Debug)]
pub struct Core {
    config: Config,
    clients: BTreeMap<ClientId, Client>,
    kept: Kept,
    /// Each with the one stream that is its own.
    resources: BTreeMap<ClientId, Resource>,
    registry: Registry,
    snapshots: Snapshots,
    deadlines: Deadlines,
    outputs: VecDeque<Output>,
    last_peer: u64,
    unix_time: Option<Duration>,
    draining: bool,
    shutting_down: bool,
}

impl Core {
    /// A core with no client yet.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            clients: BTreeMap::new(),
            kept: Kept::default(),
            resources: BTreeMap::new(),
            registry: Registry::default(),
            snapshots: Snapshots::default(),
            deadlines: Deadlines::default(),
            outputs: VecDeque::new(),
            last_peer: 0,
            unix_time: None,
            draining: false,
            shutting_down: false,
        }
    }

    /// Says what the calendar shows, as time since the Unix epoch, for dates in
    /// messages. It may jump; until it is said, messages have no dates.
    pub fn set_unix_time(&mut self, time: Duration) {
        self.unix_time = Some(time);
    }

    /// Takes what happened at `now`, which must not go backwards.
    pub fn handle(&mut self, input: Input, now: Instant) {
        match input {
            Input::Opened {
                client,
                remote,
                local,
                nonce,
            } => {
                let public = notice::session_id(remote, local);
                let token = format!("{public}/{nonce:032x}");
                self.handle_opened(client, remote, token, now);
            }
            Input::Text { client, text } => self.handle_text(client, &text, now),
            Input::Denied {
                client,
                message,
                denied,
            } => self.handle_denied(client, *message, denied),
            Input::Binary { client } => self.handle_binary(client),
            Input::Oversized { client } => self.handle_oversized(client),
            Input::Flooding { client } => self.handle_flooding(client),
            Input::Overflowed { client } => self.handle_overflowed(client),
            Input::Gone { client } => self.lose(client, now),
            Input::Offer {
                client,
                path,
                offer,
                wishes,
                remote,
                local,
            } => {
                let session = SessionInfo::of_request(&self.config, remote, local);
                self.handle_offer(client, path, offer, wishes, session, now);
            }
            Input::Patch {
                client,
                path,
                tag,
                fragment,
            } => self.handle_patch(client, &path, tag.as_deref(), fragment, now),
            Input::Delete { client, path } => self.handle_delete(client, &path),
            Input::Order { client, order } => self.handle_order(client, order, now),
            Input::Backend(event) => self.handle_backend(event, now),
            Input::Timeout => self.handle_timeout(now),
            Input::Drain => {
                tracing::info!(clients = self.clients.len(), "no new sessions are taken");
                self.draining = true;
            }
            Input::Shutdown => self.handle_shutdown(),
        }
        self.start_holds(now);
    }

    /// The next thing to do; `None` when all is done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Timeout`] is due; `None` while nothing is waited for.
    pub fn timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// How much of everything there is now.
    pub fn stats(&self) -> Stats {
        let (whip, whep) = self.resource_counts();
        Stats {
            sessions: self.clients.values().filter(|c| c.is_established()).count()
                + self.kept.away_count(),
            publishers: self.registry.publisher_count(),
            players: self.registry.player_count(),
            whip,
            whep,
        }
    }

    /// True when nothing is kept of anyone: no client, stream, name, id or timer.
    pub fn is_idle(&self) -> bool {
        self.clients.is_empty()
            && self.kept.is_empty()
            && self.resources.is_empty()
            && self.registry.is_empty()
            && self.snapshots.is_empty()
            && self.deadlines.next().is_none()
    }

    fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.deadlines.pop_due(now) {
            match timer {
                Timer::Client(client) => self.client_due(client, now),
                Timer::Stream(peer) => self.stream_due(peer),
                Timer::Restart(peer) => self.restart_due(peer),
                Timer::Snapshot(request) => self.snapshot_due(request),
                Timer::Hold(publisher) => self.hold_due(publisher),
            }
        }
    }

    fn handle_shutdown(&mut self) {
        tracing::info!(clients = self.clients.len(), "shutting down");
        self.shutting_down = true;
        // Players end with their publishers or with the hold on their name, so
        // this ends all streams.
        for peer in self.registry.publishers() {
            self.end(
                peer,
                Ending::Failed(info::STOPPED_BY_SESSION_DISCONNECT.into()),
            );
        }
        self.let_go_all();
        self.give_up_all();
        for client in self.clients.keys().copied().collect::<Vec<_>>() {
            self.close(client, CloseCode::GoingAway, "the server is shutting down");
        }
    }

    /// Ends a stream; nothing happens if it has ended already.
    fn end(&mut self, peer: PeerId, ending: Ending) {
        let Some(stream) = self.registry.remove(peer) else {
            return;
        };
        self.deadlines.clear(Timer::Stream(peer));
        self.deadlines.clear(Timer::Restart(peer));
        if !matches!(stream.state, State::Over(_)) {
            self.command(Command::Close { peer });
        }
        let (status, info) = match ending {
            Ending::ByUser if stream.is_publisher() => {
                (StreamStatus::Unpublished, info::STOPPED_BY_USER.into())
            }
            Ending::ByUser => (StreamStatus::Stopped, info::STOPPED_BY_USER.into()),
            Ending::Failed(info) => (StreamStatus::Failed, info),
        };
        tracing::info!(
            client = stream.client.0,
            peer = peer.0,
            stream = stream.name.as_str(),
            media_session = self.shown_id(&stream),
            status = status.as_str(),
            info,
            "stream ended"
        );
        self.end_resource(&stream, &info);
        let event = stream.status(status, Some(info));
        self.notice_stream(stream.client, &stream.session, &event);
        self.send(stream.client, &ServerMessage::StreamStatus(event));
        self.leave_players(peer, stream);
    }

    /// Says what a stream's status is to whoever watches.
    fn notice_stream(
        &mut self,
        client: ClientId,
        session: &Arc<SessionInfo>,
        event: &StreamStatusEvent,
    ) {
        self.notice(|| Notice::Stream {
            client,
            stream: Box::new(StreamInfo::new(Arc::clone(session), event.clone())),
        });
    }

    fn notice(&mut self, notice: impl FnOnce() -> Notice) {
        if self.config.notices {
            self.outputs.push_back(Output::Notice(notice()));
        }
    }

    fn command(&mut self, command: Command) {
        self.outputs.push_back(Output::Backend(command));
    }

    /// Sends a message that the client can do without, if it is still there and
    /// keeps up.
    fn update(&mut self, client: ClientId, message: &ServerMessage) {
        if self.clients.contains_key(&client) {
            let text = message.encode();
            self.outputs.push_back(Output::Update { client, text });
        }
    }

    /// Sends a message, if the client is still there or may come back.
    fn send(&mut self, client: ClientId, message: &ServerMessage) {
        if self.clients.contains_key(&client) {
            let text = message.encode();
            self.outputs.push_back(Output::Send { client, text });
        } else {
            self.kept.note(client, message);
        }
    }

    /// Refuses what is not a stream, or one whose id cannot carry a status.
    fn refuse(
        &mut self,
        client: ClientId,
        method: &str,
        id: Option<&MediaSessionId>,
        why: &Refusal,
    ) {
        self.count(client, why.reason(), why.to_string());
        let failure = Failure {
            api_method: method.into(),
            id: id.map(|id| id.as_str().into()),
            status: StreamStatus::Failed.as_str().into(),
            info: Some(why.to_string()),
        };
        self.send(client, &ServerMessage::Fail(failure));
    }

    fn count(&mut self, client: ClientId, reason: Option<Reason>, detail: impl Into<String>) {
        if let Some(reason) = reason {
            self.outputs.push_back(Output::Refused {
                client,
                reason,
                detail: detail.into(),
            });
        }
    }

    /// Closes a client's socket and forgets the client.
    fn close(&mut self, client: ClientId, code: CloseCode, reason: impl Into<String>) {
        self.forget(client);
        self.outputs.push_back(Output::Close {
            client,
            code,
            reason: reason.into(),
        });
    }

    /// Forgets a client: its streams end without a word to it.
    fn forget(&mut self, client: ClientId) {
        self.forget_snapshots(client);
        let session = match self.clients.remove(&client) {
            Some(entry) => {
                self.kept.forget(&entry.token);
                entry.into_session()
            }
            None if self.resources.contains_key(&client) => None,
            None => return,
        };
        self.end_session(client, session);
    }

    /// Ends a session, if it was one, and its streams.
    fn end_session(&mut self, client: ClientId, session: Option<Arc<SessionInfo>>) {
        self.deadlines.clear(Timer::Client(client));
        for peer in self.registry.of_client(client) {
            self.end(
                peer,
                Ending::Failed(info::STOPPED_BY_SESSION_DISCONNECT.into()),
            );
        }
        if let Some(session) = session {
            self.notice(|| Notice::SessionEnded { client, session });
        }
        tracing::info!(client = client.0, "client gone");
    }
}

/// How a stream ends, as its client is told.
enum Ending {
    /// UNPUBLISHED or STOPPED.
    ByUser,
    /// FAILED, with the info.
    Failed(String),
}
