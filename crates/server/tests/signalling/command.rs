//! The real command: how it starts, how it ends, and the forwarder in it.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
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
    let mut command = bare_command();
    command
        .args(["--media-port", "0", "--workers", "1"])
        .args(["--port", &port.to_string()]);
    command
}

/// With the default ports and workers.
fn bare_command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twoway-server"));
    command
        .args(["--bind", "127.0.0.1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

fn start() -> Server {
    start_with(&[])
}

fn start_with(args: &[&str]) -> Server {
    let mut child = command(0).args(args).spawn().unwrap();
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

/// The addresses behind this in what is announced.
fn addresses(server: &Server, prefix: &str) -> Vec<SocketAddr> {
    let mut lines = server.announced.iter();
    let line = lines.find_map(|line| line.strip_prefix(prefix));
    let list = line.unwrap_or_else(|| panic!("no {prefix:?} in {:?}", server.announced));
    list.split(", ").map(|a| a.parse().unwrap()).collect()
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
    let expected = "--ice-server: number 2 is none: its port must be";
    assert!(stderr.contains(expected), "{stderr}");
    assert!(!stderr.contains("secret"), "{stderr}");
}

#[test]
fn it_says_where_media_goes() {
    let server = start();
    let addresses = addresses(&server, "media over UDP and TCP at ");
    for (index, address) in addresses.iter().enumerate() {
        assert_ne!(address.port(), 0);
        assert!(!addresses[..index].contains(address), "said twice");
    }
    // It listens there, on the same port of both.
    TcpStream::connect(("127.0.0.1", addresses[0].port())).unwrap();
}

#[test]
fn an_operator_chooses_what_media_goes_over_and_where() {
    let bind = ["--media-bind", "127.0.0.1"];
    for (transport, prefix) in [
        ("udp", "media over UDP at "),
        ("tcp", "media over TCP at "),
        ("both", "media over UDP and TCP at "),
    ] {
        let server = start_with(&[&bind[..], &["--media", transport]].concat());
        let [address] = *addresses(&server, prefix) else {
            panic!("{:?}", server.announced);
        };
        assert!(address.ip().is_loopback());
        let connected = TcpStream::connect(address).is_ok();
        assert_eq!(connected, transport != "udp", "{transport}");
    }
}

#[test]
fn public_addresses_are_told_instead_of_its_own() {
    let server = start_with(&[
        "--media-bind",
        "127.0.0.1",
        "--public-address",
        "203.0.113.5:40000",
        "--public-address",
        "198.51.100.7",
        "--public-address",
        "203.0.113.5:40000",
    ]);
    let told = addresses(&server, "media over UDP and TCP at ");
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], "203.0.113.5:40000".parse().unwrap());
    assert_eq!(told[1].ip().to_string(), "198.51.100.7");
    let warned = |line: &String| line.starts_with("warning:");
    assert!(!server.announced.iter().any(warned));
}

#[test]
fn a_server_that_only_this_machine_can_reach_says_so() {
    let server = start_with(&["--media-bind", "127.0.0.1"]);
    let warning = server.announced.iter().find(|l| l.starts_with("warning:"));
    let warning = warning.unwrap();
    assert!(
        warning.contains("only programs on this machine"),
        "{warning}"
    );
    assert!(warning.contains("--public-address"), "{warning}");
}

#[test]
fn media_addresses_that_cannot_be_are_refused() {
    /// Options, code, and what the error says.
    type Case<'a> = (&'a [&'a str], i32, &'a str);
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().port().to_string();
    let in_use = format!("cannot use TCP 127.0.0.1:{taken} for media");
    let table: &[Case<'_>] = &[
        (
            &["--public-address", "0.0.0.0"],
            2,
            "every address of a host",
        ),
        (
            &["--public-address", "239.1.2.3"],
            2,
            "no address of one host",
        ),
        (&["--public-address", "example.com"], 2, "not an IP address"),
        (&["--public-address", "10.0.0.1:0"], 2, "port 0"),
        (&["--media", "sctp"], 2, "--media"),
        (
            &["--media-bind", "127.0.0.1", "--media-bind", "127.0.0.2"],
            1,
            "--media-bind takes one IPv4 and one IPv6 address",
        ),
        (
            &[
                "--media-bind",
                "127.0.0.1",
                "--public-address",
                "2001:db8::5",
            ],
            1,
            "not bound to the family of --public-address 2001:db8::5",
        ),
        (
            &["--media-bind", "127.0.0.1", "--media-port", &taken],
            1,
            &in_use,
        ),
        (
            &["--workers", "2", "--media-port", "65535"],
            1,
            "choose lower ones",
        ),
    ];
    for (args, code, expected) in table {
        let mut command = bare_command();
        let output = command
            .args(["--port", "0"])
            .args(*args)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(*code), "{args:?}: {stderr}");
        assert!(stderr.contains(expected), "{args:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{args:?}");
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
