//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) over HTTP: which request is
//! what, and how the core's answer looks.
//!
//! `POST /whip/<name>` publishes, `POST /whep/<name>` plays; each makes a
//! resource at `/<protocol>/<name>/<id>` that takes `PATCH` and `DELETE`. The
//! core knows what is behind them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::json;
use wire::{MediaSessionId, StreamName};

use super::socket::Hub;
use crate::core::{Endpoint, ICE_SESSION_TAG, Input, Problem, Reply, ResourcePath};
use crate::counters::{Counters, Reason};

const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
const PROBLEM: &str = "application/problem+json";

/// What can be done at an endpoint and at a resource.
const ENDPOINT_METHODS: &str = "POST, OPTIONS";
const RESOURCE_METHODS: &str = "PATCH, DELETE, OPTIONS";

/// Any page may use the server, as over WebSocket, and read what it needs of
/// the answers.
const CORS: [(HeaderName, &str); 2] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "Location, ETag, Link, Allow, Accept-Post, Accept-Patch, Retry-After",
    ),
];

/// Seconds until it is worth trying again.
const RETRY_AFTER: &str = "1";

/// What a path segment keeps as it is, RFC 3986 section 2.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What requests need of the server.
#[derive(Debug)]
pub(super) struct Requests {
    pub(super) hub: Hub,
    pub(super) counters: Arc<Counters>,
    /// Most bytes of a body.
    pub(super) max_body: usize,
    /// How long a body may take to come.
    pub(super) body_timeout: Duration,
}

/// What a URL names.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Endpoint(StreamName),
    Resource(ResourcePath),
}

pub(super) fn router(requests: Requests) -> Router {
    let requests = Arc::new(requests);
    let mut router = Router::new();
    for (path, endpoint) in [
        ("/whip", Endpoint::Whip),
        ("/whip/", Endpoint::Whip),
        ("/whip/{*path}", Endpoint::Whip),
        ("/whep", Endpoint::Whep),
        ("/whep/", Endpoint::Whep),
        ("/whep/{*path}", Endpoint::Whep),
    ] {
        let requests = Arc::clone(&requests);
        let handler = move |request| async move { requests.answer(endpoint, request).await };
        router = router.route(path, any(handler));
    }
    router
}

impl Requests {
    async fn answer(&self, endpoint: Endpoint, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let mut response = match target(endpoint, parts.uri.path()) {
            Some(Target::Endpoint(name)) => {
                self.at_endpoint(endpoint, name, &parts.method, &parts.headers, body)
                    .await
            }
            Some(Target::Resource(path)) => {
                self.at_resource(path, &parts.method, &parts.headers, body)
                    .await
            }
            None => self.refuse(StatusCode::NOT_FOUND, "no-such-path", "No such path"),
        };
        add(&mut response, CORS);
        response
    }

    async fn at_endpoint(
        &self,
        endpoint: Endpoint,
        name: StreamName,
        method: &Method,
        headers: &HeaderMap,
        body: Body,
    ) -> Response {
        if method == Method::OPTIONS {
            return options(
                ENDPOINT_METHODS,
                header::HeaderName::from_static("accept-post"),
                SDP,
            );
        }
        if method != Method::POST {
            return self.refuse_method(ENDPOINT_METHODS);
        }
        let offer = match self.read(headers, body, SDP).await {
            Ok(offer) => offer,
            Err(response) => return response,
        };
        let random = match super::random_bits() {
            Ok(random) => random,
            Err(error) => {
                tracing::error!(%error, "no randomness");
                return problem(Problem::Failed, "The server cannot make an id");
            }
        };
        let path = ResourcePath {
            endpoint,
            name,
            id: MediaSessionId::from_random(random),
        };
        let location = location(&path);
        let made = |client| Input::Offer {
            client,
            path,
            offer,
        };
        reply(self.hub.request(made).await, Some(&location))
    }

    async fn at_resource(
        &self,
        path: ResourcePath,
        method: &Method,
        headers: &HeaderMap,
        body: Body,
    ) -> Response {
        if method == Method::OPTIONS {
            return options(
                RESOURCE_METHODS,
                header::HeaderName::from_static("accept-patch"),
                FRAGMENT,
            );
        }
        if method == Method::DELETE {
            let deleted = |client| Input::Delete { client, path };
            return reply(self.hub.request(deleted).await, None);
        }
        if method != Method::PATCH {
            return self.refuse_method(RESOURCE_METHODS);
        }
        let fragment = match self.read(headers, body, FRAGMENT).await {
            Ok(fragment) => fragment,
            Err(response) => return response,
        };
        let tag = headers.get(header::IF_MATCH);
        let tag = tag.and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let trickled = |client| Input::Trickle {
            client,
            path,
            tag,
            fragment,
        };
        reply(self.hub.request(trickled).await, None)
    }

    /// A body of the right type; or the answer to one that is not.
    async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        wanted: &'static str,
    ) -> Result<String, Response> {
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(wanted) {
            let detail = format!("The body must be {wanted}");
            return Err(self.refuse(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                &detail,
            ));
        }
        let limit = self.max_body;
        match tokio::time::timeout(self.body_timeout, to_bytes(body, limit)).await {
            Ok(Ok(bytes)) => String::from_utf8(bytes.into()).map_err(|_| {
                self.refuse(StatusCode::BAD_REQUEST, "bad-body", "The body is not UTF-8")
            }),
            Ok(Err(_)) => {
                self.count(Reason::OversizedSdp, "HTTP body over the limit");
                let detail = format!("The body is larger than {limit} bytes");
                Err(problem(Problem::OfferTooLarge, &detail))
            }
            Err(_) => Err(self.refuse(
                StatusCode::REQUEST_TIMEOUT,
                "timeout",
                "The body did not come in time",
            )),
        }
    }

    fn refuse_method(&self, allow: &'static str) -> Response {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let mut response = self.refuse(status, "method-not-allowed", &format!("Allowed: {allow}"));
        add(&mut response, [(header::ALLOW, allow)]);
        response
    }

    /// Refuses what the core does not get to see.
    fn refuse(&self, status: StatusCode, kind: &str, detail: &str) -> Response {
        self.count(Reason::BadRequest, detail);
        problem_response(status, kind, detail)
    }

    fn count(&self, reason: Reason, detail: &str) {
        if self.counters.count(reason) {
            tracing::warn!(%reason, detail, "refused; more of these are only counted");
        }
    }
}

/// `/<protocol>/<name>` or `/<protocol>/<name>/<id>`, percent-encoded.
fn target(endpoint: Endpoint, path: &str) -> Option<Target> {
    let mut segments = path.trim_start_matches('/').split('/').skip(1);
    let decode = |segment: &str| {
        let decoded = percent_decode_str(segment).decode_utf8().ok()?;
        Some(decoded.into_owned())
    };
    let name = StreamName::new(decode(segments.next().unwrap_or_default())?);
    let id = decode(segments.next().unwrap_or_default())?;
    match (id.as_str(), segments.next()) {
        (_, Some(_)) => None,
        ("", None) => Some(Target::Endpoint(name)),
        (_, None) => Some(Target::Resource(ResourcePath {
            endpoint,
            name,
            id: MediaSessionId::new(id),
        })),
    }
}

fn location(path: &ResourcePath) -> String {
    let protocol = match path.endpoint {
        Endpoint::Whip => "whip",
        Endpoint::Whep => "whep",
    };
    let name = utf8_percent_encode(path.name.as_str(), SEGMENT);
    format!("/{protocol}/{name}/{}", path.id)
}

/// The answer to a preflight request, and to who asks what may be sent here.
fn options(methods: &'static str, accept: HeaderName, kind: &'static str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let about = [
        (header::ALLOW, methods),
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type, If-Match",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        (accept, kind),
    ];
    add(&mut response, about);
    response
}

/// `None` is a server that ends.
fn reply(reply: Option<Reply>, location: Option<&str>) -> Response {
    match reply {
        Some(Reply::Created { answer }) => {
            let about = [
                (header::CONTENT_TYPE, SDP),
                (header::ETAG, ICE_SESSION_TAG),
                (header::LOCATION, location.unwrap_or_default()),
            ];
            (StatusCode::CREATED, about, answer).into_response()
        }
        Some(Reply::Trickled) => StatusCode::NO_CONTENT.into_response(),
        Some(Reply::Deleted) => StatusCode::OK.into_response(),
        Some(Reply::Refused {
            problem: what,
            detail,
        }) => problem(what, &detail),
        None => problem(Problem::Unavailable, "The server is shutting down"),
    }
}

fn problem(problem: Problem, detail: &str) -> Response {
    let (status, kind) = match problem {
        Problem::BadName => (StatusCode::BAD_REQUEST, "bad-name"),
        Problem::BadOffer => (StatusCode::BAD_REQUEST, "bad-offer"),
        Problem::OfferTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "offer-too-large"),
        Problem::NoSuchStream => (StatusCode::NOT_FOUND, "no-such-stream"),
        Problem::NoSuchResource => (StatusCode::NOT_FOUND, "no-such-resource"),
        Problem::NameInUse => (StatusCode::CONFLICT, "name-in-use"),
        Problem::NotReady => (StatusCode::CONFLICT, "not-ready"),
        Problem::NoCommonCodecs => (StatusCode::NOT_ACCEPTABLE, "no-common-codecs"),
        Problem::BadFragment => (StatusCode::BAD_REQUEST, "bad-fragment"),
        Problem::TagMissing => (StatusCode::PRECONDITION_REQUIRED, "if-match-missing"),
        Problem::TagMismatch => (StatusCode::PRECONDITION_FAILED, "if-match-mismatch"),
        Problem::NoRestart => (StatusCode::UNPROCESSABLE_ENTITY, "no-ice-restart"),
        Problem::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        Problem::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
    };
    let mut response = problem_response(status, kind, detail);
    if matches!(problem, Problem::NotReady | Problem::Unavailable) {
        add(&mut response, [(header::RETRY_AFTER, RETRY_AFTER)]);
    }
    response
}

/// A problem as RFC 9457 has it.
fn problem_response(status: StatusCode, kind: &str, detail: &str) -> Response {
    let body = json!({
        "type": format!("/problems/{kind}"),
        "title": kind.replace('-', " "),
        "status": status.as_u16(),
        "detail": detail,
    });
    let kind = [(header::CONTENT_TYPE, PROBLEM)];
    (status, kind, body.to_string()).into_response()
}

fn add<const N: usize>(response: &mut Response, headers: [(HeaderName, &'static str); N]) {
    for (name, value) in headers {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Option<(&str, &str)>) {
        let found = target(Endpoint::Whep, path).map(|target| match target {
            Target::Endpoint(name) => (name.to_string(), String::new()),
            Target::Resource(path) => (path.name.to_string(), path.id.to_string()),
        });
        let expected = expected.map(|(name, id)| (name.to_owned(), id.to_owned()));
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn paths_name_streams_and_resources() {
        check("/whep/live", Some(("live", "")));
        check("/whep/live/", Some(("live", "")));
        check("/whep/a%2Fb%20%C3%A4/id", Some(("a/b ä", "id")));
        check("/whep", Some(("", "")));
        check("/whep/", Some(("", "")));
        check("/whep/live/id/more", None);
        check("/whep/%ff", None);
    }

    #[test]
    fn a_location_leads_back_to_its_resource() {
        for name in ["live", "a/b ä?#%", ".."] {
            let path = ResourcePath {
                endpoint: Endpoint::Whip,
                name: StreamName::new(name),
                id: MediaSessionId::from_random(7),
            };
            let found = target(Endpoint::Whip, &location(&path));
            assert_eq!(found, Some(Target::Resource(path)));
        }
    }
}
