//! Janus' video room as signalling: JSON over WebSocket, one socket with one session and
//! one handle for each publisher and viewer, as browsers have it.
//!
//! A stream is a room of its own with one publisher, so that any number of streams may
//! have a Janus to themselves and a viewer needs only the stream's name. Publishers
//! offer; to viewers Janus offers and they answer. Candidates that Janus sends one by
//! one are put into its description, so that peers need no trickling.
//!
//! Written to the documentation of Janus 1 ("The Janus API", "VideoRoom plugin").

mod client;
mod connection;
mod held;
mod message;
mod trickle;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use client::{Client, Offered};
pub use held::Held;
pub use message::About;

/// How long Janus may take for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// How often a session says that it is there. Janus ends one that says nothing for
/// `session_timeout`, 60 s unless configured.
const KEEP_ALIVE: Duration = Duration::from_secs(25);

/// Longest message taken from a server.
const MESSAGE_BYTES: usize = 1 << 20;

/// Why a stream could not be published or played.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody listens at the address, or no Janus does.
    #[error("cannot connect to Janus at {url}: {reason}")]
    Connect {
        /// The address.
        url: String,
        /// What the socket says.
        reason: String,
    },
    /// Janus refused.
    #[error("Janus refuses to {what}: {reason} (error {code})")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// Its number for the reason.
        code: u64,
        /// The reason, as it says.
        reason: String,
    },
    /// Janus did not answer in time.
    #[error("Janus was asked to {what} and has not answered within {} s", ANSWER_WITHIN.as_secs())]
    NoAnswer {
        /// What was asked for.
        what: &'static str,
    },
    /// The connection was lost, or Janus ended the session.
    #[error("Janus ended the session: {reason}")]
    Ended {
        /// As far as it is known.
        reason: String,
    },
    /// An answer that lacks what belongs into it.
    #[error("Janus was asked to {what} and answered without {lacks}")]
    Lacks {
        /// What was asked for.
        what: &'static str,
        /// What is missing.
        lacks: &'static str,
    },
}

/// With an [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
