//! What an application may choose of a stream's media.

use std::time::Duration;

use crate::Size;

/// How pictures and sound are encoded. What arrives encoded is sent as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MediaOptions {
    /// The pictures.
    pub video: VideoOptions,
    /// The sound.
    pub audio: AudioOptions,
}

/// How pictures are encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoOptions {
    /// Scale down to fit into this size, keeping the aspect; `None`: the
    /// source's. Pictures are never made larger.
    pub max_size: Option<Size>,
    /// Pictures a second at most; `None`: the source's.
    pub max_fps: Option<u32>,
    /// Bits per second aimed at while the network has no objection.
    pub max_bitrate_bps: u32,
    /// The encoder goes no lower, however little the network carries.
    pub min_bitrate_bps: u32,
    /// The bitrate at the start, before the network is known; at most
    /// `max_bitrate_bps`. `None`: the encoder's choice between the two.
    pub start_bitrate_bps: Option<u32>,
    /// The longest time between two keyframes. Zero: only those viewers need.
    pub keyframe_interval: Duration,
    /// Follow the bandwidth estimate within the limits; `false` keeps
    /// `max_bitrate_bps`, size and rate whatever the network says.
    pub adapt: bool,
}

impl Default for VideoOptions {
    /// 100 kbit/s to 2 Mbit/s, a keyframe every 4 s, adapting.
    fn default() -> Self {
        Self {
            max_size: None,
            max_fps: None,
            max_bitrate_bps: 2_000_000,
            min_bitrate_bps: 100_000,
            start_bitrate_bps: None,
            keyframe_interval: Duration::from_secs(4),
            adapt: true,
        }
    }
}

/// How sound is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioOptions {
    /// Bits per second, 6,000 to 510,000 (RFC 7587 section 6.1).
    pub bitrate_bps: u32,
    /// Send two channels if the source has them.
    pub stereo: bool,
    /// In-band forward error correction (RFC 6716 section 2.1.7).
    pub fec: bool,
}

impl Default for AudioOptions {
    /// 64 kbit/s, mono, with forward error correction.
    fn default() -> Self {
        Self {
            bitrate_bps: 64_000,
            stereo: false,
            fec: true,
        }
    }
}
