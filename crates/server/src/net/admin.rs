//! What is for operators only: behind one door, at [`Gate::administer`].

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

use super::gate::Gate;
use super::http::Ends;
use crate::access::Denied;
use crate::counters::Counters;

/// Asks for a token by either way to show one; a browser asks its user for the second.
const CHALLENGES: [&str; 2] = [
    "Bearer realm=\"Two-way Streaming\"",
    "Basic realm=\"Two-way Streaming\", charset=\"UTF-8\"",
];

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

/// RFC 6750 section 3.1: whoever shows no token, or one that is not valid, is asked for
/// one; whoever shows one that does not do is told so.
fn refuse(denied: Denied) -> Response {
    if denied == Denied::NotAllowed {
        return (StatusCode::FORBIDDEN, format!("{denied}\n")).into_response();
    }
    let mut response = (StatusCode::UNAUTHORIZED, format!("{denied}\n")).into_response();
    for challenge in CHALLENGES {
        let value = HeaderValue::from_static(challenge);
        response
            .headers_mut()
            .append(header::WWW_AUTHENTICATE, value);
    }
    response
}
