//! An application that is down, hangs or lies, with both answers for that.

use std::time::Duration;

use twoway_server::counters::Reason;
use twoway_server::hooks::{Method, OnError};
use wire::{ClientMessage, Connection};

use crate::application::{Answer, Application, FAULTS, Fault, Faulty};
use crate::client::{Client, counted, play, publish, soon, start};
use crate::{config, offer, problem};

const FAILED: &str = "Restricted access: the application cannot be asked whether this is allowed";

/// What ends by itself is not to be ended by the clock.
fn timeout(fault: Fault) -> Duration {
    match fault {
        Fault::Hangs => Duration::from_millis(50),
        Fault::Down | Fault::Says(_) | Fault::Endless => Duration::from_secs(60),
    }
}

#[tokio::test]
async fn a_faulty_application_refuses_if_so_it_is_set() {
    for fault in FAULTS {
        let application = Faulty::start(*fault).await;
        let server = start(config(&application.url, |hooks| {
            hooks.timeout = timeout(*fault);
            hooks.methods = vec![Method::Connect, Method::PublishStream, Method::PlayStream];
        }))
        .await;
        let mut client = Client::open(server.addr(), "/").await;
        client
            .send(&ClientMessage::Connection(Connection::default()))
            .await;
        assert_eq!(client.failure().await, FAILED, "{fault:?}");
        assert_eq!(client.close_code().await, 1008, "{fault:?}");
        for path in ["/whip/live", "/whep/live"] {
            let refused = offer(server.addr(), path).await;
            assert_eq!(problem(&refused), (503, "unavailable".into()), "{fault:?}");
        }
        drop(client);
        counted(&server, Reason::HookUnanswered, 3).await;
        counted(&server, Reason::HookFailed, 3).await;
        server.shutdown().await;
    }
}

#[tokio::test]
async fn a_faulty_application_allows_if_so_it_is_set() {
    for fault in FAULTS {
        let application = Faulty::start(*fault).await;
        let server = start(config(&application.url, |hooks| {
            hooks.timeout = timeout(*fault);
            hooks.on_error = OnError::Allow;
            hooks.methods = vec![Method::Connect, Method::PublishStream, Method::PlayStream];
        }))
        .await;
        let mut client = Client::publishing(server.addr(), "live").await;
        client.assert_untouched("live").await;
        for path in ["/whip/other", "/whep/live"] {
            assert_eq!(offer(server.addr(), path).await.status, 201, "{fault:?}");
        }
        drop(client);
        counted(&server, Reason::HookFailed, 5).await;
        assert_eq!(server.counters().of(Reason::HookUnanswered), 0);
        server.shutdown().await;
    }
}

#[tokio::test]
async fn an_application_that_fails_later_refuses_streams_and_ends_none() {
    let application = Application::start().await;
    let server = start(config(&application.url, |hooks| {
        hooks.methods = vec![Method::Connect, Method::PublishStream, Method::PlayStream];
    }))
    .await;
    let mut client = Client::publishing(server.addr(), "live").await;
    application.answer("playStream", Answer::Status(302));
    application.answer("publishStream", Answer::Status(204));
    client.send(&play("v", "live")).await;
    assert_eq!(client.status().await, format!("v FAILED {FAILED}"));
    client.send(&publish("p2", "other")).await;
    assert_eq!(client.status().await, format!("p2 FAILED {FAILED}"));
    application.answer("playStream", Answer::Empty);
    client.assert_untouched("live").await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_dead_application_holds_up_neither_events_nor_the_end() {
    let application = Faulty::start(Fault::Down).await;
    let server = start(config(&application.url, |hooks| {
        hooks.on_error = OnError::Allow;
    }))
    .await;
    let client = Client::publishing(server.addr(), "live").await;
    // Two questions, two events.
    counted(&server, Reason::HookFailed, 4).await;
    drop(client);
    counted(&server, Reason::HookFailed, 6).await;
    soon(server.shutdown()).await;
}
