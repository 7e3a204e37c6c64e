//! Shards with WebRTC clients, over a network that delays and loses, in virtual
//! time.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "clippy exempts test functions, but not what they share"
)]

mod changes;
#[path = "../../../../tests/media/client.rs"]
mod client;
mod clocks;
mod egress;
mod ends;
mod groups;
mod hostile;
mod joins;
mod loss;
mod pictures;
mod playout;
mod rates;
#[path = "../../../../tests/media/restart.rs"]
mod restart;
mod restarts;
mod simulcast;
mod snapshots;
mod splice;
mod sync;
mod viewers;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use client::{Client, PayloadTypes, Video, assert_contiguous};
use str0m::crypto::{CryptoProvider, from_feature_flags};
use str0m::format::Codec;
use str0m::media::Direction;
use str0m::net::{Protocol, Transmit};

use super::super::config::Config;
use super::super::egress::WallClock;
use super::*;
use crate::core::backend::Role;

const LATENCY: Duration = Duration::from_millis(5);
const FRAME: Duration = Duration::from_millis(33);
const SECOND: Duration = Duration::from_secs(1);

const PUBLISHER: PeerId = PeerId(1);
const VIEWER: PeerId = PeerId(10);

const H264: u8 = 102;
const VP8: u8 = 96;
const PUBLISHER_TYPES: PayloadTypes = PayloadTypes {
    opus: 111,
    video: &[
        Video {
            codec: Codec::H264,
            pt: H264,
            rtx: 103,
        },
        Video {
            codec: Codec::Vp8,
            pt: VP8,
            rtx: 97,
        },
    ],
};
const VIEWER_TYPES: PayloadTypes = PayloadTypes {
    opus: 109,
    video: &[
        Video {
            codec: Codec::Vp8,
            pt: 120,
            rtx: 121,
        },
        Video {
            codec: Codec::H264,
            pt: 126,
            rtx: 127,
        },
    ],
};

/// Where nobody listens.
const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 1));

/// The worker of publishers.
const SOURCE_WORKER: WorkerId = WorkerId(0);

/// Shards, clients and the network between them. Publishers are on the first
/// shard, players on the last.
struct World {
    shards: Vec<Shard>,
    clients: Vec<Client>,
    network: Network,
    /// Which client is the publisher: the first but in tests with several.
    publisher: usize,
    /// What it sends.
    source: Source,
    /// Those of clients to come.
    wishes: Wishes,
    now: Instant,
    start: Instant,
    events: Vec<(Instant, Event)>,
    /// What becomes of clients' offers on the way.
    edit_offers: fn(String) -> String,
    /// That of clients to come; `None` for the usual.
    crypto: Option<CryptoProvider>,
}

/// Everything under way, in order.
#[derive(Default)]
struct Network {
    latency: Duration,
    datagrams: VecDeque<Datagram>,
    losses: Vec<Loss>,
    /// Whose datagrams, from there and to there, are kept.
    tapped: Option<SocketAddr>,
    tape: Vec<Datagram>,
    /// Datagrams that were sent where nobody listens.
    astray: u64,
    bottlenecks: Vec<Bottleneck>,
}

/// A link that carries so much and no more, towards one client.
struct Bottleneck {
    address: SocketAddr,
    bps: u64,
    /// When all that is queued will be through.
    busy_until: Instant,
}

/// What is queued longer than this is dropped.
const QUEUE: Duration = Duration::from_millis(300);

impl Bottleneck {
    /// When a datagram sent now is through; `None` if it is dropped.
    fn pass(&mut self, bytes: usize, now: Instant) -> Option<Instant> {
        let start = self.busy_until.max(now);
        let bits = bytes as u64 * 8;
        let through = start + Duration::from_micros(bits * 1_000_000 / self.bps);
        if through - now > QUEUE {
            return None;
        }
        self.busy_until = through;
        Some(through)
    }
}

#[derive(Clone)]
struct Datagram {
    due: Instant,
    source: SocketAddr,
    destination: SocketAddr,
    contents: Vec<u8>,
}

/// Datagrams that the network loses.
struct Loss {
    /// From here or to here.
    address: SocketAddr,
    /// Of this sort.
    sort: fn(&[u8]) -> bool,
    /// Which of them, counted from 0.
    lost: fn(u64) -> bool,
    count: u64,
}

/// Where the publisher is in its numbers.
struct Source {
    pt: u8,
    sequence: u64,
    time: u32,
    audio_time: u32,
    /// Keyframe requests answered.
    answered: usize,
    /// Requests are not answered at all.
    deaf: bool,
    /// What it takes from capture to the wire.
    video_delay: Duration,
    /// When each frame went out.
    sent: Vec<(u64, Instant)>,
    /// Marks the payload of all packets until it is changed.
    tag: u8,
}

fn is_dtls(datagram: &[u8]) -> bool {
    (20..64).contains(&datagram[0])
}

fn is_rtp(datagram: &[u8]) -> bool {
    // RFC 5761 section 4: RTCP is where these payload types would be.
    (128..192).contains(&datagram[0]) && !(64..96).contains(&(datagram[1] & 0x7f))
}

impl Network {
    fn send(&mut self, transmit: &Transmit, now: Instant) {
        let (source, destination) = (transmit.source, transmit.destination);
        let mut lost = false;
        for loss in &mut self.losses {
            let meant = loss.address == source || loss.address == destination;
            if meant && (loss.sort)(&transmit.contents) {
                lost |= (loss.lost)(loss.count);
                loss.count += 1;
            }
        }
        let mut links = self.bottlenecks.iter_mut();
        let link = links.find(|link| link.address == destination);
        let passed = match link {
            Some(link) => link.pass(transmit.contents.len(), now),
            None => Some(now),
        };
        let datagram = Datagram {
            due: passed.unwrap_or(now) + self.latency,
            source,
            destination,
            contents: transmit.contents.to_vec(),
        };
        if [source, destination].map(Some).contains(&self.tapped) {
            self.tape.push(datagram.clone());
        }
        if passed.is_some() && !lost {
            let due = datagram.due;
            let place = self.datagrams.partition_point(|other| other.due <= due);
            self.datagrams.insert(place, datagram);
        }
    }

    fn pop_due(&mut self, now: Instant) -> Option<Datagram> {
        let due = self.datagrams.front()?.due <= now;
        due.then(|| self.datagrams.pop_front())?
    }
}

impl World {
    fn new(workers: usize) -> Self {
        Self::with(workers, Config::default())
    }

    fn with(workers: usize, config: Config) -> Self {
        let provider = from_feature_flags().dtls_provider;
        let settings = Arc::new(Settings {
            config,
            certificate: provider.generate_certificate().unwrap(),
            clock: WallClock::new(Instant::now(), SystemTime::now()),
        });
        let shard = |index| {
            let candidates = vec![shard_address(index)];
            let counters = (Arc::default(), Arc::default());
            Shard::new(WorkerId(index), settings.clone(), candidates, counters)
        };
        let start = Instant::now();
        Self {
            shards: (0..workers).map(shard).collect(),
            clients: Vec::new(),
            network: Network {
                latency: LATENCY,
                ..Network::default()
            },
            publisher: 0,
            source: Source {
                pt: H264,
                sequence: 65_500,
                time: u32::MAX - 50_000,
                audio_time: 1_234,
                answered: 0,
                deaf: false,
                video_delay: Duration::ZERO,
                sent: Vec::new(),
                tag: 0,
            },
            wishes: Wishes::default(),
            now: start,
            start,
            events: Vec::new(),
            edit_offers: |offer| offer,
            crypto: None,
        }
    }

    /// Adds a client whose offer is answered; its index.
    fn open(&mut self, peer: PeerId, role: Role) -> usize {
        self.open_layers(peer, role, &[])
    }

    /// The same with a client that sends these simulcast layers.
    fn open_layers(&mut self, peer: PeerId, role: Role, rids: &[&str]) -> usize {
        let types = match role {
            Role::Publisher => PUBLISHER_TYPES,
            Role::Player { .. } => VIEWER_TYPES,
        };
        self.open_with(peer, role, types, rids)
    }

    fn open_with(&mut self, peer: PeerId, role: Role, types: PayloadTypes, rids: &[&str]) -> usize {
        let index = self.clients.len();
        let direction = match role {
            Role::Publisher => Direction::SendOnly,
            Role::Player { .. } => Direction::RecvOnly,
        };
        let local = client_address(index);
        let mut config = client::config(types);
        if let Some(crypto) = &self.crypto {
            config = config.set_crypto_provider(Arc::new(crypto.clone()));
        }
        let rtc = config.build(self.now);
        let (mut client, offer) = Client::offer_with(rtc, local, direction, types, rids, self.now);
        let offer = (self.edit_offers)(offer);
        let home = WorkerId(self.shards.len() - 1);
        self.command(match role {
            Role::Publisher => Message::OpenPublisher {
                peer,
                offer,
                wishes: self.wishes,
            },
            Role::Player { source } => Message::OpenPlayer {
                peer,
                source,
                home,
                offer,
                wishes: self.wishes,
            },
        });
        let mut events = self.events.iter();
        let answer = events.find_map(|(_, event)| match event {
            Event::Answered {
                peer: p, answer, ..
            } if *p == peer => Some(answer),
            _ => None,
        });
        client.accept(answer.unwrap());
        self.clients.push(client);
        index
    }

    /// Adds the publisher, flowing.
    fn publish(&mut self) {
        self.open(PUBLISHER, Role::Publisher);
        self.run_for(SECOND);
        assert!(self.clients[0].connected);
        self.stream(FRAME);
        assert!(self.has_seen(&Event::Flowing { peer: PUBLISHER }));
    }

    /// Adds a player of the publisher, connected; its index.
    fn play(&mut self) -> usize {
        let source = PUBLISHER;
        let index = self.open(VIEWER, Role::Player { source });
        self.stream(SECOND);
        assert!(self.has_seen(&Event::Flowing { peer: VIEWER }));
        index
    }

    fn close(&mut self, peer: PeerId) {
        let home = WorkerId(self.shards.len() - 1);
        self.command(if peer == PUBLISHER {
            Message::ClosePublisher { peer }
        } else {
            Message::ClosePlayer { peer, home }
        });
    }

    /// What signalling sends, always to the publisher's worker.
    fn command(&mut self, message: Message) {
        self.shards[SOURCE_WORKER.0].handle_message(message, self.now);
        self.obey();
    }

    fn lose(&mut self, client: usize, sort: fn(&[u8]) -> bool, lost: fn(u64) -> bool) {
        self.network.losses.push(Loss {
            address: client_address(client),
            sort,
            lost,
            count: 0,
        });
    }

    /// Lets the link towards a client carry so much, or anything again.
    fn squeeze(&mut self, client: usize, bps: Option<u64>) {
        let address = client_address(client);
        let links = &mut self.network.bottlenecks;
        links.retain(|link| link.address != address);
        links.extend(bps.map(|bps| Bottleneck {
            address,
            bps,
            busy_until: self.now,
        }));
    }

    /// The client is gone without a word.
    fn cut(&mut self, client: usize) {
        self.lose(client, |_| true, |_| true);
    }

    /// Lets the publisher send for so long, with keyframes where asked for.
    fn stream(&mut self, span: Duration) {
        let until = self.now + span;
        while self.now < until {
            self.send_frame();
            self.run_for(FRAME);
        }
    }

    /// One video and one audio packet of the same moment on the wire.
    fn send_frame(&mut self) {
        let (now, source) = (self.now, &mut self.source);
        let asked = self.clients[self.publisher].keyframe_requests;
        let keyframe = asked > source.answered && !source.deaf || source.sequence == 65_500;
        source.answered = asked;
        let payload = payload(source.pt, keyframe, source.tag, source.sequence);
        let video_at = now.checked_sub(source.video_delay).unwrap();
        let numbers = (source.sequence, source.time);
        let client = &mut self.clients[self.publisher];
        client.write(Some(source.pt), numbers, video_at, &payload, now);
        let sound = (source.sequence, source.audio_time);
        client.write(None, sound, now, &[0xfc, source.tag], now);
        source.sent.push((source.sequence, now));
        source.sequence += 1;
        source.time = source.time.wrapping_add(FRAME.as_millis() as u32 * 90);
        source.audio_time += FRAME.as_millis() as u32 * 48;
        self.obey();
    }

    fn run_for(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(at) = self.next_deadline().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.step();
        }
        self.now = until;
    }

    fn next_deadline(&self) -> Option<Instant> {
        let datagram = self.network.datagrams.front().map(|d| d.due);
        let shards = self.shards.iter().filter_map(Shard::poll_timeout);
        let clients = self.clients.iter().filter_map(|c| c.deadline);
        datagram.into_iter().chain(shards).chain(clients).min()
    }

    /// Does everything that is due now.
    fn step(&mut self) {
        let now = self.now;
        self.deliver();
        for shard in &mut self.shards {
            shard.handle_timeout(now);
        }
        for client in &mut self.clients {
            if client.deadline.is_some_and(|at| at <= now) {
                client.handle_timeout(now);
            }
        }
        self.obey();
    }

    /// Hands over what the network has carried by now, in one batch.
    fn deliver(&mut self) {
        let now = self.now;
        while let Some(datagram) = self.network.pop_due(now) {
            let Datagram {
                source,
                destination,
                contents,
                ..
            } = datagram;
            let client = self.clients.iter_mut().find(|c| c.local == destination);
            let index = (0..self.shards.len()).find(|i| shard_address(*i) == destination);
            match (client, index) {
                (Some(client), _) => client.handle_datagram(source, &contents, now),
                (_, Some(i)) => {
                    let path = Path {
                        protocol: Protocol::Udp,
                        local: destination,
                        remote: source,
                    };
                    self.shards[i].handle_datagram(path, &contents, now);
                }
                (None, None) if destination.ip() == NOWHERE => self.network.astray += 1,
                (None, None) => panic!("sent to nobody: {destination}"),
            }
        }
    }

    /// Takes everything out of everybody and where it belongs.
    fn obey(&mut self) {
        loop {
            for shard in &mut self.shards {
                while shard.flush(self.now) {
                    send_all(shard, &mut self.network, self.now);
                }
            }
            let boxes = self.shards.iter_mut().map(|shard| &mut shard.outbox);
            let messages: Vec<_> = boxes.flat_map(|b| b.messages.drain(..)).collect();
            if messages.is_empty() {
                break;
            }
            for (worker, message) in messages {
                self.shards[worker.0].handle_message(message, self.now);
            }
        }
        for shard in &mut self.shards {
            send_all(shard, &mut self.network, self.now);
            let outbox = &mut shard.outbox;
            let events = outbox.events.drain(..);
            self.events.extend(events.map(|event| (self.now, event)));
        }
        for client in &mut self.clients {
            for transmit in client.transmits.drain(..) {
                self.network.send(&transmit, self.now);
            }
        }
    }

    fn has_seen(&self, event: &Event) -> bool {
        self.events.iter().any(|(_, e)| e == event)
    }

    /// Each end of a peer: how long after `since`, and why.
    fn ends(&self, peer: PeerId, since: Instant) -> Vec<(Duration, EndReason)> {
        let ends = self.events.iter().filter_map(|(at, event)| match event {
            Event::Ended { peer: p, reason } if *p == peer && *at >= since => {
                Some((at.duration_since(since), *reason))
            }
            _ => None,
        });
        ends.collect()
    }

    /// Fails if any trace of a peer is left anywhere.
    fn assert_empty(&mut self) {
        self.run_for(60 * SECOND);
        for shard in &self.shards {
            assert!(shard.peers.is_empty(), "peers");
            assert!(shard.demux.is_empty(), "demux");
            assert!(shard.audiences.is_empty(), "audiences");
            assert!(shard.moving.is_empty(), "moving");
            assert!(shard.subscribers.is_empty(), "subscribers");
            assert!(shard.timers.is_empty(), "timers");
            assert!(shard.pending.is_empty(), "pending");
        }
    }
}

/// Puts what a shard sends on the network.
fn send_all(shard: &mut Shard, network: &mut Network, now: Instant) {
    for transmit in shard.outbox.transmits.drain(..) {
        network.send(&transmit, now);
    }
    let sends = &mut shard.outbox.sends;
    for run in sends.runs() {
        for packet in run.packets() {
            let transmit = Transmit {
                proto: run.path.protocol,
                source: run.path.local,
                destination: run.path.remote,
                contents: packet.to_vec().into(),
            };
            network.send(&transmit, now);
        }
    }
    sends.clear();
}

/// What looks like a packet of a one-packet frame, as far as the forwarder can
/// tell, with a tag and a number.
fn payload(pt: u8, keyframe: bool, tag: u8, number: u64) -> Vec<u8> {
    let start = match (pt, keyframe) {
        (H264, true) => [0x67, 0x42],
        (H264, false) => [0x41, 0x9a],
        (_, true) => [0x10, 0x00],
        (_, false) => [0x10, 0x01],
    };
    let mut payload = start.to_vec();
    payload.push(tag);
    if pt == VP8 && keyframe {
        // The rest of a frame tag, the start code, 640x360.
        payload.extend([0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]);
    }
    payload.extend(number.to_be_bytes());
    payload
}

fn shard_address(index: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1 + index as u8], 5_000))
}

fn client_address(index: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 1, 1 + index as u8], 6_000))
}
