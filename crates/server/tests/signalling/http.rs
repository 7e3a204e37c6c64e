//! The API, and upgrades at any path.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::{ClientMessage, Connection, ServerMessage, StreamEventType};

use crate::client::{Client, PICTURE_BYTES, config, publish, snapshot, soon, start};
use crate::web::get;

#[tokio::test]
async fn the_api_tells_health_and_statistics() {
    let server = start(config()).await;
    let health = get(server.addr(), "/api/health").await;
    assert_eq!((health.status, health.text()), (200, r#"{"status":"ok"}"#));
    let mut client = Client::publishing(server.addr(), "live").await;
    client.assert_untouched("live").await;
    client.send_frame("broken".into()).await;
    client.failure().await;
    let response = get(server.addr(), "/api/stats").await;
    assert_eq!(response.header("content-type"), Some("application/json"));
    let stats: serde_json::Value = serde_json::from_str(response.text()).unwrap();
    let totals = [&stats["sessions"], &stats["publishers"], &stats["players"]];
    assert_eq!(totals, [1, 1, 1]);
    assert_eq!(stats["refusals"]["bad_message"], 1);
    assert_eq!(stats["refusals"]["slow_client"], 0);
    assert_eq!(get(server.addr(), "/api/odd").await.status, 404);
    server.shutdown().await;
}

#[tokio::test]
async fn trap_2_upgrades_at_any_path() {
    let server = start(config()).await;
    for path in ["/", "/test", "/websocket", "/ws", "/api/stats", "/a/b?c=d"] {
        let mut client = Client::open(server.addr(), path).await;
        client
            .send(&ClientMessage::Connection(Connection::default()))
            .await;
        let ServerMessage::UserData(data) = client.next().await else {
            panic!("{path}");
        };
        let token = data.auth_token.unwrap();
        assert!(token.starts_with("/127.0.0.1:"), "{token}");
        assert!(token.contains(&format!("/{}/", server.addr())), "{token}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn trap_2_upgrades_from_any_origin() {
    let server = start(config()).await;
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    let request = format!(
        "GET /test HTTP/1.1\r\nHost: {}\r\nOrigin: https://elsewhere.example\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.addr()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    server.shutdown().await;
}

#[tokio::test]
async fn a_broken_upgrade_is_an_http_error() {
    let server = start(config()).await;
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n",
        server.addr()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 10];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 4");
    server.shutdown().await;
}

#[tokio::test]
async fn http_basic_authorization_on_the_upgrade_is_no_hindrance() {
    let server = start(config()).await;
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic dXNlcjpwYXNz\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.addr()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    server.shutdown().await;
}

#[tokio::test]
async fn trap_38_a_client_that_asks_a_load_balancer_connects() {
    let server = start(config()).await;
    let response = get(server.addr(), "/lb").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.expect("content-type"), "application/json");
    assert_eq!(response.expect("access-control-allow-origin"), "*");
    assert_eq!(response.expect("cache-control"), "no-store");
    let answer: Value = serde_json::from_str(response.text()).unwrap();
    assert_eq!(answer.as_object().unwrap().len(), 4, "{answer}");
    assert!(answer["flash"].is_string() && answer["wss"].is_string());
    // As the WebSDK builds its URL.
    let word = |name: &str| answer[name].as_str().unwrap();
    let addr = format!("{}:{}", word("server"), word("ws"));
    let mut client = Client::connect(addr.parse().unwrap()).await;
    client.send(&publish("p", "live")).await;
    assert_eq!(client.status().await, "p PUBLISHING");
    server.shutdown().await;
}

#[tokio::test]
async fn a_load_balancer_names_its_servers_in_turn() {
    let mut config = config();
    config.balance_to = ["a.example:1", "b.example:2"]
        .map(|t| t.parse().unwrap())
        .into();
    let server = start(config).await;
    let mut named = Vec::new();
    for _ in 0..3 {
        let answer = get(server.addr(), "/lb").await;
        let answer: Value = serde_json::from_str(answer.text()).unwrap();
        named.push(format!("{} {}", answer["server"], answer["wss"]));
    }
    let (a, b) = (r#""a.example" "1""#, r#""b.example" "2""#);
    assert_eq!(named, [a, b, a]);
    server.shutdown().await;
}

/// Larger than everything else that may wait for a client.
#[tokio::test]
async fn a_large_snapshot_arrives_and_the_session_goes_on() {
    let server = start(config()).await;
    let mut client = Client::publishing(server.addr(), "live").await;
    for id in ["s", "t"] {
        client.send(&snapshot(id, "live")).await;
    }
    for _ in 0..2 {
        let ServerMessage::StreamEvent(event) = client.next().await else {
            panic!("no event");
        };
        assert_eq!(event.event_type, StreamEventType::SnapshotCompleted);
        let picture = event.payload.unwrap()["snapshot"].take();
        assert_eq!(picture.as_str().map(str::len), Some(PICTURE_BYTES / 3 * 4));
    }
    client.assert_untouched("live").await;
    server.shutdown().await;
}
