//! Whether and when a publication that is off air is tried again. Owns no clock
//! and no chance.

use std::time::{Duration, Instant};

use session::{Backoff, BackoffConfig, Severity};

use crate::Error;
use crate::publisher::RetryOptions;

/// A connection that was on air for this long worked: the waits after it begin
/// with the shortest again.
const STEADY: Duration = Duration::from_secs(10);

/// How a connection was lost, or why there was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) error: Error,
    /// Whether another try may go better.
    pub(crate) severity: Severity,
    /// The server asks to be left alone for so long.
    pub(crate) at_least: Duration,
}

/// What to do about a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Wait, then try.
    Wait {
        /// Tries since the stream was last on air, the coming one included.
        attempt: u32,
        wait: Duration,
    },
    /// It is no use, or has taken too long.
    GiveUp,
}

/// The waits, and how long they have taken.
#[derive(Debug)]
pub(crate) struct Retry {
    give_up_after: Option<Duration>,
    backoff: Backoff,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    OffAir { since: Instant },
    OnAir { since: Instant },
}

impl Retry {
    /// Off air from `now` on.
    pub(crate) fn new(options: RetryOptions, now: Instant) -> Self {
        Self {
            give_up_after: options.give_up_after,
            backoff: Backoff::new(BackoffConfig {
                first: options.first_wait,
                factor: 2.0,
                cap: options.longest_wait,
                jitter: 0.5,
            }),
            state: State::OffAir { since: now },
        }
    }

    /// The stream is PUBLISHING.
    pub(crate) fn on_air(&mut self, now: Instant) {
        if let State::OffAir { .. } = self.state {
            self.state = State::OnAir { since: now };
        }
    }

    /// The connection is lost, or was not made. `random` is 0 up to 1.
    pub(crate) fn lost(&mut self, loss: &Loss, now: Instant, random: f64) -> Next {
        if let State::OnAir { since } = self.state {
            if now.saturating_duration_since(since) >= STEADY {
                self.backoff.reset();
            }
            self.state = State::OffAir { since: now };
        }
        let wait = self.backoff.next(random).max(loss.at_least);
        let too_late = match (self.give_up_after, self.state) {
            (Some(limit), State::OffAir { since }) => {
                now.saturating_duration_since(since).saturating_add(wait) >= limit
            }
            (None, _) | (_, State::OnAir { .. }) => false,
        };
        if loss.severity == Severity::Fatal || too_late {
            return Next::GiveUp;
        }
        Next::Wait {
            attempt: self.backoff.attempt(),
            wait,
        }
    }

    /// When even an attempt that is on its way is given up. `None` on air, if
    /// nothing is ever given up, and if the first loss is the end: then the one
    /// attempt may take its time.
    pub(crate) fn gives_up_at(&self) -> Option<Instant> {
        let limit = self.give_up_after.filter(|limit| !limit.is_zero())?;
        match self.state {
            State::OffAir { since } => since.checked_add(limit),
            State::OnAir { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A policy in virtual time: `act` says what happened, and after how long.
    struct Story {
        retry: Retry,
        now: Instant,
    }

    impl Story {
        fn new(give_up_after: Option<f64>) -> Self {
            let now = Instant::now();
            let options = RetryOptions {
                give_up_after: give_up_after.map(Duration::from_secs_f64),
                ..RetryOptions::default()
            };
            Self {
                retry: Retry::new(options, now),
                now,
            }
        }

        fn on_air(&mut self, after: f64) {
            self.now += Duration::from_secs_f64(after);
            self.retry.on_air(self.now);
        }

        /// The attempt and the wait in seconds; `None` if it is given up.
        fn lost(&mut self, after: f64) -> Option<(u32, f64)> {
            self.lost_like(after, Severity::Passing, 0.0)
        }

        fn lost_like(&mut self, after: f64, severity: Severity, least: f64) -> Option<(u32, f64)> {
            self.now += Duration::from_secs_f64(after);
            let loss = Loss {
                error: Error::Connection("gone".to_owned()),
                severity,
                at_least: Duration::from_secs_f64(least),
            };
            match self.retry.lost(&loss, self.now, 0.0) {
                Next::Wait { attempt, wait } => {
                    self.now += wait;
                    Some((attempt, wait.as_secs_f64()))
                }
                Next::GiveUp => None,
            }
        }
    }

    #[test]
    fn waits_grow_and_begin_anew_after_a_while_on_air() {
        let mut story = Story::new(None);
        for expected in [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0), (6, 10.0)] {
            assert_eq!(story.lost(0.1), Some(expected));
        }
        story.on_air(0.1);
        assert_eq!(story.lost(9.0), Some((7, 10.0)), "that was too short");
        story.on_air(0.1);
        assert_eq!(story.lost(10.0), Some((1, 0.5)));
    }

    #[test]
    fn it_is_never_given_up_unless_asked_for() {
        let mut story = Story::new(None);
        for _ in 0..10_000 {
            assert!(story.lost(15.0).is_some());
        }
        assert_eq!(story.retry.gives_up_at(), None);
    }

    #[test]
    fn zero_makes_the_first_loss_the_end() {
        let mut story = Story::new(Some(0.0));
        assert_eq!(story.retry.gives_up_at(), None, "the attempt has its time");
        assert_eq!(story.lost(0.0), None);

        let mut story = Story::new(Some(0.0));
        story.on_air(20.0);
        assert_eq!(story.lost(3600.0), None);
    }

    #[test]
    fn the_limit_counts_from_going_off_air() {
        let mut story = Story::new(Some(5.0));
        let start = story.now;
        let limit = Duration::from_secs(5);
        assert_eq!(story.retry.gives_up_at(), Some(start + limit));
        assert_eq!(story.lost(0.1), Some((1, 0.5)));
        assert_eq!(story.lost(0.1), Some((2, 1.0)));
        story.on_air(0.1);
        assert_eq!(story.retry.gives_up_at(), None);
        // A fresh five seconds: 0.5, 1 and 2 fit, 4 does not.
        assert_eq!(story.lost(3600.0), Some((1, 0.5)));
        let lost = story.now - Duration::from_millis(500);
        assert_eq!(story.retry.gives_up_at(), Some(lost + limit));
        assert_eq!(story.lost(0.1), Some((2, 1.0)));
        assert_eq!(story.lost(0.1), Some((3, 2.0)));
        assert_eq!(story.lost(0.1), None);
    }

    #[test]
    fn a_fatal_loss_is_the_end_at_once() {
        let mut story = Story::new(None);
        assert_eq!(story.lost_like(0.1, Severity::Fatal, 0.0), None);
        let mut story = Story::new(None);
        story.on_air(0.1);
        assert_eq!(story.lost_like(60.0, Severity::Fatal, 0.0), None);
    }

    #[test]
    fn a_server_that_asks_for_time_gets_it() {
        let mut story = Story::new(None);
        let asked = story.lost_like(0.1, Severity::Passing, 30.0);
        assert_eq!(asked, Some((1, 30.0)));
        assert_eq!(story.lost(0.1), Some((2, 1.0)));
        // More than there is: no use in waiting.
        let mut story = Story::new(Some(20.0));
        assert_eq!(story.lost_like(0.1, Severity::Passing, 30.0), None);
    }

    #[test]
    fn options_that_make_no_sense_do_no_harm() {
        let options = RetryOptions {
            first_wait: Duration::MAX,
            longest_wait: Duration::MAX,
            give_up_after: Some(Duration::MAX),
        };
        let now = Instant::now();
        let mut retry = Retry::new(options, now);
        assert_eq!(retry.gives_up_at(), None);
        let loss = Loss {
            error: Error::Connection("gone".to_owned()),
            severity: Severity::Passing,
            at_least: Duration::ZERO,
        };
        assert_eq!(retry.lost(&loss, now, 0.0), Next::GiveUp);
    }
}
