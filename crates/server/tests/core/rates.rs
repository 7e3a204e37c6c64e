//! Reference section 3.9: what clients are told of their video, once a second.

use serde_json::json;
use twoway_server::core::backend::{EndReason, VideoRate};

use crate::fake_backend::{ANSWERED, FLOWS};
use crate::world::{World, play, publish};

const RATE: VideoRate = VideoRate {
    bitrate_bps: 1_500_000,
    fps: 29.9,
    nacks: 3,
    plis: 2,
    lost_packets: 5,
};

#[test]
fn each_end_is_told_under_its_own_id() {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.read(publisher);
    world.read(viewer);
    world.media_rates(1, RATE);
    world.media_rates(0, VideoRate::default());
    let inbound = json!({ "message": "inboundVideoRate", "data": [{
        "mediaSessionId": "p", "videoRate": 1_500_000, "fps": 29.9,
        "nack": 3, "pli": 2, "lostPackets": 5,
    }] });
    assert_eq!(world.read_json(publisher), [inbound]);
    let outbound = json!({ "message": "outboundVideoRate", "data": [{
        "mediaSessionId": "v", "videoRate": 0, "fps": 0,
        "nack": 0, "pli": 0, "lostPackets": 0,
    }] });
    assert_eq!(world.read_json(viewer), [outbound]);
}

#[test]
fn trap_30_nothing_is_told_before_media_flows_or_after_its_end() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", ANSWERED));
    world.read(client);
    world.media_rates(0, RATE);
    assert_eq!(world.read_short(client), [""; 0]);
    world.media_flows();
    world.read(client);
    world.media_ends(0, EndReason::ClosedByPeer);
    world.media_rates(0, RATE);
    assert_eq!(world.read_short(client), [""; 0]);
    world.pass(std::time::Duration::from_secs(1));
    world.read(client);
    world.media_rates(0, RATE);
    assert_eq!(world.read_short(client), [""; 0]);
}
