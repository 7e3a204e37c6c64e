//! How HTTP says that somebody may not: RFC 6750 section 3.

use axum::http::{HeaderValue, StatusCode};

use crate::access::Denied;

/// Asks for a token.
const CHALLENGE: &str = "Bearer realm=\"Two-way Streaming\"";

/// Whoever shows no token, or one that is not valid, is asked for one; whoever shows one
/// that does not do is told so.
pub(super) fn status(denied: Denied) -> StatusCode {
    match denied {
        Denied::NoToken
        | Denied::BadToken
        | Denied::Expired
        | Denied::NotYet
        | Denied::WrongAudience => StatusCode::UNAUTHORIZED,
        Denied::NotAllowed => StatusCode::FORBIDDEN,
    }
}

/// The value of `WWW-Authenticate`.
pub(super) fn challenge(denied: Denied) -> HeaderValue {
    let error = match denied {
        Denied::NoToken => return HeaderValue::from_static(CHALLENGE),
        Denied::BadToken | Denied::Expired | Denied::NotYet | Denied::WrongAudience => {
            "invalid_token"
        }
        Denied::NotAllowed => "insufficient_scope",
    };
    let text = format!("{CHALLENGE}, error=\"{error}\", error_description=\"{denied}\"");
    // A sentence of ours is plain text, always.
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(CHALLENGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_says_what_is_wrong_with_a_token_if_there_is_one() {
        let realm = "Bearer realm=\"Two-way Streaming\"";
        assert_eq!(challenge(Denied::NoToken), realm);
        let expired = format!(
            "{realm}, error=\"invalid_token\", error_description=\"the access token has expired\""
        );
        assert_eq!(challenge(Denied::Expired), expired);
        let scope = format!(
            "{realm}, error=\"insufficient_scope\", \
             error_description=\"the access token does not allow this\""
        );
        assert_eq!(challenge(Denied::NotAllowed), scope);
    }
}
