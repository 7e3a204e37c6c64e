//! What an application answers is what its clients get.

use serde_json::json;
use twoway_server::counters::Reason;
use wire::{ClientMessage, Connection};

use crate::application::{Answer, Application};
use crate::client::{Client, counted, play, publish, start};
use crate::{config, offer, problem};

const REFUSED: &str = "Restricted access: the application does not allow this";

#[tokio::test]
async fn what_is_allowed_goes_on() {
    let mut application = Application::start().await;
    let server = start(config(&application.url, |_| {})).await;
    let mut publisher = Client::publishing(server.addr(), "live").await;
    publisher.assert_untouched("live").await;
    for path in ["/whep/live", "/whip/other"] {
        assert_eq!(offer(server.addr(), path).await.status, 201);
    }
    let asked = [
        "connect",
        "publishStream",
        "playStream",
        "playStream",
        "publishStream",
    ];
    for method in asked {
        let call = application.call_of(method).await;
        assert_eq!(call.path, format!("/apps/Test/{method}"));
        assert_eq!(call.headers["content-type"], "application/json");
        assert_eq!(call.body["status"], "PENDING");
    }
    for reason in [
        Reason::HookRefused,
        Reason::HookUnanswered,
        Reason::HookFailed,
    ] {
        assert_eq!(server.counters().of(reason), 0, "{reason}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn an_answer_may_be_empty_and_the_address_may_end_in_a_slash() {
    let mut application = Application::start().await;
    application.answer("connect", Answer::Empty);
    application.answer("publishStream", Answer::Json(json!(true)));
    let server = start(config(&format!("{}/", application.url), |_| {})).await;
    Client::publishing(server.addr(), "live").await;
    assert_eq!(application.call().await.path, "/apps/Test/connect");
    server.shutdown().await;
}

#[tokio::test]
async fn a_session_that_is_refused_ends() {
    for status in [400, 401, 403, 404, 500, 503] {
        let application = Application::start().await;
        application.answer("connect", Answer::Status(status));
        let server = start(config(&application.url, |_| {})).await;
        let mut client = Client::open(server.addr(), "/").await;
        client
            .send(&ClientMessage::Connection(Connection::default()))
            .await;
        assert_eq!(client.failure().await, REFUSED, "{status}");
        assert_eq!(client.close_code().await, 1008);
        drop(client);
        counted(&server, Reason::HookRefused, 1).await;
        assert_eq!(server.counters().of(Reason::HookFailed), 0);
        server.shutdown().await;
    }
}

#[tokio::test]
async fn a_stream_that_is_refused_fails_alone() {
    let application = Application::start().await;
    let server = start(config(&application.url, |_| {})).await;
    let mut client = Client::publishing(server.addr(), "live").await;
    application.answer("publishStream", Answer::Status(403));
    application.answer("playStream", Answer::Status(500));
    client.send(&publish("p2", "other")).await;
    assert_eq!(client.status().await, format!("p2 FAILED {REFUSED}"));
    client.send(&play("v", "live")).await;
    assert_eq!(client.status().await, format!("v FAILED {REFUSED}"));
    for path in ["/whip/other", "/whep/live"] {
        let refused = offer(server.addr(), path).await;
        assert_eq!(problem(&refused), (403, "not-allowed".into()));
        assert!(!refused.text().contains("own words"), "{}", refused.text());
        assert_eq!(refused.expect("access-control-allow-origin"), "*");
    }
    counted(&server, Reason::HookRefused, 4).await;
    application.answer("playStream", Answer::Empty);
    client.assert_untouched("live").await;
    server.shutdown().await;
}

#[tokio::test]
async fn nobody_is_asked_about_before_the_session() {
    let mut application = Application::start().await;
    let server = start(config(&application.url, |_| {})).await;
    let mut client = Client::open(server.addr(), "/").await;
    client.send(&publish("p", "live")).await;
    let status = client.status().await;
    assert!(status.starts_with("p FAILED Session is not"), "{status}");
    client
        .send(&ClientMessage::Connection(Connection::default()))
        .await;
    assert_eq!(application.call().await.method(), "connect");
    server.shutdown().await;
}
