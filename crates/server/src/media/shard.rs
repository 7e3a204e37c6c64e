//! The peers of one worker, without its socket, clock and thread.
//!
//! A publisher's shard knows which shards have players of it and sends each
//! packet to each of them once; a player's shard hands it to its players.
//! Requests for keyframes go the other way.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tracing::{debug, warn};

use super::codec::Kind;
use super::demux::Demux;
use super::fanout::{Audiences, Subscribers};
use super::link::{Link, Settings};
use super::message::{Message, Outbox, WorkerId};
use super::packet::MediaPacket;
use super::peer::{Peer, PeerEvent};
use super::player::Player;
use super::publisher::Publisher;
use super::sdp::{self, Offer, Selection, SourceCodec};
use super::timers::Timers;
use crate::core::backend::{Codecs, EndReason, Event, PeerId};
use crate::counters::{Counters, Reason};

/// See the module.
pub(super) struct Shard {
    id: WorkerId,
    settings: Arc<Settings>,
    candidates: Vec<SocketAddr>,
    counters: Arc<Counters>,
    peers: HashMap<PeerId, Peer>,
    demux: Demux,
    timers: Timers,
    /// Players here.
    audiences: Audiences,
    /// Workers with players of our publishers.
    subscribers: Subscribers,
    /// Players that have been written to since the last flush.
    dirty: Vec<PeerId>,
    pub(super) outbox: Outbox,
    events: Vec<PeerEvent>,
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
            audiences: Audiences::default(),
            subscribers: Subscribers::default(),
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
        match peer.handle_datagram(source, destination, datagram, now) {
            Ok(()) => self.drain(id, now),
            Err(reason) => self.refused(id, reason),
        }
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
            Message::PlayerLeft { source, home } => self.subscribers.remove(source, home),
            Message::KeyframeWanted { source } => self.want_keyframe(source, now),
            Message::Media { source, packet } => self.play(source, &packet, now),
            Message::WorkerGone { worker } => self.forget_worker(worker, now),
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
        let publisher = Publisher::new(link, &taken, &self.settings.config, now);
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
        self.subscribers.add(source, home);
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
        if sdp::needs_transcoding(&offer, codecs) {
            return Err(EndReason::TranscodingNeeded);
        }
        let taken = sdp::select_for_player(&offer, codecs).ok_or(EndReason::NoCommonCodecs)?;
        let (link, answer) = self.answer(id, &offer, &taken, now)?;
        let player = Player::new(link, source, &taken, &self.settings.config, now);
        self.audiences.add(source, worker, id);
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
        let mut last = None;
        for transmit in &self.outbox.transmits[first..] {
            if last.replace(transmit.destination) != Some(transmit.destination) {
                self.demux.learn(id, transmit.destination);
            }
        }
        for event in events.drain(..) {
            self.handle_event(id, event, now);
        }
        self.events = events;
    }

    fn handle_event(&mut self, id: PeerId, event: PeerEvent, now: Instant) {
        match event {
            PeerEvent::Flowing => {
                self.outbox.events.push(Event::Flowing { peer: id });
                self.start_player(id, now);
            }
            PeerEvent::Media(packet) => self.forward(id, packet, now),
            PeerEvent::KeyframeWanted => self.ask_source(id, now),
            PeerEvent::Rate(rate) => self.outbox.events.push(Event::Rate { peer: id, rate }),
            PeerEvent::Refused(reason) => self.refused(id, reason),
            PeerEvent::Ended(reason) => {
                self.remove(id, now);
                self.ended(id, reason);
            }
        }
    }

    /// Passes a publisher's packet to every worker with players of it.
    fn forward(&mut self, source: PeerId, packet: Arc<MediaPacket>, now: Instant) {
        let mut here = false;
        for worker in self.subscribers.workers(source) {
            if worker == self.id {
                here = true;
            } else {
                let packet = packet.clone();
                let message = Message::Media { source, packet };
                self.outbox.messages.push((worker, message));
            }
        }
        if here {
            self.play(source, &packet, now);
        }
    }

    /// Gives a player that has just connected what it starts with.
    fn start_player(&mut self, id: PeerId, now: Instant) {
        if let Some(Peer::Player(player)) = self.peers.get_mut(&id) {
            player.start(self.audiences.head_start(player.source, now), now);
            self.timers.set(id, now);
        }
    }

    /// Writes a packet to the players here.
    fn play(&mut self, source: PeerId, packet: &Arc<MediaPacket>, now: Instant) {
        self.audiences.keep(source, packet, now);
        for id in self.audiences.players(source) {
            if let Some(Peer::Player(player)) = self.peers.get_mut(id) {
                let was_dirty = player.dirty;
                player.handle_media(packet, now);
                if player.dirty && !was_dirty {
                    self.dirty.push(*id);
                }
            }
        }
    }

    /// Passes a player's wish for a keyframe on to its source's worker. A source
    /// wants one of itself for all of its players, if it has any.
    fn ask_source(&mut self, peer: PeerId, now: Instant) {
        let source = match self.peers.get(&peer) {
            Some(Peer::Player(player)) => player.source,
            Some(Peer::Publisher(_)) if self.subscribers.workers(peer).next().is_some() => {
                return self.want_keyframe(peer, now);
            }
            Some(Peer::Publisher(_)) | None => return,
        };
        if let Some(worker) = self.audiences.source_worker(source) {
            self.send(worker, Message::KeyframeWanted { source }, now);
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

    /// What a worker that failed leaves behind here.
    fn forget_worker(&mut self, worker: WorkerId, now: Instant) {
        self.subscribers.remove_worker(worker);
        for player in self.audiences.fed_by(worker) {
            self.close(player, now);
        }
    }

    fn remove(&mut self, id: PeerId, now: Instant) {
        self.demux.remove(id);
        self.timers.remove(id);
        if let Some(Peer::Player(player)) = self.peers.remove(&id)
            && let Some(worker) = self.audiences.source_worker(player.source)
        {
            self.audiences.remove(player.source, id);
            self.leave(player.source, worker, now);
        }
    }

    /// Tells the source's worker of one player less here.
    fn leave(&mut self, source: PeerId, worker: WorkerId, now: Instant) {
        let home = self.id;
        self.send(worker, Message::PlayerLeft { source, home }, now);
    }

    /// Counts what a peer sent in vain.
    fn refused(&self, peer: PeerId, reason: Reason) {
        if self.counters.count(reason) {
            debug!(peer = peer.0, %reason, "refused; more of these are only counted");
        }
    }

    fn ended(&mut self, peer: PeerId, reason: EndReason) {
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

#[cfg(test)]
mod tests;
