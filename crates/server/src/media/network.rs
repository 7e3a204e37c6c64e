//! All of a worker's sockets: one port, UDP and TCP, IPv4 and IPv6.
//!
//! Each family has its own sockets, so that an address is always what it looks
//! like, never an IPv4 address mapped into IPv6.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use mio::event::Event;
use mio::{Interest, Registry, Token};
use str0m::net::{Protocol, Transmit};
use tracing::debug;

use super::config::Config;
use super::demux::Path;
use super::sends::Sends;
use super::socket::Socket;
use super::tcp::{Connections, Listener};
use crate::counters::Counters;

/// Ports tried until one is free for all sockets, if any will do.
const PORTS_TRIED: usize = 32;

/// Why a worker has no sockets.
#[derive(Debug)]
pub(super) struct BindError {
    /// `UDP` or `TCP`.
    pub(super) protocol: &'static str,
    pub(super) address: SocketAddr,
    pub(super) source: io::Error,
}

impl BindError {
    fn is_in_use(&self) -> bool {
        self.source.kind() == ErrorKind::AddrInUse
    }
}

/// See the module.
pub(super) struct Network {
    sockets: Vec<Socket>,
    tcp: Option<Connections>,
    port: u16,
    /// What clients are told instead of our own addresses.
    candidates: Vec<SocketAddr>,
}

impl Network {
    /// Binds `port`, or any if it is 0, on each of `binds`. `own` are the host's
    /// addresses. Tokens from `first_token` on are this network's.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn bind(
        binds: &[IpAddr],
        port: u16,
        own: &[IpAddr],
        first_token: usize,
        (config, counters): (&Config, &Arc<Counters>),
    ) -> Result<Self, BindError> {
        let mut tries = 0;
        loop {
            let mut binding = Binding {
                port,
                sockets: Vec::new(),
                listeners: Vec::new(),
            };
            match binding.bind_all(binds, own, config) {
                Ok(()) => return Ok(binding.finish(first_token, config, counters)),
                // The port that one socket got is another program's for the next.
                Err(error) if port == 0 && error.is_in_use() && tries < PORTS_TRIED => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The least that the system gave one of its UDP sockets of receive buffer, in
    /// bytes; `None` without any, or if it does not say.
    pub(super) fn receive_buffer(&self) -> Option<usize> {
        self.sockets.iter().filter_map(Socket::receive_buffer).min()
    }

    pub(super) fn set_candidates(&mut self, candidates: Vec<SocketAddr>) {
        self.candidates = candidates;
    }

    /// Has `registry` tell of what comes.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn register(&mut self, registry: &Registry) -> io::Result<()> {
        for socket in &mut self.sockets {
            registry.register(&mut socket.io, socket.token, Interest::READABLE)?;
        }
        match &mut self.tcp {
            Some(tcp) => tcp.register(registry),
            None => Ok(()),
        }
    }

    /// Notes what the system says of a socket.
    pub(super) fn handle_event(&mut self, event: &Event) {
        for socket in &mut self.sockets {
            socket.ready |= socket.token == event.token();
        }
        if let Some(tcp) = &mut self.tcp {
            tcp.handle_event(event.token(), event.is_readable(), event.is_writable());
        }
    }

    /// Receives for a turn, a batch from each UDP socket and a part of what TCP
    /// has, so that neither waits for the other; `handle` gets each packet. True
    /// if there may be more.
    pub(super) fn receive(&mut self, now: Instant, mut handle: impl FnMut(Path, &[u8])) -> bool {
        let candidates = &self.candidates;
        for socket in self.sockets.iter_mut().filter(|socket| socket.ready) {
            let received = socket.receive(|remote, local, datagram| {
                let path = Path {
                    protocol: Protocol::Udp,
                    local: told_as(candidates, local),
                    remote,
                };
                handle(path, datagram);
            });
            match received {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => socket.ready = false,
                // An ICMP error that a datagram of ours met; the next one may not.
                Err(error) => debug!(%error, "receiving"),
            }
        }
        let more = self.sockets.iter().any(|socket| socket.ready);
        let more_tcp = self
            .tcp
            .as_mut()
            .is_some_and(|tcp| tcp.receive(now, |local| told_as(candidates, local), handle));
        more || more_tcp
    }

    /// Sends all, what sets up connections before what goes over them. What the
    /// system does not take is lost, as on any network.
    pub(super) fn send_all(
        &mut self,
        transmits: &mut Vec<Transmit>,
        sends: &mut Sends,
        now: Instant,
    ) {
        for run in transmits.chunk_by(|a, b| a.proto == b.proto && a.source == b.source) {
            let [first, ..] = run else { continue };
            match first.proto {
                Protocol::Udp => {
                    if let Some(socket) = self.socket_for(first.source) {
                        socket.send_all(run);
                    }
                }
                Protocol::Tcp => self.queue_all(run),
                // Candidates are never of these.
                Protocol::SslTcp | Protocol::Tls => {}
            }
        }
        transmits.clear();
        self.send_media(sends);
        sends.clear();
        if let Some(tcp) = &mut self.tcp {
            tcp.flush(now);
        }
    }

    fn send_media(&mut self, sends: &Sends) {
        for run in sends.runs() {
            match run.path.protocol {
                Protocol::Udp => {
                    if let Some(socket) = self.socket_for(run.path.local) {
                        socket.send(run);
                    }
                }
                Protocol::Tcp => {
                    if let Some(tcp) = &mut self.tcp {
                        run.packets().for_each(|packet| tcp.queue(run.path, packet));
                    }
                }
                // Candidates are never of these.
                Protocol::SslTcp | Protocol::Tls => {}
            }
        }
    }

    fn queue_all(&mut self, run: &[Transmit]) {
        if let Some(tcp) = &mut self.tcp {
            for transmit in run {
                tcp.queue(Path::of(transmit), &transmit.contents);
            }
        }
    }

    /// The socket of the family; there is one at most.
    fn socket_for(&mut self, source: SocketAddr) -> Option<&mut Socket> {
        let mut sockets = self.sockets.iter_mut();
        sockets.find(|socket| socket.local().is_ipv4() == source.is_ipv4())
    }

    /// When [`Network::handle_timeout`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.tcp.as_ref().and_then(Connections::poll_timeout)
    }

    /// Does what has become due.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let Some(tcp) = &mut self.tcp {
            tcp.handle_timeout(now);
        }
    }

    /// The TCP connections that are over, each said once.
    pub(super) fn take_closed(&mut self) -> Vec<Path> {
        self.tcp
            .as_mut()
            .map_or_else(Vec::new, Connections::take_closed)
    }
}

/// Sockets on the way to being a network.
struct Binding {
    port: u16,
    sockets: Vec<Socket>,
    listeners: Vec<Listener>,
}

impl Binding {
    fn bind_all(
        &mut self,
        binds: &[IpAddr],
        own: &[IpAddr],
        config: &Config,
    ) -> Result<(), BindError> {
        for ip in binds {
            if config.transports.udp() {
                self.bind_one("UDP", *ip, |binding, address| {
                    let socket = Socket::bind(address, config.socket_buffer, own)?;
                    let port = socket.local().port();
                    binding.sockets.push(socket);
                    Ok(port)
                })?;
            }
            if config.transports.tcp() {
                self.bind_one("TCP", *ip, |binding, address| {
                    let listener = Listener::bind(address)?;
                    let port = listener.port();
                    binding.listeners.push(listener);
                    Ok(port)
                })?;
            }
        }
        Ok(())
    }

    fn bind_one(
        &mut self,
        protocol: &'static str,
        ip: IpAddr,
        bind: impl FnOnce(&mut Self, SocketAddr) -> io::Result<u16>,
    ) -> Result<(), BindError> {
        let address = SocketAddr::new(ip, self.port);
        self.port = bind(self, address).map_err(|source| BindError {
            protocol,
            address,
            source,
        })?;
        Ok(())
    }

    fn finish(self, first_token: usize, config: &Config, counters: &Arc<Counters>) -> Network {
        let Self {
            port,
            mut sockets,
            listeners,
        } = self;
        for (socket, token) in sockets.iter_mut().zip(first_token..) {
            socket.token = Token(token);
        }
        let first_token = first_token + sockets.len();
        let tcp = (!listeners.is_empty())
            .then(|| Connections::new(listeners, first_token, config, counters.clone()));
        Network {
            sockets,
            tcp,
            port,
            candidates: Vec::new(),
        }
    }
}

/// The candidate that stands for the address a packet came to: itself, or,
/// behind NAT, the first one of the family, since the address outside is not
/// seen here.
fn told_as(candidates: &[SocketAddr], local: SocketAddr) -> SocketAddr {
    if candidates.contains(&local) {
        return local;
    }
    let mut family = candidates.iter().filter(|c| c.is_ipv4() == local.is_ipv4());
    family.next().copied().unwrap_or(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_packet_came_to_is_named_as_clients_know_it() {
        let told = ["203.0.113.5:40000", "[2001:db8::5]:31001", "10.0.0.5:31001"];
        let told = told.map(|a| a.parse().unwrap());
        let table = [
            ("10.0.0.5:31001", "10.0.0.5:31001"),
            ("10.0.0.9:31001", "203.0.113.5:40000"),
            ("[2001:db8::5]:31001", "[2001:db8::5]:31001"),
            ("[fe80::1]:31001", "[2001:db8::5]:31001"),
        ];
        for (local, expected) in table {
            let local = local.parse().unwrap();
            assert_eq!(told_as(&told, local), expected.parse().unwrap());
        }
        let only_v4 = &told[..1];
        let local = "[::1]:31001".parse().unwrap();
        assert_eq!(told_as(only_v4, local), local);
    }
}
