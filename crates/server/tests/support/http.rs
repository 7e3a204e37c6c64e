//! HTTP as bytes on a socket, so that tests see what really goes over the wire.

#![allow(dead_code, reason = "each test program uses its part")]

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// Waiting longer than this for an answer is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// A header that must be there.
    #[track_caller]
    pub(crate) fn expect(&self, name: &str) -> &str {
        let value = self.header(name);
        value.unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }
}

/// Sends a request with these header lines and this body, on a connection of
/// its own.
pub(crate) async fn request(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Response {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    exchange(addr, &[head.as_bytes(), b"\r\n", body].concat()).await
}

pub(crate) async fn get(addr: SocketAddr, path: &str) -> Response {
    request(addr, "GET", path, &[], &[]).await
}

/// Sends bytes and reads what comes until the server closes.
pub(crate) async fn exchange(addr: SocketAddr, bytes: &[u8]) -> Response {
    exchange_on(TcpStream::connect(addr).await.unwrap(), bytes).await
}

/// The same on a connection that there is already.
pub(crate) async fn exchange_on<S>(mut stream: S, bytes: &[u8]) -> Response
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // A server that has seen enough may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    let waited = tokio::time::timeout(PATIENCE, reading).await;
    let read = waited.expect("no answer in time");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("{read:?}: {}", String::from_utf8_lossy(&answer)));
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    Response {
        status: head[9..12].parse().unwrap(),
        head,
        body: answer[end + 4..].to_vec(),
    }
}
