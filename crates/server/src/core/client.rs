//! One client: its socket's life, its messages in order, its pings.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use wire::{
    ClientMessage, Connection, DataStatus, DataStatusEvent, PlayStream, PublishStream, SendData,
    ServerMessage, SessionDebug, SessionDebugRequest, UserData,
};

use super::wishes::hide_token;
use super::{ClientId, CloseCode, Core, Notice, Output, Refusal, SessionInfo, Timer};
use crate::access::Denied;
use crate::counters::Reason;

/// What we say we are. Clients compare the build number to know what they may
/// use, stream events (5.2.942) being the newest of it.
const VERSION: &str = concat!("5.2.2000-", env!("CARGO_PKG_VERSION"));

/// Most data of operators whose answers one client is waited for; clients of today
/// never answer.
const MAX_OPERATIONS: usize = 64;

/// Most characters of a client's own text repeated to it or to the log.
const ECHO_CHARS: usize = 64;

/// A client whose socket is open.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) token: String,
    /// Data that operators sent and that it has not answered, the latest last.
    operations: VecDeque<String>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Its `connection` is awaited.
    Silent,
    /// It has its `getUserData`.
    Established {
        unanswered_pings: u32,
        session: Arc<SessionInfo>,
    },
}

impl Client {
    pub(super) fn is_established(&self) -> bool {
        matches!(self.state, State::Established { .. })
    }

    /// Its session, once established.
    pub(super) fn session(&self) -> Option<&Arc<SessionInfo>> {
        match &self.state {
            State::Established { session, .. } => Some(session),
            State::Silent => None,
        }
    }

    /// Expects the client's answer to an operator's data.
    pub(super) fn expect_answer(&mut self, operation_id: String) {
        if self.operations.len() >= MAX_OPERATIONS {
            self.operations.pop_front();
        }
        self.operations.push_back(operation_id);
    }

    /// Whether an answer is one that is expected; it is no longer.
    fn is_expected(&mut self, operation_id: &str) -> bool {
        let found = self.operations.iter().position(|id| id == operation_id);
        found.is_some_and(|at| self.operations.remove(at).is_some())
    }

    pub(super) fn into_session(self) -> Option<Arc<SessionInfo>> {
        match self.state {
            State::Established { session, .. } => Some(session),
            State::Silent => None,
        }
    }
}

impl Core {
    pub(super) fn handle_opened(
        &mut self,
        client: ClientId,
        remote: SocketAddr,
        token: String,
        now: Instant,
    ) {
        if self.shutting_down {
            return self.close(client, CloseCode::GoingAway, "the server is shutting down");
        }
        // A session that waits needs a new socket: its place does not count yet.
        if self.clients.len() + self.resources.len() >= self.config.limits.sessions {
            return self.turn_away(client);
        }
        let client_state = Client {
            token,
            operations: VecDeque::new(),
            state: State::Silent,
        };
        self.clients.insert(client, client_state);
        let overdue = now + self.config.connection_timeout;
        self.deadlines.set(Timer::Client(client), overdue);
        tracing::info!(client = client.0, %remote, "client connected");
    }

    /// How many places for sessions are taken.
    pub(super) fn occupied(&self) -> usize {
        self.clients.len() + self.resources.len() + self.kept.away_count()
    }

    fn turn_away(&mut self, client: ClientId) {
        let limit = self.config.limits.sessions;
        self.turn_away_for(client, &Refusal::TooManySessions { limit });
    }

    fn turn_away_for(&mut self, client: ClientId, why: &Refusal) {
        self.count(client, why.reason(), why.to_string());
        self.close(client, CloseCode::TryAgainLater, why.to_string());
    }

    pub(super) fn handle_text(&mut self, client: ClientId, text: &str, now: Instant) {
        if text.len() > self.config.limits.message_bytes {
            return self.handle_oversized(client);
        }
        if !self.mark_alive(client) {
            return;
        }
        match ClientMessage::decode(text) {
            Ok(message) => self.handle_message(client, message, now),
            Err(error) => {
                let why = Refusal::BadMessage(shorten(&error.to_string()));
                self.refuse(client, "", None, &why);
            }
        }
    }

    /// Answers what a client may not have as the protocol answers what there is
    /// not: a stream fails, a `connection` ends with its socket.
    pub(super) fn handle_denied(
        &mut self,
        client: ClientId,
        message: ClientMessage,
        denied: Denied,
    ) {
        if !self.mark_alive(client) {
            return;
        }
        if !self.is_established(client) && needs_session(&message) {
            return self.refuse_early(client, message);
        }
        let why = Refusal::Denied(denied);
        let method = shorten(name_of(&message));
        match message {
            ClientMessage::PublishStream(PublishStream {
                media_session_id,
                name,
                ..
            })
            | ClientMessage::PlayStream(PlayStream {
                media_session_id,
                name,
                ..
            }) => self.refuse_stream(client, &method, media_session_id, name, &why),
            ClientMessage::AvailableStream(request) => {
                self.deny_available(client, request, &why);
            }
            ClientMessage::Snapshot(request) => self.deny_snapshot(client, request, &why),
            ClientMessage::Connection(_) => {
                self.refuse(client, &method, None, &why);
                self.close(client, CloseCode::Policy, why.to_string());
            }
            ClientMessage::StopStream(_)
            | ClientMessage::UnPublishStream(_)
            | ClientMessage::SendStreamEvent(_)
            | ClientMessage::SendData(_)
            | ClientMessage::DataStatusEvent(_)
            | ClientMessage::SessionDebug(_)
            | ClientMessage::PauseStream(_)
            | ClientMessage::Ping
            | ClientMessage::Pong
            | ClientMessage::ConnectMediaTransport
            | ClientMessage::Diagnostics { .. }
            | ClientMessage::Call { .. }
            | ClientMessage::Unknown { .. } => self.refuse(client, &method, None, &why),
        }
    }

    fn is_established(&self, client: ClientId) -> bool {
        let client = self.clients.get(&client);
        client.is_some_and(Client::is_established)
    }

    pub(super) fn handle_binary(&mut self, client: ClientId) {
        if self.mark_alive(client) {
            self.count(client, Some(Reason::BinaryFrame), "binary message ignored");
        }
    }

    pub(super) fn handle_oversized(&mut self, client: ClientId) {
        if self.clients.contains_key(&client) {
            let limit = self.config.limits.message_bytes;
            let reason = format!("message larger than {limit} bytes");
            self.count(client, Some(Reason::OversizedMessage), reason.as_str());
            self.close(client, CloseCode::TooBig, reason);
        }
    }

    pub(super) fn handle_flooding(&mut self, client: ClientId) {
        if self.clients.contains_key(&client) {
            let limit = self.config.limits.messages_per_second;
            let reason = format!("more than {limit} messages a second");
            self.count(client, Some(Reason::FloodingClient), reason.as_str());
            self.close(client, CloseCode::Policy, reason);
        }
    }

    pub(super) fn handle_overflowed(&mut self, client: ClientId) {
        if self.clients.contains_key(&client) {
            let reason = "the client does not read its messages";
            self.count(client, Some(Reason::SlowClient), reason);
            self.close(client, CloseCode::Policy, reason);
        }
    }

    /// Anything from a client is a sign of life; false if there is no such client.
    fn mark_alive(&mut self, client: ClientId) -> bool {
        let Some(client) = self.clients.get_mut(&client) else {
            return false;
        };
        if let State::Established {
            unanswered_pings, ..
        } = &mut client.state
        {
            *unanswered_pings = 0;
        }
        true
    }

    fn handle_message(&mut self, client: ClientId, message: ClientMessage, now: Instant) {
        let established = self.is_established(client);
        if !established && needs_session(&message) {
            return self.refuse_early(client, message);
        }
        match message {
            ClientMessage::Connection(_) if established => {
                self.refuse(client, "connection", None, &Refusal::AlreadyEstablished);
            }
            ClientMessage::Connection(connection) => self.establish(client, connection, now),
            ClientMessage::PublishStream(request) => self.handle_publish(client, request, now),
            ClientMessage::PlayStream(request) => self.handle_play(client, request, now),
            ClientMessage::StopStream(request) | ClientMessage::UnPublishStream(request) => {
                self.handle_stop(client, request);
            }
            ClientMessage::AvailableStream(request) => self.handle_available(client, request),
            ClientMessage::Snapshot(request) => self.handle_snapshot(client, request, now),
            ClientMessage::SendStreamEvent(event) => self.handle_stream_event(client, event),
            ClientMessage::SendData(data) => self.answer_data(client, data),
            ClientMessage::Ping => self.send(client, &ServerMessage::Pong),
            ClientMessage::ConnectMediaTransport => self.refuse_media_socket(client),
            ClientMessage::Call { message } => {
                self.refuse(client, &message, None, &Refusal::Calls);
            }
            ClientMessage::Unknown { message } => {
                self.refuse(client, &shorten(&message), None, &Refusal::UnknownMessage);
            }
            ClientMessage::SessionDebug(request) => self.answer_debug(client, &request),
            ClientMessage::PauseStream(request) => {
                let id = request.media_session_id.as_ref();
                self.refuse(client, "pauseStream", id, &Refusal::Pause);
            }
            ClientMessage::DataStatusEvent(event) => self.take_data_status(client, event),
            // Taken and dropped.
            ClientMessage::Pong | ClientMessage::Diagnostics { .. } => {}
        }
    }

    fn establish(&mut self, client: ClientId, mut connection: Connection, now: Instant) {
        hide_token(&mut connection.custom);
        let token = connection.auth_token.as_deref();
        let resumed = token.and_then(|token| self.take_over(token, client));
        if resumed.is_none() && self.draining {
            return self.turn_away_for(client, &Refusal::Draining);
        }
        if resumed.is_none() && self.occupied() > self.config.limits.sessions {
            return self.turn_away(client);
        }
        let Some(entry) = self.clients.get_mut(&client) else {
            return;
        };
        let session = if let Some(resumed) = &resumed {
            entry.token.clone_from(&resumed.token);
            Arc::clone(&resumed.session)
        } else {
            let now = self.unix_time.map(|time| time.as_millis() as u64);
            let token = &entry.token;
            Arc::new(SessionInfo::of_connection(
                &self.config,
                token,
                &connection,
                now,
            ))
        };
        entry.state = State::Established {
            unanswered_pings: 0,
            session: Arc::clone(&session),
        };
        let token = entry.token.clone();
        let wants_sip = connection.sip_login.is_some();
        self.keep(client, &token, &connection);
        let user_data = UserData {
            auth_token: Some(token),
            status: "ESTABLISHED".into(),
            connection,
        };
        let next_ping = now + self.config.ping_interval;
        self.deadlines.set(Timer::Client(client), next_ping);
        self.send(client, &ServerMessage::UserData(user_data));
        self.send(client, &ServerMessage::Version(VERSION.into()));
        if wants_sip {
            self.refuse(client, "connection", None, &Refusal::Sip);
        }
        tracing::info!(client = client.0, "session established");
        if let Some(resumed) = resumed {
            self.catch_up(client, resumed);
        } else {
            self.notice(|| Notice::SessionEstablished { client, session });
        }
    }

    /// A client's timer fired: it is too late with its `connection`, its pongs
    /// or its return, or gets its next ping.
    pub(super) fn client_due(&mut self, client: ClientId, now: Instant) {
        let Some(entry) = self.clients.get_mut(&client) else {
            return self.give_up(client);
        };
        match &mut entry.state {
            State::Silent => {
                let reason = "no connection message in time";
                self.count(client, Some(Reason::SilentClient), reason);
                self.close(client, CloseCode::Policy, reason);
            }
            State::Established {
                unanswered_pings, ..
            } if *unanswered_pings >= self.config.unanswered_pings => {
                let reason = format!("{unanswered_pings} pings unanswered");
                self.count(client, Some(Reason::DeadClient), reason.as_str());
                self.lose(client, now);
                self.outputs.push_back(Output::Close {
                    client,
                    code: CloseCode::Policy,
                    reason,
                });
            }
            State::Established {
                unanswered_pings, ..
            } => {
                *unanswered_pings += 1;
                let next_ping = now + self.config.ping_interval;
                self.deadlines.set(Timer::Client(client), next_ping);
                self.send(client, &ServerMessage::Ping);
            }
        }
    }

    /// The providers MSE and WSPlayer open a second socket for media.
    fn refuse_media_socket(&mut self, client: ClientId) {
        let reason = "media goes over WebRTC only";
        self.count(client, Some(Reason::Unsupported), reason);
        self.close(client, CloseCode::Unsupported, reason);
    }

    /// Answers what came before `connection`, as if it were asked for in order.
    fn refuse_early(&mut self, client: ClientId, message: ClientMessage) {
        let why = Refusal::NotEstablished;
        let method = shorten(name_of(&message));
        let (id, name) = if let ClientMessage::PublishStream(request) = message {
            (request.media_session_id, request.name)
        } else if let ClientMessage::PlayStream(request) = message {
            (request.media_session_id, request.name)
        } else {
            return self.refuse(client, &method, None, &why);
        };
        self.refuse_stream(client, &method, id, name, &why);
    }

    /// Client logs are taken either way and no file is made of them, so that
    /// none is named.
    fn answer_debug(&mut self, client: ClientId, request: &SessionDebugRequest) {
        let status = match request.command.as_str() {
            "start" => "STARTED",
            "stop" => "STOPPED",
            _ => return self.refuse(client, "sessionDebug", None, &Refusal::DebugCommand),
        };
        let answer = SessionDebug {
            status: status.into(),
            file: None,
        };
        self.send(client, &ServerMessage::SessionDebug(answer));
    }

    /// No application here takes session data: better said than swallowed.
    fn answer_data(&mut self, client: ClientId, data: SendData) {
        let answer = DataStatusEvent {
            operation_id: data.operation_id,
            status: DataStatus::Failed,
            info: Some("No application on this server takes data".into()),
        };
        self.send(client, &ServerMessage::DataStatus(answer));
    }
}

impl Core {
    /// A client says what became of an operator's data; one that it was not sent
    /// means nothing.
    fn take_data_status(&mut self, client: ClientId, event: DataStatusEvent) {
        let Some(entry) = self.clients.get_mut(&client) else {
            return;
        };
        if !entry.is_expected(&event.operation_id) {
            return;
        }
        if let Some(session) = self.session_of(client) {
            self.notice(|| Notice::Data {
                client,
                session,
                event,
            });
        }
    }
}

/// Whether a message means anything only within a session.
fn needs_session(message: &ClientMessage) -> bool {
    !matches!(
        message,
        ClientMessage::Connection(_)
            | ClientMessage::Ping
            | ClientMessage::Pong
            | ClientMessage::ConnectMediaTransport
    )
}

/// A message's name on the wire, for the `apiMethod` of a refusal.
fn name_of(message: &ClientMessage) -> &str {
    match message {
        ClientMessage::Connection(_) => "connection",
        ClientMessage::PublishStream(_) => "publishStream",
        ClientMessage::PlayStream(_) => "playStream",
        ClientMessage::StopStream(_) => "stopStream",
        ClientMessage::UnPublishStream(_) => "unPublishStream",
        ClientMessage::AvailableStream(_) => "availableStream",
        ClientMessage::Snapshot(_) => "snapshot",
        ClientMessage::SendStreamEvent(_) => "sendStreamEvent",
        ClientMessage::SendData(_) => "sendData",
        ClientMessage::DataStatusEvent(_) => "DataStatusEvent",
        ClientMessage::SessionDebug(_) => "sessionDebug",
        ClientMessage::PauseStream(_) => "pauseStream",
        ClientMessage::Ping => "ping",
        ClientMessage::Pong => "pong",
        ClientMessage::ConnectMediaTransport => "connectMediaTransport",
        ClientMessage::Diagnostics { message }
        | ClientMessage::Call { message }
        | ClientMessage::Unknown { message } => message,
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(ECHO_CHARS).collect()
}
