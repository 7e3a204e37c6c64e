//! The embedded forwarder: ICE-lite WebRTC peers on worker threads, RTP passed
//! from publishers to players without decoding.
//!
//! A [`Forwarder`] has one thread a core. Each thread owns a UDP socket and the
//! peers that were placed on it; nothing is locked or shared on a packet's way.
//! A worker that fails ends its peers, and the others go on. From the outside in:
//!
//! - `directory`: which worker each peer is on; `report`: the way back to
//!   signalling;
//! - `worker`: the thread, its socket and its mailbox; `message` is what goes
//!   through;
//! - `shard`: the peers of one worker, sans-IO; `demux`, `fanout` and `timers`
//!   serve it;
//! - `publisher`, `player`: a peer, on top of a `link` (str0m and its timeouts);
//! - `gate`, `sources`: what of a peer's datagrams str0m gets to see;
//! - `clock`, `codec`, `keyframe`, `rate`, `rewrite`, `sdp`: one matter each, pure.
//!
//! Not here: decoding, recording, congestion control towards players, ICE over
//! TCP, simulcast.

mod address;
mod clock;
mod codec;
mod config;
mod demux;
mod directory;
mod fanout;
mod gaps;
mod gate;
mod head_start;
mod keyframe;
mod leap;
mod link;
mod message;
mod nomination;
mod packet;
mod peer;
mod player;
mod publisher;
mod rate;
mod repair;
mod report;
mod rewrite;
mod rtp_header;
mod sdp;
mod shard;
mod socket;
mod sources;
mod timers;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use str0m::crypto::from_feature_flags;
use thiserror::Error;
use tracing::{info, warn};

pub use config::Config;

use crate::core::backend::{Command, EndReason, Event, MediaBackend, PeerId, Role};
use crate::counters::Counters;
use directory::{Directory, Home};
use link::Settings;
use message::{Message, WorkerId};
use report::Reporter;
use worker::{Mailbox, Worker};

/// Why a forwarder cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The interfaces' addresses are not to be had.
    #[error("cannot list this host's network addresses: {0}")]
    Interfaces(#[source] io::Error),
    /// There is no address that clients could be told.
    #[error("no usable network address of the bound family; give a public address")]
    NoAddress,
    /// A worker's UDP socket.
    #[error("cannot use UDP {address} port {port} (0 is any) for media: {source}")]
    Socket {
        /// The bound address.
        address: std::net::IpAddr,
        /// The first worker's port.
        port: u16,
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

/// The media server in this process. Dropping it ends every peer, each told so
/// by DTLS close_notify, and waits for the threads.
#[derive(Debug)]
pub struct Forwarder {
    mailboxes: Vec<Mailbox>,
    threads: Vec<JoinHandle<()>>,
    directory: Arc<Directory>,
    addresses: Vec<SocketAddr>,
    reporter: Reporter,
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
        let own = address::interfaces().map_err(StartError::Interfaces)?;
        let advertised = address::advertised(config.bind, &config.public_addresses)
            .map_err(StartError::Interfaces)?;
        if advertised.is_empty() {
            return Err(StartError::NoAddress);
        }
        let certificate = from_feature_flags()
            .dtls_provider
            .generate_certificate()
            .ok_or(StartError::Certificate)?;
        let workers = (0..config.workers.get())
            .map(|index| Worker::bind(WorkerId(index), &config, &advertised, own.clone()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| StartError::Socket {
                address: config.bind,
                port: config.first_port,
                source,
            })?;
        let directory = Arc::new(Directory::new(workers.len()));
        let mut forwarder = Self {
            mailboxes: workers.iter().map(|w| w.mailbox.clone()).collect(),
            threads: Vec::new(),
            directory: directory.clone(),
            addresses: workers.iter().flat_map(|w| w.candidates.clone()).collect(),
            reporter: Reporter::new(directory, events),
        };
        info!(addresses = ?forwarder.addresses, "media");
        let settings = Arc::new(Settings {
            config,
            certificate,
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

    /// The addresses that clients are told, every worker's.
    pub fn media_addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    fn open(&self, peer: PeerId, role: Role, offer: String) {
        let placed = match role {
            Role::Publisher => self.place_publisher(peer, offer),
            Role::Player { source } => self.place_player(peer, source, offer),
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
    ) -> Result<(WorkerId, Message), EndReason> {
        let worker = self.directory.place_publisher(peer);
        let worker = worker.ok_or(EndReason::Internal)?;
        Ok((worker, Message::OpenPublisher { peer, offer }))
    }

    fn place_player(
        &self,
        peer: PeerId,
        source: PeerId,
        offer: String,
    ) -> Result<(WorkerId, Message), EndReason> {
        let placed = self.directory.place_player(peer, source);
        let (source_worker, home) = placed.ok_or(EndReason::SourceGone)?;
        let message = Message::OpenPlayer {
            peer,
            source,
            home,
            offer,
        };
        Ok((source_worker, message))
    }

    fn close(&self, peer: PeerId) {
        match self.directory.remove(peer) {
            Some(Home::Publisher { worker }) => self.put(worker, Message::ClosePublisher { peer }),
            Some(Home::Player {
                worker: home,
                source_worker,
            }) => self.put(source_worker, Message::ClosePlayer { peer, home }),
            None => {}
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
                peer, role, offer, ..
            } => self.open(peer, role, offer),
            Command::Restart { .. } | Command::Splice { .. } | Command::Snapshot { .. } => {}
            Command::Close { peer } => self.close(peer),
        }
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        for index in 0..self.mailboxes.len() {
            self.put(WorkerId(index), Message::Stop);
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                warn!("a media worker had panicked");
            }
        }
    }
}
