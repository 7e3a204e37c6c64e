//! TLS over real sockets: who is served, what is refused, and certificates that change.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is a failed test"
)]

mod bad_pairs;
mod certificates;
#[path = "../signalling/client.rs"]
mod client;
#[path = "../support/fake_backend.rs"]
mod fake_backend;
mod reload;
mod secure;
mod serving;
#[path = "../support/http.rs"]
mod web;
