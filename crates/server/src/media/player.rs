//! A peer that receives a publisher's media.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::media::{MediaTime, Mid, Pt};
use str0m::net::Transmit;
use str0m::rtp::{RtpWrite, Ssrc};
use str0m::stats::MediaEgressStats;

use super::bandwidth::{Bandwidth, Network, Probing, Shortage};
use super::choice::{Choice, START_BPS};
use super::codec::{Kind, Profile};
use super::config::Config;
use super::head_start::Group;
use super::layers::Layers;
use super::link::{Link, LinkEvent};
use super::packet::MediaPacket;
use super::peer::PeerEvent;
use super::playout;
use super::rate::RateMeter;
use super::replay::Replay;
use super::rewrite::{Position, Rewriter};
use super::sdp::{self, Selection, SourceCodec};
use crate::core::backend::{EndReason, PeerId, PlayoutDelay, VideoRate};

/// How often a player that waits for a keyframe says so again, in case one was
/// lost between the workers.
const KEYFRAME_PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Player {
    pub(super) link: Link,
    pub(super) source: PeerId,
    tracks: Vec<Track>,
    /// When to ask for a keyframe, the first time or again; `None` while none is waited for.
    ask_again: Option<Instant>,
    /// Which of the source's layers it gets.
    choice: Choice,
    bandwidth: Bandwidth,
    shortage: Shortage,
    /// `None` if its client does not say what comes of probes.
    probing: Option<Probing>,
    /// What its video packets say instead of the publisher's own.
    playout_delay: Option<(MediaTime, MediaTime)>,
    /// While it starts: what it is yet to get before what is live.
    replay: Option<Replay>,
    /// [`Player::drain`] has something to do.
    pub(super) dirty: bool,
    /// `None` if rates are not to be told.
    rate: Option<RateMeter>,
    /// To be told with the next [`Player::drain`].
    told: Option<PeerEvent>,
    events: Vec<LinkEvent>,
}

/// An m-line of the player.
struct Track {
    kind: Kind,
    mid: Mid,
    ssrc: Ssrc,
    repair_ssrc: Option<Ssrc>,
    /// What the answer took: payload types and what they carry.
    taken: Vec<(u8, Profile)>,
    /// The publisher's payload types and the player's.
    payload_types: Vec<(u8, u8)>,
    rewriter: Rewriter,
    declared: bool,
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
    pub(super) fn new(
        mut link: Link,
        source: PeerId,
        taken: &Selection,
        playout_delay: Option<PlayoutDelay>,
        config: &Config,
        now: Instant,
    ) -> Self {
        let tracks: Vec<_> = taken
            .tracks()
            .filter_map(|(kind, mid, codecs)| {
                let codecs = codecs.iter().map(|codec| (codec.pt, codec.profile));
                let payload_types = taken.payload_types(kind).to_vec();
                Track::new(&mut link, (kind, mid), codecs.collect(), payload_types)
            })
            .collect();
        Self {
            link,
            source,
            ask_again: tracks.iter().any(Track::is_video).then_some(now),
            tracks,
            choice: Choice::new(now),
            bandwidth: Bandwidth::default(),
            shortage: Shortage::default(),
            probing: taken.has_transport_feedback().then(Probing::default),
            playout_delay: playout_delay.map(playout::to_rtp),
            replay: None,
            dirty: false,
            rate: config.tells_rates().then(RateMeter::default),
            told: None,
            events: Vec::new(),
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        let replay = self.replay.as_ref().and_then(Replay::poll_timeout);
        [self.ask_again, replay]
            .into_iter()
            .flatten()
            .fold(self.link.deadline(), Instant::min)
    }

    /// Does what is due at `now`, and sends what was written.
    pub(super) fn drain(
        &mut self,
        now: Instant,
        transmits: &mut Vec<Transmit>,
        events: &mut Vec<PeerEvent>,
    ) {
        self.catch_up(now);
        self.dirty = false;
        if self.ask_again.is_some_and(|at| at <= now) {
            self.ask_for_keyframe(now, events);
        }
        let mut link_events = std::mem::take(&mut self.events);
        self.link.drain(now, transmits, &mut link_events);
        for event in link_events.drain(..) {
            self.handle(event, now, events);
        }
        self.events = link_events;
        events.extend(self.told.take());
    }

    fn handle(&mut self, event: LinkEvent, now: Instant, events: &mut Vec<PeerEvent>) {
        match event {
            LinkEvent::Up => events.push(PeerEvent::Flowing),
            LinkEvent::KeyframeRequest => {
                events.push(PeerEvent::KeyframeWanted(self.choice.shown()));
            }
            LinkEvent::Refused(reason) => events.push(PeerEvent::Refused(reason)),
            LinkEvent::Ended(reason) => events.push(PeerEvent::Ended(reason)),
            // What it starts from, and has not measured.
            LinkEvent::Estimate(START_BPS) => {}
            LinkEvent::Estimate(bps) => self.bandwidth.handle_estimate(bps),
            LinkEvent::Remb(bps) => self.bandwidth.handle_remb(bps, now),
            // Players are negotiated not to send.
            LinkEvent::Rtp(_) | LinkEvent::SenderReport(_) | LinkEvent::Received(_) => {}
            LinkEvent::Sent(stats) => {
                let mut video = self.tracks.iter().filter(|track| track.is_video());
                if let Some(loss) = stats.loss.filter(|_| video.any(|v| v.mid == stats.mid)) {
                    self.bandwidth.handle_loss(loss);
                }
                events.extend(self.measure(&stats).map(PeerEvent::Rate));
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
                self.link.forget_sent();
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
    fn skip_to(&mut self, keyframe: &MediaPacket, now: Instant) {
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
    fn measure(&mut self, stats: &MediaEgressStats) -> Option<VideoRate> {
        let mut tracks = self.tracks.iter();
        let video = tracks.find(|track| track.kind == Kind::Video)?;
        if video.mid != stats.mid {
            return None;
        }
        let rate = self.rate.as_mut()?;
        let remote = stats.remote.as_ref();
        Some(VideoRate {
            nacks: stats.nacks,
            plis: stats.plis,
            lost_packets: remote.map_or(0, |remote| remote.packets_lost),
            ..rate.measure(stats.bytes, stats.timestamp)?
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

    fn write(&mut self, packet: &MediaPacket, now: Instant) {
        let Some(track) = self.tracks.iter_mut().find(|t| t.kind == packet.kind) else {
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
        let mut extensions = packet.extensions.clone();
        if let Some((min, max)) = self.playout_delay.filter(|_| track.kind == Kind::Video) {
            (extensions.play_delay_min, extensions.play_delay_max) = (Some(min), Some(max));
        }
        let mut write = RtpWrite::new(
            pt,
            rewritten.sequence.into(),
            rewritten.timestamp,
            position.captured,
            packet.payload.clone(),
        )
        .marker(packet.marker)
        .ext_vals(extensions)
        .nackable(track.kind == Kind::Video);
        if let Some(patch) = rewritten.pictures.patch(&packet.payload) {
            write = write.vp8_patch(patch);
        }
        let (rtx_packets, rtx_age) = self.link.rtx_cache();
        let mut api = self.link.rtc.direct_api();
        if !track.declared {
            track.declared = true;
            let stream = api.declare_stream_tx(track.ssrc, track.repair_ssrc, track.mid, None);
            stream.set_rtx_cache(rtx_packets, rtx_age, None);
            // It comes paced by its publisher; pacing it again would only delay it.
            stream.set_unpaced(true);
        }
        if let Some(stream) = api.stream_tx(&track.ssrc) {
            if taken == Taken::Down {
                // What was lost of the larger layer would only be in the way.
                stream.set_rtx_cache(rtx_packets, rtx_age, None);
            }
            stream.write_rtp(write);
            self.dirty = true;
            if let Some(rate) = self.rate.as_mut().filter(|_| track.kind == Kind::Video) {
                rate.count(packet.marker, now);
            }
        }
    }
}

impl Track {
    fn new(
        link: &mut Link,
        (kind, mid): (Kind, &str),
        taken: Vec<(u8, Profile)>,
        payload_types: Vec<(u8, u8)>,
    ) -> Option<Self> {
        let mid = Mid::from(mid);
        let mut api = link.rtc.direct_api();
        let stream = api.stream_tx_by_mid(mid, None)?;
        let (ssrc, repair_ssrc) = (stream.ssrc(), stream.rtx());
        // str0m reports on a stream as soon as it exists, with RTP time zero
        // while nothing was sent, which would throw off the viewer's sync. So
        // it exists only from the first packet on.
        api.remove_stream_tx(ssrc);
        Some(Self {
            kind,
            mid,
            ssrc,
            repair_ssrc,
            taken,
            payload_types,
            rewriter: Rewriter::new(*ssrc),
            declared: false,
        })
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

    fn payload_type(&self, of_source: u8) -> Option<Pt> {
        let mut map = self.payload_types.iter();
        let (_, pt) = map.find(|(source, _)| *source == of_source)?;
        Some((*pt).into())
    }
}
