//! One peer's WebRTC transport: ICE-lite, DTLS and SRTP by str0m, and the
//! timeouts around them.
//!
//! In protocol order a link is [`Phase::Connecting`] (ICE), [`Phase::Securing`]
//! (DTLS), [`Phase::Up`], and may be [`Phase::Lost`] in between.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use str0m::bwe::{Bitrate, BweKind};
use str0m::config::DtlsCert;
use str0m::media::{Frequency, Pt, SenderFeedback};
use str0m::net::{DatagramRecv, Receive, Transmit};
use str0m::rtp::RtpPacket;
use str0m::stats::{MediaEgressStats, MediaIngressStats};
use str0m::{
    Candidate, CandidateKind, Event, IceConnectionState, Input, Output, Rtc, RtcConfig, RtcError,
};
use tracing::debug;

use super::choice::START_BPS;
use super::config::Config;
use super::demux::Path;
use super::gate::Gate;
use super::nomination::{Nomination, is_client_hello};
use super::repair::{Repair, Verdict};
use super::restart::{FormerIce, UserName};
use super::sdp::{Offer, Selection, complete_answer, restart_answer, with_credentials};
use super::transport;
use crate::core::backend::EndReason;
use crate::counters::Reason;
use crate::fragment::Fragment;

/// What every peer of a forwarder shares.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: Config,
    pub(super) certificate: DtlsCert,
}

/// What a link tells its peer.
#[derive(Debug)]
pub(super) enum LinkEvent {
    /// ICE and DTLS are up, for the first time.
    Up,
    Rtp(Box<RtpPacket>),
    /// A sender report of one of the client's streams.
    SenderReport(SenderFeedback),
    /// What was received so far on an m-line, every interval.
    Received(Box<MediaIngressStats>),
    /// What was sent so far on an m-line, every interval.
    Sent(Box<MediaEgressStats>),
    /// What the network towards the client carries by its transport-wide
    /// feedback, bits per second.
    Estimate(u64),
    /// The same by its own estimate (REMB).
    Remb(u64),
    /// The client wants a keyframe (PLI or FIR).
    KeyframeRequest,
    /// A datagram came to nothing.
    Refused(Reason),
    /// Over; nothing follows.
    Ended(EndReason),
}

#[derive(Debug)]
enum Phase {
    Connecting { until: Instant },
    Securing { until: Instant },
    Up,
    Lost { until: Instant },
    Ended,
}

/// How often RTCP reports go out, of audio as of video: until both have come, a
/// viewer knows neither how to keep them together nor how old they are.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// How often str0m says what it has measured where nobody is told the rates:
/// the round trip is of use all the same.
const STATS_INTERVAL: Duration = Duration::from_secs(10);

/// Rounds of time given to str0m in one go, past which a peer waits for the
/// others of its worker: one write takes two.
const MAX_ROUNDS: usize = 16;

/// What is due this soon is done at once: no timer would be as quick.
const SLACK: Duration = Duration::from_micros(10);

/// How long it waits then.
const BREATH: Duration = Duration::from_millis(1);

pub(super) struct Link {
    pub(super) rtc: Rtc,
    phase: Phase,
    gate: Gate,
    repair: Repair,
    /// When DTLS began, and what a round trip took when last measured.
    hello_at: Option<Instant>,
    round_trip: Option<Duration>,
    secured: bool,
    deadline: Instant,
    /// What str0m made its answer of.
    offer: Box<str>,
    user: UserName,
    /// The ICE session that is in use while a new one is set up.
    former: Option<FormerIce>,
    /// Taken by str0m, and not answered yet.
    nomination: Option<Nomination>,
    ice_timeout: Duration,
    ice_grace: Duration,
    dtls_timeout: Duration,
}

impl Link {
    /// Answers an offer with what is `taken` of it. `stream` is the MediaStream
    /// id of what is sent, `candidates` where the client may connect.
    ///
    /// # Errors
    /// str0m does not take the offer.
    pub(super) fn answer(
        offer: &Offer,
        taken: &Selection,
        stream: &str,
        candidates: Vec<Candidate>,
        settings: &Settings,
        now: Instant,
    ) -> Result<(Self, String), RtcError> {
        let config = &settings.config;
        let repair = Repair::new(taken, config.rtx_packets, config.rtx_age);
        let mut rtc = rtc_config(offer, taken, settings)
            .enable_raw_packets(repair.is_plain())
            .build(now);
        for candidate in candidates {
            rtc.add_local_candidate(candidate);
        }
        let reduced = offer.reduced(taken);
        let answer = accept(&mut rtc, &reduced)?;
        let answer = complete_answer(offer, taken, &answer, stream);
        let user = UserName::new(&mut rtc, offer.fragment());
        let link = Self {
            rtc,
            phase: Phase::Connecting {
                until: now + settings.config.ice_timeout,
            },
            gate: Gate::new(offer, taken, config),
            repair,
            hello_at: None,
            round_trip: None,
            secured: false,
            deadline: now,
            offer: reduced.into(),
            user,
            former: None,
            nomination: None,
            ice_timeout: settings.config.ice_timeout,
            ice_grace: settings.config.ice_grace,
            dtls_timeout: settings.config.dtls_timeout,
        };
        Ok((link, answer))
    }

    /// Our ICE user name fragment, by which datagrams are told apart.
    pub(super) fn fragment(&self) -> &str {
        self.user.ours()
    }

    /// That, and the one of before a restart while it still counts.
    pub(super) fn fragments(&self) -> impl Iterator<Item = &str> {
        let former = self.former.as_ref().map(|former| former.user.ours());
        [self.fragment()].into_iter().chain(former)
    }

    /// Begins ICE anew with the client's credentials in `fragment`; ours come
    /// back. Media goes on over the pair in use until the client has nominated
    /// another, and it has as long for that as it had for its first.
    ///
    /// # Errors
    /// There are no credentials, or str0m does not take them.
    pub(super) fn restart(&mut self, fragment: &str, now: Instant) -> Result<String, RtcError> {
        let missing = || RtcError::RemoteSdp("no ICE credentials".into());
        let parsed = Fragment::parse(fragment).and_then(Fragment::credentials);
        let credentials = parsed.ok_or_else(missing)?;
        let password = self.rtc.direct_api().local_ice_credentials().pass;
        let offer = with_credentials(&self.offer, credentials);
        let answer = accept(&mut self.rtc, &offer)?;
        let user = UserName::new(&mut self.rtc, credentials.user);
        let former = FormerIce::new(std::mem::replace(&mut self.user, user), password);
        // One that was never used is not worth keeping.
        self.former.get_or_insert(former);
        self.nomination = None;
        match self.phase {
            Phase::Connecting { ref mut until } | Phase::Lost { ref mut until } => {
                *until = now + self.ice_timeout;
            }
            Phase::Up => {
                self.phase = Phase::Lost {
                    until: now + self.ice_timeout,
                };
            }
            Phase::Securing { .. } | Phase::Ended => {}
        }
        Ok(restart_answer(&answer))
    }

    /// ICE and DTLS are or were up, and media may be written.
    pub(super) fn is_secured(&self) -> bool {
        self.secured && !matches!(self.phase, Phase::Ended)
    }

    /// What a packet takes to the client and back: by RTCP, and by the DTLS
    /// handshake until there is a report.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Most packets to keep for retransmission, and how long.
    pub(super) fn rtx_cache(&self) -> (usize, Duration) {
        self.repair.cache()
    }

    /// Takes a datagram; [`Link::drain`] must follow.
    ///
    /// # Errors
    /// It is nothing that this peer can take, and nothing has changed.
    pub(super) fn handle_datagram(
        &mut self,
        path: Path,
        datagram: &[u8],
        now: Instant,
    ) -> Result<(), Reason> {
        if self.answer_former(path, datagram, now) {
            return Ok(());
        }
        let (rtc, came) = (&mut self.rtc, (path.end(), datagram));
        self.gate
            .admit(rtc, self.user.as_str(), came, self.secured, now)?;
        if !self.receive(path, datagram, now) {
            return Err(Reason::BadDatagram);
        }
        if !self.secured && is_client_hello(datagram) {
            self.hello_at = Some(now);
            if matches!(self.phase, Phase::Connecting { .. }) {
                self.nominate(path, now);
            }
        }
        Ok(())
    }

    /// A TCP connection of the client's is over. If it was the selected pair,
    /// the next one that the client has nominated takes its place, or the first
    /// one that it will; until then consent is lost. [`Link::drain`] must follow.
    pub(super) fn handle_closed(&mut self, path: Path, now: Instant) {
        for kind in [CandidateKind::PeerReflexive, CandidateKind::Host] {
            let gone = transport::remote_candidate(path, kind);
            self.rtc.direct_api().invalidate_candidate(&gone);
        }
        // Only time makes str0m look for another pair. An error is the link's,
        // which the next drain meets.
        let _ = self.rtc.handle_input(Input::Timeout(now));
    }

    fn receive(&mut self, path: Path, datagram: &[u8], now: Instant) -> bool {
        let Ok(contents) = DatagramRecv::try_from(datagram) else {
            return false;
        };
        let receive = Receive {
            proto: path.protocol,
            source: path.remote,
            destination: path.local,
            contents,
        };
        // An error comes from one datagram, which anybody may have sent. A
        // handshake that it broke runs into its timeout.
        self.rtc.handle_input(Input::Receive(now, receive)).is_ok()
    }

    /// Answers a check of the ICE session before the restart, which keeps the
    /// link alive like any other.
    fn answer_former(&mut self, path: Path, datagram: &[u8], now: Instant) -> bool {
        let Some(former) = &mut self.former else {
            return false;
        };
        let answered = former.handle_check(path, datagram);
        if answered && let Phase::Lost { until } = &mut self.phase {
            *until = (*until).max(now + self.ice_grace);
        }
        answered
    }

    /// The client has begun DTLS on this pair.
    fn nominate(&mut self, path: Path, now: Instant) {
        let password = self.rtc.direct_api().local_ice_credentials().pass;
        let Some(nomination) = Nomination::new(self.user.as_str(), &password) else {
            return;
        };
        if self.receive(path, nomination.request(), now) {
            self.nomination = Some(nomination);
        }
    }

    /// Has the network probed for so much, bits per second, and up to twice of it,
    /// if the client gives transport-wide feedback.
    pub(super) fn probe_for(&mut self, bps: u64) {
        let mut bwe = self.rtc.bwe();
        bwe.set_bitrate(Bitrate::ZERO, Bitrate::bps(bps));
    }

    /// Forgets what could be sent again.
    pub(super) fn forget_sent(&mut self) {
        self.repair.forget(&mut self.rtc);
    }

    /// When [`Link::drain`] must be called again.
    pub(super) fn deadline(&self) -> Instant {
        match self.phase {
            Phase::Connecting { until } | Phase::Securing { until } | Phase::Lost { until } => {
                self.deadline.min(until)
            }
            Phase::Up | Phase::Ended => self.deadline,
        }
    }

    /// Moves time on and takes out everything there is to send and to tell.
    pub(super) fn drain(
        &mut self,
        now: Instant,
        transmits: &mut Vec<Transmit>,
        events: &mut Vec<LinkEvent>,
    ) {
        if let Some(former) = &mut self.former {
            transmits.append(&mut former.transmits);
        }
        let (mut at, mut rounds) = (now, 0);
        while rounds < MAX_ROUNDS {
            let before = transmits.len();
            match self.drain_round(now, transmits, events) {
                Ok(at) => self.deadline = at,
                Err(error) => return self.end(reason_of(&error), events),
            }
            let taken = events.iter().any(|e| matches!(e, LinkEvent::Rtp(_)));
            let refused = self.gate.settle(&mut self.rtc, taken, now);
            events.extend(refused.map(LinkEvent::Refused));
            if self.deadline > at + SLACK {
                return self.check_phase(now, events);
            }
            // Where bandwidth is estimated, each packet takes a round, and each
            // round a moment of its own.
            at = at.max(self.deadline);
            if let Err(error) = self.rtc.handle_input(Input::Timeout(at)) {
                return self.end(reason_of(&error), events);
            }
            rounds += usize::from(transmits.len() == before);
        }
        self.deadline = now + BREATH;
        self.check_phase(now, events);
    }

    /// Says goodbye (RTCP BYE, DTLS close_notify) and ends.
    pub(super) fn close(&mut self, now: Instant, transmits: &mut Vec<Transmit>) {
        let mut ignored = Vec::new();
        if self.rtc.close().is_ok() {
            // An error here only means that there is nobody to say it to.
            let _ = self.drain_round(now, transmits, &mut ignored);
        }
        self.rtc.disconnect();
        self.phase = Phase::Ended;
    }

    fn drain_round(
        &mut self,
        now: Instant,
        transmits: &mut Vec<Transmit>,
        events: &mut Vec<LinkEvent>,
    ) -> Result<Instant, RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => return Ok(at),
                Output::Transmit(transmit) => {
                    let answered = |n: &mut Nomination| n.is_answered_by(&transmit.contents);
                    if self.nomination.take_if(answered).is_some() {
                        continue;
                    }
                    match self.repair.pass(&transmit, now) {
                        Verdict::Send => transmits.push(transmit),
                        Verdict::Drop => {
                            self.repair.forget(&mut self.rtc);
                            events.push(LinkEvent::Refused(Reason::TooManyRetransmissions));
                        }
                    }
                }
                Output::Event(Event::RawPacket(packet)) => {
                    transmits.extend(self.repair.answer(&packet, self.round_trip, now));
                }
                Output::Event(event) => self.handle_event(event, now, events),
            }
        }
    }

    fn handle_event(&mut self, event: Event, now: Instant, events: &mut Vec<LinkEvent>) {
        match event {
            Event::RtpPacket(packet) => events.push(LinkEvent::Rtp(Box::new(packet))),
            Event::KeyframeRequest(_) => events.push(LinkEvent::KeyframeRequest),
            Event::IceConnectionStateChange(state) => self.handle_ice(state, now),
            Event::Connected => {
                self.secured = true;
                self.phase = Phase::Up;
                let hello = self.hello_at.take();
                self.round_trip = hello.map(|at| now.saturating_duration_since(at));
                self.repair.start(self.round_trip);
                events.push(LinkEvent::Up);
            }
            Event::SenderFeedback(report) => events.push(LinkEvent::SenderReport(report)),
            Event::MediaIngressStats(stats) => {
                self.round_trip = stats.rtt.or(self.round_trip);
                events.push(LinkEvent::Received(Box::new(stats)));
            }
            Event::MediaEgressStats(stats) => {
                self.round_trip = stats.rtt.or(self.round_trip);
                if let Some(round_trip) = stats.rtt {
                    self.repair.follow(round_trip, &mut self.rtc);
                }
                events.push(LinkEvent::Sent(Box::new(stats)));
            }
            Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. }) => {
                events.push(LinkEvent::Estimate(estimate.as_u64()));
            }
            Event::EgressBitrateEstimate(BweKind::Remb { estimate, .. }) => {
                events.push(LinkEvent::Remb(estimate.as_u64()));
            }
            Event::Closed => self.end(EndReason::ClosedByPeer, events),
            Event::MediaAdded(_)
            | Event::MediaData(_)
            | Event::MediaChanged(_)
            | Event::ChannelOpen(..)
            | Event::ChannelData(_)
            | Event::ChannelClose(_)
            | Event::ChannelBufferedAmountLow(_)
            | Event::PeerStats(_)
            | Event::StreamPaused(_)
            | Event::AppSpecificFeedback(_)
            | Event::RawPacket(_)
            | _ => {}
        }
    }

    fn handle_ice(&mut self, state: IceConnectionState, now: Instant) {
        if state.is_connected() {
            self.former = None;
        }
        match (&self.phase, state.is_connected()) {
            (Phase::Connecting { .. }, true) => {
                self.phase = Phase::Securing {
                    until: now + self.dtls_timeout,
                };
            }
            (Phase::Lost { .. }, true) => self.phase = Phase::Up,
            (Phase::Up, false) => {
                self.phase = Phase::Lost {
                    until: now + self.ice_grace,
                };
            }
            (
                Phase::Connecting { .. }
                | Phase::Securing { .. }
                | Phase::Up
                | Phase::Lost { .. }
                | Phase::Ended,
                _,
            ) => {}
        }
    }

    fn check_phase(&mut self, now: Instant, events: &mut Vec<LinkEvent>) {
        let reason = match self.phase {
            Phase::Connecting { until } if until <= now => EndReason::IceTimeout,
            Phase::Securing { until } if until <= now => EndReason::Dtls,
            Phase::Lost { until } if until <= now => EndReason::IceLost,
            Phase::Connecting { .. }
            | Phase::Securing { .. }
            | Phase::Lost { .. }
            | Phase::Up
            | Phase::Ended => return,
        };
        self.end(reason, events);
    }

    fn end(&mut self, reason: EndReason, events: &mut Vec<LinkEvent>) {
        if !matches!(self.phase, Phase::Ended) {
            self.phase = Phase::Ended;
            events.push(LinkEvent::Ended(reason));
        }
    }
}

/// str0m's answer to a reduced offer.
fn accept(rtc: &mut Rtc, offer: &str) -> Result<String, RtcError> {
    let offer = str0m::change::SdpOffer::from_sdp_string(offer)
        .map_err(|error| RtcError::RemoteSdp(error.to_string()))?;
    Ok(rtc.sdp_api().accept_offer(offer)?.to_sdp_string())
}

/// An ICE-lite peer that takes the codecs and header extensions of `taken`,
/// with the client's numbers.
fn rtc_config(offer: &Offer, taken: &Selection, settings: &Settings) -> RtcConfig {
    let stats_interval = if settings.config.tells_rates() {
        settings.config.rate_interval
    } else {
        STATS_INTERVAL
    };
    let mut config = RtcConfig::new()
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .set_dtls_cert(settings.certificate.clone())
        .set_stats_interval(Some(stats_interval))
        .set_rtcp_report_interval_audio(REPORT_INTERVAL)
        .set_rtcp_report_interval_video(REPORT_INTERVAL)
        .clear_codecs()
        .clear_extension_map();
    if taken.has_transport_feedback() {
        config = config.enable_bwe(Some(Bitrate::bps(START_BPS)));
    }
    for (id, extension) in offer.extensions(taken) {
        config = config.set_extension(id, extension);
    }
    for codec in taken.codecs() {
        config.codec_config().add_config(
            codec.pt.into(),
            codec.rtx.map(Pt::from),
            codec.codec.to_str0m(),
            frequency(codec.codec.clock_rate()),
            codec.codec.channels(),
            codec.format,
        );
    }
    config
}

fn frequency(ticks_per_second: u32) -> Frequency {
    NonZeroU32::new(ticks_per_second).map_or(Frequency::NINETY_KHZ, Frequency::from_nonzero)
}

/// What an error of a link means to the client. Once an offer is taken, str0m
/// calls only a fingerprint that does not match an error of the remote SDP.
fn reason_of(error: &RtcError) -> EndReason {
    debug!(%error, "link failed");
    if matches!(error, RtcError::RemoteSdp(_)) {
        EndReason::DtlsFingerprint
    } else if matches!(error, RtcError::Dtls(_)) {
        EndReason::Dtls
    } else {
        EndReason::Internal
    }
}
