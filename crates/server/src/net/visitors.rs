//! Who comes: the address of whoever is behind a proxy, and how often each may come.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

use super::addresses::{Addresses, SocketPlace};
use super::gate::Gate;
use super::http::Ends;
use crate::counters::{Counters, Reason};

/// Seconds until it is worth trying again.
const RETRY_AFTER: &str = "1";

/// Everybody who comes.
#[derive(Debug, Clone)]
pub(super) struct Visitors {
    gate: Gate,
    addresses: Addresses,
    counters: Arc<Counters>,
}

impl Visitors {
    pub(super) fn new(gate: Gate, counters: Arc<Counters>) -> Self {
        Self {
            gate,
            addresses: Addresses::default(),
            counters,
        }
    }

    /// Whether `remote` is a proxy, which speaks for many.
    pub(super) fn is_proxy(&self, remote: IpAddr) -> bool {
        self.gate.live().proxies.contain(remote)
    }

    /// Whether one more connection from `remote` is not too many a second.
    pub(super) fn may_connect(&self, remote: IpAddr) -> bool {
        let live = self.gate.live();
        let may = live.proxies.contain(remote)
            || self
                .addresses
                .may_connect(remote, live.limits, Instant::now());
        if !may {
            self.count(remote, "too many connections a second from one address");
        }
        may
    }

    /// A place for one more WebSocket from `client`, if there is one.
    pub(super) fn open_socket(&self, client: IpAddr) -> Option<SocketPlace> {
        let limits = self.gate.live().limits;
        let opened = self.addresses.open_socket(client, limits, Instant::now());
        if opened.is_none() {
            self.count(client, "too many WebSockets from one address");
        }
        opened
    }

    /// Tells the routes of `router` who asks, and keeps those from it who ask too often.
    pub(super) fn guard(self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self, meet))
    }

    fn count(&self, address: IpAddr, detail: &str) {
        if self.counters.count(Reason::BusyAddress) {
            tracing::warn!(%address, detail, "refused; more of these are only counted");
        }
    }
}

async fn meet(State(visitors): State<Visitors>, mut request: Request, next: Next) -> Response {
    let Some(ends) = request.extensions().get::<Ends>().copied() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let live = visitors.gate.live();
    let remote = ends.remote.ip();
    let client = if live.proxies.contain(remote) {
        live.proxies
            .client(remote, &forwarded_for(request.headers()))
    } else {
        remote
    };
    let now = Instant::now();
    if !visitors.addresses.may_ask(client, live.limits, now) {
        visitors.count(client, "too many requests a second from one address");
        return too_many("Too many requests from your address.\n");
    }
    let remote = SocketAddr::new(client, ends.remote.port());
    request.extensions_mut().insert(Ends { remote, ..ends });
    next.run(request).await
}

fn forwarded_for(headers: &HeaderMap) -> Vec<&str> {
    let lines = headers.get_all("x-forwarded-for").iter();
    // A line that is no text ends what can be believed.
    lines
        .map(|line| line.to_str().unwrap_or_default())
        .collect()
}

/// RFC 6585 section 4.
pub(super) fn too_many(text: &'static str) -> Response {
    let retry = [(header::RETRY_AFTER, RETRY_AFTER)];
    (StatusCode::TOO_MANY_REQUESTS, retry, text).into_response()
}
