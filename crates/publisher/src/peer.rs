//! The connection that media goes out on.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant, UNIX_EPOCH};

use str0m::Event;
use str0m::bwe::{Bitrate, BweKind};
use str0m::format::Codec;
use str0m::media::{Direction, Frequency, MediaKind, MediaTime, Mid, Pt};
use str0m::rtp::{AbsCaptureTime, Extension};
use str0m::stats::{MediaEgressStats, PeerStats};
use tracing::debug;

use crate::NetworkStats;
use crate::answer::Answer;
use crate::bandwidth::{Bandwidth, Budget};
use crate::clock::Clock;
use crate::codecs::rtc_config;
use crate::link::Link;
pub(crate) use crate::link::PeerError;
use crate::options::MediaOptions;
use crate::pipeline::Sent;
use crate::source::{EncodedFrame, EncodedPacket, VideoCodec};

/// How often str0m says what it has measured: an encoder should hear of a
/// network that has become narrow within a fraction of a second.
const STATS_INTERVAL: Duration = Duration::from_millis(250);

/// How often sender reports go out, of sound as of pictures: until both have
/// come, a viewer cannot keep them together (RFC 3550 section 6.4.1).
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// How long a measured value stands that is not measured again.
const STALE: Duration = Duration::from_secs(5);

/// How much faster than what is sent its packets may leave where nothing is known
/// of the network: a keyframe is many times as large as other pictures.
const PACE_WITHOUT_FEEDBACK: u64 = 4;

/// Any number of one byte that str0m's own extensions leave (RFC 8285 section 4.2).
const CAPTURE_TIME_EXTENSION: u8 = 12;

/// What happens on a peer connection that its owner should know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PeerEvent {
    /// ICE and DTLS are up: media can be sent.
    Connected,
    /// The server needs a keyframe.
    KeyframeRequested,
    /// What the network carries, in bits per second, has changed.
    Bandwidth(u64),
    /// Something the user should know, in a sentence.
    Notice(String),
}

/// A send-only peer connection.
pub(crate) struct Peer {
    link: Link,
    sent: Sent,
    video: Option<Mid>,
    audio: Option<Mid>,
    /// RTP time zero of both tracks.
    start: Instant,
    clock: Clock,
    bandwidth: Bandwidth,
    measured: Measured,
    /// ICE and DTLS were up once.
    up: bool,
    /// The pacer was told to do without feedback.
    paced: bool,
    events: VecDeque<PeerEvent>,
}

/// What str0m has measured.
#[derive(Debug, Default)]
struct Measured {
    stats: NetworkStats,
    /// Those of all connections before.
    bytes_before: u64,
    nacks_before: u64,
    video_nacks: u64,
    audio_nacks: u64,
    /// When the round trip was last reported by RTCP.
    round_trip_at: Option<Instant>,
    loss_at: Option<Instant>,
    /// Bytes sent at a moment about a second ago, and the rate up to then.
    rate_from: Option<(u64, Instant)>,
    sent_bps: u64,
}

impl Peer {
    /// Opens sockets and makes the offer. `signalling` is this end's address
    /// towards the server, `start` what RTP timestamps count from: the same for
    /// all connections of a publication.
    pub(crate) async fn offer(
        signalling: IpAddr,
        sent: Sent,
        options: &MediaOptions,
        start: Instant,
    ) -> Result<(Self, String), PeerError> {
        let budget = Budget::of(sent, options);
        let config = rtc_config(sent, &options.audio)
            .set_extension(CAPTURE_TIME_EXTENSION, Extension::AbsoluteCaptureTime)
            .set_rtcp_report_interval_audio(REPORT_INTERVAL)
            .set_stats_interval(Some(STATS_INTERVAL))
            .enable_bwe(Some(Bitrate::bps(budget.start_bps)));
        let (link, (audio, video), offer) = Link::offer(signalling, config, |changes| {
            let mut add = |kind, track: &str| {
                // One stream for both tracks, so that players keep them in sync.
                let stream = Some("twoway".to_owned());
                let track = Some(track.to_owned());
                changes.add_media(kind, Direction::SendOnly, stream, track, None)
            };
            let audio = sent.audio.map(|_| add(MediaKind::Audio, "audio"));
            let video = sent.video.map(|_| add(MediaKind::Video, "video"));
            (audio, video)
        })
        .await?;
        let peer = Self {
            link,
            sent,
            video,
            audio,
            start,
            clock: Clock::start(),
            bandwidth: Bandwidth::new(budget),
            measured: Measured::default(),
            up: false,
            paced: false,
            events: VecDeque::new(),
        };
        Ok((peer, offer))
    }

    /// Counts go on from those of the connection before.
    pub(crate) fn count_from(&mut self, before: &NetworkStats) {
        self.measured.bytes_before = before.bytes_sent;
        self.measured.nacks_before = before.nacks;
    }

    /// Takes the server's answer, once. A track that it declines is left out, as
    /// a [`PeerEvent::Notice`] tells.
    ///
    /// # Errors
    /// The answer cannot be used, or declines everything.
    pub(crate) fn accept(&mut self, sdp: &str) -> Result<(), PeerError> {
        let answer = Answer::read(sdp);
        // Where there is nothing to connect for there is no more to understand.
        if !answer.refuses_all() {
            self.link.accept(&answer)?;
        }
        let video = self.sent.video.filter(|_| self.video_pt().is_none());
        let audio = self.sent.audio.filter(|_| self.audio_pt().is_none());
        let video = video.map(VideoCodec::name);
        let audio = audio.map(|_| "Opus");
        let declined: Vec<_> = [video, audio].into_iter().flatten().collect();
        let declined = declined.join(" or ");
        if self.video_pt().is_none() && self.audio_pt().is_none() {
            return Err(PeerError::Declined(declined));
        }
        if video.is_some() {
            self.notice(format!(
                "the server does not take {declined}: only sound is sent"
            ));
        } else if audio.is_some() {
            self.notice(format!(
                "the server does not take {declined}: only pictures are sent"
            ));
        }
        Ok(())
    }

    fn notice(&mut self, text: String) {
        self.events.push_back(PeerEvent::Notice(text));
    }

    /// Runs the connection until something happens that its owner should know,
    /// or it is over. Cancelled, it loses nothing and can be called again.
    pub(crate) async fn next(&mut self) -> Result<PeerEvent, PeerError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            let event = self.link.next().await?;
            self.handle(event);
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "a sender has no use for the many events of receivers"
    )]
    fn handle(&mut self, event: Event) {
        match event {
            Event::Connected => self.handle_connected(),
            Event::KeyframeRequest(request) => {
                debug!(kind = ?request.kind, "keyframe requested");
                self.events.push_back(PeerEvent::KeyframeRequested);
            }
            Event::EgressBitrateEstimate(BweKind::Twcc { can_probe, .. }) => {
                self.bandwidth.handle_feedback(can_probe);
            }
            Event::EgressBitrateEstimate(BweKind::Remb { estimate, .. }) => {
                self.bandwidth
                    .handle_remb(estimate.as_u64(), Instant::now());
            }
            Event::PeerStats(stats) => self.handle_peer_stats(&stats),
            Event::MediaEgressStats(stats) => self.handle_media_stats(&stats),
            _ => {}
        }
    }

    fn handle_connected(&mut self) {
        self.events.push_back(PeerEvent::Connected);
        self.up = true;
        self.probe(Instant::now());
    }

    /// Where there is no transport-wide feedback, which str0m says at once when
    /// the connection is up, nothing will ever tell the pacer more than it is
    /// told here.
    fn pace_without_feedback(&mut self) {
        if self.up && !self.bandwidth.has_feedback() && !self.paced {
            self.paced = true;
            let bps = self.bandwidth.budget().max_bps * PACE_WITHOUT_FEEDBACK;
            self.link.rtc.bwe().reset(Bitrate::bps(bps));
        }
    }

    /// Has str0m probe for more, if that is due.
    fn probe(&mut self, now: Instant) {
        if let Some(bps) = self.bandwidth.take_wish(self.measured.sent_bps, now) {
            let bwe = &mut self.link.rtc.bwe();
            bwe.set_bitrate(Bitrate::ZERO, Bitrate::bps(bps));
        }
    }

    fn handle_peer_stats(&mut self, stats: &PeerStats) {
        let now = stats.timestamp;
        let bytes = self.link.bytes_sent();
        self.pace_without_feedback();
        self.measured.handle_peer_stats(stats, bytes);
        if let Some(estimate) = stats.bwe_tx {
            self.bandwidth.handle_estimate(estimate.as_u64());
        }
        self.measured.stats.estimate_bps = self.bandwidth.estimate_bps(now);
        if let Some(bps) = self.bandwidth.take_change(now) {
            debug!(bps, "bandwidth");
            self.events.push_back(PeerEvent::Bandwidth(bps));
        }
        self.probe(now);
    }

    fn handle_media_stats(&mut self, stats: &MediaEgressStats) {
        let measured = &mut self.measured;
        if self.video == Some(stats.mid) {
            measured.video_nacks = stats.nacks;
        } else if self.audio == Some(stats.mid) {
            measured.audio_nacks = stats.nacks;
        }
        if let Some(round_trip) = stats.rtt {
            measured.stats.round_trip = Some(round_trip);
            measured.round_trip_at = Some(stats.timestamp);
        }
        // Transport-wide feedback tells the loss of all packets, and sooner.
        if let Some(loss) = stats.loss.filter(|_| measured.loss_at.is_none()) {
            measured.stats.loss = Some(loss);
        }
    }

    /// How the connection is doing. Counts include those of the connections
    /// before, see [`Peer::count_from`].
    pub(crate) fn stats(&self) -> NetworkStats {
        let measured = &self.measured;
        NetworkStats {
            bytes_sent: measured.bytes_before + self.link.bytes_sent(),
            nacks: measured.nacks_before + measured.video_nacks + measured.audio_nacks,
            ..measured.stats.clone()
        }
    }

    /// Sends a picture.
    pub(crate) fn send_video(&mut self, frame: EncodedFrame) -> Result<(), PeerError> {
        match (self.video, self.video_pt()) {
            (Some(mid), Some(pt)) => {
                let rate = Frequency::NINETY_KHZ;
                self.send(mid, pt, rate, frame.capture_time, frame.data)
            }
            _ => Ok(()),
        }
    }

    /// Sends sound.
    pub(crate) fn send_audio(&mut self, packet: EncodedPacket) -> Result<(), PeerError> {
        match (self.audio, self.audio_pt()) {
            (Some(mid), Some(pt)) => {
                let rate = Frequency::FORTY_EIGHT_KHZ;
                self.send(mid, pt, rate, packet.capture_time, packet.data)
            }
            _ => Ok(()),
        }
    }

    /// The capture time becomes the RTP timestamp and the wall clock of sender
    /// reports (RFC 3550 section 6.4.1), on one clock for both tracks.
    fn send(
        &mut self,
        mid: Mid,
        pt: Pt,
        rate: Frequency,
        capture_time: Instant,
        data: Vec<u8>,
    ) -> Result<(), PeerError> {
        let rtp_time = MediaTime::new(rtp_ticks(capture_time, self.start, rate), rate);
        let absolute = AbsCaptureTime {
            capture_time: UNIX_EPOCH + self.clock.unix(capture_time),
            clock_offset: None,
        };
        if let Some(writer) = self.link.rtc.writer(mid) {
            writer
                .abs_capture_time(absolute)
                .write(pt, capture_time, rtp_time, data)?;
        }
        Ok(())
    }

    /// The negotiated payload type; `None` if the server declined the track.
    fn video_pt(&mut self) -> Option<Pt> {
        self.payload_type(self.video?, self.sent.video?.in_rtc())
    }

    /// See [`Self::video_pt`].
    fn audio_pt(&mut self) -> Option<Pt> {
        self.payload_type(self.audio?, Codec::Opus)
    }

    fn payload_type(&mut self, mid: Mid, codec: Codec) -> Option<Pt> {
        let media = self.link.rtc.media(mid)?;
        if media.disabled() || !media.direction().is_sending() {
            return None;
        }
        let writer = self.link.rtc.writer(mid)?;
        let mut params = writer.payload_params();
        params.find(|p| p.spec().codec == codec).map(|p| p.pt())
    }
}

/// The RTP timestamp of what was captured at `capture_time`, without its wrapping
/// at 32 bits.
pub(crate) fn rtp_ticks(capture_time: Instant, start: Instant, rate: Frequency) -> u64 {
    let since_start = capture_time.saturating_duration_since(start);
    (since_start.as_nanos() * u128::from(rate.get()) / 1_000_000_000) as u64
}

impl Measured {
    fn handle_peer_stats(&mut self, stats: &PeerStats, bytes_sent: u64) {
        let now = stats.timestamp;
        let pair = stats.selected_candidate_pair.as_ref();
        if let Some(pair) = pair {
            self.stats.local = Some(pair.local.addr.to_string());
            self.stats.remote = Some(pair.remote.addr.to_string());
        }
        if let Some(loss) = stats.egress_loss_fraction {
            self.stats.loss = Some(loss);
            self.loss_at = Some(now);
        }
        let fresh =
            |at: Option<Instant>| at.is_some_and(|at| now.saturating_duration_since(at) < STALE);
        if !fresh(self.loss_at) {
            self.loss_at = None;
        }
        // RTCP's is the better one: the pair's is measured once a second at most,
        // and by a server that may do something else first.
        if !fresh(self.round_trip_at) {
            self.stats.round_trip = pair.and_then(|pair| pair.current_round_trip_time);
        }
        self.measure_rate(bytes_sent, now);
    }

    fn measure_rate(&mut self, bytes_sent: u64, now: Instant) {
        let (from, since) = *self.rate_from.get_or_insert((bytes_sent, now));
        let elapsed = now.saturating_duration_since(since);
        if elapsed >= Duration::from_secs(1) {
            let bits = (bytes_sent - from) as f64 * 8.0;
            self.sent_bps = (bits / elapsed.as_secs_f64()) as u64;
            self.rate_from = Some((bytes_sent, now));
        }
    }
}

#[cfg(test)]
mod tests;
