//! H.264, constrained baseline, for live video: no frame waits for another.

mod level;
mod pace;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Profile,
    RateControlMode, SpsPpsStrategy, UsageType, VuiConfig,
};
use openh264::formats::YUVSlices;
use openh264::{OpenH264API, Timestamp};

use super::EncodeError;
use crate::source::{EncodedFrame, VideoFrame};
use crate::{Picture, Size};
use level::Limits;
pub use level::profile_level_id;
use pace::Pace;

/// What a [`VideoEncoder`] makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoConfig {
    /// The size of the pictures to come.
    pub size: Size,
    /// Pictures a second, at most.
    pub fps: u32,
    /// The bitrate aimed at, in bits per second; also the most that
    /// [`VideoEncoder::set_bitrate`] should ask for.
    pub bitrate_bps: u32,
    /// The longest time between two keyframes. Zero: only those asked for.
    pub keyframe_interval: Duration,
}

/// Encodes pictures as they come, each at once.
pub struct VideoEncoder {
    encoder: Encoder,
    pace: Pace,
    keyframe_interval: Duration,
    last_keyframe: Option<Instant>,
}

impl VideoEncoder {
    /// # Errors
    /// `openh264` refuses.
    pub fn new(config: VideoConfig) -> Result<Self, EncodeError> {
        let level = Limits::of(config.size, config.fps, config.bitrate_bps);
        let pace = Pace::new(config.bitrate_bps, config.fps, level.bitrate_bps());
        let openh264 = openh264_config(&pace, level);
        Ok(Self {
            encoder: Encoder::with_api_config(OpenH264API::from_source(), openh264)?,
            pace,
            keyframe_interval: config.keyframe_interval,
            last_keyframe: None,
        })
    }

    /// Aims at another bitrate from the next picture on, without a keyframe.
    pub fn set_bitrate(&mut self, bps: u32) {
        self.pace.set_bitrate(bps);
    }

    /// Encodes one picture; as a keyframe if one is asked for or due.
    ///
    /// `None`: the picture is left out, because those before it have used up
    /// what the bitrate allows. Keyframes are never left out.
    ///
    /// # Errors
    /// The picture's planes do not fit its size, or `openh264` refuses it.
    pub fn encode(
        &mut self,
        frame: &VideoFrame,
        keyframe_wanted: bool,
    ) -> Result<Option<EncodedFrame>, EncodeError> {
        let planes = planes_of(&frame.picture)?;
        if keyframe_wanted || self.keyframe_is_due(frame.capture_time) {
            self.encoder.force_intra_frame();
        }
        let timestamp = Timestamp::from_millis(self.pace.time_of(frame.capture_time));
        let stream = self.encoder.encode_at(&planes, timestamp)?;
        let data = stream.to_vec();
        if data.is_empty() {
            return Ok(None);
        }
        let keyframe = stream.frame_type() == FrameType::IDR;
        if keyframe {
            self.last_keyframe = Some(frame.capture_time);
        }
        Ok(Some(EncodedFrame {
            capture_time: frame.capture_time,
            keyframe,
            data,
        }))
    }

    fn keyframe_is_due(&self, now: Instant) -> bool {
        !self.keyframe_interval.is_zero()
            && self
                .last_keyframe
                .is_some_and(|last| now.saturating_duration_since(last) >= self.keyframe_interval)
    }
}

/// As `openh264` takes them.
fn planes_of(picture: &Picture) -> Result<YUVSlices<'_>, EncodeError> {
    let size = picture.size();
    if !picture.is_whole() {
        return Err(EncodeError::Picture(size));
    }
    let (width, height) = (size.width(), size.height());
    Ok(YUVSlices::new(
        (&picture.y, &picture.u, &picture.v),
        (width, height),
        (width, width / 2, width / 2),
    ))
}

fn openh264_config(pace: &Pace, level: &Limits) -> EncoderConfig {
    let (bitrate_bps, fps) = pace.configuration();
    EncoderConfig::new()
        .usage_type(UsageType::CameraVideoRealTime)
        .profile(Profile::Baseline)
        .level(level.openh264)
        .sps_pps_strategy(SpsPpsStrategy::ConstantId)
        .vui(VuiConfig::bt709())
        // See `pace`.
        .rate_control_mode(RateControlMode::Timestamp)
        .bitrate(BitRate::from_bps(bitrate_bps))
        .max_frame_rate(FrameRate::from_hz(fps as f32))
        // Rather no picture than one that the link cannot carry in time.
        .skip_frames(true)
        // Keyframes come from `encode` alone.
        .intra_frame_period(IntraFramePeriod::auto())
        .scene_change_detect(false)
        // One thread and the cheapest search: 30 pictures a second must fit on
        // a busy core. The analyses below cost time and gain nothing here.
        .num_threads(1)
        .complexity(Complexity::Low)
        .adaptive_quantization(false)
        .background_detection(false)
        .long_term_reference(false)
}
