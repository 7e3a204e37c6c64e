//! What the core waits for, by time.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use super::ClientId;
use super::backend::{PeerId, SnapshotId};

/// Whose deadline it is; each has at most one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Timer {
    /// `connection` is overdue, or a ping is due.
    Client(ClientId),
    /// Media is overdue, or the grace of a leaving peer is over.
    Stream(PeerId),
    /// An ICE restart is overdue.
    Restart(PeerId),
    /// A picture is overdue.
    Snapshot(SnapshotId),
    /// The time of the name that this publisher had is over.
    Hold(PeerId),
}

/// A set of deadlines with one entry a timer.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    in_order: BTreeSet<(Instant, Timer)>,
    by_timer: HashMap<Timer, Instant>,
}

impl Deadlines {
    /// Sets or moves a timer.
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        self.clear(timer);
        self.by_timer.insert(timer, at);
        self.in_order.insert((at, timer));
    }

    /// Forgets a timer, if it is set.
    pub(super) fn clear(&mut self, timer: Timer) {
        if let Some(at) = self.by_timer.remove(&timer) {
            self.in_order.remove(&(at, timer));
        }
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Instant> {
        self.in_order.first().map(|(at, _)| *at)
    }

    /// Takes the earliest timer that is due.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let (at, timer) = *self.in_order.first()?;
        if at > now {
            return None;
        }
        self.clear(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const A: Timer = Timer::Client(ClientId(1));
    const B: Timer = Timer::Stream(PeerId(1));

    #[test]
    fn moving_a_timer_leaves_no_trace_of_its_old_time() {
        let start = Instant::now();
        let mut deadlines = Deadlines::default();
        deadlines.set(A, start);
        deadlines.set(B, start + Duration::from_secs(1));
        deadlines.set(A, start + Duration::from_secs(2));
        assert_eq!(deadlines.pop_due(start), None);
        assert_eq!(deadlines.next(), Some(start + Duration::from_secs(1)));
        let later = start + Duration::from_secs(3);
        assert_eq!(deadlines.pop_due(later), Some(B));
        assert_eq!(deadlines.pop_due(later), Some(A));
        assert_eq!(deadlines.pop_due(later), None);
        assert_eq!(deadlines.next(), None);
    }
}
