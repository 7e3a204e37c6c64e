//! Measures media servers: this project's, any that speaks WHIP and WHEP, and
//! Janus. `twoway-load` is its command, `cargo xtask bench` runs all of it.
//!
//! Publishers and viewers are native and made of packets alone: nothing is encoded
//! or decoded, and each packet says when it was sent and what follows it, so that
//! every viewer checks order, loss and delay by itself.

pub mod cores;
pub mod janus;
pub mod process;
pub mod results;
pub mod servers;
