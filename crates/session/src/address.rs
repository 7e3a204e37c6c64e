//! Where a server is and how it is spoken to: one address, typed by the user,
//! tells Web Call Server signalling from WHIP and WHEP.

use core::fmt;

use thiserror::Error;
use wire::StreamName;

use crate::StreamRole;

/// Stands for the stream's name in an address.
const NAME: &str = "{name}";
/// Stands for `whip` or `whep` in an address.
const PROTOCOL: &str = "{protocol}";

/// A server's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `ws://` or `wss://`, used as it stands: a [`crate::Session`].
    WebCallServer(String),
    /// `http://` or `https://`, WHIP and WHEP: a [`crate::HttpSession`].
    Http(HttpAddress),
}

/// Where a server takes WHIP and WHEP requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAddress {
    /// The address as it was typed, without a fragment.
    text: String,
    /// Where the path begins, or what stands for it.
    path: usize,
}

/// What is wrong with an address; the texts are for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Nothing was typed.
    #[error("the server's address is missing")]
    Empty,
    /// Neither a socket's nor an HTTP scheme.
    #[error("the server's address must begin with ws://, wss://, http:// or https://")]
    Scheme,
    /// No host, an impossible one, or an impossible port.
    #[error("the server's address must look like wss://host:8443 or https://host")]
    Malformed,
    /// `user:password@`, which browsers refuse to send.
    #[error("an address with a user name or password is not supported: use an access token")]
    Credentials,
    /// Braces around something unknown, or left alone.
    #[error("only {{name}} and {{protocol}} are filled in in an address")]
    Placeholder,
}

/// A stream's name that the endpoint's URL cannot hold: nothing at all, or one
/// that URLs take for a folder (`.` and `..`, however they are written).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this stream name cannot be part of a URL")]
pub struct BadName;

impl Address {
    /// Tells what kind of server an address means. Space around it is dropped.
    ///
    /// # Errors
    /// The address is none, see [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        match scheme.to_ascii_lowercase().as_str() {
            "ws" | "wss" => {
                // What follows is for the WebSocket to judge.
                let host = rest.split(['/', '?', '#']).next();
                if host.is_none_or(str::is_empty) {
                    return Err(AddressError::Malformed);
                }
                Ok(Self::WebCallServer(text.to_owned()))
            }
            "http" | "https" => {
                HttpAddress::parse(text, scheme.len() + "://".len()).map(Self::Http)
            }
            _ => Err(AddressError::Scheme),
        }
    }
}

impl HttpAddress {
    fn parse(text: &str, host: usize) -> Result<Self, AddressError> {
        // A fragment never leaves the client (RFC 9110 section 4.2.5).
        let text = text.split('#').next().unwrap_or_default();
        let after_host = &text[host..];
        let length = after_host.find(['/', '?']).unwrap_or(after_host.len());
        check_authority(&after_host[..length])?;
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(AddressError::Malformed);
        }
        if fill(text, "", "").contains(['{', '}']) {
            return Err(AddressError::Placeholder);
        }
        Ok(Self {
            text: text.to_owned(),
            path: host + length,
        })
    }

    /// The URL to which a stream's offer is posted.
    ///
    /// - With `{name}` or `{protocol}` (`whip` or `whep`): filled in, as in
    ///   `http://host:8889/{name}/{protocol}`.
    /// - Without a path: `/whip/` and the name to publish, `/whep/` and the
    ///   name to play. A query stays.
    /// - With any other path it is the endpoint itself, whatever the name.
    ///
    /// Names are percent-encoded (RFC 3986 section 2.1), slashes too.
    ///
    /// # Errors
    /// The name has to be in the URL but cannot be.
    pub fn endpoint(&self, role: StreamRole, name: &StreamName) -> Result<String, BadName> {
        let protocol = match role {
            StreamRole::Publisher => "whip",
            StreamRole::Player => "whep",
        };
        let (server, path) = self.text.split_at(self.path);
        let query = path.strip_prefix('/').unwrap_or(path);
        let bare = query.is_empty() || query.starts_with('?');
        let path = if path.contains(NAME) {
            fill(path, &encode(name)?, protocol)
        } else if path.contains(PROTOCOL) || !bare {
            fill(path, "", protocol)
        } else {
            format!("/{protocol}/{}{query}", encode(name)?)
        };
        Ok(format!("{server}{path}"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WebCallServer(url) => f.write_str(url),
            Self::Http(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for HttpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `host`, `host:port` or `[address]:port` (RFC 3986 section 3.2).
fn check_authority(authority: &str) -> Result<(), AddressError> {
    if authority.contains('@') {
        return Err(AddressError::Credentials);
    }
    let bracket = authority.rfind(']').map_or(0, |end| end + 1);
    let colon = authority[bracket..].find(':').map(|at| bracket + at);
    let (host, port) = match colon {
        Some(colon) => (&authority[..colon], Some(&authority[colon + 1..])),
        None => (authority, None),
    };
    let host_fits = match host.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .is_some_and(|address| address.contains(':') && address.bytes().all(is_ipv6_byte)),
        None => !host.is_empty() && host.chars().all(is_host_char),
    };
    let port_fits = port.is_none_or(|port| {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse().is_ok_and(|port: u16| port > 0)
    });
    if host_fits && port_fits {
        Ok(())
    } else {
        Err(AddressError::Malformed)
    }
}

/// Names beyond ASCII are left to the platform.
fn is_host_char(c: char) -> bool {
    !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')
}

fn is_ipv6_byte(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
}

fn fill(text: &str, name: &str, protocol: &str) -> String {
    text.replace(PROTOCOL, protocol).replace(NAME, name)
}

fn encode(name: &StreamName) -> Result<String, BadName> {
    let name = name.as_str();
    if matches!(name, "" | "." | "..") {
        return Err(BadName);
    }
    Ok(percent_encode(name, b"-._~"))
}

/// Escapes every byte of a text (RFC 3986 section 2.1) but ASCII letters, digits
/// and those in `plain`.
pub fn percent_encode(text: &str, plain: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push('%');
            encoded.push(HEX[usize::from(byte >> 4)].into());
            encoded.push(HEX[usize::from(byte & 15)].into());
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_address_stays_as_it_is() {
        for url in [
            "ws://localhost:8080",
            "wss://h:8443/path?x=1",
            "WSS://H",
            "ws://[::1]:8080/",
        ] {
            let expected = Address::WebCallServer(url.to_owned());
            assert_eq!(Address::parse(&format!(" {url}\n")), Ok(expected), "{url}");
        }
    }

    #[test]
    fn the_endpoint_of_a_stream() {
        let check = |address: &str, publish: &str, play: &str| {
            let Ok(Address::Http(parsed)) = Address::parse(address) else {
                panic!("{address} is an HTTP address");
            };
            let name = StreamName::new("test");
            let endpoint = |role| parsed.endpoint(role, &name).unwrap();
            assert_eq!(endpoint(StreamRole::Publisher), publish, "{address}");
            assert_eq!(endpoint(StreamRole::Player), play, "{address}");
        };
        check("http://h", "http://h/whip/test", "http://h/whep/test");
        check(
            "http://h:8080/",
            "http://h:8080/whip/test",
            "http://h:8080/whep/test",
        );
        check("HTTPS://H", "HTTPS://H/whip/test", "HTTPS://H/whep/test");
        check(
            "https://h/?a=b",
            "https://h/whip/test?a=b",
            "https://h/whep/test?a=b",
        );
        check(
            "https://h?a=b",
            "https://h/whip/test?a=b",
            "https://h/whep/test?a=b",
        );
        check("https://h/#x", "https://h/whip/test", "https://h/whep/test");
        check(
            "http://[::1]:80",
            "http://[::1]:80/whip/test",
            "http://[::1]:80/whep/test",
        );
        check(
            "http://grün.example",
            "http://grün.example/whip/test",
            "http://grün.example/whep/test",
        );
        check(
            "http://h:8889/{name}/{protocol}",
            "http://h:8889/test/whip",
            "http://h:8889/test/whep",
        );
        check(
            "https://h/rtc/v1/{protocol}/?app=live&stream={name}",
            "https://h/rtc/v1/whip/?app=live&stream=test",
            "https://h/rtc/v1/whep/?app=live&stream=test",
        );
        check(
            "https://h/?s={name}",
            "https://h/?s=test",
            "https://h/?s=test",
        );
        check("https://h/{protocol}", "https://h/whip", "https://h/whep");
        check(
            "https://h/live/whep",
            "https://h/live/whep",
            "https://h/live/whep",
        );
    }

    #[test]
    fn names_are_percent_encoded() {
        let encoded = |name: &str| {
            let Ok(Address::Http(address)) = Address::parse("http://h/{name}") else {
                panic!("it is an HTTP address");
            };
            address.endpoint(StreamRole::Player, &StreamName::new(name))
        };
        let check = |name: &str, expected: &str| {
            assert_eq!(encoded(name), Ok(format!("http://h/{expected}")), "{name}");
        };
        check("a-Z_0.9~", "a-Z_0.9~");
        check("two words", "two%20words");
        check("live/cam", "live%2Fcam");
        check("grün", "gr%C3%BCn");
        check("a?b#c%d", "a%3Fb%23c%25d");
        check("{protocol}", "%7Bprotocol%7D");
        check("...", "...");
        check("%2e", "%252e");
        for name in ["", ".", ".."] {
            assert_eq!(encoded(name), Err(BadName), "{name}");
        }
        // Where the name is of no use it does no harm.
        let Ok(Address::Http(address)) = Address::parse("http://h/whep") else {
            panic!("it is an HTTP address");
        };
        let endpoint = address.endpoint(StreamRole::Player, &StreamName::new(".."));
        assert_eq!(endpoint, Ok("http://h/whep".to_owned()));
    }

    #[test]
    fn bad_addresses_say_what_is_wrong() {
        let check = |text: &str, expected| {
            assert_eq!(Address::parse(text), Err(expected), "{text}");
        };
        check("", AddressError::Empty);
        check("  ", AddressError::Empty);
        check("h", AddressError::Scheme);
        check("localhost:8080", AddressError::Scheme);
        check("ftp://h", AddressError::Scheme);
        check("://h", AddressError::Scheme);
        check("javascript:alert(1)", AddressError::Scheme);
        for text in [
            "ws://",
            "wss:///path",
            "http://",
            "http:///path",
            "http://?x",
            "http://:80",
            "http://h:",
            "http://h:0",
            "http://h:65536",
            "http://h:+80",
            "http://h:80:80",
            "http://h:port",
            "http://a b",
            "http://h\\path",
            "http://h/a b",
            "http://h/a\tb",
            "http://{name}/whep",
            "http://[::1",
            "http://[]",
            "http://[h]",
            "http://[::1]x",
            "http://::1",
        ] {
            check(text, AddressError::Malformed);
        }
        check("http://user:secret@h", AddressError::Credentials);
        check("http://user@h/path", AddressError::Credentials);
        check("http://h/{nmae}", AddressError::Placeholder);
        check("http://h/{name", AddressError::Placeholder);
        check("http://h/{{name}}", AddressError::Placeholder);
    }

    #[test]
    fn the_texts_are_for_people() {
        assert_eq!(
            AddressError::Placeholder.to_string(),
            "only {name} and {protocol} are filled in in an address"
        );
    }
}
