//! Sessions that outlive their sockets: `keepAlive` and `authToken`.
//!
//! A session that connected with `keepAlive` and loses its socket while it has
//! streams waits for [`Config::resume_time`](super::Config::resume_time) and
//! counts as a session meanwhile. Its streams and their players go on. A
//! `connection` with its token on a new socket takes them over, ids and all; if
//! the old socket still lives, it is closed, since clients know of a broken
//! network before servers do. The token stays the same, so that a client whose
//! new socket breaks before the answer can come again. A token that is unknown,
//! too late or of a session that did not ask to be kept means nothing: the
//! session is a fresh one.
//!
//! A session whose socket was closed for breaking a rule does not wait.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use wire::{Connection, ServerMessage};

use super::client::Client;
use super::{ClientId, CloseCode, Core, Output, SessionInfo, State, Timer};

/// The sessions that asked to be kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// With a socket or without.
    by_token: HashMap<String, ClientId>,
    /// Those without, by the last socket they had.
    away: BTreeMap<ClientId, Away>,
}

/// A session that waits for its client.
#[derive(Debug)]
struct Away {
    token: String,
    session: Arc<SessionInfo>,
    /// Answers and last statuses of its streams, in order: at most two a stream.
    missed: Vec<String>,
}

/// What a session is resumed with.
#[derive(Debug)]
pub(super) struct Resumed {
    pub(super) token: String,
    pub(super) session: Arc<SessionInfo>,
    missed: Vec<String>,
}

impl Kept {
    /// How many sessions wait.
    pub(super) fn away_count(&self) -> usize {
        self.away.len()
    }

    /// The token of a session that waits.
    pub(super) fn token_of(&self, client: ClientId) -> Option<&str> {
        Some(&self.away.get(&client)?.token)
    }

    /// Those that wait, from `first` on.
    pub(super) fn away(&self, first: u64) -> impl Iterator<Item = (ClientId, &Arc<SessionInfo>)> {
        let away = self.away.range(ClientId(first)..);
        away.map(|(client, away)| (*client, &away.session))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_token.is_empty() && self.away.is_empty()
    }

    pub(super) fn forget(&mut self, token: &str) {
        self.by_token.remove(token);
    }

    /// Keeps what an absent client cannot do without. The other statuses are
    /// told anew when it comes back; events, pings and rates are stale by then.
    pub(super) fn note(&mut self, client: ClientId, message: &ServerMessage) {
        let Some(away) = self.away.get_mut(&client) else {
            return;
        };
        let lasting = matches!(message, ServerMessage::RemoteSdp { .. })
            || matches!(message, ServerMessage::StreamStatus(event) if event.status.is_terminal());
        if lasting {
            away.missed.push(message.encode());
        }
    }
}

impl Core {
    /// Remembers a session's token if its client wants to be able to resume.
    pub(super) fn keep(&mut self, client: ClientId, token: &str, connection: &Connection) {
        if connection.keep_alive == Some(true) && self.config.resume_time > Duration::ZERO {
            self.kept.by_token.insert(token.into(), client);
        }
    }

    /// A client's socket is gone: its session waits if it asked for that and
    /// has a stream to wait with, else it ends.
    pub(super) fn lose(&mut self, client: ClientId, now: Instant) {
        let is_kept = |token: &str| self.kept.by_token.contains_key(token);
        let entry = self.clients.get(&client).filter(|c| is_kept(&c.token));
        let session = entry.and_then(Client::session).cloned();
        let has_streams = self.registry.count_of_client(client) > 0;
        let Some(session) = session.filter(|_| has_streams) else {
            return self.forget(client);
        };
        let Some(entry) = self.clients.remove(&client) else {
            return;
        };
        self.forget_snapshots(client);
        let away = Away {
            token: entry.token,
            session,
            missed: Vec::new(),
        };
        self.kept.away.insert(client, away);
        let too_late = now + self.config.resume_time;
        self.deadlines.set(Timer::Client(client), too_late);
        tracing::info!(client = client.0, "socket lost, session waits");
    }

    /// Moves the streams of the token's session to `client`; `None` if there is
    /// no such session.
    pub(super) fn take_over(&mut self, token: &str, client: ClientId) -> Option<Resumed> {
        let (token, old) = self.kept.by_token.remove_entry(token)?;
        self.deadlines.clear(Timer::Client(old));
        let (session, missed) = if let Some(away) = self.kept.away.remove(&old) {
            (away.session, away.missed)
        } else {
            let session = self.clients.remove(&old)?.into_session()?;
            self.forget_snapshots(old);
            self.outputs.push_back(Output::Close {
                client: old,
                code: CloseCode::Policy,
                reason: "the session was resumed on another socket".into(),
            });
            (session, Vec::new())
        };
        self.registry.hand_over(old, client);
        tracing::info!(client = client.0, old = old.0, "session resumed");
        Some(Resumed {
            token,
            session,
            missed,
        })
    }

    /// Tells a client that is back what it missed, and then which of its
    /// streams go on.
    pub(super) fn catch_up(&mut self, client: ClientId, resumed: Resumed) {
        let missed = resumed.missed.into_iter();
        self.outputs
            .extend(missed.map(|text| Output::Send { client, text }));
        for peer in self.registry.of_client(client) {
            let stream = self.registry.stream(peer);
            if stream.is_some_and(|stream| stream.state == State::Active) {
                self.announce(peer);
            }
        }
    }

    /// Ends a session that waited in vain; nothing happens if there is none.
    pub(super) fn give_up(&mut self, client: ClientId) {
        if let Some(away) = self.kept.away.remove(&client) {
            self.kept.forget(&away.token);
            self.end_session(client, Some(away.session));
        }
    }

    /// Ends every session that waits.
    pub(super) fn give_up_all(&mut self) {
        for client in self.kept.away.keys().copied().collect::<Vec<_>>() {
            self.give_up(client);
        }
    }
}
