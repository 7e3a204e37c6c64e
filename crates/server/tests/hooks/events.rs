//! What an application is told is what was done.

use serde_json::json;
use twoway_server::hooks::Method;
use wire::{ClientMessage, MediaSessionId, StopStream, StreamName};

use crate::application::{Answer, Application};
use crate::client::{Client, play, soon, start};
use crate::web::request;
use crate::{config, offer};

const TOLD: [Method; 4] = [
    Method::StopStream,
    Method::UnPublishStream,
    Method::StreamStatusEvent,
    Method::ConnectionStatusEvent,
];

fn stop(id: &str, name: &str) -> StopStream {
    StopStream {
        media_session_id: Some(MediaSessionId::new(id)),
        name: Some(StreamName::new(name)),
        status: "PLAYING".into(),
        ..StopStream::default()
    }
}

#[tokio::test]
async fn a_session_is_told_from_first_to_last() {
    let mut application = Application::start().await;
    let server = start(config(&application.url, |_| {})).await;
    let mut client = Client::publishing(server.addr(), "live").await;
    client.send(&play("v", "live")).await;
    assert_eq!(client.status().await, "v PLAYING");
    client
        .send(&ClientMessage::StopStream(stop("v", "live")))
        .await;
    assert_eq!(client.status().await, "v STOPPED Stopped by user");
    client
        .send(&ClientMessage::UnPublishStream(stop("p", "live")))
        .await;
    assert_eq!(client.status().await, "p UNPUBLISHED Stopped by user");
    drop(client);
    let mut lines = application.lines(11).await;
    // Questions and events go their own ways: each kind is in order.
    let events = lines.extract_if(.., |line| {
        line.contains("Event") || line.contains("top") || line.starts_with("unPub")
    });
    let events: Vec<_> = events.collect();
    assert_eq!(
        events,
        [
            "ConnectionStatusEvent ESTABLISHED",
            "StreamStatusEvent live PUBLISHING",
            "StreamStatusEvent live PLAYING",
            "stopStream live PLAYING",
            "StreamStatusEvent live STOPPED Stopped by user",
            "unPublishStream live PLAYING",
            "StreamStatusEvent live UNPUBLISHED Stopped by user",
            "ConnectionStatusEvent DISCONNECTED",
        ]
    );
    assert_eq!(
        lines,
        [
            "connect PENDING",
            "publishStream live PENDING",
            "playStream live PENDING"
        ]
    );
    assert!(application.rest().is_empty());
    server.shutdown().await;
}

#[tokio::test]
async fn streams_over_http_are_told_of_as_well() {
    let mut application = Application::start().await;
    let server = start(config(&application.url, |hooks| {
        hooks.methods = TOLD.to_vec()
    }))
    .await;
    let made = offer(server.addr(), "/whip/live").await;
    let played = offer(server.addr(), "/whep/live").await;
    let (made, played) = (made.expect("location"), played.expect("location"));
    let id = |location: &str| json!(location.rsplit('/').next().unwrap());
    let call = application.call().await;
    assert_eq!(call.line(), "StreamStatusEvent live PUBLISHING");
    assert_eq!(call.body["mediaSessionId"], id(made));
    assert_eq!(call.body["published"], true);
    assert_eq!(call.body["videoCodec"], "H264");
    let call = application.call().await;
    assert_eq!(call.line(), "StreamStatusEvent live PLAYING");
    assert_eq!(call.body["mediaSessionId"], id(played));
    assert_eq!(call.body["published"], false);
    let deleted = request(server.addr(), "DELETE", made, &[], &[]).await;
    assert_eq!(deleted.status, 200);
    let mut lines = application.lines(2).await;
    lines.sort();
    assert_eq!(
        lines,
        [
            "StreamStatusEvent live FAILED Stopped by publisher stop",
            "StreamStatusEvent live UNPUBLISHED Stopped by user",
        ]
    );
    server.shutdown().await;
}

#[tokio::test]
async fn what_is_refused_is_told_as_failed() {
    let mut application = Application::start().await;
    application.answer("playStream", Answer::Status(403));
    let server = start(config(&application.url, |_| {})).await;
    let mut client = Client::publishing(server.addr(), "live").await;
    client.send(&play("nobody's", "nobody")).await;
    client.status().await;
    application.answer("playStream", Answer::Empty);
    client.send(&play("v", "nobody")).await;
    assert_eq!(client.status().await, "v FAILED Session does not exist");
    loop {
        let call = application.call_of("StreamStatusEvent").await;
        if call.body["mediaSessionId"] == "v" {
            assert_eq!(
                call.line(),
                "StreamStatusEvent nobody FAILED Session does not exist"
            );
            break;
        }
    }
    server.shutdown().await;
}

#[tokio::test]
async fn the_servers_own_end_is_told() {
    let mut application = Application::start().await;
    let server = start(config(&application.url, |hooks| {
        hooks.methods = TOLD.to_vec()
    }))
    .await;
    let _client = Client::publishing(server.addr(), "live").await;
    soon(server.shutdown()).await;
    let lines: Vec<_> = application.rest().iter().map(|call| call.line()).collect();
    assert_eq!(
        lines,
        [
            "ConnectionStatusEvent ESTABLISHED",
            "StreamStatusEvent live PUBLISHING",
            "StreamStatusEvent live FAILED Stopped by session disconnect",
            "ConnectionStatusEvent DISCONNECTED",
        ]
    );
}
