//! Calls that change something, or take a picture.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wire::{MediaSessionId, StreamName, StreamStatus};

use super::Rest;
use super::answer::{Refused, done};
use crate::core::{Order, StreamFilter};

/// Which streams, as calls name them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Streams {
    media_session_id: Option<String>,
    media_session_ids: Option<Vec<String>>,
    name: Option<String>,
    published: Option<bool>,
    status: Option<Status>,
}

/// A status that a live stream can have.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Status {
    Pending,
    Publishing,
    Playing,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Snapshot {
    #[serde(alias = "name")]
    stream_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SendEvent {
    media_session_id: Option<String>,
    #[serde(alias = "name")]
    stream_name: Option<String>,
    payload: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TerminateConnection {
    session_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SendData {
    /// Of this server: nobody else has its sessions.
    #[serde(rename = "nodeId")]
    _node_id: Option<String>,
    session_id: String,
    operation_id: Option<String>,
    #[serde(default)]
    payload: Value,
}

impl From<Status> for StreamStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Publishing => Self::Publishing,
            Status::Playing => Self::Playing,
        }
    }
}

impl Streams {
    fn into_filter(self) -> Result<StreamFilter, Refused> {
        let ids = self.media_session_ids.into_iter().flatten();
        let ids: Vec<_> = ids.chain(self.media_session_id).collect();
        if ids.is_empty() && self.name.is_none() {
            return Err(Refused::bad(
                "Name the streams by mediaSessionId, mediaSessionIds or name",
            ));
        }
        Ok(StreamFilter {
            name: self.name.map(StreamName::new),
            ids: ids.into_iter().map(MediaSessionId::new).collect(),
            published: self.published,
            status: self.status.map(Into::into),
        })
    }
}

impl Rest {
    pub(super) async fn terminate_streams(&self, body: &[u8]) -> Result<Response, Refused> {
        let filter = parse::<Streams>(body)?.into_filter()?;
        self.order(Order::Terminate(filter)).await
    }

    pub(super) async fn snapshot(&self, body: &[u8]) -> Result<Response, Refused> {
        let name = StreamName::new(parse::<Snapshot>(body)?.stream_name);
        self.order(Order::Snapshot { name }).await
    }

    pub(super) async fn send_event(&self, body: &[u8]) -> Result<Response, Refused> {
        let SendEvent {
            media_session_id,
            stream_name,
            payload,
        } = parse(body)?;
        let streams = Streams {
            media_session_id,
            name: stream_name,
            published: Some(true),
            ..Streams::default()
        };
        let streams = streams.into_filter()?;
        self.order(Order::StreamEvent { streams, payload }).await
    }

    pub(super) async fn terminate_connection(&self, body: &[u8]) -> Result<Response, Refused> {
        let TerminateConnection { session_id } = parse(body)?;
        self.order(Order::Disconnect { session_id }).await
    }

    pub(super) async fn send_data(&self, body: &[u8]) -> Result<Response, Refused> {
        let SendData {
            session_id,
            operation_id,
            payload,
            ..
        } = parse(body)?;
        let operation_id = match operation_id {
            Some(id) if id.chars().count() > self.max_id => {
                let limit = self.max_id;
                let message = format!("operationId is longer than {limit} characters");
                return Err(Refused::bad(message));
            }
            Some(id) => id,
            None => new_id()?,
        };
        let order = Order::Data {
            session_id,
            operation_id: operation_id.clone(),
            payload,
        };
        done(self.hub.order(order).await)?;
        Ok(Json(json!({ "operationId": operation_id })).into_response())
    }

    async fn order(&self, order: Order) -> Result<Response, Refused> {
        let told = done(self.hub.order(order).await)?;
        Ok(Json(told).into_response())
    }
}

/// The body of a call.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    let parsed = serde_json::from_slice(body);
    parsed.map_err(|error| Refused::bad(format!("The body is not what this call takes: {error}")))
}

fn new_id() -> Result<String, Refused> {
    let random = crate::net::random_bits().map_err(|error| {
        tracing::error!(%error, "no randomness");
        Refused::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The server cannot make an id",
        )
    })?;
    Ok(MediaSessionId::from_random(random).to_string())
}
