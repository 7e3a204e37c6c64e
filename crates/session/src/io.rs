//! What goes into a session and what comes out of it.

use core::time::Duration;

use serde_json::Value;
use thiserror::Error;
use wire::{MediaSessionId, StreamEventType, StreamName};

use crate::{
    BadName, Event, HttpRequest, HttpResponse, IceServer, LocalCandidate, Play, Publish, RequestId,
    Severity, StreamRole, Token,
};

/// Streams a session can have at once; one page needs two.
pub const MAX_STREAMS: usize = 100;

/// Replies to [`Input::Available`] a session can wait for at once.
pub const MAX_AVAILABLE_REQUESTS: usize = 100;

/// Most bytes of a message taken from a socket; longer ones are dropped. The
/// longest that servers send, those with SDP, take a few thousand.
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1_024;

/// How a session behaves; everything the application may choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The server-side application.
    pub app_key: String,
    /// What the client says of its operating system.
    pub client_os_version: String,
    /// What the client says of its browser or program.
    pub client_browser_version: String,
    /// Application data for the server.
    pub custom: Option<Value>,
    /// What gives rights: it goes with the application data as their `token`, unless they
    /// have one or are no object.
    pub token: Option<Token>,
    /// From [`Input::Connect`] to ESTABLISHED; then the session fails.
    pub connect_timeout: Duration,
    /// From a publish or play request to its first active or final status;
    /// then the stream fails locally. Also how long the server has to confirm
    /// a stop and to answer [`Input::Available`].
    pub stream_timeout: Duration,
    /// With nothing at all from the server for this long, the session fails.
    /// The server pings every 5 s.
    pub silence_timeout: Duration,
}

/// What happened. A session ignores what is not for its kind: `Socket*` are for
/// [`crate::Session`], those marked "HTTP only" for [`crate::HttpSession`].
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The application connects. Once, first.
    Connect,
    /// The application disconnects.
    Disconnect,
    /// The application publishes.
    Publish(Publish),
    /// The application plays.
    Play(Play),
    /// The application stops a stream, whichever its role.
    Stop(MediaSessionId),
    /// The application asks whether a name is live; answered by
    /// [`Event::Available`] with the same id.
    Available {
        /// Fresh id.
        id: MediaSessionId,
        /// The name asked about.
        name: StreamName,
    },
    /// The publisher sends data or mute state to its players.
    SendStreamEvent {
        /// The publishing stream.
        id: MediaSessionId,
        /// What happened.
        event_type: StreamEventType,
        /// Only with [`StreamEventType::Data`].
        payload: Option<Value>,
    },
    /// The socket is open.
    SocketOpened,
    /// A text frame came.
    SocketMessage(String),
    /// The socket closed, whoever closed it.
    SocketClosed,
    /// The socket failed; the text is for people.
    SocketFailed(String),
    /// Media made the offer asked for by [`Output::CreateOffer`].
    OfferCreated {
        /// The stream.
        id: MediaSessionId,
        /// The offer.
        sdp: String,
        /// The offer has audio to send or receive.
        has_audio: bool,
        /// The offer has video to send or receive.
        has_video: bool,
    },
    /// Media cannot make an offer, take the answer, or broke down later (no
    /// camera, bad SDP, ICE or DTLS lost); the text is for people.
    MediaFailed {
        /// The stream.
        id: MediaSessionId,
        /// What the media layer said.
        error: String,
        /// Passing if the connection was lost; fatal if there is no camera, no
        /// permission, or the answer does not fit.
        severity: Severity,
    },
    /// The peer connection is connected. HTTP only.
    MediaConnected {
        /// The stream.
        id: MediaSessionId,
    },
    /// The peer connection found a candidate. HTTP only.
    LocalCandidate {
        /// The stream.
        id: MediaSessionId,
        /// `None` after the last one.
        candidate: Option<LocalCandidate>,
    },
    /// The response to an [`Output::Request`], whatever its status. HTTP only.
    Response {
        /// The request.
        id: RequestId,
        /// What came.
        response: HttpResponse,
    },
    /// An [`Output::Request`] came to nothing: network, CORS, time-out. HTTP
    /// only.
    RequestFailed {
        /// The request.
        id: RequestId,
        /// What the platform said, for people.
        error: String,
    },
    /// The time asked for by [`crate::Session::timeout`] has come.
    Timeout,
}

/// What the driver must do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Open the WebSocket; then [`Input::SocketOpened`] or [`Input::SocketFailed`].
    OpenSocket,
    /// Send a text frame.
    Send(String),
    /// Close the socket, if it is still open. No answer is needed.
    CloseSocket,
    /// Make a peer connection and its offer; then [`Input::OfferCreated`] or
    /// [`Input::MediaFailed`].
    CreateOffer {
        /// The stream.
        id: MediaSessionId,
        /// Send-only for a publisher, receive-only for a player.
        role: StreamRole,
    },
    /// Send a request; then exactly one [`Input::Response`] or
    /// [`Input::RequestFailed`]. One that is on its way when the session ends
    /// is not taken back. From an [`crate::HttpSession`] only.
    Request(HttpRequest),
    /// Tell the peer connection its STUN and TURN servers; [`Self::ApplyAnswer`]
    /// follows. From an [`crate::HttpSession`] only.
    IceServers {
        /// The stream.
        id: MediaSessionId,
        /// At least one.
        servers: Vec<IceServer>,
    },
    /// Give the answer to the peer connection; [`Input::MediaFailed`] if it is refused.
    ApplyAnswer {
        /// The stream.
        id: MediaSessionId,
        /// The answer.
        sdp: String,
    },
    /// Close the stream's peer connection, if there is one. No answer is needed.
    CloseMedia {
        /// The stream.
        id: MediaSessionId,
    },
    /// Tell the application.
    Notify(Event),
}

/// The application asked for something that its session's state does not allow.
/// Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// Streams need an ESTABLISHED session.
    #[error("the session is not established")]
    NotEstablished,
    /// The session was connected before.
    #[error("a session connects only once")]
    AlreadyConnected,
    /// The id belongs to another stream of this session.
    #[error("the stream id is already in use")]
    IdInUse,
    /// No stream of this session has the id, or it has ended.
    #[error("no such stream")]
    NoSuchStream,
    /// Data and mute state go out only while PUBLISHING.
    #[error("the stream is not publishing")]
    NotPublishing,
    /// The session has [`MAX_STREAMS`] live streams, or waits for
    /// [`MAX_AVAILABLE_REQUESTS`] replies or [`crate::MAX_REQUESTS`] responses.
    #[error("too many streams or requests at once")]
    LimitReached,
    /// The endpoint's URL cannot hold the stream's name. HTTP only.
    #[error(transparent)]
    BadName(#[from] BadName),
    /// WHIP has no way to send data to the players. HTTP only.
    #[error("this server cannot send data to the players")]
    NoData,
}
