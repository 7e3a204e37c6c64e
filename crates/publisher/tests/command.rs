//! The `twoway-publish` command at its edge: arguments, output, exit codes.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod loopback;
#[path = "command/mistakes.rs"]
mod mistakes;
#[path = "command/publishing.rs"]
mod publishing;
#[cfg(unix)]
#[path = "command/unread.rs"]
mod unread;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const SECRET: &str = "s3cret-tok3n";

/// The command, in an environment that has no say in it.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twoway-publish"));
    command.args(arguments).stdin(Stdio::null());
    for variable in ["TWOWAY_TOKEN", "RUST_LOG"] {
        command.env_remove(variable);
    }
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// So many small grey pictures, 25 a second.
fn y4m(pictures: usize) -> Vec<u8> {
    let mut file = b"YUV4MPEG2 W160 H90 F25:1 Ip A1:1 C420jpeg\n".to_vec();
    for _ in 0..pictures {
        file.extend_from_slice(b"FRAME\n");
        file.resize(file.len() + 160 * 90 * 3 / 2, 128);
    }
    file
}
