//! The client's half of signalling as a value: a [`Session`] for Web Call
//! Server's, an [`HttpSession`] for WHIP and WHEP, each with its streams' state
//! machines and no socket, clock, task or randomness. [`Address`] tells which
//! of them a server wants, [`Signalling`] holds either.
//!
//! The page and the publisher drive both alike: [`Session::handle`] takes what
//! happened, then [`Session::poll_output`] is drained until it is `None`, and
//! [`Session::timeout`] says when to call with [`Input::Timeout`] at the latest.
//! Inputs that are not for a kind of session are ignored by it.
//!
//! A session is never re-opened: after [`SessionStatus::Disconnected`] or
//! [`SessionStatus::Failed`] the application makes a new one. [`severity`] and
//! [`Backoff`] say whether and when to.

mod address;
mod event;
mod http;
mod identity;
mod io;
mod outbox;
mod retry;
mod session;
mod signalling;
mod stream;
#[cfg(test)]
mod tests;
mod time;

pub use address::{Address, AddressError, BadName, HttpAddress, percent_encode};
pub use event::{Event, SessionStatus, StreamRole, StreamUpdate};
pub use http::{
    BadToken, HttpConfig, HttpRequest, HttpResponse, HttpSession, IceServer, LocalCandidate,
    MAX_BODY_BYTES, MAX_CANDIDATES, MAX_DETAIL_CHARS, MAX_ICE_SERVERS, MAX_REQUESTS,
    MAX_RETRY_AFTER, MAX_TOKEN_CHARS, MAX_URL_BYTES, Method, RequestId, Token,
};
pub use io::{
    Config, Error, Input, MAX_AVAILABLE_REQUESTS, MAX_MESSAGE_BYTES, MAX_STREAMS, Output,
};
pub use retry::{Attempt, Backoff, BackoffConfig, Severity, severity};
pub use session::Session;
pub use signalling::Signalling;
pub use stream::{Play, Publish};
pub use time::Time;
