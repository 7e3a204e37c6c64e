//! What is for operators only: behind one door, at [`Gate::administer`].

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

use super::denied;
use super::gate::Gate;
use super::http::Ends;
use crate::access::Denied;
use crate::counters::Counters;

/// Another way to show a token beside `Bearer`: a browser asks its user for it.
const BASIC: HeaderValue =
    HeaderValue::from_static("Basic realm=\"Two-way Streaming\", charset=\"UTF-8\"");

/// Lets only those in to `router` who may administer.
pub(super) fn guarded(router: Router, gate: Gate, counters: Arc<Counters>) -> Router {
    router.layer(middleware::from_fn_with_state((gate, counters), guard))
}

async fn guard(
    State((gate, counters)): State<(Gate, Arc<Counters>)>,
    request: Request,
    next: Next,
) -> Response {
    let Some(ends) = request.extensions().get::<Ends>() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    match gate.administer(request.headers(), ends.remote.ip()) {
        Ok(()) => next.run(request).await,
        Err(denied) => {
            if counters.count(denied.reason()) {
                tracing::warn!(remote = %ends.remote, %denied, "refused; more of these are only counted");
            }
            refuse(denied)
        }
    }
}

fn refuse(denied: Denied) -> Response {
    let status = denied::status(denied);
    let mut response = (status, format!("{denied}\n")).into_response();
    let headers = response.headers_mut();
    if let Some(challenge) = denied::challenge(denied) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.append(header::WWW_AUTHENTICATE, BASIC);
    }
    response
}
