//! Client to server messages.

use serde_json::Value;

use crate::envelope::{Envelope, encode, encode_values};
use crate::strict::ToMembers;
use crate::{
    AvailableRequest, Connection, DataStatusEvent, DecodeError, PlayStream, PublishStream,
    SendData, SendStreamEvent, SessionDebugRequest, SnapshotRequest, StopStream,
};

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
        let (message, argument): (&str, &dyn ToMembers) = match self {
            Self::Connection(argument) => ("connection", argument),
            Self::PublishStream(argument) => ("publishStream", argument),
            Self::PlayStream(argument) => ("playStream", argument),
            Self::StopStream(argument) => ("stopStream", argument),
            Self::UnPublishStream(argument) => ("unPublishStream", argument),
            Self::AvailableStream(argument) => ("availableStream", argument),
            Self::Snapshot(argument) => ("snapshot", argument),
            Self::SendStreamEvent(argument) => ("sendStreamEvent", argument),
            Self::SendData(argument) => ("sendData", argument),
            Self::DataStatusEvent(argument) => ("DataStatusEvent", argument),
            Self::SessionDebug(argument) => ("sessionDebug", argument),
            Self::PauseStream(argument) => ("pauseStream", argument),
            Self::Ping => return encode_values("ping", &[Value::Null]),
            Self::Pong => return encode_values("pong", &[Value::Null]),
            Self::ConnectMediaTransport => {
                return encode_values("connectMediaTransport", &[Value::Null]);
            }
            Self::Diagnostics { message } | Self::Call { message } | Self::Unknown { message } => {
                return encode_values(message, &[Value::Null]);
            }
        };
        encode(message, argument)
    }
}
