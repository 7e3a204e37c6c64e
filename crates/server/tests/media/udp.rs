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
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(TURN)).unwrap();
        let local = socket.local_addr().unwrap();
        let (client, offer) = Client::offer(local, direction, types, &[], Instant::now());
        (Self { client, socket }, offer)
    }

    /// Takes what has come, and sends what there is to send.
    pub(crate) fn step(&mut self) {
        let mut buffer = [0; 2_048];
        match self.socket.recv_from(&mut buffer) {
            Ok((length, source)) => {
                let datagram = &buffer[..length];
                self.client
                    .handle_datagram(source, datagram, Instant::now());
            }
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
                "{error}"
            ),
        }
        self.client.handle_timeout(Instant::now());
        self.send();
    }

    pub(crate) fn send(&mut self) {
        for transmit in self.client.transmits.drain(..) {
            self.socket
                .send_to(&transmit.contents, transmit.destination)
                .unwrap();
        }
    }
}
