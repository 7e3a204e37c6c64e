//! `notifyStreamStatusEvent`: the server tells where a stream is in its life.

use serde_json::{Map, Value, json};

use crate::lenient::{BadArgument, FromMembers, Members};
use crate::strict::{ToMembers, Writer};
use crate::{MediaSessionId, StreamName, StreamStatus};

/// Whether a track is muted at the publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MuteState {
    /// `true` while muted.
    pub muted: bool,
}

impl MuteState {
    fn of(value: Option<Value>) -> Option<Self> {
        let mut members = Members::of(Some(value?)).ok()?;
        Some(Self {
            muted: members.flag("muted"),
        })
    }
}

/// `notifyStreamStatusEvent`: where the receiver's stream now is. Mobile
/// clients replace their whole stream object by this one, so it is complete.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamStatusEvent {
    /// The receiver's stream.
    pub media_session_id: MediaSessionId,
    /// Its status.
    pub status: StreamStatus,
    /// Why; see [`crate::info`].
    pub info: Option<String>,
    /// The stream's name.
    pub name: Option<StreamName>,
    /// `true` for the publisher.
    pub published: bool,
    /// The stream has video.
    pub has_video: bool,
    /// The stream has audio.
    pub has_audio: bool,
    /// `WebRTC`.
    pub media_provider: String,
    /// The server records the stream.
    pub record: bool,
    /// Pixels; 0 if unknown.
    pub width: f64,
    /// Pixels; 0 if unknown.
    pub height: f64,
    /// Video, kbit/s; 0 if unknown.
    pub bitrate: f64,
    /// Least video bitrate, kbit/s; 0 if unset.
    pub min_bitrate: f64,
    /// Most video bitrate, kbit/s; 0 if unset.
    pub max_bitrate: f64,
    /// 0 to 100; 0 if unset.
    pub quality: f64,
    /// Frames from keyframe to keyframe; 0 if unknown.
    pub gop: f64,
    /// Frames a second; 0 if unknown.
    pub fps: f64,
    /// kbit/s; 0 if unknown.
    pub audio_bitrate: f64,
    /// When the stream was made, milliseconds since the Unix epoch.
    pub create_date: Option<u64>,
    /// `publish` or `play`.
    pub media_type: Option<String>,
    /// `UDP` or `TCP`, as the client asked for.
    pub transport: Option<String>,
    /// Whether the video orientation extension may be forwarded, as the client
    /// asked for.
    pub cvo_extension: Option<bool>,
    /// The client's own application data.
    pub custom: Option<Value>,
    /// Name of the audio codec, for example `opus`.
    pub audio_codec: Option<String>,
    /// Name of the video codec, for example `H264`.
    pub video_codec: Option<String>,
    /// The publisher's audio mute state, for late viewers.
    pub audio_state: Option<MuteState>,
    /// The publisher's video mute state, for late viewers.
    pub video_state: Option<MuteState>,
}

impl FromMembers for StreamStatusEvent {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            media_session_id: members.required_id("mediaSessionId")?,
            status: StreamStatus::from_wire(&members.required("status")?),
            info: members.text("info"),
            name: members.name(),
            published: members.flag("published"),
            has_video: members.flag("hasVideo"),
            has_audio: members.flag("hasAudio"),
            media_provider: members.string("mediaProvider"),
            record: members.flag("record"),
            width: members.number("width"),
            height: members.number("height"),
            bitrate: members.number("bitrate"),
            min_bitrate: members.number("minBitrate"),
            max_bitrate: members.number("maxBitrate"),
            quality: members.number("quality"),
            gop: members.number("gop"),
            fps: members.number("fps"),
            audio_bitrate: members.number("audioBitrate"),
            create_date: members.value("createDate").and_then(|date| date.as_u64()),
            media_type: members.text("mediaType"),
            transport: members.text("transport"),
            cvo_extension: members.maybe_flag("cvoExtension"),
            custom: members.value("custom"),
            audio_codec: members.text("audioCodec"),
            video_codec: members.text("videoCodec"),
            audio_state: MuteState::of(members.value("audioState")),
            video_state: MuteState::of(members.value("videoState")),
        })
    }
}

impl ToMembers for StreamStatusEvent {
    fn to_members(&self, members: &mut Writer) {
        members.id(Some(&self.media_session_id));
        members.text("status", self.status.as_str());
        members.maybe_text("info", self.info.as_deref());
        members.maybe_text("name", self.name.as_ref().map(StreamName::as_str));
        members.flag("published", self.published);
        members.flag("hasVideo", self.has_video);
        members.flag("hasAudio", self.has_audio);
        members.text("mediaProvider", &self.media_provider);
        members.flag("record", self.record);
        members.number("width", self.width);
        members.number("height", self.height);
        members.number("bitrate", self.bitrate);
        members.number("minBitrate", self.min_bitrate);
        members.number("maxBitrate", self.max_bitrate);
        members.number("quality", self.quality);
        members.number("gop", self.gop);
        members.number("fps", self.fps);
        members.number("audioBitrate", self.audio_bitrate);
        members.maybe_value("createDate", self.create_date.map(Value::from).as_ref());
        members.maybe_text("mediaType", self.media_type.as_deref());
        members.maybe_text("transport", self.transport.as_deref());
        members.maybe_flag("cvoExtension", self.cvo_extension);
        members.maybe_value("custom", self.custom.as_ref());
        members.maybe_text("audioCodec", self.audio_codec.as_deref());
        members.maybe_text("videoCodec", self.video_codec.as_deref());
        let state = |state: MuteState| json!({ "muted": state.muted });
        members.maybe_value("audioState", self.audio_state.map(state).as_ref());
        members.maybe_value("videoState", self.video_state.map(state).as_ref());
    }
}

impl StreamStatusEvent {
    /// The event's members as on the wire, for who tells of streams elsewhere.
    pub fn to_members(&self) -> Map<String, Value> {
        serde_json::from_str(&Writer::object(self)).expect("an object was written")
    }

    /// A status with nothing known about the stream but its id.
    pub fn new(media_session_id: MediaSessionId, status: StreamStatus) -> Self {
        Self {
            media_session_id,
            status,
            info: None,
            name: None,
            published: false,
            has_video: false,
            has_audio: false,
            media_provider: String::from("WebRTC"),
            record: false,
            width: 0.0,
            height: 0.0,
            bitrate: 0.0,
            min_bitrate: 0.0,
            max_bitrate: 0.0,
            quality: 0.0,
            gop: 0.0,
            fps: 0.0,
            audio_bitrate: 0.0,
            create_date: None,
            media_type: None,
            transport: None,
            cvo_extension: None,
            custom: None,
            audio_codec: None,
            video_codec: None,
            audio_state: None,
            video_state: None,
        }
    }
}
