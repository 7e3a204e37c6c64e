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
