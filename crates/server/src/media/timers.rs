//! When each peer of a worker wants to be woken.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Instant;

use crate::core::backend::PeerId;

/// One deadline a peer. Moving a deadline later costs nothing until the old
/// one comes up.
#[derive(Debug, Default)]
pub(super) struct Timers {
    deadlines: HashMap<PeerId, Timer>,
    heap: BinaryHeap<Reverse<(Instant, PeerId)>>,
}

#[derive(Debug)]
struct Timer {
    deadline: Instant,
    /// The one heap entry that counts; others of the peer are old.
    queued: Instant,
}

impl Timers {
    pub(super) fn set(&mut self, peer: PeerId, deadline: Instant) {
        match self.deadlines.get_mut(&peer) {
            Some(timer) if timer.queued <= deadline => timer.deadline = deadline,
            Some(_) | None => self.queue(peer, deadline),
        }
    }

    pub(super) fn remove(&mut self, peer: PeerId) {
        self.deadlines.remove(&peer);
    }

    /// No later than the earliest deadline.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// A peer whose deadline has come. It has none until it is set again.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<PeerId> {
        while let Some(Reverse((at, peer))) = self.heap.peek().copied() {
            if at > now {
                return None;
            }
            self.heap.pop();
            let Some(timer) = self.deadlines.get(&peer).filter(|t| t.queued == at) else {
                continue;
            };
            if timer.deadline <= now {
                self.deadlines.remove(&peer);
                return Some(peer);
            }
            let deadline = timer.deadline;
            self.queue(peer, deadline);
        }
        None
    }

    fn queue(&mut self, peer: PeerId, deadline: Instant) {
        let timer = Timer {
            deadline,
            queued: deadline,
        };
        self.deadlines.insert(peer, timer);
        self.heap.push(Reverse((deadline, peer)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const A: PeerId = PeerId(1);
    const B: PeerId = PeerId(2);

    #[test]
    fn peers_come_when_due_and_once() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::default();
        timers.set(A, at(20));
        timers.set(B, at(10));
        assert_eq!(timers.poll_timeout(), Some(at(10)));
        assert_eq!(timers.pop_due(at(9)), None);
        assert_eq!(timers.pop_due(at(30)), Some(B));
        assert_eq!(timers.pop_due(at(30)), Some(A));
        assert_eq!(timers.pop_due(at(30)), None);
        assert_eq!(timers.poll_timeout(), None);
    }

    #[test]
    fn a_deadline_moves_both_ways() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::default();
        timers.set(A, at(10));
        timers.set(A, at(50));
        assert_eq!(timers.pop_due(at(20)), None);
        assert_eq!(timers.poll_timeout(), Some(at(50)));
        timers.set(A, at(30));
        assert_eq!(timers.pop_due(at(30)), Some(A));
        assert_eq!(timers.pop_due(at(60)), None);
        assert_eq!(timers.poll_timeout(), None);
    }

    #[test]
    fn a_removed_peer_never_comes() {
        let start = Instant::now();
        let mut timers = Timers::default();
        timers.set(A, start);
        timers.remove(A);
        assert_eq!(timers.pop_due(start), None);
    }
}
