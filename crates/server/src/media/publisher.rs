//! A peer that sends its media to us.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::media::{KeyframeRequestKind, Mid, Rid, SenderFeedback};
use str0m::net::Transmit;
use str0m::rtp::{RtpPacket, Ssrc};
use str0m::stats::MediaIngressStats;
use tracing::debug;

use super::clock::{Continuity, PublisherClock, Report};
use super::codec::{Codec, Kind, Profile};
use super::config::Config;
use super::gaps::{self, Gaps};
use super::head_start::HeadStart;
use super::keyframe::KeyframeRequests;
use super::layers::Layers;
use super::leap::Newest;
use super::link::{Link, LinkEvent};
use super::packet::{Extensions, MediaPacket};
use super::peer::PeerEvent;
use super::picture::{PictureNumbers, Pictures, starts_keyframe};
use super::rate::RateMeter;
use super::rewrite::Position;
use super::sdp::{OfferedLayer, Selection, SourceCodec};
use super::snapshot::{self, Keyframe};
use super::sources::STRAGGLERS;
use crate::core::backend::{EndReason, SnapshotError, SnapshotId, VideoRate};
use crate::meters::{Meter, Time};

pub(super) struct Publisher {
    pub(super) link: Link,
    tracks: Vec<Track>,
    clock: PublisherClock,
    pictures: Pictures,
    /// What its players start with.
    head_start: HeadStart,
    /// For a picture of its next keyframe.
    snapshots: snapshot::Requests,
    /// What its layers carry, for players to start with.
    pub(super) layers: Layers,
    rtp_timeout: Duration,
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
    /// What it sends at once: one, or its simulcast encodings.
    layers: Vec<Layer>,
    /// Counts the RTP streams of all layers, so that no two are the same.
    next_epoch: u32,
}

/// One of the RTP streams of an m-line that show the same.
#[derive(Default)]
struct Layer {
    /// `None` if there is no other one.
    rid: Option<Rid>,
    /// `None` until something comes.
    current: Option<Current>,
    /// The SSRC before, and until when what comes from it is late.
    former: Option<(Ssrc, Instant)>,
    epoch: u32,
    /// Packets that never came of what the layer carried before.
    lost_before: u64,
    /// What lost packets can be asked for, of video.
    gaps: Gaps,
    keyframes: KeyframeRequests,
    /// `None` if rates are not to be told.
    rate: Option<RateMeter>,
    /// The latest sender report and the SSRC it is about, which may be one that
    /// nothing has come of yet.
    report: Option<(Ssrc, Report)>,
}

/// What a layer carries now.
#[derive(Debug, Clone, Copy)]
struct Current {
    ssrc: Ssrc,
    pt: u8,
    /// The first sequence number.
    first: u64,
    newest: Newest,
    received: u64,
}

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
        let tells_rate = |kind| config.tells_rates() && kind == Kind::Video;
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
            layers: layers(taken.layers(kind), tells_rate(kind)),
            next_epoch: 0,
        });
        Self {
            link,
            tracks: tracks.collect(),
            clock: PublisherClock::new(now),
            pictures: Pictures::default(),
            head_start: HeadStart::new(config),
            snapshots: snapshot::Requests::default(),
            layers: Layers::default(),
            rtp_timeout: config.rtp_timeout,
            silent_until: None,
            flowing: false,
            ended: false,
            events: Vec::new(),
        }
    }

    /// What players may be sent: everything negotiated, and of a track that
    /// flows what it is now first.
    pub(super) fn source_codecs(&self) -> Vec<SourceCodec> {
        let tracks = self.tracks.iter();
        tracks
            .flat_map(|track| track.source_codecs(&self.pictures))
            .collect()
    }

    /// What players start with.
    pub(super) fn head_start(&self) -> &HeadStart {
        &self.head_start
    }

    /// Takes a picture of the latest keyframe, or of the next one.
    /// [`Publisher::drain`] must follow.
    ///
    /// # Errors
    /// [`SnapshotError::NoVideo`] and [`SnapshotError::Busy`].
    pub(super) fn take_picture(
        &mut self,
        request: SnapshotId,
        now: Instant,
    ) -> Result<(), SnapshotError> {
        if self.tracks.iter().all(|track| track.kind == Kind::Audio) {
            return Err(SnapshotError::NoVideo);
        }
        self.snapshots.add(request, now)?;
        if self.keyframe(now).is_none() {
            self.want_keyframe(self.largest_layer(now).unwrap_or_default());
        }
        Ok(())
    }

    /// The requests for a picture that are not answered yet.
    pub(super) fn take_snapshot_requests(&mut self) -> Vec<SnapshotId> {
        self.snapshots.take()
    }

    fn answer_snapshots(&mut self, now: Instant, events: &mut Vec<PeerEvent>) {
        if self.snapshots.is_empty() {
            return;
        }
        if let Some(keyframe) = self.keyframe(now) {
            let requests = self.snapshots.take().into_iter();
            events.extend(requests.map(|request| PeerEvent::Keyframe(request, keyframe.clone())));
        }
        let expired = self.snapshots.take_expired(now).into_iter();
        events.extend(expired.map(PeerEvent::NoKeyframe));
    }

    /// The latest of the largest picture, if it came whole.
    fn keyframe(&self, now: Instant) -> Option<Keyframe> {
        let largest = self.largest_layer(now)?;
        let group = self
            .head_start
            .best(|layer| (layer == largest).then_some(0))?;
        let packets = group.keyframe()?.to_vec();
        let codec = packets.first()?.codec;
        Some(Keyframe { codec, packets })
    }

    /// The layer with the largest picture. One that the publisher has stopped
    /// shows what was long ago.
    fn largest_layer(&self, now: Instant) -> Option<u8> {
        let flowing = self.layers.flowing(now);
        let flows = |layer| flowing.iter().any(|flowing| flowing.layer == layer);
        self.pictures.largest_layer(flows)
    }

    /// It sends several encodings of its video at once.
    pub(super) fn is_layered(&self) -> bool {
        self.tracks.iter().any(|track| track.layers.len() > 1)
    }

    /// A viewer needs a keyframe of a layer.
    pub(super) fn want_keyframe(&mut self, layer: u8) {
        let mut tracks = self.tracks.iter_mut();
        let video = tracks.find(|track| track.kind == Kind::Video);
        if let Some(layer) = video.and_then(|v| v.layers.get_mut(usize::from(layer))) {
            layer.keyframes.want();
        }
    }

    pub(super) fn deadline(&self, now: Instant) -> Instant {
        let patience = gaps::patience(self.link.round_trip());
        let layers = self.tracks.iter().flat_map(|track| &track.layers);
        layers
            .flat_map(|layer| {
                let given_up = layer.gaps.poll_timeout(patience);
                [given_up, layer.keyframes.poll_timeout(now)]
            })
            .flatten()
            .chain(self.silent_until)
            .chain(self.snapshots.poll_timeout())
            .chain(self.pictures.poll_timeout())
            .fold(self.link.deadline(), Instant::min)
    }

    /// Does what is due at `now`.
    pub(super) fn drain(
        &mut self,
        now: Instant,
        transmits: &mut Vec<Transmit>,
        events: &mut Vec<PeerEvent>,
    ) {
        self.request_keyframes(now, events);
        let mut link_events = std::mem::take(&mut self.events);
        self.link.drain(now, transmits, &mut link_events);
        for event in link_events.drain(..) {
            self.handle(event, now, events);
        }
        self.events = link_events;
        let size = self.pictures.take_size(now);
        events.extend(size.map(PeerEvent::Resized));
        self.give_up(now, events);
        if self.silent_until.is_some_and(|until| until <= now) {
            self.end(EndReason::RtpInactive, events);
        }
        self.answer_snapshots(now, events);
    }

    fn request_keyframes(&mut self, now: Instant, events: &mut Vec<PeerEvent>) {
        for layer in self.tracks.iter_mut().flat_map(|track| &mut track.layers) {
            let Some(Current { ssrc, .. }) = layer.current else {
                // Nothing has come yet; what comes first is a keyframe.
                layer.keyframes.seen();
                continue;
            };
            if layer.keyframes.take_due(now)
                && let Some(stream) = self.link.rtc.direct_api().stream_rx(&ssrc)
            {
                stream.request_keyframe(KeyframeRequestKind::Pli);
                events.push(PeerEvent::Counted(Meter::KeyframesAsked, 1));
            }
        }
    }

    fn handle(&mut self, event: LinkEvent, now: Instant, events: &mut Vec<PeerEvent>) {
        match event {
            LinkEvent::Up => {
                self.silent_until = Some(now + self.rtp_timeout);
                let steps = self.link.steps([Time::PublisherIce, Time::PublisherDtls]);
                events.extend(steps.map(|(time, took)| PeerEvent::Took(time, took)));
            }
            LinkEvent::Rtp(packet) => {
                let Some(packet) = self.handle_rtp(*packet) else {
                    return;
                };
                self.silent_until = Some(now + self.rtp_timeout);
                if !self.flowing {
                    self.flowing = true;
                    let took = self.link.up_for(now);
                    events.extend(took.map(|took| PeerEvent::Took(Time::PublisherMedia, took)));
                    events.push(PeerEvent::Flowing);
                }
                self.pictures.take_in(&packet);
                self.head_start.keep(&packet, now);
                events.push(PeerEvent::Media(packet));
            }
            LinkEvent::SenderReport(report) => self.handle_report(&report),
            LinkEvent::Received(stats) => self.handle_stats(&stats, events),
            // A publisher is sent nothing that it could want a keyframe of.
            LinkEvent::KeyframeRequest
            | LinkEvent::Rtcp(_)
            | LinkEvent::Sent(_)
            | LinkEvent::Estimate(_)
            | LinkEvent::Remb(_) => {}
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
            for layer in self.tracks.iter_mut().flat_map(|track| &mut track.layers) {
                layer.report = None;
            }
        }
        if let Some(layer) = self.layer(feedback.mid, feedback.rid) {
            layer.report = Some((info.ssrc, report));
        }
    }

    fn handle_stats(&mut self, stats: &MediaIngressStats, events: &mut Vec<PeerEvent>) {
        if let Some(round_trip) = stats.rtt {
            self.clock.handle_round_trip(round_trip, stats.timestamp);
            events.push(PeerEvent::Took(Time::PublisherRoundTrip, round_trip));
        }
        let Some(layer) = self.layer(stats.mid, stats.rid) else {
            return;
        };
        let lost_packets = layer.lost();
        let measured = layer.rate.as_mut();
        let measured = measured.and_then(|rate| rate.measure(stats.bytes, stats.timestamp));
        let Some(rate) = measured.map(|rate| VideoRate {
            nacks: stats.nacks,
            plis: stats.plis,
            lost_packets,
            ..rate
        }) else {
            return;
        };
        // The layers are measured at once, and told as one stream.
        let mut told = events.iter_mut().rev();
        match told.find(|event| matches!(event, PeerEvent::Rate(_))) {
            Some(PeerEvent::Rate(others)) => *others = sum(others, &rate),
            Some(_) | None => events.push(PeerEvent::Rate(rate)),
        }
    }

    /// Asks for a keyframe of each layer that has lost a packet for good.
    fn give_up(&mut self, now: Instant, events: &mut Vec<PeerEvent>) {
        let patience = gaps::patience(self.link.round_trip());
        for track in &mut self.tracks {
            for (number, layer) in (0..).zip(&mut track.layers) {
                if layer.gaps.give_up(now, patience) {
                    events.push(PeerEvent::KeyframeWanted(number));
                }
                let (missing, given_up) = layer.gaps.take_counts();
                if missing > 0 {
                    events.push(PeerEvent::Counted(Meter::Missing, missing));
                }
                if given_up > 0 {
                    events.push(PeerEvent::Counted(Meter::GivenUp, given_up));
                }
            }
        }
    }

    fn layer(&mut self, mid: Mid, rid: Option<Rid>) -> Option<&mut Layer> {
        let track = self.tracks.iter_mut().find(|track| track.mid == mid)?;
        track.layers.iter_mut().find(|layer| layer.rid == rid)
    }

    fn handle_rtp(&mut self, packet: RtpPacket) -> Option<Arc<MediaPacket>> {
        let pt = *packet.header.payload_type;
        let mut tracks = self.tracks.iter_mut();
        let (track, codec) = tracks.find_map(|track| {
            let codec = *track.codecs.iter().find(|c| c.pt == pt)?;
            Some((track, codec))
        })?;
        let ssrc = packet.header.ssrc;
        let index = track.layer_of(ssrc).or_else(|| {
            let stream = self.link.rtc.direct_api().stream_rx(&ssrc)?.rid();
            track.layers.iter().position(|layer| layer.rid == stream)
        })?;
        let layer = &mut track.layers[index];
        let epoch = &mut track.next_epoch;
        let this = Newest {
            sequence: *packet.seq_no,
            timestamp: packet.header.timestamp,
            arrival: packet.timestamp,
        };
        match layer.follow(ssrc, pt, this, codec.codec.clock_rate(), epoch) {
            Step::Straggler => return None,
            Step::Start if codec.plain_nack => {
                if let Some(stream) = self.link.rtc.direct_api().stream_rx(&ssrc) {
                    stream.suppress_nack(false);
                }
            }
            Step::Start | Step::On => {}
        }
        if track.kind == Kind::Video && codec.nack {
            layer.gaps.arrived(*packet.seq_no, packet.timestamp);
        }
        let captured = self.clock.captured(
            layer.report_of(ssrc),
            packet.header.timestamp,
            codec.codec.clock_rate(),
            packet.timestamp,
        );
        if let Some(rate) = &mut layer.rate {
            rate.count(packet.header.marker, packet.timestamp);
        }
        let starts_keyframe = starts_keyframe(codec.codec, &packet.payload);
        if starts_keyframe {
            layer.keyframes.seen();
        }
        let media = MediaPacket {
            kind: track.kind,
            codec: codec.codec,
            layer: index as u8,
            pt,
            position: Position {
                epoch: layer.epoch,
                sequence: *packet.seq_no,
                timestamp: packet.header.timestamp,
                captured,
                picture: PictureNumbers::read(codec.codec, &packet.payload),
            },
            marker: packet.header.marker,
            starts_keyframe,
            extensions: Extensions::read(&packet.header.ext_vals),
            payload: packet.payload,
        };
        self.layers.note(&media, packet.timestamp);
        Some(Arc::new(media))
    }
}

/// A layer for each encoding that was offered, or the only one.
fn layers(offered: &[OfferedLayer], tells_rate: bool) -> Vec<Layer> {
    let layer = |rid| Layer {
        rid,
        rate: tells_rate.then(RateMeter::default),
        ..Layer::default()
    };
    if offered.is_empty() {
        return vec![layer(None)];
    }
    offered
        .iter()
        .map(|offered| layer(Some(offered.rid())))
        .collect()
}

/// What two layers come to. They show the same frames, or one of them fewer.
fn sum(a: &VideoRate, b: &VideoRate) -> VideoRate {
    VideoRate {
        bitrate_bps: a.bitrate_bps + b.bitrate_bps,
        fps: a.fps.max(b.fps),
        nacks: a.nacks + b.nacks,
        plis: a.plis + b.plis,
        lost_packets: a.lost_packets + b.lost_packets,
    }
}

/// What a packet is to its layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// One more of the same.
    On,
    /// The first of a new RTP stream or codec.
    Start,
    /// A late one of what the layer carried before.
    Straggler,
}

impl Track {
    fn source_codecs(&self, pictures: &Pictures) -> Vec<SourceCodec> {
        let currents = self.layers.iter().filter_map(|layer| layer.current);
        let current = currents.map(|current| current.pt).next();
        let mut codecs: Vec<_> = self
            .codecs
            .iter()
            .map(|codec| SourceCodec {
                pt: codec.pt,
                profile: codec.profile,
                profile_level_id: pictures.profile_level_id(codec.pt),
                current: Some(codec.pt) == current,
            })
            .collect();
        codecs.sort_by_key(|codec| !codec.current);
        codecs
    }

    /// The layer that an RTP stream is known to be of.
    fn layer_of(&self, ssrc: Ssrc) -> Option<usize> {
        if self.layers.len() == 1 {
            return Some(0);
        }
        self.layers
            .iter()
            .position(|layer| layer.current.is_some_and(|current| current.ssrc == ssrc))
    }
}

impl Layer {
    /// Takes note of a packet. A new SSRC is a new RTP stream, whose numbers
    /// have nothing to do with those before (RFC 3550 section 8), and so has one
    /// whose numbers leap. A new payload type is a new codec, which a viewer's
    /// decoder has to start afresh.
    fn follow(
        &mut self,
        ssrc: Ssrc,
        pt: u8,
        this: Newest,
        clock_rate: u32,
        next_epoch: &mut u32,
    ) -> Step {
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
            debug!(%ssrc, pt, epoch = *next_epoch, "the publisher starts anew");
        }
        self.epoch = *next_epoch;
        *next_epoch = next_epoch.wrapping_add(1);
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
    fn stragglers_do_not_turn_a_layer_back() {
        let start = Instant::now();
        let (mut layer, mut epoch) = (Layer::default(), 0);
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
            let step = layer.follow(Ssrc::from(ssrc), pt, this, 90_000, &mut epoch);
            let at = (ssrc, pt, sequence);
            assert_eq!((step, layer.epoch), expected, "{at:?}");
        }
        assert_eq!(layer.lost(), 1);
    }
}
