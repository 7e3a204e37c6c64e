//! The forwarder with WebRTC clients over loopback UDP.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "clippy exempts test functions, but not what they share"
)]

mod client;
mod network;
mod simulcast;
mod snapshot;
mod stuck;
mod tcp;
mod udp;

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use client::{PayloadTypes, Video, assert_contiguous};
use str0m::format::Codec;
use str0m::media::{Direction, KeyframeRequestKind};
use twoway_server::core::backend::{
    Codecs, Command, EndReason, Event, MediaBackend, PeerId, Role, Wishes,
};
use twoway_server::counters::{Counters, Reason};
use twoway_server::media::{Config, Forwarder};
use udp::UdpClient;

/// How long a condition may take to come true before the test has failed.
const PATIENCE: Duration = Duration::from_secs(30);

const PUBLISHER: PeerId = PeerId(1);
const PUBLISHER_TYPES: PayloadTypes = PayloadTypes {
    opus: 111,
    video: &[Video {
        codec: Codec::H264,
        pt: 102,
        rtx: 103,
    }],
};
const VP8_TYPES: PayloadTypes = PayloadTypes {
    opus: 109,
    video: &[Video {
        codec: Codec::Vp8,
        pt: 126,
        rtx: 127,
    }],
};

const VIEWER_TYPES: [PayloadTypes; 2] = [
    PayloadTypes {
        opus: 109,
        video: &[Video {
            codec: Codec::H264,
            pt: 126,
            rtx: 127,
        }],
    },
    PayloadTypes {
        opus: 96,
        video: &[Video {
            codec: Codec::H264,
            pt: 97,
            rtx: 98,
        }],
    },
];

/// An H.264 parameter set and a slice, as far as the forwarder looks.
const KEYFRAME: &[u8] = &[0x67, 0x42, 0xe0, 0x1f, 1, 2, 3, 4];
const DELTA: &[u8] = &[0x41, 0x9a, 1, 2, 3, 4];
const SOUND: &[u8] = &[0xfc, 1, 2, 3];

struct World {
    forwarder: Forwarder,
    events: Receiver<Event>,
    seen: Vec<Event>,
    counters: Arc<Counters>,
    clients: Vec<UdpClient>,
    sent: u64,
    start: Instant,
    /// Where clients are.
    ip: IpAddr,
    /// UDP is blocked for those that join.
    over_tcp: bool,
}

impl World {
    fn new(workers: usize) -> Self {
        Self::with(workers, |_| {})
    }

    /// `inspect` sees every event on the thread that it comes from.
    fn with(workers: usize, inspect: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self::start(config(workers), inspect)
    }

    fn start(config: Config, inspect: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        let counters = Arc::new(Counters::default());
        let (sender, events) = mpsc::channel();
        let forwarder = Forwarder::start(config, counters.clone(), move |event| {
            inspect(&event);
            // Rates come each second, and how many of them a test sees depends
            // on the machine: they are tested in virtual time.
            if !matches!(event, Event::Rate { .. }) {
                // After the test's end nobody listens any more.
                let _ = sender.send(event);
            }
        })
        .unwrap();
        Self {
            forwarder,
            events,
            seen: Vec::new(),
            counters,
            clients: Vec::new(),
            sent: 0,
            start: Instant::now(),
            ip: Ipv4Addr::LOCALHOST.into(),
            over_tcp: false,
        }
    }

    fn open(&mut self, peer: PeerId, role: Role, offer: String) {
        let wishes = Wishes::default();
        self.forwarder.send(Command::Open {
            peer,
            role,
            offer,
            wishes,
        });
    }

    /// Lets everything run until `done`.
    fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < PATIENCE, "{what}: {:?}", self.seen);
            for client in &mut self.clients {
                client.step();
                let error = &client.client.error;
                assert!(error.is_none(), "{what}: {error:?}");
            }
            if self.clients.is_empty() {
                self.seen.extend(self.events.recv_timeout(PATIENCE));
            }
            self.seen.extend(self.events.try_iter());
        }
    }

    /// Waits for the event that `pick` wants, and removes it.
    fn event<T>(&mut self, what: &str, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        let mut found = None;
        self.until(what, |world| {
            let index = world.seen.iter().position(|event| {
                found = pick(event);
                found.is_some()
            });
            if let Some(index) = index {
                world.seen.remove(index);
            }
            found.is_some()
        });
        found.unwrap()
    }

    fn answer(&mut self, of: PeerId) -> (String, Codecs) {
        self.event("answer", |event| match event {
            Event::Answered {
                peer,
                answer,
                codecs,
            } if *peer == of => Some((answer.clone(), codecs.clone())),
            _ => None,
        })
    }

    fn end_reason(&mut self, of: PeerId) -> EndReason {
        self.event("end", |event| match event {
            Event::Ended { peer, reason } if *peer == of => Some(*reason),
            _ => None,
        })
    }

    fn flowing(&mut self, of: PeerId) {
        self.event("flow", |event| {
            (*event == Event::Flowing { peer: of }).then_some(())
        });
    }

    /// Adds a client and connects it; its index.
    fn join(&mut self, peer: PeerId, role: Role, types: PayloadTypes) -> usize {
        self.join_layers(peer, role, types, &[])
    }

    /// The same with a client that sends these simulcast layers.
    fn join_layers(
        &mut self,
        peer: PeerId,
        role: Role,
        types: PayloadTypes,
        rids: &[&str],
    ) -> usize {
        let direction = match role {
            Role::Publisher => Direction::SendOnly,
            Role::Player { .. } => Direction::RecvOnly,
        };
        let (mut client, offer) = UdpClient::offer_from(self.ip, direction, types, rids);
        self.open(peer, role, offer);
        let (answer, _) = self.answer(peer);
        client.client.accept(&answer);
        if self.over_tcp {
            client.use_tcp(&answer);
        }
        self.clients.push(client);
        let index = self.clients.len() - 1;
        self.until("connection", |world| world.clients[index].client.connected);
        index
    }

    /// Adds the publisher (client 0), flowing.
    fn publish(&mut self) {
        self.join(PUBLISHER, Role::Publisher, PUBLISHER_TYPES);
        self.send_frame(true);
        self.flowing(PUBLISHER);
    }

    fn play(&mut self, number: usize) -> usize {
        let peer = viewer(number);
        let source = PUBLISHER;
        let types = VIEWER_TYPES[number];
        let index = self.join(peer, Role::Player { source }, types);
        self.flowing(peer);
        index
    }

    /// The publisher sends one video and one audio packet of the same moment.
    /// Its video takes 200 ms from capture to the wire, its audio nothing.
    fn send_frame(&mut self, keyframe: bool) {
        let now = Instant::now();
        let late = Duration::from_millis(200);
        let elapsed = (now - self.start).as_micros() as u64;
        let (video_ticks, audio_ticks) = (elapsed * 9 / 100, elapsed * 48 / 1_000);
        let payload = if keyframe { KEYFRAME } else { DELTA };
        let captured = now.checked_sub(late).unwrap();
        let publisher = &mut self.clients[0];
        publisher.client.write(
            Some(PUBLISHER_TYPES.video[0].pt),
            (
                60_000 + self.sent,
                VIDEO_BASE.wrapping_add(video_ticks as u32),
            ),
            captured,
            payload,
            now,
        );
        publisher.client.write(
            None,
            (700 + self.sent, AUDIO_BASE.wrapping_add(audio_ticks as u32)),
            now,
            SOUND,
            now,
        );
        publisher.send();
        self.sent += 1;
    }
}

/// On IPv4 loopback.
fn config(workers: usize) -> Config {
    Config {
        workers: NonZeroUsize::new(workers).unwrap(),
        bind: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        ..Config::default()
    }
}

/// RTP times of the publisher's start; the video's wrap around soon.
const VIDEO_BASE: u32 = u32::MAX - 50_000;
const AUDIO_BASE: u32 = 1_234;

fn viewer(number: usize) -> PeerId {
    PeerId(10 + number as u64)
}

/// Sends frames until `done`, a keyframe whenever one has been asked for.
fn stream(world: &mut World, what: &str, mut done: impl FnMut(&mut World) -> bool) {
    let mut answered = 0;
    world.until(what, |world| {
        let asked = world.clients[0].client.keyframe_requests;
        world.send_frame(asked > answered);
        answered = asked;
        done(world)
    });
}

#[test]
fn viewers_get_the_stream_in_their_own_numbers() {
    for workers in [1, 3] {
        let mut world = World::new(workers);
        world.publish();
        let viewers = [world.play(0), world.play(1)];
        stream(&mut world, "50 packets of each kind", |world| {
            viewers.iter().all(|v| {
                let client = &world.clients[*v].client;
                [true, false]
                    .iter()
                    .all(|k| client.of_kind(*k).count() >= 50)
            })
        });
        for viewer in viewers {
            let client = &world.clients[viewer].client;
            let video: Vec<_> = client.of_kind(true).collect();
            assert_eq!(&*video[0].payload, KEYFRAME, "starts with a keyframe");
            assert!(*video[0].seq_no < 1 << 15);
            assert!(video.iter().all(|p| p.header.ssrc == video[0].header.ssrc));
            assert!(client.of_kind(false).all(|p| &*p.payload == SOUND));
            assert_contiguous(&client.numbers(true));
            assert_contiguous(&client.numbers(false));
        }
        let ssrc = |v: usize| {
            world.clients[v]
                .client
                .of_kind(true)
                .next()
                .unwrap()
                .header
                .ssrc
        };
        assert_ne!(ssrc(viewers[0]), ssrc(viewers[1]));
    }
}

#[test]
fn a_viewers_pli_reaches_the_publisher() {
    let mut world = World::new(2);
    world.publish();
    let viewer = world.play(0);
    stream(&mut world, "a picture", |world| {
        world.clients[viewer].client.of_kind(true).count() > 5
    });
    let before = world.clients[0].client.keyframe_requests;
    let client = &mut world.clients[viewer].client;
    let video = client.video;
    client
        .rtc
        .direct_api()
        .stream_rx_by_mid(video, None)
        .unwrap()
        .request_keyframe(KeyframeRequestKind::Pli);
    stream(&mut world, "the request", |world| {
        world.clients[0].client.keyframe_requests > before
    });
}

#[test]
fn keyframe_requests_repeat_until_one_comes() {
    let mut world = World::new(1);
    world.join(PUBLISHER, Role::Publisher, PUBLISHER_TYPES);
    world.send_frame(false);
    world.flowing(PUBLISHER);
    let viewer = world.play(0);
    world.until("three requests", |world| {
        world.send_frame(false);
        world.clients[0].client.keyframe_requests >= 3
    });
    assert_eq!(world.clients[viewer].client.of_kind(true).count(), 0);
    assert!(
        world.clients[viewer].client.of_kind(false).count() > 0,
        "audio does not wait"
    );
}

#[test]
fn noise_is_counted_and_disturbs_nobody() {
    let mut world = World::new(1);
    world.publish();
    let viewer = world.play(0);
    let noise = UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = world.forwarder.reach().addresses[0];
    let mut datagrams: Vec<Vec<u8>> = (0..=255).map(|b| vec![b; 40]).collect();
    datagrams.push(Vec::new());
    datagrams.push(vec![0, 1, 0, 200, 0x21, 0x12, 0xa4, 0x42]);
    let sent = datagrams.len() as u64;
    for datagram in &datagrams {
        noise.send_to(datagram, target).unwrap();
    }
    stream(&mut world, "the noise is counted", |world| {
        // An empty datagram is no datagram to some systems.
        world.counters.of(Reason::StrayDatagram) >= sent - 1
    });
    let enough = world.clients[viewer].client.of_kind(true).count() + 20;
    stream(&mut world, "the stream goes on", |world| {
        world.clients[viewer].client.of_kind(true).count() > enough
    });
    assert_contiguous(&world.clients[viewer].client.numbers(true));
}

#[test]
fn players_outlive_their_publisher() {
    let mut world = World::new(2);
    world.publish();
    let player = world.play(0);
    world.forwarder.send(Command::Close { peer: PUBLISHER });
    world.clients[player].client.close();
    world.clients[player].send();
    assert_eq!(world.end_reason(viewer(0)), EndReason::ClosedByPeer);
    let ended = |e: &Event| matches!(e, Event::Ended { peer, .. } if *peer == PUBLISHER);
    assert!(!world.seen.iter().any(ended), "{:?}", world.seen);
}

#[test]
fn players_go_on_with_the_next_publisher() {
    const NEXT: PeerId = PeerId(2);
    for workers in [1, 2, 3] {
        let mut world = World::new(workers);
        world.publish();
        let viewers = [world.play(0), world.play(1)];
        stream(&mut world, "the stream", |world| {
            let mut clients = viewers.iter().map(|v| &world.clients[*v].client);
            clients.all(|client| client.of_kind(true).count() >= 10)
        });
        world.forwarder.send(Command::Close { peer: PUBLISHER });
        let next = world.join(NEXT, Role::Publisher, PUBLISHER_TYPES);
        world.clients.swap(0, next);
        world.clients.remove(next);
        world.send_frame(true);
        world.flowing(NEXT);
        let before = viewers.map(|v| world.clients[v].client.of_kind(true).count());
        world.forwarder.send(Command::Splice {
            from: PUBLISHER,
            to: NEXT,
        });
        stream(&mut world, "the next stream", |world| {
            let after = viewers.map(|v| world.clients[v].client.of_kind(true).count());
            (0..2).all(|n| after[n] > before[n] + 20)
        });
        for viewer in viewers {
            let client = &world.clients[viewer].client;
            let ssrcs = client.of_kind(true).map(|p| p.header.ssrc);
            assert_eq!(ssrcs.collect::<std::collections::HashSet<_>>().len(), 1);
            assert_contiguous(&client.numbers(true));
            assert_contiguous(&client.numbers(false));
        }
        // They are the next one's for good: it ends, they are closed.
        world.forwarder.send(Command::Close { peer: NEXT });
        for number in 0..2 {
            let peer = viewer(number);
            world.forwarder.send(Command::Close { peer });
        }
        let ended = |event: &Event| matches!(event, Event::Ended { .. });
        assert!(!world.seen.iter().any(ended), "{:?}", world.seen);
    }
}

#[test]
fn a_publisher_that_closes_has_ended() {
    let mut world = World::new(1);
    world.publish();
    world.clients[0].client.close();
    world.clients[0].send();
    assert_eq!(world.end_reason(PUBLISHER), EndReason::ClosedByPeer);
    let (_, offer) = UdpClient::offer(Direction::RecvOnly, VIEWER_TYPES[0]);
    world.open(viewer(0), Role::Player { source: PUBLISHER }, offer);
    assert_eq!(world.end_reason(viewer(0)), EndReason::SourceGone);
}

#[test]
fn a_wrong_fingerprint_is_told() {
    let mut world = World::new(1);
    let (mut client, offer) = UdpClient::offer(Direction::SendOnly, PUBLISHER_TYPES);
    let wrong = ["00"; 32].join(":");
    let offer: String = offer
        .lines()
        .map(|line| match line.starts_with("a=fingerprint:") {
            true => format!("a=fingerprint:sha-256 {wrong}\r\n"),
            false => format!("{line}\r\n"),
        })
        .collect();
    world.open(PUBLISHER, Role::Publisher, offer);
    let (answer, _) = world.answer(PUBLISHER);
    client.client.accept(&answer);
    world.clients.push(client);
    assert_eq!(world.end_reason(PUBLISHER), EndReason::DtlsFingerprint);
}

#[test]
fn an_offer_that_makes_no_sense_is_refused() {
    let mut world = World::new(1);
    for (number, offer) in ["", "v=0", "garbage\r\n\u{0}", "m=audio 9 RTP 0\r\n"]
        .into_iter()
        .enumerate()
    {
        let peer = PeerId(number as u64);
        world.open(peer, Role::Publisher, offer.to_owned());
        assert_eq!(world.end_reason(peer), EndReason::BadOffer, "{offer:?}");
    }
}

#[test]
fn a_viewer_that_cannot_take_the_stream_is_told() {
    let mut world = World::new(1);
    world.publish();
    let (_, offer) = UdpClient::offer(Direction::RecvOnly, VP8_TYPES);
    // The audio fits, the video does not.
    world.open(viewer(0), Role::Player { source: PUBLISHER }, offer);
    assert_eq!(world.end_reason(viewer(0)), EndReason::TranscodingNeeded);
}

#[test]
fn a_publisher_of_unknown_codecs_is_refused() {
    let mut world = World::new(1);
    let (_, offer) = UdpClient::offer(Direction::SendOnly, VP8_TYPES);
    let offer = offer.replace("opus", "speex").replace("VP8", "theora");
    world.open(PUBLISHER, Role::Publisher, offer);
    assert_eq!(world.end_reason(PUBLISHER), EndReason::NoCommonCodecs);
}

#[test]
fn answers_name_the_codecs() {
    let mut world = World::new(1);
    let (_, offer) = UdpClient::offer(Direction::SendOnly, PUBLISHER_TYPES);
    world.open(PUBLISHER, Role::Publisher, offer);
    let (answer, codecs) = world.answer(PUBLISHER);
    assert_eq!(codecs.audio.as_deref(), Some("opus"));
    assert_eq!(codecs.video.as_deref(), Some("H264"));
    let candidate = world.forwarder.reach().addresses[0];
    let line = format!("{} {} typ host", candidate.ip(), candidate.port());
    assert!(answer.contains(&line), "{answer}");
}

#[test]
fn a_closed_peer_is_silent() {
    let mut world = World::new(1);
    world.publish();
    world.forwarder.send(Command::Close { peer: PUBLISHER });
    world.forwarder.send(Command::Close { peer: PeerId(99) });
    let (_, offer) = UdpClient::offer(Direction::RecvOnly, VIEWER_TYPES[0]);
    world.open(viewer(0), Role::Player { source: PUBLISHER }, offer);
    assert_eq!(world.end_reason(viewer(0)), EndReason::SourceGone);
    assert_eq!(world.seen, []);
}

/// Panics in the worker of `poison` when that is answered.
fn poisoned(workers: usize, poison: PeerId) -> World {
    World::with(workers, move |event| {
        let answered = matches!(event, Event::Answered { peer, .. } if *peer == poison);
        assert!(!answered, "as the test wants");
    })
}

/// Opens a peer that is told to have ended before anything else.
fn open_in_vain(world: &mut World, peer: PeerId, role: Role) {
    let (_, offer) = UdpClient::offer(Direction::RecvOnly, VIEWER_TYPES[0]);
    let offer = match role {
        Role::Publisher => offer.replace("recvonly", "sendonly"),
        Role::Player { .. } => offer,
    };
    world.open(peer, role, offer);
    assert_eq!(world.end_reason(peer), EndReason::Internal);
}

#[test]
fn a_panic_ends_the_peers_of_its_worker_and_no_new_ones_come() {
    let poison = PeerId(2);
    let mut world = poisoned(1, poison);
    world.publish();
    world.play(0);
    open_in_vain(&mut world, poison, Role::Publisher);
    for peer in [PUBLISHER, viewer(0)] {
        assert_eq!(world.end_reason(peer), EndReason::Internal);
    }
    open_in_vain(&mut world, PeerId(3), Role::Publisher);
    world.forwarder.send(Command::Close { peer: PUBLISHER });
    assert_eq!(world.seen, []);
}

#[test]
fn a_panic_at_a_viewer_leaves_other_workers_alone() {
    // The publisher is on the first worker, its first viewer on the second.
    let mut world = poisoned(2, viewer(0));
    world.publish();
    let source = PUBLISHER;
    open_in_vain(&mut world, viewer(0), Role::Player { source });
    let survivor = world.play(1);
    stream(&mut world, "the stream goes on", |world| {
        world.clients[survivor].client.of_kind(true).count() > 20
    });
    assert_contiguous(&world.clients[survivor].client.numbers(true));
    assert_eq!(world.seen, []);
}

#[test]
fn a_panic_at_a_publisher_ends_its_viewers_elsewhere() {
    // A publisher and the poison are on the first worker, a viewer on the second.
    let poison = PeerId(2);
    let mut world = poisoned(2, poison);
    world.publish();
    let player = world.play(0);
    open_in_vain(&mut world, poison, Role::Publisher);
    for peer in [PUBLISHER, viewer(0)] {
        assert_eq!(world.end_reason(peer), EndReason::Internal);
    }
    world.until("the viewer is told", |world| {
        !world.clients[player].client.rtc.is_alive()
    });
    let (_, offer) = UdpClient::offer(Direction::SendOnly, PUBLISHER_TYPES);
    world.open(PeerId(3), Role::Publisher, offer);
    world.answer(PeerId(3));
    assert_eq!(world.seen, []);
}
