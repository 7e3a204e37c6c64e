//! The way from the workers to signalling.

use std::fmt;
use std::sync::Arc;

use super::directory::Directory;
use super::message::WorkerId;
use super::snapshot::{Keyframe, Snapshots};
use crate::core::backend::{EndReason, Event, PeerId, SnapshotError, SnapshotId};

/// Passes events on, and sees to it that a peer ends once.
#[derive(Clone)]
pub(super) struct Reporter {
    directory: Arc<Directory>,
    events: Arc<dyn Fn(Event) + Send + Sync>,
    snapshots: Snapshots,
}

impl Reporter {
    pub(super) fn new(
        directory: Arc<Directory>,
        events: Arc<dyn Fn(Event) + Send + Sync>,
        snapshots: Snapshots,
    ) -> Self {
        Self {
            directory,
            events,
            snapshots,
        }
    }

    /// Tells what a worker has to tell. The end of a peer that is closed or has
    /// ended already is nothing new, nor is a second answer.
    pub(super) fn report(&self, event: Event) {
        if let Event::Ended { peer, .. } = event
            && self.directory.remove(peer).is_none()
        {
            return;
        }
        if let Event::Snapshot { request, .. } = event
            && !self.directory.remove_snapshot(request)
        {
            return;
        }
        (self.events)(event);
    }

    /// Ends a peer that the directory does not know, or not any more.
    pub(super) fn end(&self, peer: PeerId, reason: EndReason) {
        (self.events)(Event::Ended { peer, reason });
    }

    /// Has a picture taken of a keyframe, which answers the request.
    pub(super) fn take_picture(&self, request: SnapshotId, keyframe: Keyframe) {
        if self.directory.remove_snapshot(request) && !self.snapshots.take(request, keyframe) {
            self.end_snapshot(request, SnapshotError::Busy);
        }
    }

    /// Answers a request that the directory does not know, or not any more.
    pub(super) fn end_snapshot(&self, request: SnapshotId, error: SnapshotError) {
        let picture = Err(error);
        (self.events)(Event::Snapshot { request, picture });
    }

    /// No more pictures are taken.
    pub(super) fn stop_snapshots(&self) {
        self.snapshots.stop();
    }

    /// Ends the peers that a failed worker had a part in, and keeps others from
    /// being placed there.
    pub(super) fn worker_gone(&self, worker: WorkerId) {
        for peer in self.directory.retire(worker) {
            self.end(peer, EndReason::Internal);
        }
        for request in self.directory.retire_snapshots(worker) {
            self.end_snapshot(request, SnapshotError::SourceGone);
        }
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter")
    }
}
