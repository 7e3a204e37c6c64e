//! Keeps a play live: notices a delay that creeps up and drains it.
//!
//! A pure state machine: a reading a second goes in, what to do comes out. The
//! smallest steady delay seen lately, and a margin, is what a play may have.
//! Above it for some seconds, or right after the page was hidden, the guard
//! tries in rising order: the jitter buffer's target, the video element's own
//! queue, playing again. What does not help is not repeated for ever: after the
//! last step the new delay is what it is, and restarts come ever more rarely.

use core::cmp::Ordering;
use core::time::Duration;
use std::collections::VecDeque;

use crate::state::statistics::decimal;

/// So many readings in a row are too high before anything is done.
const OVER_READINGS: u32 = 5;
/// So many readings in a row are low again before it is over.
const UNDER_READINGS: u32 = 2;
/// So many readings in a row make a delay steady.
const STEADY_READINGS: usize = 3;
/// Least tolerated above the smallest steady delay, in milliseconds.
const MARGIN_MS: f64 = 300.0;
/// The same as a part of it.
const MARGIN_PART: f64 = 0.5;
/// A step that lowered the delay by so much is working, in milliseconds.
const FALLING_MS: f64 = 100.0;
/// How long a step is given.
const STEP: Duration = Duration::from_secs(5);
/// Nothing is done for so long after it is over.
const REST: Duration = Duration::from_secs(30);
/// The smallest delay is kept in pieces of time, each so long.
const PIECE: Duration = Duration::from_secs(30);
/// So many pieces: five minutes.
const PIECES: usize = 10;
/// From one restart to the next, at first; it doubles with each.
const FIRST_RESTART_PAUSE: Duration = Duration::from_secs(60);
/// From one restart to the next, at most.
const LAST_RESTART_PAUSE: Duration = Duration::from_secs(30 * 60);
/// How long a note stays.
const NOTE: Duration = Duration::from_secs(20);

/// What a reading measures, the best last; only readings of one kind can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// In the jitter buffer only.
    Buffer,
    /// From capture to display, estimated.
    EstimatedDelay,
    /// From capture to display.
    Delay,
}

/// One second's reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// What it measures.
    pub measure: Measure,
    /// In milliseconds.
    pub ms: f64,
}

/// What the guard asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Set the receivers' `jitterBufferTarget`; `None` is the browser's choice.
    SetPlayoutTarget(Option<Duration>),
    /// Give the video element its stream again, which empties its queue.
    Reattach,
    /// Play the stream again.
    Restart,
}

/// What the guard has to say.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Note {
    CatchingUp,
    CaughtUp,
    Restarted,
    GaveUp,
}

/// The guard of the plays of a page.
#[derive(Debug, Default)]
pub struct Guard {
    usual: Usual,
    state: State,
    was_hidden: bool,
    /// When the last restart was, and how long the next one has to wait from there.
    restarted: Option<(Duration, Duration)>,
    /// What was said, how far behind it was in milliseconds, and until when.
    note: Option<(Note, f64, Duration)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Watching { over: u32 },
    Draining(Draining),
    Resting { until: Duration },
}

impl Default for State {
    fn default() -> Self {
        Self::Watching { over: 0 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Draining {
    step: Step,
    until: Duration,
    /// The delay when the step began, or was given more time.
    from_ms: f64,
    /// How far behind it was at most.
    behind_ms: f64,
    under: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    ShrinkBuffer,
    Reattach,
}

impl Guard {
    /// Takes a second's reading; what to do, in this order. `now` is on any
    /// clock that does not go back; `None` says that nothing could be measured,
    /// and a worse measure than the last one counts as such.
    pub fn handle_reading(
        &mut self,
        reading: Option<Reading>,
        visible: bool,
        now: Duration,
    ) -> Vec<Action> {
        self.note.take_if(|(_, _, until)| *until <= now);
        if !visible {
            self.was_hidden = true;
            return Vec::new();
        }
        let Some(reading) = reading else {
            return Vec::new();
        };
        match self.usual.measure.map(|usual| reading.measure.cmp(&usual)) {
            Some(Ordering::Less) => return Vec::new(),
            Some(Ordering::Greater) => return self.start_over(reading, now),
            Some(Ordering::Equal) | None => {}
        }
        match self.state {
            State::Watching { over } => self.watch(over, reading, now),
            State::Draining(draining) => self.drain(draining, reading, now),
            State::Resting { until } => {
                self.was_hidden = false;
                self.usual.push(reading, now);
                if now >= until {
                    self.state = State::default();
                }
                Vec::new()
            }
        }
    }

    /// Another stream is played: nothing is known of its delay yet.
    pub fn handle_new_stream(&mut self) {
        self.usual = Usual::default();
        self.was_hidden = false;
        self.state = State::default();
    }

    /// Nothing plays any more: what was being done is over, what was done stays said.
    pub fn handle_end(&mut self) {
        self.note
            .take_if(|(note, ..)| matches!(note, Note::CatchingUp | Note::GaveUp));
    }

    /// What the page says, for people; empty if nothing.
    pub fn note(&self) -> String {
        let Some((note, behind_ms, _)) = self.note else {
            return String::new();
        };
        let seconds = decimal(behind_ms / 1_000.0);
        match note {
            Note::CatchingUp => format!("Catching up: {seconds} s behind"),
            Note::CaughtUp => format!("Caught up: was {seconds} s behind"),
            Note::Restarted => format!("Played again: was {seconds} s behind"),
            Note::GaveUp => format!("Cannot catch up: {seconds} s behind"),
        }
    }

    fn watch(&mut self, over: u32, reading: Reading, now: Duration) -> Vec<Action> {
        let came_back = core::mem::take(&mut self.was_hidden);
        let behind_ms = self.usual.behind_ms(reading);
        self.usual.push(reading, now);
        let Some(behind_ms) = behind_ms else {
            self.state = State::default();
            return Vec::new();
        };
        let over = over + 1;
        if over < OVER_READINGS && !came_back {
            self.state = State::Watching { over };
            return Vec::new();
        }
        self.begin(Step::ShrinkBuffer, reading.ms, behind_ms, now);
        vec![Action::SetPlayoutTarget(Some(Duration::ZERO))]
    }

    fn drain(&mut self, mut draining: Draining, reading: Reading, now: Duration) -> Vec<Action> {
        self.was_hidden = false;
        let Some(behind_ms) = self.usual.behind_ms(reading) else {
            draining.under += 1;
            if draining.under < UNDER_READINGS {
                self.state = State::Draining(draining);
                return Vec::new();
            }
            return self.end(Note::CaughtUp, draining.behind_ms, now);
        };
        draining.under = 0;
        draining.behind_ms = draining.behind_ms.max(behind_ms);
        if now < draining.until {
            self.state = State::Draining(draining);
            return Vec::new();
        }
        if reading.ms <= draining.from_ms - FALLING_MS {
            draining.from_ms = reading.ms;
            draining.until = now + STEP;
            self.state = State::Draining(draining);
            return Vec::new();
        }
        match draining.step {
            Step::ShrinkBuffer => {
                self.begin(Step::Reattach, reading.ms, draining.behind_ms, now);
                vec![Action::Reattach]
            }
            Step::Reattach => self.restart(draining.behind_ms, now),
        }
    }

    fn begin(&mut self, step: Step, from_ms: f64, behind_ms: f64, now: Duration) {
        self.state = State::Draining(Draining {
            step,
            until: now + STEP,
            from_ms,
            behind_ms,
            under: 0,
        });
        self.say(Note::CatchingUp, behind_ms, now);
    }

    /// The last step: plays again, unless that was tried a short while ago.
    /// Either way what comes then is the usual delay.
    fn restart(&mut self, behind_ms: f64, now: Duration) -> Vec<Action> {
        self.usual = Usual::default();
        let pause = match self.restarted {
            None => FIRST_RESTART_PAUSE,
            Some((at, pause)) if now < at + pause => {
                return self.end(Note::GaveUp, behind_ms, now);
            }
            Some((at, _)) if now >= at + 2 * LAST_RESTART_PAUSE => FIRST_RESTART_PAUSE,
            Some((_, pause)) => (pause * 2).min(LAST_RESTART_PAUSE),
        };
        self.restarted = Some((now, pause));
        let mut actions = self.end(Note::Restarted, behind_ms, now);
        actions.push(Action::Restart);
        actions
    }

    fn end(&mut self, note: Note, behind_ms: f64, now: Duration) -> Vec<Action> {
        self.state = State::Resting { until: now + REST };
        self.say(note, behind_ms, now);
        vec![Action::SetPlayoutTarget(None)]
    }

    /// A better measure than before: its usual value is not known yet.
    fn start_over(&mut self, reading: Reading, now: Duration) -> Vec<Action> {
        self.usual = Usual::default();
        self.usual.push(reading, now);
        self.was_hidden = false;
        let was = core::mem::take(&mut self.state);
        match was {
            State::Draining(_) => {
                self.note = None;
                vec![Action::SetPlayoutTarget(None)]
            }
            State::Watching { .. } | State::Resting { .. } => Vec::new(),
        }
    }

    fn say(&mut self, note: Note, behind_ms: f64, now: Duration) {
        self.note = Some((note, behind_ms, now + NOTE));
    }
}

/// The smallest steady delay of the last minutes.
#[derive(Debug, Default)]
struct Usual {
    measure: Option<Measure>,
    recent_ms: VecDeque<f64>,
    /// The smallest of each piece of time, by its beginning.
    pieces: VecDeque<(Duration, f64)>,
}

impl Usual {
    fn push(&mut self, reading: Reading, now: Duration) {
        self.measure = Some(reading.measure);
        if self.recent_ms.len() == STEADY_READINGS {
            self.recent_ms.pop_front();
        }
        self.recent_ms.push_back(reading.ms);
        if self.recent_ms.len() < STEADY_READINGS {
            return;
        }
        // One lucky reading is not steady: the highest of some counts.
        let steady_ms = self.recent_ms.iter().copied().fold(f64::MIN, f64::max);
        match self.pieces.back_mut() {
            Some((since, smallest_ms)) if now < *since + PIECE => {
                *smallest_ms = smallest_ms.min(steady_ms);
            }
            Some(_) | None => self.pieces.push_back((now, steady_ms)),
        }
        if self.pieces.len() > PIECES {
            self.pieces.pop_front();
        }
    }

    /// How far above the usual delay a reading is, if that is too far.
    fn behind_ms(&self, reading: Reading) -> Option<f64> {
        let smallest = self.pieces.iter().map(|&(_, ms)| ms).reduce(f64::min)?;
        let margin = MARGIN_MS.max(smallest * MARGIN_PART);
        let behind_ms = reading.ms - smallest;
        (behind_ms > margin).then_some(behind_ms)
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
