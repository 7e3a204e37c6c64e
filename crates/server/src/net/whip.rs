//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) over HTTP: which request is
//! what, and how the core's answer looks.
//!
//! `POST /whip/<name>` publishes, `POST /whep/<name>` plays; each makes a
//! resource at `/<protocol>/<name>/<id>` that takes `PATCH` and `DELETE`. The
//! core knows what is behind them.

mod reply;
mod wishes;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use wire::{MediaSessionId, StreamName};

use self::reply::{
    ACCEPT_PATCH, ACCEPT_POST, add, add_links, allow_page, options, problem, problem_response,
    reply,
};
use super::denied;
use super::gate::{self, Gate};
use super::http::Ends;
use super::ice_server::IceServer;
use super::socket::Hub;
use crate::access::{Denied, Right};
use crate::core::{Endpoint, Input, Problem, ResourcePath};
use crate::counters::{Counters, Reason};

const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// What can be done at an endpoint, and at a resource. Everything else is
/// reserved for later versions of the protocols (RFC 9725 section 4.2).
const ENDPOINT_METHODS: &str = "POST, OPTIONS";
const RESOURCE_METHODS: &str = "PATCH, DELETE, OPTIONS";

/// What each takes, and the header that says so.
const ENDPOINT_TAKES: (HeaderName, &str) = (ACCEPT_POST, SDP);
const RESOURCE_TAKES: (HeaderName, &str) = (ACCEPT_PATCH, FRAGMENT);

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
    pub(super) gate: Gate,
    pub(super) counters: Arc<Counters>,
    /// Most bytes of a body.
    pub(super) max_body: usize,
    /// How long a body may take to come.
    pub(super) body_timeout: Duration,
    /// STUN and TURN servers, as `Link` header fields.
    pub(super) links: Vec<HeaderValue>,
}

/// The `Link` header fields that tell clients of these servers.
pub(super) fn links(servers: &[IceServer]) -> Vec<HeaderValue> {
    servers.iter().filter_map(IceServer::link).collect()
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
        let Ok(cors) = self.gate.cors(&parts.headers) else {
            return self.refuse_page();
        };
        let mut response = match target(endpoint, parts.uri.path()) {
            Some(Target::Endpoint(name)) => self.at_endpoint(endpoint, name, &parts, body).await,
            Some(Target::Resource(path)) => self.at_resource(path, &parts, body).await,
            None => self.refuse(StatusCode::NOT_FOUND, "no-such-path", "No such path"),
        };
        allow_page(&mut response, cors);
        response
    }

    async fn at_endpoint(
        &self,
        endpoint: Endpoint,
        name: StreamName,
        parts: &Parts,
        body: Body,
    ) -> Response {
        if parts.method == Method::OPTIONS {
            return self.endpoint_options(&parts.headers);
        }
        if parts.method != Method::POST {
            return self.refuse_method(ENDPOINT_METHODS);
        }
        if let Err(denied) = self.admit(endpoint, &name, &parts.headers) {
            return self.deny(denied);
        }
        let wishes = match wishes::read(parts.uri.query()) {
            Ok(wishes) => wishes,
            Err(error) => {
                let detail = error.to_string();
                return self.refuse(StatusCode::BAD_REQUEST, "bad-query", &detail);
            }
        };
        let offer = match self.read(&parts.headers, body, ENDPOINT_TAKES).await {
            Ok(offer) => offer,
            Err(response) => return response,
        };
        let Some(ends) = parts.extensions.get::<Ends>().copied() else {
            return problem(
                Problem::Failed,
                "The server does not know the request's addresses",
            );
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
        let asked = self.gate.ask_offer(&parts.headers, ends, &path, &offer);
        if let Err(denied) = asked.await {
            return self.deny(denied);
        }
        let location = location(&path);
        let made = |client| Input::Offer {
            client,
            path,
            offer,
            wishes,
            remote: ends.remote,
            local: ends.local,
        };
        let mut response = reply(self.hub.request(made).await, &location);
        if response.status() == StatusCode::CREATED {
            add_links(&mut response, &self.links);
        }
        response
    }

    /// Clients that must know of STUN and TURN servers before they make an offer
    /// ask for them so; a browser that only asks for leave is not told (RFC 9725
    /// section 4.6).
    fn endpoint_options(&self, headers: &HeaderMap) -> Response {
        let mut response = options(ENDPOINT_METHODS, ENDPOINT_TAKES);
        if !headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
            add_links(&mut response, &self.links);
        }
        response
    }

    async fn at_resource(&self, path: ResourcePath, parts: &Parts, body: Body) -> Response {
        if parts.method == Method::OPTIONS {
            return options(RESOURCE_METHODS, RESOURCE_TAKES);
        }
        if parts.method != Method::DELETE && parts.method != Method::PATCH {
            return self.refuse_method(RESOURCE_METHODS);
        }
        if let Err(denied) = self.admit_to_resource(&path, &parts.headers) {
            return self.deny(denied);
        }
        if parts.method == Method::DELETE {
            let deleted = |client| Input::Delete { client, path };
            return reply(self.hub.request(deleted).await, "");
        }
        let fragment = match self.read(&parts.headers, body, RESOURCE_TAKES).await {
            Ok(fragment) => fragment,
            Err(response) => return response,
        };
        let tag = if_match(&parts.headers);
        let patched = |client| Input::Patch {
            client,
            path,
            tag,
            fragment,
        };
        reply(self.hub.request(patched).await, "")
    }

    /// Whether a request has the right that its protocol takes.
    fn admit(
        &self,
        endpoint: Endpoint,
        name: &StreamName,
        headers: &HeaderMap,
    ) -> Result<(), Denied> {
        let right = match endpoint {
            Endpoint::Whip => Right::Publish,
            Endpoint::Whep => Right::Play,
        };
        let token = gate::token(headers);
        let admitted = self.gate.admit(token.as_deref(), right, name.as_str());
        admitted.map(drop)
    }

    /// Whether a request may change or end what somebody made: by the right that it took
    /// to make it, or since it may end everything.
    fn admit_to_resource(&self, path: &ResourcePath, headers: &HeaderMap) -> Result<(), Denied> {
        let denied = match self.admit(path.endpoint, &path.name, headers) {
            Ok(()) => return Ok(()),
            Err(denied) => denied,
        };
        let token = gate::token(headers);
        let administers = self.gate.admit(token.as_deref(), Right::Administer, "");
        administers.map(drop).map_err(|_| denied)
    }

    fn deny(&self, denied: Denied) -> Response {
        let detail = denied.to_string();
        self.count(denied.reason(), &detail);
        let kind = match denied {
            Denied::NoToken => "token-missing",
            Denied::BadToken => "token-not-valid",
            Denied::Expired => "token-expired",
            Denied::NotYet => "token-not-valid-yet",
            Denied::WrongAudience => "token-for-another-audience",
            Denied::NotAllowed | Denied::HookRefused => "not-allowed",
            Denied::HookFailed => return problem(Problem::Unavailable, &detail),
        };
        let mut response = problem_response(denied::status(denied), kind, &detail);
        if let Some(challenge) = denied::challenge(denied) {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }

    fn refuse_page(&self) -> Response {
        let detail = "Pages of this origin may not use the server";
        self.count(Reason::ForeignOrigin, detail);
        problem_response(StatusCode::FORBIDDEN, "foreign-origin", detail)
    }

    /// A body of the right type; or the answer to one that is not.
    async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        (accept, wanted): (HeaderName, &'static str),
    ) -> Result<String, Response> {
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(wanted) {
            let detail = format!("The body must be {wanted}");
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            let mut response = self.refuse(status, "unsupported-media-type", &detail);
            add(&mut response, [(accept, wanted)]);
            return Err(response);
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
    let decode = |segment| {
        let decoded = percent_decode_str(segment).decode_utf8().ok()?;
        Some(decoded.into_owned())
    };
    let segments = path.trim_start_matches('/').split('/').skip(1);
    let mut segments: Vec<String> = segments.map(decode).collect::<Option<_>>()?;
    // A slash at the end makes an empty segment more.
    segments.pop_if(|last| last.is_empty());
    match segments.as_slice() {
        [] => Some(Target::Endpoint(StreamName::new(""))),
        [name] => Some(Target::Endpoint(StreamName::new(name))),
        [name, id] if !id.is_empty() => Some(Target::Resource(ResourcePath {
            endpoint,
            name: StreamName::new(name),
            id: MediaSessionId::new(id),
        })),
        [..] => None,
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

/// All the entity tags that a request names, in whichever lines. Some clients
/// (`@eyevinn/whip-web-client`) name theirs in `ETag`.
fn if_match(headers: &HeaderMap) -> Option<String> {
    let tags = |name| -> Vec<&str> {
        let lines = headers.get_all(name).iter();
        lines.filter_map(|line| line.to_str().ok()).collect()
    };
    let named = [header::IF_MATCH, header::ETAG].map(tags);
    let tags = named.into_iter().find(|tags| !tags.is_empty())?;
    Some(tags.join(","))
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
        check("/whep/live/id/", Some(("live", "id")));
        check("/whep/live/id/more", None);
        check("/whep/live/id//", None);
        check("/whep/live//id", None);
        check("/whep/live//", None);
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
