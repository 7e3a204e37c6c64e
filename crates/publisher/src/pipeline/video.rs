//! The encoder's thread for pictures.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::controls::Encoding;
use super::threads::guarded;
use super::{Controls, Counters, Item, MUTED_FPS, NumberedFrame, PipelineError, VideoFrame};
use crate::cpu::thread_time;
use crate::encode::adapt::{Adapter, Limits, Target};
use crate::encode::keyframes::Keyframes;
use crate::encode::thin::Thinner;
use crate::encode::{EncodeError, VideoConfig, VideoEncoder, profile_level_id};
use crate::options::VideoOptions;
use crate::queue::{Closed, Receiver, Sender};
use crate::source::{EncodedFrame, VideoCodec};
use crate::{Scaler, Size};

/// What pictures of a source are sent as.
pub(super) fn codec(size: Size, fps: u32, options: &VideoOptions) -> VideoCodec {
    let (size, fps) = full_picture(size, fps, options);
    VideoCodec::H264 {
        profile_level_id: profile_level_id(size, fps, options.max_bitrate_bps),
    }
}

/// The most that is made of a source's pictures.
fn full_picture(size: Size, fps: u32, options: &VideoOptions) -> (Size, u32) {
    let size = options.max_size.map_or(size, |most| size.fit(most));
    let fps = options.max_fps.map_or(fps, |most| fps.min(most));
    (size, fps.max(1))
}

pub(super) struct Stage {
    pub(super) pictures: Receiver<Item<VideoFrame>>,
    pub(super) frames: Sender<Item<NumberedFrame>>,
    pub(super) work: Work,
}

impl Stage {
    pub(super) fn run(mut self) -> Result<(), Closed> {
        let mut number = 0;
        let mut last_keyframe = 0;
        while let Some(picture) = self.pictures.recv_blocking() {
            let frame = match picture.and_then(|picture| guarded(|| self.work.handle(&picture))) {
                Ok(Some(frame)) => frame,
                Ok(None) => continue,
                Err(error) => return self.frames.send(Err(error)).map(drop),
            };
            if frame.keyframe {
                last_keyframe = number;
            }
            let dropped = self.frames.send(Ok(NumberedFrame { number, frame }))?;
            if let Some(Ok(dropped)) = dropped {
                self.work.counters.dropped_before_send();
                // The frames after it need it, up to the next keyframe.
                if dropped.number >= last_keyframe {
                    self.work.controls.need_keyframe();
                }
            }
            number += 1;
        }
        Ok(())
    }
}

/// Makes frames of pictures: which, how large, how good.
pub(super) struct Work {
    /// Of the source, pictures a second.
    source_fps: u32,
    keyframe_interval: Duration,
    adapter: Adapter,
    thinner: Thinner,
    keyframes: Keyframes,
    /// From the first picture on, and anew for another size.
    encoder: Option<Encoder>,
    muted: bool,
    controls: Arc<Controls>,
    counters: Arc<Counters>,
}

/// An encoder for one size of pictures.
struct Encoder {
    scaler: Scaler,
    encoder: VideoEncoder,
}

impl Work {
    /// For pictures of `size` and a stream whose sound takes `sound_bps`.
    pub(super) fn new(
        size: Size,
        source_fps: u32,
        options: &VideoOptions,
        sound_bps: Option<u32>,
        controls: Arc<Controls>,
        counters: Arc<Counters>,
    ) -> Self {
        let (size, fps) = full_picture(size, source_fps, options);
        let adapter = Adapter::new(Limits {
            size,
            fps,
            min_bps: options.min_bitrate_bps,
            max_bps: options.max_bitrate_bps,
            start_bps: options.start_bitrate_bps,
            sound_bps,
            adapt: options.adapt,
        });
        let work = Self {
            source_fps,
            keyframe_interval: options.keyframe_interval,
            adapter,
            thinner: Thinner::default(),
            keyframes: Keyframes::default(),
            encoder: None,
            muted: false,
            controls,
            counters,
        };
        work.tell(work.adapter.target());
        work
    }

    /// The frame of a picture; `None` if it is left out.
    fn handle(&mut self, picture: &VideoFrame) -> Result<Option<EncodedFrame>, PipelineError> {
        let (start, busy) = (Instant::now(), thread_time());
        let frame = self.make(picture)?;
        if let Some(frame) = &frame {
            self.counters.encoded(thread_time().saturating_sub(busy));
            self.account(frame, start.elapsed());
        }
        Ok(frame)
    }

    fn make(&mut self, picture: &VideoFrame) -> Result<Option<EncodedFrame>, PipelineError> {
        if self.controls.is_paused() {
            // Whoever comes next has seen nothing of the last keyframe.
            self.keyframes = Keyframes::default();
            self.counters.dropped_before_send();
            return Ok(None);
        }
        let now = picture.capture_time;
        let bandwidth = self.controls.bandwidth_bps();
        self.adapter.handle_picture(bandwidth, now);
        let target = self.adapter.target();
        if self.controls.take_keyframe_request() {
            self.keyframes.request();
        }
        let keyframe = self.ends_mute() || self.keyframes.is_due(now, target.bitrate_bps);
        let frame = if self.takes(now, target, keyframe) {
            self.encode(picture, target, keyframe)?
        } else {
            None
        };
        if frame.is_none() {
            self.counters.skipped();
        }
        Ok(frame)
    }

    /// Learns from a frame that took `cost` to make.
    fn account(&mut self, frame: &EncodedFrame, cost: Duration) {
        let bytes = frame.data.len();
        if frame.keyframe {
            self.keyframes.handle_made(bytes, frame.capture_time);
        }
        if !self.muted {
            self.adapter.handle_encoded(bytes, cost);
        }
    }

    /// Looks whether the video is muted; whether it no longer is.
    fn ends_mute(&mut self) -> bool {
        let before = self.muted;
        self.muted = self.controls.video_is_muted();
        if self.muted != before {
            self.thinner.reset();
        }
        before && !self.muted
    }

    /// Whether a picture is to be sent; one that has to be a keyframe is.
    fn takes(&mut self, now: Instant, target: Target, keyframe: bool) -> bool {
        let fps = if self.muted { MUTED_FPS } else { target.fps };
        if fps >= self.source_fps {
            self.thinner.reset();
            return true;
        }
        if keyframe {
            self.thinner.reset();
        }
        self.thinner.takes(now, Duration::from_secs(1) / fps)
    }

    fn encode(
        &mut self,
        picture: &VideoFrame,
        target: Target,
        keyframe: bool,
    ) -> Result<Option<EncodedFrame>, EncodeError> {
        let current = self.encoder.take();
        let current = current.filter(|encoder| encoder.scaler.size() == target.size);
        let encoder = match current {
            Some(encoder) => self.encoder.insert(encoder),
            None => self
                .encoder
                .insert(Encoder::new(target, self.keyframe_interval)?),
        };
        let picture = VideoFrame {
            capture_time: picture.capture_time,
            picture: if self.muted {
                encoder.scaler.black()
            } else {
                let scaled = encoder.scaler.scale(&picture.picture);
                scaled.ok_or_else(|| EncodeError::Picture(picture.picture.size()))?
            },
        };
        encoder.encoder.set_bitrate(target.bitrate_bps);
        let frame = encoder.encoder.encode(&picture, keyframe)?;
        self.tell(target);
        Ok(frame)
    }

    fn tell(&self, target: Target) {
        self.counters.set_encoding(Encoding {
            size: target.size,
            bitrate_bps: target.bitrate_bps,
        });
    }
}

impl Encoder {
    fn new(target: Target, keyframe_interval: Duration) -> Result<Self, EncodeError> {
        Ok(Self {
            scaler: Scaler::new(target.size),
            encoder: VideoEncoder::new(VideoConfig {
                size: target.size,
                fps: target.fps,
                bitrate_bps: target.ceiling_bps,
                keyframe_interval,
            })?,
        })
    }
}

#[cfg(test)]
mod tests;
