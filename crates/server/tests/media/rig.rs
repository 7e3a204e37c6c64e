//! One worker's peers and their clients, in virtual time: what benchmarks and the
//! count of allocations measure.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::format::Codec;
use str0m::media::Direction;
use twoway_server::media::Config;
use twoway_server::media::bench::Bench;

use crate::client::{Client, PayloadTypes, Video};

const TYPES: PayloadTypes = PayloadTypes {
    opus: 111,
    video: &[Video {
        codec: Codec::H264,
        pt: 102,
        rtx: 103,
    }],
};

/// Packets of a frame: 1.5 Mbit/s at 25 frames a second.
pub(crate) const PACKETS: usize = 6;
const BYTES: usize = 1_200;
/// No simulcast layers.
pub(crate) const ONE: &[&str] = &[];
/// Two of them.
pub(crate) const TWO: &[&str] = &["a", "b"];
const HOUR: Duration = Duration::from_secs(3_600);
/// From frame to frame.
pub(crate) const FRAME: Duration = Duration::from_millis(40);

/// A worker with a publisher and viewers, and the clients.
pub(crate) struct Rig {
    pub(crate) bench: Bench,
    pub(crate) clients: Vec<Client>,
    pub(crate) now: Instant,
}

impl Rig {
    /// With a publisher of one layer, or of two, which viewers give transport-wide
    /// feedback for.
    pub(crate) fn new(viewers: usize, layers: &'static [&'static str], sockets: bool) -> Self {
        let config = Config {
            // Nobody ends, whatever clients do not do here.
            rtp_timeout: HOUR,
            ice_grace: HOUR,
            ..Config::default()
        };
        let address = SocketAddr::from(([127, 0, 0, 1], 5_000));
        let mut bench = Bench::new(config.clone(), address);
        if sockets {
            bench.use_sockets(&config);
        }
        let mut rig = Self {
            bench,
            clients: Vec::new(),
            now: Instant::now(),
        };
        rig.open(rig.client_address(0), Direction::SendOnly, layers);
        rig.run_for(Duration::from_secs(1));
        rig.frame(true);
        for index in 1..=viewers {
            rig.open(rig.client_address(index), Direction::RecvOnly, &[]);
            rig.run_for(Duration::from_millis(10));
        }
        rig.run_for(Duration::from_secs(1));
        assert!(rig.clients.iter().all(|client| client.connected));
        rig.frame(true);
        rig
    }

    /// Where a client is, the publisher being the first.
    pub(crate) fn client_address(&self, index: usize) -> SocketAddr {
        SocketAddr::from((
            [127, 0, 1 + (index >> 8) as u8, (index & 0xff) as u8],
            6_000,
        ))
    }

    /// Adds a client whose offer is answered.
    pub(crate) fn open(&mut self, local: SocketAddr, direction: Direction, rids: &[&str]) {
        let (mut client, offer) = Client::offer(local, direction, TYPES, rids, self.now);
        let answer = if direction == Direction::SendOnly {
            self.bench.publish(offer, self.now)
        } else {
            self.bench.play(offer, self.now)
        };
        client.accept(&answer);
        self.clients.push(client);
    }

    /// Lets the clients keep their connections; media is not theirs.
    pub(crate) fn run_for(&mut self, span: Duration) {
        let until = self.now + span;
        while self.now < until {
            self.now += Duration::from_millis(5);
            self.exchange();
        }
    }

    /// Does what is due, and lets everybody answer until there is no more to say.
    pub(crate) fn exchange(&mut self) {
        let now = self.now;
        self.bench.handle_timeout(now);
        loop {
            for transmit in self.bench.take_transmits(now) {
                if (128..192).contains(&transmit.contents[0]) {
                    continue;
                }
                let mut clients = self.clients.iter_mut();
                let client = clients.find(|c| c.local == transmit.destination).unwrap();
                client.handle_datagram(transmit.source, &transmit.contents, now);
            }
            let mut came = false;
            for client in &mut self.clients {
                if client.deadline.is_some_and(|at| at <= now) {
                    client.handle_timeout(now);
                }
                for transmit in client.transmits.drain(..) {
                    came = true;
                    self.bench
                        .handle_datagram(client.local, &transmit.contents, now);
                }
            }
            if !came {
                return;
            }
        }
    }

    /// Takes a datagram that none of the clients made.
    #[allow(dead_code, reason = "only fuzzing does so")]
    pub(crate) fn inject(&mut self, remote: SocketAddr, datagram: &[u8]) {
        self.bench.handle_datagram(remote, datagram, self.now);
        self.exchange();
    }

    /// The publisher sends a frame; to how many datagrams that comes.
    pub(crate) fn frame(&mut self, keyframe: bool) -> usize {
        self.bench.frame(PACKETS, BYTES, keyframe, self.now)
    }
}
