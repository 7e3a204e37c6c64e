//! What goes between signalling, the workers and the world outside.

use std::sync::Arc;

use str0m::net::Transmit;

use super::head_start::HeadStart;
use super::layers::Layers;
use super::packet::MediaPacket;
use super::sdp::SourceCodec;
use super::sends::Sends;
use super::snapshot::Keyframe;
use crate::core::backend::{Event, PeerId, SnapshotId, Wishes};

/// A worker's place among the workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WorkerId(pub(super) usize);

/// What comes to a shard from signalling and from other shards.
#[derive(Debug)]
pub(super) enum Message {
    /// Make a publisher.
    OpenPublisher {
        peer: PeerId,
        offer: String,
        wishes: Wishes,
    },
    /// To the source's worker: make a player of it on worker `home`.
    OpenPlayer {
        peer: PeerId,
        source: PeerId,
        home: WorkerId,
        offer: String,
        wishes: Wishes,
    },
    /// To the player's worker, from the source's.
    AdmitPlayer(Box<Admission>),
    /// Restart a peer's ICE with the credentials of a fragment.
    Restart { peer: PeerId, fragment: String },
    /// End a publisher.
    ClosePublisher { peer: PeerId },
    /// To the source's worker: end a player on worker `home`. It takes the way
    /// of [`Message::OpenPlayer`], so that it cannot overtake it.
    ClosePlayer { peer: PeerId, home: WorkerId },
    /// To the player's worker, from the source's.
    DismissPlayer { peer: PeerId },
    /// To the worker that a player on worker `home` came by: it goes on with
    /// another source. The way of [`Message::OpenPlayer`] as well, for the same
    /// reason.
    SplicePlayer {
        peer: PeerId,
        home: WorkerId,
        source: PeerId,
        source_worker: WorkerId,
    },
    /// To the player's worker, from that one.
    MovePlayer {
        peer: PeerId,
        source: PeerId,
        source_worker: WorkerId,
    },
    /// To the new source's worker, from the player's.
    PlayerMoved {
        peer: PeerId,
        source: PeerId,
        home: WorkerId,
    },
    /// To the player's worker, from the new source's.
    FeedPlayer(Box<Feed>),
    /// To the source's worker: one player less on worker `home`.
    PlayerLeft { source: PeerId, home: WorkerId },
    /// To the source's worker: take a picture of it.
    Snapshot { request: SnapshotId, source: PeerId },
    /// To the source's worker: a keyframe of one of its layers.
    KeyframeWanted { source: PeerId, layer: u8 },
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

impl Message {
    /// Comes again and again, and can be done without now and then: the next
    /// packet repairs a lost one, and players repeat their wishes.
    pub(super) fn is_droppable(&self) -> bool {
        matches!(self, Self::Media { .. } | Self::KeyframeWanted { .. })
    }

    /// Players are given what has come before it first.
    pub(super) fn waits_for_media(&self) -> bool {
        !matches!(self, Self::Media { .. })
    }
}

/// A player with what its source's worker knows that the player's own needs.
#[derive(Debug)]
pub(super) struct Admission {
    pub(super) peer: PeerId,
    pub(super) source: PeerId,
    pub(super) source_worker: WorkerId,
    /// What the source may send.
    pub(super) codecs: Vec<SourceCodec>,
    /// What it has sent last, up to here.
    pub(super) head_start: HeadStart,
    /// It sends several encodings at once.
    pub(super) is_layered: bool,
    /// What they carry.
    pub(super) layers: Layers,
    /// The client's.
    pub(super) offer: String,
    pub(super) wishes: Wishes,
}

/// A player that goes on with another source, and what its worker has to know of
/// that.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) peer: PeerId,
    pub(super) source: PeerId,
    pub(super) source_worker: WorkerId,
    /// What the source may send.
    pub(super) codecs: Vec<SourceCodec>,
    /// What it has sent that viewers can start with.
    pub(super) head_start: HeadStart,
    /// What its encodings carry.
    pub(super) layers: Layers,
}

impl Outbox {
    /// Where what a peer has to send goes.
    pub(super) fn ways_out(&mut self) -> (&mut Vec<Transmit>, &mut Sends) {
        (&mut self.transmits, &mut self.sends)
    }
}

/// What a shard wants done, to be taken out after each call.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Runs of one peer stand together.
    pub(super) transmits: Vec<Transmit>,
    /// Players' media, in the same way.
    pub(super) sends: Sends,
    pub(super) events: Vec<Event>,
    pub(super) messages: Vec<(WorkerId, Message)>,
    /// To be decoded for a picture.
    pub(super) keyframes: Vec<(SnapshotId, Keyframe)>,
}
