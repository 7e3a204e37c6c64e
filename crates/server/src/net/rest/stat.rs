//! `GET /?action=stat`: how much of everything there is, as lines of text.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;

use super::Rest;

/// Answers whatever it gets.
pub(in crate::net) fn router(rest: Arc<Rest>) -> Router {
    Router::new().fallback(async move || rest.stat().await)
}

/// Hands what asks for statistics to `stat`; the page has the same path.
pub(in crate::net) async fn divert(
    State(stat): State<Router>,
    request: Request,
    next: Next,
) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let asks = query.split('&').any(|pair| pair == "action=stat");
    if request.uri().path() != "/" || request.method() != Method::GET || !asks {
        return next.run(request).await;
    }
    match stat.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

impl Rest {
    async fn stat(&self) -> Response {
        let Some(stats) = self.hub.stats().await else {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        };
        let (sessions, published, played) = (stats.sessions, stats.publishers, stats.players);
        let text = format!(
            "-----Connection Stats-----\n\
             connections={sessions}\n\
             connections_websocket={sessions}\n\
             -----Stream Stats-----\n\
             streams_webrtc_in={published}\n\
             streams_webrtc_out={played}\n\
             streams_viewers={played}\n"
        );
        ([(header::CACHE_CONTROL, "no-store")], text).into_response()
    }
}
