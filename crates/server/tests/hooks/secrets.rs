//! What only the application may know, and how it knows that it is the server's.

use std::sync::Arc;

use aws_lc_rs::hmac as sha;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use md5::Md5;
use serde_json::json;
use twoway_server::access::Access;
use twoway_server::access::tokens::Tokens;
use twoway_server::hooks::Secret;
use twoway_server::net::{Config, Live};
use wire::{ClientMessage, Connection, MediaSessionId, PublishStream, ServerMessage, StreamName};

use crate::application::{Application, Call};
use crate::client::{Client, play, start};
use crate::fake_backend::FLOWS;
use crate::{config, offer};

const SECRET: &[u8] = b"a secret of the application";

#[tokio::test]
async fn an_application_can_check_who_sends() {
    let mut application = Application::start().await;
    let server = start(config(&application.url, |hooks| {
        hooks.secret = Some(Secret::new(SECRET).unwrap());
    }))
    .await;
    let _client = Client::publishing(server.addr(), "live").await;
    let calls = [application.call().await, application.call().await];
    for call in &calls {
        check_signatures(call);
    }
    let id = |call: &Call| call.headers["webhook-id"].clone();
    assert_ne!(
        id(&calls[0]),
        id(&calls[1]),
        "a message is told from another by its id"
    );
    server.shutdown().await;
}

fn check_signatures(call: &Call) {
    let header = |name: &str| call.headers[name].to_str().unwrap();
    let hash = header("authorization").strip_prefix("WCS ").unwrap();
    let bytes = (0..hash.len()).step_by(2);
    let hash: Vec<_> = bytes
        .map(|at| u8::from_str_radix(&hash[at..at + 2], 16).unwrap())
        .collect();
    let mut mac = Hmac::<Md5>::new_from_slice(SECRET).unwrap();
    mac.update(&call.raw);
    mac.verify_slice(&hash).unwrap();
    let signature = header("webhook-signature").strip_prefix("v1,").unwrap();
    let signature = BASE64_STANDARD.decode(signature).unwrap();
    let head = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp"));
    let signed = [head.as_bytes(), &call.raw].concat();
    let key = sha::Key::new(sha::HMAC_SHA256, SECRET);
    sha::verify(&key, &signed, &signature).unwrap();
}

#[tokio::test]
async fn nothing_is_signed_without_a_secret() {
    let mut application = Application::start().await;
    let server = start(config(&application.url, |_| {})).await;
    let _client = Client::connect(server.addr()).await;
    let call = application.call().await;
    for absent in ["authorization", "webhook-id", "webhook-signature"] {
        assert!(!call.headers.contains_key(absent), "{absent}");
    }
    server.shutdown().await;
}

/// Connects with a token, publishes with another one, and plays with that of the
/// connection.
async fn use_tokens(client: &mut Client) -> Vec<ServerMessage> {
    client
        .send(&ClientMessage::Connection(Connection {
            custom: Some(json!({ "token": "token-of-the-session", "login": "ann" })),
            ..Connection::default()
        }))
        .await;
    let mut seen = vec![client.next().await, client.next().await];
    client
        .send(&ClientMessage::PublishStream(PublishStream {
            media_session_id: Some(MediaSessionId::new("p")),
            name: Some(StreamName::new("live")),
            custom: Some(json!({ "token": "token-of-the-stream", "room": 7 })),
            sdp: FLOWS.into(),
            ..PublishStream::default()
        }))
        .await;
    seen.extend([client.next().await, client.next().await]);
    client.send(&play("v", "live")).await;
    seen.extend([client.next().await, client.next().await]);
    seen
}

fn token_of(call: &Call) -> Option<&str> {
    call.body["custom"]["token"].as_str()
}

#[tokio::test]
async fn tokens_are_for_the_questions_alone() {
    let mut application = Application::start().await;
    let server = start(config(&application.url, |_| {})).await;
    let mut client = Client::open(server.addr(), "/").await;
    let seen = use_tokens(&mut client).await;
    assert_eq!(offer(server.addr(), "/whep/live").await.status, 201);
    drop(client);
    let mut asked = Vec::new();
    loop {
        let call = application.call().await;
        if call.method().ends_with("Event") {
            assert!(
                !String::from_utf8_lossy(&call.raw).contains("token"),
                "{}",
                call.body
            );
        } else {
            asked.push(token_of(&call).map(str::to_owned));
        }
        if call.line() == "ConnectionStatusEvent DISCONNECTED" {
            break;
        }
        check_no_secret(&call, &seen);
    }
    let asked: Vec<_> = asked.iter().map(Option::as_deref).collect();
    let expected = [
        "token-of-the-session",
        "token-of-the-stream",
        "token-of-the-session",
        "token-of-a-request",
    ];
    assert_eq!(asked, expected.map(Some));
    server.shutdown().await;
}

/// The secret part of the session's own token is in no request.
fn check_no_secret(call: &Call, seen: &[ServerMessage]) {
    let ServerMessage::UserData(user_data) = &seen[0] else {
        panic!("{seen:?}");
    };
    let token = user_data.auth_token.as_deref().unwrap();
    let (public, secret) = token.rsplit_once('/').unwrap();
    assert!(
        !String::from_utf8_lossy(&call.raw).contains(secret),
        "{}",
        call.body
    );
    if token_of(call) != Some("token-of-a-request") && call.body["mediaSessionId"] == "p" {
        assert_eq!(call.body["sessionId"], public);
    }
}

#[tokio::test]
async fn tokens_that_the_server_checks_are_its_own() {
    let mut application = Application::start().await;
    let tokens = "publish,play * token-of-the-session\npublish,play * token-of-the-stream\n\
                  play * token-of-a-request\n";
    let access = Access {
        tokens: Some(Tokens::parse(tokens).unwrap()),
        ..Access::default()
    };
    let server = start(Config {
        live: Arc::new(Live {
            access,
            ..Live::default()
        }),
        ..config(&application.url, |_| {})
    })
    .await;
    let mut client = Client::open(server.addr(), "/").await;
    use_tokens(&mut client).await;
    assert_eq!(offer(server.addr(), "/whep/live").await.status, 201);
    drop(client);
    loop {
        let call = application.call().await;
        assert_eq!(token_of(&call), None, "{}", call.body);
        if call.method() == "publishStream" {
            assert_eq!(call.body["custom"], json!({ "room": 7 }));
        }
        if call.line() == "ConnectionStatusEvent DISCONNECTED" {
            break;
        }
    }
    server.shutdown().await;
}

#[tokio::test]
async fn whom_the_server_refuses_the_application_is_not_asked_about() {
    let mut application = Application::start().await;
    let access = Access {
        tokens: Some(Tokens::parse("play * token-of-a-request\n").unwrap()),
        ..Access::default()
    };
    let server = start(Config {
        live: Arc::new(Live {
            access,
            ..Live::default()
        }),
        ..config(&application.url, |_| {})
    })
    .await;
    let mut client = Client::connect(server.addr()).await;
    client.send(&play("v", "live")).await;
    let status = client.status().await;
    assert_eq!(
        status,
        "v FAILED Restricted access: an access token is needed"
    );
    drop(client);
    loop {
        let call = application.call().await;
        assert_ne!(call.method(), "playStream");
        if call.body["status"] == "DISCONNECTED" {
            break;
        }
    }
    server.shutdown().await;
}
