//! A publisher or a player, as its worker drives it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use str0m::net::Transmit;

use super::link::Link;
use super::packet::MediaPacket;
use super::player::Player;
use super::publisher::Publisher;
use crate::core::backend::{EndReason, VideoRate};
use crate::counters::Reason;

/// What a peer tells its worker.
#[derive(Debug)]
pub(super) enum PeerEvent {
    /// Media flows, said once.
    Flowing,
    /// A publisher's packet.
    Media(Arc<MediaPacket>),
    /// A player needs a keyframe of its source, or a publisher's players do.
    KeyframeWanted,
    /// The video rate of the last interval.
    Rate(VideoRate),
    /// A datagram came to nothing.
    Refused(Reason),
    /// Over; nothing follows.
    Ended(EndReason),
}

/// One peer.
pub(super) enum Peer {
    Publisher(Publisher),
    Player(Player),
}

impl Peer {
    fn link(&mut self) -> &mut Link {
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
        source: SocketAddr,
        destination: SocketAddr,
        datagram: &[u8],
        now: Instant,
    ) -> Result<(), Reason> {
        self.link()
            .handle_datagram(source, destination, datagram, now)
    }

    /// Does what is due at `now`.
    pub(super) fn drain(
        &mut self,
        now: Instant,
        transmits: &mut Vec<Transmit>,
        events: &mut Vec<PeerEvent>,
    ) {
        match self {
            Self::Publisher(publisher) => publisher.drain(now, transmits, events),
            Self::Player(player) => player.drain(now, transmits, events),
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
        self.link().close(now, transmits);
    }
}
