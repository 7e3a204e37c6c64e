//! Which requests are WebSockets, and who may open one.

use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::addresses::SocketPlace;
use super::denied;
use super::gate::{self, Gate, SessionGate};
use super::http::Ends;
use super::socket::Hub;
use super::visitors::{Visitors, too_many};
use crate::access::Denied;
use crate::counters::{Counters, Reason};

/// What an upgrade needs of the server.
#[derive(Debug, Clone)]
pub(super) struct Upgrades {
    pub(super) hub: Hub,
    pub(super) gate: Gate,
    pub(super) visitors: Visitors,
    pub(super) counters: Arc<Counters>,
}

/// Takes WebSocket upgrades at any path, as clients in the field need it; everything
/// else goes on.
pub(super) async fn upgrade(
    State(upgrades): State<Upgrades>,
    request: Request,
    next: Next,
) -> Response {
    if !request.headers().contains_key(header::UPGRADE) {
        return next.run(request).await;
    }
    upgrades.answer(request.into_parts().0).await
}

/// Why somebody may not open a WebSocket.
enum Refused {
    Page,
    Token(Denied),
    Busy,
}

impl Upgrades {
    async fn answer(self, mut parts: Parts) -> Response {
        let (Some(ends), Some(place)) =
            (parts.extensions.get().copied(), parts.extensions.remove())
        else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => upgrade,
            Err(rejection) => return rejection.into_response(),
        };
        match self.admit(&parts.headers, ends) {
            Ok((session, socket_place)) => {
                let places = (place, socket_place);
                self.hub.upgrade(upgrade, ends, places, session)
            }
            Err(refused) => self.refuse(refused),
        }
    }

    fn admit(
        &self,
        headers: &HeaderMap,
        ends: Ends,
    ) -> Result<(SessionGate, SocketPlace), Refused> {
        if self.gate.cors(headers).is_err() {
            return Err(Refused::Page);
        }
        let token = gate::token(headers);
        let checked = self.gate.check_token(token.as_deref());
        checked.map_err(Refused::Token)?;
        let place = self
            .visitors
            .open_socket(ends.remote.ip())
            .ok_or(Refused::Busy)?;
        Ok((self.gate.session(headers, ends), place))
    }

    fn refuse(&self, refused: Refused) -> Response {
        match refused {
            Refused::Page => {
                self.count(Reason::ForeignOrigin, "a page of another origin");
                let text = "Pages of this origin may not use the server.\n";
                (StatusCode::FORBIDDEN, text).into_response()
            }
            Refused::Token(denied) => {
                self.count(denied.reason(), &denied.to_string());
                let challenge = denied::challenge(denied);
                let challenge = challenge.map(|value| [(header::WWW_AUTHENTICATE, value)]);
                let status = denied::status(denied);
                (status, challenge, format!("{denied}\n")).into_response()
            }
            Refused::Busy => too_many("Too many sessions from your address.\n"),
        }
    }

    fn count(&self, reason: Reason, detail: &str) {
        if self.counters.count(reason) {
            tracing::warn!(%reason, detail, "refused; more of these are only counted");
        }
    }
}
