//! Gives times to what has none: pictures and sound from a pipe.
//!
//! Two kinds of writers must be told apart by nothing but when their data comes.
//! A file's data is there at once, and is played at its nominal rate. A live
//! writer's data comes when it was captured, and is passed on at once; its
//! times follow the arrivals smoothly, so that its clock may drift.

use std::time::{Duration, Instant};

/// Live data may come this many seconds early without being taken for a file's.
const LIVE_JITTER: f64 = 0.040;

/// Times follow the arrival of live data with this time constant, in seconds.
const SMOOTHING: f64 = 3.0;

/// After a stall longer than this, in seconds, times go on from there; after a
/// shorter one what was late catches up.
const MAX_STALL: f64 = 0.5;

/// When something was captured, and when it may be passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timing {
    pub(super) capture_time: Instant,
    pub(super) due: Instant,
}

/// A place in the media, in seconds from their beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    pub(super) start: f64,
    /// Of a picture the same as `start`: it is taken at once.
    pub(super) end: f64,
}

/// The time base of an input. Times are in seconds since the first arrival.
#[derive(Debug, Default)]
pub(super) struct Pace {
    origin: Option<Instant>,
    /// When the media began.
    base: f64,
    /// The end of what came last, in the media.
    last_end: f64,
    /// The writer is ahead.
    ahead: bool,
}

impl Pace {
    /// Takes note that `span` arrived at `arrival`.
    pub(super) fn time(&mut self, span: Span, arrival: Instant) -> Timing {
        let origin = *self.origin.get_or_insert_with(|| {
            self.base = -span.end;
            arrival
        });
        let at = arrival.saturating_duration_since(origin).as_secs_f64();
        let late = at - (self.base + span.end);
        if late > MAX_STALL {
            self.base += late;
        } else if late >= 0.0 {
            self.ahead = false;
            self.follow(late, span);
        } else if late < -LIVE_JITTER || self.ahead {
            self.ahead = true;
        } else {
            self.follow(late, span);
        }
        self.last_end = span.end;
        let due = if self.ahead {
            moment(origin, self.base + span.end)
        } else {
            arrival
        };
        Timing {
            capture_time: moment(origin, self.base + span.start),
            due,
        }
    }

    fn follow(&mut self, late: f64, span: Span) {
        let passed = (span.end - self.last_end).clamp(0.0, SMOOTHING);
        self.base += late * passed / SMOOTHING;
    }
}

/// The moment `seconds` after `origin`, or before it.
fn moment(origin: Instant, seconds: f64) -> Instant {
    let distance = Duration::from_secs_f64(seconds.abs());
    if seconds < 0.0 {
        origin.checked_sub(distance).unwrap_or(origin)
    } else {
        origin + distance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FPS: f64 = 30.0;

    /// Paces pictures that arrive at the given times, in seconds; for each its
    /// capture time and when it is due.
    fn paced(arrivals: impl IntoIterator<Item = f64>) -> Vec<(f64, f64)> {
        let origin = Instant::now() + Duration::from_secs(10);
        let seconds = |at: Instant| {
            let after = at.saturating_duration_since(origin).as_secs_f64();
            after - origin.saturating_duration_since(at).as_secs_f64()
        };
        let mut pace = Pace::default();
        let arrivals = arrivals.into_iter().enumerate();
        arrivals
            .map(|(number, arrival)| {
                let at = number as f64 / FPS;
                let span = Span { start: at, end: at };
                let timing = pace.time(span, moment(origin, arrival));
                (seconds(timing.capture_time), seconds(timing.due))
            })
            .collect()
    }

    fn assert_near(value: f64, expected: f64, tolerance: f64) {
        assert!(
            (value - expected).abs() <= tolerance,
            "{value}, not {expected}"
        );
    }

    #[test]
    fn a_file_is_played_at_its_rate() {
        // As fast as a queue of two lets it come.
        let arrivals = (0..300).map(|number| f64::from((number - 2_i32).max(0)) / FPS);
        for (number, (captured, due)) in paced(arrivals).into_iter().enumerate() {
            assert_near(captured, number as f64 / FPS, 0.001);
            if number > 1 {
                assert_near(due, captured, 1e-9);
            }
        }
    }

    #[test]
    fn live_pictures_are_passed_on_at_once_and_stamped_evenly() {
        let jitter = |number: u32| 0.015 * (f64::from(number * 7919 % 1009) / 504.0 - 1.0);
        let arrivals: Vec<f64> = (0..900)
            .map(|number| 0.1 + f64::from(number) / FPS + jitter(number))
            .collect();
        let timings = paced(arrivals.iter().copied());
        for (&arrival, &(captured, due)) in arrivals.iter().zip(&timings) {
            assert_near(due, arrival, 1e-9);
            assert_near(captured, arrival, 0.032);
        }
        for pair in timings.windows(2) {
            assert_near(pair[1].0 - pair[0].0, 1.0 / FPS, 0.001);
        }
    }

    #[test]
    fn a_live_writer_s_drift_is_followed() {
        for drift in [-500e-6, 500e-6] {
            let arrival = |number: u32| f64::from(number) / FPS * (1.0 + drift);
            // Half an hour: without following it would be off by almost a second.
            let timings = paced((0..54_000).map(arrival));
            for (number, (captured, due)) in timings.into_iter().enumerate() {
                assert_near(due, arrival(number as u32), 1e-9);
                assert_near(captured, due, 0.002);
            }
        }
    }

    #[test]
    fn a_writer_that_is_too_slow_is_followed_too() {
        let arrival = |number: u32| f64::from(number) / FPS * 1.05;
        for (number, (captured, _)) in paced((0..900).map(arrival)).into_iter().enumerate() {
            assert_near(captured, arrival(number as u32), 0.2);
        }
    }

    #[test]
    fn after_a_short_stall_pictures_catch_up() {
        let arrival = |number: u32| match number {
            30..40 => 1.33,
            number => f64::from(number) / FPS,
        };
        let timings = paced((0..100).map(arrival));
        assert_near(timings[30].1, 1.33, 1e-9);
        assert_near(timings[99].0, 99.0 / FPS, 0.05);
    }

    #[test]
    fn after_a_long_stall_time_goes_on_from_there() {
        let arrival = |number: u32| match number {
            0..30 => f64::from(number) / FPS,
            number => 20.0 + f64::from(number - 30) / FPS,
        };
        let timings = paced((0..60).map(arrival));
        assert_near(timings[29].0, 29.0 / FPS, 1e-6);
        for (number, timing) in timings.iter().enumerate().skip(30) {
            assert_near(timing.0, arrival(number as u32), 1e-6);
        }
    }

    #[test]
    fn sound_is_stamped_with_its_beginning() {
        let arrival = Instant::now() + Duration::from_secs(1);
        let span = Span {
            start: 0.0,
            end: 0.02,
        };
        let timing = Pace::default().time(span, arrival);
        assert_eq!(timing.due, arrival);
        assert_eq!(timing.capture_time, arrival - Duration::from_millis(20));
    }
}
