//! Reference sections 1 and 4.1: connection, pings, and who is let go.

use std::time::Duration;

use serde_json::{Value, json};
use twoway_server::core::{CloseCode, Config, Input, Problem, Reply};
use twoway_server::counters::Reason;
use twoway_server::limits::Limits;
use wire::{ClientMessage, Connection};

use crate::fake_backend::FLOWS;
use crate::world::{World, play, publish, unpublish, whep};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn connection_is_answered_with_user_data_then_version() {
    let mut world = World::new();
    let client = world.open();
    world.send_text(
        client,
        r#"{"message":"connection","data":[{"appKey":"defaultApp","mediaProviders":["WebRTC","MSE"],
        "clientVersion":"2.0","custom":{"token":"t","room":1},"clientInfo":{},"authToken":"old"}]}"#,
    );
    let messages = world.read_json(client);
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0]["message"], "getUserData");
    let data = &messages[0]["data"][0];
    let token = "/10.0.0.2:50066/10.0.0.1:8080/00000000000000000000000000000001";
    assert_eq!(data["authToken"], token);
    assert_eq!(data["status"], "ESTABLISHED");
    assert_eq!(data["appKey"], "defaultApp");
    assert_eq!(
        data["custom"],
        json!({"room": 1}),
        "the token is nobody's business"
    );
    assert_eq!(data["mediaProviders"], json!(["WebRTC", "MSE"]));
    assert_eq!(messages[1]["message"], "getVersion");
    let version = messages[1]["data"][0].as_str().unwrap();
    let (build, hash) = version
        .strip_prefix("5.2.")
        .unwrap()
        .split_once('-')
        .unwrap();
    assert!(build.parse::<u32>().unwrap() >= 944, "{version}");
    assert!(!hash.is_empty());
    assert_eq!(world.core.stats().sessions, 1);
}

#[test]
fn user_data_tells_old_clients_that_there_is_no_tunnel() {
    let mut world = World::new();
    let client = world.open();
    world.send_text(client, r#"{"message":"connection","data":[{}]}"#);
    let data = world.read_json(client)[0]["data"][0].take();
    for tunnel in [
        "useWsTunnel",
        "useWsTunnelPacketization2",
        "useBase64BinaryEncoding",
    ] {
        assert_eq!(data[tunnel], false, "{tunnel}");
    }
}

#[test]
fn sip_is_refused_and_the_session_is_there_for_streams() {
    let mut world = World::new();
    let client = world.open();
    world.send_text(
        client,
        r#"{"message":"connection","data":[{"appKey":"defaultApp","sipLogin":"1001",
        "sipAuthenticationName":"1001","sipPassword":"secret","sipDomain":"sip.example",
        "sipOutboundProxy":"sip.example","sipPort":5060,"sipRegisterRequired":true}]}"#,
    );
    let told = world.read_json(client);
    let messages: Vec<_> = told.iter().map(|message| &message["message"]).collect();
    assert_eq!(messages, ["getUserData", "getVersion", "fail"]);
    let info = "SIP is not supported: the session is there for streams, calls are refused";
    let failure = json!({ "apiMethod": "connection", "status": "FAILED", "info": info });
    assert_eq!(told[2]["data"][0], failure);
    assert!(!told[0].to_string().contains("sip"), "{}", told[0]);
    assert_eq!(world.refused, [Reason::Unsupported]);
    world.send(client, publish("p", "live", FLOWS));
    assert_eq!(world.read_short(client), ["p SDP", "p PUBLISHING"]);
}

#[test]
fn pings_come_every_five_seconds() {
    let mut world = World::new();
    let client = world.connect();
    world.pass(4 * SECOND);
    assert_eq!(world.read_json(client), Vec::<Value>::new());
    for _ in 0..30 {
        world.pass(5 * SECOND);
        assert_eq!(
            world.read_json(client),
            [json!({"message": "ping", "data": [null]})]
        );
        world.send_text(client, r#"{"message":"pong"}"#);
    }
    assert!(world.closed.is_empty());
}

#[test]
fn ten_unanswered_pings_drop_the_client() {
    let mut world = World::new();
    let client = world.connect();
    world.pass(54 * SECOND);
    assert_eq!(world.read(client).len(), 10);
    assert!(world.closed.is_empty());
    world.pass(SECOND);
    assert_eq!(world.closed.get(&client), Some(&CloseCode::Policy));
    assert_eq!(world.refused, [Reason::DeadClient]);
    assert!(world.core.is_idle());
}

#[test]
fn any_message_is_a_sign_of_life() {
    let mut world = World::new();
    let client = world.connect();
    for text in [
        r#"{"message":"pong","data":[null]}"#,
        r#"{"message":"pong","data":[]}"#,
        r#"{"message":"pong"}"#,
        r#"{"message":"ping","data":[null]}"#,
        r#"{"message":"whatever","data":[{}]}"#,
        r#"{"message":"pushLogs","data":[{"logs":"..."}]}"#,
        "not even JSON",
    ] {
        world.pass(50 * SECOND);
        world.send_text(client, text);
    }
    world.pass(50 * SECOND);
    world.handle(Input::Binary { client });
    world.pass(50 * SECOND);
    assert!(world.closed.is_empty());
}

#[test]
fn a_dead_publisher_frees_its_name_and_fails_its_players() {
    let mut world = World::new();
    let viewer = world.connect();
    let publisher = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.read(viewer);
    for _ in 0..6 {
        world.pass(10 * SECOND);
        world.send_text(viewer, r#"{"message":"pong","data":[null]}"#);
    }
    assert!(world.closed.contains_key(&publisher));
    let told = world.read_short(viewer);
    let failed = told
        .iter()
        .filter(|line| *line == "v FAILED Stopped by publisher stop");
    assert_eq!(failed.count(), 1, "{told:?}");
    world.send(viewer, publish("again", "live", FLOWS));
    assert_eq!(world.read_short(viewer), ["again SDP", "again PUBLISHING"]);
}

#[test]
fn a_client_that_says_nothing_is_closed() {
    let mut world = World::new();
    let other = world.connect();
    let silent = world.open();
    world.pass(9 * SECOND);
    assert!(world.closed.is_empty());
    world.pass(SECOND);
    assert_eq!(world.closed.get(&silent), Some(&CloseCode::Policy));
    assert_eq!(world.refused, [Reason::SilentClient]);
    assert!(!world.closed.contains_key(&other));
}

#[test]
fn talking_without_connection_does_not_help() {
    let mut world = World::new();
    let client = world.open();
    for _ in 0..10 {
        world.send_text(client, r#"{"message":"pong","data":[null]}"#);
        world.pass(SECOND);
    }
    assert_eq!(world.closed.get(&client), Some(&CloseCode::Policy));
}

#[test]
fn messages_before_connection_are_refused() {
    let mut world = World::new();
    let client = world.open();
    world.send(client, publish("p", "live", FLOWS));
    world.send(client, play("v", "live", FLOWS));
    world.send_text(
        client,
        r#"{"message":"availableStream","data":[{"mediaSessionId":"a"}]}"#,
    );
    let why = "Session is not established: send connection first";
    assert_eq!(
        world.read_short(client),
        [
            format!("p FAILED {why}"),
            format!("v FAILED {why}"),
            format!("fail availableStream: {why}"),
        ]
    );
    assert_eq!(world.refused, [Reason::OutOfOrder; 3]);
    assert_eq!(world.backend.open_peers(), 0);
}

#[test]
fn a_second_connection_is_refused_and_changes_nothing() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.read(client);
    world.send_text(client, r#"{"message":"connection","data":[{}]}"#);
    let refusal = "fail connection: Session is already established";
    assert_eq!(world.read_short(client), [refusal]);
    assert_eq!(world.core.stats().publishers, 1);
}

#[test]
fn a_full_server_says_so() {
    let limits = Limits {
        sessions: 2,
        ..Limits::default()
    };
    let mut world = World::with(Config {
        limits,
        ..Config::default()
    });
    let first = world.connect();
    world.connect();
    let third = world.open();
    assert_eq!(world.closed.get(&third), Some(&CloseCode::TryAgainLater));
    assert_eq!(world.refused, [Reason::TooManySessions]);
    world.handle(Input::Gone { client: first });
    let fourth = world.open();
    assert!(!world.closed.contains_key(&fourth));
}

#[test]
fn a_server_about_to_end_keeps_what_it_has_and_takes_nobody_new() {
    let mut world = World::new();
    let (publisher, token) = world.connect_kept(None);
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.read(publisher);
    let silent = world.open();
    world.handle(Input::Drain);

    world.send(silent, ClientMessage::Connection(Connection::default()));
    assert_eq!(
        world.closed.get(&silent),
        Some(&CloseCode::TryAgainLater),
        "it came before, but had no session"
    );
    let request = world.offer(&whep("live", "w"), FLOWS);
    let Some(Reply::Refused { problem, detail }) = world.reply(request) else {
        panic!("not refused");
    };
    assert_eq!(problem, Problem::Unavailable);
    assert_eq!(detail, "the server is being restarted");
    assert_eq!(world.refused, [Reason::Draining; 2]);

    world.send(viewer, play("v", "live", FLOWS));
    assert_eq!(world.read_short(viewer), ["v SDP", "v PLAYING"]);
    world.handle(Input::Gone { client: publisher });
    let (back, same) = world.connect_kept(Some(&token));
    assert_eq!(same, token);
    world.send(back, unpublish("p"));
    assert_eq!(
        world.read_short(viewer),
        ["v FAILED Stopped by publisher stop"]
    );
}

#[test]
fn shutdown_tells_everyone_and_lets_nobody_in() {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.read(publisher);
    world.read(viewer);
    world.handle(Input::Shutdown);
    let told = ["p FAILED Stopped by session disconnect"];
    assert_eq!(world.read_short(publisher), told);
    assert_eq!(
        world.read_short(viewer),
        ["v FAILED Stopped by publisher stop"]
    );
    assert_eq!(world.closed.get(&publisher), Some(&CloseCode::GoingAway));
    assert_eq!(world.closed.get(&viewer), Some(&CloseCode::GoingAway));
    assert_eq!(world.backend.open_peers(), 0);
    assert!(world.core.is_idle());
    let late = world.open();
    assert_eq!(world.closed.get(&late), Some(&CloseCode::GoingAway));
    assert!(world.core.is_idle());
}
