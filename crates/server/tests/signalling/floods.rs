//! Too much of everything: messages, sockets, time, bytes. Whoever overdoes it is
//! turned away clearly, and nobody else notices.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use twoway_server::counters::Reason;
use twoway_server::net::{Config, Running};
use wire::{ClientMessage, Connection, ServerMessage, StreamEventType};

use crate::client::{Client, config, counted, publish, snapshot, soon, start};
use crate::web::get;

/// Sockets that the test with thousands of them opens, if the system lets it.
const MANY: usize = 2_000;

/// Sockets opened at a time: fewer than wait to be accepted.
const BATCH: usize = 50;

async fn closed_with(mut stream: impl StreamExt<Item = Frame> + Unpin) -> Option<(u16, String)> {
    while let Some(Ok(frame)) = soon(stream.next()).await {
        if let Message::Close(Some(close)) = frame {
            return Some((close.code.into(), close.reason.to_string()));
        }
    }
    None
}

type Frame = Result<Message, tokio_tungstenite::tungstenite::Error>;

#[tokio::test]
async fn a_client_that_sends_too_fast_is_told_and_closed() {
    for frame in [
        Message::text(r#"{"message":"ping","data":[]}"#),
        Message::Ping("x".into()),
    ] {
        let mut config = config();
        config.core.limits.messages_per_second = 20;
        let server = start(config).await;
        let mut bystander = Client::publishing(server.addr(), "live").await;
        let client = Client::connect(server.addr()).await;
        let (mut sink, stream) = client.into_socket().split();
        // The server stops reading: not all of it need be sent.
        let sending = tokio::spawn(async move {
            for _ in 0..10_000 {
                if sink.send(frame.clone()).await.is_err() {
                    break;
                }
            }
        });
        let (code, reason) = closed_with(stream).await.expect("a close frame");
        assert_eq!(
            (code, reason.as_str()),
            (1008, "more than 20 messages a second")
        );
        counted(&server, Reason::FloodingClient, 1).await;
        soon(sending).await.unwrap();
        bystander.assert_untouched("live").await;
        server.shutdown().await;
    }
}

/// Files that this process may have open.
fn most_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find_map(|l| l.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    soft.unwrap_or(256)
}

/// The answer to a request on a connection of its own.
async fn answer(server: &Running) -> String {
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

async fn sessions(server: &Running) -> u64 {
    let stats = get(server.addr(), "/api/stats").await;
    // While there is no room, the answer is that.
    let stats: serde_json::Value = serde_json::from_str(stats.text()).unwrap_or_default();
    stats["sessions"].as_u64().unwrap_or(u64::MAX)
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_sockets_up_to_the_limit_and_none_stays() {
    // Both ends of each are in this process.
    let many = MANY.min(most_files().saturating_sub(200) / 2);
    let mut config = config();
    config.core.limits.connections = many + 1;
    config.core.connection_timeout = Duration::from_secs(600);
    let server = start(config).await;
    let mut bystander = Client::publishing(server.addr(), "live").await;
    let mut crowd = Vec::new();
    while crowd.len() < many {
        let batch = BATCH.min(many - crowd.len());
        crowd.extend(join_all((0..batch).map(|_| Client::open(server.addr(), "/"))).await);
    }
    // One too many is told so.
    let refusal = answer(&server).await;
    assert!(refusal.starts_with("HTTP/1.1 503 "), "{refusal}");
    assert!(refusal.contains("Retry-After: 1\r\n"), "{refusal}");
    assert!(
        refusal.ends_with("\r\n\r\nToo many open connections.\n"),
        "{refusal}"
    );
    counted(&server, Reason::NoPlace, 1).await;
    // Those that are in are served.
    for at in [0, many - 1] {
        let client = &mut crowd[at];
        client
            .send(&ClientMessage::Connection(Connection::default()))
            .await;
        assert!(matches!(client.next().await, ServerMessage::UserData(_)));
    }
    bystander.assert_untouched("live").await;
    drop(crowd);
    // Everything of theirs goes: there is room again, and one session left.
    soon(async {
        while TcpStream::connect(server.addr()).await.is_err() || sessions(&server).await > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    Client::connect(server.addr()).await;
    server.shutdown().await;
}

#[tokio::test]
async fn one_address_does_not_take_every_place() {
    let mut config = config();
    config.core.limits.connections_per_address = 2;
    let server = start(config).await;
    let mut first = Client::publishing(server.addr(), "live").await;
    let second = Client::open(server.addr(), "/").await;
    assert!(answer(&server).await.starts_with("HTTP/1.1 503 "));
    counted(&server, Reason::NoPlace, 1).await;
    drop(second);
    first.assert_untouched("live").await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_request_that_trickles_in_is_closed() {
    let mut config = config();
    config.head_timeout = Duration::from_millis(100);
    let server = start(config).await;
    let mut bystander = Client::publishing(server.addr(), "live").await;
    let stream = TcpStream::connect(server.addr()).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let mut pace = tokio::time::interval(Duration::from_millis(10));
    let trickling = tokio::spawn(async move {
        // A header line at a time, and never the last one.
        let mut line = b"GET / HTTP/1.1\r\n".as_slice();
        while writing.write_all(line).await.is_ok() {
            pace.tick().await;
            line = b"X-More: x\r\n";
        }
    });
    let mut rest = Vec::new();
    // Closed with a line unread, which may look like a reset.
    let _ = soon(reading.read_to_end(&mut rest)).await;
    drop(reading);
    soon(trickling).await.unwrap();
    counted(&server, Reason::SlowRequest, 1).await;
    bystander.assert_untouched("live").await;
    server.shutdown().await;
}

/// Each of these many requests is for a file of this size: far more than sockets
/// hold.
const LARGE_FILE: usize = 1 << 20;
const LARGE_FILES: usize = 64;

/// A connection that asks for all of them and reads nothing.
async fn deaf(server: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    let request = "GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n".repeat(LARGE_FILES);
    soon(stream.write_all(request.as_bytes())).await.unwrap();
    stream
}

/// A server whose page has the large file; that lasts as long as the folder.
async fn start_with_large_file(mut config: Config) -> (TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("large.bin"), vec![0; LARGE_FILE]).unwrap();
    config.page = folder.path().into();
    (folder, start(config).await)
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_loses_its_place() {
    let mut config = config();
    config.write_timeout = Duration::from_millis(100);
    config.core.limits.connections = 2;
    let (_folder, server) = start_with_large_file(config).await;
    let mut bystander = Client::publishing(server.addr(), "live").await;
    let mut deaf = deaf(&server).await;
    counted(&server, Reason::SlowClient, 1).await;
    // The other place is free, while the client still is where it was.
    soon(async {
        while get(server.addr(), "/api/health").await.status != 200 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut read = Vec::new();
    // What is left of it may look like a reset.
    let _ = soon(deaf.read_to_end(&mut read)).await;
    assert!(read.len() < LARGE_FILE * LARGE_FILES);
    bystander.assert_untouched("live").await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_websocket_is_not_held_to_what_http_clients_are() {
    let mut config = config();
    config.write_timeout = Duration::from_millis(100);
    // Far more than sockets hold, and allowed.
    let pictures = config.core.limits.snapshots_per_session;
    config.core.limits.queued_picture_bytes = usize::MAX / 2;
    let (_folder, server) = start_with_large_file(config).await;
    let mut publisher = Client::publishing(server.addr(), "live").await;
    let mut viewer = Client::connect(server.addr()).await;
    for number in 0..pictures {
        viewer.send(&snapshot(&number.to_string(), "live")).await;
    }
    publisher.assert_untouched("live").await;
    // By the time that this one is closed, the viewer has not read for longer.
    let _deaf = deaf(&server).await;
    counted(&server, Reason::SlowClient, 1).await;
    for _ in 0..pictures {
        let ServerMessage::StreamEvent(event) = viewer.next().await else {
            panic!("no picture");
        };
        assert_eq!(event.event_type, StreamEventType::SnapshotCompleted);
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_publisher_that_closes_half_of_its_socket_frees_its_name() {
    let mut config = config();
    config.core.limits.messages_per_second = u32::MAX;
    let server = start(config).await;
    let half = Client::publishing(server.addr(), "live").await;
    let mut socket = half.into_socket();
    // It still could read, and does not say that it closes.
    soon(socket.get_mut().shutdown()).await.unwrap();
    let mut next = Client::connect(server.addr()).await;
    soon(async {
        loop {
            next.send(&publish("p", "live")).await;
            if next.status().await == "p PUBLISHING" {
                break;
            }
        }
    })
    .await;
    drop(socket);
    server.shutdown().await;
}
