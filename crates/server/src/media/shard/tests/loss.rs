//! Packets that are lost are sent again: NACK and RTX (RFC 4585, RFC 4588).

use super::*;

/// Which RTP packets of a client are lost.
type Pattern = fn(u64) -> bool;

const PATTERNS: [Pattern; 3] = [
    // One, and a burst.
    |n| n == 50 || (70..76).contains(&n),
    // One in ten, retransmissions too.
    |n| n % 10 == 3,
    // Two in a row of every 25.
    |n| n % 25 < 2,
];

/// Video all comes, in spite of the loss at a client.
fn check(workers: usize, at_publisher: bool, pattern: Pattern) {
    let mut world = World::new(workers);
    world.publish();
    let viewer = world.play();
    let start = world.source.sequence;
    world.lose(if at_publisher { 0 } else { viewer }, is_rtp, pattern);
    world.stream(10 * SECOND);
    let counted = world.network.losses[0].count;
    assert!((0..counted).filter(|n| pattern(*n)).count() >= 7, "no loss");
    world.network.losses.clear();
    let end = world.source.sequence;
    world.stream(SECOND);
    let client = &world.clients[viewer];
    assert_contiguous(&client.numbers(true));
    for number in start..end {
        let bytes = number.to_be_bytes();
        let times = client.of_kind(true).filter(|p| p.payload[3..] == bytes);
        assert_eq!(times.count(), 1, "frame {number}");
    }
}

#[test]
fn what_a_viewer_loses_is_sent_again() {
    for pattern in PATTERNS {
        check(1, false, pattern);
    }
    check(2, false, PATTERNS[0]);
}

#[test]
fn what_a_publisher_loses_is_asked_for() {
    for pattern in PATTERNS {
        check(1, true, pattern);
    }
    check(2, true, PATTERNS[0]);
}

/// One in ten, as if by chance.
fn one_in_ten(n: u64) -> bool {
    (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40).is_multiple_of(10)
}

/// What a viewer got of a span of frames.
struct Delivery {
    frames: usize,
    missing: usize,
    /// From the publisher to the viewer, sorted.
    delays: Vec<Duration>,
    keyframes_asked: usize,
}

impl Delivery {
    fn percentile(&self, percent: usize) -> Duration {
        self.delays[(self.delays.len() - 1) * percent / 100]
    }
}

/// A minute of everything losing one in ten each way, at both ends.
fn deliver(round_trip: Duration) -> Delivery {
    let mut world = World::new(1);
    // Between the server and each of them.
    world.network.latency = round_trip / 2;
    world.open(PUBLISHER, Role::Publisher);
    world.run_for(3 * SECOND);
    world.stream(SECOND);
    let source = PUBLISHER;
    let viewer = world.open(VIEWER, Role::Player { source });
    world.stream(3 * SECOND);
    assert!(world.has_seen(&Event::Flowing { peer: VIEWER }));
    let (first, asked) = (world.source.sequence, world.clients[0].keyframe_requests);
    for client in [0, viewer] {
        world.lose(client, |_| true, one_in_ten);
    }
    world.stream(60 * SECOND);
    let end = world.source.sequence;
    let keyframes_asked = world.clients[0].keyframe_requests - asked;
    world.network.losses.clear();
    world.stream(5 * SECOND);
    let mut delivery = Delivery {
        frames: (end - first) as usize,
        missing: 0,
        delays: Vec::new(),
        keyframes_asked,
    };
    for (number, sent) in &world.source.sent {
        if (first..end).contains(number) {
            let bytes = number.to_be_bytes();
            let mut packets = world.clients[viewer].of_kind(true);
            match packets.find(|p| p.payload[3..] == bytes) {
                Some(packet) => delivery.delays.push(packet.timestamp - *sent),
                None => delivery.missing += 1,
            }
        }
    }
    delivery.delays.sort_unstable();
    assert_eq!(world.ends(PUBLISHER, world.start), []);
    assert_eq!(world.ends(VIEWER, world.start), []);
    delivery
}

/// With one in ten packets lost on each of the four ways, nearly every frame
/// comes, and soon; for the others a keyframe is asked for.
#[test]
fn one_in_ten_lost_each_way_and_the_picture_moves() {
    for round_trip_ms in [20, 100, 300] {
        let round_trip = Duration::from_millis(round_trip_ms);
        let got = deliver(round_trip);
        let [half, most, nearly_all] = [50, 95, 99].map(|p| got.percentile(p));
        println!(
            "round trip {round_trip_ms} ms: {} frames, {} missing, {} keyframes asked for; \
             delay {half:?} median, {most:?} for 95 %, {nearly_all:?} for 99 %, {:?} at most",
            got.frames,
            got.missing,
            got.keyframes_asked,
            got.percentile(100),
        );
        assert_eq!(half, round_trip);
        // A loss is seen with the next frame, and asked for at the next look.
        let round = round_trip + 2 * FRAME;
        assert!(most <= round_trip + 2 * round, "{most:?}");
        assert!(nearly_all <= round_trip + 5 * round, "{nearly_all:?}");
        // The client, which is str0m too, stops sending again past 15 % of what it
        // sends. What is lost for good then is made up for by a keyframe.
        assert!(got.missing * 50 <= got.frames, "{} missing", got.missing);
        assert!(got.keyframes_asked <= 60, "{}", got.keyframes_asked);
    }
}

/// What the publisher loses for good: the viewer need not ask for a keyframe.
#[test]
fn a_packet_that_never_comes_makes_for_a_keyframe() {
    for workers in [1, 2] {
        let mut world = World::new(workers);
        world.publish();
        world.play();
        let asked = world.clients[0].keyframe_requests;
        let tag = world.source.tag;
        // One packet and all retransmissions.
        world.lose(0, |d| is_rtp(d) && d[1] & 0x7f == H264, |n| n == 10);
        world.lose(0, |d| is_rtp(d) && d[1] & 0x7f == 103, |_| true);
        world.stream(3 * SECOND);
        assert_eq!(world.clients[0].keyframe_requests, asked + 1);
        let keyframe = payload(H264, true, tag, 0);
        let packets = world.clients[1].of_kind(true);
        let late = packets.skip(35).filter(|p| p.payload[..2] == keyframe[..2]);
        assert!(late.count() >= 1, "it comes");
    }
    // Nobody watches.
    let mut world = World::new(1);
    world.publish();
    world.lose(0, |d| is_rtp(d) && d[1] & 0x7f == H264, |n| n == 10);
    world.lose(0, |d| is_rtp(d) && d[1] & 0x7f == 103, |_| true);
    world.stream(3 * SECOND);
    assert_eq!(world.clients[0].keyframe_requests, 0);
}

/// Viewers who come late would see nothing until the publisher makes a keyframe
/// of its own accord, which it never does.
#[test]
fn trap_34_late_joiners_get_a_keyframe_however_often_the_request_is_lost() {
    fn is_rtcp(datagram: &[u8]) -> bool {
        (128..192).contains(&datagram[0]) && !is_rtp(datagram)
    }
    for lost in [|_| false, |n| n < 40] as [Pattern; 2] {
        let mut world = World::new(1);
        world.publish();
        world.stream(10 * SECOND);
        world.lose(0, is_rtcp, lost);
        let source = PUBLISHER;
        let viewer = world.open(VIEWER, Role::Player { source });
        world.stream(10 * SECOND);
        let client = &world.clients[viewer];
        let first = client.of_kind(true).next().expect("a picture");
        assert_eq!(first.payload[..2], payload(H264, true, 0, 0)[..2]);
        assert!(client.of_kind(true).count() > 100);
    }
}

/// A viewer that takes NACK and no RTX.
const PLAIN_TYPES: PayloadTypes = PayloadTypes {
    opus: 109,
    video: &[Video {
        codec: Codec::H264,
        pt: 126,
        rtx: 0,
    }],
};

#[test]
fn a_viewer_without_rtx_gets_the_packet_itself_again() {
    for workers in [1, 2] {
        let mut world = World::new(workers);
        world.publish();
        let source = PUBLISHER;
        let viewer = world.open_with(VIEWER, Role::Player { source }, PLAIN_TYPES, &[]);
        world.stream(SECOND);
        let client = &mut world.clients[viewer];
        let ssrc = client.of_kind(true).next().unwrap().header.ssrc;
        // str0m, as a client, asks only where there is RTX unless it is told to.
        let mut api = client.rtc.direct_api();
        api.stream_rx(&ssrc).unwrap().suppress_nack(false);
        let first = world.source.sequence;
        world.lose(viewer, is_rtp, one_in_ten);
        world.stream(20 * SECOND);
        let end = world.source.sequence;
        world.network.losses.clear();
        world.stream(SECOND);
        let client = &world.clients[viewer];
        assert_contiguous(&client.numbers(true));
        for number in first..end {
            let bytes = number.to_be_bytes();
            let times = client.of_kind(true).filter(|p| p.payload[3..] == bytes);
            assert_eq!(times.count(), 1, "frame {number}");
        }
    }
}
