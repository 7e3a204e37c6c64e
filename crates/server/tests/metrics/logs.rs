//! The log of a run: who a line is about, one line a message, and no secret.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use str0m::media::Direction;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use wire::{ClientMessage, Connection, MediaSessionId, PublishStream, ServerMessage, StreamName};

use crate::udp::UdpClient;
use crate::web::request;
use crate::world::TYPES;

const TURN_PASSWORD: &str = "planted-turn-password";
const BEARER: &str = "planted-bearer-token";
const CUSTOM: &str = "planted-custom-token";
/// A name that would end a line and begin another one.
const NAME: &str = "live\n2026-01-01T00:00:00Z ERROR twoway_server: forged client=1 \u{1b}[31m";

/// Runs the server and says the worst to it; its log, and the secrets that there were.
async fn run(args: &[&str]) -> (String, Vec<String>) {
    let turn = format!("turn:user:{TURN_PASSWORD}@turn.example.net:3478");
    let mut server = Command::new(env!("CARGO_BIN_EXE_twoway-server"))
        .env_remove("RUST_LOG")
        .args(["--bind", "127.0.0.1", "--port", "0", "--media-port", "0"])
        .args(["--workers", "1", "--log", "debug", "--ice-server", &turn])
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = server.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut text = String::new();
        BufReader::new(stderr).read_to_string(&mut text).unwrap();
        text
    });
    let addr = ready(&mut server);
    let secrets = talk(addr).await;
    server.kill().unwrap();
    server.wait().unwrap();
    (log.join().unwrap(), secrets)
}

fn ready(server: &mut Child) -> SocketAddr {
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    loop {
        let line = lines.next().expect("ready").unwrap();
        if let Some(url) = line.strip_prefix("ready: http://") {
            return url.trim_end_matches('/').parse().unwrap();
        }
    }
}

/// Publishes in both ways, with secrets wherever there can be some; all of them.
async fn talk(addr: SocketAddr) -> Vec<String> {
    let mut secrets: Vec<String> = [TURN_PASSWORD, BEARER, CUSTOM].map(Into::into).into();
    let (mut socket, _) = connect_async(format!("ws://{addr}/")).await.unwrap();
    let connection = ClientMessage::Connection(Connection {
        custom: Some(json!({ "token": CUSTOM })),
        ..Connection::default()
    });
    let (_, sdp) = UdpClient::offer(Direction::SendOnly, TYPES);
    secrets.extend(password(&sdp));
    let publish = ClientMessage::PublishStream(PublishStream {
        media_session_id: Some(MediaSessionId::new("p-1")),
        name: Some(StreamName::new(NAME)),
        has_audio: true,
        has_video: true,
        sdp,
        custom: Some(json!({ "token": CUSTOM })),
        ..PublishStream::default()
    });
    for message in [connection.encode(), publish.encode(), NAME.to_owned()] {
        socket.send(Message::text(message)).await.unwrap();
    }
    loop {
        let frame = socket.next().await.expect("open").unwrap();
        let Message::Text(text) = frame else { continue };
        match ServerMessage::decode(&text).unwrap() {
            ServerMessage::UserData(user) => secrets.push(user.auth_token.unwrap()),
            ServerMessage::RemoteSdp { sdp, .. } => {
                secrets.extend(password(&sdp));
                break;
            }
            _ => {}
        }
    }
    let (_, offer) = UdpClient::offer(Direction::SendOnly, TYPES);
    secrets.extend(password(&offer));
    let bearer = format!("Bearer {BEARER}");
    let headers = [
        ("Content-Type", "application/sdp"),
        ("Authorization", &bearer),
    ];
    let made = request(addr, "POST", "/whip/other", &headers, offer.as_bytes()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    secrets.extend(password(made.text()));
    let resource = made.expect("location").to_owned();
    let (_, id) = resource.rsplit_once('/').unwrap();
    secrets.push(id.to_owned());
    let gone = request(addr, "DELETE", &resource, &headers, &[]).await;
    assert_eq!(gone.status, 200);
    request(addr, "GET", "/metrics", &headers, &[]).await;
    secrets
}

fn password(sdp: &str) -> Option<String> {
    let mut lines = sdp.lines();
    lines.find_map(|line| Some(line.strip_prefix("a=ice-pwd:")?.trim().to_owned()))
}

#[track_caller]
fn check_secrets(log: &str, secrets: &[String]) {
    assert_eq!(secrets.len(), 9, "all were planted");
    assert!(log.contains("is::agent"), "ICE is logged, too");
    for secret in secrets {
        assert!(
            secret.len() > 8 && !log.contains(secret.as_str()),
            "{secret}\n{log}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_says_who_a_line_is_about_and_no_secret() {
    let (log, secrets) = run(&["--log-format", "json"]).await;
    check_secrets(&log, &secrets);
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let of = |message: &str| {
        let found = lines.iter().find(|line| line["message"] == message);
        found.unwrap_or_else(|| panic!("no line says {message:?}\n{log}"))
    };
    let session = of("client connected")["session"].as_str().unwrap();
    assert!(session.starts_with("/127.0.0.1:"), "{session}");
    let opened = of("stream opened");
    let client = &of("client connected")["client"];
    for (field, expected) in [
        ("client", client),
        ("session", &json!(session)),
        ("stream", &json!(NAME)),
        ("media_session", &json!("p-1")),
        ("level", &json!("INFO")),
    ] {
        assert_eq!(&opened[field], expected, "{field}");
    }
    assert!(opened["peer"].is_u64());
    // What is no message is its sender's, too.
    let refused = lines.iter().find(|line| line["reason"] == "bad_message");
    let refused = refused.expect("a refusal");
    assert_eq!(
        (&refused["client"], &refused["session"]),
        (client, &json!(session))
    );
    let other = lines.iter().find(|line| line["stream"] == "other").unwrap();
    assert_eq!(other["media_session"].as_str().unwrap().len(), 8);
    let its_session = other["session"].as_str().unwrap();
    assert!(its_session.starts_with("/127.0.0.1:") && its_session != session);
}

#[tokio::test(flavor = "multi_thread")]
async fn text_is_one_line_a_message_and_has_no_secret() {
    let (log, secrets) = run(&[]).await;
    check_secrets(&log, &secrets);
    assert!(!log.contains('\u{1b}'));
    for line in log.lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        assert!(
            fields[0].ends_with('Z') && fields[2].ends_with(':'),
            "{line}"
        );
        assert!(!line.starts_with("2026-01-01T00:00:00Z ERROR"), "{line}");
    }
    let opened = log.lines().find(|line| line.contains(": stream opened "));
    let opened = opened.expect("a stream");
    assert!(opened.contains(" stream=\"live\\n2026"), "{opened}");
    assert!(opened.contains(" media_session=p-1"), "{opened}");
    assert!(opened.contains(" session=/127.0.0.1:"), "{opened}");
}
