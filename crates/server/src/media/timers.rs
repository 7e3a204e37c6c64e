//! When each peer of a worker wants to be woken.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use crate::core::backend::PeerId;

/// One deadline a peer. Moving it later costs nothing until the old one comes
/// up.
#[derive(Debug, Default)]
pub(super) struct Timers {
    timers: HashMap<PeerId, Timer>,
    /// By the moment at which to look at a peer: one entry each.
    queue: BTreeSet<(Instant, PeerId)>,
}

#[derive(Debug)]
struct Timer {
    deadline: Instant,
    /// Where the peer stands in the queue: no later than its deadline.
    queued: Instant,
}

impl Timers {
    pub(super) fn set(&mut self, peer: PeerId, deadline: Instant) {
        match self.timers.get_mut(&peer) {
            Some(timer) if timer.queued <= deadline => timer.deadline = deadline,
            Some(_) | None => {
                self.remove(peer);
                self.queue(peer, deadline);
            }
        }
    }

    pub(super) fn remove(&mut self, peer: PeerId) {
        if let Some(timer) = self.timers.remove(&peer) {
            self.queue.remove(&(timer.queued, peer));
        }
    }

    /// No later than the earliest deadline.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// A peer whose deadline has come. It has none until it is set again.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<PeerId> {
        while let Some((at, peer)) = self.queue.first().copied()
            && at <= now
        {
            self.queue.remove(&(at, peer));
            let timer = self.timers.remove(&peer)?;
            if timer.deadline <= now {
                return Some(peer);
            }
            self.queue(peer, timer.deadline);
        }
        None
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.timers.is_empty() && self.queue.is_empty()
    }

    fn queue(&mut self, peer: PeerId, deadline: Instant) {
        let timer = Timer {
            deadline,
            queued: deadline,
        };
        self.timers.insert(peer, timer);
        self.queue.insert((deadline, peer));
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
        assert!(timers.is_empty());
    }
}
