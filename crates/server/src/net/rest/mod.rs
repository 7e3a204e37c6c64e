//! The API for operators, as scripts know it of Web Call Server: `/rest-api/...`, with
//! what it says of itself in `/rest-api/openapi.json`.
//!
//! It stands behind the operators' door ([`super::admin`]). It reads and orders through
//! the actor only, lists a page at a time, so that no list keeps signalling waiting.
//! A body must say that it is JSON: that is what no page of elsewhere can make a browser
//! send along with its user's password.

mod answer;
mod calls;
mod lists;
pub(super) mod stat;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::sync::Semaphore;

use self::answer::Refused;
use super::socket::Hub;
use crate::counters::{Counters, Reason};

/// What the API says of itself: OpenAPI 3.1.
const DESCRIPTION: &str = include_str!("openapi.json");

/// Answers are what they are called, and as old as they are.
const HEADERS: [(HeaderName, &str); 2] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Lists that are made at a time; the others wait for their turn.
const LISTS: usize = 2;

/// What calls need of the server.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) hub: Hub,
    pub(super) counters: Arc<Counters>,
    /// Most bytes of a body.
    pub(super) max_body: usize,
    /// How long a body may take to come.
    pub(super) body_timeout: Duration,
    /// Most characters of an id.
    pub(super) max_id: usize,
    lists: Semaphore,
}

/// What can be asked for here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    FindAllStreams,
    FindStreams,
    TerminateStreams,
    Snapshot,
    SendEvent,
    Record,
    FindAllConnections,
    FindConnections,
    TerminateConnection,
    SendData,
}

/// Every call, by its path below `/rest-api`.
const CALLS: [(&str, Call); 11] = [
    ("/stream/find_all", Call::FindAllStreams),
    ("/stream/find", Call::FindStreams),
    ("/stream/terminate", Call::TerminateStreams),
    ("/stream/snapshot", Call::Snapshot),
    ("/stream/event/send", Call::SendEvent),
    ("/stream/startRecording", Call::Record),
    ("/stream/stopRecording", Call::Record),
    ("/connection/find_all", Call::FindAllConnections),
    ("/connection/find", Call::FindConnections),
    ("/connection/terminate", Call::TerminateConnection),
    ("/data/send", Call::SendData),
];

/// What Web Call Server has below these, and this server has not.
const ABSENT: [&str; 9] = [
    "/call",
    "/cdn",
    "/hls",
    "/mixer",
    "/pull",
    "/push",
    "/rtsp",
    "/transcoder",
    "/vod",
];

impl Rest {
    pub(super) fn new(
        hub: Hub,
        counters: Arc<Counters>,
        limits: &crate::limits::Limits,
        body_timeout: Duration,
    ) -> Self {
        Self {
            hub,
            counters,
            max_body: limits.sdp_bytes,
            body_timeout,
            max_id: limits.name_chars,
            lists: Semaphore::new(LISTS),
        }
    }
}

pub(super) fn router(rest: Arc<Rest>) -> Router {
    let handler = move |request| {
        let rest = Arc::clone(&rest);
        async move { rest.answer(request).await }
    };
    Router::new()
        .route("/rest-api", any(handler.clone()))
        .route("/rest-api/", any(handler.clone()))
        .route("/rest-api/{*path}", any(handler))
}

impl Rest {
    async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let mut response = match self.dispatch(&parts, body).await {
            Ok(response) => response,
            Err(refused) => {
                if refused.status == StatusCode::BAD_REQUEST {
                    self.count(Reason::BadRequest, &refused.message);
                }
                refused.into_response(&path)
            }
        };
        for (name, value) in HEADERS {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        response
    }

    async fn dispatch(&self, parts: &Parts, body: Body) -> Result<Response, Refused> {
        let path = parts.uri.path().trim_start_matches("/rest-api");
        if path == "/openapi.json" {
            expect_method(parts, &[Method::GET])?;
            let kind = [(header::CONTENT_TYPE, "application/json")];
            return Ok((kind, DESCRIPTION).into_response());
        }
        let call = CALLS.iter().find(|(known, _)| *known == path);
        let Some((_, call)) = call else {
            return Err(no_such_call(path));
        };
        let methods = match call {
            Call::FindAllStreams
            | Call::FindStreams
            | Call::FindAllConnections
            | Call::FindConnections => &[Method::GET, Method::POST][..],
            Call::TerminateStreams
            | Call::Snapshot
            | Call::SendEvent
            | Call::Record
            | Call::TerminateConnection
            | Call::SendData => &[Method::POST][..],
        };
        expect_method(parts, methods)?;
        let body = self.read(parts, body).await?;
        match call {
            Call::FindAllStreams => self.find_streams(parts, &[]).await,
            Call::FindStreams => self.find_streams(parts, &body).await,
            Call::TerminateStreams => self.terminate_streams(&body).await,
            Call::Snapshot => self.snapshot(&body).await,
            Call::SendEvent => self.send_event(&body).await,
            Call::Record => Err(Refused::new(
                StatusCode::NOT_IMPLEMENTED,
                "This server does not record: record at a WHEP player or at the publisher",
            )),
            Call::FindAllConnections => self.find_connections(parts, &[]).await,
            Call::FindConnections => self.find_connections(parts, &body).await,
            Call::TerminateConnection => self.terminate_connection(&body).await,
            Call::SendData => self.send_data(&body).await,
        }
    }

    /// The body, empty if there is none; one that is there must be JSON by its type.
    async fn read(&self, parts: &Parts, body: Body) -> Result<Vec<u8>, Refused> {
        let reading = to_bytes(body, self.max_body);
        let bytes = match tokio::time::timeout(self.body_timeout, reading).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(_)) => {
                let limit = self.max_body;
                return Err(Refused::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    format!("The body is larger than {limit} bytes"),
                ));
            }
            Err(_) => {
                return Err(Refused::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "The body did not come in time",
                ));
            }
        };
        let kind = parts.headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !bytes.is_empty() && !essence.eq_ignore_ascii_case("application/json") {
            return Err(Refused::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be application/json: say so in Content-Type",
            ));
        }
        Ok(bytes.into())
    }

    fn count(&self, reason: Reason, detail: &str) {
        if self.counters.count(reason) {
            tracing::warn!(%reason, detail, "refused; more of these are only counted");
        }
    }
}

fn expect_method(parts: &Parts, allowed: &[Method]) -> Result<(), Refused> {
    // Whoever asks for the head alone is answered as with all of it.
    let method = match parts.method {
        Method::HEAD => &Method::GET,
        ref method => method,
    };
    if allowed.contains(method) {
        return Ok(());
    }
    let allowed: Vec<_> = allowed.iter().map(Method::as_str).collect();
    Err(Refused::method(&allowed.join(", ")))
}

fn no_such_call(path: &str) -> Refused {
    let is_below = |group: &&&str| {
        path.strip_prefix(**group)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    match ABSENT.iter().find(is_below) {
        Some(group) => Refused::new(
            StatusCode::NOT_IMPLEMENTED,
            format!(
                "This server has nothing below {group}: it publishes and plays over WebRTC only"
            ),
        ),
        None => Refused::new(
            StatusCode::NOT_FOUND,
            "There is no such call: see /rest-api/openapi.json for those that there are",
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_description_has_every_call_and_no_other() {
        let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
        let paths = description["paths"].as_object().unwrap();
        let described: Vec<_> = paths.keys().map(String::as_str).collect();
        let mut expected: Vec<_> = CALLS.iter().map(|(path, _)| *path).collect();
        expected.push("/openapi.json");
        expected.sort_unstable();
        assert_eq!(described, expected);
    }

    #[test]
    fn what_is_absent_is_told_apart_from_what_is_unknown() {
        for (path, expected) in [
            ("/push/startup", StatusCode::NOT_IMPLEMENTED),
            ("/mixer", StatusCode::NOT_IMPLEMENTED),
            ("/pushy", StatusCode::NOT_FOUND),
            ("/stream/fnd", StatusCode::NOT_FOUND),
            ("", StatusCode::NOT_FOUND),
        ] {
            assert_eq!(no_such_call(path).status, expected, "{path}");
        }
    }
}
