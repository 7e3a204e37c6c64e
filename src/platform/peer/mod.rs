//! One WebRTC peer connection a stream (RFC 8829): it makes the offer, the
//! server answers. There is no trickle in this protocol: the offer leaves
//! without candidates, and the server's are in its answer.

mod evidence;
mod probe;
mod rrtr;
mod sender;
mod sound_lag;
pub mod stats;

use core::cell::Cell;
use core::time::Duration;

use gloo_events::EventListener;
use session::{IceServer, LocalCandidate, Severity};
use thiserror::Error;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    EventTarget, MediaStream, MediaStreamTrack, RtcBundlePolicy, RtcConfiguration,
    RtcIceConnectionState, RtcIceServer, RtcPeerConnection, RtcPeerConnectionIceEvent,
    RtcPeerConnectionState, RtcRtpTransceiver, RtcRtpTransceiverDirection, RtcRtpTransceiverInit,
    RtcSdpType, RtcSessionDescriptionInit, RtcTrackEvent,
};
use yew::Callback;

pub use evidence::{evidence, is_answered_without_candidates, is_failed};
pub use probe::{Milestones, Probe};
pub use sender::Sender;

use self::rrtr::with_rrtr;
use self::sound_lag::{granted, with_sound_lag};
use super::Thrown;
use super::media::{Camera, Picture};
use super::task::Task;
use super::timer::{self, Timer};

/// A connection that is silent for longer will not come back in time to be
/// worth waiting for: a new one takes a fraction of a second.
const DISCONNECTED_GRACE: Duration = Duration::from_secs(3);

/// A Web Call Server says why it closed a connection, right after or before.
const CLOSED_GRACE: Duration = Duration::from_secs(1);

/// Why a peer connection does not come about.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PeerError {
    /// The browser makes no peer connection.
    #[error("the browser refuses a peer connection: {0}")]
    Create(Thrown),
    /// No offer could be made.
    #[error("the browser makes no offer: {0}")]
    Offer(Thrown),
    /// The server named STUN or TURN servers that the browser does not take.
    #[error("the server's STUN and TURN servers were refused: {0}")]
    IceServers(Thrown),
    /// The server's answer does not fit.
    #[error("the server's answer was refused: {0}")]
    Answer(Thrown),
    /// ICE or DTLS failed.
    #[error("the media connection failed (ICE or DTLS)")]
    ConnectionFailed,
    /// It worked and then nothing came any more.
    #[error("the media connection was lost")]
    ConnectionLost,
}

impl PeerError {
    /// Whether another try may go better.
    pub fn severity(&self) -> Severity {
        match self {
            Self::ConnectionFailed | Self::ConnectionLost => Severity::Passing,
            Self::Create(_) | Self::Offer(_) | Self::IceServers(_) | Self::Answer(_) => {
                Severity::Fatal
            }
        }
    }
}

/// What a peer connection reports.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerEvent {
    /// The offer, already set as local description.
    Offer(String),
    /// The remote tracks are there, all of them.
    Picture(Picture),
    /// A candidate was found; `None` after the last. Only WHIP and WHEP tell the
    /// server: a Web Call Server learns them from the checks.
    Candidate(Option<LocalCandidate>),
    /// ICE and DTLS are done: media can flow.
    Connected,
    /// Nothing more will come of it.
    Failed(PeerError),
}

/// Whether the browser has peer connections at all.
pub fn is_supported() -> bool {
    js_sys::Reflect::has(&js_sys::global(), &"RTCPeerConnection".into()).unwrap_or(false)
}

/// A peer connection. Dropping it closes it, and no event comes after.
#[must_use = "dropping a peer closes it"]
pub struct Peer {
    connection: RtcPeerConnection,
    probe: Probe,
    on_event: Callback<PeerEvent>,
    listeners: Vec<EventListener>,
    negotiation: Option<Task>,
    /// The remote tracks.
    received: MediaStream,
}

impl Peer {
    /// A peer that receives audio and video.
    ///
    /// # Errors
    /// The browser makes none.
    pub fn player(on_event: Callback<PeerEvent>) -> Result<Self, PeerError> {
        let mut peer = Self::new(on_event)?;
        let init = RtcRtpTransceiverInit::new();
        init.set_direction(RtcRtpTransceiverDirection::Recvonly);
        for kind in ["audio", "video"] {
            peer.connection
                .add_transceiver_with_str_and_init(kind, &init);
        }
        peer.listeners.push(peer.listen_for_tracks());
        Ok(peer)
    }

    /// A peer that sends what `camera` captures.
    ///
    /// # Errors
    /// The browser makes none.
    pub fn publisher(camera: &Camera, on_event: Callback<PeerEvent>) -> Result<Self, PeerError> {
        let peer = Self::new(on_event)?;
        let init = RtcRtpTransceiverInit::new();
        init.set_direction(RtcRtpTransceiverDirection::Sendonly);
        // One stream for both tracks, so that players keep them in sync.
        init.set_streams(&js_sys::Array::of1(camera.stream()));
        for track in camera.tracks() {
            peer.connection
                .add_transceiver_with_media_stream_track_and_init(&track, &init);
        }
        Ok(peer)
    }

    /// Starts making the offer; [`PeerEvent::Offer`] brings it.
    pub fn create_offer(&mut self) {
        let connection = self.connection.clone();
        let probe = self.probe.clone();
        let on_event = self.on_event.clone();
        self.negotiation = Some(Task::spawn(async move {
            on_event.emit(match offer(&connection).await {
                Ok(sdp) => {
                    probe.note(|steps| &mut steps.offered_ms, timer::now_ms());
                    PeerEvent::Offer(sdp)
                }
                Err(cause) => PeerEvent::Failed(PeerError::Offer(cause.into())),
            });
        }));
    }

    /// Takes the STUN and TURN servers to use; before the answer.
    ///
    /// # Errors
    /// The browser does not like one of them.
    pub fn set_ice_servers(&self, servers: &[IceServer]) -> Result<(), PeerError> {
        let configuration = self.connection.get_configuration();
        configuration.set_ice_servers(&servers.iter().map(ice_server).collect::<js_sys::Array>());
        self.connection
            .set_configuration_with_configuration(&configuration)
            .map_err(|cause| PeerError::IceServers(cause.into()))
    }

    /// Takes the server's answer; [`PeerEvent::Picture`] brings what comes by it,
    /// [`PeerEvent::Failed`] tells that it does not fit.
    pub fn apply_answer(&mut self, sdp: &str) {
        self.probe
            .note(|steps| &mut steps.answered_ms, timer::now_ms());
        self.probe.set_sound_lag(granted(sdp));
        let (connection, sdp) = (self.connection.clone(), sdp.to_owned());
        let (on_event, received) = (self.on_event.clone(), Picture::new(&self.received));
        self.negotiation = Some(Task::spawn(async move {
            match answer(&connection, &sdp).await {
                // The browser has told of all tracks by now (WebRTC, section 4.4.1.5).
                Ok(()) if received.is_empty() => {}
                Ok(()) => on_event.emit(PeerEvent::Picture(received)),
                Err(cause) => on_event.emit(PeerEvent::Failed(PeerError::Answer(cause.into()))),
            }
        }));
    }

    fn new(on_event: Callback<PeerEvent>) -> Result<Self, PeerError> {
        let configuration = RtcConfiguration::new();
        configuration.set_bundle_policy(RtcBundlePolicy::MaxBundle);
        let connection = RtcPeerConnection::new_with_configuration(&configuration)
            .map_err(|cause| PeerError::Create(cause.into()))?;
        let probe = Probe::new(&connection, timer::now_ms());
        let listeners = vec![
            listen_to_ice(&connection, &probe),
            listen_to_connection(&connection, &probe, &on_event),
            listen_for_candidates(&connection, &on_event),
        ];
        Ok(Self {
            connection,
            probe,
            on_event,
            listeners,
            negotiation: None,
            received: MediaStream::new().map_err(|cause| PeerError::Create(cause.into()))?,
        })
    }

    /// A look into the connection.
    pub fn probe(&self) -> Probe {
        self.probe.clone()
    }

    /// Gathers the tracks in a stream of our own: servers differ in whether
    /// their answer names one, and it must be the same for audio and video.
    fn listen_for_tracks(&self) -> EventListener {
        let (received, probe) = (Clone::clone(&self.received), self.probe.clone());
        let first_packet = Cell::new(None);
        EventListener::new(&self.connection, "track", move |event| {
            let track = event.unchecked_ref::<RtcTrackEvent>().track();
            if track.kind() == "video" {
                first_packet.set(Some(listen_to_first_packet(&track, &probe)));
            }
            received.add_track(&track);
        })
    }
}

/// A server that ends the DTLS association says so in no other way to a WHEP
/// viewer: the connection's own state stays "connected".
fn listen_to_transport(
    connection: &RtcPeerConnection,
    on_event: &Callback<PeerEvent>,
) -> Option<EventListener> {
    let receiver = connection.get_receivers().get(0);
    let transport = js_sys::Reflect::get(&receiver, &"transport".into()).ok()?;
    let transport: EventTarget = transport.dyn_into().ok()?;
    let (state_of, on_event) = (transport.clone(), on_event.clone());
    let grace = Cell::new(None);
    Some(EventListener::new(&transport, "statechange", move |_| {
        let state = js_sys::Reflect::get(&state_of, &"state".into());
        if state.is_ok_and(|state| state == "closed") {
            let on_event = on_event.clone();
            grace.set(Some(Timer::after(CLOSED_GRACE, move || {
                on_event.emit(PeerEvent::Failed(PeerError::ConnectionLost));
            })));
        }
    }))
}

/// A received track is muted until its first packet (WebRTC, section 5.4).
fn listen_to_first_packet(track: &MediaStreamTrack, probe: &Probe) -> EventListener {
    let probe = probe.clone();
    EventListener::new(track, "unmute", move |_| {
        probe.note(|steps| &mut steps.first_packet_ms, timer::now_ms());
    })
}

fn listen_to_ice(connection: &RtcPeerConnection, probe: &Probe) -> EventListener {
    let (peer, probe) = (connection.clone(), probe.clone());
    EventListener::new(connection, "iceconnectionstatechange", move |_| {
        if peer.ice_connection_state() == RtcIceConnectionState::Connected {
            probe.note(|steps| &mut steps.ice_ms, timer::now_ms());
        }
    })
}

fn listen_for_candidates(
    connection: &RtcPeerConnection,
    on_event: &Callback<PeerEvent>,
) -> EventListener {
    let on_event = on_event.clone();
    EventListener::new(connection, "icecandidate", move |event| {
        let event = event.unchecked_ref::<RtcPeerConnectionIceEvent>();
        on_event.emit(PeerEvent::Candidate(event.candidate().map(|candidate| {
            LocalCandidate {
                candidate: candidate.candidate(),
                mid: candidate.sdp_mid(),
                line_index: candidate.sdp_m_line_index(),
            }
        })));
    })
}

fn ice_server(server: &IceServer) -> RtcIceServer {
    let entry = RtcIceServer::new();
    let urls: js_sys::Array = server.urls.iter().map(JsValue::from).collect();
    entry.set_urls(&urls);
    if let Some(username) = &server.username {
        entry.set_username(username);
    }
    if let Some(credential) = &server.credential {
        entry.set_credential(credential);
    }
    entry
}

fn listen_to_connection(
    connection: &RtcPeerConnection,
    probe: &Probe,
    on_event: &Callback<PeerEvent>,
) -> EventListener {
    let (peer, probe, on_event) = (connection.clone(), probe.clone(), on_event.clone());
    let grace = Cell::new(None);
    let transport = Cell::new(None);
    EventListener::new(connection, "connectionstatechange", move |_| {
        let state = peer.connection_state();
        grace.set((state == RtcPeerConnectionState::Disconnected).then(|| {
            let on_event = on_event.clone();
            Timer::after(DISCONNECTED_GRACE, move || {
                on_event.emit(PeerEvent::Failed(PeerError::ConnectionLost));
            })
        }));
        if state == RtcPeerConnectionState::Connected {
            probe.note(|steps| &mut steps.dtls_ms, timer::now_ms());
            transport.set(listen_to_transport(&peer, &on_event));
            on_event.emit(PeerEvent::Connected);
        } else if state == RtcPeerConnectionState::Failed {
            on_event.emit(PeerEvent::Failed(PeerError::ConnectionFailed));
        }
    })
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.negotiation = None;
        self.listeners.clear();
        self.connection.close();
    }
}

async fn offer(connection: &RtcPeerConnection) -> Result<String, JsValue> {
    let offer = JsFuture::from(connection.create_offer()).await?;
    let offer: RtcSessionDescriptionInit = offer.unchecked_into();
    let sdp = offer.get_sdp().unwrap_or_default();
    if !receives(connection) {
        JsFuture::from(connection.set_local_description(&offer)).await?;
        return Ok(sdp);
    }
    let timed = RtcSessionDescriptionInit::new(RtcSdpType::Offer);
    timed.set_sdp(&with_rrtr(&sdp));
    let applied = JsFuture::from(connection.set_local_description(&timed)).await;
    if applied.is_err() {
        JsFuture::from(connection.set_local_description(&offer)).await?;
    }
    Ok(with_sound_lag(&sdp))
}

async fn answer(connection: &RtcPeerConnection, sdp: &str) -> Result<(), JsValue> {
    let description = RtcSessionDescriptionInit::new(RtcSdpType::Answer);
    if receives(connection) {
        description.set_sdp(&with_rrtr(sdp));
        let applied = JsFuture::from(connection.set_remote_description(&description)).await;
        if applied.is_ok() {
            return Ok(());
        }
    }
    description.set_sdp(sdp);
    JsFuture::from(connection.set_remote_description(&description)).await?;
    Ok(())
}

/// Whether frames come in, whose capture times are worth knowing.
fn receives(connection: &RtcPeerConnection) -> bool {
    connection.get_transceivers().iter().any(|transceiver| {
        let transceiver: RtcRtpTransceiver = transceiver.unchecked_into();
        transceiver.direction() == RtcRtpTransceiverDirection::Recvonly
    })
}
