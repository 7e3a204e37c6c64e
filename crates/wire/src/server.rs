//! Server to client messages.

use serde_json::{Value, json};

use crate::envelope::{Envelope, encode, encode_values};
use crate::lenient::{BadArgument, FromMembers, Members};
use crate::strict::{ToMembers, Writer};
use crate::{
    Connection, DataEvent, DataStatusEvent, DecodeError, MediaSessionId, StreamEventType,
    StreamStatusEvent,
};

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
        let (message, argument): (&str, &dyn ToMembers) = match self {
            Self::UserData(argument) => ("getUserData", argument),
            Self::StreamStatus(argument) => ("notifyStreamStatusEvent", argument),
            Self::StreamEvent(argument) => ("notifyStreamEvent", argument),
            Self::Available(argument) => ("availableStream", argument),
            Self::DataStatus(argument) => ("DataStatusEvent", argument),
            Self::Data(argument) => ("OnDataEvent", argument),
            Self::InboundVideoRate(argument) => ("inboundVideoRate", argument),
            Self::OutboundVideoRate(argument) => ("outboundVideoRate", argument),
            Self::Fail(argument) => ("fail", argument),
            Self::SessionDebug(argument) => ("notifySessionDebugEvent", argument),
            Self::Version(version) => {
                return encode_values("getVersion", &[version.as_str().into()]);
            }
            Self::RemoteSdp {
                media_session_id,
                sdp,
            } => {
                let id = media_session_id.as_str();
                let data = [id.into(), sdp.as_str().into(), true.into()];
                return encode_values("setRemoteSDP", &data);
            }
            Self::Ping => return encode_values("ping", &[Value::Null]),
            Self::Pong => return encode_values("pong", &[Value::Null]),
            Self::Unknown { message } => return encode_values(message, &[Value::Null]),
        };
        encode(message, argument)
    }
}

/// `getUserData`: the session's token and an echo of `connection`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UserData {
    /// Resume token, beginning `/<client address>/<server address>` by convention.
    pub auth_token: Option<String>,
    /// `ESTABLISHED`.
    pub status: String,
    /// Echo of the client's `connection`.
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

impl ToMembers for UserData {
    fn to_members(&self, members: &mut Writer) {
        members.maybe_text("authToken", self.auth_token.as_deref());
        members.text("status", &self.status);
        // The token has its own place before the echo: no key may come twice.
        self.connection.write(None, members);
        // Old clients ask how media comes that is not WebRTC: never.
        for tunnel in [
            "useWsTunnel",
            "useWsTunnelPacketization2",
            "useBase64BinaryEncoding",
        ] {
            members.flag(tunnel, false);
        }
    }
}

/// `notifyStreamEvent`: something happened to a stream the receiver has.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamEvent {
    /// The receiver's own stream, never the publisher's.
    pub media_session_id: MediaSessionId,
    /// What happened.
    pub event_type: StreamEventType,
    /// What goes with it. Written as `{}` if there is nothing, since clients
    /// look inside without asking.
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

impl ToMembers for StreamEvent {
    fn to_members(&self, members: &mut Writer) {
        members.id(Some(&self.media_session_id));
        members.text("type", self.event_type.as_str());
        match &self.payload {
            Some(payload) if !payload.is_null() => members.value("payload", payload),
            Some(_) | None => members.value("payload", &json!({})),
        }
    }
}

/// `availableStream`: the reply. On the wire the answer is the *string*
/// `"true"`; anything else is no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// The request's `mediaSessionId`.
    pub id: MediaSessionId,
    /// Whether the name is live.
    pub available: bool,
    /// Why not.
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

impl ToMembers for Availability {
    fn to_members(&self, members: &mut Writer) {
        members.text("id", self.id.as_str());
        let status = if self.available { "true" } else { "false" };
        members.text("status", status);
        members.maybe_text("info", self.info.as_deref());
    }
}

/// `inboundVideoRate` and `outboundVideoRate`; clients take one a second.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoRate {
    /// The receiver's stream.
    pub media_session_id: MediaSessionId,
    /// Bits per second.
    pub video_rate: f64,
    /// Frames a second.
    pub fps: Option<f64>,
    /// NACKs so far.
    pub nack: Option<f64>,
    /// Keyframe requests so far.
    pub pli: Option<f64>,
    /// Packets lost so far.
    pub lost_packets: Option<f64>,
    /// Pixels.
    pub width: Option<f64>,
    /// Pixels.
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

impl ToMembers for VideoRate {
    fn to_members(&self, members: &mut Writer) {
        members.id(Some(&self.media_session_id));
        members.number("videoRate", self.video_rate);
        members.maybe_number("fps", self.fps);
        members.maybe_number("nack", self.nack);
        members.maybe_number("pli", self.pli);
        members.maybe_number("lostPackets", self.lost_packets);
        members.maybe_number("width", self.width);
        members.maybe_number("height", self.height);
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionDebug {
    /// `STARTED` or `STOPPED` by convention.
    pub status: String,
    /// Where the finished log can be fetched, relative to the server.
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

impl ToMembers for SessionDebug {
    fn to_members(&self, members: &mut Writer) {
        members.text("status", &self.status);
        members.maybe_text("file", self.file.as_deref());
    }
}

/// `fail`: a refusal that changes no state by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    /// The method that failed.
    pub api_method: String,
    /// The stream it was about, if any.
    pub id: Option<String>,
    /// Always there: a client that finds none corrupts its own state.
    pub status: String,
    /// What is wrong.
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

impl ToMembers for Failure {
    fn to_members(&self, members: &mut Writer) {
        members.text("apiMethod", &self.api_method);
        members.maybe_text("id", self.id.as_deref());
        members.text("status", &self.status);
        members.maybe_text("info", self.info.as_deref());
    }
}
