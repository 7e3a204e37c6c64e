//! Parts of an SDP about ICE alone, as trickle ICE sends them (RFC 8840 section 9).

/// What is said of a client's ICE, with nothing checked but the form of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fragment<'a>(&'a str);

/// What an agent proves itself by (RFC 8839 section 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Credentials<'a> {
    /// The user name fragment.
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
}

/// Most characters of a user name fragment and of a password (RFC 8839 section 5.4).
const MAX_CHARS: usize = 256;

impl<'a> Fragment<'a> {
    /// `None` if a line has not the form of SDP (RFC 8866 section 5).
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut lines = text.lines().filter(|line| !line.is_empty());
        lines
            .all(|line| line.as_bytes().get(1) == Some(&b'='))
            .then_some(Self(text))
    }

    /// The user name fragments, one for each m-line that has its own.
    pub(crate) fn users(self) -> impl Iterator<Item = &'a str> {
        values(self.0, "a=ice-ufrag:")
    }

    /// The first user name fragment with its password; `None` if one of them is
    /// missing or cannot be one. Both characters and least lengths are left to
    /// the client: only what could not be written into an SDP is refused.
    pub(crate) fn credentials(self) -> Option<Credentials<'a>> {
        let usable = |value: &&str| {
            let printable = value.bytes().all(|byte| byte.is_ascii_graphic());
            !value.is_empty() && value.len() <= MAX_CHARS && printable
        };
        // A colon parts the two halves of a user name (RFC 8445 section 7.2.2).
        let user = self.users().next().filter(usable)?;
        let password = values(self.0, "a=ice-pwd:").next().filter(usable)?;
        (!user.contains(':')).then_some(Credentials { user, password })
    }
}

/// The user name fragments of a whole SDP.
pub(crate) fn users_of(sdp: &str) -> impl Iterator<Item = &str> {
    values(sdp, "a=ice-ufrag:")
}

fn values<'a>(sdp: &'a str, name: &'static str) -> impl Iterator<Item = &'a str> {
    sdp.lines()
        .filter_map(move |line| line.strip_prefix(name))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &str)>) {
        let credentials = Fragment::parse(text).and_then(Fragment::credentials);
        let found = credentials.map(|found| (found.user, found.password));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn credentials_are_found_at_either_level() {
        check(
            "a=ice-ufrag:ab+/\r\na=ice-pwd:secret\r\n",
            Some(("ab+/", "secret")),
        );
        check(
            "a=group:BUNDLE 0\nm=audio 9 RTP/AVP 0\na=mid:0\na=ice-pwd: p \na=ice-ufrag:u\n",
            Some(("u", "p")),
        );
    }

    #[test]
    fn what_cannot_be_credentials() {
        let long = "x".repeat(257);
        check("", None);
        check("a=ice-ufrag:u\r\n", None);
        check("a=ice-pwd:p\r\n", None);
        check("a=ice-ufrag:\r\na=ice-pwd:p\r\n", None);
        check("a=ice-ufrag:u v\r\na=ice-pwd:p\r\n", None);
        check("a=ice-ufrag:u:v\r\na=ice-pwd:p\r\n", None);
        check("a=ice-ufrag:\u{fc}\r\na=ice-pwd:p\r\n", None);
        check(&format!("a=ice-ufrag:u\r\na=ice-pwd:{long}\r\n"), None);
        check("{\"ice-ufrag\": 1}", None);
    }
}
