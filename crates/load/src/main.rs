//! The `twoway-load` command.

mod arguments;
mod command;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    command::run(arguments::Cli::parse()).into()
}
