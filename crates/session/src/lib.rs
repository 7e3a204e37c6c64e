//! The client's half of Web Call Server signalling as a value: one [`Session`]
//! owns its streams' state machines and no socket, clock, task or randomness.
//!
//! The page and the publisher drive it alike: [`Session::handle`] takes what
//! happened, then [`Session::poll_output`] is drained until it is `None`, and
//! [`Session::timeout`] says when to call with [`Input::Timeout`] at the latest.
//!
//! A session is never re-opened: after [`SessionStatus::Disconnected`] or
//! [`SessionStatus::Failed`] the application makes a new one.

mod event;
mod identity;
mod io;
mod outbox;
mod session;
mod stream;
#[cfg(test)]
mod tests;
mod time;

pub use event::{Event, SessionStatus, StreamRole, StreamUpdate};
pub use io::{Config, Error, Input, MAX_AVAILABLE_REQUESTS, MAX_STREAMS, Output};
pub use session::Session;
pub use stream::{Play, Publish};
pub use time::Time;
