//! Stream statuses and stream event types, as spelled on the wire.

/// `STREAM_STATUS`: where a stream is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
    Other(String),
}

impl StreamStatus {
    /// Whether the stream is over for good: the client drops it.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Unpublished | Self::Stopped | Self::Failed)
    }

    /// Reads a status as spelled on the wire.
    pub fn from_wire(text: &str) -> Self {
        const KNOWN: [StreamStatus; 13] = [
            StreamStatus::New,
            StreamStatus::Pending,
            StreamStatus::Publishing,
            StreamStatus::Playing,
            StreamStatus::Unpublished,
            StreamStatus::Stopped,
            StreamStatus::Failed,
            StreamStatus::Paused,
            StreamStatus::PlaybackProblem,
            StreamStatus::Resize,
            StreamStatus::SnapshotComplete,
            StreamStatus::NotEnoughBandwidth,
            StreamStatus::StreamEvent,
        ];
        let known = KNOWN.into_iter().find(|status| status.as_str() == text);
        known.unwrap_or_else(|| Self::Other(text.to_owned()))
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
    Other(String),
}

impl StreamEventType {
    /// Reads a type as spelled on the wire.
    pub fn from_wire(text: &str) -> Self {
        const KNOWN: [StreamEventType; 9] = [
            StreamEventType::Data,
            StreamEventType::AudioMuted,
            StreamEventType::AudioUnmuted,
            StreamEventType::VideoMuted,
            StreamEventType::VideoUnmuted,
            StreamEventType::Resize,
            StreamEventType::NotEnoughBandwidth,
            StreamEventType::SnapshotCompleted,
            StreamEventType::SnapshotFailed,
        ];
        let known = KNOWN.into_iter().find(|known| known.as_str() == text);
        known.unwrap_or_else(|| Self::Other(text.to_owned()))
    }

    /// The type as spelled on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Data => "data",
            Self::AudioMuted => "audioMuted",
            Self::AudioUnmuted => "audioUnmuted",
            Self::VideoMuted => "videoMuted",
            Self::VideoUnmuted => "videoUnmuted",
            Self::Resize => "resize",
            Self::NotEnoughBandwidth => "notEnoughBandwidth",
            Self::SnapshotCompleted => "snapshotCompleted",
            Self::SnapshotFailed => "snapshotFailed",
            Self::Other(other) => other,
        }
    }
}
