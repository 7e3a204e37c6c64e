//! Client to server messages.

use serde::Serialize;
use serde_json::Value;

use crate::envelope::{Envelope, encode};
use crate::lenient::{BadArgument, FromMembers, Members};
use crate::{DataStatusEvent, DecodeError, MediaSessionId, StreamEventType, StreamName, strict};

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
    /// Asks to start or stop the debugging of the session.
    SessionDebug(SessionDebugRequest),
    /// A player pauses; only recordings can.
    PauseStream(StopStream),
    /// Debugging aids (`pushLogs`, `submitBugReport`, metrics):
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
            "sessionDebug" => Self::SessionDebug(envelope.argument()?),
            "pauseStream" => Self::PauseStream(envelope.argument()?),
            "pushLogs"
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
            Self::SessionDebug(argument) => encode("sessionDebug", [argument]),
            Self::PauseStream(argument) => encode("pauseStream", [argument]),
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
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// The server-side application; `defaultApp` by convention.
    pub app_key: String,
    /// Usable media providers in order of preference.
    pub media_providers: Vec<String>,
    /// Keep the session's streams for a while after the socket is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_alive: Option<bool>,
    /// Resume token from an earlier `getUserData`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_token: Option<String>,
    /// Version of the signalling the client speaks; `2.0` today.
    pub client_version: String,
    /// The client's operating system.
    #[serde(rename = "clientOSVersion")]
    pub client_os_version: String,
    /// The client's browser or program.
    pub client_browser_version: String,
    /// Application data for the server's hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Value>,
}

impl FromMembers for Connection {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            app_key: members.string("appKey"),
            media_providers: members.strings("mediaProviders"),
            keep_alive: members.maybe_flag("keepAlive"),
            auth_token: members.text("authToken"),
            client_version: members.string("clientVersion"),
            client_os_version: members.string("clientOSVersion"),
            client_browser_version: members.string("clientBrowserVersion"),
            custom: members.value("custom"),
        })
    }
}

/// `publishStream`: the offer of a publisher.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishStream {
    /// The stream's id, made by the client.
    pub media_session_id: Option<MediaSessionId>,
    /// The name to publish by.
    pub name: Option<StreamName>,
    /// Always `true`.
    pub published: bool,
    /// The offer has video to send.
    pub has_video: bool,
    /// The offer has audio to send.
    pub has_audio: bool,
    /// `PENDING`, or whatever an old client thinks; not to be trusted.
    pub status: String,
    /// Record on the server.
    pub record: bool,
    /// `WebRTC`.
    pub media_provider: String,
    /// The SDP offer.
    pub sdp: String,
    /// Application data for the server's hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Value>,
    /// Wanted video bitrate, kbit/s; 0 is unset.
    #[serde(serialize_with = "strict::number")]
    pub bitrate: f64,
    /// Least video bitrate, kbit/s; 0 is unset.
    #[serde(serialize_with = "strict::number")]
    pub min_bitrate: f64,
    /// Most video bitrate, kbit/s; 0 is unset.
    #[serde(serialize_with = "strict::number")]
    pub max_bitrate: f64,
    /// Where to publish the stream again by RTMP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtmp_url: Option<String>,
    /// Media constraints as the application gave them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Value>,
    /// `UDP` or `TCP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// Whether the server may forward the video orientation extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cvo_extension: Option<bool>,
}

impl FromMembers for PublishStream {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            media_session_id: members.id(),
            name: members.name(),
            published: members.flag("published"),
            has_video: members.flag("hasVideo"),
            has_audio: members.flag("hasAudio"),
            status: members.string("status"),
            record: members.flag("record"),
            media_provider: members.string("mediaProvider"),
            sdp: members.string("sdp"),
            custom: members.value("custom"),
            bitrate: members.number("bitrate"),
            min_bitrate: members.number("minBitrate"),
            max_bitrate: members.number("maxBitrate"),
            rtmp_url: members.text("rtmpUrl"),
            constraints: members.value("constraints"),
            transport: members.text("transport"),
            cvo_extension: members.maybe_flag("cvoExtension"),
        })
    }
}

/// `playStream`: the receive-only offer of a viewer.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlayStream {
    /// The stream's id, made by the client.
    pub media_session_id: Option<MediaSessionId>,
    /// The name to play.
    pub name: Option<StreamName>,
    /// Always `false`.
    pub published: bool,
    /// Always `true`, even for audio only: look in the SDP.
    pub has_video: bool,
    /// Always `true`, even for video only: look in the SDP.
    pub has_audio: bool,
    /// `PENDING`; not to be trusted.
    pub status: String,
    /// Always `false`.
    pub record: bool,
    /// Wanted width in pixels; 0 is the source's.
    #[serde(serialize_with = "strict::number")]
    pub width: f64,
    /// Wanted height in pixels; 0 is the source's.
    #[serde(serialize_with = "strict::number")]
    pub height: f64,
    /// `WebRTC`, `MSE` or `WSPlayer`.
    pub media_provider: String,
    /// The SDP offer.
    pub sdp: String,
    /// Application data for the server's hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Value>,
    /// Wanted bitrate, kbit/s; 0 is the source's.
    #[serde(serialize_with = "strict::number")]
    pub bitrate: f64,
    /// Least bitrate, kbit/s; 0 is unset.
    #[serde(serialize_with = "strict::number")]
    pub min_bitrate: f64,
    /// Most bitrate, kbit/s; 0 is unset.
    #[serde(serialize_with = "strict::number")]
    pub max_bitrate: f64,
    /// 0 to 100; 0 is unset.
    #[serde(serialize_with = "strict::number")]
    pub quality: f64,
    /// Media constraints as the application gave them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Value>,
    /// `UDP` or `TCP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// Whether the server may forward the video orientation extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cvo_extension: Option<bool>,
}

impl FromMembers for PlayStream {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            media_session_id: members.id(),
            name: members.name(),
            published: members.flag("published"),
            has_video: members.flag("hasVideo"),
            has_audio: members.flag("hasAudio"),
            status: members.string("status"),
            record: members.flag("record"),
            width: members.number("width"),
            height: members.number("height"),
            media_provider: members.string("mediaProvider"),
            sdp: members.string("sdp"),
            custom: members.value("custom"),
            bitrate: members.number("bitrate"),
            min_bitrate: members.number("minBitrate"),
            max_bitrate: members.number("maxBitrate"),
            quality: members.number("quality"),
            constraints: members.value("constraints"),
            transport: members.text("transport"),
            cvo_extension: members.maybe_flag("cvoExtension"),
        })
    }
}

/// `stopStream` of a viewer and `unPublishStream` of a publisher.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StopStream {
    /// The stream's id.
    pub media_session_id: Option<MediaSessionId>,
    /// The stream's name.
    pub name: Option<StreamName>,
    /// `true` from the publisher.
    pub published: bool,
    /// Always `true`.
    pub has_video: bool,
    /// Always `true`.
    pub has_audio: bool,
    /// The client's status when it asked; not to be trusted.
    pub status: String,
    /// Always `false`.
    pub record: bool,
}

impl FromMembers for StopStream {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            media_session_id: members.id(),
            name: members.name(),
            published: members.flag("published"),
            has_video: members.flag("hasVideo"),
            has_audio: members.flag("hasAudio"),
            status: members.string("status"),
            record: members.flag("record"),
        })
    }
}

/// `availableStream`: is the name live? The id is only for the reply.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AvailableRequest {
    /// Fresh id that the reply repeats.
    pub media_session_id: Option<MediaSessionId>,
    /// The name asked about.
    pub name: Option<StreamName>,
}

impl FromMembers for AvailableRequest {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            media_session_id: members.id(),
            name: members.name(),
        })
    }
}

/// `snapshot`: a picture of the stream, please.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotRequest {
    /// The name of the stream.
    pub name: Option<StreamName>,
    /// Fresh or live id that the reply repeats.
    pub media_session_id: Option<MediaSessionId>,
}

impl FromMembers for SnapshotRequest {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            name: members.name(),
            media_session_id: members.id(),
        })
    }
}

/// `sendStreamEvent`: data or mute state from the publisher to its players.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SendStreamEvent {
    /// The sender's stream.
    pub media_session_id: Option<MediaSessionId>,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: StreamEventType,
    /// Only for `data`: what the application passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
}

impl FromMembers for SendStreamEvent {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            media_session_id: members.id(),
            event_type: StreamEventType::from_wire(&members.required("type")?),
            payload: members.value("payload"),
        })
    }
}

/// `sendData`: session-level data for the server's application.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SendData {
    /// Matched by the `DataStatusEvent` that answers.
    pub operation_id: String,
    /// What the application passed.
    pub payload: Value,
}

impl FromMembers for SendData {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            operation_id: members.string("operationId"),
            payload: members.value("payload").unwrap_or_default(),
        })
    }
}

/// `sessionDebug`: debug this session, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionDebugRequest {
    /// `start` or `stop`.
    pub command: String,
}

impl FromMembers for SessionDebugRequest {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            command: members.string("command"),
        })
    }
}
