//! How a publication is doing, as numbers. Counts are from the publication's
//! start, over all its connections; rates are of about the last second.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// How a publication is doing.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Since the first PUBLISHING; zero before.
    #[serde(serialize_with = "seconds", rename = "on_air_seconds")]
    pub on_air: Duration,
    /// How often the publication was lost and came back.
    pub reconnects: u32,
    /// `None`: no pictures are sent.
    pub video: Option<VideoStats>,
    /// `None`: no sound is sent.
    pub audio: Option<AudioStats>,
    /// The connection now, or the last one.
    pub network: NetworkStats,
    /// Only with a monitor.
    pub monitor: Option<MonitorStats>,
}

/// The pictures.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct VideoStats {
    /// `H264`, `VP8`, `VP9` or `AV1`.
    pub codec: String,
    /// As encoded now; zero while unknown (passed through).
    pub width: u32,
    /// See `width`.
    pub height: u32,
    /// Frames sent in the last second.
    pub fps: f32,
    /// Pictures the source delivered.
    pub frames_captured: u64,
    /// Frames handed to the network.
    pub frames_sent: u64,
    /// Pictures dropped because the encoder was behind.
    pub dropped_before_encoder: u64,
    /// Frames dropped because sending was behind, or nobody was connected.
    pub dropped_before_send: u64,
    /// Pictures left out on purpose: the frame rate is lowered.
    pub frames_skipped: u64,
    /// Keyframes sent.
    pub keyframes: u64,
    /// Keyframes the server asked for.
    pub keyframe_requests: u64,
    /// Bytes of frames, without RTP.
    pub bytes: u64,
    /// Sent in the last second, in bits per second.
    pub bitrate_bps: u64,
    /// What the encoder aims at now; `None`: passed through.
    pub target_bitrate_bps: Option<u32>,
    /// Processor time of encoding, scaling included.
    #[serde(serialize_with = "seconds", rename = "encode_seconds")]
    pub encode_time: Duration,
    /// Captured to handed to the network, median of the last second.
    #[serde(serialize_with = "seconds", rename = "delay_seconds")]
    pub delay: Duration,
    /// Muted by the application.
    pub muted: bool,
}

/// The sound.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AudioStats {
    /// 1 or 2.
    pub channels: u16,
    /// Packets handed to the network.
    pub packets_sent: u64,
    /// Pieces of sound and packets dropped on the way.
    pub dropped: u64,
    /// Bytes of packets, without RTP.
    pub bytes: u64,
    /// Sent in the last second, in bits per second.
    pub bitrate_bps: u64,
    /// How much faster than this machine's clock the source's runs, in parts
    /// per million; the encoder makes up for it.
    pub drift_ppm: f32,
    /// Muted by the application.
    pub muted: bool,
}

/// The connection to the server.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NetworkStats {
    /// To the server and back.
    #[serde(serialize_with = "maybe_seconds", rename = "round_trip_seconds")]
    pub round_trip: Option<Duration>,
    /// The part of the packets lost lately, 0 to 1.
    pub loss: Option<f32>,
    /// What the network carries, in bits per second, as estimated from
    /// transport-wide feedback.
    pub estimate_bps: Option<u64>,
    /// Bytes of datagrams sent.
    pub bytes_sent: u64,
    /// Packets the server asked for again.
    pub nacks: u64,
    /// This end of the pair in use, as `address:port`.
    pub local: Option<String>,
    /// The other end.
    pub remote: Option<String>,
}

/// The stream as played back from the server.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MonitorStats {
    /// Capture to decoded, median of the last second; `None` if no picture's
    /// capture time is known.
    #[serde(serialize_with = "maybe_seconds", rename = "delay_seconds")]
    pub delay: Option<Duration>,
    /// The longest of them.
    #[serde(serialize_with = "maybe_seconds", rename = "max_delay_seconds")]
    pub max_delay: Option<Duration>,
    /// Frames that came back.
    pub frames: u64,
    /// Frames sent that did not come back.
    pub frames_lost: u64,
    /// Packets lost on the way back.
    pub packets_lost: u64,
    /// How often the picture stood still: the gap was longer than three frames
    /// and 150 ms more than usual, as browsers count.
    pub freezes: u32,
    /// For how long in all.
    #[serde(serialize_with = "seconds", rename = "frozen_seconds")]
    pub frozen: Duration,
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

fn maybe_seconds<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => seconds(duration, serializer),
        None => serializer.serialize_none(),
    }
}
