//! Viewers start with the group of pictures that is kept, and end up live.

use super::*;

/// How long a viewer takes to connect, at most.
const CONNECTED: Duration = Duration::from_millis(40);

const FIRST: u64 = 65_500;

/// The publisher's numbers of the video that a viewer got, in the viewer's order.
fn shown(viewer: &Client) -> Vec<u64> {
    let mut packets: Vec<_> = viewer.of_kind(true).collect();
    packets.sort_by_key(|packet| *packet.seq_no);
    let number = |payload: &[u8]| u64::from_be_bytes(payload[3..].try_into().unwrap());
    packets
        .iter()
        .map(|packet| number(&packet.payload))
        .collect()
}

/// How far what came at `at` or later is behind what came first, by the
/// timestamps: what a jitter buffer would add, in ms.
fn delay_ms(viewer: &Client, since: Instant) -> Vec<i64> {
    let packets: Vec<_> = viewer.of_kind(true).collect();
    let first = packets[0];
    let later = packets.iter().filter(|packet| packet.timestamp >= since);
    later
        .map(|packet| {
            let shown = packet.header.timestamp.wrapping_sub(first.header.timestamp);
            let passed = packet.timestamp.duration_since(first.timestamp);
            i64::from(shown / 90) - passed.as_millis() as i64
        })
        .collect()
}

/// A viewer of a publisher that has streamed for so long since its only
/// keyframe, and answers no request.
fn check_deaf(workers: usize, streamed: Duration, catch_up: Duration) {
    let mut world = World::new(workers);
    world.source.deaf = true;
    world.publish();
    world.stream(streamed);
    let source = PUBLISHER;
    let viewer = world.open(VIEWER, Role::Player { source });
    world.stream(CONNECTED + FRAME);
    let early = shown(&world.clients[viewer]);
    assert_eq!(early.first(), Some(&FIRST), "the first frame is there");
    world.stream(catch_up);
    let caught_up = world.now;
    let newest = world.source.sequence - 1;
    let seen = shown(&world.clients[viewer]);
    assert!(newest - seen[seen.len() - 1] <= 1, "behind what is live");
    world.stream(SECOND);
    world.run_for(FRAME);
    let viewer = &world.clients[viewer];
    assert_eq!(
        shown(viewer),
        (FIRST..world.source.sequence).collect::<Vec<_>>()
    );
    assert_contiguous(&viewer.numbers(true));
    let mut packets: Vec<_> = viewer.of_kind(true).collect();
    packets.sort_by_key(|packet| *packet.seq_no);
    let steps = packets
        .windows(2)
        .map(|w| w[1].header.timestamp.wrapping_sub(w[0].header.timestamp));
    assert!(
        steps.clone().all(|step| (1..=4_000).contains(&step)),
        "{:?}",
        steps.collect::<Vec<_>>()
    );
    let delays = delay_ms(viewer, caught_up);
    assert!(delays.iter().all(|ms| ms.abs() < 40), "{delays:?}");
    let all = delay_ms(viewer, world.start);
    assert!(
        all.iter().all(|ms| ms.abs() < 40),
        "nothing to buffer for: {all:?}"
    );
}

#[test]
fn a_publisher_that_ignores_requests_is_seen_at_once_and_then_live() {
    for workers in [1, 2] {
        check_deaf(workers, 3 * SECOND, SECOND);
    }
    check_deaf(2, 10 * SECOND, 2 * SECOND);
}

#[test]
fn a_publisher_that_has_paused_is_seen_at_once_and_live_when_it_goes_on() {
    let mut world = World::new(2);
    world.source.deaf = true;
    world.publish();
    world.stream(SECOND);
    let pause = 5 * SECOND;
    world.run_for(pause);
    world.source.time = world
        .source
        .time
        .wrapping_add(pause.as_millis() as u32 * 90);
    let viewer = world.open(VIEWER, Role::Player { source: PUBLISHER });
    world.run_for(2 * SECOND);
    world.source.time = world.source.time.wrapping_add(2_000 * 90);
    assert_eq!(
        shown(&world.clients[viewer]),
        (FIRST..world.source.sequence).collect::<Vec<_>>()
    );
    world.stream(SECOND);
    let delays = delay_ms(&world.clients[viewer], world.start);
    assert!(delays.iter().all(|ms| ms.abs() < 80), "{delays:?}");
}

#[test]
fn a_new_keyframe_is_shown_instead_of_what_is_left_of_the_old_group() {
    for workers in [1, 2] {
        let mut world = World::new(workers);
        world.source.deaf = true;
        world.publish();
        world.stream(10 * SECOND);
        let viewer = world.open(VIEWER, Role::Player { source: PUBLISHER });
        world.stream(CONNECTED + FRAME * 2);
        world.source.deaf = false;
        world.stream(SECOND);
        world.run_for(FRAME);
        let viewer = &world.clients[viewer];
        let shown = shown(viewer);
        let last = shown.windows(2).position(|w| w[1] != w[0] + 1).unwrap();
        assert_eq!(shown[0], FIRST);
        let keyframe = shown[last + 1];
        assert!(keyframe - shown[last] > 100, "it had caught up already");
        assert_eq!(
            shown[last + 1..],
            (keyframe..world.source.sequence).collect::<Vec<_>>()
        );
        assert_contiguous(&viewer.numbers(true));
        let delays = delay_ms(viewer, world.start);
        assert!(delays.iter().all(|ms| ms.abs() < 40), "{delays:?}");
    }
}

#[test]
fn a_group_over_the_bound_is_given_up_and_a_keyframe_asked_for() {
    let config = Config {
        group_packets: 20,
        ..Config::default()
    };
    let mut world = World::with(2, config);
    world.publish();
    world.stream(SECOND);
    let asked = world.clients[0].keyframe_requests;
    let keyframe = world.source.sequence;
    let viewer = world.open(VIEWER, Role::Player { source: PUBLISHER });
    world.run_for(CONNECTED);
    assert!(world.clients[viewer].connected);
    assert_eq!(shown(&world.clients[viewer]), [0; 0], "there is nothing");
    world.stream(SECOND);
    world.run_for(FRAME);
    assert_eq!(world.clients[0].keyframe_requests, asked + 1);
    assert_eq!(
        shown(&world.clients[viewer]),
        (keyframe..world.source.sequence).collect::<Vec<_>>()
    );
}
