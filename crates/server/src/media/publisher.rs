//! A peer that sends its media to us.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::media::{KeyframeRequestKind, Mid, SenderFeedback};
use str0m::net::Transmit;
use str0m::rtp::{RtpPacket, Ssrc};
use str0m::stats::MediaIngressStats;
use tracing::debug;

use super::clock::{Continuity, PublisherClock, Report};
use super::codec::{Codec, Kind, Profile, starts_keyframe};
use super::config::Config;
use super::gaps::{self, Gaps};
use super::keyframe::KeyframeRequests;
use super::leap::Newest;
use super::link::{Link, LinkEvent};
use super::packet::{MediaPacket, forwarded};
use super::peer::PeerEvent;
use super::rate::RateMeter;
use super::rewrite::Position;
use super::sdp::{Selection, SourceCodec};
use crate::core::backend::{EndReason, VideoRate};

pub(super) struct Publisher {
    pub(super) link: Link,
    tracks: Vec<Track>,
    clock: PublisherClock,
    keyframes: KeyframeRequests,
    rtp_timeout: Duration,
    /// `None` if rates are not to be told.
    rate: Option<RateMeter>,
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
    /// `None` until something comes.
    current: Option<Current>,
    /// The SSRC before, and until when what comes from it is late.
    former: Option<(Ssrc, Instant)>,
    epoch: u32,
    /// Packets that never came of what the track carried before.
    lost_before: u64,
    /// What lost packets can be asked for, of video.
    gaps: Gaps,
    /// The latest sender report and the SSRC it is about, which may be one that
    /// nothing has come of yet.
    report: Option<(Ssrc, Report)>,
}

/// What a track carries now.
#[derive(Debug, Clone, Copy)]
struct Current {
    ssrc: Ssrc,
    pt: u8,
    /// The first sequence number.
    first: u64,
    newest: Newest,
    received: u64,
}

/// How long packets of an SSRC that was left may be on their way. Later than
/// this the publisher has gone back to it.
const STRAGGLERS: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy)]
struct TrackCodec {
    pt: u8,
    codec: Codec,
    profile: Profile,
    /// Lost packets can be asked for.
    nack: bool,
    /// They can, though there is no RTX.
    plain_nack: bool,
}

impl Publisher {
    pub(super) fn new(link: Link, taken: &Selection, config: &Config, now: Instant) -> Self {
        let tracks = taken.tracks().map(|(kind, mid, codecs)| Track {
            kind,
            mid: Mid::from(mid),
            codecs: codecs
                .iter()
                .map(|c| TrackCodec {
                    pt: c.pt,
                    codec: c.codec,
                    profile: c.profile,
                    nack: c.rtx.is_some() || c.has_feedback("nack"),
                    plain_nack: c.rtx.is_none() && c.has_feedback("nack"),
                })
                .collect(),
            current: None,
            former: None,
            epoch: 0,
            lost_before: 0,
            gaps: Gaps::default(),
            report: None,
        });
        Self {
            link,
            tracks: tracks.collect(),
            clock: PublisherClock::new(now),
            keyframes: KeyframeRequests::default(),
            rtp_timeout: config.rtp_timeout,
            rate: config.tells_rates().then(RateMeter::default),
            silent_until: None,
            flowing: false,
            ended: false,
            events: Vec::new(),
        }
    }

    /// What players may be sent: everything negotiated, and of a track that
    /// flows what it is now first.
    pub(super) fn source_codecs(&self) -> Vec<SourceCodec> {
        self.tracks.iter().flat_map(Track::source_codecs).collect()
    }

    /// A viewer needs a keyframe.
    pub(super) fn want_keyframe(&mut self) {
        if self.tracks.iter().any(|track| track.kind == Kind::Video) {
            self.keyframes.want();
        }
    }

    pub(super) fn deadline(&self, now: Instant) -> Instant {
        let patience = gaps::patience(self.link.round_trip());
        let tracks = self.tracks.iter();
        let given_up = tracks.map(|track| track.gaps.poll_timeout(patience));
        given_up
            .chain([self.silent_until, self.keyframes.poll_timeout(now)])
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
        let patience = gaps::patience(self.link.round_trip());
        for track in &mut self.tracks {
            if track.gaps.give_up(now, patience) {
                events.push(PeerEvent::KeyframeWanted);
            }
        }
        if self.silent_until.is_some_and(|until| until <= now) {
            self.end(EndReason::RtpInactive, events);
        }
    }

    fn request_keyframe(&mut self, now: Instant) {
        let video = self.tracks.iter().find(|track| track.kind == Kind::Video);
        let Some(Current { ssrc, .. }) = video.and_then(|track| track.current) else {
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
            LinkEvent::SenderReport(report) => self.handle_report(&report),
            LinkEvent::Received(stats) => self.handle_stats(&stats, events),
            // A publisher is sent nothing that it could want a keyframe of.
            LinkEvent::KeyframeRequest | LinkEvent::Sent(_) => {}
            LinkEvent::Refused(reason) => events.push(PeerEvent::Refused(reason)),
            LinkEvent::Ended(reason) => self.end(reason, events),
        }
    }

    fn end(&mut self, reason: EndReason, events: &mut Vec<PeerEvent>) {
        if !self.ended {
            self.ended = true;
            events.push(PeerEvent::Ended(reason));
        }
    }

    fn handle_report(&mut self, feedback: &SenderFeedback) {
        let info = &feedback.sender_info;
        let Some(report) = Report::new(info.ntp_time, info.rtp_time.numer() as u32) else {
            return;
        };
        if self.clock.handle_report(report, feedback.received_at) == Continuity::Broken {
            debug!("the publisher's clock was set");
            for track in &mut self.tracks {
                track.report = None;
            }
        }
        let mut tracks = self.tracks.iter_mut();
        if let Some(track) = tracks.find(|track| track.mid == feedback.mid) {
            track.report = Some((info.ssrc, report));
        }
    }

    fn handle_stats(&mut self, stats: &MediaIngressStats, events: &mut Vec<PeerEvent>) {
        if let Some(round_trip) = stats.rtt {
            self.clock.handle_round_trip(round_trip, stats.timestamp);
        }
        let mut tracks = self.tracks.iter();
        let video = tracks.find(|track| track.kind == Kind::Video);
        let (Some(track), Some(rate)) = (video, &mut self.rate) else {
            return;
        };
        if track.mid != stats.mid {
            return;
        }
        let rate = rate.measure(stats.bytes, stats.timestamp);
        events.extend(rate.map(|rate| {
            PeerEvent::Rate(VideoRate {
                nacks: stats.nacks,
                plis: stats.plis,
                lost_packets: track.lost(),
                ..rate
            })
        }));
    }

    fn handle_rtp(&mut self, packet: RtpPacket) -> Option<Arc<MediaPacket>> {
        let pt = *packet.header.payload_type;
        let mut tracks = self.tracks.iter_mut();
        let (track, codec) = tracks.find_map(|track| {
            let codec = *track.codecs.iter().find(|c| c.pt == pt)?;
            Some((track, codec))
        })?;
        let this = Newest {
            sequence: *packet.seq_no,
            timestamp: packet.header.timestamp,
            arrival: packet.timestamp,
        };
        match track.follow(packet.header.ssrc, pt, this, codec.codec.clock_rate()) {
            Step::Straggler => return None,
            Step::Start if codec.plain_nack => {
                if let Some(stream) = self.link.rtc.direct_api().stream_rx(&packet.header.ssrc) {
                    stream.suppress_nack(false);
                }
            }
            Step::Start | Step::On => {}
        }
        if track.kind == Kind::Video && codec.nack {
            track.gaps.arrived(*packet.seq_no, packet.timestamp);
        }
        let captured = self.clock.captured(
            track.report_of(packet.header.ssrc),
            packet.header.timestamp,
            codec.codec.clock_rate(),
            packet.timestamp,
        );
        if let Some(rate) = self.rate.as_mut().filter(|_| track.kind == Kind::Video) {
            rate.count(packet.header.marker, packet.timestamp);
        }
        let starts_keyframe = starts_keyframe(codec.codec, &packet.payload);
        if starts_keyframe {
            self.keyframes.seen();
        }
        Some(Arc::new(MediaPacket {
            kind: track.kind,
            codec: codec.codec,
            layer: 0,
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

/// What a packet is to its track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// One more of the same.
    On,
    /// The first of a new RTP stream or codec.
    Start,
    /// A late one of what the track carried before.
    Straggler,
}

impl Track {
    fn source_codecs(&self) -> Vec<SourceCodec> {
        let current = self.current.map(|current| current.pt);
        let mut codecs: Vec<_> = self
            .codecs
            .iter()
            .map(|codec| SourceCodec {
                pt: codec.pt,
                profile: codec.profile,
                current: Some(codec.pt) == current,
            })
            .collect();
        codecs.sort_by_key(|codec| !codec.current);
        codecs
    }

    /// Takes note of a packet. A new SSRC is a new RTP stream, whose numbers
    /// have nothing to do with those before (RFC 3550 section 8), and so has one
    /// whose numbers leap. A new payload type is a new codec, which a viewer's
    /// decoder has to start afresh.
    fn follow(&mut self, ssrc: Ssrc, pt: u8, this: Newest, clock_rate: u32) -> Step {
        if let Some(current) = &mut self.current {
            let same_stream = current.ssrc == ssrc;
            let newer = this.sequence > current.newest.sequence;
            let leaps = newer && current.newest.leaps_to(this, clock_rate);
            if same_stream && current.pt == pt && !leaps {
                if this.sequence < current.first {
                    return Step::Straggler;
                }
                if newer {
                    current.newest = this;
                }
                current.received += 1;
                return Step::On;
            }
            let late = match self.former {
                _ if same_stream => !newer,
                Some((former, until)) => former == ssrc && this.arrival < until,
                None => false,
            };
            if late {
                return Step::Straggler;
            }
            if !same_stream {
                self.former = Some((current.ssrc, this.arrival + STRAGGLERS));
            }
            self.epoch += 1;
            debug!(mid = %self.mid, %ssrc, pt, epoch = self.epoch, "the publisher starts anew");
        }
        self.lost_before = self.lost();
        self.gaps = Gaps::default();
        self.current = Some(Current {
            ssrc,
            pt,
            first: this.sequence,
            newest: this,
            received: 1,
        });
        Step::Start
    }

    /// Packets that never came, so far.
    fn lost(&self) -> u64 {
        let now = self.current.map_or(0, |current| {
            let expected = current.newest.sequence - current.first + 1;
            expected.saturating_sub(current.received)
        });
        self.lost_before + now
    }

    fn report_of(&self, ssrc: Ssrc) -> Option<Report> {
        let (of, report) = self.report?;
        (of == ssrc).then_some(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stragglers_do_not_turn_a_track_back() {
        let start = Instant::now();
        let mut track = Track {
            kind: Kind::Video,
            mid: Mid::from("0"),
            codecs: Vec::new(),
            current: None,
            former: None,
            epoch: 0,
            lost_before: 0,
            gaps: Gaps::default(),
            report: None,
        };
        // SSRC, payload type, sequence number, arrival in ms; step and epoch.
        let table = [
            ((1, 96, 100, 0), (Step::Start, 0)),
            ((1, 96, 102, 10), (Step::On, 0)),
            ((1, 96, 101, 20), (Step::On, 0)),
            // Another codec, and one of the old overtaken by it.
            ((1, 98, 104, 30), (Step::Start, 1)),
            ((1, 96, 103, 40), (Step::Straggler, 1)),
            ((1, 98, 105, 50), (Step::On, 1)),
            // Another SSRC, and one of the old overtaken by it.
            ((2, 98, 5, 60), (Step::Start, 2)),
            ((1, 98, 106, 70), (Step::Straggler, 2)),
            ((2, 98, 6, 80), (Step::On, 2)),
            // Back to the first, for good.
            ((1, 98, 107, 5_000), (Step::Start, 3)),
            ((2, 98, 7, 5_010), (Step::Straggler, 3)),
            // Two are lost, and one of them comes late.
            ((1, 98, 110, 5_020), (Step::On, 3)),
            ((1, 98, 108, 5_030), (Step::On, 3)),
            // Numbers that leap, and one from before.
            ((1, 98, 30_000, 5_040), (Step::Start, 4)),
            ((1, 98, 111, 5_050), (Step::Straggler, 4)),
            ((1, 98, 30_001, 5_060), (Step::On, 4)),
        ];
        for ((ssrc, pt, sequence, ms), expected) in table {
            let arrival = start + Duration::from_millis(ms);
            let this = Newest {
                sequence,
                timestamp: 90 * ms as u32,
                arrival,
            };
            let step = track.follow(Ssrc::from(ssrc), pt, this, 90_000);
            let at = (ssrc, pt, sequence);
            assert_eq!((step, track.epoch), expected, "{at:?}");
        }
        assert_eq!(track.lost(), 1);
    }
}
