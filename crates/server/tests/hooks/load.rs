//! An application that is slow costs nobody but who waits for it.

use std::num::NonZeroUsize;

use twoway_server::counters::Reason;
use twoway_server::hooks::Method;
use wire::{ClientMessage, MediaSessionId, ServerMessage, StopStream};

use crate::application::{Answer, Application};
use crate::client::{Client, play, publish, start};
use crate::config;

#[tokio::test]
async fn a_client_waits_for_its_own_answer_and_no_other_does() {
    let mut application = Application::start().await;
    let server = start(config(&application.url, |hooks| {
        hooks.methods = vec![Method::Connect, Method::PublishStream];
    }))
    .await;
    let mut waiting = Client::connect(server.addr()).await;
    let mut other = Client::publishing(server.addr(), "live").await;
    application.answer("publishStream", Answer::Late);
    waiting.send(&publish("s", "slow")).await;
    waiting.send(&ClientMessage::Ping).await;
    while application.call_of("publishStream").await.body["name"] != "slow" {}
    other.assert_untouched("live").await;
    application.release();
    // What it sent after the question comes after the answer.
    assert!(matches!(
        waiting.next().await,
        ServerMessage::RemoteSdp { .. }
    ));
    assert_eq!(waiting.status().await, "s PUBLISHING");
    assert_eq!(waiting.next().await, ServerMessage::Pong);
    server.shutdown().await;
}

#[tokio::test]
async fn there_are_never_more_requests_than_allowed() {
    let mut application = Application::start().await;
    application.answer("connect", Answer::Late);
    let server = start(config(&application.url, |hooks| {
        hooks.connections = NonZeroUsize::new(2).unwrap();
    }))
    .await;
    let addr = server.addr();
    let clients = (0..10).map(|number| {
        tokio::spawn(async move {
            let mut client = Client::connect(addr).await;
            let id = format!("p{number}");
            client.send(&publish(&id, &id)).await;
            assert_eq!(client.status().await, format!("{id} PUBLISHING"));
        })
    });
    let clients: Vec<_> = clients.collect();
    application.lines(2).await;
    application.release();
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(application.most_at_a_time(), 2);
    server.shutdown().await;
}

#[tokio::test]
async fn a_question_that_finds_no_free_connection_has_no_answer() {
    let mut application = Application::start().await;
    application.answer("connect", Answer::Late);
    let server = start(config(&application.url, |hooks| {
        hooks.connections = NonZeroUsize::MIN;
        hooks.timeout = std::time::Duration::from_millis(50);
        hooks.methods = vec![Method::Connect];
    }))
    .await;
    for count in [2, 4] {
        let mut clients = [
            Client::open(server.addr(), "/").await,
            Client::open(server.addr(), "/").await,
        ];
        for client in &mut clients {
            client
                .send(&ClientMessage::Connection(wire::Connection::default()))
                .await;
        }
        for client in &mut clients {
            assert_eq!(client.close_code().await, 1008);
        }
        crate::client::counted(&server, Reason::HookUnanswered, count).await;
    }
    assert!(!application.rest().is_empty());
    server.shutdown().await;
}

#[tokio::test]
async fn events_that_nobody_takes_are_dropped_and_counted() {
    let application = Application::start().await;
    application.answer("StreamStatusEvent", Answer::Late);
    let mut config = config(&application.url, |hooks| {
        hooks.connections = NonZeroUsize::MIN;
        hooks.methods = vec![Method::StreamStatusEvent];
    });
    config.core.limits.messages_per_second = 1_000_000;
    let server = start(config).await;
    let mut client = Client::publishing(server.addr(), "live").await;
    while server.counters().of(Reason::HookDropped) == 0 {
        client.send(&play("v", "live")).await;
        assert_eq!(client.status().await, "v PLAYING");
        let stop = StopStream {
            media_session_id: Some(MediaSessionId::new("v")),
            ..StopStream::default()
        };
        client.send(&ClientMessage::StopStream(stop)).await;
        assert_eq!(client.status().await, "v STOPPED Stopped by user");
    }
    client.assert_untouched("live").await;
    application.release();
    server.shutdown().await;
}
