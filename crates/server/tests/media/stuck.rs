//! Viewers that take nothing: what is lost by that is theirs alone.

use super::*;

/// Packets of a frame.
const PACKETS: u64 = 20;

/// A publisher's world with a viewer that is well, whose index it is, and one that
/// hangs from now on, as if its machine did, over TCP or over UDP.
fn with_a_stuck_viewer(over_tcp: bool) -> (World, usize, UdpClient) {
    let config = Config {
        publisher_bitrate_bps: 0,
        ..config(1)
    };
    let mut world = World::start(config, |_| {});
    world.publish();
    let well = world.play(0);
    world.over_tcp = over_tcp;
    world.play(1);
    let stuck = world.clients.pop().unwrap();
    assert!(stuck.client.connected);
    (world, well, stuck)
}

/// Sends frames until `done`, each once the viewer that is well has got all of the
/// one before; it gets every packet.
fn stream_frames(world: &mut World, well: usize, what: &str, mut done: impl FnMut(&World) -> bool) {
    let payload = [KEYFRAME, &[7; 1_000]].concat();
    let pt = PUBLISHER_TYPES.video[0].pt;
    let before = world.clients[well].client.of_kind(true).count() as u64;
    let mut sent = 0;
    world.until(what, |world| {
        let came = world.clients[well].client.of_kind(true).count() as u64 - before;
        if came < sent {
            return false;
        }
        if done(world) {
            return true;
        }
        let now = Instant::now();
        let ticks = (now - world.start).as_micros() as u64 * 9 / 100;
        let publisher = &mut world.clients[0];
        for _ in 0..PACKETS {
            let numbers = (60_000 + world.sent, VIDEO_BASE.wrapping_add(ticks as u32));
            let client = &mut publisher.client;
            client.write(Some(pt), numbers, now, &payload, now);
            world.sent += 1;
        }
        sent += PACKETS;
        publisher.send();
        false
    });
    let viewer = &world.clients[well].client;
    assert_eq!(viewer.of_kind(true).count() as u64 - before, sent);
    assert_contiguous(&viewer.numbers(true));
}

#[test]
fn a_viewer_that_reads_nothing_of_tcp_loses_only_its_own() {
    let (mut world, well, stuck) = with_a_stuck_viewer(true);
    let lost = |world: &World| world.counters.of(Reason::FullConnection);
    stream_frames(&mut world, well, "its connection is full", |world| {
        lost(world) > 0
    });
    // And on, while all that is for it is lost.
    let enough = lost(&world) + 20 * PACKETS;
    stream_frames(&mut world, well, "more is lost", |world| {
        lost(world) >= enough
    });
    drop(stuck);
}

#[test]
fn a_viewer_that_answers_nothing_over_udp_loses_only_its_own() {
    let (mut world, well, stuck) = with_a_stuck_viewer(false);
    let mut frames = 0;
    stream_frames(&mut world, well, "the stream goes on", |_| {
        frames += 1;
        frames > 100
    });
    drop(stuck);
}
