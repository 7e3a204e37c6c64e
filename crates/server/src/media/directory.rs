//! Which worker each peer is on. Used when peers come and go, never for a packet.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::message::WorkerId;
use crate::core::backend::{PeerId, SnapshotId};

/// The placements, shared by signalling and the workers' ends.
#[derive(Debug)]
pub(super) struct Directory(Mutex<Placements>);

#[derive(Debug)]
struct Placements {
    homes: HashMap<PeerId, Home>,
    /// The workers that owe an answer to a request for a picture.
    snapshots: HashMap<SnapshotId, WorkerId>,
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
        source: PeerId,
        source_worker: WorkerId,
        /// The worker that all messages about it go through, so that none
        /// overtakes another: the one that its first source was on.
        way: WorkerId,
    },
}

/// A player that is to go on with another source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) player: PeerId,
    /// Its worker.
    pub(super) home: WorkerId,
    /// See [`Home::Player`].
    pub(super) way: WorkerId,
    /// The worker of what is its source now.
    pub(super) source_worker: WorkerId,
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
                ..
            } => worker == gone || source_worker == gone,
        }
    }
}

impl Directory {
    pub(super) fn new(workers: usize) -> Self {
        Self(Mutex::new(Placements {
            homes: HashMap::new(),
            snapshots: HashMap::new(),
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
            source,
            source_worker,
            way: source_worker,
        };
        placements.place(peer, home);
        Some((source_worker, worker))
    }

    /// The worker that a peer is on.
    pub(super) fn worker_of(&self, peer: PeerId) -> Option<WorkerId> {
        self.lock().homes.get(&peer).map(|home| home.worker())
    }

    /// Gives the worker of a publisher a request for a picture to answer; `None`
    /// if there is no such publisher here.
    pub(super) fn place_snapshot(&self, request: SnapshotId, source: PeerId) -> Option<WorkerId> {
        let mut placements = self.lock();
        let worker = match placements.homes.get(&source)? {
            Home::Publisher { worker } => *worker,
            Home::Player { .. } => return None,
        };
        placements.snapshots.insert(request, worker);
        Some(worker)
    }

    /// A request for a picture is answered; false if it has been before.
    pub(super) fn remove_snapshot(&self, request: SnapshotId) -> bool {
        self.lock().snapshots.remove(&request).is_some()
    }

    /// Forgets the requests for a picture that a worker owes an answer to, which
    /// are returned.
    pub(super) fn retire_snapshots(&self, worker: WorkerId) -> Vec<SnapshotId> {
        let snapshots = &mut self.lock().snapshots;
        let owed = snapshots.extract_if(|_, of| *of == worker);
        owed.map(|(request, _)| request).collect()
    }

    /// Makes the players of one source those of another, and says which have to
    /// be told: none if that source is gone, and they wait for yet another.
    pub(super) fn splice(&self, from: PeerId, to: PeerId) -> Vec<Move> {
        let mut placements = self.lock();
        let target = placements.homes.get(&to).map(|home| home.worker());
        let mut moves = Vec::new();
        for (player, home) in &mut placements.homes {
            let Home::Player {
                worker: home,
                source,
                source_worker,
                way,
            } = home
            else {
                continue;
            };
            if *source != from {
                continue;
            }
            *source = to;
            if let Some(target) = target {
                *source_worker = target;
                moves.push(Move {
                    player: *player,
                    home: *home,
                    way: *way,
                    source_worker: target,
                });
            }
        }
        moves
    }

    /// Forgets a peer and says where it was.
    pub(super) fn remove(&self, peer: PeerId) -> Option<Home> {
        self.lock().remove(peer)
    }

    /// Takes a worker out for good, and forgets the peers that need it, which
    /// are returned. Of others, that it was only on the way to, everything that
    /// it passed on has come by now.
    pub(super) fn retire(&self, worker: WorkerId) -> Vec<PeerId> {
        let mut placements = self.lock();
        placements.loads[worker.0] = None;
        let needing = placements.homes.iter().filter(|(_, h)| h.needs(worker));
        let peers: Vec<_> = needing.map(|(peer, _)| *peer).collect();
        for peer in &peers {
            placements.remove(*peer);
        }
        for home in placements.homes.values_mut() {
            if let Home::Player {
                worker: home, way, ..
            } = home
                && *way == worker
            {
                *way = *home;
            }
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
                source: publisher,
                source_worker: WorkerId(0),
                way: WorkerId(0),
            })
        );
        assert_eq!(directory.remove(b), None);
        assert_eq!(directory.place_player(b, a), None, "a player is no source");
        directory.remove(publisher);
        assert_eq!(directory.place_player(b, publisher), None);
    }

    #[test]
    fn viewers_of_one_stream_are_spread_over_all_workers() {
        let directory = Directory::new(4);
        directory.place_publisher(PeerId(0));
        // A stream of its own takes a place as well.
        directory.place_publisher(PeerId(1));
        let mut viewers = [0; 4];
        for number in 2..400 {
            let placed = directory.place_player(PeerId(number), PeerId(0));
            let (source_worker, home) = placed.unwrap();
            assert_eq!(source_worker, WorkerId(0));
            viewers[home.0] += 1;
        }
        assert_eq!(viewers, [99, 99, 100, 100]);
    }

    /// What is to be done to splice: player, its worker, the way there, and the
    /// source's worker.
    fn splice(directory: &Directory, from: PeerId, to: PeerId) -> Vec<(u64, usize, usize, usize)> {
        let moves = directory.splice(from, to).into_iter();
        let mut moves: Vec<_> = moves
            .map(|m| (m.player.0, m.home.0, m.way.0, m.source_worker.0))
            .collect();
        moves.sort_unstable();
        moves
    }

    #[test]
    fn players_are_spliced_from_source_to_source() {
        let directory = Directory::new(2);
        let [first, second, third, gone, here, there] = [1, 2, 3, 4, 5, 6].map(PeerId);
        assert_eq!(directory.place_publisher(first), Some(WorkerId(0)));
        directory.place_player(there, first);
        directory.place_player(here, first);
        directory.remove(first);
        assert_eq!(directory.place_publisher(second), Some(WorkerId(0)));
        assert_eq!(directory.place_publisher(third), Some(WorkerId(1)));
        assert_eq!(splice(&directory, first, gone), [], "they wait on");
        assert_eq!(splice(&directory, first, second), [], "but as its players");
        let both = [(5, 0, 0, 1), (6, 1, 0, 1)];
        assert_eq!(splice(&directory, gone, third), both);
        assert_eq!(splice(&directory, PeerId(9), second), []);
        // A worker that they only came by takes nobody along but its own.
        let mut ended = directory.retire(WorkerId(0));
        ended.sort_unstable();
        assert_eq!(ended, [second, here]);
        assert_eq!(splice(&directory, third, third), [(6, 1, 1, 1)]);
        assert_eq!(directory.retire(WorkerId(1)).len(), 2);
    }

    #[test]
    fn a_request_for_a_picture_is_answered_once() {
        let directory = Directory::new(2);
        let [publisher, player] = [1, 2].map(PeerId);
        let [first, second, third] = [1, 2, 3].map(SnapshotId);
        directory.place_publisher(publisher);
        directory.place_player(player, publisher);
        assert_eq!(directory.place_snapshot(first, player), None);
        assert_eq!(
            directory.place_snapshot(first, publisher),
            Some(WorkerId(0))
        );
        assert_eq!(
            directory.place_snapshot(second, publisher),
            Some(WorkerId(0))
        );
        assert!(directory.remove_snapshot(first));
        assert!(!directory.remove_snapshot(first));
        assert_eq!(directory.retire_snapshots(WorkerId(1)), []);
        assert_eq!(directory.retire_snapshots(WorkerId(0)), [second]);
        assert!(!directory.remove_snapshot(second));
        directory.retire(WorkerId(0));
        assert_eq!(directory.place_snapshot(third, publisher), None);
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
