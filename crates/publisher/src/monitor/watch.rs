//! When frames were seen: how late, and when the picture stood still.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What the delay is the median of.
const WINDOW: Duration = Duration::from_secs(1);

/// How many frames before it tell what is usual
/// (W3C webrtc-stats, `RTCInboundRtpStreamStats.freezeCount`).
const USUAL_FRAMES: usize = 30;

/// The picture stands still when the next one takes this many times as long as
/// usual, and this much longer (ibid.).
const FREEZE_FACTOR: u32 = 3;
const FREEZE_BEYOND: Duration = Duration::from_millis(150);

#[derive(Debug, Default)]
pub(super) struct Watch {
    /// When, and how old it was.
    delays: VecDeque<(Instant, Duration)>,
    last_seen: Option<Instant>,
    /// From one frame to the next.
    gaps: VecDeque<Duration>,
    freezes: u32,
    frozen: Duration,
}

impl Watch {
    /// A frame was seen. `captured`: when it was taken; `pause`: how long before
    /// it nothing was sent, so that nothing could be seen.
    pub(super) fn see(&mut self, at: Instant, captured: Option<Instant>, pause: Duration) {
        if let Some(captured) = captured {
            let delay = at.saturating_duration_since(captured);
            self.delays.push_back((at, delay));
        }
        self.forget(at);
        if let Some(last) = self.last_seen.replace(at) {
            let gap = at.saturating_duration_since(last);
            self.check_freeze(gap, pause);
            if self.gaps.len() == USUAL_FRAMES {
                self.gaps.pop_front();
            }
            self.gaps.push_back(gap);
        }
    }

    fn check_freeze(&mut self, gap: Duration, pause: Duration) {
        let Ok(count @ 1..) = u32::try_from(self.gaps.len()) else {
            return;
        };
        let average = self.gaps.iter().sum::<Duration>() / count;
        let usual = average.max(pause);
        if gap > usual * FREEZE_FACTOR && gap > usual + FREEZE_BEYOND {
            self.freezes += 1;
            self.frozen += gap;
        }
    }

    /// What is seen next has nothing to do with what was seen before.
    pub(super) fn close(&mut self) {
        self.last_seen = None;
        self.gaps.clear();
    }

    fn forget(&mut self, now: Instant) {
        let old = |(at, _): &(Instant, Duration)| now.saturating_duration_since(*at) > WINDOW;
        while self.delays.front().is_some_and(old) {
            self.delays.pop_front();
        }
    }

    /// Median and longest delay of the last second.
    pub(super) fn delay(&mut self, now: Instant) -> Option<(Duration, Duration)> {
        self.forget(now);
        let mut delays: Vec<_> = self.delays.iter().map(|(_, delay)| *delay).collect();
        delays.sort_unstable();
        Some((*delays.get(delays.len() / 2)?, *delays.last()?))
    }

    /// How often the picture stood still, and for how long in all.
    pub(super) fn frozen(&self) -> (u32, Duration) {
        (self.freezes, self.frozen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Freezes and how long in ms after frames with these gaps, each after a pause
    /// of the sender of so long.
    fn check(gaps: &[(u64, u64)], expected: (u32, u64)) {
        let mut watch = Watch::default();
        let mut at = Instant::now();
        watch.see(at, None, Duration::ZERO);
        for (gap, pause) in gaps {
            at += ms(*gap);
            watch.see(at, None, ms(*pause));
        }
        let (freezes, frozen) = watch.frozen();
        let frozen = frozen.as_millis() as u64;
        assert_eq!((freezes, frozen), expected, "{gaps:?}");
    }

    #[test]
    fn a_picture_that_stands_still_for_long_is_a_freeze() {
        let steady = [(33, 33); 30];
        let then = |gaps: &[(u64, u64)]| [&steady[..], gaps].concat();
        check(&steady, (0, 0));
        check(&then(&[(183, 33)]), (0, 0));
        check(&then(&[(184, 33)]), (1, 184));
        check(&then(&[(500, 33), (33, 33), (400, 33)]), (2, 900));
        // Three times as long matters where frames are rare.
        let slow = [(200, 200); 30];
        check(&[&slow[..], &[(600, 200)]].concat(), (0, 0));
        check(&[&slow[..], &[(601, 200)]].concat(), (1, 601));
        // Nothing is usual yet.
        check(&[(5_000, 33)], (0, 0));
    }

    #[test]
    fn what_is_not_sent_on_purpose_is_no_freeze() {
        let mut gaps = vec![(33, 33); 30];
        gaps.extend([(1_000, 1_000); 3]);
        gaps.extend([(67, 67); 3]);
        check(&gaps, (0, 0));
        gaps.extend([(1_000, 67)]);
        check(&gaps, (1, 1_000));
    }

    #[test]
    fn another_connection_starts_afresh() {
        let mut watch = Watch::default();
        let mut at = Instant::now();
        for _ in 0..10 {
            at += ms(33);
            watch.see(at, None, ms(33));
        }
        watch.close();
        watch.see(at + ms(9_000), None, ms(33));
        watch.see(at + ms(9_033), None, ms(33));
        assert_eq!(watch.frozen().0, 0);
    }

    #[test]
    fn the_delay_is_that_of_the_last_second() {
        let mut watch = Watch::default();
        let start = Instant::now() + ms(1_000);
        assert_eq!(watch.delay(start), None);
        for (at, delay) in [(0, 900), (100, 30), (200, 10), (300, 20)] {
            let at = start + ms(at);
            watch.see(at, Some(at - ms(delay)), Duration::ZERO);
        }
        assert_eq!(watch.delay(start + ms(300)), Some((ms(30), ms(900))));
        assert_eq!(watch.delay(start + ms(1_001)), Some((ms(20), ms(30))));
        assert_eq!(watch.delay(start + ms(1_301)), None);
    }
}
