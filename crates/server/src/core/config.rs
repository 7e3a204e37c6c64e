//! How the signalling core behaves.

use std::time::Duration;

use crate::limits::Limits;

/// What the core may be told; the default is what clients expect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What the server is called in notices and in the API for operators; the shell
    /// makes a random name of an empty one.
    pub node_id: String,
    /// Somebody takes [`Output::Notice`](super::Output::Notice).
    pub notices: bool,
    /// Limits on clients.
    pub limits: Limits,
    /// How long a client may take from opening its socket to `connection`.
    pub connection_timeout: Duration,
    /// Between two JSON pings. Clients give up on a server that is silent for
    /// ten times five seconds, so no longer than that.
    pub ping_interval: Duration,
    /// A client that leaves this many pings unanswered is dropped at the next one.
    pub unanswered_pings: u32,
    /// How long a session that connected with `keepAlive` keeps its streams
    /// without a socket; zero is not at all.
    pub resume_time: Duration,
    /// How long a name outlives its publisher, for its viewers to be given the
    /// next one's media; zero is not at all.
    pub hold_time: Duration,
    /// From an accepted publish or play to media flowing. Longer than all the
    /// media backend's timeouts together, since it knows better why it failed.
    pub start_timeout: Duration,
    /// From a request for a picture to giving up on it. Longer than the media
    /// backend takes, since it knows better why there is none.
    pub snapshot_timeout: Duration,
    /// How long a peer's own goodbye (DTLS `close_notify`) waits for the stop
    /// message that clients send just before it on another connection.
    pub stop_grace: Duration,
    /// How long the media backend may take to restart ICE.
    pub restart_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            node_id: String::new(),
            notices: false,
            limits: Limits::default(),
            connection_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(5),
            unanswered_pings: 10,
            resume_time: Duration::from_secs(30),
            hold_time: Duration::ZERO,
            start_timeout: Duration::from_secs(60),
            snapshot_timeout: Duration::from_secs(20),
            stop_grace: Duration::from_millis(500),
            restart_timeout: Duration::from_secs(10),
        }
    }
}
