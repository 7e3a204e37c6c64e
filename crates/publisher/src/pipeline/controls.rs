//! What passes between the pipeline's threads and its owner beside the media.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Size;

/// What the threads are told.
#[derive(Debug, Default)]
pub(crate) struct Controls {
    keyframe_wanted: AtomicBool,
    keyframe_requests: AtomicU64,
    /// What the network carries, in bits per second; 0 while unknown.
    bandwidth_bps: AtomicU64,
    video_muted: AtomicBool,
    audio_muted: AtomicBool,
    /// Percent of packets.
    expected_loss: AtomicU8,
    /// Nobody is connected.
    paused: AtomicBool,
}

impl Controls {
    /// The server wants a keyframe: the next picture becomes one, unless the
    /// one before is so young that the link could not bear another.
    pub(crate) fn request_keyframe(&self) {
        self.keyframe_requests.fetch_add(1, Ordering::Relaxed);
        self.need_keyframe();
    }

    /// The same for a reason of the pipeline's own.
    pub(super) fn need_keyframe(&self) {
        self.keyframe_wanted.store(true, Ordering::Relaxed);
    }

    /// Whether a keyframe is wanted; asking takes the wish.
    pub(super) fn take_keyframe_request(&self) -> bool {
        self.keyframe_wanted.swap(false, Ordering::Relaxed)
    }

    /// How often the server wanted one.
    pub(super) fn keyframe_requests(&self) -> u64 {
        self.keyframe_requests.load(Ordering::Relaxed)
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

    pub(super) fn set_paused(&self, paused: bool) {
        self.paused.store(paused, Ordering::Relaxed);
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }
}

/// What the threads have counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    captured: AtomicU64,
    dropped_before_encoder: AtomicU64,
    dropped_before_send: AtomicU64,
    skipped: AtomicU64,
    dropped_sound: AtomicU64,
    /// In nanoseconds.
    encode_time: AtomicU64,
    /// The bits of an `f32`.
    drift_ppm: AtomicU32,
    encoding: Mutex<Option<Encoding>>,
}

/// What the encoder does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding {
    pub(super) size: Size,
    pub(super) bitrate_bps: u32,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Snapshot {
    pub(super) captured: u64,
    pub(super) dropped_before_encoder: u64,
    pub(super) dropped_before_send: u64,
    pub(super) skipped: u64,
    pub(super) dropped_sound: u64,
    pub(super) encode_time: Duration,
    pub(super) drift_ppm: f32,
    /// `None`: nothing is encoded, or nothing was yet.
    pub(super) encoding: Option<Encoding>,
}

impl Counters {
    pub(super) fn captured(&self) {
        add(&self.captured, 1);
    }

    pub(super) fn dropped_before_encoder(&self) {
        add(&self.dropped_before_encoder, 1);
    }

    pub(super) fn dropped_before_send(&self) {
        add(&self.dropped_before_send, 1);
    }

    /// A picture was left out on purpose.
    pub(super) fn skipped(&self) {
        add(&self.skipped, 1);
    }

    pub(super) fn dropped_sound(&self) {
        add(&self.dropped_sound, 1);
    }

    /// The processor was busy with a picture for this long.
    pub(super) fn encoded(&self, time: Duration) {
        add(&self.encode_time, time.as_nanos() as u64);
    }

    /// How much faster than this machine's clock the sound's source runs.
    pub(super) fn set_drift_ppm(&self, ppm: f32) {
        self.drift_ppm.store(ppm.to_bits(), Ordering::Relaxed);
    }

    pub(super) fn set_encoding(&self, encoding: Encoding) {
        *self.lock_encoding() = Some(encoding);
    }

    fn lock_encoding(&self) -> MutexGuard<'_, Option<Encoding>> {
        // Nothing panics while it holds the lock.
        self.encoding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Snapshot {
            captured: load(&self.captured),
            dropped_before_encoder: load(&self.dropped_before_encoder),
            dropped_before_send: load(&self.dropped_before_send),
            skipped: load(&self.skipped),
            dropped_sound: load(&self.dropped_sound),
            encode_time: Duration::from_nanos(load(&self.encode_time)),
            drift_ppm: f32::from_bits(self.drift_ppm.load(Ordering::Relaxed)),
            encoding: *self.lock_encoding(),
        }
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
