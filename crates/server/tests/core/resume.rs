//! Reference section 1.5: a session outlives its socket.

use std::time::Duration;

use serde_json::json;
use twoway_server::core::backend::EndReason;
use twoway_server::core::{ClientId, CloseCode, Config, Input};
use twoway_server::counters::Reason;
use twoway_server::limits::Limits;
use wire::{ClientMessage, Connection, StreamStatus};

use crate::fake_backend::{ANSWERED, FLOWS, SILENT};
use crate::world::{World, play, publish, short, stop, unpublish, whip};

const SECOND: Duration = Duration::from_secs(1);

/// A kept client that publishes `live`, and a viewer of it; nothing unread.
fn kept_publisher() -> (World, ClientId, String, ClientId) {
    let mut world = World::new();
    let (publisher, token) = world.connect_kept(None);
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.read(publisher);
    world.read(viewer);
    (world, publisher, token, viewer)
}

#[test]
fn a_resumed_session_has_its_streams_and_viewers() {
    let (mut world, publisher, token, viewer) = kept_publisher();
    world.handle(Input::Gone { client: publisher });
    world.pass_awake(viewer, 29 * SECOND);
    assert_eq!(world.core.stats().sessions, 2);
    let (back, same) = world.connect_kept(Some(&token));
    assert_eq!(same, token);
    assert_eq!(world.read_short(back), ["p PUBLISHING"]);
    let told = world.read(viewer);
    assert!(told.iter().all(|m| short(m) == "Ping"), "{told:?}");
    world.pass_awake(back, 40 * SECOND);
    world.read(back);
    world.send(back, unpublish("p"));
    assert_eq!(world.read_short(back), ["p UNPUBLISHED Stopped by user"]);
    let told = world.read_short(viewer);
    let failed = "v FAILED Stopped by publisher stop";
    assert_eq!(told.last().map(String::as_str), Some(failed));
}

#[test]
fn a_resumed_publisher_still_reaches_its_viewers() {
    let (mut world, publisher, token, viewer) = kept_publisher();
    let event = |event_type: &str| {
        json!({ "message": "sendStreamEvent", "data": [{
            "mediaSessionId": "p", "type": event_type, "payload": {"n": 1},
        }] })
        .to_string()
    };
    world.send_text(publisher, &event("audioMuted"));
    world.media_resizes(1, 640, 360);
    world.handle(Input::Gone { client: publisher });
    // Who comes while nobody is there plays what goes on.
    world.send(viewer, play("meanwhile", "live", FLOWS));
    let (back, _) = world.connect_kept(Some(&token));
    world.send_text(back, &event("data"));
    world.send(viewer, play("late", "live", FLOWS));
    let told = world.read(viewer);
    let lines: Vec<_> = told.iter().map(short).collect();
    let expected = [
        "v AudioMuted",
        "v Resize",
        "meanwhile SDP",
        "meanwhile PLAYING",
        "v Data",
        "meanwhile Data",
        "late SDP",
        "late PLAYING",
    ];
    assert_eq!(lines, expected);
    for message in told {
        if let wire::ServerMessage::StreamStatus(playing) = message {
            assert!(playing.audio_state.unwrap().muted);
            assert_eq!((playing.width, playing.height), (640.0, 360.0));
        }
    }
    // The old socket has no say any more.
    world.send_text(publisher, &event("audioUnmuted"));
    assert_eq!(world.read_short(viewer), [""; 0]);
}

#[test]
fn nobody_comes_back_and_the_session_ends() {
    let (mut world, publisher, token, viewer) = kept_publisher();
    world.handle(Input::Gone { client: publisher });
    world.pass(30 * SECOND);
    let told = world.statuses(viewer);
    let [failed] = told.as_slice() else {
        panic!("{told:?}");
    };
    let why = "Stopped by publisher stop";
    assert_eq!(failed.info.as_deref(), Some(why));
    assert_eq!(world.backend.open_peers(), 0);
    let (late, fresh) = world.connect_kept(Some(&token));
    assert_ne!(fresh, token);
    assert_eq!(world.read_short(late), [""; 0]);
    world.handle(Input::Gone { client: viewer });
    world.handle(Input::Gone { client: late });
    assert!(world.core.is_idle());
}

#[test]
fn what_happened_meanwhile_is_told_in_order() {
    let mut world = World::new();
    let other = world.connect();
    world.send(other, publish("q", "other", FLOWS));
    let (client, token) = world.connect_kept(None);
    world.send(client, play("v", "other", FLOWS));
    world.send(client, publish("lost", "lost", FLOWS));
    world.send(client, publish("late", "late", SILENT));
    world.send(client, publish("starts", "starts", ANSWERED));
    world.read(client);
    world.handle(Input::Gone { client });
    world.media_flows();
    world.media_ends(2, EndReason::IceLost);
    world.send_text(
        other,
        r#"{"message":"sendStreamEvent","data":[{"mediaSessionId":"q","type":"videoMuted"}]}"#,
    );
    world.pass(10 * SECOND);
    let (back, _) = world.connect_kept(Some(&token));
    let told = world.read_json(back);
    let told: Vec<_> = told.iter().map(|message| &message["data"][0]).collect();
    let seen: Vec<_> = told
        .iter()
        .map(|data| json!([data["mediaSessionId"], data["status"]]))
        .collect();
    assert_eq!(
        seen,
        [
            json!(["lost", "FAILED"]),
            json!(["v", "PLAYING"]),
            json!(["starts", "PUBLISHING"]),
        ]
    );
    assert_eq!(told[1]["videoState"], json!({ "muted": true }));
    // The start of what was asked for before is timed as ever.
    world.send(other, ClientMessage::Pong);
    world.pass_awake(back, 50 * SECOND);
    let told = world.statuses(back);
    let [failed] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(failed.media_session_id.as_str(), "late");
    assert_eq!(failed.status, StreamStatus::Failed);
}

#[test]
fn an_answer_that_comes_meanwhile_is_not_lost() {
    let mut world = World::new();
    let (client, token) = world.connect_kept(None);
    world.send(client, publish("p", "live", SILENT));
    world.handle(Input::Gone { client });
    world.media_answers();
    world.media_flows();
    let (back, _) = world.connect_kept(Some(&token));
    assert_eq!(world.read_short(back), ["p SDP", "p PUBLISHING"]);
}

#[test]
fn a_live_socket_gives_way() {
    let (mut world, publisher, token, viewer) = kept_publisher();
    let (back, same) = world.connect_kept(Some(&token));
    assert_eq!(same, token);
    assert_eq!(world.closed.get(&publisher), Some(&CloseCode::Policy));
    assert_eq!(world.read_short(back), ["p PUBLISHING"]);
    // The old socket's end comes late and means nothing.
    world.handle(Input::Gone { client: publisher });
    world.send_text(publisher, r#"{"message":"ping","data":[null]}"#);
    assert_eq!(world.read_short(viewer), [""; 0]);
    world.send(back, play("own", "live", FLOWS));
    assert_eq!(world.read_short(back), ["own SDP", "own PLAYING"]);
    assert_eq!(world.core.stats().sessions, 2);
}

#[test]
fn a_client_that_stops_answering_is_kept_too() {
    let (mut world, publisher, token, viewer) = kept_publisher();
    world.pass_awake(viewer, 60 * SECOND);
    assert_eq!(world.closed.get(&publisher), Some(&CloseCode::Policy));
    world.handle(Input::Gone { client: publisher });
    let (back, _) = world.connect_kept(Some(&token));
    assert_eq!(world.read_short(back), ["p PUBLISHING"]);
}

#[test]
fn it_can_be_resumed_again_and_again() {
    let (mut world, mut client, token, _) = kept_publisher();
    for _ in 0..3 {
        world.handle(Input::Gone { client });
        world.pass(5 * SECOND);
        client = world.connect_kept(Some(&token)).0;
        assert_eq!(world.read_short(client), ["p PUBLISHING"]);
    }
}

#[test]
fn a_resumption_without_keep_alive_is_the_last() {
    let (mut world, publisher, token, viewer) = kept_publisher();
    world.handle(Input::Gone { client: publisher });
    let back = world.open();
    let connection = Connection {
        auth_token: Some(token),
        ..Connection::default()
    };
    world.send(back, ClientMessage::Connection(connection));
    world.handle(Input::Gone { client: back });
    let failed = "v FAILED Stopped by publisher stop";
    assert_eq!(world.read_short(viewer), [failed]);
}

/// A client connects with `connection`, publishes and is gone: nothing is kept.
#[track_caller]
fn check_not_kept(config: Config, keep_alive: Option<bool>) {
    let mut world = World::with(config);
    let client = world.open();
    let connection = Connection {
        keep_alive,
        ..Connection::default()
    };
    world.send(client, ClientMessage::Connection(connection));
    world.send(client, publish("p", "live", FLOWS));
    world.handle(Input::Gone { client });
    assert_eq!(world.backend.open_peers(), 0);
    assert!(world.core.is_idle());
}

#[test]
fn only_who_asks_is_kept_and_only_if_the_server_wants_to() {
    check_not_kept(Config::default(), None);
    check_not_kept(Config::default(), Some(false));
    let never = Config {
        resume_time: Duration::ZERO,
        ..Config::default()
    };
    check_not_kept(never, Some(true));
}

#[test]
fn without_streams_there_is_nothing_to_keep() {
    let mut world = World::new();
    let (client, token) = world.connect_kept(None);
    world.send(client, publish("p", "live", FLOWS));
    world.send(client, stop("p"));
    world.handle(Input::Gone { client });
    assert!(world.core.is_idle());
    assert_ne!(world.connect_kept(Some(&token)).1, token);
}

#[test]
fn tokens_of_others_open_nothing() {
    let (mut world, publisher, token, viewer) = kept_publisher();
    // The viewer did not ask to be kept: its token is worth nothing.
    let viewers = "/10.0.0.2:50066/10.0.0.1:8080/00000000000000000000000000000002";
    let almost = &token[..token.len() - 1];
    for wrong in ["", "odd", viewers, almost, "/10.0.0.2:50066/10.0.0.1:8080"] {
        let (client, fresh) = world.connect_kept(Some(wrong));
        assert_ne!(fresh, wrong);
        world.send(client, unpublish("p"));
        assert_eq!(world.read_short(client), [""; 0], "{wrong}");
    }
    assert_eq!(world.read_short(publisher), [""; 0]);
    assert_eq!(world.read_short(viewer), [""; 0]);
    assert!(world.closed.is_empty());
}

#[test]
fn breaking_a_rule_ends_a_kept_session() {
    for broken in [
        |client| Input::Oversized { client },
        |client| Input::Flooding { client },
        |client| Input::Overflowed { client },
    ] {
        let (mut world, publisher, token, viewer) = kept_publisher();
        world.handle(broken(publisher));
        let failed = "v FAILED Stopped by publisher stop";
        assert_eq!(world.read_short(viewer), [failed]);
        assert_ne!(world.connect_kept(Some(&token)).1, token);
    }
}

#[test]
fn waiting_sessions_count_but_can_always_come_back() {
    let mut world = World::with(Config {
        limits: Limits {
            sessions: 2,
            ..Limits::default()
        },
        ..Config::default()
    });
    let (publisher, token) = world.connect_kept(None);
    world.send(publisher, publish("p", "live", FLOWS));
    world.handle(Input::Gone { client: publisher });
    let second = world.connect();
    // A third session is too many, over WebSocket and over HTTP.
    let third = world.open();
    world.send(third, ClientMessage::Connection(Connection::default()));
    assert_eq!(world.closed.get(&third), Some(&CloseCode::TryAgainLater));
    world.offer(&whip("other", "r"), FLOWS);
    assert_eq!(world.refused, [Reason::TooManySessions; 2]);
    let (back, same) = world.connect_kept(Some(&token));
    assert_eq!(same, token);
    assert_eq!(world.read_short(back), ["p PUBLISHING"]);
    assert!(!world.closed.contains_key(&second));
}

#[test]
fn shutdown_does_not_wait_for_anyone() {
    let (mut world, publisher, _, _) = kept_publisher();
    world.handle(Input::Gone { client: publisher });
    world.handle(Input::Shutdown);
    assert_eq!(world.backend.open_peers(), 0);
    assert!(world.core.is_idle());
}
