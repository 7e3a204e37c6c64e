//! Every limit: a clear answer, a count, and nobody else touched.

use twoway_server::core::{ClientId, CloseCode, Config, Input};
use twoway_server::counters::Reason;
use twoway_server::limits::Limits;

use crate::fake_backend::FLOWS;
use crate::world::{World, play, publish};

fn limited() -> World {
    World::with(Config {
        limits: Limits {
            message_bytes: 10_000,
            sdp_bytes: 1_000,
            name_chars: 8,
            streams_per_session: 2,
            ..Limits::default()
        },
        ..Config::default()
    })
}

/// Sends `text` from a client beside a session that must stay as it is.
#[track_caller]
fn check(text: &str, answer: &str, reason: Reason) {
    let mut world = limited();
    let bystander = world.connect();
    world.send(bystander, publish("p", "live", FLOWS));
    world.read(bystander);
    let client = world.connect();
    world.send_text(client, text);
    assert_eq!(world.read_short(client), [answer]);
    assert_eq!(world.refused, [reason]);
    assert_bystander_untouched(&mut world, bystander, client);
}

#[track_caller]
fn assert_bystander_untouched(world: &mut World, bystander: ClientId, client: ClientId) {
    assert_eq!(world.read_short(bystander), [""; 0]);
    assert!(!world.closed.contains_key(&bystander));
    assert_eq!(world.backend.open_peers(), 1);
    world.handle(Input::Gone { client });
    world.send(bystander, play("v", "live", FLOWS));
    assert_eq!(world.read_short(bystander), ["v SDP", "v PLAYING"]);
}

#[test]
fn sdp_size() {
    let sdp = "x".repeat(1_001);
    let answer = "a FAILED SDP is larger than 1000 bytes";
    check(
        &publish("a", "b", &sdp).encode(),
        answer,
        Reason::OversizedSdp,
    );
    check(
        &play("a", "live", &sdp).encode(),
        answer,
        Reason::OversizedSdp,
    );
}

#[test]
fn name_length() {
    let answer = "a FAILED Stream name is longer than 8 characters";
    check(
        &publish("a", "123456789", FLOWS).encode(),
        answer,
        Reason::BadName,
    );
    check(
        &play("a", "123456789", FLOWS).encode(),
        answer,
        Reason::BadName,
    );
    let empty = "a FAILED Stream name is empty";
    check(&publish("a", "", FLOWS).encode(), empty, Reason::BadName);
    let missing = r#"{"message":"publishStream","data":[{"mediaSessionId":"a","sdp":"x"}]}"#;
    check(missing, empty, Reason::BadName);
}

#[test]
fn names_are_counted_in_characters() {
    let mut world = limited();
    let client = world.connect();
    world.send(client, publish("a", "прямой!!", FLOWS));
    assert_eq!(world.read_short(client), ["a SDP", "a PUBLISHING"]);
}

#[test]
fn ids() {
    let long = "fail publishStream: MediaSessionId is longer than 8 characters";
    check(
        &publish("123456789", "b", FLOWS).encode(),
        long,
        Reason::BadId,
    );
    let null = "fail playStream: MediaSessionId is null";
    check(&play("", "live", FLOWS).encode(), null, Reason::BadId);
    let missing = r#"{"message":"playStream","data":[{"name":"live","mediaSessionId":null}]}"#;
    check(missing, null, Reason::BadId);
    // Taken by the bystander.
    let taken = "p FAILED MediaSessionId is already in use";
    check(&play("p", "live", FLOWS).encode(), taken, Reason::BadId);
}

#[test]
fn an_id_taken_in_the_same_session_leaves_its_stream_alone() {
    let mut world = limited();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.read(client);
    world.send(client, play("p", "live", FLOWS));
    let answer = "fail playStream: MediaSessionId is already in use";
    assert_eq!(world.read_short(client), [answer]);
    assert_eq!(world.core.stats().publishers, 1);
}

#[test]
fn streams_per_session() {
    let mut world = limited();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.send(client, play("v", "live", FLOWS));
    world.read(client);
    world.send(client, play("w", "live", FLOWS));
    let answer = "w FAILED Session has 2 streams already, the most allowed";
    assert_eq!(world.read_short(client), [answer]);
    assert_eq!(world.refused, [Reason::TooManyStreams]);
    let other = world.connect();
    world.send(other, play("x", "live", FLOWS));
    assert_eq!(world.read_short(other), ["x SDP", "x PLAYING"]);
}

#[test]
fn message_size() {
    let mut world = limited();
    let bystander = world.connect();
    world.send(bystander, publish("p", "live", FLOWS));
    world.read(bystander);
    let client = world.connect();
    world.send_text(client, &"x".repeat(10_001));
    assert_eq!(world.closed.get(&client), Some(&CloseCode::TooBig));
    assert_eq!(world.refused, [Reason::OversizedMessage]);
    assert_bystander_untouched(&mut world, bystander, client);
}

#[test]
fn a_client_that_floods() {
    let mut world = limited();
    let bystander = world.connect();
    world.send(bystander, publish("p", "live", FLOWS));
    world.read(bystander);
    let client = world.connect();
    world.handle(Input::Flooding { client });
    assert_eq!(world.closed.get(&client), Some(&CloseCode::Policy));
    assert_eq!(world.refused, [Reason::FloodingClient]);
    assert_bystander_untouched(&mut world, bystander, client);
}

#[test]
fn a_client_that_does_not_read() {
    let mut world = limited();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.handle(Input::Overflowed { client });
    assert_eq!(world.closed.get(&client), Some(&CloseCode::Policy));
    assert_eq!(world.refused, [Reason::SlowClient]);
    assert_eq!(world.backend.open_peers(), 0);
    assert!(world.core.is_idle());
}

#[test]
fn binary_messages_are_ignored_and_counted() {
    let mut world = limited();
    let client = world.connect();
    world.handle(Input::Binary { client });
    assert_eq!(world.read_short(client), [""; 0]);
    assert_eq!(world.refused, [Reason::BinaryFrame]);
}

#[test]
fn broken_messages_are_told() {
    let mut world = limited();
    let client = world.connect();
    let broken = [
        "",
        "{",
        "[]",
        "null",
        "{\"message\":3}",
        r#"{"message":"publishStream","data":[7]}"#,
    ];
    for text in broken {
        world.send_text(client, text);
        let answer = world.read_short(client);
        assert_eq!(answer.len(), 1, "{text}");
        assert!(answer[0].starts_with("fail"), "{text}: {answer:?}");
    }
    assert_eq!(world.refused, [Reason::BadMessage; 6]);
}

#[test]
fn unknown_messages_are_told() {
    let mut world = limited();
    let client = world.connect();
    let name = "x".repeat(1_000);
    world.send_text(client, &format!(r#"{{"message":"{name}","data":[{{}}]}}"#));
    let answer = world.read_short(client);
    assert_eq!(
        answer,
        [format!("fail {}: Unknown message", "x".repeat(64))]
    );
    assert_eq!(world.refused, [Reason::UnknownMessage]);
}
