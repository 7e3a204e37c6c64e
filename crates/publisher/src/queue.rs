//! The bounded queues between capture, encode and send. A full queue drops its
//! oldest item: live media is worth less the older it is.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The other end is gone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// A queue of at most `capacity` items (at least one).
pub(crate) fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            items: VecDeque::with_capacity(capacity),
            closed: false,
        }),
        capacity: capacity.max(1),
        blocking: Condvar::new(),
        waiting: Notify::new(),
    });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    capacity: usize,
    /// For [`Receiver::recv_blocking`].
    blocking: Condvar,
    /// For [`Receiver::recv`].
    waiting: Notify,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    closed: bool,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        self.blocking.notify_one();
        self.waiting.notify_one();
    }

    fn close(&self) {
        self.lock().closed = true;
        self.wake();
    }
}

/// The end that never waits.
#[derive(Debug)]
pub(crate) struct Sender<T>(Arc<Shared<T>>);

impl<T> Sender<T> {
    /// Appends an item; returns the oldest if the queue was full.
    pub(crate) fn send(&self, item: T) -> Result<Option<T>, Closed> {
        let mut state = self.0.lock();
        if state.closed {
            return Err(Closed);
        }
        let full = state.items.len() == self.0.capacity;
        let dropped = if full { state.items.pop_front() } else { None };
        state.items.push_back(item);
        drop(state);
        self.0.wake();
        Ok(dropped)
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The end that waits, on a thread or in a task.
#[derive(Debug)]
pub(crate) struct Receiver<T>(Arc<Shared<T>>);

impl<T> Receiver<T> {
    /// Drops everything that waits; how much that was.
    pub(crate) fn clear(&self) -> usize {
        let mut state = self.0.lock();
        let dropped = state.items.len();
        state.items.clear();
        dropped
    }

    /// The oldest item; `None` once the queue is empty and its sender gone.
    /// Blocks the thread.
    pub(crate) fn recv_blocking(&self) -> Option<T> {
        let mut state = self.0.lock();
        while state.items.is_empty() && !state.closed {
            let waited = self.0.blocking.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state.items.pop_front()
    }

    /// The same in a task. Cancelled, it takes nothing.
    pub(crate) async fn recv(&self) -> Option<T> {
        loop {
            {
                let mut state = self.0.lock();
                if !state.items.is_empty() || state.closed {
                    return state.items.pop_front();
                }
            }
            self.0.waiting.notified().await;
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        state.items.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_full_queue_drops_its_oldest() {
        let (sender, receiver) = bounded(2);
        assert_eq!(sender.send(1), Ok(None));
        assert_eq!(sender.send(2), Ok(None));
        assert_eq!(sender.send(3), Ok(Some(1)));
        drop(sender);
        assert_eq!(receiver.recv_blocking(), Some(2));
        assert_eq!(receiver.recv_blocking(), Some(3));
        assert_eq!(receiver.recv_blocking(), None);
    }

    #[test]
    fn a_sender_learns_that_nobody_listens() {
        let (sender, receiver) = bounded(2);
        drop(receiver);
        assert_eq!(sender.send(1), Err(Closed));
    }

    #[test]
    fn a_waiting_thread_gets_the_item_and_the_end() {
        let (sender, receiver) = bounded(1);
        let waiting = thread::spawn(move || (receiver.recv_blocking(), receiver.recv_blocking()));
        assert_eq!(sender.send(7), Ok(None));
        drop(sender);
        assert_eq!(waiting.join().unwrap(), (Some(7), None));
    }

    #[tokio::test]
    async fn a_waiting_task_gets_the_item_and_the_end() {
        let (sender, receiver) = bounded(1);
        let sending = thread::spawn(move || sender.send(7));
        assert_eq!(receiver.recv().await, Some(7));
        assert_eq!(receiver.recv().await, None);
        assert_eq!(sending.join().unwrap(), Ok(None));
    }
}
