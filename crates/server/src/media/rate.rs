//! A stream's video rate, once an interval.

use std::time::Instant;

use crate::core::backend::VideoRate;

/// Counts the frames of one video track and turns byte counts into rates.
#[derive(Debug, Default)]
pub(super) struct RateMeter {
    frames: u64,
    /// The end of the interval before, or the first packet.
    last: Option<Reading>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Instant,
    bytes: u64,
    frames: u64,
}

impl RateMeter {
    /// Takes note of a packet; the last one of a frame has the marker
    /// (RFC 3551 section 5.1).
    pub(super) fn count(&mut self, marker: bool, at: Instant) {
        self.last.get_or_insert(Reading {
            at,
            bytes: 0,
            frames: 0,
        });
        self.frames += u64::from(marker);
    }

    /// Ends an interval in which the track's count of payload bytes came to
    /// `bytes`. `None` before the first packet.
    pub(super) fn measure(&mut self, bytes: u64, at: Instant) -> Option<VideoRate> {
        let last = self.last?;
        let seconds = at.saturating_duration_since(last.at).as_secs_f64();
        if seconds == 0.0 {
            return None;
        }
        let frames = self.frames;
        self.last = Some(Reading { at, bytes, frames });
        // Counts of a track that changes its SSRC may start again.
        let bits = bytes.saturating_sub(last.bytes) * 8;
        let fps = (frames - last.frames) as f64 / seconds;
        Some(VideoRate {
            bitrate_bps: (bits as f64 / seconds).round() as u64,
            fps: (fps * 10.0).round() / 10.0,
            nacks: 0,
            plis: 0,
            lost_packets: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rate_is_of_its_own_interval() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut meter = RateMeter::default();
        assert_eq!(meter.measure(0, start), None);
        for frame in 0..30 {
            let at = start + second * frame / 30;
            meter.count(false, at);
            meter.count(true, at);
        }
        let first = meter.measure(125_000, start + second).unwrap();
        assert_eq!((first.bitrate_bps, first.fps), (1_000_000, 30.0));
        // Twice the time, and no more frames.
        let still = meter.measure(125_000, start + 3 * second).unwrap();
        assert_eq!((still.bitrate_bps, still.fps), (0, 0.0));
        // A count that starts again, and one that cannot be of any interval.
        let again = meter.measure(1_000, start + 4 * second).unwrap();
        assert_eq!(again.bitrate_bps, 0);
        assert_eq!(meter.measure(2_000, start + 4 * second), None);
    }
}
