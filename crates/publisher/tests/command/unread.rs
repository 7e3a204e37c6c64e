//! Output that nobody reads holds up nothing but itself.

use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write, pipe};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use serde_json::Value;
use twoway_server::net;

use super::loopback::{LOOPBACK, server};
use super::publishing::{publishing, run, signal};
use super::{command, text};

const LEFT_OUT: &str = "twoway-publish: standard output was not read, lines left out: ";

/// A pipe in which no byte more has room.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    for size in [4096, 1] {
        while writer.write(&vec![b'\n'; size]).is_ok() {}
    }
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

/// A publication whose statuses have nowhere to go, on air. What it logs has.
fn on_air_unread(server: &net::Running) -> impl FnOnce() -> (Child, PipeReader) + Send + 'static {
    let mut command = publishing(server, &["--json"]);
    move || {
        let (reader, writer) = full_pipe();
        let mut child = command
            .env("RUST_LOG", "info")
            .stdout(writer)
            .spawn()
            .unwrap();
        // Its end of the pipe goes.
        drop(command);
        let mut log = BufReader::new(child.stderr.as_mut().unwrap());
        let mut line = String::new();
        while !line.contains("media connection up") {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended");
        }
        (child, reader)
    }
}

/// The rest of what it says on standard error, and its exit code.
fn end(mut child: Child) -> (String, Option<i32>) {
    let mut rest = String::new();
    let stderr = child.stderr.as_mut().unwrap();
    stderr.read_to_string(&mut rest).unwrap();
    (rest, child.wait().unwrap().code())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duration_ends_what_nobody_reads() {
    let server = server().await;
    let mut command = publishing(&server, &["--json", "--duration", "0.2"]);
    let output = run(move || {
        let (_reader, writer) = full_pipe();
        command.stdout(writer).output().unwrap()
    })
    .await;
    assert_eq!(output.status.code(), Some(0));
    let stderr = text(&output.stderr);
    assert!(stderr.starts_with(LEFT_OUT), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_end_what_nobody_reads() {
    let server = server().await;
    for name in ["-INT", "-TERM"] {
        let on_air = on_air_unread(&server);
        let (stderr, code) = run(move || {
            let (child, _reader) = on_air();
            signal(&child, name);
            end(child)
        })
        .await;
        assert_eq!(code, Some(0), "{name}: {stderr}");
        assert!(stderr.contains(LEFT_OUT), "{name}: {stderr}");
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_late_misses_no_event() {
    let server = server().await;
    let on_air = on_air_unread(&server);
    let (lines, stderr, code) = run(move || {
        let (mut child, reader) = on_air();
        let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
        let mut seen = Vec::new();
        while !seen
            .last()
            .is_some_and(|line: &String| line.contains("PUBLISHING"))
        {
            seen.push(lines.next().unwrap());
        }
        signal(&child, "-TERM");
        // Nothing of it waits for the other.
        let mut stderr = child.stderr.take().unwrap();
        seen.extend(lines);
        let mut log = String::new();
        stderr.read_to_string(&mut log).unwrap();
        (seen, log, child.wait().unwrap().code())
    })
    .await;
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!stderr.contains(LEFT_OUT), "{stderr}");
    let lines = lines.iter().filter(|line| !line.is_empty());
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told = |line: &&Value| line["event"] != "stats";
    let told: Vec<String> = lines
        .iter()
        .filter(told)
        .map(|line| format!("{} {}", line["event"], line["status"]).replace('"', ""))
        .collect();
    let expected = [
        "session CONNECTED",
        "session ESTABLISHED",
        "stream PUBLISHING",
        "stream UNPUBLISHED",
        "session DISCONNECTED",
        "end null",
    ];
    assert_eq!(told, expected);
    server.shutdown().await;
}

#[test]
fn a_failure_is_told_though_nobody_reads_the_rest() {
    // Free again as soon as the listener is dropped.
    let free = TcpListener::bind(LOOPBACK).unwrap().local_addr().unwrap();
    let (_reader, writer) = full_pipe();
    let url = format!("ws://{free}/cam");
    let mut command: Command = command(&[&url, "--json", "--give-up-after", "0"]);
    let output = command.stdout(writer).stderr(Stdio::piped()).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    let [left_out, error] = stderr.lines().collect::<Vec<_>>()[..] else {
        panic!("{stderr}");
    };
    assert!(left_out.starts_with(LEFT_OUT), "{stderr}");
    let expected = format!("twoway-publish: cannot connect to ws://{free}: nothing listens");
    assert!(error.starts_with(&expected), "{stderr}");
}
