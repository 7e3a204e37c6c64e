//! What is served over TLS, and to whom it is not.

use std::net::SocketAddr;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use twoway_server::counters::Reason;
use twoway_server::net::{self, Credentials, Running, TlsConfig};

use crate::certificates::{Files, Pair};
use crate::client::{self, Client, counted, play, soon, start};
use crate::secure::{connect, connect_to, shown};
use crate::web::{Response, exchange, exchange_on, get};

pub(crate) fn config(credentials: Credentials) -> net::Config {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    net::Config {
        tls: Some(TlsConfig::new(listen, credentials)),
        ..client::config()
    }
}

fn self_signed() -> Credentials {
    Credentials::SelfSigned { names: Vec::new() }
}

pub(crate) fn tls_addr(server: &Running) -> SocketAddr {
    server.tls_addr().unwrap()
}

/// Sends a request's head, all lines but the last of it, on a connection of its own.
async fn ask(addr: SocketAddr, head: &str) -> Response {
    let head = format!("{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    exchange_on(connect(addr).await, head.as_bytes()).await
}

/// A request is answered there.
async fn works(addr: SocketAddr) -> bool {
    ask(addr, "GET /api/health HTTP/1.1").await.status == 200
}

#[tokio::test]
async fn page_api_and_signalling_are_the_same_over_tls() {
    let mut config = config(self_signed());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "the page").unwrap();
    config.page = folder.path().into();
    let server = start(config).await;
    let addr = tls_addr(&server);
    assert_eq!(ask(addr, "GET / HTTP/1.1").await.text(), "the page");
    assert!(works(addr).await);
    let whip = ask(addr, "OPTIONS /whip/live HTTP/1.1").await;
    assert_eq!(whip.expect("accept-post"), "application/sdp");

    let mut publisher = Client::publishing(server.addr(), "live").await;
    let stream = connect(addr).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut viewer = Client::over(stream).await;
    viewer.establish().await;
    viewer.send(&play("v", "live")).await;
    assert_eq!(viewer.status().await, "v PLAYING");
    publisher.assert_untouched("live").await;

    let ending = tokio::spawn(server.shutdown());
    assert_eq!(viewer.close_code().await, 1001);
    soon(ending).await.unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_certificate_made_at_the_start_is_for_this_host_and_the_names_given() {
    let names = ["stream.example", "192.0.2.7", "2001:db8::7"];
    let credentials = Credentials::SelfSigned {
        names: names.map(str::to_owned).into(),
    };
    let server = start(config(credentials)).await;
    let addr = tls_addr(&server);
    let certificate = shown(&connect(addr).await);
    for name in ["localhost", "127.0.0.1", "::1"].iter().chain(&names) {
        let trusted = certificate.clone();
        let connected = connect_to(addr, name, trusted).await;
        assert!(connected.is_ok(), "{name}: {connected:?}");
    }
    let other = connect_to(addr, "other.example", certificate.clone()).await;
    assert!(other.is_err());
    let hash = digest(&SHA256, &certificate);
    let hash: Vec<_> = hash.as_ref().iter().map(|b| format!("{b:02X}")).collect();
    let told = server.self_signed().unwrap().to_string();
    assert_eq!(told, hash.join(":"));
    server.shutdown().await;
}

#[tokio::test]
async fn keys_of_every_kind_serve() {
    let [curve, rsa] = [Pair::new(), Pair::rsa()];
    let modern = rsa.key.serialize_pem();
    for (pair, key) in [
        (&curve, curve.old_key("EC PRIVATE KEY")),
        (&rsa, rsa.old_key("RSA PRIVATE KEY")),
        (&rsa, modern),
    ] {
        let files = Files::with(&pair.certificate, &key);
        let server = start(config(files.credentials())).await;
        let stream = connect_to(tls_addr(&server), "localhost", pair.der.clone().into());
        assert_eq!(shown(&stream.await.unwrap()).as_ref(), pair.der);
        assert_eq!(
            server.self_signed(),
            None,
            "that is for the operator to tell"
        );
        server.shutdown().await;
    }
}

#[tokio::test]
async fn a_handshake_that_hangs_keeps_its_place_for_a_while_only() {
    let mut config = config(self_signed());
    config.head_timeout = Duration::from_millis(200);
    config.core.limits.connections = 1;
    let server = start(config).await;
    let addr = tls_addr(&server);
    let mut silent = TcpStream::connect(addr).await.unwrap();
    // There is no place, and nobody to tell so in TLS.
    let mut second = TcpStream::connect(addr).await.unwrap();
    let mut answer = Vec::new();
    let _ = soon(second.read_to_end(&mut answer)).await;
    assert!(answer.is_empty());
    counted(&server, Reason::NoPlace, 1).await;
    // Without TLS it is told.
    assert_eq!(get(server.addr(), "/api/health").await.status, 503);

    let read = soon(silent.read(&mut [0; 16])).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    counted(&server, Reason::SlowRequest, 1).await;
    assert!(works(addr).await);
    server.shutdown().await;
}

#[tokio::test]
async fn what_is_no_tls_is_refused_and_counted() {
    let server = start(config(self_signed())).await;
    let addr = tls_addr(&server);
    for (garbage, times) in [("GET / HTTP/1.1\r\n\r\n", 1), ("\0\0\0\0\0\0\0\0", 2)] {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(garbage.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = soon(stream.read_to_end(&mut answer)).await;
        counted(&server, Reason::BadHandshake, times).await;
    }
    assert!(works(addr).await);
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_over_tls_is_let_go() {
    /// Far more than sockets hold.
    const BYTES: usize = 1 << 20;
    const TIMES: usize = 64;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("large.bin"), vec![0; BYTES]).unwrap();
    let mut config = config(self_signed());
    config.page = folder.path().into();
    config.write_timeout = Duration::from_millis(100);
    let server = start(config).await;
    let mut deaf = connect(tls_addr(&server)).await;
    let requests = "GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n".repeat(TIMES);
    deaf.write_all(requests.as_bytes()).await.unwrap();
    counted(&server, Reason::SlowClient, 1).await;
    let mut read = Vec::new();
    let _ = soon(deaf.read_to_end(&mut read)).await;
    assert!(read.len() < BYTES * TIMES);
    server.shutdown().await;
}

#[tokio::test]
async fn who_asks_for_the_page_without_tls_is_sent_to_it() {
    let mut config = config(self_signed());
    if let Some(tls) = &mut config.tls {
        tls.redirect = true;
    }
    let server = start(config).await;
    let port = tls_addr(&server).port();
    let request = "GET /view?name=a HTTP/1.1\r\nHost: stream.example:8080\r\nConnection: close";
    let sent = exchange(server.addr(), format!("{request}\r\n\r\n").as_bytes()).await;
    assert_eq!(sent.status, 307);
    let expected = format!("https://stream.example:{port}/view?name=a");
    assert_eq!(sent.expect("location"), expected);
    // Signalling and the API stay where clients look for them.
    assert_eq!(get(server.addr(), "/api/health").await.status, 200);
    Client::connect(server.addr()).await;
    assert_eq!(ask(tls_addr(&server), "GET / HTTP/1.1").await.status, 200);
    server.shutdown().await;
}
