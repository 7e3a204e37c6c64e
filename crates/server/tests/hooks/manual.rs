//! The bodies that the manual shows are those that are sent.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use twoway_server::hooks::Method;
use wire::{ClientMessage, Connection, MediaSessionId, PublishStream, StopStream, StreamName};

use crate::application::{Application, Call};
use crate::client::{Client, play, start};
use crate::config;
use crate::fake_backend::FLOWS;

/// Members that are another's each time: their kind is compared.
const CHANGING: [&str; 4] = ["nodeId", "sessionId", "createDate", "sdp"];

/// The JSON under each heading of the manual that is a method's name.
fn shown() -> BTreeMap<String, Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/HOOKS.md");
    let page = std::fs::read_to_string(path).unwrap();
    let sections = page.split("\n### `").skip(1);
    let bodies = sections.map(|section| {
        let (method, rest) = section.split_once('`').unwrap();
        let (_, rest) = rest.split_once("```json\n").unwrap();
        let (body, _) = rest.split_once("```").unwrap();
        (method.to_owned(), serde_json::from_str(body).unwrap())
    });
    bodies.collect()
}

#[track_caller]
fn check(shown: &Value, call: &Call) {
    let (shown, sent) = (shown.as_object().unwrap(), call.body.as_object().unwrap());
    let names =
        |body: &serde_json::Map<String, Value>| -> Vec<String> { body.keys().cloned().collect() };
    assert_eq!(names(shown), names(sent), "{}", call.method());
    for (name, value) in sent {
        if CHANGING.contains(&name.as_str()) {
            assert_eq!(value.is_string(), shown[name].is_string(), "{name}");
        } else {
            assert_eq!(value, &shown[name], "{}: {name}", call.method());
        }
    }
}

#[tokio::test]
async fn every_body_is_as_the_manual_shows_it() {
    let shown = shown();
    let mut all: Vec<_> = Method::ALL.iter().map(|method| method.name()).collect();
    all.sort_unstable();
    assert_eq!(shown.keys().collect::<Vec<_>>(), all);
    let mut application = Application::start().await;
    let server = start(config(&application.url, |_| {})).await;
    let mut client = Client::open(server.addr(), "/").await;
    let connection = Connection {
        app_key: "defaultApp".into(),
        media_providers: vec!["WebRTC".into()],
        client_version: "2.0".into(),
        client_os_version: "5.0 (X11; Linux x86_64)".into(),
        client_browser_version: "Chrome 140".into(),
        custom: Some(json!({ "token": "of-ann", "login": "ann" })),
        ..Connection::default()
    };
    client.send(&ClientMessage::Connection(connection)).await;
    let publish = PublishStream {
        media_session_id: Some(MediaSessionId::new("5c6b0b50-c7a2-11f0")),
        name: Some(StreamName::new("live")),
        has_video: true,
        has_audio: true,
        media_provider: "WebRTC".into(),
        sdp: FLOWS.into(),
        custom: Some(json!({ "room": 7 })),
        bitrate: 1500.0,
        ..PublishStream::default()
    };
    client.send(&ClientMessage::PublishStream(publish)).await;
    client.status().await;
    let ClientMessage::PlayStream(mut request) = play("7d1f3a60-c7a2-11f0", "live") else {
        unreachable!()
    };
    (request.has_video, request.has_audio) = (true, true);
    request.media_provider = "WebRTC".into();
    client.send(&ClientMessage::PlayStream(request)).await;
    client.status().await;
    for (id, status, published) in [
        ("7d1f3a60-c7a2-11f0", "PLAYING", false),
        ("5c6b0b50-c7a2-11f0", "PUBLISHING", true),
    ] {
        let stop = StopStream {
            media_session_id: Some(MediaSessionId::new(id)),
            name: Some(StreamName::new("live")),
            published,
            has_video: true,
            has_audio: true,
            status: status.into(),
            record: false,
        };
        client
            .send(&if published {
                ClientMessage::UnPublishStream(stop)
            } else {
                ClientMessage::StopStream(stop)
            })
            .await;
        client.status().await;
    }
    drop(client);
    let mut seen = BTreeMap::new();
    while seen.len() < shown.len() {
        let call = application.call().await;
        seen.entry(call.method().to_owned()).or_insert(call);
    }
    for (method, call) in &seen {
        check(&shown[method], call);
    }
    server.shutdown().await;
}
