//! A publisher or a player, as its worker drives it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::net::Transmit;

use super::demux::Path;
use super::link::Link;
use super::packet::MediaPacket;
use super::player::Player;
use super::publisher::Publisher;
use super::sends::Sends;
use super::snapshot::Keyframe;
use crate::core::backend::{EndReason, PictureSize, SnapshotId, VideoRate};
use crate::counters::Reason;
use crate::meters::{Meter, Time};

/// What a peer tells its worker.
#[derive(Debug)]
pub(super) enum PeerEvent {
    /// Media flows, said once.
    Flowing,
    /// A publisher's packet.
    Media(Arc<MediaPacket>),
    /// What a publisher sends has this size from now on.
    Resized(PictureSize),
    /// A publisher's keyframe, for a picture of it.
    Keyframe(SnapshotId, Keyframe),
    /// There was none in time.
    NoKeyframe(SnapshotId),
    /// A player needs a keyframe of a layer of its source, or a publisher's
    /// players do.
    KeyframeWanted(u8),
    /// A player needs more than its network carries, both in bits per second.
    NotEnoughBandwidth { needed_bps: u64, available_bps: u64 },
    /// The video rate of the last interval.
    Rate(VideoRate),
    /// So much more to count.
    Counted(Meter, u64),
    /// Something took so long.
    Took(Time, Duration),
    /// A datagram came to nothing.
    Refused(Reason),
    /// Over; nothing follows.
    Ended(EndReason),
}

/// One peer.
pub(super) enum Peer {
    Publisher(Box<Publisher>),
    Player(Box<Player>),
}

impl Peer {
    pub(super) fn link(&mut self) -> &mut Link {
        match self {
            Self::Publisher(publisher) => &mut publisher.link,
            Self::Player(player) => &mut player.link,
        }
    }

    /// Takes a datagram; [`Peer::drain`] must follow.
    ///
    /// # Errors
    /// It is nothing that this peer can take.
    pub(super) fn handle_datagram(
        &mut self,
        path: Path,
        datagram: &[u8],
        now: Instant,
    ) -> Result<(), Reason> {
        self.link().handle_datagram(path, datagram, now)
    }

    /// A TCP connection of the client's is over. [`Peer::drain`] must follow.
    pub(super) fn handle_closed(&mut self, path: Path, now: Instant) {
        self.link().handle_closed(path, now);
    }

    /// Does what is due at `now`.
    pub(super) fn drain(
        &mut self,
        now: Instant,
        (transmits, sends): (&mut Vec<Transmit>, &mut Sends),
        events: &mut Vec<PeerEvent>,
    ) {
        match self {
            Self::Publisher(publisher) => publisher.drain(now, transmits, events),
            Self::Player(player) => player.drain(now, (transmits, sends), events),
        }
    }

    /// When [`Peer::drain`] must be called again.
    pub(super) fn deadline(&self, now: Instant) -> Instant {
        match self {
            Self::Publisher(publisher) => publisher.deadline(now),
            Self::Player(player) => player.deadline(),
        }
    }

    /// Says goodbye to the client.
    pub(super) fn close(&mut self, now: Instant, transmits: &mut Vec<Transmit>) {
        match self {
            Self::Publisher(publisher) => publisher.link.close(now, transmits),
            Self::Player(player) => player.close(now, transmits),
        }
    }
}
