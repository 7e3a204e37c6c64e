//! What whoever watches the server is told of sessions and streams.

use serde_json::{Value, json};
use twoway_server::core::{Config, Input, Notice};
use wire::{ClientMessage, Connection, StreamStatus};

use crate::fake_backend::{ALIEN, FLOWS};
use crate::world::{World, play, publish, stop, unpublish, whip};

fn watched() -> World {
    World::with(Config {
        node_id: "node".into(),
        notices: true,
        ..Config::default()
    })
}

/// Each notice in one line.
fn told(world: &mut World) -> Vec<String> {
    let notices = world.notices.drain(..);
    notices
        .map(|notice| match notice {
            Notice::SessionEstablished { client, session } => {
                format!("{} established {}", client.0, session.session_id)
            }
            Notice::SessionEnded { client, session } => {
                format!("{} ended {}", client.0, session.session_id)
            }
            Notice::Stream { client, stream } => {
                let event = stream.event;
                let (id, status) = (event.media_session_id, event.status.as_str().to_owned());
                let info = event.info.unwrap_or_default();
                let line = format!("{} {id} {status} {info}", client.0);
                line.trim_end().into()
            }
            Notice::Data { client, event, .. } => {
                format!("{} data {}", client.0, event.operation_id)
            }
        })
        .collect()
}

const SESSION: &str = "/10.0.0.2:50066/10.0.0.1:8080";

#[test]
fn sessions_and_streams_are_told_from_first_to_last() {
    let mut world = watched();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(publisher, publish("p2", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.send(viewer, play("v2", "live", ALIEN));
    world.send(publisher, unpublish("p"));
    world.send(viewer, stop("v"));
    world.handle(Input::Gone { client: publisher });
    let expected = [
        format!("1 established {SESSION}"),
        format!("2 established {SESSION}"),
        "1 p PUBLISHING".into(),
        "1 p2 FAILED Stream name is already in use".into(),
        "2 v PLAYING".into(),
        "2 v2 FAILED No common codecs".into(),
        "1 p UNPUBLISHED Stopped by user".into(),
        "2 v FAILED Stopped by publisher stop".into(),
        format!("1 ended {SESSION}"),
    ];
    assert_eq!(told(&mut world), expected);
}

#[test]
fn a_resumed_session_goes_on_without_a_word() {
    let mut world = watched();
    let (publisher, token) = world.connect_kept(None);
    world.send(publisher, publish("p", "live", FLOWS));
    world.handle(Input::Gone { client: publisher });
    told(&mut world);
    let (back, _) = world.connect_kept(Some(&token));
    assert_eq!(told(&mut world), [""; 0]);
    world.pass(Config::default().resume_time * 10);
    let expected = [
        format!("{} p FAILED Stopped by session disconnect", back.0),
        format!("{} ended {SESSION}", back.0),
    ];
    assert_eq!(told(&mut world), expected);
}

#[test]
fn streams_over_http_are_told_under_their_addresses() {
    let mut world = watched();
    let path = whip("live", "r");
    world.offer(&path, FLOWS);
    world.delete(&path);
    let ids = world.notices.iter().map(|notice| match notice {
        Notice::Stream { stream, .. } => stream.session.session_id.clone(),
        other => panic!("{other:?}"),
    });
    assert_eq!(ids.collect::<Vec<_>>(), [SESSION, SESSION]);
    let expected = ["1 r PUBLISHING", "1 r UNPUBLISHED Stopped by user"];
    assert_eq!(told(&mut world), expected);
}

#[test]
fn a_session_and_its_streams_show_no_token() {
    let mut world = watched();
    let client = world.open();
    let custom = json!({ "token": "secret", "login": "ann" });
    let connection = Connection {
        app_key: "app".into(),
        client_version: "2.0".into(),
        custom: Some(custom.clone()),
        ..Connection::default()
    };
    world.send(client, ClientMessage::Connection(connection));
    let ClientMessage::PublishStream(mut request) = publish("p", "live", FLOWS) else {
        unreachable!()
    };
    request.custom = Some(custom);
    world.send(client, ClientMessage::PublishStream(request));
    let [
        Notice::SessionEstablished { session, .. },
        Notice::Stream { stream, .. },
    ] = world.notices.as_slice()
    else {
        panic!("{:?}", world.notices);
    };
    assert_eq!(session.custom, Some(json!({ "login": "ann" })));
    assert_eq!(stream.event.status, StreamStatus::Publishing);
    let members = Value::Object(stream.to_members());
    for (member, value) in [
        ("nodeId", json!("node")),
        ("appKey", json!("app")),
        ("sessionId", json!(SESSION)),
        ("mediaSessionId", json!("p")),
        ("name", json!("live")),
        ("published", json!(true)),
        ("custom", json!({ "login": "ann" })),
    ] {
        assert_eq!(members[member], value, "{member}");
    }
}

#[test]
fn nothing_is_told_if_nobody_listens() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.handle(Input::Gone { client });
    assert_eq!(told(&mut world), [""; 0]);
}
