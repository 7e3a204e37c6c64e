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
    /// - Without a path: `/whip/` and the name to publish, `/whep/` and the
    ///   name to play. A query stays.
    /// - With `{name}` or `{protocol}` (`whip` or `whep`): filled in, as in
    ///   `http://host:8889/{name}/{protocol}`.
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
        let bare = path.strip_prefix('/').unwrap_or(path);
        let url = if bare.is_empty() || bare.starts_with('?') {
            format!("{server}/{protocol}/{}{bare}", encode(name)?)
        } else if path.contains(NAME) {
            format!("{server}{}", fill(path, &encode(name)?, protocol))
        } else {
            format!("{server}{}", fill(path, "", protocol))
        };
        Ok(url)
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
            .is_some_and(|address| address.parse::<core::net::Ipv6Addr>().is_ok()),
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
    c.is_alphanumeric() || matches!(c, '-' | '.' | '_')
}

fn fill(text: &str, name: &str, protocol: &str) -> String {
    // The name comes last: what it holds is not filled in again.
    text.replace(PROTOCOL, protocol).replace(NAME, name)
}

fn encode(name: &StreamName) -> Result<String, BadName> {
    let name = name.as_str();
    if matches!(name, "" | "." | "..") {
        return Err(BadName);
    }
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    Ok(encoded)
}
