//! When a publisher's packets were captured, on this server's clock.
//!
//! A publisher's sender reports tie the RTP timestamps of each of its tracks to
//! one clock of its own (RFC 3550 section 6.4.1). One offset a publisher ties
//! that clock to ours, so audio and video captured together get the same
//! moment here, and with it in the sender reports that viewers get.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long the smallest delay seen stands for the clocks' offset, before a
/// fresh one is taken. Follows drifting clocks (100 ppm are 1 ms in 10 s).
const WINDOW: Duration = Duration::from_secs(10);

/// A delay that differs by more than this from the offset is a clock that was
/// set, not a slow network.
const JUMP_US: i64 = 2_000_000;

/// Latest NTP time believed, seconds since 1970: keeps the arithmetic in range.
const LATEST_S: u64 = 1 << 40;

/// The clock of one publisher.
#[derive(Debug)]
pub(super) struct PublisherClock {
    /// Moments are counted from here.
    origin: Instant,
    /// Our clock less the publisher's, with the least network delay seen.
    offset: Option<Offset>,
}

/// The least delay of this window and the one before.
#[derive(Debug, Clone, Copy)]
struct Offset {
    since_us: i64,
    current: i64,
    previous: i64,
}

/// The latest sender report of one track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Report {
    /// On the publisher's clock, microseconds since 1970.
    ntp_us: i64,
    /// The same moment in the track's RTP time.
    rtp: u32,
}

impl Report {
    /// `None` if the report's clock says something from before 1970 or absurd,
    /// as senders without a clock do.
    pub(super) fn new(ntp: SystemTime, rtp: u32) -> Option<Self> {
        let since_1970 = ntp.duration_since(UNIX_EPOCH).ok()?;
        let sane = since_1970.as_secs() > 0 && since_1970.as_secs() < LATEST_S;
        sane.then_some(Self {
            ntp_us: since_1970.as_micros() as i64,
            rtp,
        })
    }

    /// The publisher's clock at an RTP time within half its range of the report.
    fn ntp_us_at(self, rtp: u32, clock_rate: u32) -> i64 {
        let ticks = i64::from(rtp.wrapping_sub(self.rtp) as i32);
        self.ntp_us + ticks * 1_000_000 / i64::from(clock_rate.max(1))
    }
}

impl PublisherClock {
    pub(super) fn new(origin: Instant) -> Self {
        Self {
            origin,
            offset: None,
        }
    }

    /// When a packet that arrived at `arrival` was captured: never later than
    /// that, and just then while the track has had no report.
    pub(super) fn captured(
        &mut self,
        report: Option<Report>,
        rtp: u32,
        clock_rate: u32,
        arrival: Instant,
    ) -> Instant {
        let Some(report) = report else {
            return arrival;
        };
        let ntp_us = report.ntp_us_at(rtp, clock_rate);
        let arrival_us = arrival.saturating_duration_since(self.origin).as_micros() as i64;
        let delay = arrival_us - ntp_us;
        let age_us = (delay - self.update(delay, arrival_us)).max(0);
        arrival
            .checked_sub(Duration::from_micros(age_us as u64))
            .unwrap_or(arrival)
    }

    /// Takes a delay in and returns the offset.
    fn update(&mut self, delay: i64, now_us: i64) -> i64 {
        let fresh = Offset {
            since_us: now_us,
            current: delay,
            previous: delay,
        };
        let offset = match self.offset {
            Some(old) if (delay - old.value()).abs() <= JUMP_US => old.with(delay, now_us),
            Some(_) | None => fresh,
        };
        self.offset = Some(offset);
        offset.value()
    }
}

impl Offset {
    fn value(self) -> i64 {
        self.current.min(self.previous)
    }

    fn with(self, delay: i64, now_us: i64) -> Self {
        if now_us - self.since_us > WINDOW.as_micros() as i64 {
            Self {
                since_us: now_us,
                current: delay,
                previous: self.current,
            }
        } else {
            Self {
                current: self.current.min(delay),
                ..self
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUDIO: u32 = 48_000;
    const VIDEO: u32 = 90_000;

    /// A publisher whose clock, in ms since 1970, and RTP times are ours plus
    /// some number each.
    struct Fixture {
        origin: Instant,
        clock: PublisherClock,
        ntp_ms: u64,
    }

    impl Fixture {
        fn new() -> Self {
            let origin = Instant::now();
            Self {
                origin,
                clock: PublisherClock::new(origin),
                ntp_ms: 1_700_000_000_000,
            }
        }

        fn at(&self, ms: u64) -> Instant {
            self.origin + Duration::from_millis(ms)
        }

        fn report(&self, ms: u64, rtp: u32) -> Option<Report> {
            Report::new(UNIX_EPOCH + Duration::from_millis(self.ntp_ms + ms), rtp)
        }

        /// The capture time, in ms, worked out for a packet captured at
        /// `captured_ms` that took `delay_ms`.
        fn captured(
            &mut self,
            report: Option<Report>,
            rtp: u32,
            rate: u32,
            arrival_ms: u64,
        ) -> u128 {
            let arrival = self.at(arrival_ms);
            let captured = self.clock.captured(report, rtp, rate, arrival);
            assert!(captured <= arrival, "captured before it arrived");
            captured.duration_since(self.origin).as_millis()
        }
    }

    #[test]
    fn without_a_report_it_is_the_arrival() {
        let mut f = Fixture::new();
        assert_eq!(f.captured(None, 1, VIDEO, 500), 500);
    }

    #[test]
    fn audio_and_video_of_one_moment_agree() {
        let mut f = Fixture::new();
        let audio = f.report(0, 1_000);
        let video = f.report(0, u32::MAX - 50);
        // Captured at 100 ms: audio takes 20 ms, video 60 ms to get here.
        let audio_at = f.captured(audio, 1_000 + 4_800, AUDIO, 120);
        let video_at = f.captured(video, (u32::MAX - 50).wrapping_add(9_000), VIDEO, 160);
        assert_eq!(audio_at, video_at);
        assert_eq!(audio_at, 120);
    }

    #[test]
    fn jitter_does_not_move_the_capture_time() {
        let mut f = Fixture::new();
        let report = f.report(0, 0);
        f.captured(report, 0, VIDEO, 10);
        for (frame, delay) in [(1_u32, 80), (2, 15), (3, 200), (4, 10)] {
            let ms = u64::from(frame) * 40;
            let got = f.captured(report, frame * 3_600, VIDEO, ms + delay);
            assert_eq!(got, u128::from(ms) + 10, "delay {delay}");
        }
    }

    #[test]
    fn packets_from_before_the_report_count_back() {
        let mut f = Fixture::new();
        let report = f.report(1_000, 90_000);
        f.captured(report, 90_000, VIDEO, 1_010);
        assert_eq!(f.captured(report, 45_000, VIDEO, 1_020), 510);
    }

    #[test]
    fn a_clock_that_is_set_starts_afresh() {
        for jump_ms in [3_600_000_i64, -3_600_000] {
            let mut f = Fixture::new();
            let before = f.report(0, 0);
            f.captured(before, 0, VIDEO, 10);
            f.ntp_ms = f.ntp_ms.checked_add_signed(jump_ms).unwrap();
            let after = f.report(1_000, 90_000);
            assert_eq!(f.captured(after, 90_000, VIDEO, 1_010), 1_010);
            assert_eq!(f.captured(after, 93_600, VIDEO, 1_080), 1_050);
        }
    }

    #[test]
    fn a_slow_clock_is_followed() {
        let mut f = Fixture::new();
        // Loses 1 ms in 10 s; every packet takes no time at all.
        for second in 0..100 {
            let ms = second * 1_000;
            let report = f.report(ms - ms / 10_000, second as u32 * 90_000);
            let captured = f.captured(report, second as u32 * 90_000, VIDEO, ms);
            assert!(u128::from(ms) - captured <= 3, "{second} s: {captured}");
        }
    }

    #[test]
    fn absurd_reports_are_not_believed() {
        assert_eq!(Report::new(UNIX_EPOCH - Duration::from_secs(1), 0), None);
        assert_eq!(Report::new(UNIX_EPOCH, 0), None);
    }
}
