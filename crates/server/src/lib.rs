//! The Two-way Streaming server.
//!
//! [`core`] decides, [`media`] forwards, [`net`] talks to sockets.

pub mod access;
mod allowance;
pub mod core;
pub mod counters;
pub mod doctor;
mod fragment;
pub mod hooks;
pub mod limits;
pub mod logs;
pub mod media;
pub mod meters;
pub mod net;
pub mod settings;
