//! Connection quality: what the server sends against what arrives.

use core::time::Duration;

/// Below this much, in bits a second, rates are too noisy to be compared closely.
const LOW_RATE_BPS: f64 = 50_000.0;
/// Difference in percent above which a low rate is bad.
const LOW_RATE_BAD: f64 = 150.0;
/// Difference in percent above which a rate is bad.
const BAD: f64 = 50.0;
/// Difference in percent above which a rate is good rather than perfect.
const GOOD: f64 = 20.0;
/// A rate's change from second to second, as variance relative to [`NOISE`].
const PROCESS: f64 = 0.05;
/// The variance of one second's count.
const NOISE: f64 = 1.0;
/// Without a word from the server for so long, the quality is unknown: it
/// counts once a second.
const STALE: Duration = Duration::from_secs(5);

/// The difference between both rates as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// As good as all arrives.
    Perfect,
    /// A noticeable part does not.
    Good,
    /// Most does not.
    Bad,
}

impl Quality {
    /// As the page says it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Perfect => "PERFECT",
            Self::Good => "GOOD",
            Self::Bad => "BAD",
        }
    }

    fn of(server_bps: f64, client_bps: f64) -> Self {
        let mean = f64::midpoint(server_bps, client_bps);
        // Nothing sent and nothing received is no difference.
        let percent = if mean > 0.0 {
            (server_bps - client_bps).abs() / mean * 100.0
        } else {
            0.0
        };
        let low = server_bps < LOW_RATE_BPS || client_bps < LOW_RATE_BPS;
        match low {
            true if percent > LOW_RATE_BAD => Self::Bad,
            true => Self::Perfect,
            false if percent > BAD => Self::Bad,
            false if percent > GOOD => Self::Good,
            false => Self::Perfect,
        }
    }
}

/// Compares both rates, each smoothed.
#[derive(Debug, Default)]
pub struct QualityMeter {
    server: Smoothed,
    client: Smoothed,
    last: Option<(Duration, Quality)>,
}

impl QualityMeter {
    /// Takes what the server sent and what arrived in the same second; `now`
    /// on any clock that does not go back.
    pub fn handle_rates(&mut self, server_bps: f64, client_bps: f64, now: Duration) {
        let server = self.server.update(server_bps);
        let client = self.client.update(client_bps);
        self.last = Some((now, Quality::of(server, client)));
    }

    /// The quality; `None` while it is unknown.
    pub fn quality(&self, now: Duration) -> Option<Quality> {
        let (at, quality) = self.last?;
        (now.saturating_sub(at) <= STALE).then_some(quality)
    }
}

/// A Kalman filter of one value that changes at random (Kalman 1960).
#[derive(Debug, Default)]
struct Smoothed(Option<Estimate>);

#[derive(Debug, Clone, Copy)]
struct Estimate {
    value: f64,
    variance: f64,
}

impl Smoothed {
    fn update(&mut self, measured: f64) -> f64 {
        let estimate = match self.0 {
            None => Estimate {
                value: measured,
                variance: NOISE,
            },
            Some(Estimate { value, variance }) => {
                let predicted = variance + PROCESS;
                let gain = predicted / (predicted + NOISE);
                Estimate {
                    value: value + gain * (measured - value),
                    variance: (1.0 - gain) * predicted,
                }
            }
        };
        self.0 = Some(estimate);
        estimate.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let check = |server, client, expected| {
            assert_eq!(Quality::of(server, client), expected, "{server} {client}");
        };
        check(1_000_000.0, 1_000_000.0, Quality::Perfect);
        check(1_000_000.0, 820_000.0, Quality::Perfect);
        check(1_000_000.0, 810_000.0, Quality::Good);
        check(810_000.0, 1_000_000.0, Quality::Good);
        check(1_000_000.0, 600_000.0, Quality::Good);
        check(1_000_000.0, 599_000.0, Quality::Bad);
        // Either under 50 kbps: there is no GOOD.
        check(60_000.0, 49_000.0, Quality::Perfect);
        check(49_000.0, 8_000.0, Quality::Perfect);
        check(49_000.0, 6_000.0, Quality::Bad);
        check(1_000_000.0, 0.0, Quality::Bad);
        check(0.0, 0.0, Quality::Perfect);
    }

    #[test]
    fn one_strange_second_changes_little_and_many_do() {
        let mut meter = QualityMeter::default();
        let mut now = Duration::ZERO;
        let mut second = |server, client| {
            now += Duration::from_secs(1);
            meter.handle_rates(server, client, now);
            meter.quality(now)
        };
        for _ in 0..10 {
            assert_eq!(second(2e6, 2e6), Some(Quality::Perfect));
        }
        assert_eq!(second(2e6, 1.4e6), Some(Quality::Perfect));
        for _ in 0..30 {
            second(2e6, 0.9e6);
        }
        assert_eq!(second(2e6, 0.9e6), Some(Quality::Bad));
    }

    #[test]
    fn unknown_without_the_server() {
        let mut meter = QualityMeter::default();
        let now = Duration::from_secs(100);
        assert_eq!(meter.quality(now), None);
        meter.handle_rates(1e6, 1e6, now);
        assert_eq!(meter.quality(now + STALE), Some(Quality::Perfect));
        let late = now + STALE + Duration::from_millis(1);
        assert_eq!(meter.quality(late), None);
    }
}
