//! What the person, or the machine, is told of a publication.

use std::time::{Instant, SystemTime};

use twoway_publisher::{PublisherEvent, Stats};

use super::console::Console;
use super::exit::Outcome;
use super::json;
use super::lines::{line, on_one_line};
use super::status_line::{State, StatusLine};

/// How it is told, on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Lines, and on a terminal a status line below them.
    Lines,
    /// A JSON object a line.
    Json,
    /// Not at all.
    Quiet,
}

pub(crate) struct Report {
    console: Console,
    form: Form,
    /// There is a status line.
    live: bool,
    state: State,
}

impl Report {
    pub(crate) fn new(console: Console, form: Form) -> Self {
        let report = Self {
            console,
            form,
            live: form == Form::Lines && Console::is_live(),
            state: State::Connecting,
        };
        report.draw(&Stats::default());
        report
    }

    /// Something happened.
    pub(crate) fn event(&mut self, event: &PublisherEvent, stats: &Stats) {
        let before = self.state;
        self.state = before.after(event, Instant::now());
        match self.form {
            Form::Lines => {
                if let Some(line) = line(event) {
                    self.console.line(on_one_line(&line));
                }
                if self.state != before {
                    self.draw(stats);
                }
            }
            Form::Json => {
                if let Some(line) = json::Line::of(event) {
                    self.json(&line);
                }
            }
            Form::Quiet => {}
        }
    }

    /// Something the command itself has to say.
    pub(crate) fn notice(&mut self, text: String, stats: &Stats) {
        self.event(&PublisherEvent::Notice(text), stats);
    }

    /// The publication was asked to stop.
    pub(crate) fn stopping(&mut self, stats: &Stats) {
        self.state = State::Stopping;
        self.draw(stats);
    }

    /// Another second has passed.
    pub(crate) fn tick(&self, stats: &Stats) {
        match self.form {
            Form::Lines => self.draw(stats),
            Form::Json => {
                let line = json::Line::Stats(stats);
                self.console.passing_line(line.text(unix_ms()));
            }
            Form::Quiet => {}
        }
    }

    /// The publication is over.
    pub(crate) fn end(&mut self, stats: &Stats, outcome: &Outcome) {
        self.state = State::Ended;
        self.tick(stats);
        match self.form {
            Form::Lines => self.console.end_status(),
            Form::Json => self.json(&json::Line::End(outcome)),
            Form::Quiet => {}
        }
    }

    fn draw(&self, stats: &Stats) {
        if self.live {
            let line = StatusLine::new(self.state, stats, Instant::now(), Console::width());
            self.console.status(line);
        }
    }

    fn json(&self, line: &json::Line<'_>) {
        self.console.line(line.text(unix_ms()));
    }
}

/// A clock before 1970 counts as 1970.
fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
