//! A peer that receives a publisher's media.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::media::{Mid, Pt};
use str0m::net::Transmit;
use str0m::rtp::{RtpWrite, Ssrc};
use str0m::stats::MediaEgressStats;

use super::codec::Kind;
use super::config::Config;
use super::link::{Link, LinkEvent};
use super::packet::MediaPacket;
use super::peer::PeerEvent;
use super::rate::RateMeter;
use super::rewrite::Rewriter;
use super::sdp::Selection;
use crate::core::backend::{PeerId, VideoRate};

/// How often a player that waits for a keyframe says so again, in case one was
/// lost between the workers.
const KEYFRAME_PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Player {
    pub(super) link: Link,
    pub(super) source: PeerId,
    tracks: Vec<Track>,
    /// When to ask for a keyframe, the first time or again; `None` while none is waited for.
    ask_again: Option<Instant>,
    /// [`Player::drain`] has something to do.
    pub(super) dirty: bool,
    /// `None` if rates are not to be told.
    rate: Option<RateMeter>,
    events: Vec<LinkEvent>,
}

/// An m-line of the player.
struct Track {
    kind: Kind,
    mid: Mid,
    ssrc: Ssrc,
    repair_ssrc: Option<Ssrc>,
    /// The publisher's payload types and the player's.
    payload_types: Vec<(u8, u8)>,
    rewriter: Rewriter,
    declared: bool,
}

impl Player {
    pub(super) fn new(
        mut link: Link,
        source: PeerId,
        taken: &Selection,
        config: &Config,
        now: Instant,
    ) -> Self {
        let tracks: Vec<_> = taken
            .tracks()
            .filter_map(|(kind, mid, _)| {
                Track::new(&mut link, kind, mid, taken.payload_types(kind))
            })
            .collect();
        Self {
            link,
            source,
            ask_again: tracks.iter().any(Track::is_video).then_some(now),
            tracks,
            dirty: false,
            rate: config.tells_rates().then(RateMeter::default),
            events: Vec::new(),
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.ask_again
            .map_or(self.link.deadline(), |at| at.min(self.link.deadline()))
    }

    /// Does what is due at `now`, and sends what was written.
    pub(super) fn drain(
        &mut self,
        now: Instant,
        transmits: &mut Vec<Transmit>,
        events: &mut Vec<PeerEvent>,
    ) {
        self.dirty = false;
        if self.ask_again.is_some_and(|at| at <= now) {
            self.ask_for_keyframe(now, events);
        }
        let mut link_events = std::mem::take(&mut self.events);
        self.link.drain(now, transmits, &mut link_events);
        for event in link_events.drain(..) {
            match event {
                LinkEvent::Up => events.push(PeerEvent::Flowing),
                LinkEvent::KeyframeRequest => events.push(PeerEvent::KeyframeWanted),
                LinkEvent::Refused(reason) => events.push(PeerEvent::Refused(reason)),
                LinkEvent::Ended(reason) => events.push(PeerEvent::Ended(reason)),
                // Players are negotiated not to send.
                LinkEvent::Rtp(_) | LinkEvent::SenderReport(_) | LinkEvent::Received(_) => {}
                LinkEvent::Sent(stats) => {
                    events.extend(self.measure(&stats).map(PeerEvent::Rate));
                }
            }
        }
        self.events = link_events;
    }

    /// The link is up: writes what was kept of the source, from a keyframe on.
    /// If that is nothing, and none is under way, a keyframe is asked for.
    /// [`Player::drain`] must follow.
    pub(super) fn start(&mut self, kept: &[Arc<MediaPacket>], now: Instant) {
        if kept.is_empty() && self.ask_again.is_none() && self.tracks.iter().any(Track::is_video) {
            self.ask_again = Some(now);
        }
        for packet in kept {
            self.write(packet, now);
        }
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
        events.push(PeerEvent::KeyframeWanted);
    }

    /// Writes a packet of the source's; [`Player::drain`] sends it. Video waits
    /// for a keyframe to start with.
    pub(super) fn handle_media(&mut self, packet: &MediaPacket, now: Instant) {
        if self.link.is_secured() {
            self.write(packet, now);
        } else if packet.starts_keyframe {
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
        if !track.takes_up(packet) {
            if self.ask_again.is_none() {
                self.ask_again = Some(now);
                self.dirty = true;
            }
            return;
        }
        if track.kind == Kind::Video {
            self.ask_again = None;
        }
        let Some(rewritten) = track.rewriter.rewrite(packet.position) else {
            return;
        };
        let write = RtpWrite::new(
            pt,
            rewritten.sequence.into(),
            rewritten.timestamp,
            packet.position.captured,
            packet.payload.clone(),
        )
        .marker(packet.marker)
        .ext_vals(packet.extensions.clone())
        .nackable(track.kind == Kind::Video);
        let (rtx_packets, rtx_age) = self.link.rtx_cache();
        let mut api = self.link.rtc.direct_api();
        if !track.declared {
            track.declared = true;
            api.declare_stream_tx(track.ssrc, track.repair_ssrc, track.mid, None)
                .set_rtx_cache(rtx_packets, rtx_age, None);
        }
        if let Some(stream) = api.stream_tx(&track.ssrc) {
            stream.write_rtp(write);
            self.dirty = true;
            if let Some(rate) = self.rate.as_mut().filter(|_| track.kind == Kind::Video) {
                rate.count(packet.marker, now);
            }
        }
    }
}

impl Track {
    fn new(link: &mut Link, kind: Kind, mid: &str, map: &[(u8, u8)]) -> Option<Self> {
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
            payload_types: map.to_vec(),
            rewriter: Rewriter::new(*ssrc),
            declared: false,
        })
    }

    fn is_video(&self) -> bool {
        self.kind == Kind::Video
    }

    /// Whether the packet can be passed on: it belongs to what the viewer is
    /// getting, or that can start anew with it. Video starts with a keyframe.
    fn takes_up(&mut self, packet: &MediaPacket) -> bool {
        if self.rewriter.follows(packet.position.epoch) {
            return true;
        }
        let starts = self.kind == Kind::Audio || packet.starts_keyframe;
        if starts {
            let clock_rate = packet.codec.clock_rate();
            self.rewriter.splice(packet.position, clock_rate);
        }
        starts
    }

    fn payload_type(&self, of_source: u8) -> Option<Pt> {
        let mut map = self.payload_types.iter();
        let (_, pt) = map.find(|(source, _)| *source == of_source)?;
        Some((*pt).into())
    }
}
