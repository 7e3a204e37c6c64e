//! One WebRTC peer that is being negotiated.

use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use srtp_keys::Secret;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::config::DtlsCert;
use str0m::crypto::from_feature_flags;
use str0m::format::{Codec, FormatParams};
use str0m::media::{Direction, Frequency, MediaKind, Mid};
use str0m::net::Protocol;
use str0m::{Candidate, Rtc, RtcConfig};
use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::publisher::Publisher;
use crate::results::MediaShape;
use crate::socket::Socket;
use crate::viewer::{Milestones, Viewer};

/// Dynamic payload types (RFC 3551 section 6); any three would do.
const VIDEO: u8 = 108;
const REPAIRS: u8 = 109;
const SOUND: u8 = 111;

/// Constrained baseline, level 3.1: what every WebRTC server knows.
const PROFILE: u32 = 0x42_e01f;

/// The longest time between two checks that the server still answers (RFC 7675), and
/// how many without an answer are the end: about as long as browsers wait.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
const CHECKS: usize = 7;

/// One for all peers: making it takes longer than a handshake.
static CERTIFICATE: LazyLock<Option<DtlsCert>> =
    LazyLock::new(|| from_feature_flags().dtls_provider.generate_certificate());

/// What a peer is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Publisher(MediaShape),
    Viewer,
}

/// One WebRTC peer being negotiated, its socket bound and its `Rtc` built. Either end
/// can make the offer.
pub struct Draft {
    pub(crate) rtc: Rtc,
    secret: Secret,
    pub(crate) socket: Socket,
    role: Role,
    stream: u32,
    has_sound: bool,
    mids: Vec<(Mid, MediaKind)>,
    pending: Option<SdpPendingOffer>,
}

impl Draft {
    /// A peer of the stream numbered `stream`, at this address of ours.
    pub(crate) fn new(ip: IpAddr, role: Role, stream: u32, has_sound: bool) -> Result<Self> {
        let socket = Socket::bind(ip)
            .map_err(|error| Error::because("the generator gets no more UDP sockets", error))?;
        let (mut rtc, secret) = srtp_keys::build(config(has_sound), Instant::now());
        let candidate = Candidate::host(socket.local(), Protocol::Udp)
            .map_err(|error| Error::because(format!("no media can go over {ip}"), error))?;
        rtc.add_local_candidate(candidate);
        Ok(Self {
            rtc,
            secret,
            socket,
            role,
            stream,
            has_sound,
            mids: Vec::new(),
            pending: None,
        })
    }

    /// Makes our offer, with its candidate in it.
    ///
    /// # Errors
    /// There is one already.
    pub fn offer(&mut self) -> Result<String> {
        let direction = match self.role {
            Role::Publisher(_) => Direction::SendOnly,
            Role::Viewer => Direction::RecvOnly,
        };
        let mut changes = self.rtc.sdp_api();
        let kinds = [
            self.has_sound.then_some(MediaKind::Audio),
            Some(MediaKind::Video),
        ];
        for kind in kinds.into_iter().flatten() {
            let stream = (direction == Direction::SendOnly).then(|| "twoway-load".to_owned());
            let mid = changes.add_media(kind, direction, stream, None, None);
            self.mids.push((mid, kind));
        }
        let made = changes.apply();
        let (offer, pending) = made.ok_or_else(|| Error::new("a peer can make only one offer"))?;
        self.pending = Some(pending);
        Ok(offer.to_sdp_string())
    }

    /// Takes the server's answer to our offer.
    ///
    /// # Errors
    /// It is no answer to it, or takes no video.
    pub fn accept(&mut self, answer: &str) -> Result<()> {
        let unusable = |why: String| Error::because("the server's answer cannot be used", why);
        let pending = self.pending.take();
        let pending = pending.ok_or_else(|| unusable("there was no offer".to_owned()))?;
        let answer = SdpAnswer::from_sdp_string(answer);
        let answer = answer.map_err(|error| unusable(error.to_string()))?;
        let accepted = self.rtc.sdp_api().accept_answer(pending, answer);
        accepted.map_err(|error| unusable(error.to_string()))?;
        self.check_video()
    }

    /// Takes the server's offer and answers it.
    ///
    /// # Errors
    /// It is none, or there is nothing in it that we could take.
    pub fn answer(&mut self, offer: &str) -> Result<String> {
        let unusable = |why: String| Error::because("the server's offer cannot be used", why);
        let offer = SdpOffer::from_sdp_string(offer);
        let offer = offer.map_err(|error| unusable(error.to_string()))?;
        let answer = self.rtc.sdp_api().accept_offer(offer);
        let answer = answer.map_err(|error| unusable(error.to_string()))?;
        Ok(answer.to_sdp_string())
    }

    fn check_video(&self) -> Result<()> {
        let mut videos = self
            .mids
            .iter()
            .filter(|(_, kind)| *kind == MediaKind::Video);
        let is_taken = videos.all(|(mid, _)| self.rtc.media(*mid).is_some_and(|m| !m.disabled()));
        let refused = "the server takes no H.264, which is what the generator sends";
        is_taken.then_some(()).ok_or_else(|| Error::new(refused))
    }

    /// The viewer that this has become, and its socket.
    pub(crate) fn into_viewer(self, joined: oneshot::Sender<Milestones>) -> (Viewer, Socket) {
        let local = self.socket.local();
        let connection = (self.rtc, self.secret);
        let viewer = Viewer::new(connection, local, self.mids, self.stream, joined);
        (viewer, self.socket)
    }

    /// The publisher that this has become, and its socket; `None` of a viewer's draft.
    pub(crate) fn into_publisher(self, ready: oneshot::Sender<()>) -> Option<(Publisher, Socket)> {
        let Role::Publisher(shape) = self.role else {
            return None;
        };
        let local = self.socket.local();
        let what = (self.stream, shape);
        let publisher = Publisher::new(self.rtc, local, self.mids, what, ready);
        Some((publisher, self.socket))
    }
}

/// Just what the generator sends: one H.264 with its retransmissions, and Opus.
fn config(has_sound: bool) -> RtcConfig {
    let mut config = Rtc::builder().set_rtp_mode(true).clear_codecs();
    if let Some(certificate) = CERTIFICATE.clone() {
        config = config.set_dtls_cert(certificate);
    }
    config.set_max_stun_rto(CHECK_INTERVAL);
    config.set_max_stun_retransmits(CHECKS);
    let codecs = config.codec_config();
    codecs.add_h264(VIDEO.into(), Some(REPAIRS.into()), true, PROFILE);
    if has_sound {
        codecs.add_config(
            SOUND.into(),
            None,
            Codec::Opus,
            Frequency::FORTY_EIGHT_KHZ,
            Some(2),
            FormatParams::parse_line("minptime=10;useinbandfec=1"),
        );
    }
    config
}
