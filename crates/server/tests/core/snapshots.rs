//! Reference sections 2.5 and 5.10: pictures of live streams.

use std::time::Duration;

use serde_json::{Value, json};
use twoway_server::core::backend::SnapshotError;
use twoway_server::core::{Config, Input};
use twoway_server::counters::Reason;
use twoway_server::limits::Limits;

use crate::fake_backend::{ANSWERED, FLOWS};
use crate::world::{World, play, publish, snapshot, unpublish};

fn completed(id: &str, base64: &str) -> Value {
    event(id, "snapshotCompleted", json!({ "snapshot": base64 }))
}

fn failed(id: &str, info: &str) -> Value {
    event(id, "snapshotFailed", json!({ "info": info }))
}

fn event(id: &str, event_type: &str, payload: Value) -> Value {
    let data = json!([{ "mediaSessionId": id, "type": event_type, "payload": payload }]);
    json!({ "message": "notifyStreamEvent", "data": data })
}

#[test]
fn a_picture_comes_as_base64_without_prefix() {
    let mut world = World::new();
    let publisher = world.connect();
    let client = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.read(publisher);
    world.send(client, snapshot("fresh", "live"));
    assert_eq!(world.read_short(client), [""; 0]);
    world.media_takes_snapshot(Ok(vec![0x89, b'P', b'N', b'G', 0xff]));
    assert_eq!(world.read_json(client), [completed("fresh", "iVBOR/8=")]);
    assert_eq!(world.read_short(publisher), [""; 0]);
    world.handle(Input::Gone { client: publisher });
    world.handle(Input::Gone { client });
    assert!(world.core.is_idle());
}

#[test]
fn ids_of_live_streams_are_as_good_as_fresh_ones() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.send(client, play("v", "live", FLOWS));
    world.read(client);
    // The same id twice, and each request has its own answer.
    for id in ["p", "v", "v"] {
        world.send(client, snapshot(id, "live"));
    }
    world.media_takes_snapshot(Ok(b"1".into()));
    world.media_takes_snapshot(Ok(b"2".into()));
    world.media_takes_snapshot(Err(SnapshotError::NoKeyframe));
    let told = world.read_json(client);
    let why = "no keyframe came in time";
    let expected = [
        completed("p", "MQ=="),
        completed("v", "Mg=="),
        failed("v", why),
    ];
    assert_eq!(told, expected);
    // The streams are what they were.
    world.send(client, unpublish("p"));
    let told = [
        "p UNPUBLISHED Stopped by user",
        "v FAILED Stopped by publisher stop",
    ];
    assert_eq!(world.read_short(client), told);
}

#[test]
fn what_cannot_be_taken_is_told() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, snapshot("s", "missing"));
    assert_eq!(world.read_json(client), [failed("s", "Stream not found")]);
    world.send_text(
        client,
        r#"{"message":"snapshot","data":[{"mediaSessionId":"s"}]}"#,
    );
    assert_eq!(world.read_json(client), [failed("s", "Stream not found")]);
    world.send(client, publish("p", "live", ANSWERED));
    world.read(client);
    world.send(client, snapshot("s", "live"));
    let why = "Publish stream is not ready";
    assert_eq!(world.read_json(client), [failed("s", why)]);
    world.send_text(client, r#"{"message":"snapshot","data":[{"name":"live"}]}"#);
    let null = "fail snapshot: MediaSessionId is null";
    assert_eq!(world.read_short(client), [null]);
    world.send(client, snapshot(&"x".repeat(256), "live"));
    let long = "fail snapshot: MediaSessionId is longer than 255 characters";
    assert_eq!(world.read_short(client), [long]);
    world.media_flows();
    world.read(client);
    for (error, why) in [
        (SnapshotError::SourceGone, "the stream has ended"),
        (SnapshotError::NoVideo, "the stream has no video"),
        (
            SnapshotError::Codec,
            "the stream's video codec cannot be decoded here",
        ),
        (SnapshotError::Damaged, "the keyframe cannot be decoded"),
        (
            SnapshotError::Busy,
            "too many snapshots are being taken: try again later",
        ),
    ] {
        world.send(client, snapshot("s", "live"));
        world.media_takes_snapshot(Err(error));
        assert_eq!(world.read_json(client), [failed("s", why)]);
    }
}

#[test]
fn a_session_waits_for_a_few_at_a_time() {
    let limits = Limits {
        snapshots_per_session: 2,
        ..Limits::default()
    };
    let mut world = World::with(Config {
        limits,
        ..Config::default()
    });
    let client = world.connect();
    let other = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.read(client);
    for id in ["1", "2", "3"] {
        world.send(client, snapshot(id, "live"));
    }
    let why = "Session waits for 2 snapshots already, the most allowed";
    assert_eq!(world.read_json(client), [failed("3", why)]);
    assert_eq!(world.refused, [Reason::TooManySnapshots]);
    world.send(other, snapshot("4", "live"));
    assert_eq!(world.read_short(other), [""; 0]);
    world.media_takes_snapshot(Ok(Vec::new()));
    world.send(client, snapshot("5", "live"));
    assert_eq!(world.read_json(client), [completed("1", "")]);
}

#[test]
fn a_server_may_take_none() {
    let limits = Limits {
        snapshots_per_session: 0,
        ..Limits::default()
    };
    let mut world = World::with(Config {
        limits,
        ..Config::default()
    });
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.read(client);
    world.send(client, snapshot("1", "live"));
    let why = "Snapshots are not taken here";
    assert_eq!(world.read_json(client), [failed("1", why)]);
    assert_eq!(world.refused, [Reason::Unsupported]);
}

#[test]
fn a_backend_that_does_not_answer_is_not_waited_for() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.send(client, snapshot("s", "live"));
    world.read(client);
    world.pass_awake(client, Config::default().snapshot_timeout);
    let told = world.read_json(client);
    assert!(
        told.contains(&failed("s", "no picture came in time")),
        "{told:?}"
    );
    // The picture that comes late is nobody's.
    world.media_takes_snapshot(Ok(Vec::new()));
    assert_eq!(world.read_short(client), [""; 0]);
}

#[test]
fn who_leaves_waits_for_nothing() {
    let mut world = World::new();
    let publisher = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.read(publisher);
    let gone = world.connect();
    world.send(gone, snapshot("s", "live"));
    world.handle(Input::Gone { client: gone });
    world.media_takes_snapshot(Ok(Vec::new()));
    assert_eq!(world.read_short(gone), [""; 0]);
    // Nor does a session that waits for its client, or moves to another socket.
    let (client, token) = world.connect_kept(None);
    world.send(client, play("v", "live", FLOWS));
    world.send(client, snapshot("s", "live"));
    world.read(client);
    world.handle(Input::Gone { client });
    world.media_takes_snapshot(Ok(Vec::new()));
    let (back, _) = world.connect_kept(Some(&token));
    assert_eq!(world.read_short(back), ["v PLAYING"]);
    world.send(back, snapshot("s", "live"));
    let (again, _) = world.connect_kept(Some(&token));
    world.media_takes_snapshot(Ok(Vec::new()));
    assert_eq!(world.read_short(again), ["v PLAYING"]);
    for client in [publisher, again] {
        world.handle(Input::Gone { client });
    }
    world.pass(Duration::from_secs(30));
    assert!(world.core.is_idle());
}
