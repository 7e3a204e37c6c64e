//! The forwarder with WebRTC clients over loopback UDP.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "clippy exempts test functions, but not what they share"
)]

mod client;

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use client::{Client, PayloadTypes};
use str0m::format::Codec;
use str0m::media::{Direction, KeyframeRequestKind};
use twoway_server::core::backend::{Codecs, Command, EndReason, Event, MediaBackend, PeerId, Role};
use twoway_server::counters::{Counters, Reason};
use twoway_server::media::{Config, Forwarder};

/// How long a condition may take to come true before the test has failed.
const PATIENCE: Duration = Duration::from_secs(30);

const PUBLISHER: PeerId = PeerId(1);
const PUBLISHER_TYPES: PayloadTypes = PayloadTypes {
    opus: 111,
    video: 102,
    rtx: 103,
};
const VIEWER_TYPES: [PayloadTypes; 2] = [
    PayloadTypes {
        opus: 109,
        video: 126,
        rtx: 127,
    },
    PayloadTypes {
        opus: 96,
        video: 97,
        rtx: 98,
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
    clients: Vec<Client>,
    sent: u64,
    start: Instant,
}

impl World {
    fn new(workers: usize) -> Self {
        let counters = Arc::new(Counters::default());
        let (sender, events) = mpsc::channel();
        let config = Config {
            workers: NonZeroUsize::new(workers).unwrap(),
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ..Config::default()
        };
        let forwarder = Forwarder::start(config, counters.clone(), move |event| {
            // After the test's end nobody listens any more.
            let _ = sender.send(event);
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
        }
    }

    fn open(&mut self, peer: PeerId, role: Role, offer: String) {
        self.forwarder.send(Command::Open { peer, role, offer });
    }

    /// Lets everything run until `done`.
    fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < PATIENCE, "{what}: {:?}", self.seen);
            for client in &mut self.clients {
                client.step();
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
    fn join(&mut self, peer: PeerId, role: Role, codec: Codec, types: PayloadTypes) -> usize {
        let direction = match role {
            Role::Publisher => Direction::SendOnly,
            Role::Player { .. } => Direction::RecvOnly,
        };
        let (mut client, offer) = Client::offer(direction, codec, types);
        self.open(peer, role, offer);
        let (answer, _) = self.answer(peer);
        client.accept(&answer);
        self.clients.push(client);
        let index = self.clients.len() - 1;
        self.until("connection", |world| world.clients[index].connected);
        index
    }

    /// Adds the publisher (client 0), flowing.
    fn publish(&mut self) {
        self.join(PUBLISHER, Role::Publisher, Codec::H264, PUBLISHER_TYPES);
        self.send_frame(true);
        self.flowing(PUBLISHER);
    }

    fn play(&mut self, number: usize) -> usize {
        let peer = viewer(number);
        let source = PUBLISHER;
        let types = VIEWER_TYPES[number];
        let index = self.join(peer, Role::Player { source }, Codec::H264, types);
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
        publisher.write(
            true,
            60_000 + self.sent,
            VIDEO_BASE.wrapping_add(video_ticks as u32),
            captured,
            payload,
        );
        publisher.write(
            false,
            700 + self.sent,
            AUDIO_BASE.wrapping_add(audio_ticks as u32),
            now,
            SOUND,
        );
        self.sent += 1;
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
        let asked = world.clients[0].keyframe_requests;
        world.send_frame(asked > answered);
        answered = asked;
        done(world)
    });
}

fn numbers(client: &Client, video: bool) -> Vec<u64> {
    let mut numbers: Vec<_> = client.of_kind(video).map(|p| *p.seq_no).collect();
    numbers.sort_unstable();
    numbers
}

fn assert_contiguous(numbers: &[u64]) {
    let holes: Vec<_> = numbers.windows(2).filter(|w| w[1] != w[0] + 1).collect();
    assert!(holes.is_empty(), "holes or repeats: {holes:?}");
}

#[test]
fn viewers_get_the_stream_in_their_own_numbers() {
    for workers in [1, 3] {
        let mut world = World::new(workers);
        world.publish();
        let viewers = [world.play(0), world.play(1)];
        stream(&mut world, "50 packets of each kind", |world| {
            viewers.iter().all(|v| {
                let client = &world.clients[*v];
                [true, false]
                    .iter()
                    .all(|k| client.of_kind(*k).count() >= 50)
            })
        });
        for viewer in viewers {
            let client = &world.clients[viewer];
            let video: Vec<_> = client.of_kind(true).collect();
            assert_eq!(&*video[0].payload, KEYFRAME, "starts with a keyframe");
            assert!(*video[0].seq_no < 1 << 15);
            assert!(video.iter().all(|p| p.header.ssrc == video[0].header.ssrc));
            assert!(client.of_kind(false).all(|p| &*p.payload == SOUND));
            assert_contiguous(&numbers(client, true));
            assert_contiguous(&numbers(client, false));
        }
        let ssrc = |v: usize| world.clients[v].of_kind(true).next().unwrap().header.ssrc;
        assert_ne!(ssrc(viewers[0]), ssrc(viewers[1]));
    }
}

#[test]
fn a_viewers_pli_reaches_the_publisher() {
    let mut world = World::new(2);
    world.publish();
    let viewer = world.play(0);
    stream(&mut world, "a picture", |world| {
        world.clients[viewer].of_kind(true).count() > 5
    });
    let before = world.clients[0].keyframe_requests;
    let client = &mut world.clients[viewer];
    let video = client.video;
    client
        .rtc
        .direct_api()
        .stream_rx_by_mid(video, None)
        .unwrap()
        .request_keyframe(KeyframeRequestKind::Pli);
    stream(&mut world, "the request", |world| {
        world.clients[0].keyframe_requests > before
    });
}

#[test]
fn keyframe_requests_repeat_until_one_comes() {
    let mut world = World::new(1);
    world.publish();
    let viewer = world.play(0);
    world.until("three requests", |world| {
        world.send_frame(false);
        world.clients[0].keyframe_requests >= 3
    });
    assert_eq!(world.clients[viewer].of_kind(true).count(), 0);
    assert!(
        world.clients[viewer].of_kind(false).count() > 0,
        "audio does not wait"
    );
}

#[test]
fn lost_packets_are_sent_again() {
    let mut world = World::new(1);
    world.publish();
    let viewer = world.play(0);
    stream(&mut world, "a picture", |world| {
        world.clients[viewer].of_kind(true).count() > 50
    });
    world.clients[viewer].lose = 3;
    stream(&mut world, "the loss", |world| {
        world.clients[viewer].lose == 0
    });
    let enough = world.clients[viewer].of_kind(true).count() + 20;
    stream(&mut world, "repair", |world| {
        let numbers = numbers(&world.clients[viewer], true);
        numbers.len() > enough && numbers.windows(2).all(|w| w[1] == w[0] + 1)
    });
}

/// The moment, in seconds of the server's clock, that the latest report gives
/// the last packet of a kind.
fn moment(client: &Client, video: bool) -> Option<f64> {
    let rate = if video { 90_000.0 } else { 48_000.0 };
    let packet = client.of_kind(video).last()?;
    let report = client
        .reports
        .iter()
        .rev()
        .find(|r| r.ssrc == packet.header.ssrc)?;
    let ticks = packet
        .header
        .timestamp
        .wrapping_sub(report.rtp_time.numer() as u32) as i32;
    let ntp = report.ntp_time.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(ntp.as_secs_f64() + f64::from(ticks) / rate)
}

#[test]
fn audio_and_video_are_reported_on_one_clock() {
    let mut world = World::new(2);
    world.publish();
    let viewer = world.play(0);
    // The video of a frame is 200 ms older than its audio. Reports stamped on
    // arrival would make it as old.
    stream(&mut world, "reports on one clock", |world| {
        let client = &world.clients[viewer];
        let (Some(video), Some(audio)) = (moment(client, true), moment(client, false)) else {
            return false;
        };
        ((audio - video) - 0.2).abs() < 0.05
    });
}

#[test]
fn noise_is_counted_and_disturbs_nobody() {
    let mut world = World::new(1);
    world.publish();
    let viewer = world.play(0);
    let noise = UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = world.forwarder.media_addresses()[0];
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
    let enough = world.clients[viewer].of_kind(true).count() + 20;
    stream(&mut world, "the stream goes on", |world| {
        world.clients[viewer].of_kind(true).count() > enough
    });
    assert_contiguous(&numbers(&world.clients[viewer], true));
}

#[test]
fn players_outlive_their_publisher() {
    let mut world = World::new(2);
    world.publish();
    let player = world.play(0);
    world.forwarder.send(Command::Close { peer: PUBLISHER });
    world.clients[player].rtc.close().unwrap();
    world.clients[player].drain();
    assert_eq!(world.end_reason(viewer(0)), EndReason::ClosedByPeer);
    let ended = |e: &Event| matches!(e, Event::Ended { peer, .. } if *peer == PUBLISHER);
    assert!(!world.seen.iter().any(ended), "{:?}", world.seen);
}

#[test]
fn a_publisher_that_closes_has_ended() {
    let mut world = World::new(1);
    world.publish();
    world.clients[0].rtc.close().unwrap();
    world.clients[0].drain();
    assert_eq!(world.end_reason(PUBLISHER), EndReason::ClosedByPeer);
    let (_, offer) = Client::offer(Direction::RecvOnly, Codec::H264, VIEWER_TYPES[0]);
    world.open(viewer(0), Role::Player { source: PUBLISHER }, offer);
    assert_eq!(world.end_reason(viewer(0)), EndReason::SourceGone);
}

#[test]
fn a_wrong_fingerprint_is_told() {
    let mut world = World::new(1);
    let (mut client, offer) = Client::offer(Direction::SendOnly, Codec::H264, PUBLISHER_TYPES);
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
    client.accept(&answer);
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
fn codecs_that_no_one_shares_are_refused() {
    let mut world = World::new(1);
    world.publish();
    let (_, offer) = Client::offer(Direction::RecvOnly, Codec::Vp8, VIEWER_TYPES[0]);
    // Without the audio, which both have.
    let offer = offer.replace("opus", "speex");
    world.open(viewer(0), Role::Player { source: PUBLISHER }, offer);
    assert_eq!(world.end_reason(viewer(0)), EndReason::NoCommonCodecs);
}

#[test]
fn answers_name_the_codecs() {
    let mut world = World::new(1);
    let (_, offer) = Client::offer(Direction::SendOnly, Codec::H264, PUBLISHER_TYPES);
    world.open(PUBLISHER, Role::Publisher, offer);
    let (answer, codecs) = world.answer(PUBLISHER);
    assert_eq!(codecs.audio.as_deref(), Some("opus"));
    assert_eq!(codecs.video.as_deref(), Some("H264"));
    let candidate = world.forwarder.media_addresses()[0];
    let line = format!("{} {} typ host", candidate.ip(), candidate.port());
    assert!(answer.contains(&line), "{answer}");
}

#[test]
fn a_closed_peer_is_silent() {
    let mut world = World::new(1);
    world.publish();
    world.forwarder.send(Command::Close { peer: PUBLISHER });
    world.forwarder.send(Command::Close { peer: PeerId(99) });
    let (_, offer) = Client::offer(Direction::RecvOnly, Codec::H264, VIEWER_TYPES[0]);
    world.open(viewer(0), Role::Player { source: PUBLISHER }, offer);
    assert_eq!(world.end_reason(viewer(0)), EndReason::SourceGone);
    assert_eq!(world.seen, []);
}
