//! What the calls find and do.

use std::net::SocketAddr;

use serde_json::{Value, json};
use wire::{ClientMessage, Connection, DataEvent, PublishStream, ServerMessage, StreamEvent};

use crate::client::{Client, PICTURE_BYTES, config, play, publish, start};
use crate::described::{ask, ids, post};
use crate::web::{get, request};

/// A client that publishes under an id of its own.
async fn publishing(addr: SocketAddr, id: &str, name: &str) -> Client {
    let mut client = Client::connect(addr).await;
    client.send(&publish(id, name)).await;
    assert_eq!(client.status().await, format!("{id} PUBLISHING"));
    client
}

const FLOWS: &[u8] = crate::fake_backend::FLOWS.as_bytes();
const SDP: (&str, &str) = ("Content-Type", "application/sdp");

#[tokio::test]
async fn an_empty_server_has_nothing_to_find() {
    let server = start(config()).await;
    for path in ["/stream/find_all", "/stream/find", "/connection/find_all"] {
        assert_eq!(ask(server.addr(), path).await.0, 404, "{path}");
        assert_eq!(post(server.addr(), path, json!({})).await.0, 404, "{path}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn streams_of_both_worlds_are_found() {
    let server = start(config()).await;
    let addr = server.addr();
    let mut client = Client::publishing(addr, "live").await;
    client.send(&play("v", "live")).await;
    assert_eq!(client.status().await, "v PLAYING");
    let whip = request(addr, "POST", "/whip/other", &[SDP], FLOWS).await;
    assert_eq!(whip.status, 201);

    let (_, all) = ask(addr, "/stream/find_all").await;
    let resource = whip
        .expect("location")
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(ids(&all), ["p", "v", &resource]);
    assert_eq!(all[0]["viewers"], 1);
    assert_eq!(all[1]["viewers"], Value::Null);
    let session = all[0]["sessionId"].as_str().unwrap();
    assert!(session.ends_with(&format!("/{addr}")), "{session}");
    assert_eq!(session.split('/').count(), 3, "no secret: {session}");
    let other = all[2]["sessionId"].as_str().unwrap();
    assert!(
        other.starts_with("/127.0.0.1:") && other != session,
        "{other}"
    );

    for (body, expected) in [
        (json!({ "name": "live" }), vec!["p", "v"]),
        (json!({ "name": "live", "published": true }), vec!["p"]),
        (json!({ "mediaSessionId": "v" }), vec!["v"]),
        (json!({ "status": "PLAYING", "name": null }), vec!["v"]),
    ] {
        let (_, found) = post(addr, "/stream/find", body.clone()).await;
        assert_eq!(ids(&found), expected, "{body}");
    }
    let (_, found) = post(addr, "/stream/find", json!({ "display": ["metrics"] })).await;
    assert!(found[0]["metrics"].is_object(), "{found}");
    server.shutdown().await;
}

#[tokio::test]
async fn no_list_shows_a_token() {
    let server = start(config()).await;
    let mut client = Client::open(server.addr(), "/").await;
    let custom = Some(json!({ "token": "planted", "login": "ann" }));
    let connection = Connection {
        keep_alive: Some(true),
        custom: custom.clone(),
        ..Connection::default()
    };
    client.send(&ClientMessage::Connection(connection)).await;
    let ServerMessage::UserData(data) = client.next().await else {
        panic!("no session");
    };
    let ClientMessage::PublishStream(request) = publish("p", "live") else {
        unreachable!()
    };
    let request = PublishStream { custom, ..request };
    client.send(&ClientMessage::PublishStream(request)).await;
    assert_eq!(client.status().await, "p PUBLISHING");
    let secret = data.auth_token.unwrap();
    let secret = secret.rsplit('/').next().unwrap();
    for path in ["/stream/find_all", "/connection/find_all"] {
        let (_, found) = ask(server.addr(), path).await;
        assert_eq!(found[0]["custom"], json!({ "login": "ann" }));
        let text = found.to_string();
        assert!(
            !text.contains("planted") && !text.contains(secret),
            "{text}"
        );
    }
    server.shutdown().await;
}

#[tokio::test]
async fn long_lists_are_whole() {
    let server = start(config()).await;
    let mut clients = Vec::new();
    for session in 0..5 {
        let name = format!("live {session}");
        let mut client = publishing(server.addr(), &format!("p{session}"), &name).await;
        for viewer in 0..60 {
            let id = format!("v{session}.{viewer}");
            client.send(&play(&id, &name)).await;
            assert_eq!(client.status().await, format!("{id} PLAYING"));
        }
        clients.push(client);
    }
    let (_, all) = ask(server.addr(), "/stream/find_all").await;
    assert_eq!(ids(&all).len(), 5 * 61);
    let (_, rest) = ask(server.addr(), "/stream/find_all?after=300").await;
    assert_eq!(ids(&rest).len(), 5);
    server.shutdown().await;
}

#[tokio::test]
async fn a_terminated_stream_ends_with_its_info() {
    let server = start(config()).await;
    let mut publisher = Client::publishing(server.addr(), "live").await;
    let mut viewer = Client::connect(server.addr()).await;
    viewer.send(&play("v", "live")).await;
    assert_eq!(viewer.status().await, "v PLAYING");
    let which = json!({ "mediaSessionIds": ["p", "unknown"] });
    let (status, answer) = post(server.addr(), "/stream/terminate", which.clone()).await;
    assert_eq!((status, &answer["count"]), (200, &json!(1)));
    let told = publisher.status().await;
    assert_eq!(told, "p FAILED Stopped by rest /terminate");
    let told = viewer.status().await;
    assert_eq!(told, "v FAILED Stopped by publisher stop");
    let again = post(server.addr(), "/stream/terminate", which).await;
    assert_eq!(again.0, 404);
    // Both sessions go on.
    publisher.send(&publish("p2", "live")).await;
    assert_eq!(publisher.status().await, "p2 PUBLISHING");
    viewer.assert_untouched("live").await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_terminated_connection_is_closed() {
    let server = start(config()).await;
    let mut client = Client::publishing(server.addr(), "live").await;
    let mut other = publishing(server.addr(), "o", "other").await;
    let (_, found) = ask(server.addr(), "/connection/find_all").await;
    assert_eq!(found.as_array().unwrap().len(), 2);
    assert_eq!(found[0]["streams"], 1);
    let session = json!({ "sessionId": found[0]["sessionId"] });
    let (_, one) = post(server.addr(), "/connection/find", session.clone()).await;
    assert_eq!(one.as_array().unwrap().len(), 1);
    let ended = post(server.addr(), "/connection/terminate", session.clone()).await;
    assert_eq!(ended, (200, json!({ "count": 1 })));
    assert_eq!(client.close_code().await, 1008);
    let again = post(server.addr(), "/connection/terminate", session.clone()).await;
    assert_eq!(again.0, 404);
    assert_eq!(
        post(server.addr(), "/connection/find", session).await.0,
        404
    );
    other.assert_untouched("other").await;
    server.shutdown().await;
}

#[tokio::test]
async fn data_reaches_its_session() {
    let server = start(config()).await;
    let mut client = Client::connect(server.addr()).await;
    let (_, found) = ask(server.addr(), "/connection/find_all").await;
    let session = &found[0]["sessionId"];
    let body = json!({
        "nodeId": found[0]["nodeId"], "sessionId": session,
        "operationId": "o", "payload": { "n": [1, null] },
    });
    let (status, answer) = post(server.addr(), "/data/send", body).await;
    assert_eq!((status, answer), (200, json!({ "operationId": "o" })));
    let expected = ServerMessage::Data(DataEvent {
        operation_id: "o".into(),
        payload: json!({ "n": [1, null] }),
    });
    assert_eq!(client.next().await, expected);
    // An id is made for who brings none.
    let body = json!({ "sessionId": session, "payload": 1 });
    let (_, answer) = post(server.addr(), "/data/send", body).await;
    let ServerMessage::Data(event) = client.next().await else {
        panic!("no data");
    };
    assert_eq!(answer["operationId"], json!(event.operation_id));
    let body = json!({ "sessionId": "/elsewhere", "payload": 1 });
    assert_eq!(post(server.addr(), "/data/send", body).await.0, 404);
    server.shutdown().await;
}

#[tokio::test]
async fn an_event_reaches_the_players() {
    let server = start(config()).await;
    let mut client = Client::publishing(server.addr(), "live").await;
    client.assert_untouched("live").await;
    for which in ["streamName", "name", "mediaSessionId"] {
        let named = if which == "mediaSessionId" {
            "p"
        } else {
            "live"
        };
        let body = json!({ which: named, "payload": { "by": which } });
        let answer = post(server.addr(), "/stream/event/send", body).await;
        assert_eq!(answer, (200, json!({ "count": 1 })));
        let ServerMessage::StreamEvent(StreamEvent { payload, .. }) = client.next().await else {
            panic!("no event");
        };
        assert_eq!(payload, Some(json!({ "by": which })));
    }
    let nobody = json!({ "streamName": "nobody", "payload": 1 });
    assert_eq!(
        post(server.addr(), "/stream/event/send", nobody).await.0,
        404
    );
    server.shutdown().await;
}

#[tokio::test]
async fn a_picture_is_taken() {
    let server = start(config()).await;
    let _client = Client::publishing(server.addr(), "live").await;
    let body = json!({ "streamName": "live" });
    let (status, answer) = post(server.addr(), "/stream/snapshot", body).await;
    assert_eq!(status, 200);
    let length = answer["data"].as_str().unwrap().len();
    assert_eq!(length, PICTURE_BYTES.div_ceil(3) * 4);
    let nobody = json!({ "streamName": "nobody" });
    assert_eq!(post(server.addr(), "/stream/snapshot", nobody).await.0, 404);
    server.shutdown().await;
}

#[tokio::test]
async fn statistics_are_lines_of_text() {
    let server = start(config()).await;
    let mut client = Client::publishing(server.addr(), "live").await;
    client.assert_untouched("live").await;
    let response = get(server.addr(), "/?action=stat").await;
    assert_eq!(response.status, 200);
    assert!(response.expect("content-type").starts_with("text/plain"));
    let keys: Vec<_> = response.text().lines().collect();
    for line in ["connections=1", "streams_webrtc_in=1", "streams_viewers=1"] {
        assert!(keys.contains(&line), "{keys:?}");
    }
    let page = get(server.addr(), "/?action=other").await;
    assert!(page.expect("content-type").starts_with("text/html"));
    server.shutdown().await;
}
