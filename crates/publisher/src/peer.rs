//! The peer connection: offer, ICE, DTLS, and encoded media out.

use std::collections::VecDeque;
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

use crate::pipeline::Sent;
use crate::sockets::Sockets;
use crate::source::{EncodedFrame, EncodedPacket, VideoCodec};

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
    #[error("the server's answer cannot be used: {0}")]
    Answer(String),
    #[error("WebRTC: {0}")]
    Rtc(#[from] RtcError),
    #[error("the media connection is lost")]
    Lost,
}

/// What happens on a peer connection that its owner should know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum PeerEvent {
    /// ICE and DTLS are up: media can be sent.
    Connected,
    /// The server needs a keyframe.
    KeyframeRequested,
    /// What the network carries, in bits per second, has changed.
    Bandwidth(u64),
}

/// A send-only peer connection.
pub(crate) struct Peer {
    rtc: Rtc,
    sockets: Sockets,
    buffer: Vec<u8>,
    pending: Option<SdpPendingOffer>,
    sent: Sent,
    video: Option<Mid>,
    audio: Option<Mid>,
    /// RTP time zero of both tracks.
    start: Instant,
    events: VecDeque<PeerEvent>,
    /// When the connection was last seen to be lost.
    lost_at: Option<Instant>,
}

impl Peer {
    /// Opens sockets and makes the offer. `signalling` is this end's address
    /// towards the server, `start` what RTP timestamps count from: the same for
    /// all connections of a publication.
    pub(crate) async fn offer(
        signalling: IpAddr,
        sent: Sent,
        start: Instant,
    ) -> Result<(Self, String), PeerError> {
        let sockets = Sockets::open(signalling).await.map_err(PeerError::Socket)?;
        let mut rtc = rtc_config(sent).build(Instant::now());
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
        let audio = sent.audio.map(|_| add(MediaKind::Audio, "audio"));
        let video = sent.video.map(|_| add(MediaKind::Video, "video"));
        let (offer, pending) = changes.apply().ok_or(RtcError::ChangesOutOfOrder)?;
        let peer = Self {
            rtc,
            sockets,
            buffer: vec![0; MAX_DATAGRAM],
            pending: Some(pending),
            sent,
            video,
            audio,
            start,
            events: VecDeque::new(),
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
        let has_video = self.video_pt().is_some();
        let has_audio = self.audio_pt().is_some();
        if !has_video && !has_audio {
            return refuse("it takes no codec of the stream".to_owned());
        }
        debug!(has_video, has_audio, "answer accepted");
        Ok(())
    }

    /// Runs the connection until something happens that its owner should know,
    /// or it is over. Cancelled, it loses nothing and can be called again.
    pub(crate) async fn next(&mut self) -> Result<PeerEvent, PeerError> {
        loop {
            let timeout = self.drain()?;
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            self.wait(timeout).await?;
        }
    }

    /// Waits for a datagram or for time to pass.
    async fn wait(&mut self, timeout: Instant) -> Result<(), PeerError> {
        let deadline = self
            .lost_at
            .map_or(timeout, |lost| timeout.min(lost + GRACE));
        tokio::select! {
            (length, source, destination) = self.sockets.recv(&mut self.buffer) => {
                self.handle_datagram(length, source, destination)
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
                self.events.push_back(PeerEvent::Connected);
            }
            Event::KeyframeRequest(request) => {
                debug!(kind = ?request.kind, "keyframe requested");
                self.events.push_back(PeerEvent::KeyframeRequested);
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
        let since_start = capture_time.saturating_duration_since(self.start);
        let ticks = since_start.as_nanos() * u128::from(rate.get()) / 1_000_000_000;
        let rtp_time = MediaTime::new(ticks as u64, rate);
        if let Some(writer) = self.rtc.writer(mid) {
            writer.write(pt, capture_time, rtp_time, data)?;
        }
        Ok(())
    }

    /// The negotiated payload type; `None` if the server declined the track.
    fn video_pt(&mut self) -> Option<Pt> {
        let codec = match self.sent.video? {
            VideoCodec::H264 { .. } => Codec::H264,
            VideoCodec::Vp8 => Codec::Vp8,
            VideoCodec::Vp9 { .. } => Codec::Vp9,
            VideoCodec::Av1 => Codec::Av1,
        };
        self.payload_type(self.video?, codec)
    }

    /// See [`Self::video_pt`].
    fn audio_pt(&mut self) -> Option<Pt> {
        self.payload_type(self.audio?, Codec::Opus)
    }

    fn payload_type(&mut self, mid: Mid, codec: Codec) -> Option<Pt> {
        let writer = self.rtc.writer(mid)?;
        let mut params = writer.payload_params();
        params.find(|p| p.spec().codec == codec).map(|p| p.pt())
    }
}

fn rtc_config(sent: Sent) -> RtcConfig {
    let mut config = RtcConfig::new().clear_codecs();
    let codecs = config.codec_config();
    codecs.enable_opus(sent.audio.is_some(), false);
    match sent.video {
        Some(VideoCodec::H264 { profile_level_id }) => codecs.add_h264(
            H264_PT.into(),
            Some(H264_RTX_PT.into()),
            true,
            profile_level_id,
        ),
        Some(VideoCodec::Vp8) => codecs.enable_vp8(true),
        Some(VideoCodec::Vp9 { .. }) => codecs.enable_vp9(true),
        Some(VideoCodec::Av1) => codecs.enable_av1(true),
        None => {}
    }
    config
}
