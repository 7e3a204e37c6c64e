//! What becomes of sessions and streams, for whoever watches the server: hooks,
//! logs and the API for operators. Tokens are left out of all of it.

use std::net::SocketAddr;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};
use wire::{Connection, DataStatusEvent, StreamStatusEvent};

use super::{ClientId, Config};

/// The application of a client that names none.
const DEFAULT_APP: &str = "defaultApp";

/// Most media providers kept of a session.
const MAX_PROVIDERS: usize = 8;

/// Something happened. Said only if [`Config::notices`] asks for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// A session is established. One that is resumed goes on without a notice.
    SessionEstablished {
        /// Whose it is.
        client: ClientId,
        /// The session.
        session: Arc<SessionInfo>,
    },
    /// A session is over, and all of its streams before it.
    SessionEnded {
        /// Whose it was last.
        client: ClientId,
        /// The session.
        session: Arc<SessionInfo>,
    },
    /// A stream has the status that its client is told, or would be if it had a
    /// socket; refused ones included.
    Stream {
        /// Whose it is.
        client: ClientId,
        /// The stream.
        stream: Box<StreamInfo>,
    },
    /// A client says what became of the data that it was sent.
    Data {
        /// Who.
        client: ClientId,
        /// The session.
        session: Arc<SessionInfo>,
        /// What became of which.
        event: DataStatusEvent,
    },
}

/// What is known of a session. An HTTP request for media (WHIP and WHEP) makes
/// none; its stream has one of its own, made of the request's addresses.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionInfo {
    /// The server's own [`Config::node_id`].
    pub node_id: String,
    /// `/<client address>/<server address>`: what its token has before the part
    /// that is a secret.
    pub session_id: String,
    /// The application that the client names.
    pub app_key: String,
    /// The client's media providers.
    pub media_providers: Vec<String>,
    /// Version of the signalling that the client speaks.
    pub client_version: String,
    /// The client's operating system.
    #[serde(rename = "clientOSVersion")]
    pub client_os_version: String,
    /// The client's browser or program.
    pub client_browser_version: String,
    /// It waits for its client when the socket is lost.
    pub keep_alive: bool,
    /// When it was established, milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_date: Option<u64>,
    /// The client's application data, without its `token`; left out if it is larger than
    /// [`Limits::custom_bytes`](crate::limits::Limits::custom_bytes).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Value>,
}

impl SessionInfo {
    /// Of a session with this `token`. Texts are kept no longer than names may be.
    pub(super) fn of_connection(
        config: &Config,
        token: &str,
        connection: &Connection,
        create_date: Option<u64>,
    ) -> Self {
        let limits = &config.limits;
        let short = |text: &str| text.chars().take(limits.name_chars).collect();
        let providers = connection.media_providers.iter().take(MAX_PROVIDERS);
        let custom = without_token(connection.custom.as_ref());
        Self {
            node_id: config.node_id.clone(),
            session_id: public_id(token).into(),
            app_key: short(&connection.app_key),
            media_providers: providers.map(|provider| short(provider)).collect(),
            client_version: short(&connection.client_version),
            client_os_version: short(&connection.client_os_version),
            client_browser_version: short(&connection.client_browser_version),
            keep_alive: connection.keep_alive == Some(true),
            create_date,
            custom: custom.filter(|custom| custom.to_string().len() <= limits.custom_bytes),
        }
    }

    /// Of an HTTP request for media.
    pub(super) fn of_request(config: &Config, remote: SocketAddr, local: SocketAddr) -> Self {
        Self {
            node_id: config.node_id.clone(),
            session_id: session_id(remote, local),
            app_key: DEFAULT_APP.into(),
            media_providers: vec!["WebRTC".into()],
            ..Self::default()
        }
    }
}

/// A stream at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamInfo {
    /// Its session.
    pub session: Arc<SessionInfo>,
    /// Its status and what it is, with application data without its `token`.
    pub event: StreamStatusEvent,
}

impl StreamInfo {
    pub(super) fn new(session: Arc<SessionInfo>, mut event: StreamStatusEvent) -> Self {
        event.custom = without_token(event.custom.as_ref());
        Self { session, event }
    }

    /// The object that hooks and the REST API know a stream by: the members of its
    /// status and `nodeId`, `appKey` and `sessionId`.
    pub fn to_members(&self) -> Map<String, Value> {
        let mut members = self.event.to_members();
        members.insert("nodeId".into(), json!(self.session.node_id));
        members.insert("appKey".into(), json!(self.session.app_key));
        members.insert("sessionId".into(), json!(self.session.session_id));
        members
    }
}

/// What of a session's token may be told.
pub(super) fn public_id(token: &str) -> &str {
    token
        .rsplit_once('/')
        .map_or("", |(public, _secret)| public)
}

/// `/<client address>/<server address>`.
pub(super) fn session_id(remote: SocketAddr, local: SocketAddr) -> String {
    format!("/{remote}/{local}")
}

/// Application data for others than the client itself: whoever has its token may
/// do what it may.
fn without_token(custom: Option<&Value>) -> Option<Value> {
    let mut custom = custom?.clone();
    if let Some(members) = custom.as_object_mut() {
        members.remove("token");
    }
    Some(custom)
}
