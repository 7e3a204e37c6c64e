//! A media backend by script: what the offer's first line says is what happens.

#![allow(dead_code, reason = "each test program uses its part")]

use std::collections::{BTreeMap, VecDeque};

use twoway_server::core::backend::{
    Codecs, Command, EndReason, Event, PeerId, Role, SnapshotError, SnapshotId, Wishes,
};

/// Answered, and media flows.
pub(crate) const FLOWS: &str = "flows";
/// The same without video.
pub(crate) const SOUND: &str = "sound";
/// Answered, but media never flows.
pub(crate) const ANSWERED: &str = "answered";
/// Not even answered.
pub(crate) const SILENT: &str = "silent";
/// An offer with nothing that fits.
pub(crate) const ALIEN: &str = "alien";
/// As an ICE user name fragment: the restart is not answered.
pub(crate) const STUCK: &str = "stuck";
/// An offer that is not one.
pub(crate) const GARBAGE: &str = "garbage";

/// Keeps the peers a real backend would have, and insists on correct commands.
#[derive(Debug, Default)]
pub(crate) struct FakeBackend {
    peers: BTreeMap<PeerId, Role>,
    events: VecDeque<Event>,
    /// What offers are answered with, instead of a text that names the peer.
    pub(crate) answer: Option<String>,
    /// What the newest peer was opened with.
    pub(crate) wishes: Wishes,
    /// Pictures asked for and not taken yet, oldest first.
    snapshots: VecDeque<SnapshotId>,
}

impl FakeBackend {
    /// Takes a command; its events wait in [`Self::poll_event`].
    pub(crate) fn command(&mut self, command: Command) {
        match command {
            Command::Open {
                peer,
                role,
                offer,
                wishes,
            } => {
                self.wishes = wishes;
                if let Role::Player { source } = role {
                    assert_eq!(self.peers.get(&source), Some(&Role::Publisher), "{peer:?}");
                }
                assert_eq!(self.peers.insert(peer, role), None, "{peer:?} opened twice");
                self.follow(peer, &offer);
            }
            Command::Snapshot { request, source } => {
                let role = self.peers.get(&source);
                assert_eq!(role, Some(&Role::Publisher), "{request:?}");
                self.snapshots.push_back(request);
            }
            Command::Splice { from, to } => self.splice(from, to),
            Command::Restart { peer, fragment } => self.restart(peer, &fragment),
            Command::Close { peer } => {
                assert!(self.peers.remove(&peer).is_some(), "{peer:?} was not open");
                self.events.retain(|event| peer_of(event) != Some(peer));
            }
        }
    }

    /// What a player is fed by, if it is one.
    pub(crate) fn source_of(&self, peer: PeerId) -> Option<PeerId> {
        match self.peers.get(&peer)? {
            Role::Player { source } => Some(*source),
            Role::Publisher => None,
        }
    }

    fn splice(&mut self, from: PeerId, to: PeerId) {
        assert!(!self.peers.contains_key(&from), "{from:?} is not over");
        assert_eq!(self.peers.get(&to), Some(&Role::Publisher), "{to:?}");
        let mut moved = 0;
        for role in self.peers.values_mut() {
            if *role == (Role::Player { source: from }) {
                *role = Role::Player { source: to };
                moved += 1;
            }
        }
        assert!(moved > 0, "nobody waits for {to:?} as the next {from:?}");
    }

    /// The next event, in order.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if let Event::Ended { peer, .. } = event {
            self.peers.remove(&peer);
        }
        Some(event)
    }

    fn follow(&mut self, peer: PeerId, offer: &str) {
        let script = offer.lines().next().unwrap_or_default();
        let video = (script != SOUND).then(|| "H264".into());
        let answered = Event::Answered {
            peer,
            answer: (self.answer.clone()).unwrap_or_else(|| format!("answer of {}", peer.0)),
            codecs: Codecs {
                audio: Some("opus".into()),
                video,
            },
        };
        match script {
            FLOWS | SOUND => self.events.extend([answered, Event::Flowing { peer }]),
            ANSWERED => self.events.push_back(answered),
            SILENT => {}
            ALIEN => self.events.push_back(Event::Ended {
                peer,
                reason: EndReason::NoCommonCodecs,
            }),
            _ => self.events.push_back(Event::Ended {
                peer,
                reason: EndReason::BadOffer,
            }),
        }
    }

    fn restart(&mut self, peer: PeerId, fragment: &str) {
        assert!(self.peers.contains_key(&peer), "{peer:?} was not open");
        if !fragment.contains(STUCK) {
            let fragment = format!("restart of {}", peer.0);
            self.events.push_back(Event::Restarted { peer, fragment });
        }
    }

    /// The oldest picture that was asked for, for the test to tell the core.
    pub(crate) fn take_snapshot(&mut self, picture: Result<Vec<u8>, SnapshotError>) -> Event {
        let request = self.snapshots.pop_front().expect("a snapshot asked for");
        Event::Snapshot { request, picture }
    }

    /// Whether a picture was asked for that was not taken yet.
    pub(crate) fn waits_for_snapshot(&self) -> bool {
        !self.snapshots.is_empty()
    }

    /// A peer ends by itself; the test tells the core.
    pub(crate) fn forget(&mut self, peer: PeerId) {
        self.peers.remove(&peer);
        self.events.retain(|event| peer_of(event) != Some(peer));
    }

    /// The peer opened last of those that are.
    pub(crate) fn newest_peer(&self) -> Option<PeerId> {
        self.peers.keys().next_back().copied()
    }

    /// How many peers are open.
    pub(crate) fn open_peers(&self) -> usize {
        self.peers.len()
    }
}

fn peer_of(event: &Event) -> Option<PeerId> {
    match event {
        Event::Snapshot { .. } => None,
        Event::Answered { peer, .. }
        | Event::Flowing { peer }
        | Event::Rate { peer, .. }
        | Event::Restarted { peer, .. }
        | Event::Resized { peer, .. }
        | Event::NotEnoughBandwidth { peer, .. }
        | Event::Ended { peer, .. } => Some(*peer),
    }
}
