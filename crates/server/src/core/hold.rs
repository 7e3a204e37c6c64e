//! Names that outlive their publisher.
//!
//! When a publisher whose media has flowed ends, its client is told so as ever.
//! Its players are told nothing: for [`Config::hold_time`](super::Config::hold_time)
//! they keep their last picture and wait for whoever publishes the name next, by
//! whichever protocol. Once that one's media flows, the media backend feeds it to
//! them ([`Command::Splice`]), and they are told only what it has muted or
//! unmuted, and if its picture has another size. One that fails before that
//! changes nothing. If nobody came in time they end as they would have at once
//! without all this.
//!
//! Meanwhile nobody publishes the name, so it cannot be played either: clients
//! are told that it is not ready, and try again. When the server ends, nothing
//! is held.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use serde_json::json;
use wire::{MuteState, StreamEventType, StreamName, info};

use super::backend::{Command, PeerId, PictureSize};
use super::{Core, Ending, Kind, Stream, Timer};

/// A name whose publisher is over and whose players wait for another one.
#[derive(Debug)]
pub(super) struct Held {
    /// The publisher that is over.
    pub(super) from: PeerId,
    pub(super) players: BTreeSet<PeerId>,
    /// What the players know to be muted.
    audio: MuteState,
    video: MuteState,
    /// The size of their last picture.
    pub(super) size: Option<PictureSize>,
}

impl Held {
    /// Audio and video mute state, as the players know it.
    pub(super) fn mute_state(&self) -> (MuteState, MuteState) {
        (self.audio, self.video)
    }
}

/// Every held name.
#[derive(Debug, Default)]
pub(super) struct Holds {
    by_name: HashMap<StreamName, Held>,
    names: BTreeMap<PeerId, StreamName>,
    /// Those whose time does not run yet, by their publishers.
    fresh: Vec<PeerId>,
}

impl Holds {
    /// Holds a name, which is not held yet.
    fn insert(&mut self, name: StreamName, held: Held) {
        self.fresh.push(held.from);
        self.names.insert(held.from, name.clone());
        self.by_name.insert(name, held);
    }

    /// Holds a name no longer.
    pub(super) fn take(&mut self, name: &StreamName) -> Option<Held> {
        let held = self.by_name.remove(name)?;
        self.names.remove(&held.from);
        Some(held)
    }

    pub(super) fn named(&self, name: &StreamName) -> Option<&Held> {
        self.by_name.get(name)
    }

    /// One player less that waits for `name`.
    pub(super) fn forget_player(&mut self, name: &StreamName, player: PeerId) {
        if let Some(held) = self.by_name.get_mut(name) {
            held.players.remove(&player);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty() && self.names.is_empty()
    }
}

impl Core {
    /// What becomes of the players of a stream that is over, if it was published:
    /// they wait or end.
    pub(super) fn leave_players(&mut self, peer: PeerId, stream: Stream) {
        let Kind::Publisher {
            players,
            audio,
            video,
            size,
            flowed,
        } = stream.kind
        else {
            return;
        };
        if !flowed || !self.may_hold() {
            return self.end_players(players);
        }
        tracing::info!(
            stream = stream.name.as_str(),
            players = players.len(),
            "name held"
        );
        let held = Held {
            from: peer,
            players,
            audio,
            video,
            size,
        };
        self.registry.holds.insert(stream.name, held);
    }

    /// Whether the server is to hold names, and has room for one more.
    fn may_hold(&self) -> bool {
        let room = self.registry.holds.by_name.len() < self.config.limits.sessions;
        self.holds_names() && room && !self.shutting_down
    }

    /// Whether the server is to hold names.
    pub(super) fn holds_names(&self) -> bool {
        self.config.hold_time > Duration::ZERO
    }

    /// Lets the time of what an input left to be held run from now on.
    pub(super) fn start_holds(&mut self, now: Instant) {
        let over = now + self.config.hold_time;
        for publisher in self.registry.holds.fresh.drain(..) {
            if self.registry.holds.names.contains_key(&publisher) {
                self.deadlines.set(Timer::Hold(publisher), over);
            }
        }
    }

    /// Nobody published the name of this former publisher in time.
    pub(super) fn hold_due(&mut self, publisher: PeerId) {
        if let Some(name) = self.registry.holds.names.get(&publisher).cloned() {
            self.let_go(&name);
        }
    }

    /// Ends all who wait for any name.
    pub(super) fn let_go_all(&mut self) {
        for name in self
            .registry
            .holds
            .names
            .values()
            .cloned()
            .collect::<Vec<_>>()
        {
            self.let_go(&name);
        }
    }

    fn let_go(&mut self, name: &StreamName) {
        if let Some(held) = self.registry.holds.take(name) {
            tracing::info!(stream = name.as_str(), "name held no longer");
            self.deadlines.clear(Timer::Hold(held.from));
            self.end_players(held.players);
        }
    }

    /// Ends the players of a publisher that is over.
    fn end_players(&mut self, players: BTreeSet<PeerId>) {
        for player in players {
            self.end(
                player,
                Ending::Failed(info::STOPPED_BY_PUBLISHER_STOP.into()),
            );
        }
    }

    /// The media of `to` flows: it is what the players who wait for its name get.
    pub(super) fn splice(&mut self, to: PeerId) {
        let Some(held) = self.registry.splice(to) else {
            return;
        };
        self.deadlines.clear(Timer::Hold(held.from));
        let players = held.players.len();
        tracing::info!(from = held.from.0, to = to.0, players, "publishers spliced");
        if !held.players.is_empty() {
            let from = held.from;
            self.command(Command::Splice { from, to });
            self.tell_mute_changes(to, held.mute_state());
            self.splice_size(to, held.size);
        }
    }

    /// Tells the players of `publisher` what it has muted otherwise than the one
    /// they had before.
    fn tell_mute_changes(&mut self, publisher: PeerId, before: (MuteState, MuteState)) {
        use StreamEventType::{AudioMuted, AudioUnmuted, VideoMuted, VideoUnmuted};
        let Some((audio, video)) = self.registry.mute_state_of(publisher) else {
            return;
        };
        let Some(stream) = self.registry.stream(publisher) else {
            return;
        };
        let payload = json!({ "streamName": stream.name.as_str() });
        for (now, before, muted, unmuted) in [
            (audio, before.0, AudioMuted, AudioUnmuted),
            (video, before.1, VideoMuted, VideoUnmuted),
        ] {
            if now != before {
                let event = if now.muted { muted } else { unmuted };
                self.tell_players(publisher, &event, Some(&payload));
            }
        }
    }
}
