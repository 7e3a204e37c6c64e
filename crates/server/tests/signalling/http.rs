//! The API, and upgrades at any path.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::{ClientMessage, Connection, ServerMessage};

use crate::client::{Client, config, soon, start};
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
