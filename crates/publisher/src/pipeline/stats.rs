//! A pipeline's numbers.

use std::time::Instant;

use super::{Pipeline, VideoCodec};
use crate::stats::{AudioStats, VideoStats};

impl Pipeline {
    /// How pictures and sound are doing; what is not sent is `None`. Rates and
    /// the delay are of the time since the last call: call it once a second.
    pub(crate) fn stats(&mut self, now: Instant) -> (Option<VideoStats>, Option<AudioStats>) {
        let video = self.sent.video.map(|codec| self.video_stats(codec, now));
        let audio = self
            .sent
            .audio
            .map(|channels| self.audio_stats(channels, now));
        (video, audio)
    }

    fn video_stats(&mut self, codec: VideoCodec, now: Instant) -> VideoStats {
        let rates = self.sent_video.rates(now);
        let counted = self.shared.counters.snapshot();
        let controls = &self.shared.controls;
        let encoding = counted.encoding;
        VideoStats {
            codec: codec.name().to_owned(),
            width: encoding.map_or(0, |encoding| encoding.size.width() as u32),
            height: encoding.map_or(0, |encoding| encoding.size.height() as u32),
            fps: rates.items_per_second,
            frames_captured: counted.captured,
            frames_sent: self.sent_video.items,
            dropped_before_encoder: counted.dropped_before_encoder,
            dropped_before_send: counted.dropped_before_send,
            frames_skipped: counted.skipped,
            keyframes: self.keyframes,
            keyframe_requests: controls.keyframe_requests(),
            bytes: self.sent_video.bytes,
            bitrate_bps: rates.bitrate_bps,
            target_bitrate_bps: encoding.map(|encoding| encoding.bitrate_bps),
            encode_time: counted.encode_time,
            delay: rates.delay,
            muted: controls.video_is_muted(),
        }
    }

    fn audio_stats(&mut self, channels: u16, now: Instant) -> AudioStats {
        let rates = self.sent_audio.rates(now);
        let counted = self.shared.counters.snapshot();
        AudioStats {
            channels,
            packets_sent: self.sent_audio.items,
            dropped: counted.dropped_sound,
            bytes: self.sent_audio.bytes,
            bitrate_bps: rates.bitrate_bps,
            drift_ppm: counted.drift_ppm,
            muted: self.shared.controls.audio_is_muted(),
        }
    }
}
