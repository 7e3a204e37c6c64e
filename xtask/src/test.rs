//! `cargo xtask test`: everything CI checks, step by step.
//!
//! A failure does not keep the other steps from running: one run tells
//! everything there is to mend. Steps share what they compile: clippy and the
//! documentation one set of checked dependencies, all native tests (the
//! end-to-end tests too) one development build, and only the page is built as
//! users get it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::build::{self, NATIVE, Profile};
use crate::janus;
use crate::process::Interrupted;
use crate::progress::Progress;
use crate::shell::Shell;
use crate::tools::{self, Need};

/// Options of `cargo xtask test`.
#[derive(Args)]
pub(crate) struct Options {
    /// Run this step alone; may be given more than once.
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
    /// Leave this step out; may be given more than once.
    #[arg(long, value_name = "STEP")]
    skip: Vec<Step>,
    /// End with the first step that fails.
    #[arg(long)]
    fail_fast: bool,
    /// Check dependencies for known vulnerabilities too, which downloads the
    /// RustSec database from GitHub.
    #[arg(long)]
    advisories: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Every file is formatted.
    Fmt,
    /// Clippy on all that runs natively.
    Clippy,
    /// Clippy on the page and what it is made of, for WebAssembly.
    ClippyWasm,
    /// The documentation builds without a warning.
    Doc,
    /// Licences and sources of all dependencies.
    Deny,
    /// Unit and integration tests.
    Test,
    /// The page's tests, in headless Chromium.
    PageTest,
    /// The programs and the page, driven through Chromium.
    E2e,
    /// The shortest run of the bench.
    Bench,
}

/// # Errors
/// Names the steps that failed; what was wrong with each is told before.
pub(crate) fn run(shell: &mut Shell, options: &Options) -> Result<()> {
    let steps = options.steps();
    let needs: BTreeSet<Need> = steps
        .iter()
        .flat_map(|step| step.needs())
        .copied()
        .collect();
    let mut run = Run {
        progress: Progress::new(),
        results: Vec::new(),
        advisories: options.advisories,
    };
    run.progress
        .step("tools", || tools::prepare(shell, needs))?;
    for step in steps {
        let Err(error) = run.step(shell, step) else {
            continue;
        };
        if error.is::<Interrupted>() {
            return Err(error);
        }
        eprintln!("\nFAILED: {error:#}");
        if options.fail_fast {
            break;
        }
    }
    run.summary()
}

impl Options {
    fn steps(&self) -> Vec<Step> {
        let wanted = |step: &Step| self.only.is_empty() || self.only.contains(step);
        let mut steps = Step::value_variants().to_vec();
        steps.retain(|step| wanted(step) && !self.skip.contains(step));
        steps
    }
}

impl Step {
    fn needs(self) -> &'static [Need] {
        match self {
            Self::Fmt => &[Need::Lints],
            Self::Clippy => &[Need::Lints, Need::Alsa],
            Self::ClippyWasm => &[Need::Lints, Need::WasmTarget],
            Self::Doc => &[Need::WasmTarget, Need::Alsa],
            Self::Deny => &[Need::CargoDeny],
            Self::Test => &[Need::Alsa, Need::Ffmpeg, Need::Xvfb, Need::Guide],
            Self::PageTest => &[Need::WasmTarget, Need::WasmBindgen, Need::Browser],
            Self::E2e => &[
                Need::WasmTarget,
                Need::Trunk,
                Need::WasmBindgen,
                Need::WasmOpt,
                Need::Browser,
                Need::Ffmpeg,
                Need::Aiortc,
                Need::WebClients,
                Need::Alsa,
            ],
            Self::Bench => &[Need::Alsa],
        }
    }
}

/// The publisher as it is built where there is nothing but cargo.
const NO_DEVICES: [&str; 3] = ["--package", "twoway-publisher", "--no-default-features"];

/// The page's package and target.
const PAGE: [&str; 4] = [
    "--package",
    "two-way-streaming",
    "--target",
    "wasm32-unknown-unknown",
];

/// What went by so far.
struct Run {
    progress: Progress,
    /// The `test result:` lines, which are worth repeating at the end.
    results: Vec<String>,
    advisories: bool,
}

impl Run {
    fn step(&mut self, shell: &Shell, step: Step) -> Result<()> {
        match step {
            Step::Fmt => self.fmt(shell),
            Step::Clippy => {
                self.clippy(shell, "clippy (native)", &NATIVE)?;
                self.clippy(shell, "clippy (publisher without devices)", &NO_DEVICES)
            }
            Step::ClippyWasm => self.clippy(shell, "clippy (wasm)", &PAGE),
            Step::Doc => self.doc(shell),
            Step::Deny => self.deny(shell),
            Step::Test => self.test(shell),
            Step::PageTest => self.page_test(shell),
            Step::E2e => self.e2e(shell),
            Step::Bench => self.bench(shell),
        }
    }

    fn fmt(&mut self, shell: &Shell) -> Result<()> {
        self.progress.step("formatting", || {
            shell.run(&mut shell.cargo(["fmt", "--all", "--check"]))
        })
    }

    fn clippy(&mut self, shell: &Shell, title: &str, what: &[&str]) -> Result<()> {
        self.progress.step(title, || {
            let mut clippy = shell.cargo(["clippy", "--all-targets"]);
            shell.run(clippy.args(what).args(["--", "-D", "warnings"]))
        })
    }

    fn doc(&mut self, shell: &Shell) -> Result<()> {
        self.progress.step("documentation", || {
            for what in [NATIVE.as_slice(), PAGE.as_slice()] {
                let mut doc = shell.cargo(["doc", "--no-deps"]);
                shell.run(doc.args(what).env("RUSTDOCFLAGS", "-D warnings"))?;
            }
            Ok(())
        })
    }

    fn deny(&mut self, shell: &Shell) -> Result<()> {
        let advisories = self.advisories;
        self.progress.step("dependencies (cargo-deny)", || {
            let mut deny = shell.cargo(["deny", "--workspace", "--log-level", "error", "check"]);
            deny.args(["bans", "licenses", "sources"]);
            if advisories {
                deny.arg("advisories");
            } else {
                eprintln!("known vulnerabilities are checked with --advisories only");
            }
            shell.run(&mut deny)
        })
    }

    /// All that does not need the built page; the end-to-end tests declare
    /// `test = false` and so wait to be asked for.
    fn test(&mut self, shell: &Shell) -> Result<()> {
        let results = &mut self.results;
        self.progress.step("unit and integration tests", || {
            let mut test = shell.cargo(["test", "--no-fail-fast"]);
            test.args(NATIVE);
            shell.run_reading(&mut test, |line| keep_result(results, "native", line))?;
            // The page's pure half needs no browser.
            let mut test = shell.cargo(["test", "--package", "two-way-streaming", "--lib"]);
            shell.run_reading(&mut test, |line| keep_result(results, "page", line))
        })
    }

    fn page_test(&mut self, shell: &Shell) -> Result<()> {
        let results = &mut self.results;
        self.progress.step("page tests (headless Chromium)", || {
            let mut test = shell.cargo(["test", "--tests"]);
            test.args(PAGE);
            // For all tests of a file; 20 s are few on a busy machine.
            test.env("WASM_BINDGEN_TEST_TIMEOUT", "120");
            shell.run_reading(&mut test, |line| keep_result(results, "page", line))
        })
    }

    fn e2e(&mut self, shell: &Shell) -> Result<()> {
        let page = self
            .progress
            .step("the page (trunk, release)", || build::page(shell))?;
        let programs = self.progress.step("server and publisher (dev)", || {
            build::programs(shell, Profile::Dev)
        })?;
        let results = &mut self.results;
        self.progress
            .step("end-to-end tests (headless Chromium)", || {
                // By name and not `--package e2e`, with which cargo would compile
                // dependencies anew for the features of that package alone.
                let mut test = shell.cargo(["test", "--no-fail-fast"]);
                test.args(NATIVE);
                for name in e2e_tests(shell.root())? {
                    test.args(["--test", &name]);
                }
                // What they measure is worth reading.
                test.args(["--", "--nocapture"]);
                test.env("TWOWAY_SERVER", programs.server);
                test.env("TWOWAY_PUBLISH", programs.publish);
                test.env("TWOWAY_PAGE", page);
                shell.run_reading(&mut test, |line| keep_result(results, "e2e", line))
            })
    }

    /// What the bench finds has to be whole and to agree; how fast anything is, is no
    /// matter here. A Janus is tested with where there is one.
    fn bench(&mut self, shell: &Shell) -> Result<()> {
        let programs = self.progress.step("server and publisher (dev)", || {
            build::programs(shell, Profile::Dev)
        })?;
        let janus = janus::find(shell)?;
        let results = &mut self.results;
        self.progress.step("the bench's smoke run", || {
            let mut test = shell.cargo(["test", "--no-fail-fast", "--test", "smoke"]);
            test.args(NATIVE);
            test.env("TWOWAY_SERVER", programs.server);
            if let Some(janus) = janus {
                test.args(["--test", "janus"]).env(janus::VARIABLE, janus);
            } else {
                eprintln!(
                    "without Janus: there is none; cargo xtask bench --against janus gets it"
                );
            }
            shell.run_reading(&mut test, |line| keep_result(results, "bench", line))
        })
    }

    /// Where the time went and what the tests said.
    fn summary(&self) -> Result<()> {
        self.progress.heading("where the time went");
        println!("{}", self.progress.table());
        println!();
        for result in &self.results {
            println!("{result}");
        }
        let failures = self.progress.failures();
        if !failures.is_empty() {
            bail!("failed: {}", failures.join(", "));
        }
        println!("everything passed");
        Ok(())
    }
}

/// The names of the end-to-end tests' programs: one a file.
fn e2e_tests(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("crates/e2e/tests");
    let entries = fs::read_dir(&folder).context("cannot read the end-to-end tests' folder")?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.file_stem().unwrap_or_default();
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Keeps the line in which a test program sums up, unless it had no tests.
fn keep_result(results: &mut Vec<String>, whose: &str, line: String) {
    if line.starts_with("test result:") && !line.contains(" 0 passed; 0 failed") {
        results.push(format!("{line} ({whose})"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(only: &[Step], skip: &[Step], expected: &[Step]) {
        let options = Options {
            only: only.to_vec(),
            skip: skip.to_vec(),
            fail_fast: false,
            advisories: false,
        };
        assert_eq!(options.steps(), expected);
    }

    #[test]
    fn steps_can_be_chosen_and_keep_their_order() {
        check(&[], &[], Step::value_variants());
        check(&[Step::Test, Step::Fmt], &[], &[Step::Fmt, Step::Test]);
        check(&[Step::Test, Step::Fmt], &[Step::Fmt], &[Step::Test]);
    }

    #[test]
    fn only_summaries_of_tests_that_ran_are_repeated() {
        let mut results = Vec::new();
        for line in [
            "running 2 tests",
            "test result: ok. 2 passed; 0 failed; 0 ignored",
            "test result: ok. 0 passed; 0 failed; 0 ignored",
            "test result: FAILED. 0 passed; 1 failed; 0 ignored",
        ] {
            keep_result(&mut results, "native", line.to_owned());
        }
        assert_eq!(
            results,
            [
                "test result: ok. 2 passed; 0 failed; 0 ignored (native)",
                "test result: FAILED. 0 passed; 1 failed; 0 ignored (native)",
            ]
        );
    }
}
