//! What is going on, on standard error: in place on a terminal, else in plain lines.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use load::plan::Step;
use load::results::{Outcome, Scenario};
use load::scenario::Stage;

/// Where progress is told.
pub(crate) struct Screen {
    in_place: bool,
    has_status: bool,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let in_place = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none();
        Self {
            in_place,
            has_status: false,
        }
    }

    /// A line that stays.
    pub(crate) fn line(&mut self, text: &str) {
        self.clear();
        eprintln!("{text}");
    }

    /// What goes on right now; told in place only, where the next one takes its place.
    pub(crate) fn status(&mut self, text: &str) {
        if !self.in_place {
            return;
        }
        // Longer lines would wrap, and no longer be taken back as one.
        const WIDTH: usize = 79;
        let text: String = text.chars().take(WIDTH).collect();
        eprint!("\r\x1b[2K{text}");
        // Without it, progress is told late, and nothing else is the matter.
        let _ = io::stderr().flush();
        self.has_status = true;
    }

    /// Whether a line has to say what begins, as nothing is told in place.
    pub(crate) fn is_plain(&self) -> bool {
        !self.in_place
    }

    fn clear(&mut self) {
        if self.has_status {
            eprint!("\r\x1b[2K");
            self.has_status = false;
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.clear();
    }
}

/// `fan-out, 300 viewers, janus, round 2`.
pub(crate) fn title(step: &Step, server: &str) -> String {
    format!(
        "{}, {server}, round {}",
        what(&step.scenario),
        step.round + 1
    )
}

/// `fan-out, 300 viewers`.
pub(crate) fn what(scenario: &Scenario) -> String {
    match scenario {
        Scenario::FanOut { viewers: 1, .. } => "fan-out, 1 viewer".to_owned(),
        Scenario::FanOut { viewers, .. } => format!("fan-out, {viewers} viewers"),
        Scenario::Streams {
            streams,
            viewers_each: 1,
            ..
        } => format!("streams, {streams} with 1 viewer each"),
        Scenario::Streams {
            streams,
            viewers_each,
            ..
        } => format!("streams, {streams} with {viewers_each} viewers each"),
        Scenario::Join { crowd: 1, .. } => "join, one by one".to_owned(),
        Scenario::Join { crowd, .. } => format!("join, {crowd} within a second"),
        Scenario::Churn { viewers, .. } => format!("churn, {viewers} viewers at a time"),
    }
}

/// What part of a scenario it is.
pub(crate) fn stage(stage: Stage) -> String {
    match stage {
        Stage::Publishing { done, of } => format!("publishing {done} of {of}"),
        Stage::Joining { done, of: 0 } => format!("{done} joined"),
        Stage::Joining { done, of } => format!("{done} of {of} joined"),
        Stage::Settling => "settling".to_owned(),
        Stage::Measuring => "measuring".to_owned(),
        Stage::Leaving => "leaving".to_owned(),
    }
}

/// `40 s`, `12 min`, `1 h 05 min`.
pub(crate) fn about(left: Duration) -> String {
    let seconds = left.as_secs();
    let minutes = (seconds + 30) / 60;
    match seconds {
        0..=89 => format!("{} s", seconds.next_multiple_of(5)),
        90..=5_399 => format!("{minutes} min"),
        _ => format!("{} h {:02} min", minutes / 60, minutes % 60),
    }
}

/// What came of it, in a few words.
pub(crate) fn summary(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Load(load) => {
            let cost = load.server.map(|server| {
                let core = server.cpu_seconds / load.seconds * 100.0;
                format!("{core:.0} % of a core, ")
            });
            let delay = load.delay_us.map(|delay| {
                let p99 = delay.p99 / 1e3;
                format!("delay {p99:.1} ms (99th), ")
            });
            let r = &load.received;
            let frames = match () {
                () if load.viewers == 0 => "no viewers".to_owned(),
                () if load.is_clean() => "clean".to_owned(),
                () => format!("{} frames late, {} lost", r.late_frames, r.lost_frames),
            };
            let busy = busy(load.generator.was_bottleneck());
            [
                cost.unwrap_or_default(),
                delay.unwrap_or_default(),
                frames,
                busy,
            ]
            .concat()
        }
        Outcome::Join(join) => {
            let keyframe = join.keyframe_us;
            let (median, p95) = (keyframe.median / 1e3, keyframe.p95 / 1e3);
            let (joined, failed) = (join.joined, join.failed);
            let busy = busy(join.generator.was_bottleneck());
            format!("{joined} joined, {failed} failed, {median:.0} ms (95th: {p95:.0}){busy}")
        }
        Outcome::Churn(churn) => {
            let busy = busy(churn.generator.was_bottleneck());
            let (visits, failures) = (churn.visits, churn.failures);
            format!("{visits} visits, {failures} without media{busy}")
        }
        Outcome::Unjoined(unjoined) => unjoined.to_string(),
        Outcome::Failed(why) => format!("failed: {why}"),
    }
}

fn busy(generator_was_bottleneck: bool) -> String {
    let note = if generator_was_bottleneck {
        " (the generator was the limit)"
    } else {
        ""
    };
    note.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_told_roughly() {
        for (seconds, expected) in [
            (0, "0 s"),
            (41, "45 s"),
            (90, "2 min"),
            (1_000, "17 min"),
            (3_900, "65 min"),
            (5_400, "1 h 30 min"),
        ] {
            assert_eq!(about(Duration::from_secs(seconds)), expected);
        }
    }
}
