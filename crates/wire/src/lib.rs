//! Web Call Server signalling: every message of the publish and play subset,
//! as JSON text over one WebSocket.
//!
//! Lenient in, strict out: decoding takes what clients and servers of the last
//! ten years send (numbers as strings, `null` for missing, no `data` at all),
//! encoding writes exactly what the pickiest of them needs. A message nobody
//! here knows becomes [`ClientMessage::Unknown`] or [`ServerMessage::Unknown`].
//!
//! This crate knows names and shapes only. What a message *means* is in the
//! `session` crate (client) and in the server's signalling core.

mod client;
mod data;
mod envelope;
mod ids;
pub mod info;
mod lenient;
mod requests;
mod server;
mod status;
mod stream_status;
mod strict;
#[cfg(test)]
mod tests;

pub use client::ClientMessage;
pub use data::{DataEvent, DataStatus, DataStatusEvent};
pub use envelope::{BadEnvelope, DecodeError};
pub use ids::{MediaSessionId, StreamName};
pub use lenient::BadArgument;
pub use requests::{
    AvailableRequest, Connection, PlayStream, PublishStream, SendData, SendStreamEvent,
    SessionDebugRequest, SnapshotRequest, StopStream,
};
pub use server::{
    Availability, Failure, ServerMessage, SessionDebug, StreamEvent, UserData, VideoRate,
};
pub use status::{StreamEventType, StreamStatus};
pub use stream_status::{MuteState, StreamStatusEvent};
