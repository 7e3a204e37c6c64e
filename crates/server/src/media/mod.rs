//! The embedded forwarder: ICE-lite WebRTC peers on worker threads, RTP passed
//! from publishers to players without decoding.
//!
//! A [`Forwarder`] has one thread a core. Each thread owns its sockets and the
//! peers that were placed on it; nothing is locked or shared on a packet's way.
//! A worker that fails ends its peers, and the others go on. From the outside in:
//!
//! - `directory`: which worker each peer is on; `report`: the way back to
//!   signalling;
//! - `address`, `reach`: what clients are told, and who can reach it; `survey`: the
//!   same without a start;
//! - `worker`: the thread and its mailbox; `message` is what goes through;
//! - `network`: its sockets, `socket` for UDP and `tcp`, with `frame`, for TCP;
//!   `drops`: what comes to them in vain;
//! - `shard`: the peers of one worker, sans-IO; `demux`, `fanout` and `timers`
//!   serve it;
//! - `publisher`, `player`: a `peer`, on top of a `link` (str0m, set up by `rtc`, and
//!   its timeouts);
//! - `egress`, or `estimated` where bandwidth is estimated: a player's media on its
//!   way out; `sends`: what is ready to go;
//! - `gate`, `sources`, `rtp_header`: what of a peer's datagrams str0m gets to see;
//! - `transport`, `nomination`, `restart`: what ICE takes beside str0m;
//! - `gaps`, `repair`: packets that a publisher's or a viewer's network loses;
//! - `leap`, `rewrite`: a publisher's numbers, whatever they do, as viewers see them;
//! - `layers`, `bandwidth`, `choice`: what a publisher's simulcast layers carry, what
//!   a viewer's network does, and which layer it gets therefore;
//! - `head_start`, `replay`: what a player's viewer is shown first;
//! - `snapshot`: pictures of what publishers send, on a thread of their own;
//! - `clock`, `codec`, `keyframe`, `packet`, `picture`, `playout`, `rate`, `sdp`: one
//!   matter each, pure; `tally`: what of packets is counted for the operator.
//!
//! Not here: decoding but for snapshots, recording, and asking a publisher for less:
//! what its viewers' networks do not carry of a stream that it sends once, they lose.

mod address;
mod bandwidth;
#[doc(hidden)]
pub mod bench;
mod choice;
mod clock;
mod codec;
mod config;
mod demux;
mod directory;
mod drops;
mod egress;
mod estimated;
mod fanout;
mod frame;
mod gaps;
mod gate;
mod head_start;
mod keyframe;
mod layers;
mod leap;
mod link;
mod message;
mod network;
mod nomination;
mod packet;
mod peer;
mod picture;
mod player;
mod playout;
mod publisher;
mod rate;
mod reach;
mod repair;
mod replay;
mod report;
mod restart;
mod rewrite;
mod rtc;
mod rtp_header;
mod sdp;
mod sends;
mod shard;
mod snapshot;
mod socket;
mod sources;
mod survey;
mod tally;
mod tcp;
mod timers;
mod transport;
mod way;
mod worker;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime};

use str0m::crypto::from_feature_flags;
use thiserror::Error;
use tracing::{info, warn};

pub use address::{PublicAddress, PublicAddressError};
pub use config::{Config, Transports};
pub use reach::{Note, Reach};
pub(crate) use survey::{Survey, Told, Tried};

use crate::core::backend::{
    Command, EndReason, Event, MediaBackend, PeerId, Role, SnapshotError, SnapshotId, Wishes,
};
use crate::counters::Counters;
use crate::meters::Meters;
use directory::{Directory, Home, Move};
use drops::Watch;
use egress::WallClock;
use link::Settings;
use message::{Message, WorkerId};
use reach::{Host, Plan};
use report::Reporter;
use snapshot::Snapshots;
use worker::{Mailbox, Worker};

/// Why a forwarder cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The interfaces' addresses are not to be had.
    #[error("cannot list this host's network addresses: {0}")]
    Interfaces(#[source] io::Error),
    /// There is no address that clients could be told.
    #[error("no usable network address of the bound family: give --public-address")]
    NoAddress,
    /// Two addresses of one family to bind.
    #[error("--media-bind takes one IPv4 and one IPv6 address at most")]
    TwoBinds,
    /// A public address that no socket serves.
    #[error("media is not bound to the family of --public-address {0}")]
    FamilyNotBound(IpAddr),
    /// Ports end at 65535.
    #[error(
        "there are fewer ports above --media-port, or that of --public-address, than workers: \
         choose lower ones"
    )]
    TooFewPorts,
    /// A worker's socket.
    #[error("cannot use {protocol} {address} for media (--media-port, --media-bind): {source}")]
    Socket {
        /// `UDP` or `TCP`.
        protocol: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A thread.
    #[error("cannot start a media worker: {0}")]
    Thread(#[source] io::Error),
    /// The DTLS certificate.
    #[error("cannot make a DTLS certificate")]
    Certificate,
}

impl From<network::BindError> for StartError {
    fn from(error: network::BindError) -> Self {
        Self::Socket {
            protocol: error.protocol,
            address: error.address,
            source: error.source,
        }
    }
}

/// The media server in this process. Dropping it ends every peer, each told so
/// by DTLS close_notify, and waits for the threads.
#[derive(Debug)]
pub struct Forwarder {
    mailboxes: Vec<Mailbox>,
    threads: Vec<JoinHandle<()>>,
    directory: Arc<Directory>,
    reach: Reach,
    reporter: Reporter,
    meters: Vec<Arc<Meters>>,
    /// `None` where the system does not say what it drops.
    _drops: Option<Watch>,
}

impl Forwarder {
    /// Binds the sockets and starts the threads. `events` is called on worker
    /// threads and must not block; refused datagrams are counted in `counters`.
    ///
    /// # Errors
    /// See [`StartError`]; nothing is left running.
    pub fn start(
        config: Config,
        counters: Arc<Counters>,
        events: impl Fn(Event) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let host = Host::look().map_err(StartError::Interfaces)?;
        let plan = Plan::make(&config, &host)?;
        let certificate = from_feature_flags()
            .dtls_provider
            .generate_certificate()
            .ok_or(StartError::Certificate)?;
        let mut addresses = Vec::new();
        let mut workers = Vec::new();
        for index in 0..config.workers.get() {
            let id = WorkerId(index);
            let mut worker = Worker::bind(id, &config, &plan.binds, &host.own, &counters)?;
            let candidates = plan.candidates(index, worker.port())?;
            addresses.extend_from_slice(&candidates);
            worker.set_candidates(candidates);
            workers.push(worker);
        }
        let granted = workers.iter().filter_map(Worker::receive_buffer).min();
        drops::warn_of_small_buffer(granted, config.socket_buffer);
        let ports: Vec<_> = workers.iter().map(Worker::port).collect();
        let watch = Watch::start(ports.clone(), counters.clone()).map_err(StartError::Thread)?;
        let directory = Arc::new(Directory::new(workers.len()));
        let events: Arc<dyn Fn(Event) + Send + Sync> = Arc::new(events);
        let pictures_taken = events.clone();
        let (snapshots, snapshot_thread) =
            Snapshots::start(move |event| pictures_taken(event)).map_err(StartError::Thread)?;
        let mut forwarder = Self {
            mailboxes: workers.iter().map(|w| w.mailbox.clone()).collect(),
            threads: vec![snapshot_thread],
            directory: directory.clone(),
            reach: Reach {
                addresses,
                ports,
                transports: config.transports,
                notes: plan.notes,
            },
            reporter: Reporter::new(directory, events, snapshots),
            meters: workers.iter().map(|w| w.meters.clone()).collect(),
            _drops: watch,
        };
        info!(addresses = ?forwarder.reach.addresses, "media");
        let settings = Arc::new(Settings {
            config,
            certificate,
            clock: WallClock::new(Instant::now(), SystemTime::now()),
        });
        for worker in workers {
            let thread = worker
                .start(
                    settings.clone(),
                    counters.clone(),
                    forwarder.mailboxes.clone(),
                    forwarder.reporter.clone(),
                )
                .map_err(StartError::Thread)?;
            forwarder.threads.push(thread);
        }
        Ok(forwarder)
    }

    /// Where clients reach the media.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    fn open(&self, peer: PeerId, role: Role, offer: String, wishes: Wishes) {
        let placed = match role {
            Role::Publisher => self.place_publisher(peer, offer, wishes),
            Role::Player { source } => self.place_player(peer, source, offer, wishes),
        };
        match placed {
            Ok((worker, message)) => self.put(worker, message),
            Err(reason) => self.reporter.end(peer, reason),
        }
    }

    fn place_publisher(
        &self,
        peer: PeerId,
        offer: String,
        wishes: Wishes,
    ) -> Result<(WorkerId, Message), EndReason> {
        let worker = self.directory.place_publisher(peer);
        let worker = worker.ok_or(EndReason::Internal)?;
        let message = Message::OpenPublisher {
            peer,
            offer,
            wishes,
        };
        Ok((worker, message))
    }

    fn place_player(
        &self,
        peer: PeerId,
        source: PeerId,
        offer: String,
        wishes: Wishes,
    ) -> Result<(WorkerId, Message), EndReason> {
        let placed = self.directory.place_player(peer, source);
        let (source_worker, home) = placed.ok_or(EndReason::SourceGone)?;
        let message = Message::OpenPlayer {
            peer,
            source,
            home,
            offer,
            wishes,
        };
        Ok((source_worker, message))
    }

    /// A peer that is restarted has answered its offer, so the message cannot
    /// overtake the one that makes it.
    fn restart(&self, peer: PeerId, fragment: String) {
        if let Some(worker) = self.directory.worker_of(peer) {
            self.put(worker, Message::Restart { peer, fragment });
        }
    }

    fn take_picture(&self, request: SnapshotId, source: PeerId) {
        match self.directory.place_snapshot(request, source) {
            Some(worker) => self.put(worker, Message::Snapshot { request, source }),
            None => self
                .reporter
                .end_snapshot(request, SnapshotError::SourceGone),
        }
    }

    fn close(&self, peer: PeerId) {
        match self.directory.remove(peer) {
            Some(Home::Publisher { worker }) => self.put(worker, Message::ClosePublisher { peer }),
            Some(Home::Player {
                worker: home, way, ..
            }) => self.put(way, Message::ClosePlayer { peer, home }),
            None => {}
        }
    }

    fn splice(&self, from: PeerId, to: PeerId) {
        for Move {
            player,
            home,
            way,
            source_worker,
        } in self.directory.splice(from, to)
        {
            let message = Message::SplicePlayer {
                peer: player,
                home,
                source: to,
                source_worker,
            };
            self.put(way, message);
        }
    }

    fn put(&self, worker: WorkerId, message: Message) {
        let mailbox = &self.mailboxes[worker.0];
        mailbox.put(message);
        mailbox.wake();
    }
}

impl MediaBackend for Forwarder {
    fn send(&mut self, command: Command) {
        match command {
            Command::Open {
                peer,
                role,
                offer,
                wishes,
            } => self.open(peer, role, offer, wishes),
            Command::Restart { peer, fragment } => self.restart(peer, fragment),
            Command::Splice { from, to } => self.splice(from, to),
            Command::Snapshot { request, source } => self.take_picture(request, source),
            Command::Close { peer } => self.close(peer),
        }
    }

    fn meters(&self) -> Vec<Arc<Meters>> {
        self.meters.clone()
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        for index in 0..self.mailboxes.len() {
            self.put(WorkerId(index), Message::Stop);
        }
        self.reporter.stop_snapshots();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                warn!("a media thread had panicked");
            }
        }
    }
}
