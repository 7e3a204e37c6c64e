//! A peer that sends its media to us.

use std::sync::Arc;
use std::time::Instant;

use str0m::media::{KeyframeRequestKind, Mid};
use str0m::net::Transmit;
use str0m::rtp::{RtpPacket, Ssrc};

use super::clock::{PublisherClock, Report};
use super::codec::{Codec, Kind, Profile, starts_keyframe};
use super::keyframe::KeyframeRequests;
use super::link::{Link, LinkEvent};
use super::packet::{MediaPacket, forwarded};
use super::peer::PeerEvent;
use super::rewrite::Position;
use super::sdp::{Selection, SourceCodec};
use crate::core::backend::EndReason;

pub(super) struct Publisher {
    pub(super) link: Link,
    tracks: Vec<Track>,
    clock: PublisherClock,
    keyframes: KeyframeRequests,
    rtp_timeout: std::time::Duration,
    /// When silence ends it; `None` until the link is up.
    silent_until: Option<Instant>,
    flowing: bool,
    ended: bool,
    events: Vec<LinkEvent>,
}

/// An m-line of the publisher.
struct Track {
    kind: Kind,
    mid: Mid,
    codecs: Vec<TrackCodec>,
    /// The payload type that came last, which is what the track really is.
    current: Option<u8>,
    ssrc: Option<Ssrc>,
    epoch: u32,
    report: Option<Report>,
}

#[derive(Debug, Clone, Copy)]
struct TrackCodec {
    pt: u8,
    codec: Codec,
    profile: Profile,
    /// Lost packets can be asked for, though there is no RTX.
    plain_nack: bool,
}

impl Publisher {
    pub(super) fn new(
        link: Link,
        taken: &Selection,
        rtp_timeout: std::time::Duration,
        now: Instant,
    ) -> Self {
        let tracks = taken.tracks().map(|(kind, mid, codecs)| Track {
            kind,
            mid: Mid::from(mid),
            codecs: codecs
                .iter()
                .map(|c| TrackCodec {
                    pt: c.pt,
                    codec: c.codec,
                    profile: c.profile,
                    plain_nack: c.rtx.is_none() && c.has_feedback("nack"),
                })
                .collect(),
            current: None,
            ssrc: None,
            epoch: 0,
            report: None,
        });
        Self {
            link,
            tracks: tracks.collect(),
            clock: PublisherClock::new(now),
            keyframes: KeyframeRequests::default(),
            rtp_timeout,
            silent_until: None,
            flowing: false,
            ended: false,
            events: Vec::new(),
        }
    }

    /// What players may be sent: of a track that flows what it is, of one that
    /// does not yet all it may become.
    pub(super) fn source_codecs(&self) -> Vec<SourceCodec> {
        let usable = |track: &Track, pt: u8| track.current.is_none_or(|current| current == pt);
        self.tracks
            .iter()
            .flat_map(|track| track.codecs.iter().filter(|c| usable(track, c.pt)))
            .map(|codec| SourceCodec {
                pt: codec.pt,
                profile: codec.profile,
            })
            .collect()
    }

    /// A viewer needs a keyframe.
    pub(super) fn want_keyframe(&mut self) {
        if self.tracks.iter().any(|track| track.kind == Kind::Video) {
            self.keyframes.want();
        }
    }

    pub(super) fn deadline(&self, now: Instant) -> Instant {
        [self.silent_until, self.keyframes.poll_timeout(now)]
            .into_iter()
            .flatten()
            .fold(self.link.deadline(), Instant::min)
    }

    /// Does what is due at `now`.
    pub(super) fn drain(
        &mut self,
        now: Instant,
        transmits: &mut Vec<Transmit>,
        events: &mut Vec<PeerEvent>,
    ) {
        self.request_keyframe(now);
        let mut link_events = std::mem::take(&mut self.events);
        self.link.drain(now, transmits, &mut link_events);
        for event in link_events.drain(..) {
            self.handle(event, now, events);
        }
        self.events = link_events;
        if self.silent_until.is_some_and(|until| until <= now) {
            self.end(EndReason::RtpInactive, events);
        }
    }

    fn request_keyframe(&mut self, now: Instant) {
        let video = self.tracks.iter().find(|track| track.kind == Kind::Video);
        let Some(ssrc) = video.and_then(|track| track.ssrc) else {
            // Nothing has come yet; what comes first is a keyframe.
            self.keyframes.seen();
            return;
        };
        if self.keyframes.take_due(now)
            && let Some(stream) = self.link.rtc.direct_api().stream_rx(&ssrc)
        {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    fn handle(&mut self, event: LinkEvent, now: Instant, events: &mut Vec<PeerEvent>) {
        match event {
            LinkEvent::Up => self.silent_until = Some(now + self.rtp_timeout),
            LinkEvent::Rtp(packet) => {
                let Some(packet) = self.handle_rtp(*packet) else {
                    return;
                };
                self.silent_until = Some(now + self.rtp_timeout);
                if !self.flowing {
                    self.flowing = true;
                    events.push(PeerEvent::Flowing);
                }
                events.push(PeerEvent::Media(packet));
            }
            // A publisher is sent nothing that it could want a keyframe of.
            LinkEvent::KeyframeRequest => {}
            LinkEvent::Ended(reason) => self.end(reason, events),
        }
    }

    fn end(&mut self, reason: EndReason, events: &mut Vec<PeerEvent>) {
        if !self.ended {
            self.ended = true;
            events.push(PeerEvent::Ended(reason));
        }
    }

    fn handle_rtp(&mut self, packet: RtpPacket) -> Option<Arc<MediaPacket>> {
        let pt = *packet.header.payload_type;
        let mut tracks = self.tracks.iter_mut();
        let (track, codec) = tracks.find_map(|track| {
            let codec = *track.codecs.iter().find(|c| c.pt == pt)?;
            Some((track, codec))
        })?;
        if track.ssrc != Some(packet.header.ssrc) {
            track.change_ssrc(packet.header.ssrc);
            if codec.plain_nack
                && let Some(stream) = self.link.rtc.direct_api().stream_rx(&packet.header.ssrc)
            {
                stream.suppress_nack(false);
            }
        }
        track.current = Some(pt);
        if let Some(info) = packet.last_sender_info {
            track.report = Report::new(info.ntp_time, info.rtp_time.numer() as u32);
        }
        let captured = self.clock.captured(
            track.report,
            packet.header.timestamp,
            codec.codec.clock_rate(),
            packet.timestamp,
        );
        let starts_keyframe = starts_keyframe(codec.codec, &packet.payload);
        if starts_keyframe {
            self.keyframes.seen();
        }
        Some(Arc::new(MediaPacket {
            kind: track.kind,
            codec: codec.codec,
            pt,
            position: Position {
                epoch: track.epoch,
                sequence: *packet.seq_no,
                timestamp: packet.header.timestamp,
                captured,
            },
            marker: packet.header.marker,
            starts_keyframe,
            extensions: forwarded(&packet.header.ext_vals),
            payload: packet.payload,
        }))
    }
}

impl Track {
    /// A new SSRC is a new RTP stream: its numbers have nothing to do with
    /// those before (RFC 3550 section 8).
    fn change_ssrc(&mut self, ssrc: Ssrc) {
        if self.ssrc.is_some() {
            self.epoch += 1;
            tracing::debug!(mid = %self.mid, epoch = self.epoch, "the publisher changed its SSRC");
        }
        self.ssrc = Some(ssrc);
        self.report = None;
    }
}
