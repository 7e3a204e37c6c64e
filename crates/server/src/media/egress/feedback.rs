//! What a viewer's reports say of how its media comes through (RTCP).

use std::time::{Duration, Instant};

use str0m::rtp::rtcp::ReceptionReport;

use super::wall::WallClock;

/// Over which time loss is taken: single reports are about a few packets.
const LOSS_WINDOW: Duration = Duration::from_secs(1);

/// Packets between two reports past which one of them is not to be believed.
const MOST_BETWEEN: u32 = 1 << 16;

/// What an RTCP packet of the viewer's comes to, for the player.
#[derive(Debug, Default, PartialEq)]
pub(in crate::media) struct Feedback {
    /// It wants a keyframe (PLI or FIR).
    pub(in crate::media) wants_keyframe: bool,
    /// The part of the video packets that was lost of late.
    pub(in crate::media) loss: Option<f32>,
    /// What it takes its network to carry (REMB), bits per second.
    pub(in crate::media) remb_bps: Option<u64>,
}

/// Receiver reports of one stream.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    /// Packets that never came, so far.
    pub(super) lost: u32,
    /// The newest number that was reported, and of which window.
    newest: Option<u32>,
    window: Option<Window>,
}

#[derive(Debug)]
struct Window {
    since: Instant,
    packets: u32,
    lost: f32,
}

impl Receipts {
    /// Takes in a report; the part lost in the last window, if that is over. It goes
    /// by what each report says of the packets since the one before: some viewers
    /// take what was sent again off the sum.
    pub(super) fn take(&mut self, report: &ReceptionReport, now: Instant) -> Option<f32> {
        // 24 bits with a sign: packets that come twice count less than none.
        let lost = (report.packets_lost << 8) as i32 >> 8;
        self.lost = lost.max(0) as u32;
        let before = self.newest.replace(report.max_seq)?;
        let packets = report.max_seq.wrapping_sub(before);
        if packets > MOST_BETWEEN {
            return None;
        }
        let window = self.window.get_or_insert(Window {
            since: now,
            packets: 0,
            lost: 0.0,
        });
        window.packets += packets;
        window.lost += packets as f32 * f32::from(report.fraction_lost) / 256.0;
        let over = now.saturating_duration_since(window.since) >= LOSS_WINDOW;
        let window = self.window.take_if(|window| over && window.packets > 0)?;
        Some(window.lost / window.packets as f32)
    }
}

/// What a packet takes to the viewer and back (RFC 3550 section 6.4.1); `None` if
/// it has had no report to go by, or says something absurd.
pub(super) fn round_trip(
    report: &ReceptionReport,
    clock: &WallClock,
    now: Instant,
) -> Option<Duration> {
    if report.last_sr_time == 0 {
        return None;
    }
    let trip = clock
        .short_ntp(now)
        .wrapping_sub(report.last_sr_time)
        .wrapping_sub(report.last_sr_delay);
    let micros = (u64::from(trip) * 1_000_000) >> 16;
    i32::try_from(trip)
        .ok()
        .map(|_| Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;

    fn report(max_seq: u32, fraction_lost: u8) -> ReceptionReport {
        ReceptionReport {
            ssrc: 1.into(),
            fraction_lost,
            packets_lost: 0,
            max_seq,
            jitter: 0,
            last_sr_time: 0,
            last_sr_delay: 0,
        }
    }

    #[test]
    fn loss_is_of_the_last_window() {
        let start = Instant::now();
        let mut receipts = Receipts::default();
        // Milliseconds, newest number, 256ths lost since the report before; what is
        // told.
        let table = [
            ((0, 100, 255), None),
            ((100, 200, 128), None),
            ((500, 300, 0), None),
            ((1_100, 400, 64), Some(0.25)),
            ((1_200, 500, 0), None),
            ((2_200, 600, 0), Some(0.0)),
            // Nothing new, and what goes back.
            ((2_300, 600, 0), None),
            ((3_400, 600, 0), None),
            ((3_500, 590, 255), None),
            ((3_600, 610, 64), Some(0.25)),
        ];
        for ((ms, newest, lost), expected) in table {
            let now = start + Duration::from_millis(ms);
            let told = receipts.take(&report(newest, lost), now);
            assert_eq!(told, expected, "{ms}");
        }
    }

    #[test]
    fn packets_that_come_twice_are_none_lost() {
        let mut receipts = Receipts::default();
        for (packets_lost, expected) in [(7, 7), (0xff_ffff, 0)] {
            let report = ReceptionReport {
                packets_lost,
                ..report(1, 0)
            };
            receipts.take(&report, Instant::now());
            assert_eq!(receipts.lost, expected);
        }
    }

    #[test]
    fn the_round_trip_is_what_the_viewer_did_not_wait() {
        let start = Instant::now();
        let clock = WallClock::new(start, UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        let now = start + Duration::from_secs(10);
        let sent = clock.short_ntp(start + Duration::from_secs(8));
        let of = |last_sr_time, last_sr_delay| {
            let report = ReceptionReport {
                last_sr_time,
                last_sr_delay,
                ..report(1, 0)
            };
            round_trip(&report, &clock, now)
        };
        assert_eq!(of(sent, 3 << 15), Some(Duration::from_millis(500)));
        assert_eq!(of(sent, 2 << 16), Some(Duration::ZERO));
        assert_eq!(of(sent, 3 << 16), None);
        assert_eq!(of(0, 0), None);
        let ahead = WallClock::new(start, SystemTime::now());
        assert_ne!(ahead.short_ntp(now), 0);
    }
}
