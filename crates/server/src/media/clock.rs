//! When a publisher's packets were captured, on this server's clock.
//!
//! A publisher's sender reports tie the RTP timestamps of each of its tracks to
//! one clock of its own (RFC 3550 section 6.4.1). One offset a publisher ties
//! that clock to ours, so audio and video captured together get the same
//! moment here, and with it in the sender reports that viewers get.
//!
//! The offset comes from the reports' own way here: a report is sent at the
//! moment it names, so what it took is the network alone, half of the round
//! trip. Packets are older than that, by what encoding and pacing took, and
//! that age is what viewers want to know.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long the smallest value seen stands before a fresh one is taken.
/// Follows drifting clocks (100 ppm are 1 ms in 10 s) and holds at least two
/// reports of senders that report every five seconds.
const WINDOW: Duration = Duration::from_secs(10);

/// A report that is off by more than this from those before comes from a clock
/// that was set, not over a slow network. No round trip is longer, either.
const JUMP: Duration = Duration::from_secs(2);

/// A packet that would be older than this was not: its track's RTP timestamps
/// have nothing to do with what its reports say.
const OLDEST: Duration = Duration::from_secs(10);

/// Latest NTP time believed, seconds since 1970: keeps the arithmetic in range.
const LATEST_S: u64 = 1 << 40;

/// The clock of one publisher.
#[derive(Debug)]
pub(super) struct PublisherClock {
    /// Moments are counted from here.
    origin: Instant,
    /// Our clock less the publisher's, plus what its fastest report took.
    delay: Option<Least>,
    /// The shortest round trip; `None` while it is not known, and counts as zero.
    round_trip: Option<Least>,
}

/// The least of this window and the one before, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Least {
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

/// What a report says about the reports before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Continuity {
    /// They still hold.
    Kept,
    /// The publisher's clock was set: they are of a clock that is no more.
    Broken,
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
            delay: None,
            round_trip: None,
        }
    }

    /// Takes in a report of any of the publisher's tracks.
    pub(super) fn handle_report(&mut self, report: Report, arrival: Instant) -> Continuity {
        let now_us = self.us(arrival);
        let delay = now_us - report.ntp_us;
        let (least, continuity) = match self.delay {
            Some(least) if least.value().abs_diff(delay) <= JUMP.as_micros() as u64 => {
                (least.with(delay, now_us), Continuity::Kept)
            }
            Some(_) => (Least::new(delay, now_us), Continuity::Broken),
            None => (Least::new(delay, now_us), Continuity::Kept),
        };
        self.delay = Some(least);
        continuity
    }

    /// Takes in what a packet takes to the publisher and back.
    pub(super) fn handle_round_trip(&mut self, round_trip: Duration, now: Instant) {
        if round_trip > JUMP {
            return;
        }
        let (now_us, value) = (self.us(now), round_trip.as_micros() as i64);
        self.round_trip = Some(match self.round_trip {
            Some(least) => least.with(value, now_us),
            None => Least::new(value, now_us),
        });
    }

    /// When a packet that arrived at `arrival` was captured: never later than
    /// that, and just then while the track has had no report to believe.
    pub(super) fn captured(
        &self,
        report: Option<Report>,
        rtp: u32,
        clock_rate: u32,
        arrival: Instant,
    ) -> Instant {
        let (Some(report), Some(offset_us)) = (report, self.offset_us()) else {
            return arrival;
        };
        let captured_us = report.ntp_us_at(rtp, clock_rate) + offset_us;
        let age_us = (self.us(arrival) - captured_us).max(0);
        let age = Duration::from_micros(age_us as u64);
        if age > OLDEST {
            return arrival;
        }
        arrival.checked_sub(age).unwrap_or(arrival)
    }

    /// Our clock less the publisher's.
    fn offset_us(&self) -> Option<i64> {
        let round_trip = self.round_trip.map_or(0, Least::value);
        Some(self.delay?.value() - round_trip / 2)
    }

    fn us(&self, at: Instant) -> i64 {
        at.saturating_duration_since(self.origin).as_micros() as i64
    }
}

impl Least {
    fn new(value: i64, now_us: i64) -> Self {
        Self {
            since_us: now_us,
            current: value,
            previous: value,
        }
    }

    fn value(self) -> i64 {
        self.current.min(self.previous)
    }

    fn with(self, value: i64, now_us: i64) -> Self {
        if now_us - self.since_us > WINDOW.as_micros() as i64 {
            Self {
                since_us: now_us,
                current: value,
                previous: self.current,
            }
        } else {
            Self {
                current: self.current.min(value),
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

    /// A publisher whose clock, in ms since 1970, is ours plus some number.
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

        /// A report sent at `ms` that took `delay_ms`.
        fn report(&mut self, ms: u64, delay_ms: u64, rtp: u32) -> (Option<Report>, Continuity) {
            let ntp = UNIX_EPOCH + Duration::from_millis(self.ntp_ms + ms);
            let report = Report::new(ntp, rtp).unwrap();
            let continuity = self.clock.handle_report(report, self.at(ms + delay_ms));
            (Some(report), continuity)
        }

        /// The capture time, in ms, worked out for a packet.
        fn captured(&self, report: Option<Report>, rtp: u32, rate: u32, arrival_ms: u64) -> u128 {
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
        f.report(600, 0, 0);
        assert_eq!(f.captured(None, 1, VIDEO, 700), 700);
    }

    #[test]
    fn encoding_and_the_way_count_and_half_of_the_round_trip_is_the_way() {
        let mut f = Fixture::new();
        // 10 ms each way, and 25 ms in the encoder.
        let (report, _) = f.report(0, 10, 0);
        assert_eq!(f.captured(report, 9_000, VIDEO, 135), 110);
        f.clock
            .handle_round_trip(Duration::from_millis(20), f.at(200));
        assert_eq!(f.captured(report, 18_000, VIDEO, 235), 200);
    }

    #[test]
    fn audio_and_video_of_one_moment_agree() {
        let mut f = Fixture::new();
        let (audio, _) = f.report(0, 0, 1_000);
        let (video, _) = f.report(0, 0, u32::MAX - 50);
        // Captured at 100 ms: audio takes 20 ms, video 60 ms to get here.
        let audio_at = f.captured(audio, 1_000 + 4_800, AUDIO, 120);
        let video_at = f.captured(video, (u32::MAX - 50).wrapping_add(9_000), VIDEO, 160);
        assert_eq!((audio_at, video_at), (100, 100));
    }

    #[test]
    fn jitter_does_not_move_the_capture_time() {
        let mut f = Fixture::new();
        f.report(0, 10, 0);
        for (second, delay, trip) in [(1_u32, 80, 100), (2, 15, 20), (3, 200, 300), (4, 10, 30)] {
            let ms = u64::from(second) * 1_000;
            let (report, _) = f.report(ms, delay, second * 90_000);
            let trip = Duration::from_millis(trip);
            f.clock.handle_round_trip(trip, f.at(ms));
            if second >= 2 {
                let got = f.captured(report, second * 90_000, VIDEO, ms + delay);
                assert_eq!(got, u128::from(ms), "delay {delay}");
            }
        }
    }

    #[test]
    fn packets_from_before_the_report_count_back() {
        let mut f = Fixture::new();
        let (report, _) = f.report(1_000, 0, 90_000);
        assert_eq!(f.captured(report, 45_000, VIDEO, 1_020), 500);
    }

    #[test]
    fn a_packet_from_the_future_came_when_it_came() {
        let mut f = Fixture::new();
        let (report, _) = f.report(1_000, 0, 90_000);
        assert_eq!(f.captured(report, 180_000, VIDEO, 1_020), 1_020);
    }

    #[test]
    fn a_clock_that_is_set_starts_afresh() {
        for jump_ms in [3_600_000_i64, -3_600_000] {
            let mut f = Fixture::new();
            let (before, continuity) = f.report(0, 10, 0);
            assert_eq!(continuity, Continuity::Kept);
            f.ntp_ms = f.ntp_ms.checked_add_signed(jump_ms).unwrap();
            let (after, continuity) = f.report(1_000, 0, 90_000);
            assert_eq!(continuity, Continuity::Broken);
            assert_eq!(f.captured(after, 93_600, VIDEO, 1_080), 1_040);
            // Whoever goes on with the old report is not misled.
            assert_eq!(f.captured(before, 93_600, VIDEO, 1_080), 1_080);
            assert_eq!(f.report(2_000, 0, 180_000).1, Continuity::Kept);
        }
    }

    #[test]
    fn a_slow_clock_is_followed() {
        let mut f = Fixture::new();
        // Loses 1 ms in 10 s; every packet takes no time at all.
        for second in 0..100_u64 {
            let ms = second * 1_000;
            let (ntp_ms, rtp) = (f.ntp_ms, second as u32 * 90_000);
            f.ntp_ms -= ms / 10_000;
            let (report, _) = f.report(ms, 0, rtp);
            f.ntp_ms = ntp_ms;
            let captured = f.captured(report, rtp, VIDEO, ms);
            assert!(u128::from(ms) - captured <= 3, "{second} s: {captured}");
        }
    }

    #[test]
    fn absurd_reports_are_not_believed() {
        assert_eq!(Report::new(UNIX_EPOCH - Duration::from_secs(1), 0), None);
        assert_eq!(Report::new(UNIX_EPOCH, 0), None);
        let mut f = Fixture::new();
        // RTP times that the reports know nothing of.
        let (report, _) = f.report(20_000, 10, 1 << 31);
        assert_eq!(f.captured(report, 7, VIDEO, 20_020), 20_020);
        f.clock
            .handle_round_trip(Duration::from_secs(60_000), f.at(0));
        assert_eq!(f.captured(report, 1 << 31, VIDEO, 20_020), 20_010);
    }
}
