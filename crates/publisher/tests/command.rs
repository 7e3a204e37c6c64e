//! The `twoway-publish` command at its edge: arguments, output, exit codes.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod loopback;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use loopback::server;
use serde_json::Value;
use twoway_server::net;

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

/// That a command line gets one sentence with `expected` in it, this exit code
/// and nothing else.
fn check(command: &mut Command, code: i32, expected: &str) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let stderr = text(&stderr);
    let what = format!("{command:?}: {stderr}");
    assert_eq!(status.code(), Some(code), "{what}");
    assert_eq!(text(&stdout), "", "{what}");
    assert!(stderr.starts_with("twoway-publish: "), "{what}");
    assert!(stderr.contains(expected), "{what}");
    assert_eq!(stderr.lines().count(), 1, "{what}");
    assert!(!stderr.contains(SECRET), "{what}");
}

fn bad(arguments: &[&str], expected: &str) {
    check(&mut command(arguments), 2, expected);
}

#[test]
fn a_bad_url_or_name_is_told() {
    let must_begin = "the URL must begin with ws://, wss://, http:// or https://";
    bad(&["rtmp://host/test"], must_begin);
    bad(&["host"], must_begin);
    bad(&["ws://"], "the URL must look like");
    bad(&["ws://h:99999/x"], "the URL must look like");
    bad(&["http://a b/x"], "the URL must look like");
    bad(&["ws://u:s3cret-tok3n@h/x"], "--token");
    bad(&["https://h/{nmae}"], "only {name} and {protocol}");
    bad(&["ws://h/"], "the stream has no name");
    bad(&["https://h", "--name", ""], "the stream has no name");
    bad(&["https://h", "--name", ".."], "the stream's name");
    bad(&["ws://h/x", "--name", "a\u{7}b"], "the stream's name");
}

#[test]
fn bad_options_are_told() {
    let check = |options: &[&str], expected: &str| {
        bad(&[&["ws://h/x"], options].concat(), expected);
    };
    check(&["--size", "big"], "WIDTHxHEIGHT");
    check(&["--fps", "0"], "--fps");
    check(&["--bitrate", "1"], "--bitrate");
    check(
        &["--min-bitrate", "3000"],
        "--min-bitrate is above --bitrate",
    );
    check(&["--audio-bitrate", "1000"], "--audio-bitrate");
    check(&["--keyframe-interval", "often"], "not a number of seconds");
    check(&["--codec", "H265"], "--codec");
    check(&["--camera", "--screen"], "--camera");
    check(&["--no-video", "--no-audio"], "--no-video");
    check(&["--custom", "{"], "--custom is not JSON");
    check(&["--loop"], "--loop has no media file");
    check(&["--loop", "-"], "standard input");
    check(&["a", "b", "c"], "more than two inputs");
    bad(&[], "<URL>");
    bad(&["https://h/whip/x", "--app-key", "a"], "--app-key");
}

#[test]
fn bad_tokens_are_told_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, format!("{SECRET} and more\n")).unwrap();
    let file = file.to_str().unwrap();
    let words = format!("{SECRET} two");
    bad(
        &["ws://h/x", "--token", &words],
        "--token: an access token has",
    );
    bad(&["ws://h/x", "--token-file", file], file);
    bad(
        &["ws://h/x", "--token-file", "no/such/file"],
        "no/such/file",
    );
    bad(
        &["ws://h/x", "--token", SECRET, "--token-file", file],
        "--token-file",
    );
    let mut from_variable = command(&["ws://h/x"]);
    from_variable.env("TWOWAY_TOKEN", &words);
    check(&mut from_variable, 2, "TWOWAY_TOKEN: an access token has");
}

#[test]
fn bad_files_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = folder.path().join("ca.pem");
    fs::write(&certificates, "no certificate").unwrap();
    let certificates = certificates.to_str().unwrap();
    bad(&["wss://h/x", "--ca-file", certificates], certificates);
    bad(&["wss://h/x", "--ca-file", "no/such/file"], "no/such/file");
    let unknown = folder.path().join("film.mp4");
    fs::write(&unknown, "this is no film, whatever its name says").unwrap();
    let unknown = unknown.to_str().unwrap();
    bad(&["ws://h/x", unknown], unknown);
    bad(&["ws://h/x", "no/such/film.mp4"], "no/such/film.mp4");
    let a_folder = folder.path().to_str().unwrap();
    bad(&["ws://h/x", a_folder], a_folder);
    let empty = folder.path().join("empty.webm");
    fs::write(&empty, "").unwrap();
    bad(&["ws://h/x", empty.to_str().unwrap()], "empty");
    // Nothing comes from it.
    bad(&["ws://h/x", "-"], "standard input");
    let stats = folder.path().join("missing/stats.json");
    let stats = stats.to_str().unwrap();
    bad(&["ws://h/x", "--stats-file", stats], "there is no folder");
}

#[test]
fn what_does_not_make_a_stream_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.y4m");
    fs::write(&film, y4m(3)).unwrap();
    let film = film.to_str().unwrap();
    bad(
        &["ws://h/x", film, "--test-picture", film],
        "both bring a picture",
    );
    bad(&["ws://h/x", film, "--no-video"], "--no-video");
    bad(&["ws://h/x", "--screen", "left"], "--screen");
}

#[test]
fn devices_that_are_not_there_are_told() {
    // Neither is a build without devices at a loss for a sentence.
    bad(&["ws://h/x", "--camera", "no such camera"], "camera");
    bad(
        &["ws://h/x", "--microphone", "no such microphone"],
        "microphone",
    );
    bad(&["ws://h/x", "--screen", "99"], "");
    bad(&["ws://h/x", "--window", "no such window"], "");
}

#[test]
fn a_source_that_cannot_be_opened_ends_the_statistics_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stats.json");
    let path = file.to_str().unwrap();
    bad(
        &["ws://h/x", "no/such/film.mp4", "--stats-file", path],
        "film.mp4",
    );
    let outcome = &read_json(&file)["outcome"];
    assert_eq!(outcome["exit_code"], 2);
    assert!(outcome["error"].as_str().unwrap().contains("film.mp4"));
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

#[test]
fn help_lists_and_scripts_go_to_standard_output() {
    let shown = |arguments: &[&str]| {
        let output = command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
        text(&output.stdout)
    };
    let help = shown(&["--help"]);
    for word in ["Exit codes:", "--give-up-after", "TWOWAY_TOKEN", "devices"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert!(shown(&["-h"]).contains("Exit codes:"));
    assert!(shown(&["--version"]).starts_with("twoway-publish "));
    assert!(shown(&["man"]).contains(".SH \"EXIT STATUS\""));
    assert!(shown(&["completions", "bash"]).contains("--keyframe-interval"));
    assert!(shown(&["devices"]).contains("Cameras (--camera)"));
    let devices: Value = serde_json::from_str(&shown(&["devices", "--json"])).unwrap();
    assert!(devices["cameras"].is_array(), "{devices}");
    // The variable's value is not what help is for.
    let mut with_token = command(&["--help"]);
    let output = with_token.env("TWOWAY_TOKEN", SECRET).output().unwrap();
    assert!(!text(&output.stdout).contains(SECRET));
}

/// Publishes a small test picture with these further options.
fn publishing(server: &net::Running, options: &[&str]) -> Command {
    let url = format!("ws://{}/cam", server.addr());
    let mut command = command(&[&url, "--size", "320x180", "--give-up-after", "0"]);
    command
        .args(options)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs what blocks off the runtime's threads.
async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn output(mut command: Command) -> Output {
    run(move || command.output().unwrap()).await
}

fn json_lines(output: &Output) -> Vec<Value> {
    let lines = text(&output.stdout);
    let parse = |line: &str| serde_json::from_str(line).unwrap();
    lines.lines().map(parse).collect()
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_get_events_and_statistics() {
    let server = server().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stats.json");
    let options = [
        "--json",
        "--duration",
        "1.5",
        "--token",
        SECRET,
        "--stats-file",
        file.to_str().unwrap(),
    ];
    let output = output(publishing(&server, &options)).await;
    assert_eq!(output.status.code(), Some(0));
    assert!(!text(&output.stdout).contains(SECRET));
    assert!(!text(&output.stderr).contains(SECRET));

    let lines = json_lines(&output);
    let of = |kind: &str| lines.iter().filter(|line| line["event"] == kind).count();
    assert!(
        lines.iter().all(|line| line["unix_ms"].is_u64()),
        "{lines:?}"
    );
    let on_air = |line: &&Value| line["event"] == "stream" && line["status"] == "PUBLISHING";
    assert_eq!(lines.iter().find(on_air).unwrap()["name"], "cam");
    assert!(of("stats") >= 1, "{lines:?}");
    let last = lines.last().unwrap();
    assert_eq!(last["event"], "end");
    assert_eq!(last["exit_code"], 0);

    let stats = read_json(&file);
    assert_eq!(stats["outcome"]["exit_code"], 0);
    assert!(stats["stats"]["network"].is_object(), "{stats}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_to_people_machines_and_the_file() {
    let server = server().await;
    let mut first = publishing(&server, &[]);
    let mut first = run(move || Running::on_air(&mut first)).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stats.json");
    let options = ["--json", "--stats-file", file.to_str().unwrap()];
    let output = output(publishing(&server, &options)).await;
    let refused = "refused by the server: Stream name is already in use";
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(text(&output.stderr), format!("twoway-publish: {refused}\n"));
    let lines = json_lines(&output);
    assert_eq!(lines.last().unwrap()["error"], refused);
    assert_eq!(read_json(&file)["outcome"]["error"], refused);
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_is_quiet() {
    let server = server().await;
    let output = output(publishing(&server, &["--quiet", "--duration", "0.1"])).await;
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_track_is_a_stream() {
    let server = server().await;
    for option in ["--no-video", "--no-audio"] {
        let output = output(publishing(&server, &[option, "--duration", "0.2"])).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let lines = text(&output.stdout);
        assert!(lines.contains("stream cam: PUBLISHING\n"), "{lines}");
    }
    server.shutdown().await;
}

/// A command that is on air, and what is left of its output.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn on_air(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while line != "stream cam: PUBLISHING\n" {
            line.clear();
            let read = stdout.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "it ended");
        }
        Self { child, stdout }
    }

    #[cfg(unix)]
    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// The rest of its output, and its exit code.
    fn end(mut self) -> (String, Option<i32>) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (rest, self.child.wait().unwrap().code())
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_takes_leave_of_the_server() {
    let server = server().await;
    for signal in ["-INT", "-TERM"] {
        let mut command = publishing(&server, &[]);
        let (rest, code) = run(move || {
            let running = Running::on_air(&mut command);
            running.signal(signal);
            running.end()
        })
        .await;
        let expected = "stream cam: UNPUBLISHED (Stopped by user)\nsession: DISCONNECTED\n";
        assert_eq!((rest.as_str(), code), (expected, Some(0)), "{signal}");
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_does_not_end_the_stream() {
    let server = server().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stats.json");
    let options = ["--duration", "0.5", "--stats-file", file.to_str().unwrap()];
    let mut command = publishing(&server, &options);
    let code = run(move || {
        let Running { mut child, stdout } = Running::on_air(&mut command);
        drop(stdout);
        child.wait().unwrap().code()
    })
    .await;
    assert_eq!(code, Some(0));
    assert_eq!(read_json(&file)["outcome"]["exit_code"], 0);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_ends_is_a_good_end() {
    let server = server().await;
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.y4m");
    fs::write(&film, y4m(15)).unwrap();
    let from_file = output(publishing(&server, &[film.to_str().unwrap()])).await;
    let mut from_pipe = publishing(&server, &["-"]);
    from_pipe.stdin(fs::File::open(&film).unwrap());
    let from_pipe = output(from_pipe).await;
    for output in [from_file, from_pipe] {
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let lines = text(&output.stdout);
        assert!(lines.contains("stream cam: PUBLISHING\n"), "{lines}");
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_made_again_until_it_is_given_up() {
    let server = server().await;
    let url = format!("ws://{}/cam", server.addr());
    let mut command = command(&[&url, "--size", "320x180", "--give-up-after", "1"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = run(move || Running::on_air(&mut command)).await;
    let mut stderr = running.child.stderr.take().unwrap();
    server.shutdown().await;
    let (lines, code) = run(move || running.end()).await;
    assert!(lines.contains("\nreconnecting in "), "{lines}");
    assert!(matches!(code, Some(1 | 3)), "{code:?}: {lines}");
    let mut error = String::new();
    stderr.read_to_string(&mut error).unwrap();
    assert!(error.starts_with("twoway-publish: "), "{error}");
}
