//! Which worker each peer is on. Used when peers come and go, never for a packet.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::shard::WorkerId;
use crate::core::backend::PeerId;

/// The placements, shared by signalling and the workers' ends.
#[derive(Debug)]
pub(super) struct Directory(Mutex<Placements>);

#[derive(Debug)]
struct Placements {
    homes: HashMap<PeerId, Home>,
    /// Peers on each worker.
    loads: Vec<usize>,
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
}

impl Directory {
    pub(super) fn new(workers: usize) -> Self {
        Self(Mutex::new(Placements {
            homes: HashMap::new(),
            loads: vec![0; workers],
        }))
    }

    /// Places a publisher on the worker with the fewest peers.
    pub(super) fn place_publisher(&self, peer: PeerId) -> WorkerId {
        let mut placements = self.lock();
        let worker = placements.least_loaded(WorkerId(0));
        placements.place(peer, Home::Publisher { worker });
        worker
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
        let worker = placements.least_loaded(source_worker);
        let home = Home::Player {
            worker,
            source_worker,
        };
        placements.place(peer, home);
        Some((source_worker, worker))
    }

    /// Forgets a peer and says where it was.
    pub(super) fn remove(&self, peer: PeerId) -> Option<Home> {
        let mut placements = self.lock();
        let home = placements.homes.remove(&peer)?;
        placements.loads[home.worker().0] -= 1;
        Some(home)
    }

    fn lock(&self) -> MutexGuard<'_, Placements> {
        // No code that holds the lock panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Placements {
    fn least_loaded(&self, preferred: WorkerId) -> WorkerId {
        let least = self.loads.iter().min().copied().unwrap_or(0);
        if self.loads[preferred.0] == least {
            return preferred;
        }
        WorkerId(self.loads.iter().position(|l| *l == least).unwrap_or(0))
    }

    fn place(&mut self, peer: PeerId, home: Home) {
        self.homes.insert(peer, home);
        self.loads[home.worker().0] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_spread_and_leave() {
        let directory = Directory::new(2);
        let [publisher, a, b] = [PeerId(1), PeerId(2), PeerId(3)];
        assert_eq!(directory.place_publisher(publisher), WorkerId(0));
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
}
