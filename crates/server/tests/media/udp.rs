//! The client over real sockets and the real clock.

#![allow(dead_code, reason = "each test program uses its part")]

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use str0m::Candidate;
use str0m::media::Direction;
use str0m::net::{Protocol, TcpType};

use crate::client::{Client, PayloadTypes};

/// Longest wait for a packet before looking at the next client.
const TURN: Duration = Duration::from_millis(1);

pub(crate) struct UdpClient {
    pub(crate) client: Client,
    socket: UdpSocket,
    /// Once there is one, UDP is blocked.
    tcp: Option<TcpConnection>,
}

impl UdpClient {
    /// A client that sends or receives audio and video, and its offer.
    pub(crate) fn offer(direction: Direction, types: PayloadTypes) -> (Self, String) {
        Self::offer_from(Ipv4Addr::LOCALHOST.into(), direction, types, &[])
    }

    /// The same, at this address, of a client that sends these simulcast layers.
    pub(crate) fn offer_from(
        ip: IpAddr,
        direction: Direction,
        types: PayloadTypes,
        rids: &[&str],
    ) -> (Self, String) {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        socket.set_read_timeout(Some(TURN)).unwrap();
        let local = socket.local_addr().unwrap();
        let (client, offer) = Client::offer(local, direction, types, rids, Instant::now());
        let tcp = None;
        let client = Self {
            client,
            socket,
            tcp,
        };
        (client, offer)
    }

    /// Lets no UDP through any more, and connects to the first address that
    /// `answer` has for TCP instead. What there was of a connection ends.
    pub(crate) fn use_tcp(&mut self, answer: &str) {
        let server = tcp_candidates(answer)[0];
        let connection = TcpConnection::open(server);
        let local = connection.stream.local_addr().unwrap();
        let candidate = |address| {
            let builder = Candidate::builder().tcp().host(address);
            builder.tcptype(TcpType::Active).build().unwrap()
        };
        if self.tcp.is_some() {
            let gone = candidate(self.client.local);
            self.client.rtc.direct_api().invalidate_candidate(&gone);
        }
        self.client.local = local;
        self.client.rtc.add_local_candidate(candidate(local));
        self.client.handle_timeout(Instant::now());
        self.tcp = Some(connection);
    }

    /// Takes what has come, all of it, so that this is not what makes a network
    /// look slow, and sends what there is to send.
    pub(crate) fn step(&mut self) {
        match &mut self.tcp {
            None => self.receive_all_udp(),
            Some(tcp) => {
                for packet in tcp.receive() {
                    let source = tcp.server;
                    let now = Instant::now();
                    self.client
                        .handle_packet(Protocol::Tcp, source, &packet, now);
                }
            }
        }
        self.client.handle_timeout(Instant::now());
        self.send();
    }

    fn receive_all_udp(&mut self) {
        if self.receive_udp() {
            self.socket.set_nonblocking(true).unwrap();
            while self.receive_udp() {}
            self.socket.set_nonblocking(false).unwrap();
        }
    }

    /// Takes a datagram; false if there is none.
    fn receive_udp(&mut self) -> bool {
        let mut buffer = [0; 2_048];
        match self.socket.recv_from(&mut buffer) {
            Ok((length, source)) => {
                let datagram = &buffer[..length];
                self.client
                    .handle_datagram(source, datagram, Instant::now());
                true
            }
            Err(error) => {
                assert!(is_early(&error), "{error}");
                false
            }
        }
    }

    pub(crate) fn send(&mut self) {
        for transmit in self.client.transmits.drain(..) {
            match (&mut self.tcp, transmit.proto) {
                (None, _) => {
                    self.socket
                        .send_to(&transmit.contents, transmit.destination)
                        .unwrap();
                }
                (Some(tcp), Protocol::Tcp) => tcp.send(&transmit.contents),
                (Some(_), _) => {}
            }
        }
    }
}

/// The addresses that an answer has for TCP.
fn tcp_candidates(answer: &str) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    for line in answer.lines().filter(|l| l.starts_with("a=candidate:")) {
        let fields: Vec<_> = line.split(' ').collect();
        if fields[2].eq_ignore_ascii_case("tcp") {
            let ip: IpAddr = fields[4].parse().unwrap();
            addresses.push(SocketAddr::new(ip, fields[5].parse().unwrap()));
        }
    }
    addresses
}

/// A connection whose packets stand behind their length (RFC 4571).
struct TcpConnection {
    stream: TcpStream,
    server: SocketAddr,
    received: Vec<u8>,
}

impl TcpConnection {
    fn open(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(TURN)).unwrap();
        Self {
            stream,
            server,
            received: Vec::new(),
        }
    }

    fn send(&mut self, packet: &[u8]) {
        let length = u16::try_from(packet.len()).unwrap().to_be_bytes();
        // An error only means that the server has closed it.
        let _ = self.stream.write_all(&[&length, packet].concat());
    }

    /// The packets that are complete.
    fn receive(&mut self) -> Vec<Vec<u8>> {
        let mut buffer = [0; 16_384];
        match self.stream.read(&mut buffer) {
            Ok(length) => self.received.extend(&buffer[..length]),
            Err(error) => assert!(is_early(&error), "{error}"),
        }
        let mut packets = Vec::new();
        while let Some((length, rest)) = self.received.split_first_chunk() {
            let length = usize::from(u16::from_be_bytes(*length));
            let Some(packet) = rest.get(..length) else {
                break;
            };
            packets.push(packet.to_vec());
            self.received.drain(..2 + length);
        }
        packets
    }
}

/// Nothing has come yet.
fn is_early(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
