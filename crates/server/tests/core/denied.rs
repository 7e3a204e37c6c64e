//! What somebody may not have: how the core says so, and that nothing else comes of it.

use serde_json::json;
use twoway_server::access::Denied;
use twoway_server::core::{ClientId, CloseCode, Input};
use twoway_server::counters::Reason;
use wire::{ClientMessage, Connection};

use crate::fake_backend::FLOWS;
use crate::world::{World, available, play, publish, snapshot};

fn deny(world: &mut World, client: ClientId, message: ClientMessage, denied: Denied) {
    world.handle(Input::Denied {
        client,
        message: Box::new(message),
        denied,
    });
}

#[test]
fn a_stream_fails_and_says_why() {
    let mut world = World::new();
    let client = world.connect();
    deny(
        &mut world,
        client,
        publish("p", "live", FLOWS),
        Denied::NoToken,
    );
    deny(
        &mut world,
        client,
        play("v", "live", FLOWS),
        Denied::Expired,
    );
    let expected = [
        "p FAILED Restricted access: an access token is needed",
        "v FAILED Restricted access: the access token has expired",
    ];
    assert_eq!(world.read_short(client), expected);
    assert_eq!(world.refused, [Reason::NoToken, Reason::ExpiredToken]);
    assert_eq!(world.backend.open_peers(), 0);
    // The session is as it was.
    world.send(client, publish("p", "live", FLOWS));
    assert_eq!(world.read_short(client), ["p SDP", "p PUBLISHING"]);
    world.handle(Input::Gone { client });
    assert!(world.core.is_idle());
}

#[test]
fn questions_about_a_name_are_answered_as_if_it_was_not_there() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.read(client);
    deny(
        &mut world,
        client,
        available("a", "live"),
        Denied::NotAllowed,
    );
    deny(
        &mut world,
        client,
        snapshot("s", "live"),
        Denied::WrongAudience,
    );
    let told = world.read_json(client);
    let why = "Restricted access: the access token does not allow this";
    let answer = &told[0]["data"][0];
    assert_eq!(told[0]["message"], "availableStream");
    assert_eq!(
        [&answer["status"], &answer["info"]],
        [&json!("false"), &json!(why)]
    );
    let payload = json!({ "info": "Restricted access: the access token is for another audience" });
    let event = &told[1]["data"][0];
    assert_eq!(
        [&event["type"], &event["payload"]],
        [&json!("snapshotFailed"), &payload]
    );
    assert_eq!(world.refused, [Reason::NotAllowed, Reason::WrongAudience]);
}

#[test]
fn a_connection_is_told_why_and_closed() {
    let mut world = World::new();
    let client = world.open();
    let connection = ClientMessage::Connection(Connection::default());
    deny(&mut world, client, connection, Denied::BadToken);
    let why = "fail connection: Restricted access: the access token is not valid";
    assert_eq!(world.read_short(client), [why]);
    assert_eq!(world.closed[&client], CloseCode::Policy);
    assert_eq!(world.refused, [Reason::BadToken]);
    assert!(world.core.is_idle());
    // Whatever comes after it is for nobody.
    deny(
        &mut world,
        client,
        publish("p", "live", FLOWS),
        Denied::NoToken,
    );
    assert_eq!(world.read_short(client), [""; 0]);
}

#[test]
fn before_a_connection_nothing_is_denied_that_is_not_there_anyway() {
    let mut world = World::new();
    let client = world.open();
    deny(
        &mut world,
        client,
        publish("p", "live", FLOWS),
        Denied::NoToken,
    );
    let early = "p FAILED Session is not established: send connection first";
    assert_eq!(world.read_short(client), [early]);
    assert_eq!(world.refused, [Reason::OutOfOrder]);
}
