//! Publishers and viewers of one run, and what server and generator use.

use std::cell::RefCell;
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tracing::debug;

use super::{Stage, Target, Timing};
use crate::draft::{Draft, Role};
use crate::error::{Error, Result};
use crate::media::{Media, PeerId};
use crate::results::{GeneratorUse, MediaShape, ProcessUse};
use crate::signalling::Session;
use crate::usage::{self, Usage};
use crate::viewer::Milestones;

/// Peers that come or go at a time, where many are to be there soon: few enough that
/// setting them up is not what is measured, nor fails.
pub(super) const AT_ONCE: usize = 16;

/// Before a stream's first viewer tries again.
const PAUSE: Duration = Duration::from_millis(50);

/// Runs of this process, so that each has names of its own.
static RUNS: AtomicU32 = AtomicU32::new(0);

/// A peer that is there.
pub(super) struct Place {
    session: Session,
    peer: PeerId,
}

/// A viewer that has joined.
pub(super) struct Visit {
    pub(super) place: Place,
    pub(super) begun: Instant,
    pub(super) answered: Instant,
    pub(super) milestones: Milestones,
}

/// See the module. Threads end with it, and with them all peers.
pub(super) struct Field<'a> {
    pub(super) target: &'a Target,
    pub(super) timing: &'a Timing,
    pub(super) progress: &'a dyn Fn(Stage),
    pub(super) publishers: Media,
    pub(super) viewers: Media,
    media: MediaShape,
    ip: IpAddr,
    run: u32,
    /// Streams that have had a viewer.
    seen: RefCell<HashSet<u32>>,
}

impl<'a> Field<'a> {
    pub(super) async fn new(
        target: &'a Target,
        media: MediaShape,
        timing: &'a Timing,
        progress: &'a dyn Fn(Stage),
    ) -> Result<Self> {
        usage::raise_file_limit();
        Ok(Self {
            target,
            timing,
            progress,
            publishers: Media::start("publishers")?,
            viewers: Media::start("viewers")?,
            media,
            ip: target.signaller.local_address().await,
            run: RUNS.fetch_add(1, Ordering::Relaxed),
            seen: RefCell::default(),
        })
    }

    fn name(&self, stream: u32) -> String {
        format!("load-{}-{}-{stream}", std::process::id(), self.run)
    }

    fn draft(&self, role: Role, stream: u32) -> Result<Draft> {
        Draft::new(self.ip, role, stream, self.media.audio)
    }

    /// Brings streams on air, from number 0.
    pub(super) async fn publish(&self, streams: u32) -> Result<Vec<Place>> {
        (self.progress)(Stage::Publishing {
            done: 0,
            of: streams,
        });
        let publishing = stream::iter(0..streams).map(|stream| self.publish_one(stream));
        let mut publishing = publishing.buffer_unordered(AT_ONCE);
        let mut places = Vec::new();
        while let Some(place) = publishing.next().await {
            places.push(place?);
            let done = places.len() as u32;
            (self.progress)(Stage::Publishing { done, of: streams });
        }
        Ok(places)
    }

    async fn publish_one(&self, stream: u32) -> Result<Place> {
        let mut draft = self.draft(Role::Publisher(self.media), stream)?;
        let name = self.name(stream);
        let session = self.target.signaller.publish(&name, &mut draft).await?;
        let (sender, ready) = oneshot::channel();
        let publisher = draft.into_publisher(sender);
        let publisher = publisher.ok_or_else(|| Error::new("a publisher was made to watch"))?;
        let peer = self.publishers.add_publisher(publisher);
        let place = Place { session, peer };
        if let Ok(Ok(())) = timeout(self.timing.patience, ready).await {
            return Ok(place);
        }
        place.leave(&self.publishers).await;
        let patience = self.timing.patience.as_secs();
        let sentence = format!(
            "the server took stream {name}, but no media connection came up within {patience} s"
        );
        Err(Error::new(sentence))
    }

    /// Has a viewer join a stream and waits until it has a keyframe.
    ///
    /// # Errors
    /// The server refuses it, or it has none in time.
    pub(super) async fn view(&self, stream: u32) -> Result<Visit> {
        self.try_view(stream).await?.ok_or_else(|| {
            let (name, patience) = (self.name(stream), self.timing.patience.as_secs());
            let sentence =
                format!("a viewer of {name} had no complete keyframe within {patience} s");
            Error::new(sentence)
        })
    }

    /// The same; `None` if the viewer has no keyframe in time. A server may take a moment
    /// from a stream's connection until it takes the stream's first viewer: that one
    /// tries again.
    ///
    /// # Errors
    /// The server refuses it.
    pub(super) async fn try_view(&self, stream: u32) -> Result<Option<Visit>> {
        let end = Instant::now() + self.timing.patience;
        loop {
            let visit = self.view_once(stream).await;
            let has_joined = matches!(visit, Ok(Some(_)));
            if has_joined {
                self.seen.borrow_mut().insert(stream);
            }
            let is_first = !self.seen.borrow().contains(&stream);
            if has_joined || !is_first || Instant::now() >= end {
                return visit;
            }
            sleep(PAUSE).await;
        }
    }

    async fn view_once(&self, stream: u32) -> Result<Option<Visit>> {
        let begun = Instant::now();
        let mut draft = self.draft(Role::Viewer, stream)?;
        let name = self.name(stream);
        let session = self.target.signaller.play(&name, &mut draft).await?;
        let answered = Instant::now();
        let (sender, joined) = oneshot::channel();
        let peer = self.viewers.add_viewer(draft.into_viewer(sender));
        let place = Place { session, peer };
        if let Ok(Ok(milestones)) = timeout(self.timing.patience, joined).await {
            return Ok(Some(Visit {
                place,
                begun,
                answered,
                milestones,
            }));
        }
        place.leave(&self.viewers).await;
        Ok(None)
    }

    /// Has viewers, then publishers leave.
    pub(super) async fn leave(&self, viewers: Vec<Place>, publishers: Vec<Place>) {
        (self.progress)(Stage::Leaving);
        for (places, media) in [(viewers, &self.viewers), (publishers, &self.publishers)] {
            let leaving = stream::iter(places).map(|place| place.leave(media));
            leaving.buffer_unordered(AT_ONCE).collect::<()>().await;
        }
    }

    /// What server and generator have used so far.
    pub(super) fn usage(&self) -> Usage {
        Usage::read(self.target.process.as_ref())
    }

    /// What they have used since.
    pub(super) fn used(&self, before: &Usage, after: &Usage) -> (Option<ProcessUse>, GeneratorUse) {
        let used = after.since(before, self.target.process.as_ref());
        debug!(?used, "used");
        used
    }
}

impl Place {
    /// Takes leave of the server and ends the connection.
    pub(super) async fn leave(self, media: &Media) {
        self.session.leave().await;
        media.remove(self.peer);
    }
}
