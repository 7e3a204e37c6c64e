//! Measures media servers: this project's, any that speaks WHIP and WHEP, and
//! Janus. `twoway-load` is its command, `cargo xtask bench` runs all of it.
//!
//! Publishers and viewers are native and made of packets alone: nothing is encoded
//! or decoded, and each packet says when it was sent and what follows it, so that
//! every viewer checks order, loss and delay by itself.

mod clock;
pub mod cores;
pub mod draft;
pub mod error;
mod feedback;
pub mod janus;
mod machine;
mod media;
mod meter;
mod negotiated;
pub mod plan;
pub mod process;
mod publisher;
mod quantiles;
mod reception;
pub mod report;
pub mod results;
mod rtcp;
mod rtp;
mod run;
pub mod scenario;
pub mod servers;
mod shape;
pub mod signalling;
mod socket;
mod srtp;
mod stamp;
mod timers;
mod transport;
mod usage;
mod viewer;
pub mod whole;
