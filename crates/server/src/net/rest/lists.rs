//! Calls that list streams and sessions.

use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{MediaSessionId, StreamName};

use super::Rest;
use super::answer::Refused;
use super::calls::{Status, parse};
use crate::core::{ListedSession, ListedStream, SessionFilter, StreamFilter};

/// Most streams or sessions in one answer; a `Link` leads to those that follow.
const MAX_LISTED: usize = 10_000;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct FindStreams {
    name: Option<String>,
    media_session_id: Option<String>,
    published: Option<bool>,
    status: Option<Status>,
    display: Option<Vec<Display>>,
}

/// What is shown beside the stream itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Display {
    Metrics,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct FindConnections {
    session_id: Option<String>,
    app_key: Option<String>,
    client_version: Option<String>,
}

/// An array in JSON, as long as it may be.
#[derive(Debug, Default)]
struct List {
    text: String,
    count: usize,
}

impl List {
    /// Appends a page; what is beyond the limit is left for the next list.
    fn extend(&mut self, items: impl Iterator<Item = Value>) {
        for item in items {
            self.text.push(if self.count == 0 { '[' } else { ',' });
            self.text += &item.to_string();
            self.count += 1;
        }
    }

    /// Whether another page may not fit.
    fn is_full(&self) -> bool {
        self.count + crate::core::PAGE > MAX_LISTED
    }

    /// `next` is where the list goes on, if it does.
    fn into_response(mut self, parts: &Parts, next: Option<u64>) -> Result<Response, Refused> {
        if self.count == 0 {
            return Err(Refused::not_found("Nothing was found"));
        }
        self.text.push(']');
        let kind = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (kind, self.text).into_response();
        if let Some(next) = next {
            let link = format!("<{}?after={next}>; rel=\"next\"", parts.uri.path());
            if let Ok(link) = HeaderValue::from_str(&link) {
                response.headers_mut().insert(header::LINK, link);
            }
        }
        Ok(response)
    }
}

impl Rest {
    pub(super) async fn find_streams(
        &self,
        parts: &Parts,
        body: &[u8],
    ) -> Result<Response, Refused> {
        let asked: FindStreams = parse_or_all(body)?;
        let metrics = asked
            .display
            .is_some_and(|shown| shown.contains(&Display::Metrics));
        let filter = StreamFilter {
            name: asked.name.map(StreamName::new),
            ids: asked
                .media_session_id
                .map(MediaSessionId::new)
                .into_iter()
                .collect(),
            published: asked.published,
            status: asked.status.map(Into::into),
        };
        let _turn = self.lists.acquire().await;
        let (mut list, mut after) = (List::default(), Some(after(parts)?));
        while let Some(at) = after.filter(|_| !list.is_full()) {
            let page = self.hub.streams(filter.clone(), at).await;
            let page = page.ok_or_else(Refused::ending)?;
            list.extend(page.items.iter().map(|item| stream(item, metrics)));
            after = page.next;
        }
        list.into_response(parts, after)
    }

    pub(super) async fn find_connections(
        &self,
        parts: &Parts,
        body: &[u8],
    ) -> Result<Response, Refused> {
        let asked: FindConnections = parse_or_all(body)?;
        let filter = SessionFilter {
            session_id: asked.session_id,
            app_key: asked.app_key,
            client_version: asked.client_version,
        };
        let _turn = self.lists.acquire().await;
        let (mut list, mut after) = (List::default(), Some(after(parts)?));
        while let Some(at) = after.filter(|_| !list.is_full()) {
            let page = self.hub.sessions(filter.clone(), at).await;
            let page = page.ok_or_else(Refused::ending)?;
            list.extend(page.items.iter().map(session));
            after = page.next;
        }
        list.into_response(parts, after)
    }
}

/// A body that is not there asks for everything.
fn parse_or_all<T: Default + serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    if body.is_empty() {
        return Ok(T::default());
    }
    parse(body)
}

/// Where a list that was too long goes on.
fn after(parts: &Parts) -> Result<u64, Refused> {
    let query = parts.uri.query().unwrap_or_default();
    let after = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("after="));
    let number = after.map_or(Ok(0), str::parse);
    number.map_err(|_| Refused::bad("after must be what the Link of the list before says"))
}

fn stream(stream: &ListedStream, metrics: bool) -> Value {
    let mut members = stream.info.to_members();
    if let Some(viewers) = stream.viewers {
        members.insert("viewers".into(), json!(viewers));
    }
    if metrics {
        members.insert("metrics".into(), metrics_of(stream));
    }
    Value::Object(members)
}

/// Of the last second, or all so far; nothing before media flows.
fn metrics_of(stream: &ListedStream) -> Value {
    let event = &stream.info.event;
    let Some(rate) = stream.rate else {
        return json!({});
    };
    json!({
        "VIDEO_RATE": rate.bitrate_bps,
        "VIDEO_FPS": rate.fps,
        "VIDEO_NACK": rate.nacks,
        "VIDEO_PLI": rate.plis,
        "VIDEO_LOST": rate.lost_packets,
        "VIDEO_WIDTH": event.width as u64,
        "VIDEO_HEIGHT": event.height as u64,
    })
}

fn session(session: &ListedSession) -> Value {
    let status = if session.is_connected {
        "ESTABLISHED"
    } else {
        "DISCONNECTED"
    };
    let mut told = json!(*session.session);
    told["status"] = json!(status);
    told["streams"] = json!(session.streams);
    told
}
