//! The library and the command against the real server, in one process and on
//! loopback.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod loopback;
#[path = "loopback/status.rs"]
mod status;

use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::Duration;

use loopback::{LOOPBACK, server};
use status::status;
use twoway_publisher::{
    Error, Event, Options, Publisher, PublisherEvent, RetryOptions, Server, ServerUrl,
    SessionStatus, StreamName, StreamStatus, TestPicture,
};
use twoway_server::net;

fn publisher(server: &net::Running, name: &str) -> Publisher {
    let (url, _) = ServerUrl::parse(&format!("ws://{}", server.addr())).unwrap();
    let source = TestPicture::new("320x180".parse().unwrap(), 30);
    let mut options = Options::new(Server::WebCallServer(url), StreamName::new(name));
    options.retry = RetryOptions {
        give_up_after: Some(Duration::ZERO),
        ..RetryOptions::default()
    };
    Publisher::connect(options, source)
}

/// Statuses up to and including `last`, or to the end.
async fn statuses_until(publisher: &mut Publisher, last: &str) -> Vec<String> {
    let mut statuses = Vec::new();
    while let Some(event) = publisher.event().await {
        if let PublisherEvent::Signalling(event) = event {
            statuses.extend(status(&event));
        }
        if statuses.last().is_some_and(|status| status == last) {
            break;
        }
    }
    statuses
}

fn command(url: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_twoway-publish"))
        .arg(url)
        .args(["--size", "320x180", "--give-up-after", "0"])
        .args(arguments)
        .output()
        .unwrap()
}

/// The lines a finished command printed.
fn lines(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_publishes_and_takes_its_leave() {
    let server = server().await;
    let mut publisher = publisher(&server, "test");
    let up = statuses_until(&mut publisher, "PUBLISHING").await;
    assert!(
        up.starts_with(&["Connected".into(), "Established".into()]),
        "{up:?}"
    );
    assert_eq!(up.last().unwrap(), "PUBLISHING");
    publisher.stop();
    let down = statuses_until(&mut publisher, "Disconnected").await;
    assert_eq!(down, ["UNPUBLISHED", "Disconnected"]);
    assert!(publisher.event().await.is_none());
    assert_eq!(publisher.wait().await, Ok(()));
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_streams_live_in_one_process_but_a_name_only_once() {
    let server = server().await;
    let mut first = publisher(&server, "first");
    let mut second = publisher(&server, "second");
    statuses_until(&mut first, "PUBLISHING").await;
    statuses_until(&mut second, "PUBLISHING").await;

    let mut intruder = publisher(&server, "first");
    let statuses = statuses_until(&mut intruder, "Disconnected").await;
    assert!(statuses.contains(&"FAILED".to_owned()), "{statuses:?}");
    let refused = Error::Refused("Stream name is already in use".to_owned());
    assert_eq!(intruder.wait().await, Err(refused));

    for publisher in [first, second] {
        publisher.stop();
        assert_eq!(publisher.wait().await, Ok(()));
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_is_a_lost_connection() {
    let server = server().await;
    let mut publisher = publisher(&server, "test");
    statuses_until(&mut publisher, "PUBLISHING").await;
    server.shutdown().await;
    while let Some(event) = publisher.event().await {
        if let PublisherEvent::Signalling(Event::Session { status, .. }) = event {
            assert_eq!(status, SessionStatus::Disconnected);
        }
    }
    let error = publisher.wait().await.unwrap_err();
    assert!(
        matches!(error, Error::Connection(_) | Error::Refused(_)),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_publishes_for_a_while_and_exits_well() {
    let server = server().await;
    let url = format!("ws://{}/cam", server.addr());
    let output = run(move || command(&url, &["--duration", "0.2"])).await;
    assert_eq!(
        lines(&output),
        [
            "session: CONNECTED",
            "session: ESTABLISHED",
            "stream cam: PUBLISHING",
            "stream cam: UNPUBLISHED (Stopped by user)",
            "session: DISCONNECTED",
        ]
    );
    assert_eq!(output.status.code(), Some(0));
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_that_a_name_is_in_use() {
    let server = server().await;
    let mut first = publisher(&server, "test");
    statuses_until(&mut first, StreamStatus::Publishing.as_str()).await;
    let url = format!("ws://{}/test", server.addr());
    let output = run(move || command(&url, &[])).await;
    let lines = lines(&output);
    assert!(
        lines.contains(&"stream test: FAILED (Stream name is already in use)".to_owned()),
        "{lines:?}"
    );
    assert_eq!(output.status.code(), Some(3));
    first.stop();
    assert_eq!(first.wait().await, Ok(()));
    server.shutdown().await;
}

#[test]
fn the_command_says_that_there_is_no_server() {
    // Free again as soon as the listener is dropped.
    let free = TcpListener::bind(LOOPBACK).unwrap().local_addr().unwrap();
    let output = command(&format!("ws://{free}/test"), &[]);
    let lines = lines(&output);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("session: FAILED (cannot connect to "),
        "{lines:?}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_command_says_what_is_wrong_with_its_arguments() {
    let output = command("rtmp://localhost/test", &[]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let expected = "the URL must begin with ws://, wss://, http:// or https://";
    assert_eq!(stderr, format!("twoway-publish: {expected}\n"));
    assert_eq!(output.status.code(), Some(2));
}

/// Runs what blocks off the runtime's threads.
async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}
