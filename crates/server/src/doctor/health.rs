//! Asking a running server how it is, as container engines and load balancers do.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use axum::http::Uri;
use thiserror::Error;

/// Where a server says that it runs.
pub const PATH: &str = "/api/health";

/// How long connecting may take, and each part of an answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Most bytes of an answer that are looked at.
const MAX_ANSWER: u64 = 16 << 10;

/// Why a server is not as it should be.
#[derive(Debug, Error)]
pub enum Unwell {
    /// Not an address that can be asked.
    #[error("{0} is no address to ask: it must be http://HOST:PORT/PATH")]
    Address(String),
    /// Nobody answers.
    #[error("nobody answers at {address}: {source}")]
    Silent {
        /// Who was asked.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// It is no HTTP that came.
    #[error("what answers at {0} is no HTTP server")]
    NotHttp(String),
    /// It says itself that it is not well.
    #[error("the server at {address} answered {status}")]
    Status {
        /// Who was asked.
        address: String,
        /// The status code (RFC 9110 section 15).
        status: u16,
    },
}

/// Asks the server at `url`, which is well if it answers with a status of 2xx.
/// Blocks, for some seconds at most.
///
/// # Errors
/// It is not well.
pub fn ask(url: &str) -> Result<String, Unwell> {
    let wrong = || Unwell::Address(url.to_owned());
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    if uri.scheme_str() != Some("http") {
        return Err(wrong());
    }
    let authority = uri.authority().ok_or_else(wrong)?.as_str();
    let host = uri.host().ok_or_else(wrong)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let address = format!("http://{authority}");
    let port = uri.port_u16().unwrap_or(80);
    let answer = exchange((host, port), authority, target).map_err(|source| Unwell::Silent {
        address: address.clone(),
        source,
    })?;
    let status = status(&answer).ok_or_else(|| Unwell::NotHttp(address.clone()))?;
    if (200..300).contains(&status) {
        Ok(answer)
    } else {
        Err(Unwell::Status { address, status })
    }
}

fn exchange(to: (&str, u16), host: &str, target: &str) -> io::Result<String> {
    let mut stream = connect(to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Connects to the first address of `to` that takes it.
pub(super) fn connect(to: (&str, u16), patience: Duration) -> io::Result<TcpStream> {
    let mut failure = io::Error::other("the name has no address");
    for address in to.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Of an HTTP/1 answer (RFC 9112 section 4).
fn status(answer: &str) -> Option<u16> {
    let rest = answer.strip_prefix("HTTP/1.")?;
    rest.split(' ').nth(1)?.trim().parse().ok()
}

/// Where a server that listens on `listen` can be asked from this host.
#[must_use]
pub fn url(listen: SocketAddr) -> String {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        // IPv4 as well, unless the host has IPv6 alone.
        IpAddr::V6(ip) if ip.is_unspecified() && has_ipv4_loopback() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    format!("http://{}{PATH}", SocketAddr::new(ip, listen.port()))
}

fn has_ipv4_loopback() -> bool {
    std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).is_ok()
}

/// Whether a server of ours has the port.
pub(super) fn is_served_at(listen: SocketAddr) -> bool {
    listen.port() != 0
        && ask(&url(listen)).is_ok_and(|answer| {
            let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
            body.contains(r#""status":"ok""#)
        })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    use super::*;

    /// Answers one request with `answer`.
    fn server(answer: &'static str) -> (SocketAddr, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        (address, thread)
    }

    fn answered(answer: &'static str) -> Result<String, Unwell> {
        let (address, thread) = server(answer);
        let result = ask(&format!("http://{address}/readyz?a"));
        let request = thread.join().unwrap();
        assert!(
            request.starts_with("GET /readyz?a HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(request.contains(&format!("Host: {address}\r\n")));
        result
    }

    #[test]
    fn a_server_is_as_well_as_it_says() {
        assert!(answered("HTTP/1.1 200 OK\r\n\r\n").is_ok());
        assert!(matches!(
            answered("HTTP/1.1 503 Service Unavailable\r\n\r\n"),
            Err(Unwell::Status { status: 503, .. })
        ));
        for junk in ["", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 x\r\n"] {
            let result = answered(junk);
            assert!(matches!(result, Err(Unwell::NotHttp(_))), "{junk}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_told() {
        for url in ["https://localhost/", "localhost:8080", "http:///a", "\0"] {
            assert!(matches!(ask(url), Err(Unwell::Address(_))), "{url}");
        }
        // A port that nobody has any more.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let silent = ask(&format!("http://{}/", address.unwrap()));
        assert!(matches!(silent, Err(Unwell::Silent { .. })));
    }

    #[test]
    fn only_our_own_answer_is_taken_for_a_server_of_ours() {
        let ours = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"status\":\"ok\"}";
        let (address, _thread) = server(ours);
        assert!(is_served_at(address));
        let (address, _thread) = server("HTTP/1.1 200 OK\r\n\r\n<html>");
        assert!(!is_served_at(address));
    }

    #[test]
    fn an_address_that_stands_for_all_is_asked_at_loopback() {
        let check = |listen: &str, expected: &str| {
            let url = url(listen.parse().unwrap());
            assert_eq!(url, format!("http://{expected}{PATH}"));
        };
        check("0.0.0.0:8080", "127.0.0.1:8080");
        check("[::]:80", "127.0.0.1:80");
        check("192.0.2.7:8080", "192.0.2.7:8080");
        check("[2001:db8::1]:8080", "[2001:db8::1]:8080");
    }
}
