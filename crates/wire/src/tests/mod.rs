//! Tests of the whole wire: exact texts, traps, properties.

mod golden_client;
mod golden_server;
mod leniency;
mod properties;
mod traps;

use crate::{ClientMessage, MediaSessionId, ServerMessage, StreamName};

fn id(text: &str) -> MediaSessionId {
    MediaSessionId::new(text)
}

fn name(text: &str) -> StreamName {
    StreamName::new(text)
}

#[track_caller]
fn client(text: &str) -> ClientMessage {
    ClientMessage::decode(text).unwrap()
}

#[track_caller]
fn server(text: &str) -> ServerMessage {
    ServerMessage::decode(text).unwrap()
}
