//! Client to server messages.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::envelope::{Envelope, encode};
use crate::{DataStatusEvent, DecodeError, MediaSessionId, StreamEventType, StreamName, lenient};

/// A message from a client.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "decoded once, matched at once")]
pub enum ClientMessage {
    /// Opens the session; the first message on every socket.
    Connection(Connection),
    /// Asks to publish a stream.
    PublishStream(PublishStream),
    /// Asks to play a stream.
    PlayStream(PlayStream),
    /// The viewer stops.
    StopStream(StopStream),
    /// The publisher stops.
    UnPublishStream(StopStream),
    /// Asks whether a name is live.
    AvailableStream(AvailableRequest),
    /// Asks for a picture of a live stream.
    Snapshot(SnapshotRequest),
    /// Publisher to players: application data or mute state.
    SendStreamEvent(SendStreamEvent),
    /// Session-level application data.
    SendData(SendData),
    /// Old clients acknowledge `OnDataEvent`.
    DataStatusEvent(DataStatusEvent),
    /// Liveness question.
    Ping,
    /// Liveness answer.
    Pong,
    /// Opens a second socket for media in binary frames.
    ConnectMediaTransport,
    /// Debugging aids (`sessionDebug`, `pushLogs`, `submitBugReport`, metrics):
    /// taken and dropped.
    Diagnostics {
        /// The message's name.
        message: String,
    },
    /// SIP and calls: not served.
    Call {
        /// The message's name.
        message: String,
    },
    /// A message nobody here knows.
    Unknown {
        /// The message's name.
        message: String,
    },
}

impl ClientMessage {
    /// Reads one text frame.
    ///
    /// # Errors
    /// Text that is not an envelope, a known message whose argument is neither
    /// an object nor missing, or one without the field that makes its meaning:
    /// `type` of `sendStreamEvent`, `operationId` and `status` of
    /// `DataStatusEvent`. Requests without an id or a name are decoded, so that
    /// whoever sent one can be told.
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        let envelope = Envelope::decode(text)?;
        Ok(match envelope.message.as_str() {
            "connection" => Self::Connection(envelope.argument()?),
            "publishStream" => Self::PublishStream(envelope.argument()?),
            "playStream" => Self::PlayStream(envelope.argument()?),
            "stopStream" => Self::StopStream(envelope.argument()?),
            "unPublishStream" => Self::UnPublishStream(envelope.argument()?),
            "availableStream" => Self::AvailableStream(envelope.argument()?),
            "snapshot" => Self::Snapshot(envelope.argument()?),
            "sendStreamEvent" => Self::SendStreamEvent(envelope.argument()?),
            "sendData" => Self::SendData(envelope.argument()?),
            "DataStatusEvent" => Self::DataStatusEvent(envelope.argument()?),
            "ping" => Self::Ping,
            "pong" => Self::Pong,
            "connectMediaTransport" => Self::ConnectMediaTransport,
            "sessionDebug"
            | "pushLogs"
            | "submitBugReport"
            | "webRTCMetricsClientDescription"
            | "webRTCMetricsBatch" => Self::Diagnostics {
                message: envelope.message,
            },
            "call" | "hangup" | "answer" | "hold" | "unhold" | "sendDtmf" | "transfer" => {
                Self::Call {
                    message: envelope.message,
                }
            }
            _ => Self::Unknown {
                message: envelope.message,
            },
        })
    }

    /// Writes the message as one text frame.
    pub fn encode(&self) -> String {
        match self {
            Self::Connection(argument) => encode("connection", [argument]),
            Self::PublishStream(argument) => encode("publishStream", [argument]),
            Self::PlayStream(argument) => encode("playStream", [argument]),
            Self::StopStream(argument) => encode("stopStream", [argument]),
            Self::UnPublishStream(argument) => encode("unPublishStream", [argument]),
            Self::AvailableStream(argument) => encode("availableStream", [argument]),
            Self::Snapshot(argument) => encode("snapshot", [argument]),
            Self::SendStreamEvent(argument) => encode("sendStreamEvent", [argument]),
            Self::SendData(argument) => encode("sendData", [argument]),
            Self::DataStatusEvent(argument) => encode("DataStatusEvent", [argument]),
            Self::Ping => encode("ping", [Value::Null]),
            Self::Pong => encode("pong", [Value::Null]),
            Self::ConnectMediaTransport => encode("connectMediaTransport", [Value::Null]),
            Self::Diagnostics { message } | Self::Call { message } | Self::Unknown { message } => {
                encode(message, [Value::Null])
            }
        }
    }
}

/// `connection`: who the client is and what it can do.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Connection {
    /// The server-side application; `defaultApp` by convention.
    #[serde(deserialize_with = "lenient::string")]
    pub app_key: String,
    /// Usable media providers in order of preference.
    #[serde(deserialize_with = "lenient::strings")]
    pub media_providers: Vec<String>,
    /// Keep the session's streams for a while after the socket is lost.
    #[serde(
        deserialize_with = "lenient::maybe_flag",
        skip_serializing_if = "Option::is_none"
    )]
    pub keep_alive: Option<bool>,
    /// Resume token from an earlier `getUserData`.
    #[serde(
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub auth_token: Option<String>,
    /// Version of the signalling the client speaks; `2.0` today.
    #[serde(deserialize_with = "lenient::string")]
    pub client_version: String,
    /// The client's operating system.
    #[serde(rename = "clientOSVersion", deserialize_with = "lenient::string")]
    pub client_os_version: String,
    /// The client's browser or program.
    #[serde(deserialize_with = "lenient::string")]
    pub client_browser_version: String,
    /// Application data for the server's hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Value>,
}

/// `publishStream`: the offer of a publisher.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PublishStream {
    /// The stream's id, made by the client.
    #[serde(deserialize_with = "lenient::id")]
    pub media_session_id: Option<MediaSessionId>,
    /// The name to publish by.
    #[serde(deserialize_with = "lenient::id")]
    pub name: Option<StreamName>,
    /// Always `true`.
    #[serde(deserialize_with = "lenient::flag")]
    pub published: bool,
    /// The offer has video to send.
    #[serde(deserialize_with = "lenient::flag")]
    pub has_video: bool,
    /// The offer has audio to send.
    #[serde(deserialize_with = "lenient::flag")]
    pub has_audio: bool,
    /// `PENDING`, or whatever an old client thinks; not to be trusted.
    #[serde(deserialize_with = "lenient::string")]
    pub status: String,
    /// Record on the server.
    #[serde(deserialize_with = "lenient::flag")]
    pub record: bool,
    /// `WebRTC`.
    #[serde(deserialize_with = "lenient::string")]
    pub media_provider: String,
    /// The SDP offer.
    #[serde(deserialize_with = "lenient::string")]
    pub sdp: String,
    /// Application data for the server's hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Value>,
    /// Wanted video bitrate, kbit/s; 0 is unset.
    #[serde(with = "lenient::number")]
    pub bitrate: f64,
    /// Least video bitrate, kbit/s; 0 is unset.
    #[serde(with = "lenient::number")]
    pub min_bitrate: f64,
    /// Most video bitrate, kbit/s; 0 is unset.
    #[serde(with = "lenient::number")]
    pub max_bitrate: f64,
    /// Where to publish the stream again by RTMP.
    #[serde(
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub rtmp_url: Option<String>,
    /// Media constraints as the application gave them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Value>,
    /// `UDP` or `TCP`.
    #[serde(
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub transport: Option<String>,
    /// Whether the server may forward the video orientation extension.
    #[serde(
        deserialize_with = "lenient::maybe_flag",
        skip_serializing_if = "Option::is_none"
    )]
    pub cvo_extension: Option<bool>,
}

/// `playStream`: the receive-only offer of a viewer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlayStream {
    /// The stream's id, made by the client.
    #[serde(deserialize_with = "lenient::id")]
    pub media_session_id: Option<MediaSessionId>,
    /// The name to play.
    #[serde(deserialize_with = "lenient::id")]
    pub name: Option<StreamName>,
    /// Always `false`.
    #[serde(deserialize_with = "lenient::flag")]
    pub published: bool,
    /// Always `true`, even for audio only: look in the SDP.
    #[serde(deserialize_with = "lenient::flag")]
    pub has_video: bool,
    /// Always `true`, even for video only: look in the SDP.
    #[serde(deserialize_with = "lenient::flag")]
    pub has_audio: bool,
    /// `PENDING`; not to be trusted.
    #[serde(deserialize_with = "lenient::string")]
    pub status: String,
    /// Always `false`.
    #[serde(deserialize_with = "lenient::flag")]
    pub record: bool,
    /// Wanted width in pixels; 0 is the source's.
    #[serde(with = "lenient::number")]
    pub width: f64,
    /// Wanted height in pixels; 0 is the source's.
    #[serde(with = "lenient::number")]
    pub height: f64,
    /// `WebRTC`, `MSE` or `WSPlayer`.
    #[serde(deserialize_with = "lenient::string")]
    pub media_provider: String,
    /// The SDP offer.
    #[serde(deserialize_with = "lenient::string")]
    pub sdp: String,
    /// Application data for the server's hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Value>,
    /// Wanted bitrate, kbit/s; 0 is the source's.
    #[serde(with = "lenient::number")]
    pub bitrate: f64,
    /// Least bitrate, kbit/s; 0 is unset.
    #[serde(with = "lenient::number")]
    pub min_bitrate: f64,
    /// Most bitrate, kbit/s; 0 is unset.
    #[serde(with = "lenient::number")]
    pub max_bitrate: f64,
    /// 0 to 100; 0 is unset.
    #[serde(with = "lenient::number")]
    pub quality: f64,
    /// Media constraints as the application gave them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Value>,
    /// `UDP` or `TCP`.
    #[serde(
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub transport: Option<String>,
    /// Whether the server may forward the video orientation extension.
    #[serde(
        deserialize_with = "lenient::maybe_flag",
        skip_serializing_if = "Option::is_none"
    )]
    pub cvo_extension: Option<bool>,
}

/// `stopStream` of a viewer and `unPublishStream` of a publisher.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StopStream {
    /// The stream's id.
    #[serde(deserialize_with = "lenient::id")]
    pub media_session_id: Option<MediaSessionId>,
    /// The stream's name.
    #[serde(deserialize_with = "lenient::id")]
    pub name: Option<StreamName>,
    /// `true` from the publisher.
    #[serde(deserialize_with = "lenient::flag")]
    pub published: bool,
    /// Always `true`.
    #[serde(deserialize_with = "lenient::flag")]
    pub has_video: bool,
    /// Always `true`.
    #[serde(deserialize_with = "lenient::flag")]
    pub has_audio: bool,
    /// The client's status when it asked; not to be trusted.
    #[serde(deserialize_with = "lenient::string")]
    pub status: String,
    /// Always `false`.
    #[serde(deserialize_with = "lenient::flag")]
    pub record: bool,
}

/// `availableStream`: is the name live? The id is only for the reply.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AvailableRequest {
    /// Fresh id that the reply repeats.
    #[serde(deserialize_with = "lenient::id")]
    pub media_session_id: Option<MediaSessionId>,
    /// The name asked about.
    #[serde(deserialize_with = "lenient::id")]
    pub name: Option<StreamName>,
}

/// `snapshot`: a picture of the stream, please.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SnapshotRequest {
    /// The name of the stream.
    #[serde(deserialize_with = "lenient::id")]
    pub name: Option<StreamName>,
    /// Fresh or live id that the reply repeats.
    #[serde(deserialize_with = "lenient::id")]
    pub media_session_id: Option<MediaSessionId>,
}

/// `sendStreamEvent`: data or mute state from the publisher to its players.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendStreamEvent {
    /// The sender's stream.
    #[serde(default, deserialize_with = "lenient::id")]
    pub media_session_id: Option<MediaSessionId>,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: StreamEventType,
    /// Only for `data`: what the application passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
}

/// `sendData`: session-level data for the server's application.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SendData {
    /// Matched by the `DataStatusEvent` that answers.
    #[serde(deserialize_with = "lenient::string")]
    pub operation_id: String,
    /// What the application passed.
    pub payload: Value,
}
