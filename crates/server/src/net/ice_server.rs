//! STUN and TURN servers that clients are told of (RFC 9725 section 4.6).

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use axum::http::HeaderValue;
use percent_encoding::percent_decode_str;
use thiserror::Error;

/// A STUN or TURN server, as the operator gives it:
/// `stun:<host>[:<port>]` or
/// `turn:<user>:<password>@<host>[:<port>][?transport=udp|tcp]`, either one with
/// TLS as `stuns:` and `turns:`. User and password may be percent-encoded.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    /// RFC 7064 or RFC 7065.
    url: String,
    credentials: Option<Credentials>,
}

#[derive(Clone, PartialEq, Eq)]
struct Credentials {
    user: String,
    password: String,
}

/// Why a text names no server. No message repeats the text, which may hold a
/// password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IceServerError {
    /// Another scheme, or none.
    #[error("it must begin with stun:, stuns:, turn: or turns:")]
    Scheme,
    /// There is no host, or it is none.
    #[error("it must name a host")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("its port must be a number from 1 to 65535")]
    Port,
    /// Something else than a known transport follows.
    #[error(
        "all that may follow a TURN server's host and port is ?transport=udp or ?transport=tcp"
    )]
    Query,
    /// A TURN server without them.
    #[error("a TURN server needs credentials: turn:user:password@host")]
    NoCredentials,
    /// A STUN server with them.
    #[error("a STUN server takes no credentials")]
    Credentials,
    /// They could not be sent in a header.
    #[error("user and password must be printable ASCII")]
    Unprintable,
}

impl FromStr for IceServer {
    type Err = IceServerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once(':').ok_or(IceServerError::Scheme)?;
        let relays = match scheme {
            "turn" | "turns" => true,
            "stun" | "stuns" => false,
            _ => return Err(IceServerError::Scheme),
        };
        let (credentials, server) = match rest.rsplit_once('@') {
            Some((credentials, server)) => (Some(credentials), server),
            None => (None, rest),
        };
        check_server(server, relays)?;
        let credentials = match credentials {
            Some(_) if !relays => return Err(IceServerError::Credentials),
            None if relays => return Err(IceServerError::NoCredentials),
            Some(credentials) => Some(credentials.parse()?),
            None => None,
        };
        Ok(Self {
            url: format!("{scheme}:{server}"),
            credentials,
        })
    }
}

fn check_server(server: &str, relays: bool) -> Result<(), IceServerError> {
    let (address, query) = match server.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (server, None),
    };
    match query {
        None => {}
        Some("transport=udp" | "transport=tcp") if relays => {}
        Some(_) => return Err(IceServerError::Query),
    }
    // The colons of an IPv6 address are in brackets (RFC 3986 section 3.2.2).
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        Some(_) | None => (address, None),
    };
    if !is_host(host) {
        return Err(IceServerError::Host);
    }
    match port.map(str::parse::<u16>) {
        None | Some(Ok(1..)) => Ok(()),
        Some(Ok(0) | Err(_)) => Err(IceServerError::Port),
    }
}

fn is_host(host: &str) -> bool {
    let in_brackets = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    if let Some(address) = in_brackets {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !host.is_empty() && host.bytes().all(allowed)
}

impl FromStr for Credentials {
    type Err = IceServerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (user, password) = text.split_once(':').ok_or(IceServerError::NoCredentials)?;
        let decode = |text| {
            let decoded = percent_decode_str(text).decode_utf8().ok()?;
            let printable = decoded.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            printable.then(|| decoded.into_owned())
        };
        let user = decode(user).ok_or(IceServerError::Unprintable)?;
        let password = decode(password).ok_or(IceServerError::Unprintable)?;
        if user.is_empty() || password.is_empty() {
            return Err(IceServerError::NoCredentials);
        }
        Ok(Self { user, password })
    }
}

impl IceServer {
    /// The value of a `Link` header field.
    pub(super) fn link(&self) -> Option<HeaderValue> {
        let mut link = format!("<{}>; rel=\"ice-server\"", self.url);
        if let Some(Credentials { user, password }) = &self.credentials {
            link += &format!(
                "; username={}; credential={}; credential-type=\"password\"",
                quoted(user),
                quoted(password)
            );
        }
        let mut link = HeaderValue::try_from(link).ok()?;
        link.set_sensitive(self.credentials.is_some());
        Some(link)
    }
}

/// A quoted-string, RFC 9110 section 5.6.4.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Without the credentials.
impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, IceServerError>) {
        let link = text
            .parse::<IceServer>()
            .map(|server| server.link().unwrap());
        let link = link.as_ref().map(|link| link.to_str().unwrap());
        assert_eq!(link.map_err(|error| *error), expected, "{text}");
    }

    #[test]
    fn servers_become_links() {
        check(
            "stun:stun.example.net",
            Ok(r#"<stun:stun.example.net>; rel="ice-server""#),
        );
        check(
            "stuns:[2001:db8::1]:5349",
            Ok(r#"<stuns:[2001:db8::1]:5349>; rel="ice-server""#),
        );
        check(
            "turn:u%3aser:p@ss\"\\%40@192.0.2.1:3478?transport=tcp",
            Ok(concat!(
                r#"<turn:192.0.2.1:3478?transport=tcp>; rel="ice-server"; "#,
                r#"username="u:ser"; credential="p@ss\"\\@"; credential-type="password""#
            )),
        );
    }

    #[test]
    fn what_names_no_server() {
        use IceServerError as Error;
        for (text, error) in [
            ("", Error::Scheme),
            ("stun.example.net", Error::Scheme),
            ("http:stun.example.net", Error::Scheme),
            ("stun:", Error::Host),
            ("stun://stun.example.net", Error::Host),
            ("stun:2001:db8::1", Error::Host),
            ("stun:[2001:db8::g]", Error::Host),
            ("turn:u:p@a b", Error::Host),
            ("stun:a>; rel=\"b\"", Error::Host),
            ("stun:a:", Error::Port),
            ("stun:a:0", Error::Port),
            ("stun:a:65536", Error::Port),
            ("stun:a?transport=udp", Error::Query),
            ("turn:u:p@a?transport=sctp", Error::Query),
            ("turn:a", Error::NoCredentials),
            ("turn:user@a", Error::NoCredentials),
            ("turn:user:@a", Error::NoCredentials),
            ("stun:u:p@a", Error::Credentials),
            ("turn:u:p%0a@a", Error::Unprintable),
            ("turn:\u{fc}:p@a", Error::Unprintable),
        ] {
            check(text, Err(error));
        }
    }

    #[test]
    fn credentials_are_not_shown() {
        let server: IceServer = "turn:user:secret@a".parse().unwrap();
        assert_eq!(format!("{server:?}"), "turn:a");
        assert!(!format!("{:?}", server.link()).contains("secret"));
    }
}
