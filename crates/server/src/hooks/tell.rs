//! Events on their way to the application: bounded, in order for each session.

use std::collections::hash_map::DefaultHasher;
use std::convert::Infallible;
use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use super::{Ending, Method, Shared};
use crate::counters::Reason;

/// Most requests at a time that tell of events. Half of all requests are kept for
/// questions, which clients wait for.
const MAX_LANES: usize = 8;

/// Most events that wait, a lane.
const LANE: usize = 1_024;

/// Most bytes of events that wait.
const MAX_BYTES: usize = 16 << 20;

/// Where events wait: each lane is a queue with a task that sends one after the other.
#[derive(Debug, Clone)]
pub(super) struct Lanes {
    lanes: Arc<[mpsc::Sender<Event>]>,
    waiting: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Event {
    method: Method,
    body: String,
}

impl Lanes {
    pub(super) fn start(shared: &Arc<Shared>, connections: NonZeroUsize) -> (Self, Ending) {
        let (open, ended) = mpsc::channel(1);
        let waiting = Arc::new(AtomicUsize::new(0));
        let count = (connections.get() / 2).clamp(1, MAX_LANES);
        let lanes = (0..count).map(|_| {
            let (lane, events) = mpsc::channel(LANE);
            let sending = send(
                Arc::clone(shared),
                events,
                Arc::clone(&waiting),
                open.clone(),
            );
            tokio::spawn(sending);
            lane
        });
        let lanes = lanes.collect();
        (Self { lanes, waiting }, Ending(ended))
    }

    /// Puts an event behind the session's others.
    pub(super) fn tell(&self, shared: &Shared, method: Method, session: &str, body: String) {
        let mut hasher = DefaultHasher::new();
        session.hash(&mut hasher);
        let lane = &self.lanes[hasher.finish() as usize % self.lanes.len()];
        let bytes = body.len();
        let fits = self.waiting.fetch_add(bytes, Ordering::Relaxed) + bytes <= MAX_BYTES;
        if fits && lane.try_send(Event { method, body }).is_ok() {
            return;
        }
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        if shared.counters.count(Reason::HookDropped) {
            tracing::warn!(
                "the application for hooks does not keep up: events are dropped, and more of \
                 them only counted"
            );
        }
    }
}

/// Sends events until there are no more senders. `_open` says that it still does.
async fn send(
    shared: Arc<Shared>,
    mut events: mpsc::Receiver<Event>,
    waiting: Arc<AtomicUsize>,
    _open: mpsc::Sender<Infallible>,
) {
    while let Some(Event { method, body }) = events.recv().await {
        let bytes = body.len();
        // What it answers changes nothing; what fails is counted there.
        drop(shared.post(method, body).await);
        waiting.fetch_sub(bytes, Ordering::Relaxed);
    }
}
