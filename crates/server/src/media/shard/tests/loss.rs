//! Packets that are lost are sent again: NACK and RTX (RFC 4585, RFC 4588).

use std::collections::HashMap;

use super::*;
use crate::media::gaps;
use crate::meters::{Meter, Time};

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

#[test]
fn what_is_lost_and_sent_again_is_counted() {
    let mut world = World::new(1);
    world.publish();
    let viewer = world.play();
    world.lose(viewer, is_rtp, PATTERNS[0]);
    world.stream(10 * SECOND);
    let meters = world.shards[0].outbox.sends.meters.clone();
    let asked = meters.count(Meter::AskedAgain);
    let sent = meters.count(Meter::SentAgain);
    assert!(sent > 0 && meters.times(Time::ViewerRoundTrip).count() > 0);
    assert_eq!(asked, sent + meters.count(Meter::NotKept));
    assert_eq!(meters.count(Meter::Missing), 0);
    // The viewer may have asked for its first one.
    let keyframes = meters.count(Meter::KeyframesAsked);
    world.network.losses.clear();
    world.lose(0, is_rtp, PATTERNS[0]);
    world.stream(10 * SECOND);
    assert!(meters.count(Meter::Missing) > 0);
    assert_eq!(meters.count(Meter::GivenUp), 0, "all of it came");
    assert_eq!(meters.count(Meter::KeyframesAsked), keyframes);
}

/// One in ten, as if by chance.
fn one_in_ten(n: u64) -> bool {
    (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40).is_multiple_of(10)
}

/// What a viewer got of a span of frames.
struct Delivery {
    frames: usize,
    /// From the publisher to the viewer, sorted.
    delays: Vec<Duration>,
    /// For each frame that never came: from there to the next keyframe that did.
    recoveries: Vec<Duration>,
    keyframes_asked: usize,
}

impl Delivery {
    fn percentile(&self, percent: usize) -> Duration {
        self.delays[(self.delays.len() - 1) * percent / 100]
    }
}

impl World {
    /// The publisher's client sends again whatever it is asked for. By itself,
    /// str0m forgets all that it was asked for once retransmissions are more than
    /// 15 % of the last second's bytes.
    fn lift_retransmission_cap(&mut self) {
        let client = &mut self.clients[self.publisher];
        let mut api = client.rtc.direct_api();
        let stream = api.stream_tx_by_mid(client.video, None).unwrap();
        stream.set_rtx_cache(2_000, 3 * SECOND, None);
    }

    /// A viewer asks for lost packets, RTX or not: str0m, as a client, asks only
    /// where there is RTX unless it is told to.
    pub(super) fn ask_without_rtx(&mut self, viewer: usize) {
        let client = &mut self.clients[viewer];
        let ssrc = client.of_kind(true).next().unwrap().header.ssrc;
        let mut api = client.rtc.direct_api();
        api.stream_rx(&ssrc).unwrap().suppress_nack(false);
    }

    /// When frames came to a viewer, in the order in which they were sent, and
    /// whether they are keyframes.
    pub(super) fn received(&self, viewer: usize) -> Vec<(Instant, Option<(Instant, bool)>)> {
        let packets = self.clients[viewer].of_kind(true);
        let came: HashMap<_, _> = packets
            .map(|p| (&p.payload[3..11], (p.timestamp, p.payload[0] == 0x67)))
            .collect();
        let sent = self.source.sent.iter();
        sent.map(|(number, at)| (*at, came.get(&number.to_be_bytes()[..]).copied()))
            .collect()
    }
}

/// A minute of everything losing one in ten each way, at both ends.
fn deliver(round_trip: Duration, capped: bool) -> Delivery {
    let mut world = World::new(1);
    // Between the server and each of them.
    world.network.latency = round_trip / 2;
    world.open(PUBLISHER, Role::Publisher);
    world.run_for(3 * SECOND);
    world.stream(SECOND);
    if !capped {
        world.lift_retransmission_cap();
    }
    let source = PUBLISHER;
    let viewer = world.open(VIEWER, Role::Player { source });
    world.stream(3 * SECOND);
    assert!(world.has_seen(&Event::Flowing { peer: VIEWER }));
    let (first, asked) = (world.now, world.clients[0].keyframe_requests);
    for client in [0, viewer] {
        world.lose(client, |_| true, one_in_ten);
    }
    world.stream(60 * SECOND);
    let end = world.now;
    let keyframes_asked = world.clients[0].keyframe_requests - asked;
    world.network.losses.clear();
    world.stream(5 * SECOND);
    let received = world.received(viewer);
    let lossy = received.iter().filter(|(at, _)| (first..end).contains(at));
    let mut delivery = Delivery {
        frames: lossy.clone().count(),
        delays: Vec::new(),
        recoveries: Vec::new(),
        keyframes_asked,
    };
    for (sent, came) in lossy {
        match came {
            Some((at, _)) => delivery.delays.push(*at - *sent),
            None => {
                let later = received.iter().filter(|(at, _)| at > sent);
                let mut keyframes = later.filter_map(|(_, came)| came.filter(|(_, key)| *key));
                let (at, _) = keyframes.next().expect("a keyframe after it");
                delivery.recoveries.push(at - *sent);
            }
        }
    }
    delivery.delays.sort_unstable();
    assert_eq!(world.ends(PUBLISHER, world.start), []);
    assert_eq!(world.ends(VIEWER, world.start), []);
    delivery
}

/// With one in ten packets lost on each of the four ways, every frame comes,
/// and soon.
#[test]
fn one_in_ten_lost_each_way_and_every_frame_comes() {
    for round_trip_ms in [20, 100, 300] {
        let round_trip = Duration::from_millis(round_trip_ms);
        let got = deliver(round_trip, false);
        let [half, most, nearly_all, all] = [50, 95, 99, 100].map(|p| got.percentile(p));
        println!(
            "round trip {round_trip_ms} ms: {} frames, delay {half:?} median, {most:?} for 95 %, \
             {nearly_all:?} for 99 %, {all:?} at most",
            got.frames,
        );
        assert_eq!((got.recoveries.len(), got.keyframes_asked), (0, 0));
        assert_eq!(half, round_trip);
        // A loss is seen with the next frame, and asked for at the next look.
        let round = round_trip + 2 * FRAME;
        assert!(most <= round_trip + 2 * round, "{most:?}");
        assert!(nearly_all <= round_trip + 3 * round, "{nearly_all:?}");
        assert!(all <= round_trip + 5 * round, "{all:?}");
    }
}

/// The same with a publisher that does not send again all that it is asked for:
/// a keyframe makes up for each frame that never comes.
#[test]
fn what_a_publisher_does_not_send_again_is_made_up_for_by_a_keyframe() {
    let round_trip = Duration::from_millis(300);
    let got = deliver(round_trip, true);
    let slowest = got.recoveries.iter().max().expect("some never come");
    println!(
        "{} frames, {} missing, {} keyframes asked for, {slowest:?} to one at most",
        got.frames,
        got.recoveries.len(),
        got.keyframes_asked,
    );
    assert!(got.recoveries.len() * 50 <= got.frames);
    // The request and the keyframe may have to be sent again, too.
    let bound = gaps::patience(Some(round_trip)) + 5 * round_trip;
    assert!(*slowest <= bound, "{slowest:?}");
    assert!(got.keyframes_asked <= 60, "{}", got.keyframes_asked);
}

/// What the publisher loses for good: the viewer need not ask for a keyframe.
#[test]
fn a_packet_that_never_comes_makes_for_a_keyframe() {
    for workers in [1, 2] {
        let mut world = World::new(workers);
        world.publish();
        world.play();
        let (asked, since) = (world.clients[0].keyframe_requests, world.now);
        // One packet and all retransmissions.
        world.lose(0, |d| is_rtp(d) && d[1] & 0x7f == H264, |n| n == 10);
        world.lose(0, |d| is_rtp(d) && d[1] & 0x7f == 103, |_| true);
        world.stream(3 * SECOND);
        assert_eq!(world.clients[0].keyframe_requests, asked + 1);
        let received = world.received(1);
        let lossy = received.iter().position(|(at, _)| *at >= since).unwrap();
        let received = &received[lossy..];
        let missing = received.iter().position(|(_, came)| came.is_none());
        let missing = missing.expect("one never comes");
        let (lost_at, _) = received[missing];
        let is_keyframe = |(_, came): &(_, Option<(_, bool)>)| came.is_some_and(|(_, key)| key);
        let keyframe = received.iter().position(is_keyframe).expect("it comes");
        assert!(missing < keyframe, "{missing} {keyframe}");
        assert!(received[keyframe..].iter().all(|(_, came)| came.is_some()));
        // The gap is seen with the next frame, the answer goes out with one.
        let (at, _) = received[keyframe].1.unwrap();
        let bound = gaps::patience(Some(2 * LATENCY)) + 2 * FRAME + 4 * LATENCY;
        assert!(at - lost_at <= bound, "after {:?}", at - lost_at);
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
pub(super) const PLAIN_TYPES: PayloadTypes = PayloadTypes {
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
        world.ask_without_rtx(viewer);
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
