//! Which worker each peer is on. Used when peers come and go, never for a packet.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::message::WorkerId;
use crate::core::backend::PeerId;

/// The placements, shared by signalling and the workers' ends.
#[derive(Debug)]
pub(super) struct Directory(Mutex<Placements>);

#[derive(Debug)]
struct Placements {
    homes: HashMap<PeerId, Home>,
    /// Peers on each worker; `None` if it is gone.
    loads: Vec<Option<usize>>,
}

/// Where a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    Publisher {
        worker: WorkerId,
    },
    Player {
        worker: WorkerId,
        source_worker: WorkerId,
    },
}

impl Home {
    fn worker(self) -> WorkerId {
        match self {
            Self::Publisher { worker } | Self::Player { worker, .. } => worker,
        }
    }

    /// The peer is on `gone`, or its media comes from there.
    fn needs(self, gone: WorkerId) -> bool {
        match self {
            Self::Publisher { worker } => worker == gone,
            Self::Player {
                worker,
                source_worker,
            } => worker == gone || source_worker == gone,
        }
    }
}

impl Directory {
    pub(super) fn new(workers: usize) -> Self {
        Self(Mutex::new(Placements {
            homes: HashMap::new(),
            loads: vec![Some(0); workers],
        }))
    }

    /// Places a publisher on the worker with the fewest peers; `None` if there
    /// is no worker left.
    pub(super) fn place_publisher(&self, peer: PeerId) -> Option<WorkerId> {
        let mut placements = self.lock();
        let worker = placements.least_loaded(None)?;
        placements.place(peer, Home::Publisher { worker });
        Some(worker)
    }

    /// Places a player on the worker with the fewest peers, the source's own
    /// if it is one of them. The source's worker comes first; `None` if the
    /// source is not a publisher here.
    pub(super) fn place_player(
        &self,
        peer: PeerId,
        source: PeerId,
    ) -> Option<(WorkerId, WorkerId)> {
        let mut placements = self.lock();
        let Some(Home::Publisher {
            worker: source_worker,
        }) = placements.homes.get(&source).copied()
        else {
            return None;
        };
        let worker = placements.least_loaded(Some(source_worker))?;
        let home = Home::Player {
            worker,
            source_worker,
        };
        placements.place(peer, home);
        Some((source_worker, worker))
    }

    /// The worker that a peer is on.
    pub(super) fn worker_of(&self, peer: PeerId) -> Option<WorkerId> {
        self.lock().homes.get(&peer).map(|home| home.worker())
    }

    /// Forgets a peer and says where it was.
    pub(super) fn remove(&self, peer: PeerId) -> Option<Home> {
        self.lock().remove(peer)
    }

    /// Takes a worker out for good, and forgets the peers that need it, which
    /// are returned.
    pub(super) fn retire(&self, worker: WorkerId) -> Vec<PeerId> {
        let mut placements = self.lock();
        placements.loads[worker.0] = None;
        let needing = placements.homes.iter().filter(|(_, h)| h.needs(worker));
        let peers: Vec<_> = needing.map(|(peer, _)| *peer).collect();
        for peer in &peers {
            placements.remove(*peer);
        }
        peers
    }

    fn lock(&self) -> MutexGuard<'_, Placements> {
        // No code that holds the lock panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Placements {
    /// The worker with the fewest peers, the preferred one among equals.
    fn least_loaded(&self, preferred: Option<WorkerId>) -> Option<WorkerId> {
        let loads = self.loads.iter().enumerate();
        loads
            .filter_map(|(index, load)| Some((WorkerId(index), (*load)?)))
            .min_by_key(|(worker, load)| (*load, Some(*worker) != preferred))
            .map(|(worker, _)| worker)
    }

    fn place(&mut self, peer: PeerId, home: Home) {
        self.homes.insert(peer, home);
        if let Some(load) = &mut self.loads[home.worker().0] {
            *load += 1;
        }
    }

    fn remove(&mut self, peer: PeerId) -> Option<Home> {
        let home = self.homes.remove(&peer)?;
        if let Some(load) = &mut self.loads[home.worker().0] {
            *load -= 1;
        }
        Some(home)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_spread_and_leave() {
        let directory = Directory::new(2);
        let [publisher, a, b] = [PeerId(1), PeerId(2), PeerId(3)];
        assert_eq!(directory.place_publisher(publisher), Some(WorkerId(0)));
        let at = |from, to| Some((WorkerId(from), WorkerId(to)));
        assert_eq!(directory.place_player(a, publisher), at(0, 1));
        assert_eq!(directory.place_player(b, publisher), at(0, 0));
        assert_eq!(
            directory.remove(b),
            Some(Home::Player {
                worker: WorkerId(0),
                source_worker: WorkerId(0)
            })
        );
        assert_eq!(directory.remove(b), None);
        assert_eq!(directory.place_player(b, a), None, "a player is no source");
        directory.remove(publisher);
        assert_eq!(directory.place_player(b, publisher), None);
    }

    #[test]
    fn a_retired_worker_takes_along_what_needs_it() {
        let directory = Directory::new(2);
        let [publisher, here, there, other] = [1, 2, 3, 4].map(PeerId);
        assert_eq!(directory.place_publisher(publisher), Some(WorkerId(0)));
        directory.place_player(there, publisher);
        directory.place_player(here, publisher);
        assert_eq!(directory.place_publisher(other), Some(WorkerId(1)));
        let mut ended = directory.retire(WorkerId(0));
        ended.sort_unstable();
        assert_eq!(ended, [publisher, here, there]);
        assert_eq!(directory.retire(WorkerId(0)), []);
        for number in 5..9 {
            let placed = directory.place_publisher(PeerId(number));
            assert_eq!(placed, Some(WorkerId(1)));
        }
        directory.retire(WorkerId(1));
        assert_eq!(directory.place_publisher(PeerId(9)), None);
    }
}
