//! Who may do what, over both signalling worlds: rights, tokens, origins, limits on
//! addresses, and all of it changed while the server runs.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is a failed test"
)]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "tests look at few of many messages"
)]

#[path = "../signalling/client.rs"]
mod client;
#[path = "../support/fake_backend.rs"]
mod fake_backend;
mod jwt;
mod matrix;
mod origins;
mod rates;
mod reload;
mod rest;
mod settings;
#[path = "../support/http.rs"]
mod web;
mod who;
