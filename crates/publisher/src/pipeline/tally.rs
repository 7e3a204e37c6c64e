//! What was handed to the network: counts for ever, rates of the last second.

use std::time::{Duration, Instant};

/// Rates are of at least this long; asked sooner, the ones before are told.
const WINDOW: Duration = Duration::from_millis(500);

/// Delays kept for the median. Asked once a second there are as many as frames;
/// never asked, memory stays flat.
const MAX_DELAYS: usize = 512;

/// The frames or packets of one track.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) items: u64,
    pub(super) bytes: u64,
    window: Window,
    rates: Rates,
}

/// Since the rates were last computed.
#[derive(Debug)]
struct Window {
    start: Instant,
    items: u64,
    bytes: u64,
    delays: Vec<Duration>,
}

/// Of the last window.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Rates {
    pub(super) items_per_second: f32,
    pub(super) bitrate_bps: u64,
    /// Captured to handed over, the median.
    pub(super) delay: Duration,
}

impl Tally {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            items: 0,
            bytes: 0,
            window: Window::new(now),
            rates: Rates::default(),
        }
    }

    /// Something captured at `captured` is handed over.
    pub(super) fn count(&mut self, bytes: usize, captured: Instant, now: Instant) {
        self.items += 1;
        self.bytes += bytes as u64;
        self.window.items += 1;
        self.window.bytes += bytes as u64;
        if self.window.delays.len() < MAX_DELAYS {
            let delay = now.saturating_duration_since(captured);
            self.window.delays.push(delay);
        }
    }

    /// The rates since the last time they were asked for.
    pub(super) fn rates(&mut self, now: Instant) -> Rates {
        let elapsed = now.saturating_duration_since(self.window.start);
        if elapsed >= WINDOW {
            let mut window = std::mem::replace(&mut self.window, Window::new(now));
            self.rates = Rates {
                items_per_second: window.items as f32 / elapsed.as_secs_f32(),
                bitrate_bps: (window.bytes as f64 * 8.0 / elapsed.as_secs_f64()) as u64,
                delay: median(&mut window.delays),
            };
        }
        self.rates
    }
}

impl Window {
    fn new(start: Instant) -> Self {
        Self {
            start,
            items: 0,
            bytes: 0,
            delays: Vec::new(),
        }
    }
}

fn median(delays: &mut [Duration]) -> Duration {
    let middle = delays.len() / 2;
    if delays.is_empty() {
        return Duration::ZERO;
    }
    *delays.select_nth_unstable(middle).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_last_window_and_counts_are_for_ever() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut tally = Tally::new(start);
        for frame in 0..30 {
            let captured = at(frame * 33);
            tally.count(1_000, captured, captured + Duration::from_millis(5 + frame));
        }
        let rates = tally.rates(at(1_000));
        assert_eq!(rates.items_per_second, 30.0);
        assert_eq!(rates.bitrate_bps, 240_000);
        assert_eq!(rates.delay, Duration::from_millis(20));
        assert_eq!(tally.rates(at(1_100)), rates, "too soon for others");
        assert_eq!(tally.rates(at(2_000)), Rates::default());
        assert_eq!((tally.items, tally.bytes), (30, 30_000));
    }

    #[test]
    fn delays_do_not_pile_up_when_nobody_asks() {
        let now = Instant::now();
        let mut tally = Tally::new(now);
        for _ in 0..10 * MAX_DELAYS {
            tally.count(1, now, now);
        }
        assert_eq!(tally.window.delays.len(), MAX_DELAYS);
    }
}
