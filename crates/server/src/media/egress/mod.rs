//! The way of a player's media out: from a packet of its source to sealed
//! datagrams, without str0m.
//!
//! str0m does for every packet and every viewer what a forwarder can do once, or
//! need not do at all: it queues, paces, copies and allocates. So where nothing
//! has to be estimated it keeps ICE, DTLS, SDP and what comes in, and what goes
//! out is done here:
//!
//! ```text
//! source's packet -> queue -> header, SRTP -> buffer of the worker -> socket
//!                               |    ^
//!                               v    | NACK
//!                             history
//! ```
//!
//! - `srtp` seals, with keys taken out of the DTLS handshake (crate `srtp_keys`);
//! - `stream`: no number of an SSRC is used twice;
//! - `header`: RTP with the extensions that the viewer knows;
//! - `history`: what may be asked for again, the payloads shared by all viewers;
//! - `report`, `wall`: what viewers are told over RTCP, `feedback` what they tell.
//!
//! **Either str0m sends a peer's SRTP and SRTCP or this does, for all its life**:
//! both count the packets of the same keys. What str0m would send all the same is
//! never sent, and only says where to (`tap`).
//!
//! Not here: transport-wide feedback. What that takes of the sender, str0m does
//! (`super::estimated`).

mod feedback;
mod header;
mod history;
mod report;
mod srtp;
mod stream;
mod tap;
mod track;
mod wall;

use std::time::{Duration, Instant};

use srtp_keys::Secret;
use str0m::net::Transmit;
use str0m::rtp::rtcp::{Nack, ReceiverReport, ReceptionReport, ReportBlock, Rtcp, SenderReport};

pub(super) use feedback::Feedback;
pub(super) use srtp_keys::build;
pub(super) use tap::Tap;
pub(super) use track::{Format, Outgoing, TrackConfig};
pub(super) use wall::WallClock;

use super::codec::Kind;
use super::demux::Path;
use super::repair::{Credit, UNKNOWN_ROUND_TRIP, kept_for};
use super::sends::Sends;
use crate::counters::Reason;
use crate::meters::{Meter, Time};
use report::ReceiverTime;
use srtp::Srtp;
use track::{Context, Track};

/// How often reports go out, of audio as of video: until both have come, a viewer
/// knows neither how to keep them together nor how old they are.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Receivers' times that are told back in a report: one for each of the streams
/// that a client may receive, and a few.
const MOST_TIMES: usize = 8;

/// Packets that a viewer may ask for at once; the next NACK asks for the rest.
const MOST_ASKED: usize = 2_048;

/// Packets that every viewer keeps room for between two flushes: a frame's. What a
/// keyframe takes beyond that is given back with the next report.
const QUEUE_ROOM: usize = 16;

/// What was sent of video, and what the viewer has said of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct VideoCounts {
    /// Of payload, without what was sent again.
    pub(super) bytes: u64,
    pub(super) nacks: u64,
    /// Requests for keyframes.
    pub(super) plis: u64,
    /// Packets that never came.
    pub(super) lost_packets: u64,
}

/// The media of one player on its way out.
pub(super) struct Egress {
    secret: Secret,
    /// `None` until there are keys.
    srtp: Option<Srtp>,
    tracks: Vec<Track>,
    /// What has been written since the last flush, with the track's place.
    queue: Vec<(usize, Outgoing)>,
    /// What the viewer has asked for since: the track's place and numbers.
    asked: Vec<(usize, u16)>,
    clock: WallClock,
    cname: Box<str>,
    /// When reports are due; `None` before there is anything to report.
    report_at: Option<Instant>,
    /// Receivers' times that are to be told back, and when they came.
    times: Vec<(ReceiverTime, Instant)>,
    round_trip: Option<Duration>,
    longest: Duration,
    credit: Credit,
    /// To be counted with the next flush: packets that the viewer has lost, and its
    /// round trip.
    untold: (u64, Option<Duration>),
}

impl Egress {
    /// For a peer whose keys will be in `secret`.
    pub(super) fn new(
        secret: Secret,
        tracks: impl IntoIterator<Item = TrackConfig>,
        cname: &str,
        clock: WallClock,
        (most, longest): (usize, Duration),
    ) -> Self {
        let tracks = tracks.into_iter();
        Self {
            secret,
            srtp: None,
            tracks: tracks
                .map(|config| Track::new(config, most, longest))
                .collect(),
            queue: Vec::new(),
            asked: Vec::new(),
            clock,
            cname: cname.into(),
            report_at: None,
            times: Vec::new(),
            round_trip: None,
            longest,
            credit: Credit::default(),
            untold: (0, None),
        }
    }

    /// The link is up: there are keys, and this round trip was measured. False if
    /// there are no keys after all.
    pub(super) fn start(&mut self, round_trip: Option<Duration>) -> bool {
        self.srtp = self.secret.keying().and_then(Srtp::new);
        self.follow(round_trip);
        self.srtp.is_some()
    }

    fn follow(&mut self, round_trip: Option<Duration>) {
        self.round_trip = round_trip.or(self.round_trip);
        for track in &mut self.tracks {
            track
                .history
                .set_age(kept_for(self.round_trip, self.longest));
        }
    }

    /// When [`Egress::flush`] is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.report_at
    }

    /// Queues a packet of a track for the next flush.
    pub(super) fn write(&mut self, track: usize, packet: Outgoing) {
        self.queue.push((track, packet));
    }

    /// Forgets what could be asked for again.
    pub(super) fn forget(&mut self) {
        for track in &mut self.tracks {
            track.history.clear();
        }
    }

    /// Seals what was written and asked for, and the reports that are due. What
    /// came to nothing.
    pub(super) fn flush(
        &mut self,
        path: Option<Path>,
        now: Instant,
        sends: &mut Sends,
    ) -> Option<Reason> {
        let (Some(srtp), Some(path)) = (&mut self.srtp, path) else {
            self.queue.clear();
            self.asked.clear();
            return None;
        };
        let (lost, round_trip) = std::mem::take(&mut self.untold);
        if lost > 0 {
            sends.meters.add(Meter::ViewerLost, lost);
        }
        if let Some(round_trip) = round_trip {
            sends.meters.took(Time::ViewerRoundTrip, round_trip);
        }
        if !self.asked.is_empty() {
            let asked = self.asked.len() as u64;
            sends.meters.add(Meter::AskedAgain, asked);
        }
        let mut context = Context {
            srtp,
            path,
            send_time: self.clock.send_time(now),
            now,
            credit: &mut self.credit,
        };
        for (track, packet) in self.queue.drain(..) {
            if let Some(track) = self.tracks.get_mut(track)
                && track.send(packet, &mut context, sends)
            {
                // The first of a track is reported at once.
                self.report_at = Some(now);
            }
        }
        let wait = self.round_trip.unwrap_or(UNKNOWN_ROUND_TRIP) / 2;
        let mut refused = None;
        for (track, number) in self.asked.drain(..) {
            if let Some(track) = self.tracks.get_mut(track)
                && !track.send_again(number, wait, &mut context, sends)
            {
                track.history.clear();
                refused = Some(Reason::TooManyRetransmissions);
            }
        }
        if self.report_at.is_some_and(|at| at <= now) {
            self.report_at = Some(now + REPORT_INTERVAL);
            self.give_back(now);
            self.report(path, now, sends);
        }
        refused
    }

    /// Gives back room that was needed once.
    fn give_back(&mut self, now: Instant) {
        self.queue.shrink_to(QUEUE_ROOM);
        for track in &mut self.tracks {
            track.history.give_back(now);
        }
    }

    /// What says that it is over, if anything was sent; nothing is from now on.
    pub(super) fn close(&mut self, path: Path) -> Option<Transmit> {
        let mut srtp = self.srtp.take()?;
        let ssrcs: Vec<_> = self.tracks.iter().flat_map(Track::ssrcs).collect();
        if ssrcs.is_empty() {
            return None;
        }
        let mut packet = Vec::new();
        report::write_goodbye(&ssrcs, &mut packet);
        srtp.seal_rtcp(&mut packet, 0).ok()?;
        Some(Transmit {
            proto: path.protocol,
            source: path.local,
            destination: path.remote,
            contents: packet.into(),
        })
    }

    fn report(&mut self, path: Path, now: Instant, sends: &mut Sends) {
        let Some(srtp) = &mut self.srtp else {
            return;
        };
        let tracks = self.tracks.iter();
        let reports = tracks.filter_map(|track| track.report(&self.clock, now));
        let reports: Vec<_> = reports.collect();
        let Some(first) = reports.first() else {
            return;
        };
        let times = self.times.drain(..).map(|(time, at)| {
            let since = now.saturating_duration_since(at).as_micros();
            let since = ((since << 16) / 1_000_000) as u32;
            ReceiverTime { since, ..time }
        });
        let times: Vec<_> = times.collect();
        let _ = sends.put(path, |out| {
            let start = out.len();
            for report in &reports {
                report.write(&self.cname, out);
            }
            if !times.is_empty() {
                report::write_times(first.ssrc, &times, out);
            }
            srtp.seal_rtcp(out, start)
        });
    }

    /// Takes in an RTCP packet of the viewer's; [`Egress::flush`] must follow.
    pub(super) fn handle_rtcp(&mut self, rtcp: &Rtcp, now: Instant) -> Feedback {
        let mut feedback = Feedback::default();
        match rtcp {
            Rtcp::ReceiverReport(ReceiverReport { reports, .. })
            | Rtcp::SenderReport(SenderReport { reports, .. }) => {
                for report in reports {
                    feedback.loss = self.handle_report(report, now).or(feedback.loss);
                }
            }
            Rtcp::Nack(nack) => self.handle_nack(nack),
            Rtcp::Pli(pli) => feedback.wants_keyframe = self.count_pli(*pli.ssrc),
            Rtcp::Fir(fir) => {
                for entry in &fir.reports {
                    feedback.wants_keyframe |= self.count_pli(*entry.ssrc);
                }
            }
            Rtcp::Remb(remb) => feedback.remb_bps = Some(remb.bitrate as u64),
            Rtcp::ExtendedReport(report) => {
                for block in &report.blocks {
                    if let ReportBlock::Rrtr(reference) = block {
                        self.note_time(*report.ssrc, wall::short_ntp(reference.ntp_time), now);
                    }
                }
            }
            Rtcp::SourceDescription(_)
            | Rtcp::Goodbye(_)
            | Rtcp::Twcc(_)
            | Rtcp::AppSpecificFeedback(_) => {}
        }
        feedback
    }

    /// The part of video that was lost of late, if that is known anew.
    fn handle_report(&mut self, report: &ReceptionReport, now: Instant) -> Option<f32> {
        let mut tracks = self.tracks.iter_mut();
        let track = tracks.find(|track| track.is(*report.ssrc))?;
        let lost = track.lost();
        let loss = track.handle_report(report, now);
        self.untold.0 += u64::from(track.lost().saturating_sub(lost));
        let is_video = track.kind == Kind::Video;
        if let Some(trip) = feedback::round_trip(report, &self.clock, now) {
            self.follow(Some(trip));
            self.untold.1 = Some(trip);
        }
        loss.filter(|_| is_video)
    }

    fn handle_nack(&mut self, nack: &Nack) {
        let mut tracks = self.tracks.iter_mut().enumerate();
        let Some((place, track)) = tracks.find(|(_, track)| track.is(*nack.ssrc)) else {
            return;
        };
        track.nacks += 1;
        for entry in &nack.reports {
            // The number itself, and those of the 16 after it that have a bit set.
            let after = (0..16).filter(|bit| entry.blp & (1 << bit) != 0);
            let lost = after.map(|bit| entry.pid.wrapping_add(bit + 1));
            let lost = std::iter::once(entry.pid).chain(lost);
            self.asked.extend(lost.map(|number| (place, number)));
        }
        self.asked.truncate(MOST_ASKED);
    }

    /// True if it is about a stream of ours.
    fn count_pli(&mut self, ssrc: u32) -> bool {
        let mut tracks = self.tracks.iter_mut();
        let track = tracks.find(|track| track.is(ssrc));
        track.map(|track| track.plis += 1).is_some()
    }

    fn note_time(&mut self, ssrc: u32, time: u32, at: Instant) {
        self.times.retain(|(known, _)| known.ssrc != ssrc);
        if self.times.len() < MOST_TIMES {
            let time = ReceiverTime {
                ssrc,
                time,
                since: 0,
            };
            self.times.push((time, at));
        }
    }

    /// What was sent of video, if there is any, and what the viewer said of it.
    pub(super) fn video(&self) -> Option<VideoCounts> {
        let mut tracks = self.tracks.iter();
        let video = tracks.find(|track| track.kind == Kind::Video)?;
        Some(VideoCounts {
            bytes: video.bytes(),
            nacks: video.nacks,
            plis: video.plis,
            lost_packets: video.lost().into(),
        })
    }
}

#[cfg(test)]
mod tests;
