//! The peers of one worker, without its socket, clock and thread.
//!
//! A publisher's shard knows which shards have players of it and sends each
//! packet to each of them once; a player's shard hands it to its players.
//! Requests for keyframes go the other way.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use str0m::net::Transmit;
use tracing::{debug, warn};

use super::codec::Kind;
use super::demux::Demux;
use super::link::{Link, Settings};
use super::packet::MediaPacket;
use super::peer::{Peer, PeerEvent};
use super::player::Player;
use super::publisher::Publisher;
use super::sdp::{self, Offer, Selection, SourceCodec};
use super::timers::Timers;
use crate::core::backend::{Codecs, EndReason, Event, PeerId};
use crate::counters::{Counters, Reason};

/// A worker's place among the workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WorkerId(pub(super) usize);

/// What comes to a shard from signalling and from other shards.
#[derive(Debug)]
pub(super) enum Message {
    /// Make a publisher.
    OpenPublisher { peer: PeerId, offer: String },
    /// To the source's worker: make a player of it on worker `home`.
    OpenPlayer {
        peer: PeerId,
        source: PeerId,
        home: WorkerId,
        offer: String,
    },
    /// To the player's worker, from the source's.
    AdmitPlayer {
        peer: PeerId,
        source: PeerId,
        source_worker: WorkerId,
        codecs: Vec<SourceCodec>,
        offer: String,
    },
    /// End a publisher.
    ClosePublisher { peer: PeerId },
    /// To the source's worker: end a player on worker `home`. It takes the way
    /// of [`Message::OpenPlayer`], so that it cannot overtake it.
    ClosePlayer { peer: PeerId, home: WorkerId },
    /// To the player's worker, from the source's.
    DismissPlayer { peer: PeerId },
    /// To the source's worker: one player less on worker `home`.
    PlayerLeft { source: PeerId, home: WorkerId },
    /// To the source's worker.
    KeyframeWanted { source: PeerId },
    /// To a worker with players of the source.
    Media {
        source: PeerId,
        packet: Arc<MediaPacket>,
    },
    /// End every peer, politely, and the thread.
    Stop,
}

/// What a shard wants done, to be taken out after each call.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Runs of one peer stand together.
    pub(super) transmits: Vec<Transmit>,
    pub(super) events: Vec<Event>,
    pub(super) messages: Vec<(WorkerId, Message)>,
}

/// See the module.
pub(super) struct Shard {
    id: WorkerId,
    settings: Arc<Settings>,
    candidates: Vec<SocketAddr>,
    counters: Arc<Counters>,
    peers: HashMap<PeerId, Peer>,
    demux: Demux,
    timers: Timers,
    /// Players here, by source, and where the source is.
    audiences: HashMap<PeerId, Audience>,
    /// Players of our publishers, by source: how many on which worker.
    subscribers: HashMap<PeerId, Vec<(WorkerId, usize)>>,
    /// Players that have been written to since the last flush.
    dirty: Vec<PeerId>,
    pub(super) outbox: Outbox,
    events: Vec<PeerEvent>,
}

struct Audience {
    worker: WorkerId,
    players: Vec<PeerId>,
}

impl Shard {
    pub(super) fn new(
        id: WorkerId,
        settings: Arc<Settings>,
        candidates: Vec<SocketAddr>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            id,
            settings,
            candidates,
            counters,
            peers: HashMap::new(),
            demux: Demux::default(),
            timers: Timers::default(),
            audiences: HashMap::new(),
            subscribers: HashMap::new(),
            dirty: Vec::new(),
            outbox: Outbox::default(),
            events: Vec::new(),
        }
    }

    /// No later than the next [`Shard::handle_timeout`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.poll_timeout()
    }

    /// Does what has become due.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while let Some(peer) = self.timers.pop_due(now) {
            self.drain(peer, now);
        }
        self.flush(now);
    }

    /// Sends what has been written to players: once a batch of datagrams, so
    /// that a frame goes out to each of them in one piece.
    pub(super) fn flush(&mut self, now: Instant) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for peer in dirty.drain(..) {
            self.drain(peer, now);
        }
        self.dirty = dirty;
    }

    /// Takes a datagram that came from `source` to our address `destination`.
    pub(super) fn handle_datagram(
        &mut self,
        source: SocketAddr,
        destination: SocketAddr,
        datagram: &[u8],
        now: Instant,
    ) {
        let Some(id) = self.demux.route(source, datagram) else {
            if self.counters.count(Reason::StrayDatagram) {
                debug!(%source, length = datagram.len(), "a datagram is for no peer");
            }
            return;
        };
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if !peer.handle_datagram(source, destination, datagram, now)
            && self.counters.count(Reason::BadDatagram)
        {
            debug!(peer = id.0, %source, "a datagram could not be taken");
        }
        self.drain(id, now);
    }

    /// Takes a message; see [`Message`].
    pub(super) fn handle_message(&mut self, message: Message, now: Instant) {
        match message {
            Message::OpenPublisher { peer, offer } => self.open_publisher(peer, &offer, now),
            Message::OpenPlayer {
                peer,
                source,
                home,
                offer,
            } => self.open_player(peer, source, home, offer, now),
            Message::AdmitPlayer {
                peer,
                source,
                source_worker,
                codecs,
                offer,
            } => {
                if let Err(reason) =
                    self.admit_player(peer, (source, source_worker), &codecs, &offer, now)
                {
                    self.leave(source, source_worker, now);
                    self.ended(peer, reason);
                }
            }
            Message::ClosePublisher { peer } | Message::DismissPlayer { peer } => {
                self.close(peer, now);
            }
            Message::ClosePlayer { peer, home } => {
                self.send(home, Message::DismissPlayer { peer }, now);
            }
            Message::PlayerLeft { source, home } => self.unsubscribe(source, home),
            Message::KeyframeWanted { source } => self.want_keyframe(source, now),
            Message::Media { source, packet } => self.play(source, &packet, now),
            Message::Stop => self.close_all(now),
        }
    }

    fn open_publisher(&mut self, peer: PeerId, offer: &str, now: Instant) {
        if let Err(reason) = self.admit_publisher(peer, offer, now) {
            self.ended(peer, reason);
        }
    }

    fn admit_publisher(&mut self, id: PeerId, sdp: &str, now: Instant) -> Result<(), EndReason> {
        let offer = self.read_offer(id, sdp)?;
        let taken = sdp::select_for_publisher(&offer).ok_or(EndReason::NoCommonCodecs)?;
        let (link, answer) = self.answer(id, &offer, &taken, now)?;
        let rtp_timeout = self.settings.config.rtp_timeout;
        let publisher = Publisher::new(link, &taken, rtp_timeout, now);
        self.subscribers.insert(id, Vec::new());
        self.admit(id, Peer::Publisher(publisher), answer, &taken, now);
        Ok(())
    }

    /// Passes a player on to its worker with what it may be sent.
    fn open_player(
        &mut self,
        peer: PeerId,
        source: PeerId,
        home: WorkerId,
        offer: String,
        now: Instant,
    ) {
        let Some(Peer::Publisher(publisher)) = self.peers.get(&source) else {
            return self.ended(peer, EndReason::SourceGone);
        };
        let codecs = publisher.source_codecs();
        self.subscribe(source, home);
        let message = Message::AdmitPlayer {
            peer,
            source,
            source_worker: self.id,
            codecs,
            offer,
        };
        self.send(home, message, now);
    }

    fn admit_player(
        &mut self,
        id: PeerId,
        (source, worker): (PeerId, WorkerId),
        codecs: &[SourceCodec],
        sdp: &str,
        now: Instant,
    ) -> Result<(), EndReason> {
        let offer = self.read_offer(id, sdp)?;
        let taken = sdp::select_for_player(&offer, codecs).ok_or(EndReason::NoCommonCodecs)?;
        let (link, answer) = self.answer(id, &offer, &taken, now)?;
        let player = Player::new(link, source, &taken, &self.settings.config);
        self.audiences
            .entry(source)
            .or_insert_with(|| Audience {
                worker,
                players: Vec::new(),
            })
            .players
            .push(id);
        self.admit(id, Peer::Player(player), answer, &taken, now);
        Ok(())
    }

    fn read_offer(&self, id: PeerId, sdp: &str) -> Result<Offer, EndReason> {
        if self.peers.len() >= self.settings.config.peers_per_worker {
            warn!(peer = id.0, worker = self.id.0, "the worker is full");
            return Err(EndReason::Internal);
        }
        Offer::parse(sdp).map_err(|error| {
            debug!(peer = id.0, %error, "bad offer");
            EndReason::BadOffer
        })
    }

    fn answer(
        &mut self,
        id: PeerId,
        offer: &Offer,
        taken: &Selection,
        now: Instant,
    ) -> Result<(Link, String), EndReason> {
        let stream = format!("stream-{}", id.0);
        let (mut link, answer) =
            Link::answer(offer, taken, &stream, &self.candidates, &self.settings, now).map_err(
                |error| {
                    debug!(peer = id.0, %error, "the offer cannot be answered");
                    EndReason::BadOffer
                },
            )?;
        if self.demux.add(id, &link.fragment()) {
            Ok((link, answer))
        } else {
            Err(EndReason::Internal)
        }
    }

    fn admit(&mut self, id: PeerId, peer: Peer, answer: String, taken: &Selection, now: Instant) {
        self.peers.insert(id, peer);
        self.outbox.events.push(Event::Answered {
            peer: id,
            answer,
            codecs: codec_names(taken),
        });
        self.drain(id, now);
    }

    /// Lets a peer do what is due, and passes on what it says.
    fn drain(&mut self, id: PeerId, now: Instant) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let mut events = std::mem::take(&mut self.events);
        let first = self.outbox.transmits.len();
        peer.drain(now, &mut self.outbox.transmits, &mut events);
        self.timers.set(id, peer.deadline(now));
        for transmit in &self.outbox.transmits[first..] {
            self.demux.learn(id, transmit.destination);
        }
        for event in events.drain(..) {
            self.handle_event(id, event, now);
        }
        self.events = events;
    }

    fn handle_event(&mut self, id: PeerId, event: PeerEvent, now: Instant) {
        match event {
            PeerEvent::Flowing => self.outbox.events.push(Event::Flowing { peer: id }),
            PeerEvent::Media(packet) => self.forward(id, &packet, now),
            PeerEvent::KeyframeWanted => {
                if let Some(Peer::Player(player)) = self.peers.get(&id)
                    && let Some(audience) = self.audiences.get(&player.source)
                {
                    let (source, worker) = (player.source, audience.worker);
                    self.send(worker, Message::KeyframeWanted { source }, now);
                }
            }
            PeerEvent::Ended(reason) => {
                self.remove(id, now);
                self.ended(id, reason);
            }
        }
    }

    /// Passes a publisher's packet to every worker with players of it.
    fn forward(&mut self, source: PeerId, packet: &Arc<MediaPacket>, now: Instant) {
        let subscribers = self.subscribers.get(&source).map_or(0, Vec::len);
        for index in 0..subscribers {
            let (worker, _) = self.subscribers[&source][index];
            let packet = packet.clone();
            self.send(worker, Message::Media { source, packet }, now);
        }
    }

    /// Writes a packet to the players here.
    fn play(&mut self, source: PeerId, packet: &MediaPacket, now: Instant) {
        let Some(audience) = self.audiences.get(&source) else {
            return;
        };
        for id in &audience.players {
            if let Some(Peer::Player(player)) = self.peers.get_mut(id) {
                let was_dirty = player.dirty;
                player.handle_media(packet, now);
                if player.dirty && !was_dirty {
                    self.dirty.push(*id);
                }
            }
        }
    }

    fn want_keyframe(&mut self, source: PeerId, now: Instant) {
        if let Some(Peer::Publisher(publisher)) = self.peers.get_mut(&source) {
            publisher.want_keyframe();
            self.timers.set(source, publisher.deadline(now));
        }
    }

    fn close(&mut self, id: PeerId, now: Instant) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.close(now, &mut self.outbox.transmits);
            self.remove(id, now);
        }
    }

    fn close_all(&mut self, now: Instant) {
        for peer in self.peers.values_mut() {
            peer.close(now, &mut self.outbox.transmits);
        }
        self.peers.clear();
    }

    fn remove(&mut self, id: PeerId, now: Instant) {
        self.demux.remove(id);
        self.timers.remove(id);
        self.subscribers.remove(&id);
        if let Some(Peer::Player(player)) = self.peers.remove(&id)
            && let Some(audience) = self.audiences.get_mut(&player.source)
        {
            audience.players.retain(|p| *p != id);
            let worker = audience.worker;
            if audience.players.is_empty() {
                self.audiences.remove(&player.source);
            }
            self.leave(player.source, worker, now);
        }
    }

    /// Tells the source's worker of one player less here.
    fn leave(&mut self, source: PeerId, worker: WorkerId, now: Instant) {
        let home = self.id;
        self.send(worker, Message::PlayerLeft { source, home }, now);
    }

    fn subscribe(&mut self, source: PeerId, home: WorkerId) {
        let subscribers = self.subscribers.entry(source).or_default();
        match subscribers.iter_mut().find(|(worker, _)| *worker == home) {
            Some((_, players)) => *players += 1,
            None => subscribers.push((home, 1)),
        }
    }

    fn unsubscribe(&mut self, source: PeerId, home: WorkerId) {
        let Some(subscribers) = self.subscribers.get_mut(&source) else {
            return;
        };
        if let Some((_, players)) = subscribers.iter_mut().find(|(worker, _)| *worker == home) {
            *players -= 1;
        }
        subscribers.retain(|(_, players)| *players > 0);
    }

    fn ended(&mut self, peer: PeerId, reason: EndReason) {
        self.demux.remove(peer);
        self.outbox.events.push(Event::Ended { peer, reason });
    }

    /// To another worker, or to ourselves at once.
    fn send(&mut self, worker: WorkerId, message: Message, now: Instant) {
        if worker == self.id {
            self.handle_message(message, now);
        } else {
            self.outbox.messages.push((worker, message));
        }
    }
}

/// The codecs that the answer puts first.
fn codec_names(taken: &Selection) -> Codecs {
    let name = |kind| {
        let mut codecs = taken.codecs();
        let codec = codecs.find(|codec| codec.codec.kind() == kind)?;
        Some(codec.codec.name().to_owned())
    };
    Codecs {
        audio: name(Kind::Audio),
        video: name(Kind::Video),
    }
}
