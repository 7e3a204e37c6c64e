//! A publisher that changes its SSRC or its codec on the way.

use str0m::rtp::RtpPacket;

use super::*;

/// Starts a new RTP stream for the publisher's video, as a sender does that is
/// set up anew.
fn change_ssrc(world: &mut World) {
    let client = &mut world.clients[0];
    let video = client.video;
    let mut api = client.rtc.direct_api();
    let old = api.stream_tx_by_mid(video, None).unwrap().ssrc();
    api.remove_stream_tx(old);
    let (ssrc, rtx) = (api.new_ssrc(), api.new_ssrc());
    api.declare_stream_tx(ssrc, Some(rtx), video, None);
    world.source.sequence = 7;
    world.source.time = 1_000_000;
    world.source.tag += 1;
}

fn change_codec(world: &mut World) {
    world.source.pt = VP8;
    world.source.tag += 1;
}

/// The video packets of one tag.
pub(super) fn tagged(client: &Client, tag: u8) -> Vec<&RtpPacket> {
    client
        .of_kind(true)
        .filter(|p| p.payload[2] == tag)
        .collect()
}

/// A viewer that was there before goes on after a change to codec `pt`, which
/// is its own number for it.
fn check(workers: usize, change: fn(&mut World), source_pt: u8, pt: u8) {
    let mut world = World::new(workers);
    world.publish();
    let viewer = world.play();
    change(&mut world);
    world.stream(5 * SECOND);
    let client = &world.clients[viewer];
    let before = tagged(client, 0);
    let after = tagged(client, 1);
    assert!(after.len() > 100, "{} after the change", after.len());
    let keyframe = payload(source_pt, true, 1, 0);
    assert_eq!(
        after[0].payload[..3],
        keyframe[..3],
        "starts with a keyframe"
    );
    assert!(after.iter().all(|p| *p.header.payload_type == pt));
    assert!(after.iter().all(|p| p.header.ssrc == before[0].header.ssrc));
    assert_contiguous(&client.numbers(true));
    assert_contiguous(&client.numbers(false));
    let steps = before.iter().chain(&after).map(|p| p.header.timestamp);
    let steps: Vec<_> = steps.collect();
    for step in steps.windows(2) {
        let ticks = step[1].wrapping_sub(step[0]);
        assert!((1..90_000).contains(&ticks), "time leaps by {ticks}");
    }
}

#[test]
fn a_new_ssrc_goes_on_in_the_viewers_numbers() {
    for workers in [1, 2] {
        check(workers, change_ssrc, H264, 126);
    }
}

#[test]
fn a_new_codec_goes_on_in_the_viewers_numbers() {
    for workers in [1, 2] {
        check(workers, change_codec, VP8, 120);
    }
}

#[test]
fn ssrcs_change_again_and_again() {
    let mut world = World::new(1);
    world.publish();
    let viewer = world.play();
    for _ in 0..5 {
        change_ssrc(&mut world);
        world.stream(2 * SECOND);
    }
    let client = &world.clients[viewer];
    assert!(tagged(client, 5).len() > 30);
    assert_contiguous(&client.numbers(true));
    assert_eq!(world.ends(VIEWER, world.now), []);
}

/// The sequence begins anew elsewhere, under the same SSRC.
fn leap_in_sequence(world: &mut World) {
    world.source.sequence += 20_000;
    world.source.tag += 1;
}

/// Time leaps ahead by an hour, or back.
fn leap_ahead(world: &mut World) {
    world.source.time = world.source.time.wrapping_add(3_600 * 90_000);
    world.source.tag += 1;
}

fn leap_back(world: &mut World) {
    world.source.time = world.source.time.wrapping_sub(3_600 * 90_000);
    world.source.tag += 1;
}

#[test]
fn numbers_that_leap_go_on_in_the_viewers_numbers() {
    for change in [leap_in_sequence, leap_ahead, leap_back] as [fn(&mut World); 3] {
        let mut world = World::new(1);
        world.publish();
        let viewer = world.play();
        change(&mut world);
        world.stream(5 * SECOND);
        let client = &world.clients[viewer];
        let after = tagged(client, 1);
        assert!(after.len() > 100, "{} after the leap", after.len());
        assert_contiguous(&client.numbers(true));
        let times: Vec<_> = client.of_kind(true).map(|p| p.header.timestamp).collect();
        for step in times.windows(2) {
            let ticks = step[1].wrapping_sub(step[0]);
            assert!((1..90_000).contains(&ticks), "time leaps by {ticks}");
        }
    }
}
