//! Server to client messages.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::envelope::{Envelope, encode};
use crate::lenient::{BadArgument, FromMembers, Members};
use crate::{Connection, DecodeError, MediaSessionId, StreamEventType, StreamStatusEvent, strict};

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
    /// `notifySessionDebugEvent`: no state changes.
    SessionDebug(SessionDebug),
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
            "getVersion" => Self::Version(envelope.text_argument()),
            "setRemoteSDP" => {
                let (id, sdp) = envelope.two_strings()?;
                Self::RemoteSdp {
                    media_session_id: MediaSessionId::from(id),
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
            "notifySessionDebugEvent" => Self::SessionDebug(envelope.argument()?),
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
            Self::SessionDebug(argument) => encode("notifySessionDebugEvent", [argument]),
            Self::Ping => encode("ping", [Value::Null]),
            Self::Pong => encode("pong", [Value::Null]),
            Self::Unknown { message } => encode(message, [Value::Null]),
        }
    }
}

/// `getUserData`: the session's token and an echo of `connection`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserData {
    /// Resume token, beginning `/<client address>/<server address>` by convention.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_token: Option<String>,
    /// `ESTABLISHED`.
    pub status: String,
    /// Echo of the client's `connection`.
    #[serde(flatten, serialize_with = "without_token")]
    pub connection: Connection,
}

impl FromMembers for UserData {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            auth_token: members.text("authToken"),
            status: members.string("status"),
            connection: Connection::from_members(members)?,
        })
    }
}

/// The token has its own field beside the echo; a key must not come twice.
fn without_token<S: Serializer>(connection: &Connection, serializer: S) -> Result<S::Ok, S::Error> {
    let echo = Connection {
        auth_token: None,
        ..connection.clone()
    };
    echo.serialize(serializer)
}

/// `notifyStreamEvent`: something happened to a stream the receiver has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamEvent {
    /// The receiver's own stream, never the publisher's.
    pub media_session_id: MediaSessionId,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: StreamEventType,
    /// What goes with it. Written as `{}` if there is nothing, since clients
    /// look inside without asking.
    #[serde(serialize_with = "or_empty_object")]
    pub payload: Option<Value>,
}

impl FromMembers for StreamEvent {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            media_session_id: members.required_id("mediaSessionId")?,
            event_type: StreamEventType::from_wire(&members.required("type")?),
            payload: members.value("payload"),
        })
    }
}

fn or_empty_object<S: Serializer>(
    payload: &Option<Value>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match payload {
        Some(payload) if !payload.is_null() => payload.serialize(serializer),
        Some(_) | None => serializer.collect_map::<(), (), _>([]),
    }
}

/// `availableStream`: the reply. On the wire the answer is the *string*
/// `"true"`; anything else is no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Availability {
    /// The request's `mediaSessionId`.
    pub id: MediaSessionId,
    /// Whether the name is live.
    #[serde(rename = "status", serialize_with = "string_flag")]
    pub available: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
}

impl FromMembers for Availability {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            id: members.required_id("id")?,
            available: members
                .value("status")
                .is_some_and(|status| status == "true"),
            info: members.text("info"),
        })
    }
}

fn string_flag<S: Serializer>(flag: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if *flag { "true" } else { "false" })
}

/// How a `sendData` ended; any other word makes old clients throw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DataStatus {
    /// Delivered.
    Accepted,
    /// Not delivered.
    Failed,
}

impl DataStatus {
    fn from_wire(text: &str) -> Result<Self, BadArgument> {
        match text {
            "ACCEPTED" => Ok(Self::Accepted),
            "FAILED" => Ok(Self::Failed),
            _ => Err(BadArgument::Member("status")),
        }
    }
}

/// `DataStatusEvent`: the fate of one `sendData`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataStatusEvent {
    /// The operation's id.
    pub operation_id: String,
    /// How it ended.
    pub status: DataStatus,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
}

impl FromMembers for DataStatusEvent {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            operation_id: members.required("operationId")?,
            status: DataStatus::from_wire(&members.required("status")?)?,
            info: members.text("info"),
        })
    }
}

/// `OnDataEvent`: session-level application data.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataEvent {
    /// The operation's id.
    pub operation_id: String,
    /// What the application passed.
    pub payload: Value,
}

impl FromMembers for DataEvent {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            operation_id: members.string("operationId"),
            payload: members.value("payload").unwrap_or_default(),
        })
    }
}

/// `inboundVideoRate` and `outboundVideoRate`; clients take one a second.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoRate {
    /// The receiver's stream.
    pub media_session_id: MediaSessionId,
    /// Bits per second.
    #[serde(serialize_with = "strict::number")]
    pub video_rate: f64,
    /// Frames a second.
    #[serde(
        serialize_with = "strict::maybe_number",
        skip_serializing_if = "Option::is_none"
    )]
    pub fps: Option<f64>,
    /// NACKs so far.
    #[serde(
        serialize_with = "strict::maybe_number",
        skip_serializing_if = "Option::is_none"
    )]
    pub nack: Option<f64>,
    /// Keyframe requests so far.
    #[serde(
        serialize_with = "strict::maybe_number",
        skip_serializing_if = "Option::is_none"
    )]
    pub pli: Option<f64>,
    /// Packets lost so far.
    #[serde(
        serialize_with = "strict::maybe_number",
        skip_serializing_if = "Option::is_none"
    )]
    pub lost_packets: Option<f64>,
    /// Pixels.
    #[serde(
        serialize_with = "strict::maybe_number",
        skip_serializing_if = "Option::is_none"
    )]
    pub width: Option<f64>,
    /// Pixels.
    #[serde(
        serialize_with = "strict::maybe_number",
        skip_serializing_if = "Option::is_none"
    )]
    pub height: Option<f64>,
}

impl FromMembers for VideoRate {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            media_session_id: members.required_id("mediaSessionId")?,
            video_rate: members.number("videoRate"),
            fps: members.maybe_number("fps"),
            nack: members.maybe_number("nack"),
            pli: members.maybe_number("pli"),
            lost_packets: members.maybe_number("lostPackets"),
            width: members.maybe_number("width"),
            height: members.maybe_number("height"),
        })
    }
}

impl VideoRate {
    /// A rate in bits per second, without the informative fields.
    pub fn new(media_session_id: MediaSessionId, video_rate: f64) -> Self {
        Self {
            media_session_id,
            video_rate,
            fps: None,
            nack: None,
            pli: None,
            lost_packets: None,
            width: None,
            height: None,
        }
    }
}

/// `notifySessionDebugEvent`: the server's debug log of this session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionDebug {
    /// `STARTED` or `STOPPED` by convention.
    pub status: String,
    /// Where the finished log can be fetched, relative to the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

impl FromMembers for SessionDebug {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            status: members.string("status"),
            file: members.text("file"),
        })
    }
}

/// `fail`: a refusal that changes no state by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The method that failed.
    pub api_method: String,
    /// The stream it was about, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Always there: a client that finds none corrupts its own state.
    pub status: String,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
}

impl FromMembers for Failure {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            api_method: members.string("apiMethod"),
            id: members.text("id"),
            status: members.string("status"),
            info: members.text("info"),
        })
    }
}
