//! How refusals look: as Web Call Server's, for scripts that read them.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::core::Answer;

/// Seconds until it is worth trying again.
const RETRY_AFTER: &str = "1";

/// Why a call was not done.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    /// For people.
    pub(super) message: Cow<'static, str>,
    /// The methods there are, if it was another.
    allow: Option<HeaderValue>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            message: message.into(),
            allow: None,
        }
    }

    pub(super) fn bad(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// The server ends.
    pub(super) fn ending() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The server is shutting down",
        )
    }

    pub(super) fn method(allowed: &str) -> Self {
        Self {
            allow: HeaderValue::from_str(allowed).ok(),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                format!("Allowed: {allowed}"),
            )
        }
    }

    pub(super) fn into_response(self, path: &str) -> Response {
        let body = json!({
            "status": self.status.as_u16(),
            "error": self.status.canonical_reason().unwrap_or_default(),
            "message": self.message,
            "path": path,
        });
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, allow);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        response
    }
}

/// What the core's answer means to the caller; `None` is a server that ends.
pub(super) fn done(answer: Option<Answer>) -> Result<Value, Refused> {
    match answer {
        Some(Answer::Done(count)) => Ok(json!({ "count": count })),
        Some(Answer::Picture(png)) => Ok(json!({ "data": BASE64_STANDARD.encode(png) })),
        Some(Answer::NotFound(why)) => Err(Refused::not_found(why)),
        Some(Answer::Busy(why)) => Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, why)),
        Some(Answer::Failed(why)) => Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, why)),
        None => Err(Refused::ending()),
    }
}
