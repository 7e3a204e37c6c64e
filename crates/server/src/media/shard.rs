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
use super::demux::{Demux, Path};
use super::fanout::{Audiences, Subscribers};
use super::link::{Link, Settings};
use super::message::{Admission, Message, Outbox, WorkerId};
use super::packet::MediaPacket;
use super::peer::{Peer, PeerEvent};
use super::player::Player;
use super::publisher::Publisher;
use super::sdp::{self, Offer, Selection};
use super::sends::Sends;
use super::tally;
use super::timers::Timers;
use super::transport;
use crate::core::backend::{Codecs, EndReason, Event, PeerId, SnapshotError, SnapshotId, Wishes};
use crate::counters::{Counters, Reason};
use crate::meters::{Meter, Meters};

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
    /// Players here that have left their source and are not with the next one yet,
    /// with that one and its worker.
    moving: HashMap<PeerId, (PeerId, WorkerId)>,
    /// Workers with players of our publishers.
    subscribers: Subscribers,
    /// What has come of each source since the last flush, for its players here.
    pending: Vec<(PeerId, Vec<Arc<MediaPacket>>)>,
    /// How many players have yet to get the last of it; `None`: all of them.
    left: Option<usize>,
    pub(super) outbox: Outbox,
    events: Vec<PeerEvent>,
}

impl Shard {
    pub(super) fn new(
        id: WorkerId,
        settings: Arc<Settings>,
        candidates: Vec<SocketAddr>,
        (counters, meters): (Arc<Counters>, Arc<Meters>),
    ) -> Self {
        let mut outbox = Outbox::default();
        outbox.sends.meters = meters;
        Self {
            id,
            settings,
            candidates,
            counters,
            peers: HashMap::new(),
            demux: Demux::default(),
            timers: Timers::default(),
            audiences: Audiences::default(),
            moving: HashMap::new(),
            subscribers: Subscribers::default(),
            pending: Vec::new(),
            left: None,
            outbox,
            events: Vec::new(),
        }
    }

    /// How many publishers and viewers there are.
    pub(super) fn peer_count(&self) -> usize {
        self.peers.len()
    }

    fn meters(&self) -> &Meters {
        &self.outbox.sends.meters
    }

    /// No later than the next [`Shard::handle_timeout`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.poll_timeout()
    }

    /// Does what has become due; [`Shard::flush`] must follow.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while let Some(peer) = self.timers.pop_due(now) {
            self.drain(peer, now);
        }
    }

    /// Gives players what has come for them: once a batch of datagrams, so that a
    /// frame goes out to each of them in one piece. True if there is more once what
    /// is in the outbox has been sent.
    #[must_use]
    pub(super) fn flush(&mut self, now: Instant) -> bool {
        self.hand_out(now, |sends| sends.is_full())
    }

    /// Gives players what has come for them, one player after the other, until there
    /// is enough; true if there is more. Something that ends a player on the way ends
    /// this one, so those that are left stay where they are.
    fn hand_out(&mut self, now: Instant, enough: impl Fn(&Sends) -> bool) -> bool {
        while let Some((source, packets)) = self.pending.pop() {
            let all = self.audiences.players(source).len();
            let mut left = self.left.take().unwrap_or(all);
            while left > 0 {
                if enough(&self.outbox.sends) {
                    self.left = Some(left);
                    self.pending.push((source, packets));
                    return true;
                }
                left -= 1;
                if let Some(id) = self.audiences.players(source).get(left) {
                    self.give(*id, source, &packets, now);
                }
            }
        }
        false
    }

    fn give(&mut self, id: PeerId, source: PeerId, packets: &[Arc<MediaPacket>], now: Instant) {
        let layers = self.audiences.layers(source);
        if let (Some(Peer::Player(player)), Some(layers)) = (self.peers.get_mut(&id), layers) {
            let passed = std::mem::take(&mut player.passed);
            for packet in packets.iter().skip(passed) {
                player.handle_media(packet, layers, now);
            }
            if player.dirty {
                self.drain(id, now);
            }
        }
    }

    /// What came before a player is connected is not for it: it only takes note of
    /// that, so that the others need not be given theirs for it.
    fn pass_over(&mut self, id: PeerId, now: Instant) {
        let Some(Peer::Player(player)) = self.peers.get_mut(&id) else {
            return;
        };
        let mut pending = self.pending.iter();
        if !player.link.is_secured()
            && let Some((_, packets)) = pending.find(|(source, _)| *source == player.source)
            && let Some(layers) = self.audiences.layers(player.source)
        {
            for packet in packets.iter().skip(player.passed) {
                player.handle_media(packet, layers, now);
            }
            player.passed = packets.len();
        }
    }

    /// Players have yet to get what has come for them.
    pub(super) fn is_behind(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Gives players all that has come for them, before something else happens to
    /// them or to their sources.
    fn catch_up(&mut self, now: Instant) {
        self.hand_out(now, |_| false);
    }

    /// Takes a datagram, or a packet that a TCP connection had a frame for.
    pub(super) fn handle_datagram(&mut self, path: Path, datagram: &[u8], now: Instant) {
        self.meters().add(Meter::PacketsIn, 1);
        self.meters().add(Meter::BytesIn, datagram.len() as u64);
        let Some(id) = self.demux.route(path, datagram) else {
            if self.counters.count(Reason::StrayDatagram) {
                let source = path.remote;
                debug!(%source, length = datagram.len(), "a datagram is for no peer");
            }
            return;
        };
        self.pass_over(id, now);
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        match peer.handle_datagram(path, datagram, now) {
            Ok(()) => self.drain(id, now),
            Err(reason) => self.refused(id, reason),
        }
    }

    /// A TCP connection is over, whoever ended it.
    pub(super) fn handle_closed(&mut self, path: Path, now: Instant) {
        let Some(id) = self.demux.forget(path) else {
            return;
        };
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.handle_closed(path, now);
            self.drain(id, now);
        }
    }

    /// Takes a message; see [`Message`]. [`Shard::flush`] must follow.
    pub(super) fn handle_message(&mut self, message: Message, now: Instant) {
        if message.waits_for_media() {
            self.catch_up(now);
        }
        self.obey(message, now);
    }

    fn obey(&mut self, message: Message, now: Instant) {
        match message {
            Message::OpenPublisher {
                peer,
                offer,
                wishes,
            } => self.open_publisher(peer, &offer, wishes, now),
            Message::OpenPlayer {
                peer,
                source,
                home,
                offer,
                wishes,
            } => self.open_player((peer, home), source, offer, wishes, now),
            Message::AdmitPlayer(mut admission) => {
                if let Err(reason) = self.admit_player(&mut admission, now) {
                    self.leave(admission.source, admission.source_worker, now);
                    self.ended(admission.peer, reason);
                }
            }
            Message::Restart { peer, fragment } => self.restart(peer, &fragment, now),
            Message::ClosePublisher { peer } | Message::DismissPlayer { peer } => {
                self.close(peer, now);
            }
            Message::ClosePlayer { peer, home } => {
                self.send(home, Message::DismissPlayer { peer }, now);
            }
            Message::SplicePlayer {
                peer,
                home,
                source,
                source_worker,
            } => {
                let message = Message::MovePlayer {
                    peer,
                    source,
                    source_worker,
                };
                self.send(home, message, now);
            }
            Message::MovePlayer {
                peer,
                source,
                source_worker,
            } => self.move_player(peer, (source, source_worker), now),
            Message::PlayerMoved { peer, source, home } => {
                self.take_player((peer, home), source, now);
            }
            Message::FeedPlayer(feed) => self.feed_player(*feed, now),
            Message::PlayerLeft { source, home } => self.subscribers.remove(source, home),
            Message::Snapshot { request, source } => self.take_picture(request, source, now),
            Message::KeyframeWanted { source, layer } => self.want_keyframe(source, layer, now),
            Message::Media { source, packet } => self.play(source, packet, now),
            Message::WorkerGone { worker } => self.forget_worker(worker, now),
            Message::Stop => self.close_all(now),
        }
    }

    fn open_publisher(&mut self, peer: PeerId, offer: &str, wishes: Wishes, now: Instant) {
        if let Err(reason) = self.admit_publisher(peer, offer, wishes, now) {
            self.ended(peer, reason);
        }
    }

    fn admit_publisher(
        &mut self,
        id: PeerId,
        sdp: &str,
        wishes: Wishes,
        now: Instant,
    ) -> Result<(), EndReason> {
        let offer = self.read_offer(id, sdp)?;
        let taken = sdp::select_for_publisher(&offer).ok_or(EndReason::NoCommonCodecs)?;
        let (link, answer) = self.answer(id, &offer, &taken, wishes, now)?;
        let publisher = Publisher::new(link, &taken, &self.settings.config, now);
        self.admit(
            id,
            Peer::Publisher(Box::new(publisher)),
            answer,
            &taken,
            now,
        );
        Ok(())
    }

    /// Passes a player on to its worker with what it may be sent.
    fn open_player(
        &mut self,
        (peer, home): (PeerId, WorkerId),
        source: PeerId,
        offer: String,
        wishes: Wishes,
        now: Instant,
    ) {
        let Some(Peer::Publisher(publisher)) = self.peers.get(&source) else {
            return self.ended(peer, EndReason::SourceGone);
        };
        let codecs = publisher.source_codecs();
        let head_start = publisher.head_start().clone();
        let (is_layered, layers) = (publisher.is_layered(), publisher.layers.clone());
        self.subscribers.add(source, home);
        let admission = Admission {
            peer,
            source,
            source_worker: self.id,
            codecs,
            head_start,
            is_layered,
            layers,
            offer,
            wishes,
        };
        self.send(home, Message::AdmitPlayer(Box::new(admission)), now);
    }

    fn admit_player(&mut self, admission: &mut Admission, now: Instant) -> Result<(), EndReason> {
        let (id, source, wishes) = (admission.peer, admission.source, admission.wishes);
        let codecs = &admission.codecs;
        let offer = self.read_offer(id, &admission.offer)?;
        if sdp::needs_transcoding(&offer, codecs) {
            return Err(EndReason::TranscodingNeeded);
        }
        let mut taken = sdp::select_for_player(&offer, codecs).ok_or(EndReason::NoCommonCodecs)?;
        if self.settings.config.answer_all_codecs {
            taken = taken.with_all_codecs(&offer);
        }
        // It costs as much as everything else that is done for a packet. A viewer of
        // one stream that is spliced to one with layers later gets them by loss and
        // by its own estimate.
        if admission.is_layered {
            taken = taken.with_transport_feedback(&offer);
        }
        let (link, answer) = self.answer(id, &offer, &taken, wishes, now)?;
        let (answered, delay) = ((&offer, &taken), wishes.playout_delay);
        let mut player = Player::new(link, source, answered, delay, &self.settings, now);
        player.choose(&admission.layers, now);
        let head_start = std::mem::take(&mut admission.head_start);
        let layers = std::mem::take(&mut admission.layers);
        let worker = admission.source_worker;
        self.audiences.add(source, worker, id, head_start, layers);
        self.admit(id, Peer::Player(Box::new(player)), answer, &taken, now);
        Ok(())
    }

    fn read_offer(&self, id: PeerId, sdp: &str) -> Result<Offer, EndReason> {
        let most = self.settings.config.peers_per_worker;
        if self.peers.len() >= most {
            if self.counters.count(Reason::TooManyPeers) {
                warn!(
                    "media worker {} refuses what comes beyond its {most} publishers and \
                     viewers: give --max-peers or --workers a higher number",
                    self.id.0
                );
            }
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
        wishes: Wishes,
        now: Instant,
    ) -> Result<(Link, String), EndReason> {
        debug!(peer = id.0, ?wishes, "opens");
        let stream = format!("stream-{}", id.0);
        let transports = self.settings.config.transports.for_wish(wishes.transport);
        let candidates = transport::local_candidates(&self.candidates, transports).collect();
        let (link, answer) = Link::answer(offer, taken, &stream, candidates, &self.settings, now)
            .map_err(|error| {
            debug!(peer = id.0, %error, "the offer cannot be answered");
            EndReason::BadOffer
        })?;
        if self.demux.add(id, link.fragment()) {
            Ok((link, answer))
        } else {
            Err(EndReason::Internal)
        }
    }

    /// Begins ICE anew; what cannot be done changes nothing.
    fn restart(&mut self, id: PeerId, fragment: &str, now: Instant) {
        let Some(link) = self.peers.get_mut(&id).map(Peer::link) else {
            return;
        };
        match link.restart(fragment, now) {
            Ok(fragment) => {
                self.demux.rename(id, link.fragments());
                let event = Event::Restarted { peer: id, fragment };
                self.outbox.events.push(event);
                self.drain(id, now);
            }
            Err(error) => warn!(peer = id.0, %error, "ICE cannot be restarted"),
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
        peer.drain(now, self.outbox.ways_out(), &mut events);
        self.timers.set(id, peer.deadline(now));
        let mut last = None;
        for transmit in &self.outbox.transmits[first..] {
            let path = Path::of(transmit);
            if last.replace(path) != Some(path) {
                self.demux.learn(id, path);
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
            PeerEvent::Resized(size) => {
                self.outbox.events.push(Event::Resized { peer: id, size });
            }
            PeerEvent::Keyframe(request, keyframe) => {
                self.outbox.keyframes.push((request, keyframe));
            }
            PeerEvent::NoKeyframe(request) => {
                self.no_picture(request, SnapshotError::NoKeyframe);
            }
            PeerEvent::KeyframeWanted(layer) => self.ask_source(id, layer, now),
            PeerEvent::NotEnoughBandwidth {
                needed_bps,
                available_bps,
            } => self.outbox.events.push(Event::NotEnoughBandwidth {
                peer: id,
                needed_bps,
                available_bps,
            }),
            PeerEvent::Rate(rate) => self.outbox.events.push(Event::Rate { peer: id, rate }),
            PeerEvent::Counted(meter, more) => self.meters().add(meter, more),
            PeerEvent::Took(time, took) => self.meters().took(time, took),
            PeerEvent::Refused(reason) => self.refused(id, reason),
            PeerEvent::Ended(reason) => {
                self.remove(id, now);
                self.ended(id, reason);
            }
        }
    }

    /// Passes a publisher's packet to every worker with players of it.
    fn forward(&mut self, source: PeerId, packet: Arc<MediaPacket>, now: Instant) {
        tally::received(&packet, self.meters());
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
            self.play(source, packet, now);
        }
    }

    /// Gives a player that has just connected what it starts with.
    fn start_player(&mut self, id: PeerId, now: Instant) {
        if let Some(Peer::Player(player)) = self.peers.get_mut(&id) {
            let head_start = self.audiences.head_start(player.source);
            let kept = head_start.and_then(|head| head.best(|layer| player.liking(layer)));
            player.start(kept, now);
            self.timers.set(id, now);
        }
    }

    /// Keeps a packet for the players here.
    fn play(&mut self, source: PeerId, packet: Arc<MediaPacket>, now: Instant) {
        if self.audiences.source_worker(source).is_none() {
            return;
        }
        self.audiences.keep(source, &packet, now);
        let mut pending = self.pending.iter_mut();
        match pending.find(|(of, _)| *of == source) {
            Some((_, packets)) => packets.push(packet),
            None => self.pending.push((source, vec![packet])),
        }
    }

    /// Passes a player's wish for a keyframe on to its source's worker. A source
    /// wants one of itself for all of its players, if it has any.
    fn ask_source(&mut self, peer: PeerId, layer: u8, now: Instant) {
        let source = match self.peers.get(&peer) {
            Some(Peer::Player(player)) => player.source,
            Some(Peer::Publisher(_)) if self.subscribers.workers(peer).next().is_some() => {
                return self.want_keyframe(peer, layer, now);
            }
            Some(Peer::Publisher(_)) | None => return,
        };
        if let Some(worker) = self.audiences.source_worker(source) {
            self.send(worker, Message::KeyframeWanted { source, layer }, now);
        }
    }

    fn want_keyframe(&mut self, source: PeerId, layer: u8, now: Instant) {
        if let Some(Peer::Publisher(publisher)) = self.peers.get_mut(&source) {
            publisher.want_keyframe(layer);
            self.timers.set(source, publisher.deadline(now));
        }
    }

    fn take_picture(&mut self, request: SnapshotId, source: PeerId, now: Instant) {
        let taken = match self.peers.get_mut(&source) {
            Some(Peer::Publisher(publisher)) => publisher.take_picture(request, now),
            Some(Peer::Player(_)) | None => Err(SnapshotError::SourceGone),
        };
        match taken {
            Ok(()) => self.drain(source, now),
            Err(error) => self.no_picture(request, error),
        }
    }

    fn no_picture(&mut self, request: SnapshotId, error: SnapshotError) {
        let picture = Err(error);
        self.outbox
            .events
            .push(Event::Snapshot { request, picture });
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
        let mut players = self.audiences.fed_by(worker);
        let moving = self.moving.iter();
        players.extend(moving.filter(|(_, to)| to.1 == worker).map(|(id, _)| *id));
        for player in players {
            self.close(player, now);
            // Most are known to have ended, but not one whose splice is under way.
            self.ended(player, EndReason::Internal);
        }
    }

    fn remove(&mut self, id: PeerId, now: Instant) {
        self.demux.remove(id);
        self.timers.remove(id);
        let is_moving = self.moving.remove(&id).is_some();
        match self.peers.remove(&id) {
            Some(Peer::Player(player)) if !is_moving => {
                self.leave_audience(id, player.source, now);
            }
            Some(Peer::Publisher(mut publisher)) => {
                for request in publisher.take_snapshot_requests() {
                    self.no_picture(request, SnapshotError::SourceGone);
                }
            }
            Some(Peer::Player(_)) | None => {}
        }
    }

    /// The player of `source` gets nothing of it any more.
    fn leave_audience(&mut self, id: PeerId, source: PeerId, now: Instant) {
        if let Some(worker) = self.audiences.source_worker(source) {
            self.audiences.remove(source, id);
            self.leave(source, worker, now);
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
            self.obey(message, now);
        } else {
            self.outbox.messages.push((worker, message));
        }
    }
}

mod splice;

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
