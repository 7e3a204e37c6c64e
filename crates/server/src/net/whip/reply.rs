//! How answers look: the core's replies, and problems (RFC 9457).

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{FRAGMENT, SDP};
use crate::core::{Problem, Reply};

const PROBLEM: &str = "application/problem+json";

pub(super) const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
pub(super) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// Any page may use the server, as over WebSocket, and read what it needs of
/// the answers.
const CORS: [(HeaderName, &str); 2] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "Location, ETag, Link, Allow, Accept-Post, Accept-Patch, Retry-After",
    ),
];

/// What pages may send. The star leaves out `Authorization`, by the Fetch
/// standard, and some browsers do not know it.
const ALLOWED_HEADERS: &str = "Authorization, Content-Type, If-Match, *";

/// Seconds until it is worth trying again.
const RETRY_AFTER: &str = "1";

/// The answer to a preflight request, and to who asks what may be sent here.
pub(super) fn options(
    methods: &'static str,
    (accept, kind): (HeaderName, &'static str),
) -> Response {
    let mut response = StatusCode::OK.into_response();
    let about = [
        (header::ALLOW, methods),
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        (accept, kind),
    ];
    add(&mut response, about);
    response
}

pub(super) fn allow_any_page(response: &mut Response) {
    add(response, CORS);
}

/// Tells of STUN and TURN servers.
pub(super) fn add_links(response: &mut Response, links: &[HeaderValue]) {
    for link in links {
        response.headers_mut().append(header::LINK, link.clone());
    }
}

/// `location` is where the resource is that an offer made; no reply is a server
/// that ends.
pub(super) fn reply(reply: Option<Reply>, location: &str) -> Response {
    match reply {
        Some(Reply::Created { answer, tag }) => {
            let about = [
                (header::CONTENT_TYPE, SDP),
                (header::ETAG, &tag),
                (header::LOCATION, location),
                (ACCEPT_PATCH, FRAGMENT),
            ];
            (StatusCode::CREATED, about, answer).into_response()
        }
        Some(Reply::Trickled) => StatusCode::NO_CONTENT.into_response(),
        Some(Reply::Restarted { fragment, tag }) => {
            let about = [(header::CONTENT_TYPE, FRAGMENT), (header::ETAG, &tag)];
            (StatusCode::OK, about, fragment).into_response()
        }
        Some(Reply::Deleted) => StatusCode::OK.into_response(),
        Some(Reply::Refused {
            problem: what,
            detail,
        }) => problem(what, &detail),
        None => problem(Problem::Unavailable, "The server is shutting down"),
    }
}

pub(super) fn problem(problem: Problem, detail: &str) -> Response {
    let (status, kind) = match problem {
        Problem::BadName => (StatusCode::BAD_REQUEST, "bad-name"),
        Problem::BadOffer => (StatusCode::BAD_REQUEST, "bad-offer"),
        Problem::OfferTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "offer-too-large"),
        Problem::NoSuchStream => (StatusCode::NOT_FOUND, "no-such-stream"),
        Problem::NoSuchResource => (StatusCode::NOT_FOUND, "no-such-resource"),
        Problem::NameInUse => (StatusCode::CONFLICT, "name-in-use"),
        Problem::NotReady => (StatusCode::CONFLICT, "not-ready"),
        Problem::NoCommonCodecs => (StatusCode::UNPROCESSABLE_ENTITY, "no-common-codecs"),
        Problem::BadFragment => (StatusCode::BAD_REQUEST, "bad-fragment"),
        Problem::TagMissing => (StatusCode::PRECONDITION_REQUIRED, "if-match-missing"),
        Problem::TagMismatch => (StatusCode::PRECONDITION_FAILED, "if-match-mismatch"),
        Problem::Restarting => (StatusCode::CONFLICT, "restart-under-way"),
        Problem::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        Problem::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
    };
    let mut response = problem_response(status, kind, detail);
    if matches!(
        problem,
        Problem::NotReady | Problem::Restarting | Problem::Unavailable
    ) {
        add(&mut response, [(header::RETRY_AFTER, RETRY_AFTER)]);
    }
    response
}

/// A problem as RFC 9457 has it.
pub(super) fn problem_response(status: StatusCode, kind: &str, detail: &str) -> Response {
    let body = json!({
        "type": format!("/problems/{kind}"),
        "title": kind.replace('-', " "),
        "status": status.as_u16(),
        "detail": detail,
    });
    let kind = [(header::CONTENT_TYPE, PROBLEM)];
    (status, kind, body.to_string()).into_response()
}

pub(super) fn add<const N: usize>(
    response: &mut Response,
    headers: [(HeaderName, &'static str); N],
) {
    for (name, value) in headers {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
}
