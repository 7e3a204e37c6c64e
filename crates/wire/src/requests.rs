//! What client to server messages are about.

use serde_json::Value;

use crate::lenient::{BadArgument, FromMembers, Members};
use crate::strict::{ToMembers, Writer};
use crate::{MediaSessionId, StreamEventType, StreamName};

/// `connection`: who the client is and what it can do.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Connection {
    /// The server-side application; `defaultApp` by convention.
    pub app_key: String,
    /// Usable media providers in order of preference.
    pub media_providers: Vec<String>,
    /// Keep the session's streams for a while after the socket is lost.
    pub keep_alive: Option<bool>,
    /// Resume token from an earlier `getUserData`.
    pub auth_token: Option<String>,
    /// Version of the signalling the client speaks; `2.0` today.
    pub client_version: String,
    /// The client's operating system.
    pub client_os_version: String,
    /// The client's browser or program.
    pub client_browser_version: String,
    /// Application data for the server's hooks.
    pub custom: Option<Value>,
    /// Whom to register as at a SIP server: only from clients that make calls.
    pub sip_login: Option<String>,
}

impl FromMembers for Connection {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            app_key: members.string("appKey"),
            media_providers: members.strings("mediaProviders"),
            keep_alive: members.maybe_flag("keepAlive"),
            auth_token: members.text("authToken"),
            client_version: members.string("clientVersion"),
            client_os_version: members.string("clientOSVersion"),
            client_browser_version: members.string("clientBrowserVersion"),
            custom: members.value("custom"),
            sip_login: members.text("sipLogin"),
        })
    }
}

impl ToMembers for Connection {
    fn to_members(&self, members: &mut Writer) {
        self.write(self.auth_token.as_deref(), members);
        members.maybe_text("sipLogin", self.sip_login.as_deref());
    }
}

impl Connection {
    /// Writes all members but those of SIP, with `auth_token` as the token.
    pub(crate) fn write(&self, auth_token: Option<&str>, members: &mut Writer) {
        members.text("appKey", &self.app_key);
        members.value("mediaProviders", &self.media_providers.as_slice().into());
        members.maybe_flag("keepAlive", self.keep_alive);
        members.maybe_text("authToken", auth_token);
        members.text("clientVersion", &self.client_version);
        members.text("clientOSVersion", &self.client_os_version);
        members.text("clientBrowserVersion", &self.client_browser_version);
        members.maybe_value("custom", self.custom.as_ref());
    }
}

/// `publishStream`: the offer of a publisher.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PublishStream {
    /// The stream's id, made by the client.
    pub media_session_id: Option<MediaSessionId>,
    /// The name to publish by.
    pub name: Option<StreamName>,
    /// Always `true`.
    pub published: bool,
    /// The offer has video to send.
    pub has_video: bool,
    /// The offer has audio to send.
    pub has_audio: bool,
    /// `PENDING`, or whatever an old client thinks; not to be trusted.
    pub status: String,
    /// Record on the server.
    pub record: bool,
    /// `WebRTC`.
    pub media_provider: String,
    /// The SDP offer.
    pub sdp: String,
    /// Application data for the server's hooks.
    pub custom: Option<Value>,
    /// Wanted video bitrate, kbit/s; 0 is unset.
    pub bitrate: f64,
    /// Least video bitrate, kbit/s; 0 is unset.
    pub min_bitrate: f64,
    /// Most video bitrate, kbit/s; 0 is unset.
    pub max_bitrate: f64,
    /// Where to publish the stream again by RTMP.
    pub rtmp_url: Option<String>,
    /// Media constraints as the application gave them.
    pub constraints: Option<Value>,
    /// `UDP` or `TCP`.
    pub transport: Option<String>,
    /// Whether the server may forward the video orientation extension.
    pub cvo_extension: Option<bool>,
}

impl FromMembers for PublishStream {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            media_session_id: members.id(),
            name: members.name(),
            published: members.flag("published"),
            has_video: members.flag("hasVideo"),
            has_audio: members.flag("hasAudio"),
            status: members.string("status"),
            record: members.flag("record"),
            media_provider: members.string("mediaProvider"),
            sdp: members.string("sdp"),
            custom: members.value("custom"),
            bitrate: members.number("bitrate"),
            min_bitrate: members.number("minBitrate"),
            max_bitrate: members.number("maxBitrate"),
            rtmp_url: members.text("rtmpUrl"),
            constraints: members.value("constraints"),
            transport: members.text("transport"),
            cvo_extension: members.maybe_flag("cvoExtension"),
        })
    }
}

impl ToMembers for PublishStream {
    fn to_members(&self, members: &mut Writer) {
        members.id(self.media_session_id.as_ref());
        members.name(self.name.as_ref());
        members.flag("published", self.published);
        members.flag("hasVideo", self.has_video);
        members.flag("hasAudio", self.has_audio);
        members.text("status", &self.status);
        members.flag("record", self.record);
        members.text("mediaProvider", &self.media_provider);
        members.text("sdp", &self.sdp);
        members.maybe_value("custom", self.custom.as_ref());
        members.number("bitrate", self.bitrate);
        members.number("minBitrate", self.min_bitrate);
        members.number("maxBitrate", self.max_bitrate);
        members.maybe_text("rtmpUrl", self.rtmp_url.as_deref());
        members.maybe_value("constraints", self.constraints.as_ref());
        members.maybe_text("transport", self.transport.as_deref());
        members.maybe_flag("cvoExtension", self.cvo_extension);
    }
}

/// `playStream`: the receive-only offer of a viewer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlayStream {
    /// The stream's id, made by the client.
    pub media_session_id: Option<MediaSessionId>,
    /// The name to play.
    pub name: Option<StreamName>,
    /// Always `false`.
    pub published: bool,
    /// Always `true`, even for audio only: look in the SDP.
    pub has_video: bool,
    /// Always `true`, even for video only: look in the SDP.
    pub has_audio: bool,
    /// `PENDING`; not to be trusted.
    pub status: String,
    /// Always `false`.
    pub record: bool,
    /// Wanted width in pixels; 0 is the source's.
    pub width: f64,
    /// Wanted height in pixels; 0 is the source's.
    pub height: f64,
    /// `WebRTC`, `MSE` or `WSPlayer`.
    pub media_provider: String,
    /// The SDP offer.
    pub sdp: String,
    /// Application data for the server's hooks.
    pub custom: Option<Value>,
    /// Wanted bitrate, kbit/s; 0 is the source's.
    pub bitrate: f64,
    /// Least bitrate, kbit/s; 0 is unset.
    pub min_bitrate: f64,
    /// Most bitrate, kbit/s; 0 is unset.
    pub max_bitrate: f64,
    /// 0 to 100; 0 is unset.
    pub quality: f64,
    /// Media constraints as the application gave them.
    pub constraints: Option<Value>,
    /// `UDP` or `TCP`.
    pub transport: Option<String>,
    /// Whether the server may forward the video orientation extension.
    pub cvo_extension: Option<bool>,
}

impl FromMembers for PlayStream {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            media_session_id: members.id(),
            name: members.name(),
            published: members.flag("published"),
            has_video: members.flag("hasVideo"),
            has_audio: members.flag("hasAudio"),
            status: members.string("status"),
            record: members.flag("record"),
            width: members.number("width"),
            height: members.number("height"),
            media_provider: members.string("mediaProvider"),
            sdp: members.string("sdp"),
            custom: members.value("custom"),
            bitrate: members.number("bitrate"),
            min_bitrate: members.number("minBitrate"),
            max_bitrate: members.number("maxBitrate"),
            quality: members.number("quality"),
            constraints: members.value("constraints"),
            transport: members.text("transport"),
            cvo_extension: members.maybe_flag("cvoExtension"),
        })
    }
}

impl ToMembers for PlayStream {
    fn to_members(&self, members: &mut Writer) {
        members.id(self.media_session_id.as_ref());
        members.name(self.name.as_ref());
        members.flag("published", self.published);
        members.flag("hasVideo", self.has_video);
        members.flag("hasAudio", self.has_audio);
        members.text("status", &self.status);
        members.flag("record", self.record);
        members.number("width", self.width);
        members.number("height", self.height);
        members.text("mediaProvider", &self.media_provider);
        members.text("sdp", &self.sdp);
        members.maybe_value("custom", self.custom.as_ref());
        members.number("bitrate", self.bitrate);
        members.number("minBitrate", self.min_bitrate);
        members.number("maxBitrate", self.max_bitrate);
        members.number("quality", self.quality);
        members.maybe_value("constraints", self.constraints.as_ref());
        members.maybe_text("transport", self.transport.as_deref());
        members.maybe_flag("cvoExtension", self.cvo_extension);
    }
}

/// `stopStream` of a viewer and `unPublishStream` of a publisher.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StopStream {
    /// The stream's id.
    pub media_session_id: Option<MediaSessionId>,
    /// The stream's name.
    pub name: Option<StreamName>,
    /// `true` from the publisher.
    pub published: bool,
    /// Always `true`.
    pub has_video: bool,
    /// Always `true`.
    pub has_audio: bool,
    /// The client's status when it asked; not to be trusted.
    pub status: String,
    /// Always `false`.
    pub record: bool,
}

impl FromMembers for StopStream {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            media_session_id: members.id(),
            name: members.name(),
            published: members.flag("published"),
            has_video: members.flag("hasVideo"),
            has_audio: members.flag("hasAudio"),
            status: members.string("status"),
            record: members.flag("record"),
        })
    }
}

impl ToMembers for StopStream {
    fn to_members(&self, members: &mut Writer) {
        members.id(self.media_session_id.as_ref());
        members.name(self.name.as_ref());
        members.flag("published", self.published);
        members.flag("hasVideo", self.has_video);
        members.flag("hasAudio", self.has_audio);
        members.text("status", &self.status);
        members.flag("record", self.record);
    }
}

/// `availableStream`: is the name live? The id is only for the reply.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AvailableRequest {
    /// Fresh id that the reply repeats.
    pub media_session_id: Option<MediaSessionId>,
    /// The name asked about.
    pub name: Option<StreamName>,
}

impl FromMembers for AvailableRequest {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            media_session_id: members.id(),
            name: members.name(),
        })
    }
}

impl ToMembers for AvailableRequest {
    fn to_members(&self, members: &mut Writer) {
        members.id(self.media_session_id.as_ref());
        members.name(self.name.as_ref());
    }
}

/// `snapshot`: a picture of the stream, please.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SnapshotRequest {
    /// The name of the stream.
    pub name: Option<StreamName>,
    /// Fresh or live id that the reply repeats.
    pub media_session_id: Option<MediaSessionId>,
}

impl FromMembers for SnapshotRequest {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            name: members.name(),
            media_session_id: members.id(),
        })
    }
}

impl ToMembers for SnapshotRequest {
    fn to_members(&self, members: &mut Writer) {
        members.name(self.name.as_ref());
        members.id(self.media_session_id.as_ref());
    }
}

/// `sendStreamEvent`: data or mute state from the publisher to its players.
#[derive(Debug, Clone, PartialEq)]
pub struct SendStreamEvent {
    /// The sender's stream.
    pub media_session_id: Option<MediaSessionId>,
    /// What happened.
    pub event_type: StreamEventType,
    /// Only for `data`: what the application passed.
    pub payload: Option<Value>,
}

impl FromMembers for SendStreamEvent {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            media_session_id: members.id(),
            event_type: StreamEventType::from_wire(&members.required("type")?),
            payload: members.value("payload"),
        })
    }
}

impl ToMembers for SendStreamEvent {
    fn to_members(&self, members: &mut Writer) {
        members.id(self.media_session_id.as_ref());
        members.text("type", self.event_type.as_str());
        members.maybe_value("payload", self.payload.as_ref());
    }
}

/// `sendData`: session-level data for the server's application.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SendData {
    /// Matched by the `DataStatusEvent` that answers.
    pub operation_id: String,
    /// What the application passed.
    pub payload: Value,
}

impl FromMembers for SendData {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            operation_id: members.string("operationId"),
            payload: members.value("payload").unwrap_or_default(),
        })
    }
}

impl ToMembers for SendData {
    fn to_members(&self, members: &mut Writer) {
        members.text("operationId", &self.operation_id);
        members.value("payload", &self.payload);
    }
}

/// `sessionDebug`: debug this session, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionDebugRequest {
    /// `start` or `stop`.
    pub command: String,
}

impl FromMembers for SessionDebugRequest {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            command: members.string("command"),
        })
    }
}

impl ToMembers for SessionDebugRequest {
    fn to_members(&self, members: &mut Writer) {
        members.text("command", &self.command);
    }
}
