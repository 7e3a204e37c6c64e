//! REST hooks: an application that is asked and told, and one that fails in every way.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is a failed test"
)]

mod answers;
mod application;
#[path = "../signalling/client.rs"]
mod client;
mod events;
mod failures;
#[path = "../support/fake_backend.rs"]
mod fake_backend;
mod load;
mod manual;
mod policies;
mod secrets;
#[path = "../support/http.rs"]
mod web;

use std::net::SocketAddr;

use serde_json::Value;
use twoway_server::{hooks, net};

use self::fake_backend::FLOWS;
use self::web::{Response, request};

/// A server that asks the application at `url`.
fn config(url: &str, change: impl FnOnce(&mut hooks::Config)) -> net::Config {
    let mut hooks = hooks::Config::new(url);
    // A test that waits for this has failed.
    hooks.timeout = std::time::Duration::from_secs(60);
    change(&mut hooks);
    net::Config {
        hooks: Some(hooks),
        ..client::config()
    }
}

/// Makes an offer by WHIP or WHEP.
async fn offer(addr: SocketAddr, path: &str) -> Response {
    let headers = [
        ("Content-Type", "application/sdp"),
        ("Authorization", "Bearer token-of-a-request"),
    ];
    request(addr, "POST", path, &headers, FLOWS.as_bytes()).await
}

/// The status of a problem, and what it is about.
fn problem(response: &Response) -> (u16, String) {
    let body: Value = serde_json::from_str(response.text()).unwrap();
    let kind = body["type"].as_str().unwrap();
    let kind = kind.strip_prefix("/problems/").unwrap();
    (response.status, kind.into())
}
