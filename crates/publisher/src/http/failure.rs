//! Why a request came to nothing, for people.

use std::error::Error as StdError;
use std::io;

use super::CONNECT_TIMEOUT;
use crate::tls;

/// How a server is spoken to, as its URL says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Ws,
    Wss,
    Http,
    Https,
}

impl Scheme {
    /// The same with TLS instead of without, or the other way round.
    fn other(self) -> &'static str {
        match self {
            Self::Ws => "wss://",
            Self::Wss => "ws://",
            Self::Http => "https://",
            Self::Https => "http://",
        }
    }

    fn is_secure(self) -> bool {
        matches!(self, Self::Wss | Self::Https)
    }
}

/// Why there is no response, as the end of a sentence about the server, without
/// its URL.
pub(crate) fn reason(error: &reqwest::Error, scheme: Scheme) -> String {
    if error.is_dns() {
        return "no host of this name is known".to_owned();
    }
    if let Some(error) = tls::find(error) {
        return tls::reason(error, scheme.other());
    }
    if error.is_timeout() {
        let seconds = CONNECT_TIMEOUT.as_secs();
        return format!("it takes no connection within {seconds} s");
    }
    match find_io(error) {
        Some(error) => reason_of_io(error, scheme),
        None => no_http(deepest(error), scheme),
    }
}

fn reason_of_io(error: &io::Error, scheme: Scheme) -> String {
    // The system has more kinds of errors than a person can tell apart.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the enum grows")]
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "nothing listens on this port (connection refused)".to_owned()
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "there is no way to it from here (unreachable)".to_owned()
        }
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe
            if scheme.is_secure() =>
        {
            let plain = scheme.other();
            format!("it closes the connection: if it does not speak TLS, try {plain}")
        }
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe => no_http("connection closed".to_owned(), scheme),
        _ => error.to_string(),
    }
}

fn no_http(what: String, scheme: Scheme) -> String {
    if scheme.is_secure() {
        format!("it does not answer in HTTP ({what})")
    } else {
        let secure = scheme.other();
        format!("it does not answer in HTTP ({what}): if it wants TLS, try {secure}")
    }
}

fn find_io<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        next = error.source();
    }
    None
}

/// What the innermost error says.
fn deepest(error: &reqwest::Error) -> String {
    let mut deepest: &dyn StdError = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
