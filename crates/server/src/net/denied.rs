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
        Denied::NotAllowed | Denied::HookRefused => StatusCode::FORBIDDEN,
        Denied::HookFailed => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The value of `WWW-Authenticate`; none if no token would change anything.
pub(super) fn challenge(denied: Denied) -> Option<HeaderValue> {
    let error = match denied {
        Denied::HookRefused | Denied::HookFailed => return None,
        Denied::NoToken => return Some(HeaderValue::from_static(CHALLENGE)),
        Denied::BadToken | Denied::Expired | Denied::NotYet | Denied::WrongAudience => {
            "invalid_token"
        }
        Denied::NotAllowed => "insufficient_scope",
    };
    let text = format!("{CHALLENGE}, error=\"{error}\", error_description=\"{denied}\"");
    // A sentence of ours is plain text, always.
    let value = HeaderValue::try_from(text);
    Some(value.unwrap_or(HeaderValue::from_static(CHALLENGE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_says_what_is_wrong_with_a_token_if_there_is_one() {
        let realm = "Bearer realm=\"Two-way Streaming\"";
        let challenge = |denied| challenge(denied).unwrap();
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

    #[test]
    fn what_no_token_changes_is_no_challenge() {
        for denied in [Denied::HookRefused, Denied::HookFailed] {
            assert_eq!(challenge(denied), None);
        }
    }
}
