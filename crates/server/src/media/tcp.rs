//! A worker's TCP connections: ICE over TCP, passive side (RFC 6544).
//!
//! Anybody can connect, so a connection is worth nothing until it has proven
//! itself: a peer has answered a check that came over it, which takes the
//! peer's password. Those that have not are few, and the oldest makes room. No
//! connection waits for another: each has its own bounded queue.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol as RawProtocol, SockRef, Socket as RawSocket, Type};
use str0m::net::Protocol;
use tracing::{debug, trace};

use super::config::Config;
use super::demux::Path;
use super::frame::{Deframer, Oversized, SendQueue};
use crate::counters::{Counters, Reason};

/// Connections not yet accepted that the system keeps.
const BACKLOG: i32 = 1_024;

/// Connections accepted before what they carry gets its turn.
const ACCEPTS_IN_A_ROW: usize = 64;

/// Connections read before what they carried is answered.
const READS_IN_A_ROW: usize = 32;

/// Bytes read from a connection before the next one gets its turn.
const READ_BYTES: usize = 16 * 1_024;

/// What the system may keep of a connection that is slow to take it. More would
/// only be older when it comes.
const SEND_BUFFER: usize = 256 * 1_024;

/// Packets that no peer answers before a connection counts as a stranger's. A
/// check may come for a peer that has just ended.
const UNANSWERED: usize = 8;

/// Most unproven connections, of which a client is one for a round trip.
const UNPROVEN: usize = 256;

/// Most of them from one address.
const UNPROVEN_PER_ADDRESS: usize = 32;

/// How often time is looked at.
const SWEEP: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Connections {
    listeners: Vec<Listener>,
    registry: Option<Registry>,
    limits: Limits,
    counters: Arc<Counters>,
    next_token: usize,
    open: HashMap<Token, Connection>,
    by_path: HashMap<Path, Token>,
    /// In the order that they came.
    unproven: BTreeSet<Token>,
    by_address: HashMap<IpAddr, Share>,
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

/// Limits on connections, from [`Config`].
struct Limits {
    connections: usize,
    per_address: usize,
    proof_time: Duration,
    idle_time: Duration,
    queue: usize,
}

struct Listener {
    io: TcpListener,
    local: SocketAddr,
    token: Token,
    ready: bool,
}

struct Connection {
    io: TcpStream,
    path: Path,
    incoming: Deframer,
    outgoing: SendQueue,
    trust: Trust,
    /// In [`Connections::readable`].
    to_read: bool,
    /// In [`Connections::writable`].
    to_write: bool,
    /// When it last took something, or came.
    active: Instant,
}

enum Trust {
    Unproven { packets: usize },
    Proven,
}

/// What one address has of the connections.
#[derive(Default)]
struct Share {
    open: usize,
    unproven: usize,
}

/// Listens.
///
/// # Errors
/// The system refuses.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
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
    Ok(TcpListener::from_std(raw.into()))
}

impl Connections {
    /// Those that come to `listeners`. Tokens from `first_token` on are theirs.
    ///
    /// # Errors
    /// A listener has no address.
    pub(super) fn new(
        listeners: Vec<TcpListener>,
        first_token: usize,
        config: &Config,
        counters: Arc<Counters>,
    ) -> io::Result<Self> {
        let next_token = first_token + listeners.len();
        let listeners = listeners
            .into_iter()
            .zip(first_token..)
            .map(|(io, token)| {
                Ok(Listener {
                    local: io.local_addr()?,
                    io,
                    token: Token(token),
                    ready: true,
                })
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            listeners,
            registry: None,
            limits: Limits {
                connections: config.tcp_connections,
                per_address: config.tcp_per_address,
                proof_time: config.tcp_proof_time,
                idle_time: config.tcp_idle_time,
                queue: config.tcp_queue,
            },
            counters,
            next_token,
            open: HashMap::new(),
            by_path: HashMap::new(),
            unproven: BTreeSet::new(),
            by_address: HashMap::new(),
            readable: VecDeque::new(),
            writable: Vec::new(),
            on_trial: Vec::new(),
            closed: Vec::new(),
            paused: false,
            next_sweep: Instant::now(),
            buffer: vec![0; READ_BYTES],
        })
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
        if let Some(oldest) = self.unproven.first().copied() {
            self.close(oldest, Some(Reason::UnprovenConnection));
        }
    }

    fn has_room(&self, path: Path) -> bool {
        let address = shared_by(path.remote.ip());
        let room_for_address = self.by_address.get(&address).is_none_or(|share| {
            share.open < self.limits.per_address && share.unproven < UNPROVEN_PER_ADDRESS
        });
        room_for_address
            && self.open.len() < self.limits.connections
            && !self.by_path.contains_key(&path)
    }

    fn admit(&mut self, mut io: TcpStream, path: Path, now: Instant) {
        if !self.has_room(path) {
            if self.counters.count(Reason::TooManyConnections) {
                debug!(remote = %path.remote, "a TCP connection is one too many");
            }
            return;
        }
        let token = Token(self.next_token);
        if let Err(error) = set_up(&mut io, token, self.registry.as_ref()) {
            debug!(%error, "a TCP connection cannot be set up");
            return;
        }
        self.next_token += 1;
        let share = self.by_address.entry(shared_by(path.remote.ip()));
        let share = share.or_default();
        share.open += 1;
        share.unproven += 1;
        if self.open.is_empty() {
            self.next_sweep = now + SWEEP;
        }
        self.by_path.insert(path, token);
        self.unproven.insert(token);
        self.readable.push_back(token);
        let connection = Connection {
            io,
            path,
            incoming: Deframer::default(),
            outgoing: SendQueue::new(self.limits.queue),
            trust: Trust::Unproven { packets: 0 },
            to_read: true,
            to_write: false,
            active: now,
        };
        self.open.insert(token, connection);
        if self.unproven.len() > UNPROVEN
            && let Some(oldest) = self.unproven.first().copied()
        {
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
        if matches!(connection.trust, Trust::Unproven { packets } if packets >= UNANSWERED) {
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
        if matches!(connection.trust, Trust::Unproven { .. }) {
            connection.trust = Trust::Proven;
            self.unproven.remove(&token);
            if let Some(share) = self.by_address.get_mut(&shared_by(path.remote.ip())) {
                share.unproven -= 1;
            }
        }
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
            let Some(connection) = self.open.get_mut(&token) else {
                continue;
            };
            connection.to_write = false;
            match connection.outgoing.write_to(&mut connection.io) {
                Ok(0) => {}
                Ok(_) => connection.active = now,
                Err(_) => self.close(token, None),
            }
        }
        self.writable = writable;
        for token in std::mem::take(&mut self.on_trial) {
            if self.unproven.contains(&token) {
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
        let limits = &self.limits;
        let overdue = self.open.iter().filter_map(|(token, connection)| {
            let (time, reason) = match connection.trust {
                Trust::Unproven { .. } => (limits.proof_time, Reason::UnprovenConnection),
                Trust::Proven => (limits.idle_time, Reason::IdleConnection),
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
        let address = shared_by(path.remote.ip());
        let unproven = self.unproven.remove(&token);
        if let Some(share) = self.by_address.get_mut(&address) {
            share.open -= 1;
            share.unproven -= usize::from(unproven);
            if share.open == 0 {
                self.by_address.remove(&address);
            }
        }
        self.closed.push(path);
    }
}

impl Connection {
    /// Reads once. `Ok(None)`: there may be more.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] when there is nothing more; else the connection
    /// is over, in one direction at least, which is as good as both.
    fn read(
        &mut self,
        buffer: &mut [u8],
        handle: &mut impl FnMut(Path, &[u8]),
    ) -> io::Result<Option<Oversized>> {
        let length = self.io.read(buffer)?;
        if length == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let Self {
            path,
            trust,
            incoming,
            ..
        } = self;
        let fed = incoming.feed(&buffer[..length], |packet| {
            if let Trust::Unproven { packets } = trust {
                *packets += 1;
            }
            handle(*path, packet);
        });
        Ok(fed.err())
    }
}

/// The next connection may be accepted all the same.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    )
}

fn set_up(io: &mut TcpStream, token: Token, registry: Option<&Registry>) -> io::Result<()> {
    // Or a frame waits for the client's word that it has the last one.
    io.set_nodelay(true)?;
    SockRef::from(&*io).set_send_buffer_size(SEND_BUFFER)?;
    match registry {
        Some(registry) => registry.register(io, token, Interest::READABLE | Interest::WRITABLE),
        None => Err(ErrorKind::NotConnected.into()),
    }
}

/// What counts as one address: of IPv6 a network, whose addresses are one's to
/// choose from (RFC 4291 section 2.5.4).
fn shared_by(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}
