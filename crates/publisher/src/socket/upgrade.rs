//! Asks an HTTP server to speak WebSocket (RFC 6455 section 4.1).

use std::net::SocketAddr;

use reqwest::header::{
    AUTHORIZATION, CONNECTION, HeaderMap, HeaderName, LOCATION, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{Response, StatusCode};
use session::{MAX_DETAIL_CHARS, MAX_MESSAGE_BYTES, Token};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::Connection;
use crate::http::{self, ANSWER_TIMEOUT, Failure, local_address_to};
use crate::{ServerUrl, TlsOptions, token};

/// Opens a WebSocket. Nothing of the request is ever logged: it has the token.
///
/// # Errors
/// Why there is none, as the end of a sentence about the server.
pub(super) async fn open(
    server: &ServerUrl,
    token: Option<&Token>,
    tls: &TlsOptions,
) -> Result<Connection, Failure> {
    let opening = timeout(ANSWER_TIMEOUT, ask(server, token, tls));
    let (response, key) = opening.await.unwrap_or_else(|_| {
        let seconds = ANSWER_TIMEOUT.as_secs();
        let why = format!("it does not answer within {seconds} s");
        Err(Failure::passing(why))
    })?;
    let peer = check(&response, &key, token.is_some())?;
    let scheme = server.scheme();
    let stream = response
        .upgrade()
        .await
        .map_err(|error| Failure::of(&error, scheme))?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    Ok(Connection {
        stream: WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await,
        local: local_address_to(peer).map_err(|error| Failure::passing(error.to_string()))?,
    })
}

/// The response, and the key it has to match.
async fn ask(
    server: &ServerUrl,
    token: Option<&Token>,
    tls: &TlsOptions,
) -> Result<(Response, String), Failure> {
    let key = generate_key();
    let client = http::client(tls).map_err(Failure::fatal)?;
    let mut request = client
        .get(server.upgrade_url())
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, &key);
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, http::bearer(token));
    }
    let response = request.send().await;
    let response = response.map_err(|error| Failure::of(&error, server.scheme()))?;
    Ok((response, key))
}

/// Whether the server agrees; then its address.
fn check(response: &Response, key: &str, had_token: bool) -> Result<SocketAddr, Failure> {
    let status = response.status();
    let headers = response.headers();
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refusal(status, headers, had_token));
    }
    let expected = derive_accept_key(key.as_bytes());
    let to_websocket =
        text(headers, UPGRADE).is_some_and(|to| to.eq_ignore_ascii_case("websocket"));
    if !to_websocket || text(headers, SEC_WEBSOCKET_ACCEPT) != Some(&expected) {
        let why = "it is no WebSocket server: it agrees to something else";
        return Err(Failure::fatal(why));
    }
    response
        .remote_addr()
        .ok_or_else(|| Failure::passing("its address is not known"))
}

/// What a status other than 101 means, and what to do.
fn refusal(status: StatusCode, headers: &HeaderMap, had_token: bool) -> Failure {
    let answered = format!("it answered {status}");
    Failure::fatal(match status.as_u16() {
        401 | 403 => format!("{answered}: {}", token::advice(had_token)),
        300..=399 => match text(headers, LOCATION) {
            Some(to) if to.len() <= MAX_DETAIL_CHARS => {
                format!("{answered}: it wants to be called at {to}")
            }
            Some(_) | None => format!("{answered}: it wants to be called at another address"),
        },
        404 | 405 | 410 => format!("{answered}: no WebSocket server is at this address"),
        408 | 425 | 429 | 500..=599 => {
            let why = format!("{answered}: it is in trouble, try again later");
            return Failure::passing(why);
        }
        _ => format!("{answered}: it is no WebSocket server"),
    })
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
