//! A peer that receives a publisher's media.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::media::Mid;
use str0m::net::Transmit;
use str0m::rtp::RawPacket;
use str0m::stats::MediaEgressStats;

use super::bandwidth::{Bandwidth, Network, Probing, Shortage};
use super::choice::{Choice, START_BPS};
use super::codec::{Kind, Profile};
use super::egress::{Outgoing, VideoCounts};
use super::head_start::Group;
use super::layers::Layers;
use super::link::{Link, LinkEvent, Settings};
use super::packet::MediaPacket;
use super::peer::PeerEvent;
use super::playout;
use super::rate::RateMeter;
use super::replay::Replay;
use super::rewrite::{Position, Rewriter};
use super::sdp::{self, Offer, Selection, SourceCodec};
use super::sends::Sends;
use super::tally::Forwarded;
use super::way::{Line, Way};
use crate::core::backend::{EndReason, PeerId, PlayoutDelay, VideoRate};
use crate::meters::{Meter, Time};

/// How often a player that waits for a keyframe says so again, in case one was
/// lost between the workers.
const KEYFRAME_PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Player {
    pub(super) link: Link,
    pub(super) source: PeerId,
    tracks: Vec<Track>,
    way: Way,
    /// When to ask for a keyframe, the first time or again; `None` while none is waited for.
    ask_again: Option<Instant>,
    /// Which of the source's layers it gets.
    choice: Choice,
    bandwidth: Bandwidth,
    shortage: Shortage,
    /// `None` if its client does not say what comes of probes.
    probing: Option<Probing>,
    /// While it starts: what it is yet to get before what is live.
    replay: Option<Replay>,
    /// How many of the packets that its worker has pending came before it was
    /// connected: they are not for it.
    pub(super) passed: usize,
    /// [`Player::drain`] has something to do.
    pub(super) dirty: bool,
    /// `None` if rates are not to be told.
    rate: Option<RateMeter>,
    /// How often, and when next, if it is not str0m that measures.
    measure_every: Duration,
    measure_at: Option<Instant>,
    /// To be told with the next [`Player::drain`].
    told: Option<PeerEvent>,
    forwarded: Forwarded,
    /// Its client has been sent what it starts with; how long after the link was
    /// up is yet to be told.
    started: bool,
    start_took: Option<Duration>,
    /// What it says it has lost, where str0m sends.
    lost_packets: u64,
    events: Vec<LinkEvent>,
}

/// An m-line of the player.
struct Track {
    kind: Kind,
    mid: Mid,
    /// What the answer took: payload types and what they carry.
    taken: Vec<(u8, Profile)>,
    /// The publisher's payload types and the player's.
    payload_types: Vec<(u8, u8)>,
    rewriter: Rewriter,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// It is passed on.
    Up,
    /// With it the viewer goes over to a smaller layer.
    Down,
    Not,
}

impl Player {
    /// A player of `source` that its client's `offer` is answered for.
    pub(super) fn new(
        mut link: Link,
        source: PeerId,
        (offer, taken): (&Offer, &Selection),
        playout_delay: Option<PlayoutDelay>,
        settings: &Settings,
        now: Instant,
    ) -> Self {
        let config = &settings.config;
        let lines = Line::all(&mut link, offer, taken);
        let playout_delay = playout_delay.map(playout::to_rtp);
        let way = Way::new(&link, &lines, playout_delay, settings);
        let tracks = lines.iter().map(|line| {
            let payload_types = taken.payload_types(line.kind).to_vec();
            Track::new(line, payload_types)
        });
        let tracks: Vec<_> = tracks.collect();
        Self {
            link,
            source,
            ask_again: tracks.iter().any(Track::is_video).then_some(now),
            tracks,
            way,
            choice: Choice::new(now),
            bandwidth: Bandwidth::default(),
            shortage: Shortage::default(),
            probing: taken.has_transport_feedback().then(Probing::default),
            replay: None,
            passed: 0,
            dirty: false,
            rate: config.tells_rates().then(RateMeter::default),
            measure_every: config.rate_interval,
            measure_at: None,
            told: None,
            forwarded: Forwarded::default(),
            started: false,
            start_took: None,
            lost_packets: 0,
            events: Vec::new(),
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        let replay = self.replay.as_ref().and_then(Replay::poll_timeout);
        let reports = match &self.way {
            Way::Own(egress) => egress.deadline(),
            Way::Str0m(_) => None,
        };
        [self.ask_again, replay, reports, self.measure_at]
            .into_iter()
            .flatten()
            .fold(self.link.deadline(), Instant::min)
    }

    /// Does what is due at `now`, and sends what was written.
    pub(super) fn drain(
        &mut self,
        now: Instant,
        (transmits, sends): (&mut Vec<Transmit>, &mut Sends),
        events: &mut Vec<PeerEvent>,
    ) {
        self.catch_up(now);
        self.dirty = false;
        if self.ask_again.is_some_and(|at| at <= now) {
            self.ask_for_keyframe(now, events);
        }
        // str0m has nothing to do with what is written but where it sends it.
        if matches!(self.way, Way::Str0m(_)) || self.link.is_due(now) {
            let mut link_events = std::mem::take(&mut self.events);
            self.link.drain(now, transmits, &mut link_events);
            for event in link_events.drain(..) {
                self.handle(event, now, events);
            }
            self.events = link_events;
        }
        let refused = self.way.flush(&self.link, now, sends);
        events.extend(refused.map(PeerEvent::Refused));
        self.forwarded.settle(&sends.meters);
        let start_took = self.start_took.take();
        events.extend(start_took.map(|took| PeerEvent::Took(Time::ViewerMedia, took)));
        self.measure_own(now, events);
        events.extend(self.told.take());
    }

    /// Says goodbye to its client.
    pub(super) fn close(&mut self, now: Instant, transmits: &mut Vec<Transmit>) {
        transmits.extend(self.way.close(&self.link));
        self.link.close(now, transmits);
    }

    fn handle(&mut self, event: LinkEvent, now: Instant, events: &mut Vec<PeerEvent>) {
        match event {
            LinkEvent::Up => self.handle_up(now, events),
            LinkEvent::KeyframeRequest => {
                events.push(PeerEvent::Counted(Meter::KeyframesWanted, 1));
                events.push(PeerEvent::KeyframeWanted(self.choice.shown()));
            }
            LinkEvent::Rtcp(packet) => self.handle_rtcp(&packet, now, events),
            LinkEvent::Refused(reason) => events.push(PeerEvent::Refused(reason)),
            LinkEvent::Ended(reason) => events.push(PeerEvent::Ended(reason)),
            // What it starts from, and has not measured.
            LinkEvent::Estimate(START_BPS) => {}
            LinkEvent::Estimate(bps) => self.bandwidth.handle_estimate(bps),
            LinkEvent::Remb(bps) => self.bandwidth.handle_remb(bps, now),
            // Players are negotiated not to send.
            LinkEvent::Rtp(_) | LinkEvent::SenderReport(_) | LinkEvent::Received(_) => {}
            LinkEvent::Sent(stats) => self.handle_stats(&stats, events),
        }
    }

    fn handle_up(&mut self, now: Instant, events: &mut Vec<PeerEvent>) {
        let steps = self.link.steps([Time::ViewerIce, Time::ViewerDtls]);
        events.extend(steps.map(|(time, took)| PeerEvent::Took(time, took)));
        let up = match &mut self.way {
            Way::Own(egress) => {
                self.measure_at = self.rate.as_ref().map(|_| now + self.measure_every);
                egress.start(self.link.round_trip())
            }
            Way::Str0m(_) => true,
        };
        events.push(if up {
            PeerEvent::Flowing
        } else {
            PeerEvent::Ended(EndReason::Dtls)
        });
    }

    fn handle_rtcp(&mut self, packet: &RawPacket, now: Instant, events: &mut Vec<PeerEvent>) {
        let (RawPacket::RtcpRx(rtcp), Way::Own(egress)) = (packet, &mut self.way) else {
            return;
        };
        let feedback = egress.handle_rtcp(rtcp, now);
        if feedback.wants_keyframe {
            events.push(PeerEvent::Counted(Meter::KeyframesWanted, 1));
            events.push(PeerEvent::KeyframeWanted(self.choice.shown()));
        }
        if let Some(loss) = feedback.loss {
            self.bandwidth.handle_loss(loss);
        }
        if let Some(bps) = feedback.remb_bps {
            self.bandwidth.handle_remb(bps, now);
        }
    }

    fn handle_stats(&mut self, stats: &MediaEgressStats, events: &mut Vec<PeerEvent>) {
        let round_trip = |took| PeerEvent::Took(Time::ViewerRoundTrip, took);
        events.extend(stats.rtt.map(round_trip));
        let mut tracks = self.tracks.iter();
        let video = tracks.find(|track| track.is_video());
        if video.is_none_or(|video| video.mid != stats.mid) {
            return;
        }
        if let Some(loss) = stats.loss {
            self.bandwidth.handle_loss(loss);
        }
        let remote = stats.remote.as_ref();
        if let Some(remote) = remote {
            let more = remote.packets_lost.saturating_sub(self.lost_packets);
            self.lost_packets = remote.packets_lost;
            events.push(PeerEvent::Counted(Meter::ViewerLost, more));
        }
        let counts = VideoCounts {
            bytes: stats.bytes,
            nacks: stats.nacks,
            plis: stats.plis,
            lost_packets: remote.map_or(0, |remote| remote.packets_lost),
        };
        events.extend(self.measure(counts, stats.timestamp).map(PeerEvent::Rate));
    }

    /// What str0m measures where it sends.
    fn measure_own(&mut self, now: Instant, events: &mut Vec<PeerEvent>) {
        let Way::Own(egress) = &self.way else {
            return;
        };
        if self.measure_at.is_some_and(|at| at <= now) {
            self.measure_at = Some(now + self.measure_every);
            if let Some(counts) = egress.video().filter(|counts| counts.bytes > 0) {
                events.extend(self.measure(counts, now).map(PeerEvent::Rate));
            }
        }
    }

    /// Decides which of the source's layers to get, and whether to say that the
    /// network does not carry the least of them.
    pub(super) fn choose(&mut self, layers: &Layers, now: Instant) {
        let (flowing, audio_bps) = (layers.flowing(now), layers.audio_bps(now));
        let sent_bps = self.choice.sent_bps(&flowing) + audio_bps;
        let network = self.bandwidth.network(sent_bps, now);
        let video = network.without(audio_bps);
        if self.choice.decide(&flowing, video, now) && !self.choice.is_settled() {
            if self.choice.is_leaving() {
                self.way.forget(&mut self.link);
            }
            self.ask_again = Some(now);
            self.dirty = true;
        }
        let Some(least) = flowing.first() else {
            return;
        };
        let needed_bps = least.bps + audio_bps;
        if self.shortage.check(needed_bps, network, now)
            && let Network::Limit(available_bps) = network
        {
            self.told = Some(PeerEvent::NotEnoughBandwidth {
                needed_bps,
                available_bps,
            });
            self.dirty = true;
        }
        let wish_bps = self.choice.wish_bps(&flowing);
        let probing = self.probing.as_mut();
        if let Some(bps) = probing.and_then(|probing| probing.wish(wish_bps, video, now)) {
            self.link.probe_for(bps);
            self.dirty = true;
        }
    }

    /// How much it would like to start with a layer; `None`: not at all.
    pub(super) fn liking(&self, layer: u8) -> Option<u8> {
        self.choice.liking(layer)
    }

    /// The link is up: what was kept of the source comes first, from a keyframe
    /// on. If that is nothing, and none is under way, a keyframe is asked for.
    /// [`Player::drain`] must follow.
    pub(super) fn start(&mut self, kept: Option<&Group>, now: Instant) {
        self.replay = kept.and_then(|group| Replay::new(group, now));
        if self.replay.is_none()
            && self.ask_again.is_none()
            && self.tracks.iter().any(Track::is_video)
        {
            self.ask_again = Some(now);
        }
    }

    /// Writes what it is time for of what it starts with.
    fn catch_up(&mut self, now: Instant) {
        while let Some(packet) = self.replay.as_mut().and_then(|replay| replay.take_due(now)) {
            self.write(&packet, now);
        }
        self.replay.take_if(|replay| replay.is_over(now));
    }

    /// Starts with a keyframe that has just come, instead of what is left of the
    /// one before.
    fn skip_to(&mut self, keyframe: &Arc<MediaPacket>, now: Instant) {
        let left = self.replay.take().map(|replay| replay.skip_to(keyframe));
        if let Some(video) = self.tracks.iter_mut().find(|track| track.is_video()) {
            let clock_rate = keyframe.codec.clock_rate();
            video.rewriter.splice(keyframe.position, clock_rate);
        }
        self.write(keyframe, now);
        for packet in left.into_iter().flatten() {
            self.write(&packet, now);
        }
    }

    /// Goes on with what another source sends; its client sees one stream that had
    /// a pause. If the link is up [`Player::start`] must follow, else
    /// [`Player::drain`].
    ///
    /// # Errors
    /// Its client cannot take it; nothing has changed.
    pub(super) fn splice(
        &mut self,
        source: PeerId,
        codecs: &[SourceCodec],
        layers: &Layers,
        now: Instant,
    ) -> Result<(), EndReason> {
        let tracks = self.tracks.iter();
        let payload_types = tracks
            .map(|track| sdp::payload_types(track.kind, &track.taken, codecs))
            .collect::<Option<Vec<_>>>()
            .ok_or(EndReason::TranscodingNeeded)?;
        for (track, payload_types) in self.tracks.iter_mut().zip(payload_types) {
            track.payload_types = payload_types;
            track.rewriter.leave_source();
        }
        self.source = source;
        self.ask_again = self.tracks.iter().any(Track::is_video).then_some(now);
        self.choice = Choice::new(now);
        self.choose(layers, now);
        Ok(())
    }

    /// The video rate of an interval, if it is to be told.
    fn measure(&mut self, counts: VideoCounts, at: Instant) -> Option<VideoRate> {
        Some(VideoRate {
            nacks: counts.nacks,
            plis: counts.plis,
            lost_packets: counts.lost_packets,
            ..self.rate.as_mut()?.measure(counts.bytes, at)?
        })
    }

    fn ask_for_keyframe(&mut self, now: Instant, events: &mut Vec<PeerEvent>) {
        self.ask_again = Some(now + KEYFRAME_PATIENCE);
        let layer = self.choice.target().unwrap_or_default();
        events.push(PeerEvent::KeyframeWanted(layer));
    }

    /// Writes a packet of the source's; [`Player::drain`] sends it. Video waits
    /// for a keyframe to start with.
    pub(super) fn handle_media(
        &mut self,
        packet: &Arc<MediaPacket>,
        layers: &Layers,
        now: Instant,
    ) {
        if self.choice.is_due(now) {
            self.choose(layers, now);
        }
        let behind = |replay: &&mut Replay| replay.is_behind() && replay.is_of(packet);
        if let Some(replay) = self.replay.as_mut().filter(behind) {
            self.dirty = true;
            if packet.starts_keyframe {
                self.skip_to(packet, now);
            } else {
                replay.push(packet.clone());
            }
        } else if self.link.is_secured() {
            self.write(packet, now);
        } else if packet.starts_keyframe && self.choice.takes(packet.layer) {
            // It is kept for [`Player::start`].
            self.ask_again = None;
        }
    }

    /// A picture starts with a keyframe; sound counts if there is nothing else.
    fn note_start(&mut self, kind: Kind, now: Instant) {
        if kind == Kind::Video || !self.tracks.iter().any(Track::is_video) {
            self.started = true;
            self.start_took = self.link.up_for(now);
        }
    }

    fn write(&mut self, packet: &Arc<MediaPacket>, now: Instant) {
        let mut tracks = self.tracks.iter_mut().enumerate();
        let Some((place, track)) = tracks.find(|(_, track)| track.kind == packet.kind) else {
            return;
        };
        let Some(pt) = track.payload_type(packet.pt) else {
            return;
        };
        let replay = self.replay.as_ref().filter(|replay| replay.is_of(packet));
        let position = replay.map_or(packet.position, |r| r.place(packet.position, now));
        let taken = track.takes_up(packet, position, &mut self.choice);
        if taken == Taken::Not {
            // A keyframe of another layer would not help.
            if self.ask_again.is_none() && self.choice.wants(packet.layer) {
                self.ask_again = Some(now);
                self.dirty = true;
            }
            return;
        }
        if track.kind == Kind::Video {
            if self.choice.is_settled() {
                self.ask_again = None;
            }
            // Gone over to another layer, there is nothing left to catch up with.
            self.replay.take_if(|replay| !replay.is_of(packet));
        }
        let Some(rewritten) = track.rewriter.rewrite(position) else {
            return;
        };
        let out = Outgoing {
            packet: packet.clone(),
            pt,
            sequence: rewritten.sequence,
            timestamp: rewritten.timestamp,
            pictures: rewritten.pictures,
            captured: position.captured,
        };
        self.forwarded.note(packet);
        if !self.started {
            self.note_start(packet.kind, now);
        }
        let anew = taken == Taken::Down;
        self.way.write(&mut self.link, place, out, anew);
        self.dirty = true;
        if let Some(rate) = self.rate.as_mut().filter(|_| packet.kind == Kind::Video) {
            rate.count(packet.marker, now);
        }
    }
}

impl Track {
    fn new(line: &Line<'_>, payload_types: Vec<(u8, u8)>) -> Self {
        let codecs = line.codecs.iter();
        Self {
            kind: line.kind,
            mid: line.mid,
            taken: codecs.map(|codec| (codec.pt, codec.profile)).collect(),
            payload_types,
            rewriter: Rewriter::new(*line.ssrc),
        }
    }

    fn is_video(&self) -> bool {
        self.kind == Kind::Video
    }

    /// Whether the packet can be passed on: it belongs to what the viewer is
    /// getting, or that can start anew with it. Video starts with a keyframe.
    fn takes_up(&mut self, packet: &MediaPacket, position: Position, choice: &mut Choice) -> Taken {
        let goes_on =
            self.rewriter.follows(position.epoch) || self.rewriter.has_place_for(position);
        if goes_on && (self.kind == Kind::Audio || !choice.is_leaving()) {
            return Taken::Up;
        }
        let taken = match self.kind {
            Kind::Audio => Taken::Up,
            Kind::Video if !packet.starts_keyframe || !choice.takes(packet.layer) => Taken::Not,
            Kind::Video if choice.took(packet.layer) => Taken::Down,
            Kind::Video => Taken::Up,
        };
        if taken != Taken::Not {
            let clock_rate = packet.codec.clock_rate();
            self.rewriter.splice(position, clock_rate);
        }
        taken
    }

    fn payload_type(&self, of_source: u8) -> Option<u8> {
        let mut map = self.payload_types.iter();
        let (_, pt) = map.find(|(source, _)| *source == of_source)?;
        Some(*pt)
    }
}
