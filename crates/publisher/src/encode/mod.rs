//! The encoders, usable on their own: pictures to H.264, sound to Opus.
//!
//! Neither knows of threads, queues or RTP.

mod h264;
mod opus;

pub use h264::{VideoConfig, VideoEncoder, profile_level_id};
pub use opus::AudioEncoder;

use thiserror::Error;

/// An encoder that cannot go on.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// `openh264` refused its configuration or a picture.
    #[error("H.264: {0}")]
    H264(#[from] openh264::Error),
    /// `opus-pure` refused its configuration or a frame.
    #[error("Opus: {0}")]
    Opus(#[from] opus_pure::Error),
}
