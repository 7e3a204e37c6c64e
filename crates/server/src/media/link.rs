//! One peer's WebRTC transport: ICE-lite, DTLS and SRTP by str0m, and the
//! timeouts around them.
//!
//! In protocol order a link is [`Phase::Connecting`] (ICE), [`Phase::Securing`]
//! (DTLS), [`Phase::Up`], and may be [`Phase::Lost`] in between.

use std::time::{Duration, Instant};

use str0m::bwe::{Bitrate, BweKind};
use str0m::config::DtlsCert;
use str0m::media::SenderFeedback;
use str0m::net::{DatagramRecv, Receive, Transmit};
use str0m::rtp::{RawPacket, RtpPacket};
use str0m::stats::{MediaEgressStats, MediaIngressStats};
use str0m::{Candidate, CandidateKind, Event, IceConnectionState, Input, Output, Rtc, RtcError};

use super::config::Config;
use super::demux::Path;
use super::egress::{self, Tap, WallClock};
use super::gate::Gate;
use super::nomination::{Nomination, is_client_hello};
use super::repair::{Repair, Verdict};
use super::restart::{FormerIce, UserName};
use super::rtc::{accept, reason_of, rtc_config};
use super::sdp::{Offer, Selection, complete_answer, restart_answer, with_credentials};
use super::transport;
use crate::core::backend::EndReason;
use crate::counters::Reason;
use crate::fragment::Fragment;
use crate::meters::Time;

/// What every peer of a forwarder shares.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: Config,
    pub(super) certificate: DtlsCert,
    /// What viewers are told the time by.
    pub(super) clock: WallClock,
}

/// Who sends a peer's RTP and RTCP, for all its life: two would use the numbers of
/// one key twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MediaWay {
    /// str0m.
    Str0m,
    /// We do, with the keys of its handshake (`egress`).
    Own,
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
    /// What came over RTCP, where str0m does not send the media.
    Rtcp(Box<RawPacket>),
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
    /// `None` if str0m sends the media.
    pub(super) tap: Option<Tap>,
    /// When the answer was made, there was a way, and the way was secure.
    answered_at: Instant,
    paired_at: Option<Instant>,
    secured_at: Option<Instant>,
    /// Something has come in since the last [`Link::drain`].
    touched: bool,
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
        let media = way_of(taken);
        let mut rtc_config = rtc_config(offer, taken, settings, media);
        if repair.is_plain() {
            rtc_config = rtc_config.enable_raw_packets(true);
        }
        let (mut rtc, secret) = egress::build(rtc_config, now);
        let tap = (media == MediaWay::Own).then(|| Tap::new(secret));
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
            tap,
            answered_at: now,
            paired_at: None,
            secured_at: None,
            touched: true,
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
        self.doubt_way();
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

    /// How long ICE took and then DTLS, under these names, once the link is up.
    pub(super) fn steps(&self, [ice, dtls]: [Time; 2]) -> impl Iterator<Item = (Time, Duration)> {
        let ice_took = self
            .paired_at
            .map(|at| (ice, at.saturating_duration_since(self.answered_at)));
        let since = self.paired_at.zip(self.secured_at);
        let dtls_took = since.map(|(since, at)| (dtls, at.saturating_duration_since(since)));
        ice_took.into_iter().chain(dtls_took)
    }

    /// How long ago it was up for the first time.
    pub(super) fn up_for(&self, now: Instant) -> Option<Duration> {
        self.secured_at.map(|at| now.saturating_duration_since(at))
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
            self.touched = true;
            return Ok(());
        }
        let (rtc, came) = (&mut self.rtc, (path.end(), datagram));
        self.gate
            .admit(rtc, self.user.as_str(), came, self.secured, now)?;
        if !self.receive(path, datagram, now) {
            return Err(Reason::BadDatagram);
        }
        self.touched = true;
        if is_check(datagram) {
            self.doubt_way();
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
        self.doubt_way();
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

    /// Something has come in by which media may go another way from now on.
    fn doubt_way(&mut self) {
        self.touched = true;
        if let Some(tap) = &mut self.tap {
            tap.doubt();
        }
    }

    /// Where media goes, if it is not str0m that sends it; `None` before the link
    /// is up. Every check of the client's may change it, so with each it is asked for.
    pub(super) fn path(&self) -> Option<Path> {
        self.tap.as_ref().and_then(Tap::path)
    }

    /// [`Link::drain`] has something to do.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.touched || self.deadline() <= now
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
        self.touched = false;
        if let Some(former) = &mut self.former {
            transmits.append(&mut former.transmits);
        }
        if let Some(tap) = self.tap.as_mut().filter(|_| self.secured) {
            tap.ask(&mut self.rtc);
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
                    if self.tap.as_mut().is_some_and(|tap| tap.take(&transmit)) {
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
                Output::Event(Event::RawPacket(packet)) if self.tap.is_some() => {
                    events.push(LinkEvent::Rtcp(packet));
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
                self.secured_at = Some(now);
                self.phase = Phase::Up;
                let hello = self.hello_at.take();
                self.round_trip = hello.map(|at| now.saturating_duration_since(at));
                self.repair.start(self.round_trip);
                if let Some(tap) = &mut self.tap {
                    tap.ask(&mut self.rtc);
                }
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
                self.paired_at = Some(now);
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

/// Who sends what: where nothing is estimated, we do.
fn way_of(taken: &Selection) -> MediaWay {
    if taken.sends() || taken.has_transport_feedback() {
        MediaWay::Str0m
    } else {
        MediaWay::Own
    }
}

/// A STUN message (RFC 7983 section 7).
fn is_check(datagram: &[u8]) -> bool {
    matches!(datagram, [0..=3, ..])
}
