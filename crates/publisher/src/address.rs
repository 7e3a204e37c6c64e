//! `ws://host:port/name`: where to publish, and by which name.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;
use tokio_tungstenite::tungstenite::http::Uri;
use wire::StreamName;

/// The port a Web Call Server listens on for `ws`.
const DEFAULT_PORT: u16 = 8080;

/// A server's signalling address, `ws://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    /// As in the URL: an IPv6 address has its brackets.
    host: String,
    port: u16,
}

/// A server, by what it speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// `ws`, `wss`: a Web Call Server.
    WebCallServer(ServerUrl),
    /// `http`, `https`: WHIP (RFC 9725).
    Http(session::HttpAddress),
}

/// Whose certificates are trusted; of no effect without TLS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsOptions {
    /// Files of certificates in PEM form, trusted beside the system's.
    pub ca_files: Vec<PathBuf>,
    /// Trust every certificate: for tests in a closed network only.
    pub insecure: bool,
}

/// What is wrong with a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadUrl {
    /// Not a URL at all, or one without a host.
    #[error("the URL must look like ws://localhost:8080/test")]
    Malformed,
    /// `wss://`.
    #[error("wss:// is not supported yet: use ws://")]
    Secure,
    /// Another scheme, or none.
    #[error("the URL must begin with ws://")]
    Scheme,
    /// `user:password@`.
    #[error("a URL with a user name or password is not supported")]
    Credentials,
}

impl ServerUrl {
    /// Splits a URL into the server's address and the stream's name, the way
    /// the iOS Streamer does: the name is the path without its extension and
    /// slashes. `None` if nothing is left of it.
    ///
    /// # Errors
    /// Anything but `ws://host[:port][/path]`; without a port it is 8080.
    pub fn parse(url: &str) -> Result<(Self, Option<StreamName>), BadUrl> {
        let (scheme, rest) = url.split_once("://").ok_or(BadUrl::Scheme)?;
        match scheme.to_ascii_lowercase().as_str() {
            "ws" => {}
            "wss" => return Err(BadUrl::Secure),
            _ => return Err(BadUrl::Scheme),
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(BadUrl::Credentials);
        }
        let uri: Uri = format!("ws://{authority}/")
            .parse()
            .map_err(|_| BadUrl::Malformed)?;
        let host = uri
            .host()
            .filter(|host| !host.is_empty())
            .ok_or(BadUrl::Malformed)?;
        let after_host = &authority[host.len()..];
        let port = match after_host.strip_prefix(':') {
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or(BadUrl::Malformed)?,
            None if after_host.is_empty() => DEFAULT_PORT,
            None => return Err(BadUrl::Malformed),
        };
        let path = rest[authority.len()..]
            .split(['?', '#'])
            .next()
            .unwrap_or_default();
        let server = Self {
            host: host.to_owned(),
            port,
        };
        Ok((server, name_of(path)?))
    }

    /// The host for name resolution, and the port.
    pub(crate) fn host_and_port(&self) -> (&str, u16) {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        (host, self.port)
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ws://{}:{}", self.host, self.port)
    }
}

fn name_of(path: &str) -> Result<Option<StreamName>, BadUrl> {
    let path = percent_decode(path).ok_or(BadUrl::Malformed)?;
    let path = path.trim_end_matches('/');
    let last = path.rfind('/').map_or(0, |slash| slash + 1);
    // Like the original, leave a name alone that is nothing but extension.
    let stem = match path[last..].rfind('.') {
        Some(dot) if dot > 0 => &path[..last + dot],
        Some(_) | None => path,
    };
    let name = stem.replace('/', "");
    Ok(Some(name)
        .filter(|name| !name.is_empty())
        .map(StreamName::new))
}

/// RFC 3986 section 2.1. `None` if what comes out is not UTF-8 or `%` is not
/// followed by two hexadecimal digits.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            (high * 16 + low) as u8
        } else {
            byte
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_server_and_a_stream() {
        let check = |url: &str, server: &str, name: &str| {
            let (parsed, parsed_name) = ServerUrl::parse(url).unwrap();
            assert_eq!(parsed.to_string(), server, "{url}");
            let parsed_name = parsed_name.as_ref().map_or("", StreamName::as_str);
            assert_eq!(parsed_name, name, "{url}");
        };
        check("ws://localhost:8080/test", "ws://localhost:8080", "test");
        check("WS://localhost:8080/test", "ws://localhost:8080", "test");
        check("ws://localhost/test", "ws://localhost:8080", "test");
        check("ws://localhost:9/test/", "ws://localhost:9", "test");
        check(
            "ws://host.example:80/live/cam",
            "ws://host.example:80",
            "livecam",
        );
        check("ws://h:1/test.stream", "ws://h:1", "test");
        check("ws://h:1/a.b.c", "ws://h:1", "a.b");
        check("ws://h:1/a.b/c", "ws://h:1", "a.bc");
        check("ws://h:1/.hidden", "ws://h:1", ".hidden");
        check("ws://h:1/two%20words", "ws://h:1", "two words");
        check("ws://h:1/gr%C3%BCn", "ws://h:1", "grün");
        check("ws://h:1/grün", "ws://h:1", "grün");
        check("ws://h:1/test?x=/y", "ws://h:1", "test");
        check("ws://127.0.0.1:8080/test", "ws://127.0.0.1:8080", "test");
        check("ws://[::1]:8080/test", "ws://[::1]:8080", "test");
        check("ws://h:1", "ws://h:1", "");
        check("ws://h:1/", "ws://h:1", "");
        check("ws://h:1//", "ws://h:1", "");
    }

    #[test]
    fn bad_urls_say_what_is_wrong() {
        let check = |url: &str, expected| {
            assert_eq!(ServerUrl::parse(url).err(), Some(expected), "{url}");
        };
        check("", BadUrl::Scheme);
        check("test", BadUrl::Scheme);
        check("localhost:8080/test", BadUrl::Scheme);
        check("http://localhost:8080/test", BadUrl::Scheme);
        check("wss://localhost:8443/test", BadUrl::Secure);
        check("ws://", BadUrl::Malformed);
        check("ws:///test", BadUrl::Malformed);
        check("ws://:8080/test", BadUrl::Malformed);
        check("ws://h:/test", BadUrl::Malformed);
        check("ws://h:0/test", BadUrl::Malformed);
        check("ws://h:65536/test", BadUrl::Malformed);
        check("ws://h:port/test", BadUrl::Malformed);
        check("ws://a host/test", BadUrl::Malformed);
        check("ws://h:1/bad%2", BadUrl::Malformed);
        check("ws://h:1/bad%FF", BadUrl::Malformed);
        check("ws://user:secret@h:1/test", BadUrl::Credentials);
    }

    #[test]
    fn brackets_are_for_urls_only() {
        let (server, _) = ServerUrl::parse("ws://[::1]:8080/test").unwrap();
        assert_eq!(server.host_and_port(), ("::1", 8080));
    }
}
