//! A thread that runs many peers: their sockets are polled together (mio), and a peer
//! gets its turn when a datagram has come for it or something of it is due, never else.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::{Events, Poll, Token, Waker};
use tokio::sync::oneshot;
use tracing::debug;

use crate::clock::Now;
use crate::error::{Error, Result};
use crate::meter::Sent;
use crate::publisher::Publisher;
use crate::results::Received;
use crate::socket::{Inbox, Socket};
use crate::timers::Timers;
use crate::viewer::Viewer;

/// Sockets that are looked at between two looks at the clock.
const EVENTS: usize = 256;

const WAKER: Token = Token(usize::MAX);

/// What poll(2) and its kin count in: what is due sooner is slept for.
const TICK: Duration = Duration::from_millis(1);

/// The longest that nothing is done.
const IDLE: Duration = Duration::from_secs(1);

/// The highest delay that is told apart, microseconds, and to how many digits.
const MAX_DELAY_US: u64 = 60_000_000;
const DIGITS: u8 = 2;

/// A peer of a [`Media`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeerId(usize);

/// What all peers of a thread have counted.
#[derive(Debug)]
pub(crate) struct Collected {
    /// Each viewer's stream and counts.
    pub(crate) viewers: Vec<(u32, Received)>,
    /// Each publisher's stream and counts.
    pub(crate) publishers: Vec<(u32, Sent)>,
    /// Of packets, microseconds.
    pub(crate) delays: Histogram<u64>,
    /// The most that a publisher was late with a frame.
    pub(crate) worst_lateness: Duration,
    /// Peers whose connection is lost.
    pub(crate) over: usize,
}

#[allow(
    clippy::large_enum_variant,
    reason = "each is in a box of its own, with its socket"
)]
enum Peer {
    Publisher(Publisher),
    Viewer(Viewer),
}

enum Command {
    Add(PeerId, Box<(Peer, Socket)>),
    Remove(PeerId),
    Measure(Range<u64>),
    Collect(oneshot::Sender<Collected>),
}

/// See the module. Dropping it ends its peers and waits for the thread.
pub(crate) struct Media {
    commands: Option<Sender<Command>>,
    waker: Arc<Waker>,
    thread: Option<JoinHandle<()>>,
    next: AtomicUsize,
}

impl Media {
    /// Starts a thread of this name.
    pub(crate) fn start(name: &str) -> Result<Self> {
        let failed =
            |error: io::Error| Error::because("the generator gets no thread for its media", error);
        let poll = Poll::new().map_err(failed)?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER).map_err(failed)?);
        let (commands, receiver) = mpsc::channel();
        let shard = Shard::new(poll, receiver).map_err(failed)?;
        let thread = thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || shard.run()).map_err(failed)?;
        Ok(Self {
            commands: Some(commands),
            waker,
            thread: Some(thread),
            next: AtomicUsize::new(0),
        })
    }

    pub(crate) fn add_publisher(&self, (publisher, socket): (Publisher, Socket)) -> PeerId {
        self.add(Peer::Publisher(publisher), socket)
    }

    pub(crate) fn add_viewer(&self, (viewer, socket): (Viewer, Socket)) -> PeerId {
        self.add(Peer::Viewer(viewer), socket)
    }

    fn add(&self, peer: Peer, socket: Socket) -> PeerId {
        let id = PeerId(self.next.fetch_add(1, Ordering::Relaxed));
        self.tell(Command::Add(id, Box::new((peer, socket))));
        id
    }

    /// Ends a peer's connection.
    pub(crate) fn remove(&self, id: PeerId) {
        self.tell(Command::Remove(id));
    }

    /// Has all peers count anew what is sent in this span of [`crate::clock`].
    pub(crate) fn measure(&self, window: Range<u64>) {
        self.tell(Command::Measure(window));
    }

    /// What they have counted since.
    ///
    /// # Errors
    /// The thread has ended.
    pub(crate) async fn collect(&self) -> Result<Collected> {
        let (sender, receiver) = oneshot::channel();
        self.tell(Command::Collect(sender));
        let ended = "a thread of the generator has ended before its time";
        receiver.await.map_err(|_| Error::new(ended))
    }

    fn tell(&self, command: Command) {
        let sent = self.commands.as_ref().map(|to| to.send(command));
        if !matches!(sent, Some(Ok(()))) || self.waker.wake().is_err() {
            debug!("the thread does not listen");
        }
    }
}

impl Drop for Media {
    fn drop(&mut self) {
        self.commands = None;
        let woken = self.waker.wake();
        let ended = self.thread.take().map(JoinHandle::join);
        debug!(?woken, ended = ended.is_some(), "a media thread ends");
    }
}

struct Entry {
    peer: Peer,
    socket: Socket,
}

/// The thread's own.
struct Shard {
    poll: Poll,
    commands: Receiver<Command>,
    /// By [`PeerId`]; places of those who left stay empty.
    entries: Vec<Option<Box<Entry>>>,
    timers: Timers,
    inbox: Inbox,
    delays: Histogram<u64>,
    window: Range<u64>,
    over: usize,
}

impl Shard {
    fn new(poll: Poll, commands: Receiver<Command>) -> io::Result<Self> {
        let delays = Histogram::new_with_bounds(1, MAX_DELAY_US, DIGITS);
        Ok(Self {
            poll,
            commands,
            entries: Vec::new(),
            timers: Timers::default(),
            inbox: Inbox::new(),
            delays: delays.map_err(io::Error::other)?,
            window: 0..0,
            over: 0,
        })
    }

    fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            self.wait(&mut events);
            for event in &events {
                if event.token() != WAKER {
                    self.receive(event.token().0);
                }
            }
            self.do_what_is_due();
            loop {
                match self.commands.try_recv() {
                    Ok(command) => self.obey(command),
                    Err(mpsc::TryRecvError::Empty) => break,
                    Err(mpsc::TryRecvError::Disconnected) => return self.end(),
                }
            }
        }
    }

    /// Waits for datagrams, or until something is due: to the point, since publishers
    /// keep time.
    fn wait(&mut self, events: &mut Events) {
        let now = Instant::now();
        let due = self.timers.next().unwrap_or(now + IDLE).min(now + IDLE);
        let left = due.saturating_duration_since(now);
        let timeout = if left < TICK {
            thread::sleep(left);
            Duration::ZERO
        } else {
            // Rounded up by mio: the last of it is slept for.
            Duration::from_millis((left - TICK).as_millis() as u64)
        };
        if let Err(error) = self.poll.poll(events, Some(timeout)) {
            debug!(%error, "not polled");
        }
    }

    fn receive(&mut self, id: usize) {
        let Some(Some(entry)) = self.entries.get_mut(id) else {
            return;
        };
        let Entry { peer, socket } = &mut **entry;
        let now = Now::read();
        let delays = &mut self.delays;
        self.inbox.read(socket, |meta, datagrams| match peer {
            Peer::Viewer(viewer) => {
                let at = now.arrival(meta.timestamp);
                for datagram in datagrams {
                    viewer.handle_datagram(meta.addr, datagram, at, socket, delays);
                }
            }
            Peer::Publisher(publisher) => {
                for datagram in datagrams {
                    publisher.handle_datagram(meta.addr, datagram, socket);
                }
            }
        });
        self.after_turn(id);
    }

    fn do_what_is_due(&mut self) {
        let now = Instant::now();
        while let Some(id) = self.timers.pop(now) {
            let Some(Some(entry)) = self.entries.get_mut(id) else {
                continue;
            };
            let Entry { peer, socket } = &mut **entry;
            match peer {
                Peer::Viewer(viewer) if viewer.due() <= now => viewer.handle_timeout(now, socket),
                Peer::Publisher(publisher) if publisher.due() <= now => {
                    publisher.handle_timeout(now, socket);
                }
                Peer::Viewer(_) | Peer::Publisher(_) => {}
            }
            self.after_turn(id);
        }
    }

    fn after_turn(&mut self, id: usize) {
        let Some(Some(entry)) = self.entries.get(id) else {
            return;
        };
        let (is_over, due) = match &entry.peer {
            Peer::Viewer(viewer) => (viewer.is_over(), viewer.due()),
            Peer::Publisher(publisher) => (publisher.is_over(), publisher.due()),
        };
        if is_over {
            self.over += 1;
            self.remove(id);
        } else {
            self.timers.arm(id, due);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Add(PeerId(id), peer) => self.add(id, *peer),
            Command::Remove(PeerId(id)) => self.remove(id),
            Command::Measure(window) => self.measure(&window),
            Command::Collect(sender) => {
                // Whoever does not wait any more has given up.
                let _ = sender.send(self.collect());
            }
        }
    }

    fn add(&mut self, id: usize, (mut peer, mut socket): (Peer, Socket)) {
        if let Err(error) = socket.register(self.poll.registry(), Token(id)) {
            debug!(%error, "a socket cannot be polled");
            self.over += 1;
            return;
        }
        match &mut peer {
            Peer::Viewer(viewer) => viewer.meter.measure(self.window.clone()),
            Peer::Publisher(publisher) => publisher.measure(self.window.clone()),
        }
        if self.entries.len() <= id {
            self.entries.resize_with(id + 1, || None);
        }
        self.entries[id] = Some(Box::new(Entry { peer, socket }));
        // What has come before is no event.
        self.receive(id);
    }

    fn remove(&mut self, id: usize) {
        let Some(mut entry) = self.entries.get_mut(id).and_then(Option::take) else {
            return;
        };
        let Entry { peer, socket } = &mut *entry;
        match peer {
            Peer::Viewer(viewer) => viewer.close(socket),
            Peer::Publisher(publisher) => publisher.close(socket),
        }
        socket.deregister(self.poll.registry());
    }

    fn measure(&mut self, window: &Range<u64>) {
        self.window = window.clone();
        self.delays.reset();
        for entry in self.entries.iter_mut().flatten() {
            match &mut entry.peer {
                Peer::Viewer(viewer) => viewer.meter.measure(window.clone()),
                Peer::Publisher(publisher) => publisher.measure(window.clone()),
            }
        }
    }

    fn collect(&self) -> Collected {
        let mut collected = Collected {
            viewers: Vec::new(),
            publishers: Vec::new(),
            delays: self.delays.clone(),
            worst_lateness: Duration::ZERO,
            over: self.over,
        };
        for entry in self.entries.iter().flatten() {
            match &entry.peer {
                Peer::Viewer(viewer) => collected.viewers.push(viewer.meter.counts()),
                Peer::Publisher(publisher) => {
                    let (stream, sent, lateness) = publisher.counts();
                    collected.publishers.push((stream, sent));
                    collected.worst_lateness = collected.worst_lateness.max(lateness);
                }
            }
        }
        collected
    }

    fn end(mut self) {
        for id in 0..self.entries.len() {
            self.remove(id);
        }
    }
}
