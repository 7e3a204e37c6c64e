//! Reference section 3.4: what a status tells beside the status, and 3.6: what
//! players hear of the picture.

use std::time::Duration;

use serde_json::{Value, json};
use twoway_server::core::backend::{PlayoutDelay, Transport, VideoRate};
use twoway_server::core::{ClientId, Config};
use twoway_server::counters::Reason;
use twoway_server::limits::Limits;

use crate::fake_backend::{ANSWERED, FLOWS};
use crate::world::{World, play, publish, stop, unpublish};

/// A request as text, with `members` beside the usual ones.
fn request(message: &str, id: &str, members: &Value) -> String {
    let mut data = json!({
        "mediaSessionId": id, "name": "live", "hasVideo": true, "hasAudio": true,
        "mediaProvider": "WebRTC", "sdp": FLOWS,
    });
    for (name, value) in members.as_object().unwrap() {
        data[name] = value.clone();
    }
    json!({ "message": message, "data": [data] }).to_string()
}

/// The argument of the only status among what a client was sent.
#[track_caller]
fn status(world: &mut World, client: ClientId) -> Value {
    let mut messages = world.read_json(client);
    messages.retain(|message| message["message"] == "notifyStreamStatusEvent");
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.remove(0)["data"][0].take()
}

#[test]
fn a_status_is_a_whole_stream() {
    let mut world = World::new();
    let client = world.connect();
    world
        .core
        .set_unix_time(Duration::from_millis(1_790_000_000_123));
    let asked = json!({
        "bitrate": 1500, "minBitrate": "300", "maxBitrate": 2000, "transport": "tcp",
        "cvoExtension": true, "custom": {"room": 7, "token": "secret"},
    });
    world.send_text(client, &request("publishStream", "p", &asked));
    world.media_resizes(0, 1280, 720);
    let publishing = status(&mut world, client);
    let expected = json!({
        "mediaSessionId": "p", "status": "PUBLISHING", "name": "live", "published": true,
        "hasVideo": true, "hasAudio": true, "mediaProvider": "WebRTC", "record": false,
        "width": 0, "height": 0, "bitrate": 1500, "minBitrate": 300, "maxBitrate": 2000,
        "quality": 0, "gop": 0, "fps": 0, "audioBitrate": 0,
        "createDate": 1_790_000_000_123_u64, "mediaType": "publish", "transport": "TCP",
        "cvoExtension": true, "custom": {"room": 7},
        "audioCodec": "opus", "videoCodec": "H264",
    });
    assert_eq!(publishing, expected);
    let asked = json!({ "quality": 50, "custom": "text", "transport": "odd" });
    world.send_text(client, &request("playStream", "v", &asked));
    let playing = status(&mut world, client);
    let expected = json!({
        "mediaSessionId": "v", "status": "PLAYING", "name": "live", "published": false,
        "hasVideo": true, "hasAudio": true, "mediaProvider": "WebRTC", "record": false,
        "width": 1280, "height": 720, "bitrate": 0, "minBitrate": 0, "maxBitrate": 0,
        "quality": 50, "gop": 0, "fps": 0, "audioBitrate": 0,
        "createDate": 1_790_000_000_123_u64, "mediaType": "play", "custom": "text",
        "audioCodec": "opus", "videoCodec": "H264",
        "audioState": {"muted": false}, "videoState": {"muted": false},
    });
    assert_eq!(playing, expected);
    world.send(client, stop("v"));
    let stopped = status(&mut world, client);
    assert_eq!(stopped["status"], "STOPPED");
    assert_eq!(stopped["custom"], "text");
    assert_eq!(stopped["createDate"], expected["createDate"]);
}

#[test]
fn a_refused_stream_says_which_way_it_would_have_gone() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, play("v", "missing", FLOWS));
    assert_eq!(status(&mut world, client)["mediaType"], "play");
    world.send(client, publish("p", "", FLOWS));
    assert_eq!(status(&mut world, client)["mediaType"], "publish");
}

#[test]
fn custom_data_has_a_limit() {
    let limits = Limits {
        custom_bytes: 10,
        ..Limits::default()
    };
    let mut world = World::with(Config {
        limits,
        ..Config::default()
    });
    let client = world.connect();
    let fits = json!({ "custom": "12345678" });
    world.send_text(client, &request("publishStream", "p", &fits));
    assert_eq!(status(&mut world, client)["status"], "PUBLISHING");
    let large = json!({ "custom": "123456789" });
    world.send_text(client, &request("playStream", "v", &large));
    let refusal = "v FAILED custom is larger than 10 bytes";
    assert_eq!(world.read_short(client), [refusal]);
    assert_eq!(world.refused, [Reason::OversizedCustom]);
}

#[test]
fn the_backend_is_told_the_transport() {
    let mut world = World::new();
    let client = world.connect();
    for (index, (asked, expected)) in [
        (json!({}), Transport::Any),
        (json!({ "transport": "UDP" }), Transport::Udp),
        (json!({ "transport": "TCP" }), Transport::Tcp),
        (json!({ "transport": "tcp" }), Transport::Tcp),
        (json!({ "transport": "SCTP" }), Transport::Any),
        (json!({ "transport": null }), Transport::Any),
    ]
    .into_iter()
    .enumerate()
    {
        let message = if index == 0 {
            "publishStream"
        } else {
            "playStream"
        };
        world.send_text(client, &request(message, &index.to_string(), &asked));
        assert_eq!(world.backend.wishes.transport, expected, "{asked}");
    }
}

#[test]
fn a_player_may_ask_for_a_playout_delay() {
    let mut world = World::new();
    let client = world.connect();
    let asked = json!({ "custom": {"playoutDelay": {"min": 100, "max": 400}, "token": "t"} });
    // What a publisher has there is its own business.
    world.send_text(client, &request("publishStream", "p", &asked));
    assert_eq!(world.backend.wishes.playout_delay, None);
    world.send_text(client, &request("playStream", "v", &asked));
    let delay = PlayoutDelay {
        min: Duration::from_millis(100),
        max: Duration::from_millis(400),
    };
    assert_eq!(world.backend.wishes.playout_delay, Some(delay));
    world.read(client);
    let wrong = json!({ "custom": {"playoutDelay": {"min": 400, "max": 100}} });
    world.send_text(client, &request("playStream", "w", &wrong));
    let refusal = "w FAILED custom.playoutDelay must be {min, max} in whole milliseconds, \
                   min no more than max, max no more than 40950";
    assert_eq!(world.read_short(client), [refusal]);
    assert_eq!(world.refused, [Reason::BadRequest]);
}

#[test]
fn what_a_publish_asks_for_in_vain_is_told_and_the_stream_goes_on() {
    let mut world = World::new();
    let client = world.connect();
    let asked = json!({ "record": true, "rtmpUrl": "rtmp://host/live" });
    world.send_text(client, &request("publishStream", "p", &asked));
    let told = [
        "fail publishStream: Recording is not supported: the stream is published without",
        "fail publishStream: Re-publishing by RTMP is not supported: the stream is published without",
        "p SDP",
        "p PUBLISHING",
    ];
    assert_eq!(world.read_short(client), told);
    assert_eq!(world.refused, [Reason::Unsupported; 2]);
}

#[test]
fn a_size_wished_by_a_player_is_ignored() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.media_resizes(0, 1280, 720);
    world.read(client);
    let asked = json!({ "width": 320, "height": "240", "bitrate": 100, "quality": 10 });
    world.send_text(client, &request("playStream", "v", &asked));
    assert_eq!(status(&mut world, client)["width"], 1280);
}

#[test]
fn players_hear_of_another_size_and_late_ones_know_it() {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.read(publisher);
    assert_eq!(status(&mut world, viewer)["width"], 0);
    world.media_resizes(1, 640, 360);
    let told = json!({ "message": "notifyStreamEvent", "data": [{
        "mediaSessionId": "v", "type": "resize",
        "payload": { "streamerVideoWidth": 640, "streamerVideoHeight": 360 },
    }] });
    assert_eq!(world.read_json(viewer), [told]);
    // The same again is nothing new, and the publisher knows what it sends.
    world.media_resizes(1, 640, 360);
    assert_eq!(world.read_short(viewer), [""; 0]);
    assert_eq!(world.read_short(publisher), [""; 0]);
    world.send(viewer, play("late", "live", ANSWERED));
    world.read(viewer);
    world.media_resizes(2, 1280, 720);
    assert_eq!(world.read_short(viewer), ["v Resize"]);
    world.media_flows();
    let playing = status(&mut world, viewer);
    assert_eq!(
        [&playing["width"], &playing["height"]],
        [&json!(1280), &json!(720)]
    );
}

#[test]
fn players_who_outwait_their_publisher_hear_of_another_size() {
    let mut world = World::with(Config {
        hold_time: Duration::from_secs(20),
        ..Config::default()
    });
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.media_resizes(1, 640, 360);
    world.send(publisher, unpublish("p"));
    world.read(viewer);
    // The next one's size is theirs until it is known to be another.
    world.send(publisher, publish("next", "live", FLOWS));
    world.media_resizes(0, 640, 360);
    assert_eq!(world.read_short(viewer), [""; 0]);
    world.media_resizes(0, 1280, 720);
    assert_eq!(world.read_short(viewer), ["v Resize"]);
    world.send(publisher, unpublish("next"));
    // It may be known before media flows.
    world.send(publisher, publish("last", "live", ANSWERED));
    world.media_resizes(0, 320, 180);
    assert_eq!(world.read_short(viewer), [""; 0]);
    world.media_flows();
    assert_eq!(world.read_short(viewer), ["v Resize"]);
}

#[test]
fn rates_carry_the_size() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.send(client, play("v", "live", FLOWS));
    world.media_resizes(1, 640, 360);
    world.read(client);
    for back in [1, 0] {
        world.media_rates(back, VideoRate::default());
        let rate = &world.read_json(client)[0]["data"][0];
        assert_eq!(
            [&rate["width"], &rate["height"]],
            [&json!(640), &json!(360)]
        );
    }
}

#[test]
fn a_squeezed_player_is_told_both_bitrates() {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", ANSWERED));
    world.read(publisher);
    world.read(viewer);
    world.media_is_squeezed(0, 2_500_000, 800_000);
    assert_eq!(world.read_short(viewer), [""; 0]);
    world.media_flows();
    world.read(viewer);
    world.media_is_squeezed(0, 2_500_000, 800_000);
    let told = json!({ "message": "notifyStreamEvent", "data": [{
        "mediaSessionId": "v", "type": "notEnoughBandwidth",
        "payload": { "info": "2500000/800000" },
    }] });
    assert_eq!(world.read_json(viewer), [told]);
    world.media_is_squeezed(1, 2_500_000, 800_000);
    assert_eq!(world.read_short(publisher), [""; 0]);
}
