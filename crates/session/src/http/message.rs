//! Requests and responses as values; the driver sends and receives them.

use core::fmt;

use thiserror::Error;

/// Most characters of a token; servers take headers of about 8 kB in all.
pub const MAX_TOKEN_CHARS: usize = 4_096;

/// Names one request of one session, so that its response finds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// What a request does (RFC 9110 section 9.3, RFC 5789).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Makes a resource from an offer.
    Post,
    /// Adds ICE candidates to it.
    Patch,
    /// Ends it.
    Delete,
}

impl Method {
    /// The method's name in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request to send. Redirects are followed, with method and body kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// Comes back with the response or the failure.
    pub id: RequestId,
    /// What it does.
    pub method: Method,
    /// Absolute.
    pub url: String,
    /// For `Authorization: Bearer` (RFC 6750 section 2.1).
    pub bearer: Option<Token>,
    /// `Content-Type` of the body.
    pub content_type: Option<&'static str>,
    /// `If-Match` (RFC 9110 section 13.1.1).
    pub if_match: Option<String>,
    /// The body; empty for none.
    pub body: String,
}

/// A response, whatever its status. Headers are as they came, `None` where
/// there is none or the platform hides it (CORS).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// `Location`, made absolute by the platform: relative to the URL that
    /// answered, after redirects.
    pub location: Option<String>,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Link`, one or more headers; each may hold several links.
    pub links: Vec<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// The body. A driver may cut it at [`super::MAX_BODY_BYTES`] and a byte.
    pub body: String,
}

/// A secret that servers ask for: its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// A text that cannot go into a header as a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an access token has 1 to {MAX_TOKEN_CHARS} letters, digits and signs, and no spaces")]
pub struct BadToken;

impl Token {
    /// Takes what the user typed. Space around it is dropped.
    ///
    /// # Errors
    /// It is empty, too long or holds anything but visible ASCII characters.
    pub fn new(text: &str) -> Result<Self, BadToken> {
        let text = text.trim();
        let fits = (1..=MAX_TOKEN_CHARS).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadToken)
        }
    }

    /// The secret, for the header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// A STUN or TURN server, as the peer connection's configuration takes it. Its
/// `Debug` does not show the credential.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:`, `stuns:`, `turn:` and `turns:` URLs.
    pub urls: Vec<String>,
    /// For TURN.
    pub username: Option<String>,
    /// The password for TURN.
    pub credential: Option<String>,
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer")
            .field("urls", &self.urls)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// An ICE candidate that the peer connection found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalCandidate {
    /// `candidate:...` (RFC 8839 section 5.1), with or without `a=`.
    pub candidate: String,
    /// The media section it belongs to.
    pub mid: Option<String>,
    /// The number of that section in the offer, from 0.
    pub line_index: Option<u16>,
}
