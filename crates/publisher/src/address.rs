//! Where to publish, and by which name: `ws://host:port/name`,
//! `https://host/whip/name`.

use std::fmt;

use reqwest::Url;
use session::{Address, AddressError, HttpAddress, StreamRole};
use thiserror::Error;
use wire::StreamName;

use crate::http::Scheme;

/// The ports a Web Call Server listens on for `ws` and `wss`.
const DEFAULT_PORT: u16 = 8080;
const DEFAULT_SECURE_PORT: u16 = 8443;

/// What paths of WHIP endpoints end in after the name, or instead of it.
const NOT_NAMES: [&str; 3] = ["whip", "whep", "{protocol}"];

/// A server, and the name of a stream on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where it is and what it speaks.
    pub server: Server,
    /// The name viewers play the stream by.
    pub name: StreamName,
}

/// A server, by what it speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// `ws`, `wss`: a Web Call Server.
    WebCallServer(ServerUrl),
    /// `http`, `https`: WHIP (RFC 9725).
    Http(HttpAddress),
}

/// A server's signalling address, `ws://host:port` or `wss://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    secure: bool,
    /// As in URLs: an IPv6 address has its brackets, a name is in ASCII.
    host: String,
    port: u16,
}

/// What is wrong with a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadUrl {
    /// Another scheme, or none.
    #[error("the URL must begin with ws://, wss://, http:// or https://")]
    Scheme,
    /// Not a URL at all, or one without a host.
    #[error("the URL must look like ws://localhost:8080/test or https://host/whip/test")]
    Malformed,
    /// `user:password@`.
    #[error("the URL must not have a user name or password: give an access token with --token")]
    Credentials,
    /// Braces around something unknown.
    #[error("only {{name}} and {{protocol}} are filled in in a URL")]
    Placeholder,
    /// No name in the path, and none beside the URL.
    #[error("the stream has no name: give one in the URL's path or with --name")]
    NoName,
    /// A control character, or a name that the endpoint's URL cannot hold.
    #[error(
        "the stream's name cannot be . or .. or have control characters: give another with --name"
    )]
    Name,
}

impl From<AddressError> for BadUrl {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::Empty | AddressError::Scheme => Self::Scheme,
            AddressError::Malformed => Self::Malformed,
            AddressError::Credentials => Self::Credentials,
            AddressError::Placeholder => Self::Placeholder,
        }
    }
}

impl Target {
    /// Takes a URL apart. `name` counts before the one in the URL.
    ///
    /// - `ws`, `wss`: as [`ServerUrl::parse`].
    /// - `http`, `https`: with `{name}` in it, or without a path, which stands
    ///   for `/whip/{name}`, it needs `name`. Any other path is the endpoint
    ///   itself, and its last segment is the name shown; one that only says
    ///   `whip` does not count if there is another.
    ///
    /// # Errors
    /// It is no such URL, or there is no name that it can hold.
    pub fn parse(url: &str, name: Option<&str>) -> Result<Self, BadUrl> {
        let given = name.map(StreamName::new);
        let (server, in_url) = match Address::parse(url)? {
            Address::WebCallServer(url) => {
                let (server, name) = ServerUrl::parse(&url)?;
                (Server::WebCallServer(server), name)
            }
            Address::Http(address) => {
                let name = name_of_endpoint(&address.to_string())?;
                (Server::Http(address), name)
            }
        };
        let name = given
            .or(in_url)
            .filter(|name| !name.as_str().is_empty())
            .ok_or(BadUrl::NoName)?;
        if name.as_str().contains(char::is_control) {
            return Err(BadUrl::Name);
        }
        if let Server::Http(address) = &server {
            let endpoint = address.endpoint(StreamRole::Publisher, &name);
            Url::parse(&endpoint.map_err(|_| BadUrl::Name)?).map_err(|_| BadUrl::Malformed)?;
        }
        Ok(Self { server, name })
    }
}

impl ServerUrl {
    /// Splits a URL into the server's address and the stream's name, the way
    /// the iOS Streamer does: the name is the path without its extension and
    /// slashes. `None` if nothing is left of it.
    ///
    /// # Errors
    /// Anything but `ws://host[:port][/path]`, or `wss`. Without a port it is
    /// 8080, or 8443.
    pub fn parse(url: &str) -> Result<(Self, Option<StreamName>), BadUrl> {
        let (scheme, rest) = url.split_once("://").ok_or(BadUrl::Scheme)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "ws" => false,
            "wss" => true,
            _ => return Err(BadUrl::Scheme),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(BadUrl::Credentials);
        }
        let (host, port) = host_and_port(authority).ok_or(BadUrl::Malformed)?;
        let default = if secure {
            DEFAULT_SECURE_PORT
        } else {
            DEFAULT_PORT
        };
        let path = rest[authority.len()..].split(['?', '#']).next();
        let server = Self {
            secure,
            host,
            port: port.unwrap_or(default),
        };
        Ok((server, name_of_path(path.unwrap_or_default())?))
    }

    pub(crate) fn scheme(&self) -> Scheme {
        if self.secure { Scheme::Wss } else { Scheme::Ws }
    }

    /// The URL that is asked to become a WebSocket (RFC 6455 section 3).
    pub(crate) fn upgrade_url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}:{}/", self.host, self.port)
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// The host as URLs have it, and the port if there is one.
fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    // What `Url` would repair is a mistake here.
    if authority.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return None;
    }
    let bracket = authority.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match authority[bracket..].find(':') {
        Some(colon) => {
            let (host, port) = authority.split_at(bracket + colon);
            let port = port[1..].parse().ok().filter(|port| *port != 0)?;
            (host, Some(port))
        }
        None => (authority, None),
    };
    if host.is_empty() {
        return None;
    }
    let url = Url::parse(&format!("ws://{host}/")).ok()?;
    Some((url.host_str()?.to_owned(), port))
}

/// The name in a Web Call Server's URL.
fn name_of_path(path: &str) -> Result<Option<StreamName>, BadUrl> {
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

/// The name in a WHIP endpoint's URL; `None` if it is still to be filled in.
fn name_of_endpoint(url: &str) -> Result<Option<StreamName>, BadUrl> {
    if url.contains("{name}") {
        return Ok(None);
    }
    let after_scheme = url.split("://").nth(1).unwrap_or_default();
    let before_query = after_scheme.split('?').next().unwrap_or_default();
    let (_, path) = before_query.split_once('/').unwrap_or_default();
    let segments = || path.split('/').filter(|segment| !segment.is_empty());
    let name = segments()
        .rfind(|segment| !NOT_NAMES.contains(segment))
        .or_else(|| segments().next_back());
    let Some(name) = name else {
        return Ok(None);
    };
    let name = percent_decode(name).ok_or(BadUrl::Malformed)?;
    Ok(Some(StreamName::new(name)))
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
        check("wss://localhost/test", "wss://localhost:8443", "test");
        check("WSS://h:443/test", "wss://h:443", "test");
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
        check("wss://[::1]/test", "wss://[::1]:8443", "test");
        check("ws://grün.example/t", "ws://xn--grn-ioa.example:8080", "t");
        check("ws://h:1", "ws://h:1", "");
        check("ws://h:1/", "ws://h:1", "");
        check("ws://h:1//", "ws://h:1", "");
    }

    #[test]
    fn the_name_beside_the_url_counts_first() {
        let check = |url: &str, name, expected: &str| {
            let target = Target::parse(url, name).unwrap();
            assert_eq!(target.name.as_str(), expected, "{url}");
        };
        check("ws://h/test", None, "test");
        check("ws://h/test", Some("cam"), "cam");
        check(" ws://h ", Some("cam"), "cam");
        check("https://h", Some("cam"), "cam");
        check("https://h/whip/test", Some("cam"), "cam");
        check("https://h/whip/test", None, "test");
        check("https://h/whip/test/?x=/y#z", None, "test");
        check("https://h:8889/live/cam/whip", None, "cam");
        check("https://h/test/{protocol}", None, "test");
        check("https://h/whip", None, "whip");
        check("https://h/gr%C3%BCn", None, "grün");
        check("https://h/?stream={name}", Some("a/b"), "a/b");
    }

    #[test]
    fn an_http_target_has_an_endpoint() {
        let check = |url: &str, name, expected: &str| {
            let target = Target::parse(url, name).unwrap();
            let Server::Http(address) = target.server else {
                panic!("{url} is an HTTP address");
            };
            let endpoint = address.endpoint(StreamRole::Publisher, &target.name);
            assert_eq!(endpoint.as_deref(), Ok(expected), "{url}");
        };
        check("http://h", Some("cam"), "http://h/whip/cam");
        check("https://h:8889/cam/whip", None, "https://h:8889/cam/whip");
        check("https://h/whip/a", Some("b"), "https://h/whip/a");
        check("https://h/{name}/{protocol}", Some("b"), "https://h/b/whip");
    }

    #[test]
    fn bad_urls_say_what_is_wrong() {
        let check = |url: &str, expected| {
            assert_eq!(Target::parse(url, None), Err(expected), "{url}");
        };
        check("", BadUrl::Scheme);
        check("test", BadUrl::Scheme);
        check("localhost:8080/test", BadUrl::Scheme);
        check("rtmp://localhost/test", BadUrl::Scheme);
        for scheme in ["ws", "wss", "http", "https"] {
            let check = |rest: &str, expected| check(&format!("{scheme}://{rest}"), expected);
            check("", BadUrl::Malformed);
            check("/test", BadUrl::Malformed);
            check(":8080/test", BadUrl::Malformed);
            check("h:/test", BadUrl::Malformed);
            check("h:0/test", BadUrl::Malformed);
            check("h:65536/test", BadUrl::Malformed);
            check("h:port/test", BadUrl::Malformed);
            check("h:1:2/test", BadUrl::Malformed);
            check("a host/test", BadUrl::Malformed);
            check("a\\host/test", BadUrl::Malformed);
            check("[::1/test", BadUrl::Malformed);
            check("1.2.3.999/test", BadUrl::Malformed);
            check("h:1/bad%2", BadUrl::Malformed);
            check("h:1/bad%FF", BadUrl::Malformed);
            check("user:secret@h:1/test", BadUrl::Credentials);
            check("user@h/test", BadUrl::Credentials);
            check("h", BadUrl::NoName);
            check("h:1/", BadUrl::NoName);
            check("h/two%0Alines", BadUrl::Name);
        }
        check("https://h/{name}/whip", BadUrl::NoName);
        check("https://h/{stream}/whip", BadUrl::Placeholder);
    }

    #[test]
    fn bad_names_are_refused() {
        let check = |url: &str, name: &str, expected| {
            assert_eq!(
                Target::parse(url, Some(name)),
                Err(expected),
                "{url} {name}"
            );
        };
        check("ws://h/test", "", BadUrl::NoName);
        check("https://h/test", "", BadUrl::NoName);
        check("ws://h/", "a\u{1b}[31m", BadUrl::Name);
        check("https://h", "..", BadUrl::Name);
    }

    #[test]
    fn a_server_is_asked_for_its_socket_over_http() {
        let check = |url: &str, expected: &str| {
            let (server, _) = ServerUrl::parse(url).unwrap();
            assert_eq!(server.upgrade_url(), expected);
        };
        check("ws://[::1]:8080/test", "http://[::1]:8080/");
        check("wss://h/test", "https://h:8443/");
    }
}
