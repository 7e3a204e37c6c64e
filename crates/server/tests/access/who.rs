//! Servers with rules, and clients with tokens.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use twoway_server::access::tokens::Tokens;
use twoway_server::access::{Access, Denied};
use twoway_server::net::{Config, Live, Running};
use wire::{ClientMessage, Connection, PlayStream, PublishStream};

use crate::client::{Client, config, play, publish, start};
use crate::fake_backend::FLOWS;
use crate::web::{Response, request};

pub(crate) const PUBLISHER: &str = "token-for-publishers";
pub(crate) const VIEWER: &str = "token-for-everybody-else";
pub(crate) const OPERATOR: &str = "token-for-the-operator";

pub(crate) const TOKENS: &str = "publish cam-* token-for-publishers\n\
                                 play * token-for-everybody-else\n\
                                 admin - token-for-the-operator\n";

pub(crate) fn by_tokens(text: &str) -> Live {
    Live {
        access: Access {
            tokens: Some(Tokens::parse(text).unwrap()),
            ..Access::default()
        },
        ..Live::default()
    }
}

pub(crate) async fn serve(live: Live) -> Running {
    let live = Arc::new(live);
    start(Config { live, ..config() }).await
}

/// A `connection` that shows `token`.
pub(crate) fn connection(token: Option<&str>) -> ClientMessage {
    ClientMessage::Connection(Connection {
        custom: token.map(|token| json!({ "token": token })),
        ..Connection::default()
    })
}

/// A client whose session has shown `token`.
pub(crate) async fn connect(addr: SocketAddr, token: Option<&str>) -> Client {
    let mut client = Client::open(addr, "/").await;
    client.send(&connection(token)).await;
    client
}

/// The same stream, shown `token` with.
pub(crate) fn with_token(message: ClientMessage, token: &str) -> ClientMessage {
    let custom = Some(json!({ "token": token, "room": 7 }));
    if let ClientMessage::PublishStream(request) = message {
        return ClientMessage::PublishStream(PublishStream { custom, ..request });
    }
    let ClientMessage::PlayStream(request) = message else {
        panic!("{message:?} takes no token");
    };
    ClientMessage::PlayStream(PlayStream { custom, ..request })
}

/// What becomes of a publish over WebSocket, in words.
pub(crate) async fn publishes(client: &mut Client, name: &str) -> String {
    client.send(&publish(name, name)).await;
    client.status().await
}

/// What becomes of a play over WebSocket, in words.
pub(crate) async fn plays(client: &mut Client, id: &str, name: &str) -> String {
    client.send(&play(id, name)).await;
    client.status().await
}

/// What becomes of an offer to this path over HTTP.
pub(crate) async fn post(addr: SocketAddr, path: &str, token: Option<&str>) -> Response {
    ask(addr, "POST", path, token, FLOWS).await
}

pub(crate) async fn ask(
    addr: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &str,
) -> Response {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let kind = match method {
        "PATCH" => "application/trickle-ice-sdpfrag",
        _ => "application/sdp",
    };
    let mut headers = vec![("Content-Type", kind), ("If-Match", "*")];
    headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
    request(addr, method, path, &headers, body.as_bytes()).await
}

/// What a stream over WebSocket is told that may not be.
pub(crate) fn restricted(id: &str, denied: Denied) -> String {
    format!("{id} FAILED Restricted access: {denied}")
}

/// That an answer over HTTP says so, too, in every way there is.
#[track_caller]
pub(crate) fn assert_denied(answer: &Response, denied: Denied) {
    let status = match denied {
        Denied::NotAllowed => 403,
        _ => 401,
    };
    let body: Value = serde_json::from_str(answer.text()).unwrap();
    assert_eq!(answer.status, status, "{body}");
    assert_eq!(answer.expect("content-type"), "application/problem+json");
    assert_eq!(answer.expect("access-control-allow-origin"), "*");
    assert_eq!(body["detail"], denied.to_string());
    let challenge = answer.expect("www-authenticate");
    assert!(challenge.starts_with("Bearer realm="), "{challenge}");
    let error = match denied {
        Denied::NoToken => None,
        Denied::NotAllowed => Some("error=\"insufficient_scope\""),
        _ => Some("error=\"invalid_token\""),
    };
    assert_eq!(challenge.contains("error="), error.is_some(), "{challenge}");
    assert!(challenge.contains(error.unwrap_or_default()), "{challenge}");
}
