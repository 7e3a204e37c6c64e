//! The page, the API, and upgrades at any path.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::{ClientMessage, Connection, ServerMessage};

use crate::client::{Client, config, soon, start};

struct Response {
    status: u16,
    head: String,
    body: String,
}

impl Response {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

async fn get(addr: SocketAddr, path: &str) -> Response {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    soon(stream.read_to_end(&mut bytes)).await.unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Response {
        status: head[9..12].parse().unwrap(),
        head: head.into(),
        body: body.into(),
    }
}

#[tokio::test]
async fn page_files_have_the_right_types_and_lifetimes() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("index.html", "text/html", "no-cache"),
        ("app-0123456789abcdef.js", "text/javascript", "immutable"),
        (
            "app-0123456789abcdef_bg.wasm",
            "application/wasm",
            "immutable",
        ),
        ("style-0123456789abcdef.css", "text/css", "immutable"),
        ("logo.svg", "image/svg+xml", "no-cache"),
    ];
    for (name, _, _) in files {
        std::fs::write(folder.path().join(name), name).unwrap();
    }
    let mut config = config();
    config.page = folder.path().into();
    let server = start(config).await;
    for (name, kind, cache) in files {
        let response = get(server.addr(), &format!("/{name}")).await;
        assert_eq!((response.status, response.body.as_str()), (200, name));
        assert!(
            response.header("content-type").unwrap().starts_with(kind),
            "{}",
            response.head
        );
        assert!(
            response.header("cache-control").unwrap().contains(cache),
            "{}",
            response.head
        );
    }
    for path in ["/", "/some/route", "/?name=test"] {
        let response = get(server.addr(), path).await;
        assert_eq!(
            (response.status, response.body.as_str()),
            (200, "index.html"),
            "{path}"
        );
        assert_eq!(response.header("cache-control"), Some("no-cache"));
    }
    for path in [
        "/missing.wasm",
        "/app-ffffffffffffffff.js",
        "/../Cargo.toml",
    ] {
        let response = get(server.addr(), path).await;
        assert_eq!(response.status, 404, "{path}");
        assert_eq!(response.header("cache-control"), Some("no-cache"));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn without_a_page_the_server_says_how_to_build_it() {
    let mut config = config();
    config.page = "no/such/folder".into();
    let server = start(config).await;
    let response = get(server.addr(), "/").await;
    assert_eq!(response.status, 200);
    assert!(
        response
            .header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert!(response.body.contains("trunk build --release"));
    server.shutdown().await;
}

#[tokio::test]
async fn the_api_tells_health_and_statistics() {
    let server = start(config()).await;
    let health = get(server.addr(), "/api/health").await;
    assert_eq!(
        (health.status, health.body.as_str()),
        (200, r#"{"status":"ok"}"#)
    );
    let mut client = Client::publishing(server.addr(), "live").await;
    client.assert_untouched("live").await;
    client.send_frame("broken".into()).await;
    client.failure().await;
    let response = get(server.addr(), "/api/stats").await;
    assert_eq!(response.header("content-type"), Some("application/json"));
    let stats: serde_json::Value = serde_json::from_str(&response.body).unwrap();
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
        assert!(token.ends_with(&format!("/{}", server.addr())), "{token}");
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
