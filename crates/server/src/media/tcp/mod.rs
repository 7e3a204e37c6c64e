//! A worker's TCP connections: ICE over TCP, passive side (RFC 6544).
//!
//! Anybody can connect, so a connection is worth nothing until it has proven
//! itself: a peer has answered a check that came over it, which takes the
//! peer's password. `census` has the limits. No connection waits for another:
//! each has its own turn and its own bounded queue.

mod census;
mod connection;

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol as RawProtocol, Socket as RawSocket, Type};
use str0m::net::Protocol;
use tracing::{debug, trace};

use super::config::Config;
use super::demux::Path;
use super::frame::Oversized;
use crate::counters::{Counters, Reason};
use census::Census;
use connection::Connection;

/// Connections not yet accepted that the system keeps.
const BACKLOG: i32 = 1_024;

/// Connections accepted before what they carry gets its turn.
const ACCEPTS_IN_A_ROW: usize = 64;

/// Connections read before what they carried is answered.
const READS_IN_A_ROW: usize = 32;

/// Bytes read from a connection before the next one gets its turn.
const READ_BYTES: usize = 16 * 1_024;

/// Packets that no peer answers before a connection is closed. A check may come
/// for a peer that has just ended.
const UNANSWERED: u64 = 8;

/// How often time is looked at.
const SWEEP: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Connections {
    listeners: Vec<Listener>,
    registry: Option<Registry>,
    times: Times,
    queue: usize,
    counters: Arc<Counters>,
    next_token: usize,
    census: Census,
    open: HashMap<Token, Connection>,
    by_path: HashMap<Path, Token>,
    /// May have something to read.
    readable: VecDeque<Token>,
    /// Have something to write, and may take it.
    writable: Vec<Token>,
    /// Have sent as much as an unproven one may.
    on_trial: Vec<Token>,
    /// Over, and nobody was told yet.
    closed: Vec<Path>,
    /// The system had no room for one more; until the next sweep.
    paused: bool,
    next_sweep: Instant,
    buffer: Vec<u8>,
}

/// From [`Config`].
struct Times {
    proof: Duration,
    idle: Duration,
}

/// A socket that connections come to.
pub(super) struct Listener {
    io: TcpListener,
    local: SocketAddr,
    token: Token,
    /// There may be something to accept.
    ready: bool,
}

impl Listener {
    /// Listens.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        let raw = RawSocket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(RawProtocol::TCP),
        )?;
        raw.set_nonblocking(true)?;
        if address.is_ipv6() {
            raw.set_only_v6(true)?;
        }
        // Or the connections of the server before keep the port for a minute.
        #[cfg(unix)]
        raw.set_reuse_address(true)?;
        raw.bind(&address.into())?;
        raw.listen(BACKLOG)?;
        let io = TcpListener::from_std(raw.into());
        Ok(Self {
            local: io.local_addr()?,
            io,
            token: Token(0),
            ready: true,
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.local.port()
    }
}

impl Connections {
    /// Those that come to `listeners`. Tokens from `first_token` on are theirs.
    pub(super) fn new(
        mut listeners: Vec<Listener>,
        first_token: usize,
        config: &Config,
        counters: Arc<Counters>,
    ) -> Self {
        for (listener, token) in listeners.iter_mut().zip(first_token..) {
            listener.token = Token(token);
        }
        Self {
            next_token: first_token + listeners.len(),
            listeners,
            registry: None,
            times: Times {
                proof: config.tcp_proof_time,
                idle: config.tcp_idle_time,
            },
            queue: config.tcp_queue,
            counters,
            census: Census::new(config.tcp_connections, config.tcp_per_address),
            open: HashMap::new(),
            by_path: HashMap::new(),
            readable: VecDeque::new(),
            writable: Vec::new(),
            on_trial: Vec::new(),
            closed: Vec::new(),
            paused: false,
            next_sweep: Instant::now(),
            buffer: vec![0; READ_BYTES],
        }
    }

    /// Has `registry` tell of what comes.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn register(&mut self, registry: &Registry) -> io::Result<()> {
        for listener in &mut self.listeners {
            registry.register(&mut listener.io, listener.token, Interest::READABLE)?;
        }
        self.registry = Some(registry.try_clone()?);
        Ok(())
    }

    /// Notes what the system says of a listener or a connection.
    pub(super) fn handle_event(&mut self, token: Token, readable: bool, writable: bool) {
        for listener in &mut self.listeners {
            listener.ready |= listener.token == token;
        }
        let Some(connection) = self.open.get_mut(&token) else {
            return;
        };
        if readable && !connection.to_read {
            connection.to_read = true;
            self.readable.push_back(token);
        }
        if writable && !connection.to_write && !connection.outgoing.is_empty() {
            connection.to_write = true;
            self.writable.push(token);
        }
    }

    /// Accepts and reads for a turn; `handle` gets each packet. `told_as` is the
    /// address that clients are told for one of ours. True if there may be more.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        told_as: impl Fn(SocketAddr) -> SocketAddr,
        mut handle: impl FnMut(Path, &[u8]),
    ) -> bool {
        for index in 0..self.listeners.len() {
            self.accept(index, now, &told_as);
        }
        for _ in 0..READS_IN_A_ROW.min(self.readable.len()) {
            if let Some(token) = self.readable.pop_front() {
                self.read(token, &mut handle);
            }
        }
        let waiting = self.listeners.iter().any(|listener| listener.ready);
        !self.readable.is_empty() || waiting && !self.paused
    }

    fn accept(&mut self, index: usize, now: Instant, told_as: impl Fn(SocketAddr) -> SocketAddr) {
        for _ in 0..ACCEPTS_IN_A_ROW {
            let listener = &mut self.listeners[index];
            if self.paused || !listener.ready {
                return;
            }
            match listener.io.accept() {
                Ok((io, remote)) => {
                    // The address that it came to, which the listener's may stand for.
                    let local = io.local_addr().unwrap_or(listener.local);
                    let path = Path {
                        protocol: Protocol::Tcp,
                        local: told_as(local),
                        remote,
                    };
                    self.admit(io, path, now);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => listener.ready = false,
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => self.make_room(&error),
            }
        }
    }

    /// There are no sockets left: the strangers' are the first to go.
    fn make_room(&mut self, error: &io::Error) {
        if self.counters.count(Reason::TooManyConnections) {
            debug!(%error, "a TCP connection cannot be accepted");
        }
        self.paused = true;
        if let Some(oldest) = self.census.oldest_stranger() {
            self.close(oldest, Some(Reason::UnprovenConnection));
        }
    }

    fn admit(&mut self, io: TcpStream, path: Path, now: Instant) {
        let ip = path.remote.ip();
        if !self.census.has_room(ip) || self.by_path.contains_key(&path) {
            if self.counters.count(Reason::TooManyConnections) {
                debug!(remote = %path.remote, "a TCP connection is one too many");
            }
            return;
        }
        let Some(registry) = &self.registry else {
            return;
        };
        let token = Token(self.next_token);
        let connection = match Connection::new(io, path, (registry, token), self.queue, now) {
            Ok(connection) => connection,
            Err(error) => return debug!(%error, "a TCP connection cannot be set up"),
        };
        self.next_token += 1;
        if self.open.is_empty() {
            self.next_sweep = now + SWEEP;
        }
        self.by_path.insert(path, token);
        self.readable.push_back(token);
        self.open.insert(token, connection);
        if let Some(oldest) = self.census.add(ip, token) {
            self.close(oldest, Some(Reason::UnprovenConnection));
        }
    }

    fn read(&mut self, token: Token, handle: &mut impl FnMut(Path, &[u8])) {
        let Some(connection) = self.open.get_mut(&token) else {
            return;
        };
        match connection.read(&mut self.buffer, handle) {
            Ok(Some(Oversized)) => return self.close(token, Some(Reason::OversizedFrame)),
            Ok(None) => self.readable.push_back(token),
            Err(error) if error.kind() == ErrorKind::WouldBlock => connection.to_read = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => self.readable.push_back(token),
            Err(error) => {
                trace!(%error, remote = %connection.path.remote, "a TCP connection ended");
                return self.close(token, None);
            }
        }
        if connection.packets >= UNANSWERED && self.census.is_stranger(token) {
            self.on_trial.push(token);
        }
    }

    /// Queues a packet for a client; [`Connections::flush`] sends it. That there
    /// is one for it proves a connection.
    pub(super) fn queue(&mut self, path: Path, packet: &[u8]) {
        let Some(token) = self.by_path.get(&path).copied() else {
            return;
        };
        let Some(connection) = self.open.get_mut(&token) else {
            return;
        };
        self.census.prove(path.remote.ip(), token);
        if !connection.outgoing.push(packet) && self.counters.count(Reason::FullConnection) {
            debug!(remote = %path.remote, "a TCP connection does not keep up");
        }
        if !connection.to_write {
            connection.to_write = true;
            self.writable.push(token);
        }
    }

    /// Sends what has been queued, as far as the connections take it, and closes
    /// those whose packets nobody has answered.
    pub(super) fn flush(&mut self, now: Instant) {
        let mut writable = std::mem::take(&mut self.writable);
        for token in writable.drain(..) {
            let connection = self.open.get_mut(&token);
            if connection.is_some_and(|connection| connection.write(now).is_err()) {
                self.close(token, None);
            }
        }
        self.writable = writable;
        for token in std::mem::take(&mut self.on_trial) {
            if self.census.is_stranger(token) {
                self.close(token, Some(Reason::UnprovenConnection));
            }
        }
    }

    /// When [`Connections::handle_timeout`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        (self.paused || !self.open.is_empty()).then_some(self.next_sweep)
    }

    /// Closes what has been unproven or idle for too long.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if now < self.next_sweep {
            return;
        }
        self.next_sweep = now + SWEEP;
        self.paused = false;
        let overdue = self.open.iter().filter_map(|(token, connection)| {
            let (time, reason) = if self.census.is_stranger(*token) {
                (self.times.proof, Reason::UnprovenConnection)
            } else {
                (self.times.idle, Reason::IdleConnection)
            };
            (connection.active + time <= now).then_some((*token, reason))
        });
        for (token, reason) in overdue.collect::<Vec<_>>() {
            self.close(token, Some(reason));
        }
    }

    /// The connections that are over, each said once.
    pub(super) fn take_closed(&mut self) -> Vec<Path> {
        std::mem::take(&mut self.closed)
    }

    /// Ends a connection; `reason` if that was not the client's wish.
    fn close(&mut self, token: Token, reason: Option<Reason>) {
        // Dropped, and so closed, only when everything about it is settled.
        let Some(connection) = self.open.remove(&token) else {
            return;
        };
        let path = connection.path;
        if let Some(reason) = reason
            && self.counters.count(reason)
        {
            debug!(remote = %path.remote, %reason, "a TCP connection is closed");
        }
        self.by_path.remove(&path);
        self.census.remove(path.remote.ip(), token);
        self.closed.push(path);
    }
}

/// The next connection may be accepted all the same.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    )
}
