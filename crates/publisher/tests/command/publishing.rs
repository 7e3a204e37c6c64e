//! A publication from its start to its end, as people and machines see it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use media_samples::VP8_OPUS_WEBM;
use serde_json::Value;
use twoway_server::net;

use super::loopback::server;
use super::{SECRET, command, read_json, text, y4m};

/// Publishes a small test picture with these further options.
pub(super) fn publishing(server: &net::Running, options: &[&str]) -> Command {
    let url = format!("ws://{}/cam", server.addr());
    let mut command = command(&[&url, "--size", "320x180", "--give-up-after", "0"]);
    command
        .args(options)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs what blocks off the runtime's threads.
pub(super) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
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
async fn options_of_no_effect_are_told_at_the_start() {
    let server = server().await;
    let film = VP8_OPUS_WEBM.make().unwrap();
    let film = film.to_str().unwrap();
    // The size is given already.
    let options = [film, "--stereo", "--duration", "0.1"];
    let notice = format!("--size and --stereo are not applied: {film} is sent as it is encoded");
    let plain = output(publishing(&server, &options)).await;
    let first = text(&plain.stdout).lines().next().map(str::to_owned);
    assert_eq!(first, Some(format!("notice: {notice}")));
    let json = output(publishing(&server, &[&options[..], &["--json"]].concat())).await;
    let first = &json_lines(&json)[0];
    assert_eq!(
        (&first["event"], &first["text"]),
        (&"notice".into(), &notice.into())
    );
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

    /// The rest of its output, and its exit code.
    fn end(mut self) -> (String, Option<i32>) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (rest, self.child.wait().unwrap().code())
    }
}

#[cfg(unix)]
pub(super) fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([name, &id]).status();
    assert!(sent.unwrap().success());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_takes_leave_of_the_server() {
    let server = server().await;
    for name in ["-INT", "-TERM"] {
        let mut command = publishing(&server, &[]);
        let (rest, code) = run(move || {
            let running = Running::on_air(&mut command);
            signal(&running.child, name);
            running.end()
        })
        .await;
        let expected = "stream cam: UNPUBLISHED (Stopped by user)\nsession: DISCONNECTED\n";
        assert_eq!((rest.as_str(), code), (expected, Some(0)), "{name}");
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
