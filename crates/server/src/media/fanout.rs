//! Which way a publisher's packets go: from its worker to every worker with
//! players of it, and there to each of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Instant;

use super::head_start::HeadStart;
use super::layers::Layers;
use super::message::WorkerId;
use super::packet::MediaPacket;
use crate::core::backend::PeerId;

/// On the publishers' worker: how many players of each are on which worker.
#[derive(Debug, Default)]
pub(super) struct Subscribers(HashMap<PeerId, Vec<Subscriber>>);

#[derive(Debug)]
struct Subscriber {
    worker: WorkerId,
    players: usize,
}

impl Subscribers {
    /// One player of `source` more on `worker`.
    pub(super) fn add(&mut self, source: PeerId, worker: WorkerId) {
        let subscribers = self.0.entry(source).or_default();
        match subscribers.iter_mut().find(|s| s.worker == worker) {
            Some(subscriber) => subscriber.players += 1,
            None => subscribers.push(Subscriber { worker, players: 1 }),
        }
    }

    /// One player less, which may have outlived its source.
    pub(super) fn remove(&mut self, source: PeerId, worker: WorkerId) {
        let Some(subscribers) = self.0.get_mut(&source) else {
            return;
        };
        if let Some(subscriber) = subscribers.iter_mut().find(|s| s.worker == worker) {
            subscriber.players -= 1;
        }
        subscribers.retain(|s| s.players > 0);
        if subscribers.is_empty() {
            self.0.remove(&source);
        }
    }

    /// No player is left on `worker`.
    pub(super) fn remove_worker(&mut self, worker: WorkerId) {
        self.0.retain(|_, subscribers| {
            subscribers.retain(|s| s.worker != worker);
            !subscribers.is_empty()
        });
    }

    /// The workers with players of `source`, each once.
    pub(super) fn workers(&self, source: PeerId) -> impl Iterator<Item = WorkerId> {
        self.0.get(&source).into_iter().flatten().map(|s| s.worker)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// On the players' worker: the players of each source, and where that is.
#[derive(Debug, Default)]
pub(super) struct Audiences(HashMap<PeerId, Audience>);

#[derive(Debug)]
struct Audience {
    /// The source's worker.
    worker: WorkerId,
    players: Vec<PeerId>,
    head_start: HeadStart,
    layers: Layers,
}

impl Audiences {
    /// `player` gets what `source` on `worker` sends. `head_start` is what it has
    /// sent so far, and `layers` what that comes to.
    pub(super) fn add(
        &mut self,
        source: PeerId,
        worker: WorkerId,
        player: PeerId,
        head_start: HeadStart,
        layers: Layers,
    ) {
        match self.0.entry(source) {
            Entry::Occupied(mut audience) => {
                audience.get_mut().players.push(player);
                // The same as here, but for what was lost on the way here.
                audience.get_mut().head_start = head_start;
            }
            Entry::Vacant(vacant) => {
                vacant.insert(Audience {
                    worker,
                    players: vec![player],
                    head_start,
                    layers,
                });
            }
        }
    }

    /// `player` gets nothing any more.
    pub(super) fn remove(&mut self, source: PeerId, player: PeerId) {
        if let Some(audience) = self.0.get_mut(&source) {
            audience.players.retain(|p| *p != player);
            if audience.players.is_empty() {
                self.0.remove(&source);
            }
        }
    }

    /// The players of `source`.
    pub(super) fn players(&self, source: PeerId) -> &[PeerId] {
        self.0.get(&source).map_or(&[], |a| &a.players)
    }

    /// What each layer of `source` carries; `None` if nobody here plays it.
    pub(super) fn layers(&self, source: PeerId) -> Option<&Layers> {
        self.0.get(&source).map(|a| &a.layers)
    }

    /// Keeps a packet of `source` for players who are not connected yet.
    pub(super) fn keep(&mut self, source: PeerId, packet: &Arc<MediaPacket>, now: Instant) {
        if let Some(audience) = self.0.get_mut(&source) {
            audience.layers.note(packet, now);
            audience.head_start.keep(packet, now);
        }
    }

    /// What a player of `source` starts with.
    pub(super) fn head_start(&self, source: PeerId) -> Option<&HeadStart> {
        self.0.get(&source).map(|a| &a.head_start)
    }

    /// Where `source` is; `None` if nobody here plays it.
    pub(super) fn source_worker(&self, source: PeerId) -> Option<WorkerId> {
        self.0.get(&source).map(|a| a.worker)
    }

    /// The players of all sources on `worker`.
    pub(super) fn fed_by(&self, worker: WorkerId) -> Vec<PeerId> {
        let audiences = self.0.values().filter(|a| a.worker == worker);
        audiences.flat_map(|a| a.players.iter().copied()).collect()
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::config::Config;

    const SOURCE: PeerId = PeerId(1);
    const OTHER: PeerId = PeerId(2);
    const HERE: WorkerId = WorkerId(0);
    const THERE: WorkerId = WorkerId(1);

    fn workers(subscribers: &Subscribers, source: PeerId) -> Vec<WorkerId> {
        subscribers.workers(source).collect()
    }

    #[test]
    fn a_worker_counts_while_it_has_players() {
        let mut subscribers = Subscribers::default();
        for worker in [HERE, THERE, THERE] {
            subscribers.add(SOURCE, worker);
        }
        assert_eq!(workers(&subscribers, SOURCE), [HERE, THERE]);
        subscribers.remove(SOURCE, THERE);
        assert_eq!(workers(&subscribers, SOURCE), [HERE, THERE]);
        subscribers.remove(SOURCE, THERE);
        subscribers.remove(OTHER, THERE);
        assert_eq!(workers(&subscribers, SOURCE), [HERE]);
        subscribers.remove(SOURCE, HERE);
        assert!(subscribers.is_empty());
    }

    #[test]
    fn a_worker_that_is_gone_gets_nothing() {
        let mut subscribers = Subscribers::default();
        subscribers.add(SOURCE, HERE);
        subscribers.add(SOURCE, THERE);
        subscribers.add(OTHER, THERE);
        subscribers.remove_worker(THERE);
        assert_eq!(workers(&subscribers, SOURCE), [HERE]);
        assert_eq!(workers(&subscribers, OTHER), []);
        // Players that left it on their way out count no more.
        subscribers.remove(OTHER, THERE);
        assert_eq!(workers(&subscribers, OTHER), []);
    }

    #[test]
    fn an_audience_is_there_while_it_has_players() {
        let mut audiences = Audiences::default();
        let head_start = HeadStart::new(&Config::default());
        let mut add = |source, worker, player| {
            let (head_start, layers) = (head_start.clone(), Layers::default());
            audiences.add(source, worker, player, head_start, layers);
        };
        add(SOURCE, THERE, PeerId(10));
        add(SOURCE, THERE, PeerId(11));
        add(OTHER, HERE, PeerId(12));
        assert_eq!(audiences.players(SOURCE), [PeerId(10), PeerId(11)]);
        assert_eq!(audiences.fed_by(THERE), [PeerId(10), PeerId(11)]);
        audiences.remove(SOURCE, PeerId(10));
        assert_eq!(audiences.source_worker(SOURCE), Some(THERE));
        audiences.remove(SOURCE, PeerId(11));
        assert_eq!(audiences.source_worker(SOURCE), None);
        assert_eq!(audiences.players(SOURCE), []);
        audiences.remove(OTHER, PeerId(12));
        assert!(audiences.is_empty());
    }
}
