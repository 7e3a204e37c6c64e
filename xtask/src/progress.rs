//! What is going on, how long it took, and what came of it.

use std::env;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Announces steps and remembers their times.
pub(crate) struct Progress {
    start: Instant,
    done: Vec<Done>,
}

struct Done {
    title: String,
    took: Duration,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            done: Vec::new(),
        }
    }

    /// Does `work` under a heading.
    pub(crate) fn step<T>(&mut self, title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.heading(title);
        let start = Instant::now();
        let result = work();
        let outcome = if result.is_ok() {
            Outcome::Passed
        } else {
            Outcome::Failed
        };
        self.done.push(Done {
            title: title.to_owned(),
            took: start.elapsed(),
            outcome,
        });
        result
    }

    /// A line that stands out, with the time since the start.
    pub(crate) fn heading(&self, title: &str) {
        let at = seconds(self.start.elapsed());
        let styled = std::io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none();
        let (on, off) = if styled {
            ("\x1b[1;36m", "\x1b[0m")
        } else {
            ("", "")
        };
        eprintln!("\n{on}==> {title}{off}   [{at}]");
    }

    /// The titles of the steps that failed.
    pub(crate) fn failures(&self) -> Vec<&str> {
        self.done
            .iter()
            .filter(|done| done.outcome == Outcome::Failed)
            .map(|done| done.title.as_str())
            .collect()
    }

    /// Where the time went, one line a step, in the order they were done.
    pub(crate) fn table(&self) -> String {
        let width = self
            .done
            .iter()
            .map(|done| done.title.len())
            .max()
            .unwrap_or(0);
        let line = |title: &str, took: Duration, end: &str| {
            format!("  {title:width$}  {:>8}  {end}\n", seconds(took))
        };
        let steps = self.done.iter().map(|done| {
            let end = match done.outcome {
                Outcome::Passed => "ok",
                Outcome::Failed => "FAILED",
            };
            line(&done.title, done.took, end)
        });
        steps.collect::<String>() + line("total", self.start.elapsed(), "").trim_end()
    }
}

/// `7.3 s` below a minute, `2 m 05 s` above.
fn seconds(time: Duration) -> String {
    let whole = time.as_secs();
    if whole < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} m {:02} s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn the_table_has_every_step_and_its_outcome() {
        let mut progress = Progress::new();
        progress.step("good", || Ok(())).expect("it does nothing");
        let failed: Result<()> = progress.step("not so good", || bail!("broken"));
        assert!(failed.is_err());
        assert_eq!(progress.failures(), ["not so good"]);
        let table = progress.table();
        let words: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(words.len(), 3);
        assert_eq!((words[0][0], words[0].last()), ("good", Some(&"ok")));
        assert_eq!(words[1].last(), Some(&"FAILED"));
        assert_eq!(words[2][0], "total");
    }

    #[test]
    fn times_read_well() {
        assert_eq!(seconds(Duration::from_millis(7_349)), "7.3 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 m 05 s");
    }
}
