//! Pictures of what publishers send: a keyframe, decoded, as a PNG file.
//!
//! Decoding takes as long as forwarding thousands of packets, so a thread of its
//! own does it, one picture after the other, and few may wait for it. What it
//! decodes comes from anybody, so a decoder that panics is dropped with its
//! picture and the next one gets a new one.

mod decode;
mod requests;
#[cfg(test)]
mod tests;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::JoinHandle;

use tracing::{debug, warn};

use super::codec::Codec;
use super::packet::MediaPacket;
use crate::core::backend::{Event, SnapshotError, SnapshotId};

pub(super) use requests::Requests;

/// Most pictures that wait for their turn: with a tenth of a second for a large
/// one, nobody waits for a second.
const QUEUE: usize = 8;

/// The packets of a frame that can be decoded alone, all of them in their order.
#[derive(Debug, Clone)]
pub(super) struct Keyframe {
    pub(super) codec: Codec,
    pub(super) packets: Vec<Arc<MediaPacket>>,
}

/// The way to the thread that takes the pictures.
#[derive(Debug, Clone)]
pub(super) struct Snapshots(SyncSender<Job>);

#[derive(Debug)]
enum Job {
    Take(SnapshotId, Keyframe),
    Stop,
}

impl Snapshots {
    /// Starts the thread; its answers go to `events`. It ends with
    /// [`Snapshots::stop`].
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn start(
        events: impl Fn(Event) + Send + 'static,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (jobs_in, jobs) = mpsc::sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("snapshots".to_owned())
            .spawn(move || run(&jobs, events))?;
        Ok((Self(jobs_in), thread))
    }

    /// Has a picture taken; false if too many wait already.
    pub(super) fn take(&self, request: SnapshotId, keyframe: Keyframe) -> bool {
        self.0.try_send(Job::Take(request, keyframe)).is_ok()
    }

    /// Ends the thread, once what waits is done.
    pub(super) fn stop(&self) {
        // A thread that is gone need not be told.
        let _ = self.0.send(Job::Stop);
    }
}

fn run(jobs: &Receiver<Job>, events: impl Fn(Event)) {
    while let Ok(Job::Take(request, keyframe)) = jobs.recv() {
        let picture = picture(&keyframe);
        if let Err(error) = &picture {
            debug!(request = request.0, codec = ?keyframe.codec, %error, "no snapshot");
        }
        events(Event::Snapshot { request, picture });
    }
}

/// A PNG file of a keyframe.
fn picture(keyframe: &Keyframe) -> Result<Vec<u8>, SnapshotError> {
    // Nothing that a panic leaves behind is used again.
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        decode::png(&decode::picture(keyframe)?)
    }));
    decoded.unwrap_or_else(|_| {
        warn!(codec = ?keyframe.codec, "a decoder panicked");
        Err(SnapshotError::Damaged)
    })
}
