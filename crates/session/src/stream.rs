//! One stream's state machine.

use wire::{MediaSessionId, StreamName};

/// What to publish.
#[derive(Debug, Clone, PartialEq)]
pub struct Publish {
    /// Fresh id, see [`MediaSessionId::from_random`].
    pub id: MediaSessionId,
    /// The name to publish by.
    pub name: StreamName,
    /// Application data for the server.
    pub custom: Option<serde_json::Value>,
}

/// What to play.
#[derive(Debug, Clone, PartialEq)]
pub struct Play {
    /// Fresh id, see [`MediaSessionId::from_random`].
    pub id: MediaSessionId,
    /// The name to play.
    pub name: StreamName,
    /// Application data for the server.
    pub custom: Option<serde_json::Value>,
}
