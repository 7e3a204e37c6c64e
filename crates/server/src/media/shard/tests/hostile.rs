//! Peers that misbehave, and anybody who sends to our port: nobody else is
//! disturbed, nothing grows, and each refusal is counted.

use str0m::rtp::Ssrc;

use super::*;
use crate::counters::Reason;

/// A second publisher, which misbehaves.
const ROGUE: PeerId = PeerId(2);

/// Where nobody of the others is, and nobody listens.
fn elsewhere(number: u16) -> SocketAddr {
    SocketAddr::new(NOWHERE, 1_000 + number)
}

/// Numbers that look random, the same each time.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> u32 {
        // xorshift, Marsaglia 2003.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| (self.next() >> 24) as u8).collect()
    }
}

impl World {
    /// A publisher and its viewer, who go about their business; the viewer.
    fn with_bystanders() -> (Self, usize) {
        let mut world = Self::new(1);
        world.publish();
        let viewer = world.play();
        (world, viewer)
    }

    /// Adds the publisher that misbehaves, connected; its index.
    fn open_rogue(&mut self) -> usize {
        let rogue = self.open(ROGUE, Role::Publisher);
        self.stream(SECOND);
        assert!(self.clients[rogue].connected);
        rogue
    }

    /// What anybody can send from `source`.
    pub(super) fn inject(&mut self, source: SocketAddr, datagram: &[u8]) {
        let now = self.now;
        let path = Path {
            protocol: Protocol::Udp,
            local: shard_address(0),
            remote: source,
        };
        self.shards[0].handle_datagram(path, datagram, now);
        self.obey();
    }

    pub(super) fn counted(&self, reason: Reason) -> u64 {
        self.shards[0].counters.of(reason)
    }

    /// Every frame since `first` came to the viewer, once, and a little more
    /// that the publisher sends does, too; and all of the sound.
    fn assert_undisturbed(&mut self, viewer: usize, first: u64) {
        self.assert_frames(viewer, first);
        assert_contiguous(&self.clients[viewer].numbers(false));
    }

    fn assert_frames(&mut self, viewer: usize, first: u64) {
        self.stream(SECOND);
        let end = self.source.sequence;
        self.run_for(SECOND);
        let client = &self.clients[viewer];
        assert_contiguous(&client.numbers(true));
        for number in first..end {
            let bytes = number.to_be_bytes();
            let times = client.of_kind(true).filter(|p| p.payload[3..] == bytes);
            assert_eq!(times.count(), 1, "frame {number}");
        }
        for peer in [PUBLISHER, VIEWER] {
            assert_eq!(self.ends(peer, self.start), [], "{peer:?}");
        }
    }

    /// Whether str0m knows an RTP stream of the publisher's.
    fn knows(&mut self, ssrc: Ssrc) -> bool {
        let Some(Peer::Publisher(publisher)) = self.shards[0].peers.get_mut(&PUBLISHER) else {
            panic!("no publisher");
        };
        let mut api = publisher.link.rtc.direct_api();
        api.stream_rx(&ssrc).is_some()
    }

    /// What the client sends while it goes on for a second.
    fn tape_of(&mut self, client: usize) -> Vec<Datagram> {
        self.network.tapped = Some(client_address(client));
        self.stream(3 * SECOND);
        self.network.tapped = None;
        let mut tape = std::mem::take(&mut self.network.tape);
        tape.retain(|datagram| datagram.source == client_address(client));
        tape
    }
}

/// An RTP packet that nobody has the keys for, with the mid as an extension.
fn forged(pt: u8, ssrc: u32, mid: &str) -> Vec<u8> {
    const MID_ID: u8 = 4;
    let mut packet = vec![0x90, pt, 0, 1, 0, 0, 0, 1];
    packet.extend(ssrc.to_be_bytes());
    let mut extension = vec![MID_ID << 4 | (mid.len() - 1) as u8];
    extension.extend(mid.bytes());
    extension.resize(extension.len().next_multiple_of(4), 0);
    packet.extend([0xbe, 0xde, 0, extension.len() as u8 / 4]);
    packet.extend(extension);
    packet.extend([7; 40]);
    packet
}

#[test]
fn forged_streams_neither_replace_the_publishers_nor_pile_up() {
    let (mut world, viewer) = World::with_bystanders();
    let first = world.source.sequence;
    let video = world.clients[0].video;
    let mut api = world.clients[0].rtc.direct_api();
    let genuine = api.stream_tx_by_mid(video, None).unwrap().ssrc();
    let mid = video.to_string();
    let mut noise = Noise(1);
    let mut forgeries = Vec::new();
    for _ in 0..100 {
        for pt in [H264, VP8, 103] {
            for _ in 0..10 {
                let ssrc = noise.next();
                forgeries.push(ssrc);
                world.inject(client_address(0), &forged(pt, ssrc, &mid));
                // Until the publisher's next packet, which may name its stream anew
                // or not.
                assert!(world.knows(genuine), "{ssrc} takes its place");
            }
        }
        world.stream(FRAME);
    }
    assert_eq!(world.counted(Reason::ForeignMedia), forgeries.len() as u64);
    for ssrc in forgeries {
        assert!(!world.knows(ssrc.into()), "{ssrc} stays");
    }
    // What is lost is still asked for.
    world.lose(0, is_rtp, |n| n % 10 == 3);
    world.stream(5 * SECOND);
    world.network.losses.clear();
    // Lost sound is not asked for.
    world.assert_frames(viewer, first);
}

#[test]
fn garbage_of_every_size_and_sort_is_dropped() {
    let (mut world, viewer) = World::with_bystanders();
    let rogue = world.open_rogue();
    let first = world.source.sequence;
    let mut noise = Noise(2);
    let sources = [0, viewer, rogue].map(client_address);
    for length in (0..64)
        .chain((64..1_500).step_by(97))
        .chain([9_000, 65_507])
    {
        for start in [0, 1, 3, 20, 22, 63, 64, 127, 128, 144, 191, 192, 255] {
            let mut datagram = noise.bytes(length);
            if let Some(byte) = datagram.first_mut() {
                *byte = start;
            }
            for source in sources {
                world.inject(source, &datagram);
            }
            world.inject(elsewhere(0), &datagram);
        }
        world.stream(FRAME);
    }
    assert!(world.counted(Reason::StrayDatagram) > 1_000);
    assert!(world.counted(Reason::BadDatagram) > 1_000);
    assert!(world.counted(Reason::ViewerMedia) > 100);
    world.assert_undisturbed(viewer, first);
}

#[test]
fn media_that_was_tampered_with_or_comes_again_is_dropped() {
    let (mut world, viewer) = World::with_bystanders();
    let first = world.source.sequence;
    let tape = world.tape_of(0);
    let packets: Vec<_> = tape.into_iter().filter(|d| is_rtp(&d.contents)).collect();
    assert!(packets.len() > 100);
    for (at, packet) in packets.iter().enumerate() {
        world.inject(packet.source, &packet.contents);
        let mut tampered = packet.contents.clone();
        let byte = at % tampered.len();
        tampered[byte] ^= 1 << (at % 8);
        world.inject(packet.source, &tampered);
        world.inject(
            packet.source,
            &packet.contents[..at % packet.contents.len()],
        );
    }
    assert!(world.counted(Reason::UselessMedia) >= packets.len() as u64);
    world.assert_undisturbed(viewer, first);
}

#[test]
fn nonsense_in_authentic_packets_concerns_nobody_else() {
    let (mut world, viewer) = World::with_bystanders();
    let rogue = world.open_rogue();
    let source = ROGUE;
    let watching = world.clients.len();
    let sdp_peer = PeerId(11);
    world.open(sdp_peer, Role::Player { source });
    let first = world.source.sequence;
    let mut noise = Noise(3);
    for round in 0..300_u64 {
        let now = world.now;
        let length = [0, 1, 2, 3, 30, 1_150][round as usize % 6];
        let mut payload = noise.bytes(length);
        if round % 2 == 0 && length > 0 {
            // What starts like a keyframe: a parameter set, or several in one.
            payload[0] = if round % 4 == 0 { 0x67 } else { 0x78 };
        }
        let numbers = (round + 1, noise.next());
        let client = &mut world.clients[rogue];
        client.write(Some(H264), numbers, now, &payload, now);
        let client = &mut world.clients[rogue];
        client.write(None, (round + 1, noise.next()), now, &payload, now);
        world.obey();
        world.stream(FRAME);
    }
    assert!(world.clients[watching].of_kind(false).count() > 100);
    assert_eq!(world.ends(ROGUE, world.start), []);
    world.assert_undisturbed(viewer, first);
}

/// Writes to one of the shard's own checks where nobody knows the password.
fn guess(check: &[u8], noise: &mut Noise) -> Vec<u8> {
    let mut guess = check.to_vec();
    let length = guess.len();
    // Before the fingerprint (8 bytes) stands the message integrity.
    guess[length - 28..length - 8].copy_from_slice(&noise.bytes(20));
    // A fingerprint that does not fit would end it earlier.
    let head = u16::from_be_bytes([guess[2], guess[3]]) - 8;
    guess[2..4].copy_from_slice(&head.to_be_bytes());
    guess.truncate(length - 8);
    guess
}

/// A check that the client sent.
fn check_of(world: &mut World, client: usize) -> Datagram {
    let tape = world.tape_of(client);
    let mut checks = tape.into_iter().filter(|d| d.contents[..2] == [0, 1]);
    checks.next().expect("it checks its pair every few seconds")
}

#[test]
fn guessed_passwords_are_refused_and_bounded() {
    let (mut world, viewer) = World::with_bystanders();
    let first = world.source.sequence;
    let check = check_of(&mut world, viewer);
    let mut noise = Noise(4);
    for round in 0..2_000 {
        let guess = guess(&check.contents, &mut noise);
        let sent = world.network.datagrams.len();
        world.inject(elsewhere(round % 500), &guess);
        assert_eq!(world.network.datagrams.len(), sent, "it is answered");
    }
    let (bad, many) = (Reason::BadCredentials, Reason::TooManyChecks);
    assert_eq!(world.counted(bad) + world.counted(many), 2_000);
    assert!(world.counted(bad) > 0 && world.counted(many) > 1_000);
    // From the viewer's own address each is looked at, and the viewer's count.
    world.inject(client_address(viewer), &guess(&check.contents, &mut noise));
    assert_eq!(world.counted(bad) + world.counted(many), 2_001);
    world.stream(60 * SECOND);
    world.assert_undisturbed(viewer, first);
}

#[test]
fn a_check_that_is_replayed_from_everywhere_takes_nothing_away() {
    for client in [0, 1] {
        let (mut world, viewer) = World::with_bystanders();
        let first = world.source.sequence;
        let check = check_of(&mut world, client);
        for number in 0..3_000 {
            world.inject(elsewhere(number), &check.contents);
            if number % 10 == 0 {
                world.stream(FRAME);
            }
        }
        assert!(world.counted(Reason::TooManyChecks) > 1_000);
        assert!(world.counted(Reason::ReplayedCheck) > 100);
        assert_eq!(
            world.network.astray, 0,
            "it is answered, or the media goes there"
        );
        world.assert_undisturbed(viewer, first);
    }
}

#[test]
fn dtls_garbage_does_not_end_a_live_peer() {
    let (mut world, viewer) = World::with_bystanders();
    let first = world.source.sequence;
    // Alerts as nobody encrypted them: close_notify, and a fatal one; then a
    // handshake that begins anew, and records that say they are encrypted.
    let record = |kind: u8, epoch: u8, body: &[u8]| {
        let mut record = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 99, 0];
        record.push(body.len() as u8);
        record.extend(body);
        record
    };
    let mut noise = Noise(5);
    let garbage = [
        record(21, 0, &[1, 0]),
        record(21, 0, &[2, 40]),
        record(21, 1, &[1, 0]),
        record(
            22,
            0,
            &[1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 0xfe, 0xfd, 1, 1],
        ),
        record(20, 0, &[1]),
        record(22, 1, &noise.bytes(64)),
        record(23, 1, &noise.bytes(200)),
    ];
    for _ in 0..50 {
        for client in [0, viewer] {
            for datagram in &garbage {
                world.inject(client_address(client), datagram);
            }
        }
        world.stream(FRAME);
    }
    assert!(world.counted(Reason::TooManyHandshakes) > 100);
    world.assert_undisturbed(viewer, first);
}

#[test]
fn keyframe_requests_without_end_reach_the_publisher_now_and_then() {
    let (mut world, viewer) = World::with_bystanders();
    let first = world.source.sequence;
    let (asked, start) = (world.clients[0].keyframe_requests, world.now);
    let ssrc = world.clients[viewer].of_kind(true).next().unwrap();
    let ssrc = ssrc.header.ssrc;
    while world.now < start + 10 * SECOND {
        for _ in 0..50 {
            let client = &mut world.clients[viewer];
            let mut api = client.rtc.direct_api();
            let stream = api.stream_rx(&ssrc).unwrap();
            stream.request_keyframe(str0m::media::KeyframeRequestKind::Pli);
            client.handle_timeout(world.now);
            world.obey();
        }
        world.stream(FRAME);
    }
    let asked = world.clients[0].keyframe_requests - asked;
    assert!((10..=34).contains(&asked), "asked {asked} times in 10 s");
    assert!(world.counted(Reason::TooManyReports) > 1_000);
    world.assert_undisturbed(viewer, first);
}

#[test]
fn a_publisher_over_its_bitrate_is_cut_down_to_it() {
    let mut world = World::with(
        1,
        Config {
            publisher_bitrate_bps: 1_000_000,
            ..Config::default()
        },
    );
    world.publish();
    let viewer = world.play();
    let rogue = world.open_rogue();
    let watching = world.open(PeerId(11), Role::Player { source: ROGUE });
    let first = world.source.sequence;
    let (start, mut sent) = (world.now, 0);
    let mut payload = Noise(6).bytes(1_100);
    payload[0] = 0x67;
    while world.now < start + 10 * SECOND {
        for _ in 0..100 {
            sent += 1;
            let client = &mut world.clients[rogue];
            client.write(
                Some(H264),
                (sent, sent as u32),
                world.now,
                &payload,
                world.now,
            );
        }
        world.obey();
        world.stream(FRAME);
    }
    assert!(world.counted(Reason::TooMuchMedia) > sent / 2);
    let passed = world.clients[watching].of_kind(true).count() * payload.len() * 8;
    assert!((5_000_000..11_100_000).contains(&passed), "{passed} bits");
    world.assert_undisturbed(viewer, first);
}
