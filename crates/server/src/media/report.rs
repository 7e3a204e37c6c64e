//! The way from the workers to signalling.

use std::fmt;
use std::sync::Arc;

use super::directory::Directory;
use super::message::WorkerId;
use crate::core::backend::{EndReason, Event, PeerId};

/// Passes events on, and sees to it that a peer ends once.
#[derive(Clone)]
pub(super) struct Reporter {
    directory: Arc<Directory>,
    events: Arc<dyn Fn(Event) + Send + Sync>,
}

impl Reporter {
    pub(super) fn new(
        directory: Arc<Directory>,
        events: impl Fn(Event) + Send + Sync + 'static,
    ) -> Self {
        Self {
            directory,
            events: Arc::new(events),
        }
    }

    /// Tells what a worker has to tell. The end of a peer that is closed or has
    /// ended already is nothing new.
    pub(super) fn report(&self, event: Event) {
        if let Event::Ended { peer, .. } = event
            && self.directory.remove(peer).is_none()
        {
            return;
        }
        (self.events)(event);
    }

    /// Ends a peer that the directory does not know, or not any more.
    pub(super) fn end(&self, peer: PeerId, reason: EndReason) {
        (self.events)(Event::Ended { peer, reason });
    }

    /// Ends the peers that a failed worker had a part in, and keeps others from
    /// being placed there.
    pub(super) fn worker_gone(&self, worker: WorkerId) {
        for peer in self.directory.retire(worker) {
            self.end(peer, EndReason::Internal);
        }
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter")
    }
}
