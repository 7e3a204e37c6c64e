//! What the command does, and how it ends.

mod bench;
mod measure;
mod progress;
mod report;
mod run;
mod told;

use std::io;
use std::process::ExitCode;

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

use crate::arguments::{Cli, Task};

/// How the command ends. Bad arguments end it with 2, before anything is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is measured and written.
    Done,
    /// Something could not be measured or written.
    Failed,
    /// By Ctrl-C; what was there is written.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed => Self::FAILURE,
            Exit::Interrupted => Self::from(130), // what shells report for SIGINT
        }
    }
}

/// Does what is asked for.
pub(crate) fn run(cli: Cli) -> Exit {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    let done = match &cli.task {
        Task::Bench(args) => in_runtime(bench::run(args)),
        Task::Run(args) => in_runtime(run::run(args)),
        Task::Report(args) => report::run(args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        Exit::Failed
    })
}

/// On one thread: signalling is little work, and media has threads of its own.
fn in_runtime(task: impl Future<Output = Result<Exit>>) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    runtime.block_on(task)
}
