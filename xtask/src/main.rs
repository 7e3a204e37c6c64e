//! `cargo xtask`: gets the tools, builds, starts and tests the workspace.
//!
//! | module | what it does |
//! | --- | --- |
//! | `demo` | builds everything and plays the test picture until Ctrl-C |
//! | `test` | every check CI runs, and where the time went |
//! | `bench` | how fast it is, next to another server, and `docs/PERFORMANCE.md` |
//! | `release` | the server as one program, with the page in it |
//! | `fuzz` | made-up bytes for every way by which strangers' bytes come in |
//! | `screenshots` | the README's pictures |
//! | `build` | the page and the programs, for all of them |
//! | `squeeze` | makes the built page smaller; trunk calls it |
//! | `tools`, `browser`, `clients`, `ffmpeg`, `janus` | find or install what is not in the checkout |
//! | `libraries` | what Linux's programs are built with and tested on |
//! | `apt` | installs Debian's packages, where it may |
//! | `shell`, `process` | run programs; none outlives xtask |
//! | `progress` | headings and the table of times |

mod apt;
mod bench;
mod browser;
mod build;
mod cache;
mod clients;
mod demo;
mod ffmpeg;
mod fuzz;
mod janus;
mod libraries;
mod process;
mod progress;
mod release;
mod screenshots;
mod shell;
mod squeeze;
mod test;
mod tools;
mod version;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use process::Interrupted;
use shell::Shell;

/// Set-up, demo and tests of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything, start server and publisher, print the page's URL.
    Demo(demo::Options),
    /// Everything CI checks: format, lints, docs, licences and every test.
    Test(test::Options),
    /// Measure how fast it is, and write docs/PERFORMANCE.md.
    Bench(bench::Options),
    /// Build the server as one program, with the page in it.
    Release,
    /// Feed what strangers can reach with made-up bytes, and say what fails.
    Fuzz(fuzz::Options),
    /// Make the README's pictures anew.
    Screenshots,
    /// Make a page that trunk has built smaller; trunk's hook.
    #[command(hide = true)]
    Squeeze,
    /// Only get the tools that `demo` and `test` need.
    Setup,
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => {
            eprintln!("\ninterrupted");
            ExitCode::from(130) // what shells report for SIGINT
        }
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let mut shell = Shell::new()?;
    match task {
        Task::Demo(options) => demo::run(&mut shell, &options),
        Task::Test(options) => test::run(&mut shell, &options),
        Task::Bench(options) => bench::run(&mut shell, &options),
        Task::Release => release::run(&mut shell),
        Task::Fuzz(options) => fuzz::run(&mut shell, &options),
        Task::Screenshots => screenshots::run(&mut shell),
        Task::Squeeze => squeeze::run(),
        Task::Setup => tools::prepare(&mut shell, tools::ALL.iter().copied()),
    }
}
