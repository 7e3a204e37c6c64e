//! `cargo xtask bench`: measures the release build, next to another server if asked
//! to, and writes `docs/PERFORMANCE.md`.
//!
//! `twoway-load` measures servers natively, `browser_bench` the page in Chromium; the
//! one after the other, since each wants the machine for itself. What they found stays
//! as JSON in `target/bench`; so does the report of a run that left something out.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::build::{self, Profile, Programs};
use crate::janus;
use crate::progress::Progress;
use crate::shell::Shell;
use crate::tools::{self, Need};

/// The load generator.
const LOAD: &str = "twoway-load";

/// What measures the page.
const BROWSER: &str = "browser_bench";

/// Where the report goes, if it has everything in it.
const DOCS: &str = "docs";

/// Options of `cargo xtask bench`.
#[derive(Args)]
pub(crate) struct Options {
    /// Rough figures in about three minutes, once everything is built.
    #[arg(long)]
    quick: bool,
    /// Measure another server too, turn about with ours.
    #[arg(long, value_name = "SERVER")]
    against: Option<Other>,
    /// Measure this alone; may be given more than once.
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,
    /// Watch the page's memory over an hour instead of ten minutes.
    #[arg(long, conflicts_with = "quick")]
    hour: bool,
}

/// A server that ours is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Other {
    /// Janus, of Debian's or Ubuntu's package.
    Janus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// One stream and more and more viewers, up to the capacity.
    FanOut,
    /// Many streams.
    Streams,
    /// Viewers that join.
    Join,
    /// Viewers that come and go.
    Churn,
    /// The page in Chromium.
    Browser,
}

/// # Errors
/// When a tool or a build fails, or something could not be measured at all.
pub(crate) fn run(shell: &mut Shell, options: &Options) -> Result<()> {
    let mut progress = Progress::new();
    progress.step("tools", || tools::prepare(shell, options.needs()))?;
    let page = if options.has_browser() {
        Some(progress.step("the page (trunk, release)", || build::page(shell))?)
    } else {
        None
    };
    let programs = progress.step("server, publisher and generators (release)", || {
        build::programs_and(shell, Profile::Release, &[LOAD, BROWSER])
    })?;
    let folder = build::target_folder()?.join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;

    let servers = folder.join("servers.json");
    if options.has_load() {
        progress.step("servers", || {
            shell.run(&mut load(shell, &programs, options, &servers)?)
        })?;
    }
    let in_browser = folder.join("browser.json");
    if let Some(page) = page {
        progress.step("the page in Chromium", || {
            browser(shell, &programs, options, &page, &in_browser)
        })?;
    }
    progress.step("the report", || {
        report(shell, &programs, options, &folder, [servers, in_browser])
    })
}

/// Writes the report of what was measured now.
fn report(
    shell: &Shell,
    programs: &Programs,
    options: &Options,
    folder: &Path,
    [servers, in_browser]: [PathBuf; 2],
) -> Result<()> {
    if !options.has_load() {
        // It is about servers; the page is a chapter of it.
        println!("what was found is in {}", in_browser.display());
        return Ok(());
    }
    let mut report = shell.command(programs.beside(LOAD));
    report.arg("report").arg(servers);
    if options.has_browser() {
        report.arg(in_browser);
    }
    let output = if options.is_whole() {
        Path::new(DOCS)
    } else {
        folder
    };
    shell.run(report.arg("--output").arg(output))?;
    println!("the report is {}", output.join("PERFORMANCE.md").display());
    Ok(())
}

impl Options {
    fn has_browser(&self) -> bool {
        self.only.is_empty() || self.only.contains(&Part::Browser)
    }

    fn has_load(&self) -> bool {
        self.only.is_empty() || !self.kinds().is_empty()
    }

    /// Whether everything is measured, and thoroughly.
    fn is_whole(&self) -> bool {
        self.only.is_empty() && !self.quick
    }

    /// The command that repeats it.
    fn command(&self) -> String {
        let mut command = "cargo xtask bench".to_owned();
        if self.quick {
            command.push_str(" --quick");
        }
        if self.hour {
            command.push_str(" --hour");
        }
        let named = |option: &str, value: Option<clap::builder::PossibleValue>| {
            value.map(|value| format!(" --{option} {}", value.get_name()))
        };
        let against = self.against.and_then(|other| other.to_possible_value());
        command.extend(named("against", against));
        for part in &self.only {
            command.extend(named("only", part.to_possible_value()));
        }
        command
    }

    /// What `twoway-load` calls them.
    fn kinds(&self) -> Vec<&'static str> {
        let kinds = self.only.iter().filter_map(|part| match part {
            Part::FanOut => Some("fan-out"),
            Part::Streams => Some("streams"),
            Part::Join => Some("join"),
            Part::Churn => Some("churn"),
            Part::Browser => None,
        });
        kinds.collect()
    }

    fn needs(&self) -> Vec<Need> {
        let mut needs = vec![Need::Alsa];
        if self.has_browser() {
            needs.extend(tools::FOR_PAGE);
            needs.push(Need::Browser);
        }
        if self.against == Some(Other::Janus) && self.has_load() {
            needs.push(Need::Janus);
        }
        needs
    }
}

/// The command that measures servers.
fn load(
    shell: &Shell,
    programs: &Programs,
    options: &Options,
    json: &Path,
) -> Result<std::process::Command> {
    let mut load = shell.command(programs.beside(LOAD));
    load.arg("bench").arg("--program").arg(&programs.server);
    load.arg("--json").arg(json);
    load.args(["--told-as", &options.command()]);
    if options.quick {
        load.arg("--quick");
    }
    for kind in options.kinds() {
        load.args(["--only", kind]);
    }
    if options.against == Some(Other::Janus) {
        let janus = janus::find(shell)?.context("Janus has just been found")?;
        load.arg("--against").arg("janus").arg("--janus").arg(janus);
    }
    Ok(load)
}

/// Measures the page; its figures are there whole or not at all.
fn browser(
    shell: &Shell,
    programs: &Programs,
    options: &Options,
    page: &Path,
    json: &Path,
) -> Result<()> {
    let part: PathBuf = json.with_extension("part");
    let file = File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
    let mut browser = shell.command(programs.beside(BROWSER));
    browser.stdout(file);
    browser.env("TWOWAY_SERVER", &programs.server);
    browser.env("TWOWAY_PUBLISH", &programs.publish);
    browser.env("TWOWAY_PAGE", page);
    if options.quick {
        browser.arg("--quick");
    }
    if options.hour {
        browser.arg("--hour");
    }
    shell.run(&mut browser)?;
    fs::rename(&part, json).with_context(|| format!("cannot write {}", json.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(only: &[Part], against: Option<Other>) -> Options {
        Options {
            quick: false,
            against,
            only: only.to_vec(),
            hour: false,
        }
    }

    #[test]
    fn everything_is_measured_unless_parts_are_named() {
        let check = |only: &[Part], browser, load, kinds: &[&str]| {
            let options = options(only, None);
            assert_eq!(options.has_browser(), browser, "{only:?}");
            assert_eq!(options.has_load(), load, "{only:?}");
            assert_eq!(options.kinds(), kinds, "{only:?}");
        };
        check(&[], true, true, &[]);
        check(&[Part::Browser], true, false, &[]);
        check(&[Part::Join, Part::Churn], false, true, &["join", "churn"]);
        check(&[Part::FanOut, Part::Browser], true, true, &["fan-out"]);
    }

    #[test]
    fn the_report_tells_how_to_repeat_it() {
        let whole = options(&[], Some(Other::Janus));
        assert_eq!(whole.command(), "cargo xtask bench --against janus");
        assert!(whole.is_whole());
        let part = Options {
            quick: true,
            ..options(&[Part::FanOut, Part::Join], None)
        };
        let command = "cargo xtask bench --quick --only fan-out --only join";
        assert_eq!(part.command(), command);
        assert!(!part.is_whole());
    }

    #[test]
    fn only_what_is_measured_has_to_be_there() {
        let check = |only: &[Part], against, need, needed| {
            let needs = options(only, against).needs();
            assert_eq!(needs.contains(&need), needed, "{need:?} for {only:?}");
        };
        let janus = Some(Other::Janus);
        check(&[], None, Need::Janus, false);
        check(&[], janus, Need::Janus, true);
        check(&[Part::Browser], janus, Need::Janus, false);
        check(&[], None, Need::Browser, true);
        check(&[Part::Join], None, Need::Browser, false);
    }
}
