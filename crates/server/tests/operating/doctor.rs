//! `twoway-server doctor`, as an operator runs it.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::process::{Command, Output};

use crate::{PROGRAM, free_port};

/// Runs `twoway-server doctor`, for a server of this host alone.
fn doctor(options: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.env_clear().arg("doctor").args(options);
    command.output().expect("the program runs")
}

/// Options of a server of this host alone, without what this host may be short of.
fn local<'a>(port: &'a str, media_port: &'a str) -> Vec<&'a str> {
    let mut options = vec!["--bind=127.0.0.1", "--media-bind=127.0.0.1", "--workers=1"];
    options.extend(["--max-connections=10", "--max-media-tcp=10"]);
    options.extend(["--port", port, "--media-port", media_port]);
    options
}

/// The line about `what`, its columns parted by a single space.
fn line(output: &Output, what: &str) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines = text.lines().map(words);
    let found = lines.find(|line| {
        let rest = line.split_once(' ').map_or("", |(_, rest)| rest);
        rest.starts_with(what)
    });
    found.unwrap_or_else(|| panic!("no line about {what}: {text}"))
}

#[test]
fn a_host_where_nothing_is_wrong_is_told_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("index.html"), "").unwrap();
    let page = folder.path().to_str().unwrap();
    let (port, media_port) = (free_port(), free_port());
    let mut options = local(&port, &media_port);
    options.extend(["--page", page]);
    let output = doctor(&options);
    assert!(output.status.success(), "{output:?}");
    let expected = [
        (
            "configuration",
            "ok configuration is right: it chooses 8 settings".to_owned(),
        ),
        ("HTTP port", format!("ok HTTP port {port} is free")),
        ("TCP", format!("ok TCP {media_port} is free for media")),
        ("page", format!("ok page is in {page}")),
    ];
    for (what, expected) in expected {
        assert_eq!(line(&output, what), expected);
    }
    let arrives = line(&output, "UDP to 127.0.0.1");
    assert!(arrives.contains("arrives here"), "{arrives}");
    assert!(line(&output, "public address only").starts_with("warning"));
    assert!(line(&output, "access").starts_with("ok"));
    assert!(!output.stdout.contains(&0x1b), "colour is for terminals");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_port_that_another_program_has_is_wrong() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    let media = UdpSocket::bind("127.0.0.1:0").unwrap();
    let media_port = media.local_addr().unwrap().port().to_string();
    // So that asking it does not take its time.
    drop(std::thread::spawn(move || {
        while let Ok((stream, _)) = other.accept() {
            drop(stream);
        }
    }));
    let output = doctor(&local(&port, &media_port));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(line(&output, "HTTP port").starts_with("wrong"));
    assert!(line(&output, &format!("UDP {media_port}")).starts_with("wrong"));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("\n2 things are wrong, "), "{text}");
}

#[test]
fn a_configuration_that_is_wrong_is_told_as_the_server_tells_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.toml");
    fs::write(&path, "port = 1\n[media]\nmedia-prot = 5\nworkers = 0\n").unwrap();
    let path = path.to_str().unwrap();
    let output = doctor(&["--config", path]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].contains(":3: there is no setting"), "{text}");
    assert!(lines[1].contains(":4: media.workers"), "{text}");
    assert_eq!(lines.last(), Some(&"2 things are wrong, 0 warnings"));
}

#[test]
fn options_of_the_server_go_after_the_word() {
    let before = Command::new(PROGRAM).args(["--port=1", "doctor"]).output();
    let before = before.unwrap();
    assert_eq!(before.status.code(), Some(2));
    let text = String::from_utf8_lossy(&before.stderr);
    assert!(text.contains("doctor"), "{text}");
}

#[test]
fn a_server_that_does_not_answer_is_not_well() {
    let url = format!("http://127.0.0.1:{}/", free_port());
    let port = free_port();
    let mut by_settings = local(&port, "0");
    by_settings.push("--health");
    for options in [vec!["--health", &url], by_settings] {
        let output = doctor(&options);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            text.starts_with("error: nobody answers at http://"),
            "{text}"
        );
    }
}
