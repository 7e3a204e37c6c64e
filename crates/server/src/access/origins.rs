//! Which pages may use the server: a browser says of each request where its page is from.

use std::str::FromStr;

use axum::http::uri::Authority;
use thiserror::Error;

/// Where a page is from: scheme, host and port (RFC 6454), as browsers write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

/// What is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an origin is a scheme and a host without a path, such as https://example.org")]
pub struct BadOrigin;

impl FromStr for Origin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        let text = text.to_ascii_lowercase();
        let (scheme, rest) = text.split_once("://").ok_or(BadOrigin)?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let authority: Authority = rest.parse().map_err(|_| BadOrigin)?;
        if !is_scheme || authority.host().is_empty() || rest.contains(['@', '*']) {
            return Err(BadOrigin);
        }
        // Browsers leave these out.
        let usual = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => "",
        };
        let host = rest.strip_suffix(usual).unwrap_or(rest);
        Ok(Self(format!("{scheme}://{host}")))
    }
}

/// The pages that may use the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origins {
    /// All of them, as clients in the field need it.
    #[default]
    Any,
    /// Those from here; this server's own page is none unless it is among them, since a
    /// page can have its host's name lead here.
    Listed(Vec<Origin>),
}

impl Origins {
    /// These, or all if there are none.
    #[must_use]
    pub fn new(listed: Vec<Origin>) -> Self {
        if listed.is_empty() {
            Self::Any
        } else {
            Self::Listed(listed)
        }
    }

    /// Whether a page from `origin`, as its browser says it, is among them.
    #[must_use]
    pub fn contain(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(listed) => listed.iter().any(|Origin(one)| one == origin),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_write_them() {
        let listed = [
            "HTTPS://Example.org:443",
            "http://localhost:8000",
            "http://[::1]:80",
            "capacitor://localhost",
        ];
        let listed = listed.map(|text| text.parse().unwrap());
        let origins = Origins::new(listed.into());
        for origin in [
            "https://example.org",
            "http://localhost:8000",
            "http://[::1]",
            "capacitor://localhost",
        ] {
            assert!(origins.contain(origin), "{origin}");
        }
        for origin in [
            "",
            "null",
            "http://example.org",
            "https://example.org:8443",
            "https://example.org.evil.example",
            "https://evil-example.org",
            "http://localhost",
        ] {
            assert!(!origins.contain(origin), "{origin}");
            assert!(Origins::new(Vec::new()).contain(origin), "{origin}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "*",
            "null",
            "example.org",
            "https://",
            "https://example.org/",
            "https://example.org/page",
            "https://user@example.org",
            "https://*.example.org",
            "1://example.org",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(BadOrigin), "{text}");
        }
    }
}
