//! The server over real sockets: bad input, limits, the page, start and end.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is a failed test"
)]

mod bad_input;
mod client;
mod command;
#[path = "../support/fake_backend.rs"]
mod fake_backend;
mod floods;
mod http;
mod page;
mod resume;
mod shutdown;
#[path = "../support/http.rs"]
mod web;
mod whip;
