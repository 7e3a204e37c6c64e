//! The encoder's thread for pictures.

use std::sync::Arc;

use super::controls::Encoding;
use super::{Controls, Counters, Item, NumberedFrame, VideoFrame};
use crate::Size;
use crate::cpu::thread_time;
use crate::encode::{VideoConfig, VideoEncoder, profile_level_id};
use crate::options::VideoOptions;
use crate::queue::{Closed, Receiver, Sender};
use crate::source::VideoCodec;

/// What pictures of a source are sent as.
pub(super) fn codec(size: Size, fps: u32, _options: &VideoOptions) -> VideoCodec {
    VideoCodec::H264 {
        profile_level_id: profile_level_id(size, fps),
    }
}

pub(super) struct Stage {
    pub(super) size: Size,
    pub(super) fps: u32,
    pub(super) options: VideoOptions,
    pub(super) pictures: Receiver<Item<VideoFrame>>,
    pub(super) frames: Sender<Item<NumberedFrame>>,
    pub(super) controls: Arc<Controls>,
    pub(super) counters: Arc<Counters>,
}

impl Stage {
    pub(super) fn run(self) -> Result<(), Closed> {
        let config = VideoConfig {
            size: self.size,
            fps: self.fps,
            bitrate_bps: self.options.max_bitrate_bps,
            keyframe_interval: self.options.keyframe_interval,
        };
        self.counters.set_encoding(Encoding {
            size: self.size,
            bitrate_bps: config.bitrate_bps,
        });
        let mut encoder = match VideoEncoder::new(config) {
            Ok(encoder) => encoder,
            Err(error) => return self.frames.send(Err(error.into())).map(drop),
        };
        let mut last_keyframe = 0;
        for number in 0.. {
            let Some(picture) = self.pictures.recv_blocking() else {
                break;
            };
            if picture.is_ok() && self.controls.is_paused() {
                self.counters.dropped_before_send();
                continue;
            }
            let encoded = picture.and_then(|picture| {
                let start = thread_time();
                let wanted = self.controls.take_keyframe_request();
                let frame = encoder.encode(&picture, wanted)?;
                self.counters.encoded(thread_time().saturating_sub(start));
                Ok(NumberedFrame { number, frame })
            });
            let failed = encoded.is_err();
            if encoded.as_ref().is_ok_and(|encoded| encoded.frame.keyframe) {
                last_keyframe = number;
            }
            if let Some(Ok(dropped)) = self.frames.send(encoded)? {
                self.counters.dropped_before_send();
                // The frames after it need it, up to the next keyframe.
                if dropped.number >= last_keyframe {
                    self.controls.need_keyframe();
                }
            }
            if failed {
                break;
            }
        }
        Ok(())
    }
}
