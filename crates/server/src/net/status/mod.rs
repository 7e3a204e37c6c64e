//! A page for operators: what goes on, and a button to end it. It is part of the
//! program, asks the REST API and `/api/stats`, and stands behind the same door.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::routing::get;

/// Nothing but its own files runs or is loaded, nobody frames it, and what clients
/// call themselves goes nowhere else.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-cache"),
];

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

pub(super) fn router() -> Router {
    let file = |kind, content| get(async move || answer(kind, content));
    Router::new()
        .route("/status", file(HTML, include_str!("status.html")))
        .route("/status/status.css", file(CSS, include_str!("status.css")))
        .route("/status/status.js", file(SCRIPT, include_str!("status.js")))
}

fn answer(kind: &'static str, content: &'static str) -> impl IntoResponse {
    (HEADERS, [(header::CONTENT_TYPE, kind)], content)
}
