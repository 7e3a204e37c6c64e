//! The `twoway-publish` command.

mod arguments;
mod command;

use std::env;
use std::process::ExitCode;

use command::exit::Exit;

fn main() -> ExitCode {
    let exit = match arguments::read(env::args_os(), |variable| env::var_os(variable)) {
        Ok(asked) => command::run(asked),
        Err(sentence) => command::fail(&sentence, Exit::Usage),
    };
    exit.into()
}
