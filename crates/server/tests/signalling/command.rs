//! The real command: how it starts, how it ends, and the forwarder in it.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use crate::client::Client;

/// A running command, killed if a test fails.
struct Server {
    child: Child,
    addr: SocketAddr,
    announced: Vec<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twoway-server"));
    command
        .args(["--bind", "127.0.0.1", "--media-port", "0", "--workers", "1"])
        .args(["--port", &port.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

fn start() -> Server {
    let mut child = command(0).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut announced = Vec::new();
    let addr = loop {
        let line = lines.next().expect("ready").unwrap();
        if let Some(url) = line.strip_prefix("ready: http://") {
            break url.trim_end_matches('/').parse().unwrap();
        }
        announced.push(line);
    };
    Server {
        child,
        addr,
        announced,
    }
}

#[test]
fn a_port_in_use_is_one_sentence_and_code_1() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let output = command(port).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let error = stderr.lines().last().unwrap();
    assert!(
        error.starts_with(&format!("error: port {port} is in use already")),
        "{stderr}"
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn wrong_options_are_told() {
    let output = command(0)
        .args(["--workers", "0"])
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_wrong_ice_server_is_told_without_its_password() {
    let output = command(0)
        .args(["--ice-server", "stun:stun.example.net"])
        .args(["--ice-server", "turn:user:secret@example.net:0"])
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let expected = "error: --ice-server number 2 is none: its port must be";
    assert!(stderr.contains(expected), "{stderr}");
    assert!(!stderr.contains("secret"), "{stderr}");
}

#[test]
fn it_says_where_media_goes() {
    let server = start();
    let media = server
        .announced
        .iter()
        .find_map(|line| line.strip_prefix("media over UDP at "));
    for address in media.unwrap().split(", ") {
        assert_ne!(address.parse::<SocketAddr>().unwrap().port(), 0);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn sigterm_and_ctrl_c_end_it_well() {
    for signal in ["-TERM", "-INT"] {
        let mut server = start();
        let mut client = Client::connect(server.addr).await;
        let pid = server.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
        assert_eq!(client.close_code().await, 1001, "{signal}");
        let waiting = tokio::task::spawn_blocking(move || server.child.wait().map(|s| (s, server)));
        let (status, mut server) = crate::client::soon(waiting).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(0), "{signal}");
        let mut rest = String::new();
        if let Some(stdout) = server.child.stdout.as_mut() {
            stdout.read_to_string(&mut rest).unwrap();
        }
        assert_eq!(rest, "");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_forwarder_refuses_an_sdp_of_garbage() {
    use wire::{ClientMessage, MediaSessionId, PublishStream, StreamName};

    let server = start();
    let mut client = Client::connect(server.addr).await;
    let garbage = ClientMessage::PublishStream(PublishStream {
        media_session_id: Some(MediaSessionId::new("p")),
        name: Some(StreamName::new("live")),
        sdp: "v=0 garbage".into(),
        ..PublishStream::default()
    });
    client.send(&garbage).await;
    let refusal = "p FAILED Failed to add stream to proxy";
    assert_eq!(client.status().await, refusal);
}
