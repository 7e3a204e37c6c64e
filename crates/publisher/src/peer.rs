//! The peer connection: offer, ICE, DTLS, and encoded media out.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, Frequency, MediaKind, MediaTime, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig, RtcError};
use tokio::time::sleep_until;
use tracing::{debug, info};

use crate::encode::{VideoConfig, profile_level_id};
use crate::pipeline::{Encoded, Pipeline, PipelineError};
use crate::sockets::Sockets;
use crate::source::Source;

/// Dynamic payload types (RFC 3551 section 6); any two would do.
const H264_PT: u8 = 108;
const H264_RTX_PT: u8 = 109;

/// No datagram on the Internet's usual links is longer.
const MAX_DATAGRAM: usize = 2_000;

/// A lost connection is reported this late: if the server ended it on purpose,
/// its own words are on the way and say more.
const GRACE: Duration = Duration::from_secs(2);

/// Why a peer connection is over, or cannot be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerError {
    #[error("no UDP socket: {0}")]
    Socket(#[source] io::Error),
    #[error("no media thread: {0}")]
    Thread(#[source] io::Error),
    #[error("the server's answer cannot be used: {0}")]
    Answer(String),
    #[error("WebRTC: {0}")]
    Rtc(#[from] RtcError),
    #[error("the media connection is lost")]
    Lost,
    #[error("{0}")]
    Pipeline(#[from] PipelineError),
}

/// A send-only peer connection and the media that goes out on it.
pub(crate) struct Peer {
    rtc: Rtc,
    sockets: Sockets,
    buffer: Vec<u8>,
    pending: Option<SdpPendingOffer>,
    video: Mid,
    audio: Mid,
    /// RTP time zero of both tracks.
    start: Instant,
    config: VideoConfig,
    /// Until the connection is up.
    source: Option<Box<dyn Source>>,
    /// From then on.
    pipeline: Option<Pipeline>,
    /// When the connection was last seen to be lost.
    lost_at: Option<Instant>,
}

impl Peer {
    /// Opens sockets and makes the offer.
    pub(crate) async fn offer(
        signalling: IpAddr,
        source: Box<dyn Source>,
        config: VideoConfig,
    ) -> Result<(Self, String), PeerError> {
        let sockets = Sockets::open(signalling).await.map_err(PeerError::Socket)?;
        let start = Instant::now();
        let mut rtc = rtc_config(config).build(start);
        for address in sockets.addresses() {
            let candidate = Candidate::host(address, "udp").map_err(RtcError::from)?;
            rtc.add_local_candidate(candidate);
        }
        let mut changes = rtc.sdp_api();
        let mut add = |kind, track: &str| {
            // One stream for both tracks, so that players keep them in sync.
            let stream = Some("twoway".to_owned());
            changes.add_media(
                kind,
                Direction::SendOnly,
                stream,
                Some(track.to_owned()),
                None,
            )
        };
        let audio = add(MediaKind::Audio, "audio");
        let video = add(MediaKind::Video, "video");
        let (offer, pending) = changes.apply().ok_or(RtcError::ChangesOutOfOrder)?;
        let peer = Self {
            rtc,
            sockets,
            buffer: vec![0; MAX_DATAGRAM],
            pending: Some(pending),
            video,
            audio,
            start,
            config,
            source: Some(source),
            pipeline: None,
            lost_at: None,
        };
        Ok((peer, offer.to_sdp_string()))
    }

    /// Takes the server's answer, once.
    pub(crate) fn accept(&mut self, sdp: &str) -> Result<(), PeerError> {
        let refuse = |why: String| Err(PeerError::Answer(why));
        let Some(pending) = self.pending.take() else {
            return refuse("it is the second one".to_owned());
        };
        let answer = match SdpAnswer::from_sdp_string(sdp) {
            Ok(answer) => answer,
            Err(error) => return refuse(error.to_string()),
        };
        if let Err(error) = self.rtc.sdp_api().accept_answer(pending, answer) {
            return refuse(error.to_string());
        }
        let has_video = self.payload_type(self.video, Codec::H264).is_some();
        let has_audio = self.payload_type(self.audio, Codec::Opus).is_some();
        if !has_video && !has_audio {
            return refuse("it takes neither H.264 nor Opus".to_owned());
        }
        debug!(has_video, has_audio, "answer accepted");
        Ok(())
    }

    /// Runs the connection; returns when it is over. Cancelled, it loses nothing
    /// and can be called again.
    pub(crate) async fn run(&mut self) -> PeerError {
        loop {
            if let Err(error) = self.step().await {
                return error;
            }
        }
    }

    /// Obeys `Rtc` until it waits, then waits for one thing.
    async fn step(&mut self) -> Result<(), PeerError> {
        let timeout = self.drain()?;
        let deadline = self
            .lost_at
            .map_or(timeout, |lost| timeout.min(lost + GRACE));
        let next_encoded = async {
            match &mut self.pipeline {
                Some(pipeline) => pipeline.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            (length, source, destination) = self.sockets.recv(&mut self.buffer) => {
                self.handle_datagram(length, source, destination)
            }
            encoded = next_encoded => {
                let encoded = encoded?;
                self.send(encoded)
            }
            () = sleep_until(deadline.into()) => self.handle_timeout(),
        }
    }

    fn drain(&mut self) -> Result<Instant, PeerError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => return Ok(at),
                Output::Transmit(transmit) => {
                    let datagram = &transmit.contents;
                    self.sockets
                        .send(transmit.source, transmit.destination, datagram);
                }
                Output::Event(event) => self.handle_event(event)?,
            }
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "a sender has no use for the many events of receivers"
    )]
    fn handle_event(&mut self, event: Event) -> Result<(), PeerError> {
        match event {
            Event::Connected => {
                info!("media connection up");
                if let Some(source) = self.source.take() {
                    let pipeline = Pipeline::start(source, self.config);
                    self.pipeline = Some(pipeline.map_err(PeerError::Thread)?);
                }
            }
            Event::KeyframeRequest(request) => {
                debug!(kind = ?request.kind, "keyframe requested");
                if let Some(pipeline) = &self.pipeline {
                    pipeline.request_keyframe();
                }
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) | Event::Closed => {
                self.lost_at.get_or_insert_with(Instant::now);
            }
            Event::IceConnectionStateChange(
                IceConnectionState::Connected | IceConnectionState::Completed,
            ) => self.lost_at = None,
            _ => {}
        }
        Ok(())
    }

    fn handle_timeout(&mut self) -> Result<(), PeerError> {
        let now = Instant::now();
        if self.lost_at.is_some_and(|lost| lost + GRACE <= now) {
            return Err(PeerError::Lost);
        }
        Ok(self.rtc.handle_input(Input::Timeout(now))?)
    }

    /// Whatever a datagram holds, it does not end the connection.
    fn handle_datagram(
        &mut self,
        length: usize,
        source: SocketAddr,
        destination: SocketAddr,
    ) -> Result<(), PeerError> {
        let datagram = &self.buffer[..length];
        let receive = match Receive::new(Protocol::Udp, source, destination, datagram) {
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

    /// Sends a frame or packet. Its capture time becomes its RTP timestamp and
    /// the wall clock of sender reports (RFC 3550 section 6.4.1), on one clock
    /// for both tracks.
    fn send(&mut self, encoded: Encoded) -> Result<(), PeerError> {
        let (mid, codec, rate, capture_time, data) = match encoded {
            Encoded::Video(frame) => (
                self.video,
                Codec::H264,
                Frequency::NINETY_KHZ,
                frame.capture_time,
                frame.data,
            ),
            Encoded::Audio(packet) => (
                self.audio,
                Codec::Opus,
                Frequency::FORTY_EIGHT_KHZ,
                packet.capture_time,
                packet.data,
            ),
        };
        let Some(pt) = self.payload_type(mid, codec) else {
            return Ok(());
        };
        let since_start = capture_time.saturating_duration_since(self.start);
        let ticks = since_start.as_nanos() * u128::from(rate.get()) / 1_000_000_000;
        let rtp_time = MediaTime::new(ticks as u64, rate);
        if let Some(writer) = self.rtc.writer(mid) {
            writer.write(pt, capture_time, rtp_time, data)?;
        }
        Ok(())
    }

    /// The negotiated payload type; `None` if the server declined the track.
    fn payload_type(&mut self, mid: Mid, codec: Codec) -> Option<Pt> {
        let writer = self.rtc.writer(mid)?;
        let mut params = writer.payload_params();
        params.find(|p| p.spec().codec == codec).map(|p| p.pt())
    }
}

fn rtc_config(video: VideoConfig) -> RtcConfig {
    let mut config = RtcConfig::new().clear_codecs();
    let codecs = config.codec_config();
    codecs.enable_opus(true, false);
    codecs.add_h264(
        H264_PT.into(),
        Some(H264_RTX_PT.into()),
        true,
        profile_level_id(video.format),
    );
    config
}
