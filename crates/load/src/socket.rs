//! A peer's own UDP socket, read and written in batches (UDP GRO and GSO).

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};

use mio::event::Source;
use mio::{Interest, Registry, Token};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use tracing::debug;

/// What the system is asked to hold of what comes, bytes; it may hold less.
const RECEIVE_BUFFER: usize = 1024 * 1024;

/// The longest run of datagrams that the system hands over as one.
const RUN: usize = 65_536;

/// See the module.
#[derive(Debug)]
pub(crate) struct Socket {
    io: mio::net::UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
}

impl Socket {
    /// A free port at this address.
    pub(crate) fn bind(ip: IpAddr) -> io::Result<Self> {
        let io = std::net::UdpSocket::bind((ip, 0))?;
        let reference = UdpSockRef::from(&io);
        let state = UdpSocketState::new(reference)?;
        if let Err(error) = state.set_recv_buffer_size(UdpSockRef::from(&io), RECEIVE_BUFFER) {
            debug!(%error, "the receive buffer stays as it is");
        }
        Ok(Self {
            local: io.local_addr()?,
            io: mio::net::UdpSocket::from_std(io),
            state,
        })
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends a datagram, or a run of them that have `segment` bytes each but the last.
    /// What the system does not take is lost, as on any network.
    pub(crate) fn send(&self, to: SocketAddr, contents: &[u8], segment: Option<usize>) {
        let transmit = Transmit {
            destination: to,
            ecn: None,
            contents,
            segment_size: segment,
            src_ip: None,
        };
        if let Err(error) = self.state.try_send(UdpSockRef::from(&self.io), &transmit) {
            debug!(%error, local = %self.local, "not sent");
        }
    }

    /// How many datagrams [`Socket::send`] takes at a time.
    pub(crate) fn longest_run(&self) -> usize {
        self.state.max_gso_segments()
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.io.register(registry, token, Interest::READABLE)
    }

    pub(crate) fn deregister(&mut self, registry: &Registry) {
        if let Err(error) = self.io.deregister(registry) {
            debug!(%error, "not deregistered");
        }
    }
}

/// Room for what comes in one system call, shared by all sockets of a thread.
#[derive(Debug)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![0; RUN * BATCH_SIZE],
            metas: [RecvMeta::default(); BATCH_SIZE],
        }
    }

    /// Reads all that has come, one datagram after the other, with its sender and the
    /// kernel's stamp on it. The end of a partly filled batch is the end of what was
    /// there; what comes from then on is another event.
    pub(crate) fn read(
        &mut self,
        socket: &Socket,
        mut take: impl FnMut(&RecvMeta, &mut dyn Iterator<Item = &[u8]>),
    ) {
        loop {
            let mut runs = self.bytes.chunks_mut(RUN).map(IoSliceMut::new);
            let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
                std::array::from_fn(|_| runs.next().unwrap_or_else(|| IoSliceMut::new(&mut [])));
            let reference = UdpSockRef::from(&socket.io);
            let got = match socket.state.recv(reference, &mut slices, &mut self.metas) {
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An earlier datagram found nobody: ICE will tell that the server is gone.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
                Err(error) => {
                    debug!(%error, local = %socket.local, "not received");
                    return;
                }
            };
            for (slice, meta) in slices.iter().zip(&self.metas[..got]) {
                let run = &slice[..meta.len];
                take(meta, &mut run.chunks(meta.stride.max(1)));
            }
            if got < BATCH_SIZE {
                return;
            }
        }
    }
}
