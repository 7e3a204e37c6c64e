//! What a person sees of the command: its output on a terminal.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod loopback;

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::process::{Command, Stdio};

use loopback::server;
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Action, Winsize, tcflow, tcsetwinsize};
use twoway_server::net;

const COLUMNS: u16 = 60;

/// A terminal of so many columns: its inner end, and the one for programs.
fn terminal() -> (File, File) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let inner = openpt(flags).unwrap();
    grantpt(&inner).unwrap();
    unlockpt(&inner).unwrap();
    let size = Winsize {
        ws_row: 24,
        ws_col: COLUMNS,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&inner, size).unwrap();
    let name = ptsname(&inner, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let outer = open(name, flags, Mode::empty()).unwrap();
    (inner.into(), outer.into())
}

/// All that a program wrote, which has both its outputs on one terminal.
fn written(command: &mut Command) -> String {
    written_on(terminal(), command)
}

fn written_on((mut inner, outer): (File, File), command: &mut Command) -> String {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(outer.try_clone().unwrap())
        .stderr(outer)
        .spawn()
        .unwrap();
    // The terminal ends when the last one who has it open is gone.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut bytes = Vec::new();
    let mut some = [0; 4096];
    loop {
        match inner.read(&mut some) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&some[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // So Linux says it.
            Err(_) => break,
        }
    }
    assert!(child.wait().unwrap().success());
    String::from_utf8(bytes).unwrap()
}

/// What is to be read on the terminal after that, line by line.
fn shown(written: &str) -> Vec<String> {
    let mut lines = vec![Vec::new()];
    let mut column = 0;
    let mut characters = written.chars();
    while let Some(character) = characters.next() {
        match character {
            '\r' => column = 0,
            '\n' => lines.push(Vec::new()),
            // A code for colours; it ends in a letter.
            '\u{1b}' => while characters.next().is_some_and(|c| !c.is_ascii_alphabetic()) {},
            other => {
                let line = lines.last_mut().unwrap();
                if line.len() <= column {
                    line.resize(column + 1, ' ');
                }
                line[column] = other;
                column += 1;
            }
        }
    }
    let text = |line: Vec<char>| String::from_iter(line).trim_end().to_owned();
    lines.into_iter().map(text).collect()
}

#[test]
fn the_terminal_of_this_test_overwrites() {
    let lines = shown("one\r\n\u{1b}[32mtwo!\u{1b}[0m\r   \rx\r\n");
    assert_eq!(lines, ["one", "x  !", ""]);
}

/// Publishes sound for two seconds, logs included.
async fn publish(server: &net::Running, environment: &'static [(&str, &str)]) -> String {
    let mut command = command(server, "2.2");
    command.envs(environment.iter().copied());
    run(move || written(&mut command)).await
}

/// Publishes sound for so many seconds, and logs.
fn command(server: &net::Running, duration: &str) -> Command {
    let url = format!("ws://{}/cam", server.addr());
    let mut command = Command::new(env!("CARGO_BIN_EXE_twoway-publish"));
    command.args([&url, "--no-video", "--duration", duration]);
    command.env("TERM", "xterm").env("RUST_LOG", "info");
    command.env_remove("NO_COLOR");
    command
}

/// Runs what blocks off the runtime's threads.
async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_line_stays_below_lines_and_logs() {
    let server = server().await;
    let written = publish(&server, &[]).await;
    assert!(written.contains("\u{1b}[32mon air 0:00:0"), "{written}");
    for drawn in written.split(['\r', '\n']) {
        let drawn = drawn.replace("\u{1b}[32m", "").replace("\u{1b}[0m", "");
        let is_status = drawn.starts_with("on air") || drawn.starts_with("ended");
        assert!(!is_status || drawn.len() < COLUMNS.into(), "{drawn}");
    }
    // Nothing is torn: each line is a whole one.
    let lines = shown(&written);
    let [above @ .., status, last] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert!(status.starts_with("ended 0:00:0"), "{lines:?}");
    assert_eq!(last, "");
    let statuses = ["session: ", "stream cam: "];
    for line in above {
        let is_status = statuses.iter().any(|start| line.starts_with(start));
        let is_log = line.contains(" INFO ") && line.starts_with("20");
        assert!(is_status || is_log, "{lines:?}");
    }
    for line in ["session: ESTABLISHED", "stream cam: PUBLISHING"] {
        assert!(above.iter().any(|above| above == line), "{lines:?}");
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_are_left_out_for_those_who_want_none() {
    let server = server().await;
    let written = publish(&server, &[("NO_COLOR", "1")]).await;
    assert!(written.contains("on air 0:00:0"), "{written}");
    assert!(!written.contains('\u{1b}'), "{written}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_cannot_go_back_gets_plain_lines() {
    let server = server().await;
    let written = publish(&server, &[("TERM", "dumb"), ("RUST_LOG", "warn")]).await;
    let lines = shown(&written);
    assert!(!written.contains("on air"), "{written}");
    assert_eq!(lines.first().unwrap(), "session: CONNECTED");
    server.shutdown().await;
}

/// As by Ctrl-S: whoever writes waits until it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_stopped_holds_up_no_end() {
    let server = server().await;
    let mut command = command(&server, "0.2");
    let written = run(move || {
        let terminal = terminal();
        tcflow(&terminal.1, Action::OOff).unwrap();
        written_on(terminal, &mut command)
    })
    .await;
    assert_eq!(written, "");
    server.shutdown().await;
}
