//! What passes between signalling and media, counted and timed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::core::backend::{Command, EndReason, Event, PeerId, Role, SnapshotId};
use crate::meters::Histogram;

/// Publisher or player, as metrics name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Publisher,
    Player,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Publisher, Self::Player];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Publisher => "publisher",
            Self::Player => "player",
        }
    }
}

/// Why streams end, as metrics name it.
pub(super) const ENDINGS: [&str; 13] = [
    "bad_offer",
    "no_common_codecs",
    "transcoding_needed",
    "source_gone",
    "source_not_ready",
    "ice_timeout",
    "ice_lost",
    "dtls_fingerprint",
    "dtls",
    "rtp_inactive",
    "closed_by_peer",
    "internal",
    // By its client, its session's end or an operator.
    "closed",
];

const CLOSED: usize = ENDINGS.len() - 1;

/// The place of a reason among [`ENDINGS`].
fn place(reason: EndReason) -> usize {
    match reason {
        EndReason::BadOffer => 0,
        EndReason::NoCommonCodecs => 1,
        EndReason::TranscodingNeeded => 2,
        EndReason::SourceGone => 3,
        EndReason::SourceNotReady => 4,
        EndReason::IceTimeout => 5,
        EndReason::IceLost => 6,
        EndReason::DtlsFingerprint => 7,
        EndReason::Dtls => 8,
        EndReason::RtpInactive => 9,
        EndReason::ClosedByPeer => 10,
        EndReason::Internal => 11,
    }
}

/// What there is to read.
#[derive(Debug, Default)]
pub(super) struct Seen {
    opened: [AtomicU64; 2],
    ended: [AtomicU64; ENDINGS.len()],
    /// From an offer to its answer.
    pub(super) answers: [Histogram; 2],
    /// From a request to the picture.
    pub(super) pictures: Histogram,
    failed_pictures: AtomicU64,
}

impl Seen {
    pub(super) fn opened(&self, kind: Kind) -> u64 {
        self.opened[kind as usize].load(Ordering::Relaxed)
    }

    /// In the order of [`ENDINGS`].
    pub(super) fn ended(&self) -> [u64; ENDINGS.len()] {
        std::array::from_fn(|place| self.ended[place].load(Ordering::Relaxed))
    }

    pub(super) fn failed_pictures(&self) -> u64 {
        self.failed_pictures.load(Ordering::Relaxed)
    }
}

/// Follows peers from offer to end, and pictures from request to answer.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    seen: Arc<Seen>,
    peers: HashMap<PeerId, Peer>,
    pictures: HashMap<SnapshotId, Instant>,
}

#[derive(Debug)]
struct Peer {
    kind: Kind,
    /// `None` once it is answered.
    offered: Option<Instant>,
}

impl Tracker {
    pub(super) fn seen(&self) -> Arc<Seen> {
        Arc::clone(&self.seen)
    }

    /// Signalling asks media for something.
    pub(super) fn asked(&mut self, command: &Command, now: Instant) {
        match command {
            Command::Open { peer, role, .. } => {
                let kind = match role {
                    Role::Publisher => Kind::Publisher,
                    Role::Player { .. } => Kind::Player,
                };
                count(&self.seen.opened[kind as usize]);
                let offered = Some(now);
                self.peers.insert(*peer, Peer { kind, offered });
            }
            Command::Close { peer } => self.end(*peer, CLOSED),
            Command::Snapshot { request, .. } => {
                self.pictures.insert(*request, now);
            }
            Command::Restart { .. } | Command::Splice { .. } => {}
        }
    }

    /// Media tells signalling something.
    pub(super) fn heard(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Answered { peer, .. } => {
                let Some(peer) = self.peers.get_mut(peer) else {
                    return;
                };
                if let Some(offered) = peer.offered.take() {
                    let took = now.saturating_duration_since(offered);
                    self.seen.answers[peer.kind as usize].note(took);
                }
            }
            Event::Ended { peer, reason } => self.end(*peer, place(*reason)),
            Event::Snapshot { request, picture } => {
                let asked = self.pictures.remove(request);
                match (asked, picture) {
                    (Some(asked), Ok(_)) => {
                        let took = now.saturating_duration_since(asked);
                        self.seen.pictures.note(took);
                    }
                    (Some(_), Err(_)) => count(&self.seen.failed_pictures),
                    (None, _) => {}
                }
            }
            Event::Flowing { .. }
            | Event::Rate { .. }
            | Event::Restarted { .. }
            | Event::Resized { .. }
            | Event::NotEnoughBandwidth { .. } => {}
        }
    }

    /// A peer that has ended is closed as well: the first counts.
    fn end(&mut self, peer: PeerId, ending: usize) {
        if self.peers.remove(&peer).is_some() {
            count(&self.seen.ended[ending]);
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::core::backend::{Codecs, SnapshotError, Wishes};

    #[test]
    fn a_stream_ends_once_and_for_its_first_reason() {
        let (mut tracker, start) = (Tracker::default(), Instant::now());
        let seen = tracker.seen();
        let open = |peer, role| Command::Open {
            peer: PeerId(peer),
            role,
            offer: String::new(),
            wishes: Wishes::default(),
        };
        tracker.asked(&open(1, Role::Publisher), start);
        let source = PeerId(1);
        tracker.asked(&open(2, Role::Player { source }), start);
        for peer in [1, 1, 3] {
            let answered = Event::Answered {
                peer: PeerId(peer),
                answer: String::new(),
                codecs: Codecs::default(),
            };
            tracker.heard(&answered, start + Duration::from_millis(3));
        }
        let ended = Event::Ended {
            peer: PeerId(1),
            reason: EndReason::IceLost,
        };
        tracker.heard(&ended, start);
        for peer in [1, 2, 2] {
            let peer = PeerId(peer);
            tracker.asked(&Command::Close { peer }, start);
        }
        assert_eq!(Kind::ALL.map(|kind| seen.opened(kind)), [1, 1]);
        let answers = seen.answers.each_ref().map(Histogram::read);
        assert_eq!(answers.map(|times| times.micros), [3_000, 0]);
        let ended: Vec<_> = ENDINGS.iter().zip(seen.ended()).collect();
        let counted: Vec<_> = ended.iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [&(&"ice_lost", 1), &(&"closed", 1)]);
        assert!(tracker.peers.is_empty());
    }

    #[test]
    fn pictures_are_timed_and_failures_counted() {
        let (mut tracker, start) = (Tracker::default(), Instant::now());
        let seen = tracker.seen();
        for (request, picture) in [(1, Ok(Vec::new())), (2, Err(SnapshotError::Busy))] {
            let request = SnapshotId(request);
            let source = PeerId(1);
            tracker.asked(&Command::Snapshot { request, source }, start);
            let taken = Event::Snapshot { request, picture };
            tracker.heard(&taken, start + Duration::from_secs(1));
            tracker.heard(&taken, start);
        }
        let pictures = seen.pictures.read();
        assert_eq!((pictures.count(), pictures.micros), (1, 1_000_000));
        assert_eq!(seen.failed_pictures(), 1);
        assert!(tracker.pictures.is_empty());
    }
}
