//! `notifyStreamStatusEvent`: the server tells where a stream is in its life.

use serde::{Deserialize, Serialize};

use crate::{MediaSessionId, StreamName, StreamStatus, lenient};

/// Whether a track is muted at the publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MuteState {
    /// `true` while muted.
    #[serde(deserialize_with = "lenient::flag")]
    pub muted: bool,
}

/// `notifyStreamStatusEvent`: where the receiver's stream now is. Mobile
/// clients replace their whole stream object by this one, so it is complete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamStatusEvent {
    /// The receiver's stream.
    pub media_session_id: MediaSessionId,
    /// Its status.
    pub status: StreamStatus,
    /// Why; see [`crate::info`].
    #[serde(
        default,
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub info: Option<String>,
    /// The stream's name.
    #[serde(
        default,
        deserialize_with = "lenient::id",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<StreamName>,
    /// `true` for the publisher.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub published: bool,
    /// The stream has video.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub has_video: bool,
    /// The stream has audio.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub has_audio: bool,
    /// `WebRTC`.
    #[serde(default, deserialize_with = "lenient::string")]
    pub media_provider: String,
    /// The server records the stream.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub record: bool,
    /// Pixels; 0 if unknown.
    #[serde(default, with = "lenient::number")]
    pub width: f64,
    /// Pixels; 0 if unknown.
    #[serde(default, with = "lenient::number")]
    pub height: f64,
    /// Video, kbit/s; 0 if unknown.
    #[serde(default, with = "lenient::number")]
    pub bitrate: f64,
    /// Least video bitrate, kbit/s; 0 if unset.
    #[serde(default, with = "lenient::number")]
    pub min_bitrate: f64,
    /// Most video bitrate, kbit/s; 0 if unset.
    #[serde(default, with = "lenient::number")]
    pub max_bitrate: f64,
    /// 0 to 100; 0 if unset.
    #[serde(default, with = "lenient::number")]
    pub quality: f64,
    /// Frames from keyframe to keyframe; 0 if unknown.
    #[serde(default, with = "lenient::number")]
    pub gop: f64,
    /// Frames a second; 0 if unknown.
    #[serde(default, with = "lenient::number")]
    pub fps: f64,
    /// kbit/s; 0 if unknown.
    #[serde(default, with = "lenient::number")]
    pub audio_bitrate: f64,
    /// When the stream was made, milliseconds since the Unix epoch.
    #[serde(
        default,
        deserialize_with = "lenient::or_default",
        skip_serializing_if = "Option::is_none"
    )]
    pub create_date: Option<u64>,
    /// `publish` or `play`.
    #[serde(
        default,
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub media_type: Option<String>,
    /// Name of the audio codec, for example `opus`.
    #[serde(
        default,
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub audio_codec: Option<String>,
    /// Name of the video codec, for example `H264`.
    #[serde(
        default,
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub video_codec: Option<String>,
    /// The publisher's audio mute state, for late viewers.
    #[serde(
        default,
        deserialize_with = "lenient::or_default",
        skip_serializing_if = "Option::is_none"
    )]
    pub audio_state: Option<MuteState>,
    /// The publisher's video mute state, for late viewers.
    #[serde(
        default,
        deserialize_with = "lenient::or_default",
        skip_serializing_if = "Option::is_none"
    )]
    pub video_state: Option<MuteState>,
}

impl StreamStatusEvent {
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
            audio_codec: None,
            video_codec: None,
            audio_state: None,
            video_state: None,
        }
    }
}
