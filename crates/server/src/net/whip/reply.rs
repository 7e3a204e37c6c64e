//! How answers look: the core's replies, and problems (RFC 9457).

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{FRAGMENT, SDP};
use crate::core::{Problem, Reply};
use crate::net::gate::Cors;

const PROBLEM: &str = "application/problem+json";

pub(super) const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
pub(super) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// What a page that may use the server needs of the answers.
const EXPOSED: &str = "Location, ETag, Link, Allow, Accept-Post, Accept-Patch, Retry-After, \
                       WWW-Authenticate";

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

/// Has browsers hand the answer to the page that asked.
pub(super) fn allow_page(response: &mut Response, cors: Cors) {
    add(response, [(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED)]);
    let headers = response.headers_mut();
    let origin = match cors {
        Cors::AnyPage => Some(HeaderValue::from_static("*")),
        Cors::Page(origin) => {
            headers.insert(header::VARY, HeaderValue::from_static("Origin"));
            Some(origin)
        }
        Cors::NoPage => {
            headers.insert(header::VARY, HeaderValue::from_static("Origin"));
            None
        }
    };
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
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
