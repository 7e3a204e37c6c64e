//! What is sent to viewers of a single stream, as it is on the wire.

use std::collections::HashSet;

use super::*;

/// The rollover counter is in no packet: both sides count.
#[test]
fn a_viewers_numbers_go_past_16_bits() {
    let mut world = World::new(1);
    world.publish();
    let viewer = world.play();
    let first = world.source.sent.len();
    // What the publisher leaves out is left out for viewers.
    for _ in 0..40 {
        world.source.sequence += 2_500;
        world.stream(FRAME);
    }
    world.stream(2 * SECOND);
    world.run_for(SECOND);
    let numbers = world.clients[viewer].numbers(true);
    assert!(numbers.first().unwrap() < &(1 << 15));
    assert!(numbers.last().unwrap() > &(1 << 16));
    let received = &world.received(viewer)[first..];
    assert!(received.len() > 80);
    assert!(received.iter().all(|(_, came)| came.is_some()));
}

/// Nothing that str0m makes of its own is among it: both would begin at zero.
#[test]
fn every_packet_has_a_number_of_its_own() {
    let mut world = World::new(1);
    world.publish();
    let source = PUBLISHER;
    let viewer = world.open(VIEWER, Role::Player { source });
    world.network.tapped = Some(client_address(viewer));
    world.stream(SECOND);
    world.lose(viewer, is_rtp, |n| n % 5 == 0);
    world.stream(10 * SECOND);
    world.close(VIEWER);
    let server = shard_address(0);
    let tape = std::mem::take(&mut world.network.tape);
    let media = tape
        .iter()
        .filter(|d| d.source == server && d.contents[0] >= 128);
    let (rtp, rtcp): (Vec<_>, Vec<_>) = media.partition(|d| is_rtp(&d.contents));
    let places = rtp.iter().map(|d| (&d.contents[2..4], &d.contents[8..12]));
    assert_eq!(places.collect::<HashSet<_>>().len(), rtp.len());
    assert!(rtp.len() > 700, "with what was sent again: {}", rtp.len());
    // RFC 7714 section 9: the index stands last.
    let indices = rtcp.iter().map(|d| d.contents.last_chunk::<4>().unwrap());
    let indices: Vec<_> = indices.map(|word| u32::from_be_bytes(*word)).collect();
    let expected: Vec<_> = (0..indices.len() as u32).map(|n| (1 << 31) | n).collect();
    assert_eq!(indices, expected);
    assert!(indices.len() >= 10, "a report a second, and a goodbye");
}
