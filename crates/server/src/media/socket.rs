//! A worker's UDP socket: batches in (recvmmsg, GRO), runs out (GSO).

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};

use mio::Token;
use mio::net::UdpSocket;
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};
use socket2::{Domain, Protocol, SockRef, Socket as RawSocket, Type};
use str0m::net::Transmit;
use tracing::{debug, trace};

use super::sends::Run;

/// Largest UDP datagram; with GRO a receive buffer holds several as one.
const MAX_DATAGRAM: usize = 65_535;

/// Most bytes in one GSO send: an IPv4 datagram's limit less the headers.
const MAX_GSO_BYTES: usize = 65_000;

/// See the module.
pub(super) struct Socket {
    pub(super) io: UdpSocket,
    pub(super) token: Token,
    /// There may be something to receive.
    pub(super) ready: bool,
    state: UdpSocketState,
    local: SocketAddr,
    receive_buffer: Vec<u8>,
    send_buffer: Vec<u8>,
    /// The host's own addresses, which packets can be sent from; none if the
    /// socket is bound to one.
    own: Vec<IpAddr>,
}

impl Socket {
    /// Binds.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn bind(address: SocketAddr, buffer: usize, own: &[IpAddr]) -> io::Result<Self> {
        let raw = RawSocket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        raw.set_nonblocking(true)?;
        if address.is_ipv6() {
            raw.set_only_v6(true)?;
        }
        // The system may grant less, most without an error.
        for result in [
            raw.set_recv_buffer_size(buffer),
            raw.set_send_buffer_size(buffer),
        ] {
            if let Err(error) = result {
                debug!(%error, "UDP buffer size not granted");
            }
        }
        raw.bind(&address.into())?;
        let io = UdpSocket::from_std(raw.into());
        let state = UdpSocketState::new((&io).into())?;
        let local = io.local_addr()?;
        let segments = state.gro_segments();
        let buffer = if segments > 1 { MAX_DATAGRAM } else { 2_048 };
        let any = address.ip().is_unspecified();
        Ok(Self {
            io,
            token: Token(0),
            ready: true,
            state,
            local,
            receive_buffer: vec![0; buffer * BATCH_SIZE],
            send_buffer: Vec::with_capacity(MAX_DATAGRAM),
            own: if any { own.to_vec() } else { Vec::new() },
        })
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Bytes of its receive buffer, as far as the system says.
    pub(super) fn receive_buffer(&self) -> Option<usize> {
        let bytes = SockRef::from(&self.io).recv_buffer_size().ok()?;
        // It doubles what it is asked for, to have room for its own notes (socket(7)).
        let is_doubled = cfg!(any(target_os = "linux", target_os = "android"));
        Some(if is_doubled { bytes / 2 } else { bytes })
    }

    /// Receives one batch; `handle` gets each datagram with where it came from
    /// and to.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when there is nothing more.
    pub(super) fn receive(
        &mut self,
        mut handle: impl FnMut(SocketAddr, SocketAddr, &[u8]),
    ) -> io::Result<()> {
        let each = self.receive_buffer.len() / BATCH_SIZE;
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let mut chunks = self.receive_buffer.chunks_mut(each);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let received = self
            .state
            .recv((&self.io).into(), &mut slices, &mut metas)?;
        for (meta, slice) in metas.iter().zip(&slices).take(received) {
            let destination = meta.dst_ip.unwrap_or(self.local.ip());
            let destination = SocketAddr::new(destination, self.local.port());
            for datagram in slice[..meta.len].chunks(meta.stride.max(1)) {
                handle(meta.addr, destination, datagram);
            }
        }
        Ok(())
    }

    /// Sends all, datagrams of one size to one address together. What the
    /// system does not take is lost, as on any network.
    pub(super) fn send_all(&mut self, transmits: &[Transmit]) {
        let max_segments = self.state.max_gso_segments();
        let mut rest = transmits;
        while !rest.is_empty() {
            let run = run_length(rest, max_segments);
            let (now, later) = rest.split_at(run);
            self.send_run(now);
            rest = later;
        }
    }

    /// Sends packets that go one way, from where they stand. What the system does
    /// not take is lost, as on any network.
    pub(super) fn send(&self, run: Run<'_>) {
        let max_segments = self.state.max_gso_segments();
        let (path, mut rest) = (run.path, run);
        loop {
            let length = segments(rest.packets().map(<[u8]>::len), max_segments);
            let Some(first) = rest.packets().next() else {
                return;
            };
            let size = (length > 1).then_some(first.len());
            let (contents, later) = rest.split(length);
            self.send_contents((path.local, path.remote), contents, size);
            rest = later;
        }
    }

    fn send_contents(
        &self,
        (from, to): (SocketAddr, SocketAddr),
        contents: &[u8],
        segment_size: Option<usize>,
    ) {
        let source = from.ip();
        let transmit = quinn_udp::Transmit {
            destination: to,
            ecn: None,
            contents,
            segment_size,
            src_ip: self.own.contains(&source).then_some(source),
        };
        if let Err(error) = self.state.try_send((&self.io).into(), &transmit) {
            trace!(%error, bytes = contents.len(), %to, "not sent");
        }
    }

    fn send_run(&mut self, run: &[Transmit]) {
        let [first, ..] = run else { return };
        let contents: &[u8] = if run.len() == 1 {
            &first.contents
        } else {
            self.send_buffer.clear();
            for transmit in run {
                self.send_buffer.extend_from_slice(&transmit.contents);
            }
            &self.send_buffer
        };
        let size = (run.len() > 1).then_some(first.contents.len());
        self.send_contents((first.source, first.destination), contents, size);
    }
}

/// How many transmits from the start can go as one: the same way, all of one
/// size but for a shorter last one.
fn run_length(transmits: &[Transmit], max_segments: usize) -> usize {
    let Some(first) = transmits.first() else {
        return 0;
    };
    let same_way = |t: &&Transmit| t.destination == first.destination && t.source == first.source;
    let sizes = transmits.iter().take_while(same_way);
    segments(sizes.map(|t| t.contents.len()), max_segments)
}

/// How many packets of these sizes, from the start, can go as one.
fn segments(mut sizes: impl Iterator<Item = usize>, max_segments: usize) -> usize {
    let Some(size) = sizes.next() else {
        return 0;
    };
    let most = max_segments.min(MAX_GSO_BYTES / size.max(1)).max(1);
    let mut length = 1;
    while length < most {
        match sizes.next() {
            Some(next) if next == size => length += 1,
            // Only the last one may be shorter.
            Some(next) if next < size => return length + 1,
            Some(_) | None => break,
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;
    use str0m::net::Protocol;

    fn transmit(port: u16, size: usize) -> Transmit {
        Transmit {
            proto: Protocol::Udp,
            source: SocketAddr::from(([127, 0, 0, 1], 1)),
            destination: SocketAddr::from(([127, 0, 0, 1], port)),
            contents: vec![0; size].into(),
        }
    }

    #[test]
    fn runs_end_where_gso_does() {
        /// Port and size of each transmit, GSO segments, expected length.
        type Case<'a> = (&'a [(u16, usize)], usize, usize);
        let table: &[Case<'_>] = &[
            (&[], 64, 0),
            (&[(1, 100)], 64, 1),
            (&[(1, 100), (1, 100), (1, 100)], 64, 3),
            (&[(1, 100), (1, 100), (1, 40), (1, 100)], 64, 3),
            (&[(1, 100), (1, 101)], 64, 1),
            (&[(1, 100), (2, 100)], 64, 1),
            (&[(1, 100), (1, 100), (1, 100)], 2, 2),
            (&[(1, 100), (1, 100)], 1, 1),
            (&[(1, 40_000), (1, 40_000)], 64, 1),
        ];
        for (transmits, segments, expected) in table {
            let list: Vec<_> = transmits.iter().map(|(p, s)| transmit(*p, *s)).collect();
            assert_eq!(run_length(&list, *segments), *expected, "{transmits:?}");
        }
    }
}
