//! The client over a real UDP socket and the real clock.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use str0m::media::Direction;

use crate::client::{Client, PayloadTypes};

/// Longest wait for a datagram before looking at the next client.
const TURN: Duration = Duration::from_millis(1);

pub(crate) struct UdpClient {
    pub(crate) client: Client,
    socket: UdpSocket,
}

impl UdpClient {
    /// A client that sends or receives audio and video, and its offer.
    pub(crate) fn offer(direction: Direction, types: PayloadTypes) -> (Self, String) {
        Self::offer_layers(direction, types, &[])
    }

    /// The same with a client that sends these simulcast layers.
    pub(crate) fn offer_layers(
        direction: Direction,
        types: PayloadTypes,
        rids: &[&str],
    ) -> (Self, String) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(TURN)).unwrap();
        let local = socket.local_addr().unwrap();
        let (client, offer) = Client::offer(local, direction, types, rids, Instant::now());
        (Self { client, socket }, offer)
    }

    /// Takes what has come, all of it, so that this is not what makes a network
    /// look slow, and sends what there is to send.
    pub(crate) fn step(&mut self) {
        if self.receive() {
            self.socket.set_nonblocking(true).unwrap();
            while self.receive() {}
            self.socket.set_nonblocking(false).unwrap();
        }
        self.client.handle_timeout(Instant::now());
        self.send();
    }

    /// Takes a datagram; false if there is none.
    fn receive(&mut self) -> bool {
        let mut buffer = [0; 2_048];
        match self.socket.recv_from(&mut buffer) {
            Ok((length, source)) => {
                let datagram = &buffer[..length];
                self.client
                    .handle_datagram(source, datagram, Instant::now());
                true
            }
            Err(error) => {
                let none = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                assert!(none, "{error}");
                false
            }
        }
    }

    pub(crate) fn send(&mut self) {
        for transmit in self.client.transmits.drain(..) {
            self.socket
                .send_to(&transmit.contents, transmit.destination)
                .unwrap();
        }
    }
}
