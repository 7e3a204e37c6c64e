//! What a session tells the application.

use core::time::Duration;

use wire::{MediaSessionId, StreamEventType, StreamName, StreamStatus};

use crate::Severity;

/// `SESSION_STATUS`, the part that is a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionStatus {
    /// Before the socket opens.
    Pending,
    /// The socket is open; `connection` is sent.
    Connected,
    /// `getUserData` came: streams are allowed.
    Established,
    /// The socket closed, by either side. Final.
    Disconnected,
    /// Socket error, connect timeout or missing pings. Final.
    Failed,
}

impl SessionStatus {
    /// The session is over.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Disconnected | Self::Failed)
    }
}

/// Which way a stream's media goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamRole {
    /// From this client to the server.
    Publisher,
    /// From the server to this client.
    Player,
}

/// A stream's status changed, or was said again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamUpdate {
    /// The stream.
    pub id: MediaSessionId,
    /// Its name.
    pub name: StreamName,
    /// Publisher or player.
    pub role: StreamRole,
    /// The new status.
    pub status: StreamStatus,
    /// Why: one of [`wire::info`], or what the server said. `None` if there is
    /// nothing to say, as when the session itself was lost.
    pub info: Option<String>,
    /// What goes with `info`, for people: what the media layer said, with
    /// [`wire::info::LOCAL_ERROR`], or what an HTTP server said.
    pub error: Option<String>,
    /// With FAILED: whether it may pass by itself. [`crate::severity`] reads it.
    pub severity: Severity,
    /// With FAILED: try no earlier, says the server.
    pub retry_after: Option<Duration>,
    /// The publisher's mute state (audio, video), where the server tells it.
    pub muted: Option<(bool, bool)>,
}

/// What the application may show or act on.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The session's status changed. `reason` says why it failed, for people.
    Session {
        /// The new status.
        status: SessionStatus,
        /// For people; `None` where the status says it all.
        reason: Option<String>,
    },
    /// A stream's status.
    Stream(StreamUpdate),
    /// Something happened to a played stream: data, mute, resize.
    StreamEvent {
        /// The receiver's stream.
        id: MediaSessionId,
        /// What happened.
        event_type: StreamEventType,
        /// What goes with it; [`serde_json::Value::Null`] if nothing.
        payload: serde_json::Value,
    },
    /// The answer to [`crate::Input::Available`].
    Available {
        /// The request's id.
        id: MediaSessionId,
        /// Whether the name is live.
        available: bool,
        /// Why not.
        info: Option<String>,
    },
    /// `fail` (WARN): the server refused something; nothing changed.
    Warning(String),
    /// Session-level application data from the server (APP_DATA).
    AppData(serde_json::Value),
    /// What the server receives from this publisher or sends to this player,
    /// in bits per second, once a second.
    VideoRate {
        /// The stream.
        id: MediaSessionId,
        /// Bits per second as the server counts them.
        bits_per_second: f64,
    },
}
