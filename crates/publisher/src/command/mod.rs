//! What the command does, once its arguments are read.
//!
//! Standard output belongs to what the user asked for: statuses, lists, JSON.
//! Errors and logs go to standard error.

mod console;
mod devices;
pub(crate) mod exit;
mod json;
mod lines;
mod manual;
mod publish;
pub(crate) mod report;
mod signals;
mod stats_file;
mod status_line;
mod units;
pub(crate) mod wanted;

use std::io::{self, Write};

use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;
use twoway_publisher::{Stats, device};

use crate::arguments::{Arguments, Asked};
use console::Console;
use exit::{Exit, Outcome};
use lines::on_one_line;
use publish::Publication;
use report::Report;
use stats_file::StatsFile;

/// Does it, and tells how it ended.
pub(crate) fn run(asked: Asked) -> Exit {
    match asked {
        Asked::Publish(arguments) => publish(*arguments),
        Asked::Devices { json } => show(devices::text(&device::list(), json).as_bytes()),
        Asked::Completions(shell) => show(&manual::completions(shell)),
        Asked::Man => match manual::page() {
            Ok(page) => show(&page),
            Err(error) => fail(&error.to_string(), Exit::Usage),
        },
        Asked::Help(text) => {
            // With stdout gone there is nobody left to tell.
            let _ = text.print();
            Exit::Done
        }
    }
}

/// Tells of an error, in one sentence.
pub(crate) fn fail(sentence: &str, exit: Exit) -> Exit {
    // With stderr gone there is nobody left to tell.
    let _ = writeln!(io::stderr(), "{}", told(sentence));
    exit
}

fn told(sentence: &str) -> String {
    format!("twoway-publish: {}", on_one_line(sentence))
}

fn show(text: &[u8]) -> Exit {
    // As above.
    let _ = io::stdout().write_all(text);
    Exit::Done
}

fn publish(arguments: Arguments) -> Exit {
    let console = match Console::start() {
        Ok(console) => console,
        Err(error) => return fail(&cannot_start(&error), Exit::Media),
    };
    log_to(console.clone());
    let (exit, error) = match try_publish(arguments, &console) {
        Ok(()) => (Exit::Done, None),
        Err((exit, sentence)) => (exit, Some(told(&sentence))),
    };
    console.finish(error);
    exit
}

/// # Errors
/// The exit code, and a sentence for the user.
fn try_publish(arguments: Arguments, console: &Console) -> Result<(), (Exit, String)> {
    let usage = |sentence| (Exit::Usage, sentence);
    let stats_file = arguments.stats_file.as_deref().map(StatsFile::create);
    let stats_file = stats_file.transpose().map_err(usage)?;
    let opened = match arguments.wanted.open() {
        Ok(opened) => opened,
        Err(sentence) => {
            if let Some(file) = stats_file {
                let outcome = Outcome::failed(Exit::Usage, &sentence);
                // That it cannot be written is the lesser trouble.
                let _ = file.write(&Stats::default(), Some(&outcome));
            }
            return Err(usage(sentence));
        }
    };
    let runtime = Runtime::new().map_err(|error| (Exit::Media, cannot_start(&error)))?;
    let report = Report::new(console.clone(), arguments.form);
    let result = runtime.block_on(async {
        Publication::start(arguments, opened, report, stats_file)
            .run()
            .await
    });
    // A name that is still being looked up is waited for by nobody.
    runtime.shutdown_background();
    result.map_err(|error| (Exit::from(&error), error.to_string()))
}

fn cannot_start(error: &io::Error) -> String {
    format!("cannot start: {error}")
}

/// What is logged unless `RUST_LOG` says otherwise. Of bad certificates a
/// sentence of our own tells.
const LOG: &str = "warn,rustls_platform_verifier=off";

/// A WebSocket's own log shows what goes over it, the access token among that.
const UNLOGGED: &str = "tungstenite=warn";

fn log_to(console: Console) {
    let mut filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| LOG.into());
    if let Ok(unlogged) = UNLOGGED.parse() {
        filter = filter.add_directive(unlogged);
    }
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(console.colours_logs())
        .with_writer(console)
        .init();
}
