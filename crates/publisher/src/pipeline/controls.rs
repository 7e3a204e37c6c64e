//! What passes between the pipeline's threads and its owner beside the media.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

/// What the threads are told.
#[derive(Debug, Default)]
pub(crate) struct Controls {
    keyframe_wanted: AtomicBool,
    /// What the network carries, in bits per second; 0 while unknown.
    bandwidth_bps: AtomicU64,
    video_muted: AtomicBool,
    audio_muted: AtomicBool,
    /// Percent of packets.
    expected_loss: AtomicU8,
}

impl Controls {
    /// Makes the next picture that reaches the encoder a keyframe.
    pub(crate) fn request_keyframe(&self) {
        self.keyframe_wanted.store(true, Ordering::Relaxed);
    }

    /// Whether a keyframe is wanted; asking takes the wish.
    pub(super) fn take_keyframe_request(&self) -> bool {
        self.keyframe_wanted.swap(false, Ordering::Relaxed)
    }

    /// What the network carries of pictures and sound together; `None` while
    /// that is unknown, as on a new connection.
    pub(crate) fn set_bandwidth(&self, bps: Option<u64>) {
        self.bandwidth_bps
            .store(bps.unwrap_or(0), Ordering::Relaxed);
    }

    /// See [`Self::set_bandwidth`].
    pub(super) fn bandwidth_bps(&self) -> Option<u64> {
        Some(self.bandwidth_bps.load(Ordering::Relaxed)).filter(|bps| *bps > 0)
    }

    /// How much of what is sent is lost on the way, 0 to 1, as the peer tells.
    pub(crate) fn set_expected_loss(&self, loss: f32) {
        let percent = (loss * 100.0).round().clamp(0.0, 100.0);
        self.expected_loss.store(percent as u8, Ordering::Relaxed);
    }

    /// See [`Self::set_expected_loss`], in percent.
    pub(super) fn expected_loss(&self) -> u8 {
        self.expected_loss.load(Ordering::Relaxed)
    }

    /// Sends black pictures and silence instead, as browsers do for tracks that
    /// are not enabled.
    pub(crate) fn mute(&self, audio: bool, video: bool) {
        self.audio_muted.store(audio, Ordering::Relaxed);
        self.video_muted.store(video, Ordering::Relaxed);
    }

    pub(super) fn video_is_muted(&self) -> bool {
        self.video_muted.load(Ordering::Relaxed)
    }

    pub(super) fn audio_is_muted(&self) -> bool {
        self.audio_muted.load(Ordering::Relaxed)
    }
}

/// What the threads have counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    captured: AtomicU64,
    dropped_before_encoder: AtomicU64,
    dropped_before_send: AtomicU64,
    dropped_sound: AtomicU64,
    /// The bits of an `f32`.
    drift_ppm: AtomicU32,
}

impl Counters {
    pub(super) fn captured(&self) {
        self.captured.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn dropped_before_encoder(&self) {
        self.dropped_before_encoder.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn dropped_before_send(&self) {
        self.dropped_before_send.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn dropped_sound(&self) {
        self.dropped_sound.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_drift_ppm(&self, ppm: f32) {
        self.drift_ppm.store(ppm.to_bits(), Ordering::Relaxed);
    }

    /// How much faster than this machine's clock the sound's runs.
    pub(super) fn drift_ppm(&self) -> f32 {
        f32::from_bits(self.drift_ppm.load(Ordering::Relaxed))
    }
}
