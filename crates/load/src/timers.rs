//! Who is due when, among many: a heap, so that nobody who is not due is looked at.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// See the module. A peer that is due earlier than it was is put in again; where it
/// stood before is skipped when its turn comes.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, usize)>>,
    /// The earliest entry of each peer.
    armed: Vec<Option<Instant>>,
}

impl Timers {
    /// Peer `id` is due at `at`, or earlier if it was put in so before.
    pub(crate) fn arm(&mut self, id: usize, at: Instant) {
        if self.armed.len() <= id {
            self.armed.resize(id + 1, None);
        }
        let armed = &mut self.armed[id];
        if armed.is_none_or(|armed| at < armed) {
            *armed = Some(at);
            self.heap.push(Reverse((at, id)));
        }
    }

    /// When somebody is due, at the earliest.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Somebody who may be due at `now`, taken out.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<usize> {
        while self.next()? <= now {
            let Reverse((at, id)) = self.heap.pop()?;
            if self.armed[id] == Some(at) {
                self.armed[id] = None;
                return Some(id);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn everyone_comes_when_due_and_once() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::default();
        timers.arm(0, at(30));
        timers.arm(1, at(10));
        timers.arm(0, at(20));
        timers.arm(0, at(25));
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.pop(at(9)), None);
        assert_eq!(timers.pop(at(30)), Some(1));
        assert_eq!(timers.pop(at(30)), Some(0));
        assert_eq!(timers.pop(at(30)), None);
        timers.arm(0, at(40));
        assert_eq!(timers.pop(at(40)), Some(0));
        assert_eq!(timers.next(), None);
    }
}
