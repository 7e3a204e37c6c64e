//! Why a request is refused, as the client is told.

use thiserror::Error;
use wire::info;

use crate::access::Denied;
use crate::counters::Reason;

/// Why a request is refused. `Display` is the info text on the wire: the
/// protocol's own where it has one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Refusal {
    #[error("Session is not established: send connection first")]
    NotEstablished,
    #[error("Session is already established")]
    AlreadyEstablished,
    /// The protocol's words, and why.
    #[error("{}: {}", info::RESTRICTED_ACCESS, .0)]
    Denied(Denied),
    #[error("{}", info::MEDIASESSION_ID_NULL)]
    IdMissing,
    #[error("MediaSessionId is longer than {limit} characters")]
    IdTooLong { limit: usize },
    #[error("{}", info::MEDIASESSION_ID_ALREADY_IN_USE)]
    IdInUse,
    #[error("Stream name is empty")]
    NameEmpty,
    #[error("Stream name is longer than {limit} characters")]
    NameTooLong { limit: usize },
    #[error("{}", info::STREAM_NAME_ALREADY_IN_USE)]
    NameInUse,
    #[error("{}", info::SESSION_DOES_NOT_EXIST)]
    NoSuchStream,
    #[error("{}", info::PUBLISH_STREAM_IS_NOT_READY)]
    NotReady,
    #[error("SDP is larger than {limit} bytes")]
    SdpTooLarge { limit: usize },
    #[error("Session has {limit} streams already, the most allowed")]
    TooManyStreams { limit: usize },
    #[error("custom is larger than {limit} bytes")]
    CustomTooLarge { limit: usize },
    #[error(
        "custom.playoutDelay must be {{min, max}} in whole milliseconds, min no more than max, max no more than 40950"
    )]
    PlayoutDelay,
    #[error("Session waits for {limit} snapshots already, the most allowed")]
    TooManySnapshots { limit: usize },
    #[error("Snapshots are not taken here")]
    NoSnapshots,
    #[error("Only the media provider WebRTC is supported")]
    MediaProvider,
    #[error("Data can be sent only while publishing")]
    NotPublishing,
    #[error("Clients cannot send stream events of this type")]
    EventType,
    #[error("Calls are not supported")]
    Calls,
    #[error("SIP is not supported: the session is there for streams, calls are refused")]
    Sip,
    #[error("Recording is not supported: the stream is published without")]
    Recording,
    #[error("Re-publishing by RTMP is not supported: the stream is published without")]
    Rtmp,
    #[error("Live streams cannot be paused")]
    Pause,
    #[error("The command of sessionDebug is start or stop")]
    DebugCommand,
    #[error("Unknown message")]
    UnknownMessage,
    #[error("{0}")]
    BadMessage(String),
    #[error("There is no such resource, or it has ended")]
    NoSuchResource,
    #[error("The body is no part of an SDP")]
    BadFragment,
    #[error("If-Match is missing: it must name the resource's ETag")]
    TagMissing,
    #[error("If-Match names another ETag than the resource's")]
    TagMismatch,
    #[error("ICE is being restarted: try again once that is answered")]
    Restarting,
    #[error("ICE was not restarted in time: it goes on as before")]
    NotRestarted,
    #[error("The server cannot take all of the offer's audio and video")]
    MediaDeclined,
    #[error("the server has {limit} sessions already, the most allowed")]
    TooManySessions { limit: usize },
    #[error("the server is being restarted")]
    Draining,
    #[error("the server is shutting down")]
    ShuttingDown,
}

impl Refusal {
    /// The counter it goes to; `None` for what well-behaved clients may run into.
    pub(super) fn reason(&self) -> Option<Reason> {
        match self {
            Self::Denied(denied) => Some(denied.reason()),
            Self::NotEstablished | Self::AlreadyEstablished => Some(Reason::OutOfOrder),
            Self::IdMissing | Self::IdTooLong { .. } | Self::IdInUse => Some(Reason::BadId),
            Self::NameEmpty | Self::NameTooLong { .. } => Some(Reason::BadName),
            Self::SdpTooLarge { .. } => Some(Reason::OversizedSdp),
            Self::CustomTooLarge { .. } => Some(Reason::OversizedCustom),
            Self::TooManyStreams { .. } => Some(Reason::TooManyStreams),
            Self::TooManySnapshots { .. } => Some(Reason::TooManySnapshots),
            Self::MediaProvider
            | Self::NoSnapshots
            | Self::Calls
            | Self::Sip
            | Self::Recording
            | Self::Rtmp
            | Self::Pause => Some(Reason::Unsupported),
            Self::UnknownMessage | Self::EventType | Self::DebugCommand => {
                Some(Reason::UnknownMessage)
            }
            Self::BadMessage(_) => Some(Reason::BadMessage),
            Self::TooManySessions { .. } => Some(Reason::TooManySessions),
            Self::Draining => Some(Reason::Draining),
            Self::PlayoutDelay | Self::BadFragment | Self::TagMissing | Self::TagMismatch => {
                Some(Reason::BadRequest)
            }
            Self::NameInUse
            | Self::NoSuchStream
            | Self::NotReady
            | Self::NotPublishing
            | Self::NoSuchResource
            | Self::Restarting
            | Self::NotRestarted
            | Self::MediaDeclined
            | Self::ShuttingDown => None,
        }
    }
}
