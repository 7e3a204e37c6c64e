//! Stream statuses and stream event types, as spelled on the wire.

use serde::de::IntoDeserializer;
use serde::de::value::Error as Unreadable;
use serde::{Deserialize, Serialize};

/// `STREAM_STATUS`: where a stream is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StreamStatus {
    /// Local initial state.
    New,
    /// A request is under way.
    Pending,
    /// The publisher's media is accepted and flows.
    Publishing,
    /// The player's media flows.
    Playing,
    /// The publisher's own stop is done.
    Unpublished,
    /// The viewer's own stop is done.
    Stopped,
    /// Refused, media failure, or the publisher is gone.
    Failed,
    /// Video on demand only.
    Paused,
    /// The server has trouble with playback.
    PlaybackProblem,
    /// Deprecated; replaced by the `resize` stream event.
    Resize,
    /// Deprecated; replaced by the `snapshotCompleted` stream event.
    SnapshotComplete,
    /// Deprecated; replaced by the `notEnoughBandwidth` stream event.
    NotEnoughBandwidth,
    /// A stream event in a status message.
    StreamEvent,
    /// A status this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl StreamStatus {
    /// Whether the stream is over for good: the client drops it.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Unpublished | Self::Stopped | Self::Failed)
    }

    /// Reads a status as spelled on the wire.
    pub fn from_wire(text: &str) -> Self {
        Self::deserialize(text.into_deserializer())
            .unwrap_or_else(|_: Unreadable| Self::Other(text.to_owned()))
    }

    /// The status as spelled on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::New => "NEW",
            Self::Pending => "PENDING",
            Self::Publishing => "PUBLISHING",
            Self::Playing => "PLAYING",
            Self::Unpublished => "UNPUBLISHED",
            Self::Stopped => "STOPPED",
            Self::Failed => "FAILED",
            Self::Paused => "PAUSED",
            Self::PlaybackProblem => "PLAYBACK_PROBLEM",
            Self::Resize => "RESIZE",
            Self::SnapshotComplete => "SNAPSHOT_COMPLETE",
            Self::NotEnoughBandwidth => "NOT_ENOUGH_BANDWIDTH",
            Self::StreamEvent => "STREAM_EVENT",
            Self::Other(other) => other,
        }
    }
}

/// `STREAM_EVENT_TYPE`: what happened to a stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StreamEventType {
    /// Application data from the publisher.
    Data,
    /// The publisher silenced its microphone.
    AudioMuted,
    /// The publisher's microphone is on again.
    AudioUnmuted,
    /// The publisher blanked its camera.
    VideoMuted,
    /// The publisher's camera is on again.
    VideoUnmuted,
    /// The picture's size changed.
    Resize,
    /// The viewer's network does not carry the stream.
    NotEnoughBandwidth,
    /// A snapshot is in the payload.
    SnapshotCompleted,
    /// No snapshot; the payload says why.
    SnapshotFailed,
    /// A type this version does not know.
    #[serde(untagged)]
    Other(String),
}
