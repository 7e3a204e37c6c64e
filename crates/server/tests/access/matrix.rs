//! Each right, given and not, over WebSocket, WHIP and WHEP.

use serde_json::json;
use twoway_server::access::Denied::{self, BadToken, NoToken, NotAllowed};
use twoway_server::access::{Access, Grant, Names};
use twoway_server::counters::Reason;
use twoway_server::net::Live;
use wire::ServerMessage;

use crate::client::{Client, counted, play, publish, snapshot};
use crate::who::{
    OPERATOR, PUBLISHER, TOKENS, VIEWER, ask, assert_denied, by_tokens, connect, connection, plays,
    post, publishes, restricted, serve, with_token,
};

type Allowed = Result<(), Denied>;

/// Who may publish cam-1, publish dog-1, and play cam-1.
const MATRIX: [(Option<&str>, [Allowed; 3]); 4] = [
    (None, [Err(NoToken), Err(NoToken), Err(NoToken)]),
    (Some(PUBLISHER), [Ok(()), Err(NotAllowed), Err(NotAllowed)]),
    (Some(VIEWER), [Err(NotAllowed), Err(NotAllowed), Ok(())]),
    (
        Some(OPERATOR),
        [Err(NotAllowed), Err(NotAllowed), Err(NotAllowed)],
    ),
];

/// What a stream is told that is or is not allowed.
fn told(id: &str, allowed: Allowed, status: &str) -> String {
    match allowed {
        Ok(()) => format!("{id} {status}"),
        Err(denied) => restricted(id, denied),
    }
}

#[tokio::test]
async fn rights_over_web_socket() {
    for (token, [cam, dog, watch]) in MATRIX {
        let server = serve(by_tokens(TOKENS)).await;
        let mut client = connect(server.addr(), token).await;
        let published = publishes(&mut client, "cam-1").await;
        assert_eq!(published, told("cam-1", cam, "PUBLISHING"), "{token:?}");
        let published = publishes(&mut client, "dog-1").await;
        assert_eq!(published, told("dog-1", dog, "PUBLISHING"), "{token:?}");
        drop(client);
        let mut publisher = connect(server.addr(), Some(PUBLISHER)).await;
        // Until the one before has gone.
        while publishes(&mut publisher, "cam-1").await != "cam-1 PUBLISHING" {}
        let mut viewer = connect(server.addr(), token).await;
        let played = plays(&mut viewer, "v", "cam-1").await;
        assert_eq!(played, told("v", watch, "PLAYING"), "{token:?}");
        server.shutdown().await;
    }
}

#[tokio::test]
async fn rights_over_whip_and_whep() {
    for (token, [cam, dog, watch]) in MATRIX {
        let server = serve(by_tokens(TOKENS)).await;
        let addr = server.addr();
        let made = post(addr, "/whip/cam-1", Some(PUBLISHER)).await;
        assert_eq!(made.status, 201);
        for (path, allowed, status) in [
            // The name is taken, which only those get to know who might publish it.
            ("/whip/cam-1", cam, 409),
            ("/whip/dog-1", dog, 201),
            ("/whep/cam-1", watch, 201),
        ] {
            let answer = post(addr, path, token).await;
            match allowed {
                Ok(()) => assert_eq!(answer.status, status, "{token:?} {path}"),
                Err(denied) => assert_denied(&answer, denied),
            }
        }
        let location = made.expect("location");
        for (method, status) in [("PATCH", 204), ("DELETE", 200)] {
            let answer = ask(addr, method, location, token, "").await;
            match cam {
                // Who administers may end what everybody made.
                Err(_) if token == Some(OPERATOR) => assert_eq!(answer.status, status),
                Ok(()) => assert_eq!(answer.status, status),
                Err(denied) => assert_denied(&answer, denied),
            }
        }
        server.shutdown().await;
    }
}

#[tokio::test]
async fn a_client_is_refused_once_for_each_thing_it_may_not_have() {
    let server = serve(by_tokens(TOKENS)).await;
    let mut client = connect(server.addr(), None).await;
    publishes(&mut client, "cam-1").await;
    plays(&mut client, "v", "cam-1").await;
    post(server.addr(), "/whip/cam-1", None).await;
    counted(&server, Reason::NoToken, 3).await;
    post(server.addr(), "/whip/dog-1", Some(PUBLISHER)).await;
    counted(&server, Reason::NotAllowed, 1).await;
    post(server.addr(), "/whip/cam-1", Some("forged")).await;
    counted(&server, Reason::BadToken, 1).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_token_may_be_shown_at_the_upgrade_or_with_a_stream() {
    let server = serve(by_tokens(TOKENS)).await;
    let addr = server.addr();
    let bearer = format!("Bearer {PUBLISHER}");
    let opened = Client::open_with(addr, "/", &[("authorization", &bearer)]).await;
    let mut publisher = opened.unwrap();
    publisher.send(&connection(None)).await;
    let published = publishes(&mut publisher, "cam-1").await;
    assert_eq!(published, "cam-1 PUBLISHING");
    // One with the stream outweighs it, for that stream.
    let play_shown = with_token(play("v", "cam-1"), VIEWER);
    publisher.send(&play_shown).await;
    assert_eq!(publisher.status().await, "v PLAYING");
    let forged = with_token(publish("x", "cam-2"), "forged");
    publisher.send(&forged).await;
    assert_eq!(publisher.status().await, restricted("x", BadToken));
    let published = publishes(&mut publisher, "cam-2").await;
    assert_eq!(published, "cam-2 PUBLISHING");
    server.shutdown().await;
}

#[tokio::test]
async fn a_connection_with_a_forged_token_is_refused_with_a_reason() {
    let server = serve(by_tokens(TOKENS)).await;
    let addr = server.addr();
    let mut client = connect(addr, Some("forged")).await;
    let why = "Restricted access: the access token is not valid";
    assert_eq!(client.failure().await, why);
    assert_eq!(client.close_code().await, 1008);
    let opened = Client::open_with(addr, "/", &[("authorization", "Bearer forged")]).await;
    assert_eq!(opened.err(), Some(401));
    counted(&server, Reason::BadToken, 2).await;
    server.shutdown().await;
}

#[tokio::test]
async fn who_may_not_play_learns_nothing_of_a_stream() {
    let server = serve(by_tokens(TOKENS)).await;
    let mut publisher = connect(server.addr(), Some(PUBLISHER)).await;
    assert_eq!(publishes(&mut publisher, "cam-1").await, "cam-1 PUBLISHING");
    publisher.send(&snapshot("s", "cam-1")).await;
    let ServerMessage::StreamEvent(event) = publisher.next().await else {
        panic!("no event");
    };
    let why = "Restricted access: the access token does not allow this";
    assert_eq!(event.payload, Some(json!({ "info": why })));
    for name in ["cam-1", "nobody"] {
        let status = plays(&mut publisher, "v", name).await;
        assert_eq!(status, restricted("v", NotAllowed));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn nobody_is_told_a_token() {
    let server = serve(by_tokens(TOKENS)).await;
    let mut client = connect(server.addr(), Some(PUBLISHER)).await;
    let ServerMessage::UserData(data) = client.next().await else {
        panic!("no getUserData");
    };
    assert_eq!(data.connection.custom, Some(json!({})));
    let asked = with_token(publish("p", "cam-1"), PUBLISHER);
    client.send(&asked).await;
    let custom = loop {
        if let ServerMessage::StreamStatus(event) = client.next().await {
            break event.custom;
        }
    };
    assert_eq!(custom, Some(json!({ "room": 7 })));
    server.shutdown().await;
}

#[tokio::test]
async fn what_is_for_everybody_takes_no_token() {
    let anonymous = Some(Grant {
        play: Names::All,
        ..Grant::default()
    });
    let controlled = by_tokens(TOKENS);
    let open = Live::default();
    for (live, denied) in [(controlled, NoToken), (open, NotAllowed)] {
        let access = Access {
            anonymous: anonymous.clone(),
            ..live.access
        };
        let server = serve(Live { access, ..live }).await;
        let mut client = connect(server.addr(), None).await;
        let refused = publishes(&mut client, "cam-1").await;
        assert_eq!(refused, restricted("cam-1", denied));
        let absent = plays(&mut client, "v", "cam-1").await;
        assert_eq!(absent, "v FAILED Session does not exist");
        assert_eq!(post(server.addr(), "/whep/cam-1", None).await.status, 404);
        server.shutdown().await;
    }
}
