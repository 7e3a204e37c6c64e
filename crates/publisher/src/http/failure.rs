//! Why a request came to nothing, for people.

use std::error::Error as StdError;
use std::{io, iter};

use rustls::pki_types::InvalidDnsNameError;
use session::Severity;

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

/// Why a connection or a response did not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The end of a sentence about the server, without its URL.
    pub(crate) why: String,
    /// Fatal if somebody has to change something first.
    pub(crate) severity: Severity,
}

impl Failure {
    pub(crate) fn passing(why: impl Into<String>) -> Self {
        let (why, severity) = (why.into(), Severity::Passing);
        Self { why, severity }
    }

    pub(crate) fn fatal(why: impl Into<String>) -> Self {
        let (why, severity) = (why.into(), Severity::Fatal);
        Self { why, severity }
    }

    /// Why there is no response. Whom not to trust, and what speaks another
    /// protocol, is no question of time.
    pub(crate) fn of(error: &reqwest::Error, scheme: Scheme) -> Self {
        let why = reason(error, scheme);
        match chain(error).any(|error| error.is::<rustls::Error>() || is_no_http(error)) {
            true => Self::fatal(why),
            false => Self::passing(why),
        }
    }
}

fn reason(error: &reqwest::Error, scheme: Scheme) -> String {
    // A name that no certificate can have is not even looked up.
    let no_name = chain(error).any(|error| error.is::<InvalidDnsNameError>());
    if error.is_dns() || no_name {
        return "its name cannot be looked up: is it right, and is this machine online".to_owned();
    }
    if let Some(error) = chain(error).find_map(|error| error.downcast_ref()) {
        return tls::reason(error, scheme.other());
    }
    if error.is_timeout() {
        let seconds = CONNECT_TIMEOUT.as_secs();
        return format!("it takes no connection within {seconds} s");
    }
    if let Some(error) = chain(error).filter_map(|error| error.downcast_ref()).last() {
        return reason_of_io(error, scheme);
    }
    let innermost = chain(error).last().map(ToString::to_string);
    no_http(&innermost.unwrap_or_default(), scheme)
}

fn reason_of_io(error: &io::Error, scheme: Scheme) -> String {
    // The system has more kinds of errors than a person can tell apart.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum grows")]
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
        | io::ErrorKind::BrokenPipe => no_http("connection closed", scheme),
        _ => error.to_string(),
    }
}

fn is_no_http(error: &(dyn StdError + 'static)) -> bool {
    error
        .downcast_ref::<hyper::Error>()
        .is_some_and(hyper::Error::is_parse)
}

fn no_http(what: &str, scheme: Scheme) -> String {
    if scheme.is_secure() {
        format!("it does not answer in HTTP ({what})")
    } else {
        let secure = scheme.other();
        format!("it does not answer in HTTP ({what}): if it wants TLS, try {secure}")
    }
}

/// An error and those behind it.
fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    iter::successors(Some(error), |error| behind(*error))
}

/// What an [`io::Error`] wraps is not its source.
fn behind<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
