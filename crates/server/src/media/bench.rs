//! The peers of one worker without its thread, for `benches/egress.rs`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use str0m::crypto::from_feature_flags;
use str0m::net::{Protocol, Transmit};

use super::codec::{Codec, Kind};
use super::config::Config;
use super::demux::Path;
use super::egress::WallClock;
use super::link::Settings;
use super::message::{Message, WorkerId};
use super::network::Network;
use super::packet::{Extensions, MediaPacket};
use super::picture::PictureNumbers;
use super::rewrite::Position;
use super::shard::Shard;
use crate::core::backend::{Event, PeerId, Wishes};

const HERE: WorkerId = WorkerId(0);
const SOURCE: PeerId = PeerId(1);

/// One worker's peers: a publisher, and players of it.
pub struct Bench {
    shard: Shard,
    network: Option<Network>,
    address: SocketAddr,
    players: u64,
    /// Where the publisher is in its numbers.
    sequence: u64,
    timestamp: u32,
}

impl Bench {
    /// Without sockets.
    ///
    /// # Panics
    /// There is no certificate to be had.
    pub fn new(config: Config, address: SocketAddr) -> Self {
        let certificate = from_feature_flags().dtls_provider.generate_certificate();
        let settings = Settings {
            config,
            certificate: certificate.expect("a certificate"),
            clock: WallClock::new(Instant::now(), SystemTime::now()),
        };
        Self {
            shard: Shard::new(HERE, Arc::new(settings), vec![address], Default::default()),
            network: None,
            address,
            players: 0,
            sequence: 1,
            timestamp: 0,
        }
    }

    /// Sends what there is to send over sockets of its own from now on.
    ///
    /// # Panics
    /// The system refuses.
    pub fn use_sockets(&mut self, config: &Config) {
        let ip = IpAddr::from([127, 0, 0, 1]);
        let network = Network::bind(&[ip], 0, &[ip], 1, (config, &Arc::default()));
        self.network = Some(network.expect("a socket"));
    }

    /// Opens the publisher; the answer to its offer.
    pub fn publish(&mut self, offer: String, now: Instant) -> String {
        self.open(
            Message::OpenPublisher {
                peer: SOURCE,
                offer,
                wishes: Wishes::default(),
            },
            now,
        )
    }

    /// Opens a player; the answer to its offer.
    pub fn play(&mut self, offer: String, now: Instant) -> String {
        self.players += 1;
        self.open(
            Message::OpenPlayer {
                peer: PeerId(SOURCE.0 + self.players),
                source: SOURCE,
                home: HERE,
                offer,
                wishes: Wishes::default(),
            },
            now,
        )
    }

    fn open(&mut self, message: Message, now: Instant) -> String {
        self.shard.handle_message(message, now);
        let mut answer = String::new();
        for event in self.shard.outbox.events.drain(..) {
            if let Event::Answered { answer: given, .. } = event {
                answer = given;
            }
        }
        answer
    }

    /// Takes a client's datagram.
    pub fn handle_datagram(&mut self, remote: SocketAddr, datagram: &[u8], now: Instant) {
        let path = Path {
            protocol: Protocol::Udp,
            local: self.address,
            remote,
        };
        self.shard.handle_datagram(path, datagram, now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.shard.handle_timeout(now);
    }

    /// What is to be sent.
    pub fn take_transmits(&mut self, now: Instant) -> Vec<Transmit> {
        while self.shard.flush(now) {
            self.shard.outbox.sends.clear();
        }
        self.shard.outbox.sends.clear();
        self.shard.outbox.events.clear();
        std::mem::take(&mut self.shard.outbox.transmits)
    }

    /// Passes a video frame of so many packets to all players; the number of
    /// datagrams.
    pub fn frame(&mut self, packets: usize, bytes: usize, keyframe: bool, now: Instant) -> usize {
        for index in 0..packets {
            let packet = Arc::new(MediaPacket {
                kind: Kind::Video,
                codec: Codec::H264,
                layer: 0,
                pt: 102,
                position: Position {
                    epoch: 0,
                    sequence: self.sequence,
                    timestamp: self.timestamp,
                    captured: now,
                    picture: PictureNumbers::default(),
                },
                marker: index + 1 == packets,
                starts_keyframe: keyframe && index == 0,
                extensions: Extensions::default(),
                payload: Arc::from(vec![7; bytes]),
            });
            self.sequence += 1;
            let message = Message::Media {
                source: SOURCE,
                packet,
            };
            self.shard.handle_message(message, now);
        }
        self.timestamp = self.timestamp.wrapping_add(3_600);
        self.flush(now)
    }

    /// The number of datagrams that are sent, or would be.
    fn flush(&mut self, now: Instant) -> usize {
        let mut sent = 0;
        loop {
            let more = self.shard.flush(now);
            let outbox = &mut self.shard.outbox;
            sent += outbox.transmits.len() + outbox.sends.len();
            match &mut self.network {
                Some(network) => {
                    let (transmits, sends) = (&mut outbox.transmits, &mut outbox.sends);
                    network.send_all(transmits, sends, now);
                }
                None => {
                    outbox.sends.clear();
                    outbox.transmits.clear();
                }
            }
            if !more {
                return sent;
            }
        }
    }
}
