//! One WebRTC connection to the server: offer and answer, ICE, DTLS, datagrams.
//! What is sent and received over it is its owner's business.
//!
//! UDP is tried first. Where nothing comes of that, or the server offers TCP
//! alone, this end connects by TCP (RFC 6544).

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpApi, SdpPendingOffer};
use str0m::net::{Receive, TcpType};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig, RtcError};
use tokio::time::sleep_until;
use tracing::{debug, info};

use crate::answer::Answer;
use crate::sockets::{Arrival, Sockets};

/// No datagram on the Internet's usual links is longer.
const MAX_DATAGRAM: usize = 2_000;

/// How long nothing but UDP is tried where the server offers both.
const TCP_AFTER: Duration = Duration::from_secs(1);

/// What is due this soon is done at once: str0m takes a timeout for each packet,
/// and no timer is as quick as packets follow each other.
const SLACK: Duration = Duration::from_micros(100);

/// Rounds of time given to str0m in one go, past which datagrams and others have
/// their turn.
const MAX_ROUNDS: usize = 32;

/// The longest time between two checks that the server still answers (RFC 7675).
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Checks in a row without an answer before the connection counts as lost: some
/// six seconds, which is as long as browsers wait.
const CHECKS: usize = 7;

/// A lost connection is reported this late: if the server ended it on purpose,
/// its own words are on the way and say more.
const GRACE: Duration = Duration::from_secs(2);

/// Why a connection is over, or cannot be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerError {
    #[error("no UDP socket: {0}")]
    Socket(#[source] io::Error),
    #[error("the server's answer cannot be used: {0}")]
    Answer(String),
    #[error("the server does not take {0}")]
    Declined(String),
    #[error("WebRTC: {0}")]
    Rtc(#[from] RtcError),
    #[error("the server's media address cannot be reached, neither by UDP nor by TCP")]
    Unreachable,
    #[error("the media connection is lost")]
    Lost,
}

pub(crate) struct Link {
    pub(crate) rtc: Rtc,
    sockets: Sockets,
    buffer: Vec<u8>,
    pending: Option<SdpPendingOffer>,
    /// It was up once.
    up: bool,
    /// When TCP is to be tried.
    tcp_at: Option<Instant>,
    /// When the connection was last seen to be lost.
    lost_at: Option<Instant>,
    bytes_sent: u64,
}

impl Link {
    /// Opens sockets and makes an offer of what `add` adds. `signalling` is this
    /// end's address towards the server.
    pub(crate) async fn offer<T>(
        signalling: IpAddr,
        mut config: RtcConfig,
        add: impl FnOnce(&mut SdpApi<'_>) -> T,
    ) -> Result<(Self, T, String), PeerError> {
        let sockets = Sockets::open(signalling).await.map_err(PeerError::Socket)?;
        config.set_max_stun_rto(CHECK_INTERVAL);
        config.set_max_stun_retransmits(CHECKS);
        let mut rtc = config.build(Instant::now());
        for address in sockets.udp_addresses() {
            let candidate = Candidate::host(address, "udp").map_err(RtcError::from)?;
            rtc.add_local_candidate(candidate);
        }
        let mut changes = rtc.sdp_api();
        let added = add(&mut changes);
        let (offer, pending) = changes.apply().ok_or(RtcError::ChangesOutOfOrder)?;
        let link = Self {
            rtc,
            sockets,
            buffer: vec![0; MAX_DATAGRAM],
            pending: Some(pending),
            up: false,
            tcp_at: None,
            lost_at: None,
            bytes_sent: 0,
        };
        Ok((link, added, offer.to_sdp_string()))
    }

    /// Takes the server's answer, once.
    pub(crate) fn accept(&mut self, answer: &Answer) -> Result<(), PeerError> {
        let refuse = |why: String| PeerError::Answer(why);
        let Some(pending) = self.pending.take() else {
            return Err(refuse("it is the second one".to_owned()));
        };
        let parsed = SdpAnswer::from_sdp_string(answer.sdp());
        let parsed = parsed.map_err(|error| refuse(error.to_string()))?;
        let accepted = self.rtc.sdp_api().accept_answer(pending, parsed);
        accepted.map_err(|error| refuse(error.to_string()))?;
        if answer.takes_tcp() {
            let wait = if answer.takes_udp() {
                TCP_AFTER
            } else {
                Duration::ZERO
            };
            self.tcp_at = Some(Instant::now() + wait);
        }
        Ok(())
    }

    /// Runs the connection until str0m tells something, or it is over.
    /// Cancelled, it loses nothing and can be called again.
    pub(crate) async fn next(&mut self) -> Result<Event, PeerError> {
        let mut rounds = 0;
        loop {
            let timeout = match self.rtc.poll_output()? {
                Output::Timeout(at) => at,
                Output::Transmit(transmit) => {
                    self.bytes_sent += transmit.contents.len() as u64;
                    self.sockets.send(&transmit);
                    continue;
                }
                Output::Event(event) => {
                    self.note(&event);
                    return Ok(event);
                }
            };
            let now = Instant::now();
            if timeout <= now + SLACK && rounds < MAX_ROUNDS {
                rounds += 1;
                self.handle_timeout(timeout.max(now))?;
            } else {
                rounds = 0;
                self.wait(timeout).await?;
            }
        }
    }

    /// Bytes of datagrams sent.
    pub(crate) fn bytes_sent(&self) -> u64 {
        self.bytes_sent
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "only the few events of the connection itself matter here"
    )]
    fn note(&mut self, event: &Event) {
        match event {
            Event::Connected => {
                info!("media connection up");
                self.up = true;
                self.tcp_at = None;
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) | Event::Closed => {
                self.lost_at.get_or_insert_with(Instant::now);
            }
            Event::IceConnectionStateChange(
                IceConnectionState::Connected | IceConnectionState::Completed,
            ) => self.lost_at = None,
            _ => {}
        }
    }

    /// Waits for a datagram or for time to pass.
    async fn wait(&mut self, timeout: Instant) -> Result<(), PeerError> {
        let lost = self.lost_at.map(|lost| lost + GRACE);
        let deadlines = [Some(timeout), lost, self.tcp_at];
        let deadline = deadlines.into_iter().flatten().min().unwrap_or(timeout);
        tokio::select! {
            arrival = self.sockets.recv(&mut self.buffer) => self.handle_datagram(arrival),
            () = sleep_until(deadline.into()) => self.handle_timeout(Instant::now()),
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), PeerError> {
        if self.lost_at.is_some_and(|lost| lost + GRACE <= now) {
            return Err(if self.up {
                PeerError::Lost
            } else {
                PeerError::Unreachable
            });
        }
        if self.tcp_at.is_some_and(|at| at <= now) {
            self.tcp_at = None;
            self.add_tcp();
        }
        Ok(self.rtc.handle_input(Input::Timeout(now))?)
    }

    /// From now on TCP is tried as well. The server need not be told: it learns
    /// who connects.
    fn add_tcp(&mut self) {
        debug!("TCP is tried");
        for address in self.sockets.tcp_addresses() {
            let candidate = Candidate::builder().tcp().host(address);
            match candidate.tcptype(TcpType::Active).build() {
                Ok(candidate) => {
                    self.rtc.add_local_candidate(candidate);
                }
                Err(error) => debug!(%address, %error, "no TCP candidate"),
            }
        }
    }

    /// Whatever a datagram holds, it does not end the connection.
    fn handle_datagram(&mut self, arrival: Arrival) -> Result<(), PeerError> {
        let source = arrival.source;
        let datagram = &self.buffer[..arrival.length];
        let receive = Receive::new(arrival.protocol, source, arrival.destination, datagram);
        let receive = match receive {
            Ok(receive) => receive,
            Err(error) => {
                debug!(%source, %error, "datagram dropped");
                return Ok(());
            }
        };
        let input = Input::Receive(Instant::now(), receive);
        if !self.rtc.accepts(&input) {
            debug!(%source, "stray datagram dropped");
            return Ok(());
        }
        Ok(self.rtc.handle_input(input)?)
    }
}
