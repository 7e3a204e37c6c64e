//! A media backend by script: what the offer's first line says is what happens.

#![allow(dead_code, reason = "each test program uses its part")]

use std::collections::{BTreeMap, VecDeque};

use twoway_server::core::backend::{Codecs, Command, EndReason, Event, PeerId, Role};

/// Answered, and media flows.
pub(crate) const FLOWS: &str = "flows";
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
}

impl FakeBackend {
    /// Takes a command; its events wait in [`Self::poll_event`].
    pub(crate) fn command(&mut self, command: Command) {
        match command {
            Command::Open {
                peer, role, offer, ..
            } => {
                if let Role::Player { source } = role {
                    assert_eq!(self.peers.get(&source), Some(&Role::Publisher), "{peer:?}");
                }
                assert_eq!(self.peers.insert(peer, role), None, "{peer:?} opened twice");
                self.follow(peer, &offer);
            }
            Command::Restart { peer, fragment } => self.restart(peer, &fragment),
            Command::Splice { .. } | Command::Snapshot { .. } => {}
            Command::Close { peer } => {
                assert!(self.peers.remove(&peer).is_some(), "{peer:?} was not open");
                self.events.retain(|event| peer_of(event) != Some(peer));
            }
        }
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
        let answered = Event::Answered {
            peer,
            answer: (self.answer.clone()).unwrap_or_else(|| format!("answer of {}", peer.0)),
            codecs: Codecs {
                audio: Some("opus".into()),
                video: Some("H264".into()),
            },
        };
        match offer.lines().next().unwrap_or_default() {
            FLOWS => self.events.extend([answered, Event::Flowing { peer }]),
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

    /// A peer ends by itself; the test tells the core.
    pub(crate) fn forget(&mut self, peer: PeerId) {
        self.peers.remove(&peer);
        self.events.retain(|event| peer_of(event) != Some(peer));
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
