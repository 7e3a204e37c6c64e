//! Server to client messages.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::envelope::{Envelope, encode};
use crate::{DecodeError, MediaSessionId, StreamEventType, StreamName, StreamStatus, lenient};

/// A message from a server.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "decoded once, matched at once")]
pub enum ServerMessage {
    /// `getUserData`: the session is established.
    UserData(UserData),
    /// `getVersion`: the server's build, as `5.2.<build>-<hash>`.
    Version(String),
    /// `setRemoteSDP`: the answer to an offer. Always encoded with its third
    /// element `true`, without which mobile clients ignore it.
    RemoteSdp {
        /// The receiver's stream.
        media_session_id: MediaSessionId,
        /// The SDP answer.
        sdp: String,
    },
    /// `notifyStreamStatusEvent`.
    StreamStatus(StreamStatusEvent),
    /// `notifyStreamEvent`.
    StreamEvent(StreamEvent),
    /// `availableStream`: the reply.
    Available(Availability),
    /// `DataStatusEvent`: the fate of a `sendData`.
    DataStatus(DataStatusEvent),
    /// `OnDataEvent`: session-level application data.
    Data(DataEvent),
    /// `inboundVideoRate`: what the server receives from a publisher.
    InboundVideoRate(VideoRate),
    /// `outboundVideoRate`: what the server sends to a player.
    OutboundVideoRate(VideoRate),
    /// `fail`: something asked for is refused; no state changes by itself.
    Fail(Failure),
    /// Liveness question.
    Ping,
    /// Liveness answer; carries data, or old clients throw.
    Pong,
    /// A message nobody here knows; counts as liveness.
    Unknown {
        /// The message's name.
        message: String,
    },
}

impl ServerMessage {
    /// Reads one text frame.
    ///
    /// # Errors
    /// Text that is not an envelope, or a known message whose argument has the
    /// wrong shape.
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        let envelope = Envelope::decode(text)?;
        Ok(match envelope.message.as_str() {
            "getUserData" => Self::UserData(envelope.argument()?),
            "getVersion" => Self::Version(envelope.argument()?),
            "setRemoteSDP" => {
                let (media_session_id, sdp) = envelope.first_two()?;
                Self::RemoteSdp {
                    media_session_id,
                    sdp,
                }
            }
            "notifyStreamStatusEvent" => Self::StreamStatus(envelope.argument()?),
            "notifyStreamEvent" => Self::StreamEvent(envelope.argument()?),
            "availableStream" => Self::Available(envelope.argument()?),
            "DataStatusEvent" => Self::DataStatus(envelope.argument()?),
            "OnDataEvent" => Self::Data(envelope.argument()?),
            "inboundVideoRate" => Self::InboundVideoRate(envelope.argument()?),
            "outboundVideoRate" => Self::OutboundVideoRate(envelope.argument()?),
            "fail" => Self::Fail(envelope.argument()?),
            "ping" => Self::Ping,
            "pong" => Self::Pong,
            _ => Self::Unknown {
                message: envelope.message,
            },
        })
    }

    /// Writes the message as one text frame, always with a `data` array.
    pub fn encode(&self) -> String {
        match self {
            Self::UserData(argument) => encode("getUserData", [argument]),
            Self::Version(version) => encode("getVersion", [version]),
            Self::RemoteSdp {
                media_session_id,
                sdp,
            } => encode("setRemoteSDP", (media_session_id, sdp, true)),
            Self::StreamStatus(argument) => encode("notifyStreamStatusEvent", [argument]),
            Self::StreamEvent(argument) => encode("notifyStreamEvent", [argument]),
            Self::Available(argument) => encode("availableStream", [argument]),
            Self::DataStatus(argument) => encode("DataStatusEvent", [argument]),
            Self::Data(argument) => encode("OnDataEvent", [argument]),
            Self::InboundVideoRate(argument) => encode("inboundVideoRate", [argument]),
            Self::OutboundVideoRate(argument) => encode("outboundVideoRate", [argument]),
            Self::Fail(argument) => encode("fail", [argument]),
            Self::Ping => encode("ping", [Value::Null]),
            Self::Pong => encode("pong", [Value::Null]),
            Self::Unknown { message } => encode(message, [Value::Null]),
        }
    }
}

/// `getUserData`: the session's token and an echo of `connection`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserData {
    /// Resume token, `/<client address>/<server address>` by convention.
    #[serde(
        deserialize_with = "lenient::or_default",
        skip_serializing_if = "Option::is_none"
    )]
    pub auth_token: Option<String>,
    /// `ESTABLISHED`.
    #[serde(deserialize_with = "lenient::or_default")]
    pub status: String,
    /// Echo of the client's `connection`.
    #[serde(flatten)]
    pub connection: crate::Connection,
}

/// Whether a track is muted at the publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MuteState {
    /// `true` while muted.
    #[serde(deserialize_with = "lenient::or_default")]
    pub muted: bool,
}

/// `notifyStreamStatusEvent`: where the receiver's stream now is. Mobile
/// clients replace their whole stream object by this one, so it is complete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamStatusEvent {
    /// The receiver's stream.
    pub media_session_id: MediaSessionId,
    /// Its status.
    pub status: StreamStatus,
    /// Why; see [`crate::info`].
    #[serde(
        default,
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub info: Option<String>,
    /// The stream's name.
    #[serde(
        default,
        deserialize_with = "lenient::id",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<StreamName>,
    /// `true` for the publisher.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub published: bool,
    /// The stream has video.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub has_video: bool,
    /// The stream has audio.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub has_audio: bool,
    /// `WebRTC`.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub media_provider: String,
    /// Name of the audio codec, for example `opus`.
    #[serde(
        default,
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub audio_codec: Option<String>,
    /// Name of the video codec, for example `H264`.
    #[serde(
        default,
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub video_codec: Option<String>,
    /// The publisher's audio mute state, for late viewers.
    #[serde(
        default,
        deserialize_with = "lenient::or_default",
        skip_serializing_if = "Option::is_none"
    )]
    pub audio_state: Option<MuteState>,
    /// The publisher's video mute state, for late viewers.
    #[serde(
        default,
        deserialize_with = "lenient::or_default",
        skip_serializing_if = "Option::is_none"
    )]
    pub video_state: Option<MuteState>,
}

/// `notifyStreamEvent`: something happened to a stream the receiver has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamEvent {
    /// The receiver's own stream, never the publisher's.
    pub media_session_id: MediaSessionId,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: StreamEventType,
    /// What goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
}

/// `availableStream`: the reply. On the wire the answer is the *string*
/// `"true"`; anything else is no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// The request's `mediaSessionId`.
    pub id: MediaSessionId,
    /// Whether the name is live.
    #[serde(rename = "status", with = "string_flag")]
    pub available: bool,
    /// Why not.
    #[serde(
        default,
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub info: Option<String>,
}

mod string_flag {
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::Value;

    pub(super) fn serialize<S: Serializer>(flag: &bool, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if *flag { "true" } else { "false" })
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<bool, D::Error> {
        Ok(Value::deserialize(deserializer)? == "true")
    }
}

/// How a `sendData` ended; any other word makes old clients throw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DataStatus {
    /// Delivered.
    Accepted,
    /// Not delivered.
    Failed,
}

/// `DataStatusEvent`: the fate of one `sendData`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataStatusEvent {
    /// The operation's id.
    pub operation_id: String,
    /// How it ended.
    pub status: DataStatus,
    /// Why it failed.
    #[serde(
        default,
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub info: Option<String>,
}

/// `OnDataEvent`: session-level application data.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DataEvent {
    /// The operation's id.
    #[serde(deserialize_with = "lenient::or_default")]
    pub operation_id: String,
    /// What the application passed.
    pub payload: Value,
}

/// `inboundVideoRate` and `outboundVideoRate`; clients take one a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoRate {
    /// The receiver's stream.
    pub media_session_id: MediaSessionId,
    /// Bits per second.
    #[serde(default, deserialize_with = "lenient::number")]
    pub video_rate: f64,
}

/// `fail`: a refusal that changes no state by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Failure {
    /// The method that failed.
    #[serde(deserialize_with = "lenient::or_default")]
    pub api_method: String,
    /// The stream it was about, if any.
    #[serde(
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub id: Option<String>,
    /// Always there: a client that finds none corrupts its own state.
    #[serde(deserialize_with = "lenient::or_default")]
    pub status: String,
    /// What is wrong.
    #[serde(
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub info: Option<String>,
}
