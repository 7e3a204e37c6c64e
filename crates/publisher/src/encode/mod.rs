//! The encoders, usable on their own: pictures to H.264, sound to Opus.
//!
//! Neither knows of threads, queues or RTP.

pub(crate) mod adapt;
mod h264;
pub(crate) mod keyframes;
mod opus;
pub(crate) mod thin;

pub use h264::{VideoConfig, VideoEncoder, profile_level_id};
pub use opus::{AudioConfig, AudioEncoder};

use thiserror::Error;

/// An encoder that cannot go on.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// `openh264` refused its configuration or a picture.
    #[error("H.264: {0}")]
    H264(#[from] openh264::Error),
    /// A picture's planes are not as long as its size says.
    #[error("a picture of {0} whose planes have another size")]
    Picture(crate::Size),
    /// `opus-pure` refused its configuration or a frame.
    #[error("Opus: {0}")]
    Opus(#[from] opus_pure::Error),
    /// Sound in a form that nothing has.
    #[error(
        "sound of {rate} Hz in {channels} channels cannot be sent: \
         a source has 8000 to 192000 Hz and 1 to 8 channels"
    )]
    SoundFormat {
        /// Samples a second of each channel.
        rate: u32,
        /// Of the source.
        channels: u16,
    },
    /// `rubato` refused its configuration or a block.
    #[error("resampling: {0}")]
    Resample(Box<dyn std::error::Error + Send + Sync>),
}

impl EncodeError {
    pub(crate) fn resample(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Resample(Box::new(error))
    }
}
