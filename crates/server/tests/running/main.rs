//! A server between its start and its end: signals, reload and drain.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is a failed test"
)]

#[path = "../tls/certificates.rs"]
mod certificates;
#[path = "../signalling/client.rs"]
mod client;
mod command;
mod drain;
#[path = "../support/fake_backend.rs"]
mod fake_backend;
mod reload;
#[path = "../tls/secure.rs"]
mod secure;
#[path = "../support/http.rs"]
mod web;
