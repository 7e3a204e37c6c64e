//! What goes between signalling, the workers and the world outside.

use std::sync::Arc;

use str0m::net::Transmit;

use super::packet::MediaPacket;
use super::sdp::SourceCodec;
use crate::core::backend::{Event, PeerId};

/// A worker's place among the workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WorkerId(pub(super) usize);

/// What comes to a shard from signalling and from other shards.
#[derive(Debug)]
pub(super) enum Message {
    /// Make a publisher.
    OpenPublisher { peer: PeerId, offer: String },
    /// To the source's worker: make a player of it on worker `home`.
    OpenPlayer {
        peer: PeerId,
        source: PeerId,
        home: WorkerId,
        offer: String,
    },
    /// To the player's worker, from the source's.
    AdmitPlayer {
        peer: PeerId,
        source: PeerId,
        source_worker: WorkerId,
        codecs: Vec<SourceCodec>,
        offer: String,
    },
    /// Restart a peer's ICE with the credentials of a fragment.
    Restart { peer: PeerId, fragment: String },
    /// End a publisher.
    ClosePublisher { peer: PeerId },
    /// To the source's worker: end a player on worker `home`. It takes the way
    /// of [`Message::OpenPlayer`], so that it cannot overtake it.
    ClosePlayer { peer: PeerId, home: WorkerId },
    /// To the player's worker, from the source's.
    DismissPlayer { peer: PeerId },
    /// To the source's worker: one player less on worker `home`.
    PlayerLeft { source: PeerId, home: WorkerId },
    /// To the source's worker.
    KeyframeWanted { source: PeerId },
    /// To a worker with players of the source.
    Media {
        source: PeerId,
        packet: Arc<MediaPacket>,
    },
    /// A worker failed, and with it every peer on it and every player of one.
    WorkerGone { worker: WorkerId },
    /// End every peer, politely, and the thread.
    Stop,
}

/// What a shard wants done, to be taken out after each call.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Runs of one peer stand together.
    pub(super) transmits: Vec<Transmit>,
    pub(super) events: Vec<Event>,
    pub(super) messages: Vec<(WorkerId, Message)>,
}
