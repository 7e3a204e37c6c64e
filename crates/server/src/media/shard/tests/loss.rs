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
