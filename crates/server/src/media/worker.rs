//! One worker thread: a shard, its sockets and the ways in.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};
use tracing::{error, trace, warn};

use super::StartError;
use super::config::Config;
use super::link::Settings;
use super::message::{Message, WorkerId};
use super::network::Network;
use super::report::Reporter;
use super::shard::Shard;
use crate::counters::Counters;
use crate::meters::{Meter, Meters, Queue, TURN};

const WAKE: Token = Token(0);

/// The network's tokens start here.
const FIRST_TOKEN: usize = 1;

/// Events taken from the system in one go; the rest follow.
const EVENTS: usize = 256;

/// Turns of receiving before timers and messages get their turn.
const TURNS_IN_A_ROW: usize = 8;

/// Messages taken before sockets and timers get their turn. While other workers
/// put in more than this one takes out, there is always one more.
const MESSAGES_IN_A_ROW: usize = 1_024;

/// The way to a worker.
#[derive(Debug, Clone)]
pub(super) struct Mailbox {
    /// Everything in its order, which players depend on: what comes after an
    /// admission is what its head start does not have.
    messages: Sender<Message>,
    /// Those among them that may be dropped, and are if there are more than so
    /// many, when the worker does not keep up. All else is little, and never
    /// lost.
    droppable: Arc<Queue>,
    max_droppable: usize,
    waker: Arc<Waker>,
}

impl Mailbox {
    /// Puts a message in; [`Mailbox::wake`] makes the worker look.
    pub(super) fn put(&self, message: Message) {
        if message.is_droppable()
            && self.droppable.waiting.fetch_add(1, Ordering::Relaxed) >= self.max_droppable
        {
            self.droppable.waiting.fetch_sub(1, Ordering::Relaxed);
            self.droppable.dropped.fetch_add(1, Ordering::Relaxed);
            trace!("a worker does not keep up");
            return;
        }
        // A worker that is gone has nothing left to do.
        let _ = self.messages.send(message);
    }

    pub(super) fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            warn!(%error, "a media worker cannot be woken");
        }
    }
}

/// A worker before it runs.
pub(super) struct Worker {
    pub(super) mailbox: Mailbox,
    pub(super) meters: Arc<Meters>,
    id: WorkerId,
    /// What its peers are told.
    candidates: Vec<SocketAddr>,
    poll: Poll,
    network: Network,
    messages: Receiver<Message>,
}

impl Worker {
    /// Binds the worker's sockets on each of `binds`. `own` are the host's
    /// addresses.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn bind(
        id: WorkerId,
        config: &Config,
        binds: &[IpAddr],
        own: &[IpAddr],
        counters: &Arc<Counters>,
    ) -> Result<Self, StartError> {
        let port = match config.first_port {
            0 => 0,
            first => {
                u16::try_from(usize::from(first) + id.0).map_err(|_| StartError::TooFewPorts)?
            }
        };
        let mut network = Network::bind(binds, port, own, FIRST_TOKEN, (config, counters))?;
        let poll = Poll::new().map_err(StartError::Thread)?;
        let registered = network.register(poll.registry());
        registered.map_err(StartError::Thread)?;
        let waker = Waker::new(poll.registry(), WAKE).map_err(StartError::Thread)?;
        let (messages_in, messages) = mpsc::channel();
        let droppable = Arc::<Queue>::default();
        Ok(Self {
            meters: Arc::new(Meters::new(droppable.clone())),
            mailbox: Mailbox {
                messages: messages_in,
                droppable,
                max_droppable: config.worker_queue,
                waker: Arc::new(waker),
            },
            candidates: Vec::new(),
            id,
            poll,
            network,
            messages,
        })
    }

    /// The port of its sockets.
    pub(super) fn port(&self) -> u16 {
        self.network.port()
    }

    /// See [`Network::receive_buffer`].
    pub(super) fn receive_buffer(&self) -> Option<usize> {
        self.network.receive_buffer()
    }

    /// Has its peers told `candidates`.
    pub(super) fn set_candidates(&mut self, candidates: Vec<SocketAddr>) {
        self.network.set_candidates(candidates.clone());
        self.candidates = candidates;
    }

    /// Starts the thread. It ends with [`Message::Stop`]; if it fails before,
    /// its peers and the other workers are told.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn start(
        self,
        settings: Arc<Settings>,
        counters: Arc<Counters>,
        others: Vec<Mailbox>,
        reporter: Reporter,
    ) -> io::Result<JoinHandle<()>> {
        let counters = (counters, self.meters.clone());
        let shard = Shard::new(self.id, settings, self.candidates.clone(), counters);
        let running = Running {
            worker: self,
            shard,
            others,
            reporter,
        };
        std::thread::Builder::new()
            .name(format!("media-{}", running.worker.id.0))
            .spawn(move || running.run_supervised())
    }
}

struct Running {
    worker: Worker,
    shard: Shard,
    others: Vec<Mailbox>,
    reporter: Reporter,
}

/// What is left of a worker's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inbox {
    Empty,
    /// There may be more.
    More,
    /// It is time to stop.
    Stopped,
}

impl Running {
    /// Runs, and tells those concerned if that ends but by a [`Message::Stop`].
    fn run_supervised(self) {
        let worker = self.worker.id;
        let (others, reporter) = (self.others.clone(), self.reporter.clone());
        let meters = self.worker.meters.clone();
        // What a panic leaves half-done is dropped, never used again.
        match catch_unwind(AssertUnwindSafe(move || self.run())) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error!(%error, "media worker {} cannot wait and stops", worker.0),
            Err(_) => error!("media worker {} panicked and stops", worker.0),
        }
        meters.end();
        reporter.worker_gone(worker);
        for other in others {
            other.put(Message::WorkerGone { worker });
            other.wake();
        }
    }

    /// Runs until it is told to stop.
    ///
    /// # Errors
    /// The system does not let it wait.
    fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        let mut more = false;
        loop {
            let timeout = if more {
                Duration::ZERO
            } else {
                self.timeout().unwrap_or(TURN).min(TURN)
            };
            if let Err(error) = self.worker.poll.poll(&mut events, Some(timeout))
                && error.kind() != io::ErrorKind::Interrupted
            {
                return Err(error);
            }
            for event in &events {
                self.worker.network.handle_event(event);
            }
            let inbox = self.take_messages();
            if inbox == Inbox::Stopped {
                self.deliver();
                return Ok(());
            }
            // What it makes room for is accepted at once.
            self.worker.network.handle_timeout(Instant::now());
            more = self.receive() || inbox == Inbox::More;
            let now = Instant::now();
            self.shard.handle_timeout(now);
            self.flush(now);
            self.settle(now);
            self.worker.meters.turn(self.shard.peer_count(), now);
        }
    }

    fn timeout(&self) -> Option<Duration> {
        let shard = self.shard.poll_timeout();
        let network = self.worker.network.poll_timeout();
        let at = shard.into_iter().chain(network).min()?;
        Some(at.saturating_duration_since(Instant::now()))
    }

    fn take_messages(&mut self) -> Inbox {
        let now = Instant::now();
        let mut inbox = Inbox::More;
        for _ in 0..MESSAGES_IN_A_ROW {
            match self.worker.messages.try_recv() {
                Ok(message) => {
                    if message.is_droppable() {
                        let droppable = &self.worker.mailbox.droppable;
                        droppable.waiting.fetch_sub(1, Ordering::Relaxed);
                    }
                    // The shard would give it out all at once.
                    if self.shard.is_behind() && message.waits_for_media() {
                        self.flush(now);
                    }
                    let stop = matches!(message, Message::Stop);
                    self.shard.handle_message(message, now);
                    if stop {
                        return Inbox::Stopped;
                    }
                }
                Err(TryRecvError::Empty) => {
                    inbox = Inbox::Empty;
                    break;
                }
                Err(TryRecvError::Disconnected) => return Inbox::Stopped,
            }
        }
        self.flush(now);
        inbox
    }

    /// True if there may be more.
    fn receive(&mut self) -> bool {
        for _ in 0..TURNS_IN_A_ROW {
            let now = Instant::now();
            let shard = &mut self.shard;
            let more = self.worker.network.receive(now, |path, datagram| {
                shard.handle_datagram(path, datagram, now);
            });
            self.flush(now);
            if !more {
                return false;
            }
        }
        true
    }

    /// Tells the shard which connections are over, until that ends no more.
    fn settle(&mut self, now: Instant) {
        loop {
            let closed = self.worker.network.take_closed();
            if closed.is_empty() {
                return;
            }
            for path in closed {
                self.shard.handle_closed(path, now);
            }
            self.deliver();
        }
    }

    /// Has the shard send what was written to its players, and obeys it.
    fn flush(&mut self, now: Instant) {
        while self.shard.flush(now) {
            self.deliver();
        }
        self.deliver();
    }

    /// Obeys the shard.
    fn deliver(&mut self) {
        let outbox = &mut self.shard.outbox;
        let (transmits, sends) = (&mut outbox.transmits, &mut outbox.sends);
        let packets = transmits.len() + sends.len();
        if packets > 0 {
            let bytes: usize = transmits.iter().map(|t| t.contents.len()).sum();
            let bytes = bytes + sends.byte_count();
            self.worker.meters.add(Meter::PacketsOut, packets as u64);
            self.worker.meters.add(Meter::BytesOut, bytes as u64);
        }
        self.worker
            .network
            .send_all(transmits, sends, Instant::now());
        let mut wake = Vec::new();
        for (worker, message) in outbox.messages.drain(..) {
            if let Some(mailbox) = self.others.get(worker.0) {
                mailbox.put(message);
                if !wake.contains(&worker) {
                    wake.push(worker);
                }
            }
        }
        for worker in wake {
            self.others[worker.0].wake();
        }
        for event in outbox.events.drain(..) {
            self.reporter.report(event);
        }
        for (request, keyframe) in outbox.keyframes.drain(..) {
            self.reporter.take_picture(request, keyframe);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::backend::PeerId;

    #[test]
    fn wishes_for_keyframes_do_not_pile_up_before_a_slow_worker() {
        let (messages_in, messages) = mpsc::channel();
        let poll = Poll::new().unwrap();
        let mailbox = Mailbox {
            messages: messages_in,
            droppable: Arc::default(),
            max_droppable: 2,
            waker: Arc::new(Waker::new(poll.registry(), WAKE).unwrap()),
        };
        let source = PeerId(1);
        for layer in 0..10 {
            mailbox.put(Message::KeyframeWanted { source, layer });
        }
        mailbox.put(Message::ClosePublisher { peer: source });
        drop(mailbox);
        let layers: Vec<_> = messages
            .iter()
            .map(|message| {
                if let Message::KeyframeWanted { layer, .. } = message {
                    return Some(layer);
                }
                None
            })
            .collect();
        assert_eq!(layers, [Some(0), Some(1), None], "the close is not lost");
    }
}
