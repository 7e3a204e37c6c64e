//! The signalling core as a whole, against a scripted media backend and a
//! virtual clock.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is a failed test"
)]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "tests look at few of many messages"
)]

mod behaviour;
mod denied;
#[path = "../support/fake_backend.rs"]
mod fake_backend;
mod hold;
mod limits;
mod notices;
mod operator;
mod properties;
mod rates;
mod resources;
mod resume;
mod sessions;
mod snapshots;
mod statuses;
mod traps;
mod world;
