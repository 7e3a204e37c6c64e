//! The messages of Janus and its video room, as far as they are used here.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What goes to Janus.
#[derive(Debug, Serialize)]
pub(super) struct Envelope<'a> {
    /// By which its answer is known.
    pub(super) transaction: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) handle_id: Option<u64>,
    #[serde(flatten)]
    pub(super) request: Request<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "janus", rename_all = "lowercase")]
pub(super) enum Request<'a> {
    /// What server it is; needs no session.
    Info,
    /// A session.
    Create,
    /// A handle.
    Attach { plugin: &'static str },
    /// To the plugin.
    Message {
        body: Body,
        #[serde(skip_serializing_if = "Option::is_none")]
        jsep: Option<Jsep<'a>>,
    },
    /// That the session is still wanted.
    Keepalive,
    /// Ends the session and all in it.
    Destroy,
}

/// A session description (RFC 9429).
#[derive(Debug, Serialize)]
pub(super) struct Jsep<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) sdp: &'a str,
    /// Whether candidates follow that are not in it.
    pub(super) trickle: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Offer,
    Answer,
}

/// To the video room.
#[derive(Debug, Serialize)]
#[serde(tag = "request", rename_all = "lowercase")]
pub(super) enum Body {
    Create(Room),
    Join(Join),
    /// Begins to publish what the description with it offers.
    Configure {
        audio: bool,
        video: bool,
    },
    /// Begins to play, with the answer.
    Start,
    /// Ends a room and all in it.
    Destroy {
        room: u64,
    },
}

/// What a room is like. Nothing is limited, and no header extension is negotiated:
/// nobody here reads one, and they would cost Janus time.
#[derive(Debug, Serialize)]
pub(super) struct Room {
    pub(super) room: u64,
    publishers: u32,
    /// 0 is no limit.
    bitrate: u64,
    /// Seconds from one asked keyframe to the next; 0 asks for none.
    fir_freq: u32,
    videocodec: &'static str,
    audiocodec: &'static str,
    audiolevel_ext: bool,
    videoorient_ext: bool,
    playoutdelay_ext: bool,
    transport_wide_cc_ext: bool,
}

impl Room {
    pub(super) fn new(room: u64) -> Self {
        Self {
            room,
            publishers: 1,
            bitrate: 0,
            fir_freq: 0,
            videocodec: "h264",
            audiocodec: "opus",
            audiolevel_ext: false,
            videoorient_ext: false,
            playoutdelay_ext: false,
            transport_wide_cc_ext: false,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(tag = "ptype", rename_all = "lowercase")]
pub(super) enum Join {
    Publisher { room: u64, id: u64 },
    Subscriber { room: u64, streams: [Feed; 1] },
}

/// All of what a publisher sends.
#[derive(Debug, Serialize)]
pub(super) struct Feed {
    pub(super) feed: u64,
}

/// What comes from Janus.
#[derive(Debug, Deserialize)]
pub(super) struct Incoming {
    pub(super) transaction: Option<String>,
    #[serde(flatten)]
    pub(super) reply: Reply,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "janus", rename_all = "snake_case")]
pub(super) enum Reply {
    /// The request arrived, its answer follows.
    Ack,
    Success {
        data: Option<Created>,
        plugindata: Option<PluginData>,
    },
    Error {
        error: Refusal,
    },
    Event {
        plugindata: Option<PluginData>,
        jsep: Option<Description>,
    },
    ServerInfo(About),
    Trickle {
        candidate: Option<Candidate>,
    },
    /// The peer connection is gone.
    Hangup {
        reason: Option<String>,
    },
    /// The session is gone.
    Timeout,
    /// What nobody here needs to know: `webrtcup`, `media`, `slowlink`, ...
    #[serde(other)]
    Other,
}

/// What a Janus says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct About {
    /// Its version, such as `1.1.2`.
    #[serde(rename = "version_string")]
    pub version: String,
    /// The address of its machine at which it takes media.
    #[serde(rename = "local-ip")]
    pub media_ip: Option<IpAddr>,
}

/// A session or a handle.
#[derive(Debug, Deserialize)]
pub(super) struct Created {
    pub(super) id: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    pub(super) code: u64,
    pub(super) reason: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct PluginData {
    pub(super) data: RoomEvent,
}

/// What the video room says, as far as it is needed: whether it refuses.
#[derive(Debug, Deserialize)]
pub(super) struct RoomEvent {
    pub(super) error_code: Option<u64>,
    pub(super) error: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Description {
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) sdp: String,
}

/// A candidate, or that there are no more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate {
    /// As in SDP (RFC 8839 section 5.1), with or without `a=`.
    pub(super) candidate: Option<String>,
    /// The media section it belongs to.
    pub(super) sdp_m_line_index: Option<usize>,
    #[serde(default)]
    pub(super) completed: bool,
}
