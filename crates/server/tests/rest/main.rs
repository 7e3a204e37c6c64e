//! The API and the page for operators, over real HTTP: every answer is checked against
//! what the API says of itself.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is a failed test"
)]

mod api;
#[path = "../signalling/client.rs"]
#[allow(dead_code, reason = "each test program uses its part")]
mod client;
mod described;
#[path = "../support/fake_backend.rs"]
mod fake_backend;
mod page;
mod refusals;
mod rights;
mod schema;
#[path = "../support/http.rs"]
mod web;
