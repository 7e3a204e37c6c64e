//! What was found, as people read it.

use std::io::{self, Write};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Ok,
    /// The server runs, and some clients may have less than they could.
    Warning,
    /// The server does not start, or clients cannot use it.
    Wrong,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }

    /// How a terminal is told to colour it (ECMA-48, SGR).
    fn colour(self) -> &'static str {
        match self {
            Self::Ok => "\x1b[32m",
            Self::Warning => "\x1b[33m",
            Self::Wrong => "\x1b[1;31m",
        }
    }
}

const PLAIN: &str = "\x1b[0m";

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it is.
    pub level: Level,
    /// What it is, in a word or two.
    pub what: String,
    /// A sentence: how it is, and what to do.
    pub text: String,
}

impl Finding {
    fn new(level: Level, what: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            level,
            what: what.into(),
            text: text.into(),
        }
    }

    pub(super) fn ok(what: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Level::Ok, what, text)
    }

    pub(super) fn warning(what: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Level::Warning, what, text)
    }

    pub(super) fn wrong(what: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Level::Wrong, what, text)
    }
}

/// All that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(findings: Vec<Finding>) -> Self {
        Self { findings }
    }

    /// What was found, in the order in which it is told.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Something has to be done before the server is of use.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.count(Level::Wrong) > 0
    }

    fn count(&self, level: Level) -> usize {
        let findings = self.findings.iter();
        findings.filter(|finding| finding.level == level).count()
    }

    /// Writes a line for each finding, and one for all.
    ///
    /// # Errors
    /// `out` takes no more.
    pub fn write(&self, out: &mut impl Write, coloured: bool) -> io::Result<()> {
        let lengths = self.findings.iter().map(|f| f.what.chars().count());
        let width = lengths.max().unwrap_or_default();
        for Finding { level, what, text } in &self.findings {
            let (on, off) = if coloured {
                (level.colour(), PLAIN)
            } else {
                ("", "")
            };
            let word = level.word();
            writeln!(out, "{on}{word:<7}{off}  {what:<width$}  {text}")?;
        }
        let (wrong, warnings) = (self.count(Level::Wrong), self.count(Level::Warning));
        match (wrong, warnings) {
            (0, 0) => writeln!(out, "\neverything is right"),
            (0, _) => writeln!(out, "\nnothing is wrong, {}", counted(warnings, "warning")),
            (1, _) => writeln!(out, "\n1 thing is wrong, {}", counted(warnings, "warning")),
            _ => {
                let warnings = counted(warnings, "warning");
                writeln!(out, "\n{wrong} things are wrong, {warnings}")
            }
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(findings: &[Finding], coloured: bool) -> String {
        let mut out = Vec::new();
        let report = Report::new(findings.to_vec());
        report.write(&mut out, coloured).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let findings = [
            Finding::ok("page", "is there"),
            Finding::warning("open files", "are few"),
            Finding::wrong("clock", "is late"),
        ];
        assert_eq!(
            written(&findings, false),
            "ok       page        is there\n\
             warning  open files  are few\n\
             wrong    clock       is late\n\n\
             1 thing is wrong, 1 warning\n"
        );
        assert!(written(&findings[..1], false).ends_with("\neverything is right\n"));
        assert!(written(&findings[..2], false).ends_with("\nnothing is wrong, 1 warning\n"));
    }

    #[test]
    fn colour_is_around_the_first_word_alone() {
        let coloured = written(&[Finding::wrong("clock", "is late")], true);
        assert!(
            coloured.starts_with("\x1b[1;31mwrong  \x1b[0m  clock"),
            "{coloured}"
        );
    }
}
