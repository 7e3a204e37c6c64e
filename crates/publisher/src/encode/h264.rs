//! H.264, constrained baseline, for live video: no frame waits for another.

use std::time::{Duration, Instant};

use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Profile,
    RateControlMode, SpsPpsStrategy, UsageType, VuiConfig,
};
use openh264::{OpenH264API, Timestamp};

use super::EncodeError;
use crate::Size;
use crate::source::{EncodedFrame, VideoFrame};

/// What a [`VideoEncoder`] makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoConfig {
    /// The size of the pictures to come.
    pub size: Size,
    /// Pictures a second, at most.
    pub fps: u32,
    /// The bitrate aimed at, in bits per second.
    pub bitrate_bps: u32,
    /// The longest time between two keyframes. Zero: only those asked for.
    pub keyframe_interval: Duration,
}

/// Encodes pictures as they come, each at once.
pub struct VideoEncoder {
    encoder: Encoder,
    keyframe_interval: Duration,
    last_keyframe: Option<Instant>,
    /// Timestamps count from here.
    start: Option<Instant>,
}

impl VideoEncoder {
    /// # Errors
    /// `openh264` refuses.
    pub fn new(config: VideoConfig) -> Result<Self, EncodeError> {
        let api = OpenH264API::from_source();
        Ok(Self {
            encoder: Encoder::with_api_config(api, openh264_config(config))?,
            keyframe_interval: config.keyframe_interval,
            last_keyframe: None,
            start: None,
        })
    }

    /// Encodes one picture; as a keyframe if one is asked for or due.
    ///
    /// # Errors
    /// `openh264` refuses the picture.
    pub fn encode(
        &mut self,
        frame: &VideoFrame,
        keyframe_wanted: bool,
    ) -> Result<EncodedFrame, EncodeError> {
        if keyframe_wanted || self.keyframe_is_due(frame.capture_time) {
            self.encoder.force_intra_frame();
        }
        let start = *self.start.get_or_insert(frame.capture_time);
        let since_start = frame.capture_time.saturating_duration_since(start);
        let timestamp = Timestamp::from_millis(since_start.as_millis() as u64);
        let stream = self.encoder.encode_at(&*frame.picture, timestamp)?;
        let keyframe = stream.frame_type() == FrameType::IDR;
        let data = stream.to_vec();
        if keyframe {
            self.last_keyframe = Some(frame.capture_time);
        }
        Ok(EncodedFrame {
            capture_time: frame.capture_time,
            keyframe,
            data,
        })
    }

    fn keyframe_is_due(&self, now: Instant) -> bool {
        !self.keyframe_interval.is_zero()
            && self
                .last_keyframe
                .is_some_and(|last| now.saturating_duration_since(last) >= self.keyframe_interval)
    }
}

fn openh264_config(config: VideoConfig) -> EncoderConfig {
    EncoderConfig::new()
        .usage_type(UsageType::CameraVideoRealTime)
        .profile(Profile::Baseline)
        .sps_pps_strategy(SpsPpsStrategy::ConstantId)
        .vui(VuiConfig::bt709())
        .rate_control_mode(RateControlMode::Bitrate)
        .bitrate(BitRate::from_bps(config.bitrate_bps))
        .max_frame_rate(FrameRate::from_hz(config.fps as f32))
        // Every picture is sent: a skipped one would look like a lost one.
        .skip_frames(false)
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

/// The `profile-level-id` (RFC 6184 section 8.1) of what [`VideoEncoder`] makes
/// of pictures of `size` at `fps`: constrained baseline, at the lowest level from 3.1 that holds it.
///
/// Level 3.1 is the least any WebRTC endpoint takes (RFC 7742 section 6.2), so
/// nothing is won by promising less.
pub fn profile_level_id(size: Size, fps: u32) -> u32 {
    /// Level times ten, most macroblocks a second, most in a frame: H.264 table A-1.
    const LEVELS: [(u32, u32, u32); 8] = [
        (31, 108_000, 3_600),
        (32, 216_000, 5_120),
        (40, 245_760, 8_192),
        (42, 522_240, 8_704),
        (50, 589_824, 22_080),
        (51, 983_040, 36_864),
        (52, 2_073_600, 36_864),
        (62, 16_711_680, 139_264),
    ];
    /// Profile 66 with constraint sets 0 to 2: constrained baseline.
    const CONSTRAINED_BASELINE: u32 = 0x42_e0_00;
    let frame = size.width().div_ceil(16) * size.height().div_ceil(16);
    let frame = frame as u32;
    let fits = |&&(_, most_rate, most_frame): &&(u32, u32, u32)| {
        frame <= most_frame && frame.saturating_mul(fps) <= most_rate
    };
    let level = LEVELS.iter().find(fits).map_or(62, |(level, ..)| *level);
    CONSTRAINED_BASELINE | level
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use openh264::decoder::Decoder;
    use openh264::formats::YUVSource;

    use super::*;
    use crate::test_picture::TestPicture;
    use crate::test_picture::testing::{frames, stamp_in, stamp_of};

    fn config(source: &TestPicture, bitrate_bps: u32) -> VideoConfig {
        VideoConfig {
            size: source.size(),
            fps: 30,
            bitrate_bps,
            keyframe_interval: Duration::from_secs(4),
        }
    }

    /// Types of the NAL units of an Annex B stream.
    fn nal_types(data: &[u8]) -> Vec<u8> {
        data.windows(4)
            .filter(|w| w[..3] == [0, 0, 1])
            .map(|w| w[3] & 0x1f)
            .collect()
    }

    fn check_strip_survives(size: &str, bitrate_bps: u32) {
        let mut source = TestPicture::new(size.parse().unwrap(), 30);
        let mut encoder = VideoEncoder::new(config(&source, bitrate_bps)).unwrap();
        let mut decoder = Decoder::new().unwrap();
        for frame in frames(&mut source, 40) {
            let encoded = encoder.encode(&frame, false).unwrap();
            let decoded = decoder.decode(&encoded.data).unwrap().unwrap();
            let (width, height) = decoded.dimensions();
            let stamp = stamp_in(decoded.y(), decoded.strides().0, width, height);
            assert!(stamp.is_some(), "{size}");
            assert_eq!(stamp, stamp_of(&frame.picture), "{size}");
        }
    }

    #[test]
    fn the_strip_survives_at_720p() {
        check_strip_survives("1280x720", 2_000_000);
    }

    #[test]
    fn the_strip_survives_at_180p_and_little_bitrate() {
        check_strip_survives("320x180", 150_000);
    }

    #[test]
    fn a_keyframe_comes_with_the_next_picture_and_brings_its_parameters() {
        let mut source = TestPicture::new("320x180".parse().unwrap(), 30);
        let mut encoder = VideoEncoder::new(config(&source, 300_000)).unwrap();
        for (number, frame) in frames(&mut source, 20).iter().enumerate() {
            let wanted = number == 7 || number == 8;
            let encoded = encoder.encode(frame, wanted).unwrap();
            assert_eq!(encoded.keyframe, wanted || number == 0, "frame {number}");
            let types = nal_types(&encoded.data);
            let expected: &[u8] = if encoded.keyframe { &[7, 8, 5] } else { &[1] };
            assert_eq!(types, expected, "frame {number}");
            assert_eq!(encoded.capture_time, frame.capture_time);
        }
    }

    #[test]
    fn keyframes_come_by_themselves_at_the_interval() {
        let mut source = TestPicture::new("320x180".parse().unwrap(), 30);
        let keyframes = |source: &mut TestPicture, interval| {
            let mut config = config(source, 300_000);
            config.keyframe_interval = interval;
            let mut encoder = VideoEncoder::new(config).unwrap();
            let encoded = frames(source, 70).into_iter().enumerate();
            encoded
                .filter(|(_, frame)| encoder.encode(frame, false).unwrap().keyframe)
                .map(|(number, _)| number)
                .collect::<Vec<_>>()
        };
        assert_eq!(keyframes(&mut source, Duration::from_secs(1)), [0, 30, 60]);
        assert_eq!(keyframes(&mut source, Duration::ZERO), [0]);
    }

    #[test]
    fn the_bitrate_is_kept() {
        let mut source = TestPicture::new("640x360".parse().unwrap(), 30);
        let mut encoder = VideoEncoder::new(config(&source, 400_000)).unwrap();
        // Five seconds, after one to settle.
        let sizes = frames(&mut source, 180)
            .into_iter()
            .map(|frame| encoder.encode(&frame, false).unwrap().data.len());
        let bits: usize = sizes.skip(30).sum::<usize>() * 8;
        let bps = bits / 5;
        assert!((200_000..520_000).contains(&bps), "{bps} bit/s");
    }

    #[test]
    fn the_stream_is_what_the_offer_says() {
        for size in ["1280x720", "320x180", "1920x1080"] {
            let mut source = TestPicture::new(size.parse().unwrap(), 30);
            let config = config(&source, 1_000_000);
            let frame = &frames(&mut source, 1)[0];
            let encoded = VideoEncoder::new(config)
                .unwrap()
                .encode(frame, false)
                .unwrap();
            let sps = encoded
                .data
                .windows(4)
                .position(|w| w[..3] == [0, 0, 1] && w[3] & 0x1f == 7);
            let sps = &encoded.data[sps.unwrap() + 4..];
            let offered = profile_level_id(config.size, config.fps);
            assert_eq!(u32::from(sps[0]), offered >> 16, "profile of {size}");
            assert_eq!(sps[1] & 0xc0, 0xc0, "constrained baseline at {size}");
            assert!(u32::from(sps[2]) <= offered & 0xff, "level of {size}");
        }
    }

    #[test]
    fn the_level_holds_size_and_rate() {
        let check = |size: &str, fps, expected| {
            let size = size.parse().unwrap();
            assert_eq!(profile_level_id(size, fps), expected, "{size} at {fps}");
        };
        check("320x180", 30, 0x42e01f);
        check("1280x720", 30, 0x42e01f);
        check("1280x720", 60, 0x42e020);
        check("1920x1080", 30, 0x42e028);
        check("1920x1080", 60, 0x42e02a);
        check("3840x2160", 30, 0x42e033);
        check("3840x2160", 120, 0x42e03e);
    }

    #[test]
    fn a_picture_of_another_size_starts_with_a_keyframe() {
        let mut source = TestPicture::new("320x180".parse().unwrap(), 30);
        let mut encoder = VideoEncoder::new(config(&source, 300_000)).unwrap();
        let mut frames = frames(&mut source, 2);
        encoder.encode(&frames[0], false).unwrap();
        frames[1].picture = Arc::new(crate::Picture::black("640x360".parse().unwrap()));
        assert!(encoder.encode(&frames[1], false).unwrap().keyframe);
    }
}
