//! The load balancer's answer: which server a client shall connect to.
//!
//! Web Call Server clients with the option `lbUrl` ask for it before they open
//! their socket, and rebuild the socket's address from the answer. Without other
//! servers to name, the answer is this one, by the name that the client used.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use thiserror::Error;

use super::http::Ends;

/// Where clients ask.
const PATH: &str = "/lb";

/// RTMP's port, which clients of old read and nothing here listens on.
const FLASH_PORT: &str = "1935";

/// A server that clients are sent to; parsed from `host:port`, the port being
/// the one of WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceTarget {
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    host: String,
    /// For `ws://`.
    ws: u16,
    /// For `wss://`.
    wss: u16,
}

/// Text that is no [`BalanceTarget`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a server's host:port")]
pub struct BadTarget;

impl FromStr for BalanceTarget {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        let authority = plain_authority(text).ok_or(BadTarget)?;
        let port = authority.port_u16().ok_or(BadTarget)?;
        Ok(Self {
            host: authority.host().to_owned(),
            ws: port,
            wss: port,
        })
    }
}

impl BalanceTarget {
    /// This server, as the client named it. A name without a port is one with
    /// the schemes' own: something in front of this server passes them on.
    fn named_by(headers: &HeaderMap, local: SocketAddr) -> Result<Self, BadTarget> {
        let Some(name) = headers.get(header::HOST) else {
            return local.to_string().parse();
        };
        let name = name.to_str().map_err(|_| BadTarget)?;
        let authority = plain_authority(name).ok_or(BadTarget)?;
        Ok(Self {
            host: authority.host().to_owned(),
            ws: authority.port_u16().unwrap_or(80),
            wss: authority.port_u16().unwrap_or(443),
        })
    }
}

/// A host, with or without a port, and nothing else.
fn plain_authority(text: &str) -> Option<Authority> {
    let authority: Authority = text.parse().ok()?;
    let has_port = authority.port_u16().is_some();
    let plain = !text.contains('@') && !authority.host().is_empty();
    // A port that is none would be taken as left out.
    let port_is_one = has_port || text.len() == authority.host().len();
    (plain && port_is_one).then_some(authority)
}

pub(super) fn router(targets: Vec<BalanceTarget>) -> Router {
    let targets = Arc::new(targets);
    let turn = Arc::new(AtomicUsize::new(0));
    let answer = async move |request: Request| {
        let target = match targets.len() {
            0 => named_by(&request),
            count => Ok(targets[turn.fetch_add(1, Ordering::Relaxed) % count].clone()),
        };
        match target {
            Ok(target) => tell(&target),
            Err(BadTarget) => (StatusCode::BAD_REQUEST, "Host is no host").into_response(),
        }
    };
    Router::new().route(PATH, get(answer))
}

fn named_by(request: &Request) -> Result<BalanceTarget, BadTarget> {
    let ends: &Ends = request.extensions().get().ok_or(BadTarget)?;
    BalanceTarget::named_by(request.headers(), ends.local)
}

/// Ports are strings, which clients of typed languages take as well.
fn tell(target: &BalanceTarget) -> Response {
    let about = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let answer = json!({
        "server": target.host,
        "ws": target.ws.to_string(),
        "wss": target.wss.to_string(),
        "flash": FLASH_PORT,
    });
    (about, Json(answer)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_target(text: &str, expected: Option<(&str, u16)>) {
        let found: Option<BalanceTarget> = text.parse().ok();
        let found = found.as_ref().map(|target| {
            assert_eq!(target.ws, target.wss);
            (target.host.as_str(), target.ws)
        });
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_target_is_a_host_and_a_port() {
        check_target("edge.example:8080", Some(("edge.example", 8080)));
        check_target("10.0.0.1:80", Some(("10.0.0.1", 80)));
        check_target("[::1]:8080", Some(("[::1]", 8080)));
        for wrong in [
            "",
            "edge.example",
            "edge.example:",
            "edge.example:99999",
            ":8080",
            "user@edge.example:8080",
            "ws://edge.example:8080",
            "edge.example:8080/path",
        ] {
            check_target(wrong, None);
        }
    }

    #[track_caller]
    fn check_host(host: Option<&str>, expected: Option<(&str, u16, u16)>) {
        let local = SocketAddr::from(([10, 0, 0, 1], 8080));
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert(header::HOST, host.parse().unwrap());
        }
        let found = BalanceTarget::named_by(&headers, local).ok();
        let found = found.as_ref().map(|t| (t.host.as_str(), t.ws, t.wss));
        assert_eq!(found, expected, "{host:?}");
    }

    #[test]
    fn a_server_goes_by_the_name_that_clients_use() {
        let host = "stream.example";
        check_host(Some("stream.example:8080"), Some((host, 8080, 8080)));
        check_host(Some("stream.example"), Some((host, 80, 443)));
        check_host(Some("[::1]:81"), Some(("[::1]", 81, 81)));
        check_host(None, Some(("10.0.0.1", 8080, 8080)));
        check_host(Some("stream.example:odd"), None);
        check_host(Some("a b"), None);
        check_host(Some(""), None);
    }
}
