//! HTTP: the accept loop, the API, and which requests are WebSockets.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::connections::{Door, Place, Places};
use super::health::{self, Health};
use super::metrics::{self, Exposed, Metrics};
use super::page::Page;
use super::patience::{Patient, Stalled, Waiver};
use super::rest::{self, Rest};
use super::socket::Hub;
use super::tls::Tls;
use super::upgrade::{Upgrades, upgrade};
use super::visitors::Visitors;
use super::whip::Requests;
use super::{BalanceTarget, admin, balance, page, status, whip};
use crate::counters::{Counters, Reason};

/// How long accepting rests when it fails, most likely for want of file
/// descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Most bytes of a request's line and header fields; more get 414 or 431.
const MAX_HEAD: usize = 64 << 10;

/// The two ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) remote: SocketAddr,
    pub(super) local: SocketAddr,
    /// TLS is between them, and ends here.
    pub(super) is_secure: bool,
}

pub(super) fn router(
    requests: Requests,
    page: Page,
    balance_to: Vec<BalanceTarget>,
    (visitors, rest): (Visitors, Rest),
    (exposed, metrics): (Exposed, Metrics),
) -> Router {
    let gate = requests.gate.clone();
    let health = health::router(Arc::clone(&metrics.health), requests.hub.clone());
    let (open, closed) = match exposed {
        Exposed::Admin => (health, metrics::router(metrics)),
        Exposed::Open => (health.merge(metrics::router(metrics)), Router::new()),
        Exposed::Off => (health.merge(metrics::nowhere()), Router::new()),
    };
    let counters = Arc::clone(&requests.counters);
    let rest = Arc::new(rest);
    let operators = rest::router(Arc::clone(&rest))
        .merge(status::router())
        .merge(closed);
    let admin = admin::guarded(operators, gate.clone(), Arc::clone(&counters));
    let stat = admin::guarded(
        rest::stat::router(rest),
        gate.clone(),
        Arc::clone(&counters),
    );
    let stats_hub = requests.hub.clone();
    let upgrades = Upgrades {
        hub: requests.hub.clone(),
        gate,
        visitors: visitors.clone(),
        counters: Arc::clone(&counters),
    };
    let router = Router::new()
        .route("/api/health", get(async || Json(json!({ "status": "ok" }))))
        .route(
            "/api/stats",
            get(async move || stats(&stats_hub, &counters).await),
        )
        .route("/api/{*path}", any(unknown_api))
        .merge(admin)
        .merge(whip::router(requests))
        .merge(balance::router(balance_to))
        .merge(page::router(page))
        .layer(middleware::from_fn_with_state(stat, rest::stat::divert))
        .layer(middleware::from_fn_with_state(upgrades, upgrade));
    // Whoever watches the server is answered however often others ask.
    visitors.guard(router).merge(open)
}

/// Serves every connection, over TLS if there is any; they end when this future is
/// dropped, except for those that became WebSockets.
pub(super) async fn accept(
    listener: TcpListener,
    router: Router,
    server: Server,
    tls: Option<Arc<Tls>>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = server.accept(&listener) => match accepted {
                Ok((stream, remote)) => match server.enter(remote.ip().to_canonical()) {
                    Ok(place) => {
                        let router = router.clone();
                        let (server, tls) = (server.clone(), tls.clone());
                        connections.spawn(serve(stream, remote, router, place, server, tls));
                    }
                    Err(door) => {
                        // Whoever expects TLS understands nothing else.
                        if tls.is_none() {
                            connections.spawn(door.turn_away(stream));
                        }
                    }
                },
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// What a connection needs of the server.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) places: Places,
    pub(super) visitors: Visitors,
    pub(super) counters: Arc<Counters>,
    pub(super) head_timeout: Duration,
    pub(super) write_timeout: Duration,
    pub(super) health: Arc<Health>,
}

impl Server {
    /// The next connection. A server that gets none is not ready.
    async fn accept(&self, listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
        let accepted = listener.accept().await;
        self.health.set_accepting(accepted.is_ok());
        accepted
    }

    /// A place for a connection from `remote`.
    fn enter(&self, remote: IpAddr) -> Result<Place, Door> {
        if !self.visitors.may_connect(remote) {
            return Err(self.places.door());
        }
        let entered = self.places.enter(remote, self.visitors.is_proxy(remote));
        if entered.is_err() {
            self.count(Reason::NoPlace, "no place for a connection");
        }
        entered
    }

    fn count(&self, reason: Reason, detail: &str) {
        if self.counters.count(reason) {
            tracing::warn!(%reason, detail, "refused; more of these are only counted");
        }
    }
}

async fn serve(
    stream: TcpStream,
    remote: SocketAddr,
    router: Router,
    place: Place,
    server: Server,
    tls: Option<Arc<Tls>>,
) {
    // Signalling is small messages, each of which someone waits for.
    let ready = stream.set_nodelay(true).and_then(|()| stream.local_addr());
    let Ok(local) = ready else {
        return;
    };
    let ends = Ends {
        remote: canonical(remote),
        local: canonical(local),
        is_secure: tls.is_some(),
    };
    let (stream, waiver) = Patient::new(stream, server.write_timeout);
    let caller = Caller {
        ends,
        router,
        place,
        waiver,
    };
    match tls {
        None => talk(stream, caller, server).await,
        // Apart, so that connections without TLS need no memory for it.
        Some(tls) => Box::pin(talk_securely(tls, stream, caller, server)).await,
    }
}

/// Who is at a connection's other end, and what is for it.
struct Caller {
    ends: Ends,
    router: Router,
    place: Place,
    waiver: Waiver,
}

/// A handshake may take as long as a request's head.
async fn talk_securely(tls: Arc<Tls>, stream: Patient, caller: Caller, server: Server) {
    match tokio::time::timeout(server.head_timeout, tls.accept(stream)).await {
        Ok(Ok(stream)) => talk(stream, caller, server).await,
        Ok(Err(error)) => {
            tracing::debug!(remote = %caller.ends.remote, %error, "no TLS handshake");
            // What only looks whether the port is open does nothing wrong.
            if error.kind() == std::io::ErrorKind::InvalidData {
                server.count(Reason::BadHandshake, &error.to_string());
            }
        }
        Err(_) => server.count(Reason::SlowRequest, "no TLS handshake in time"),
    }
}

async fn talk<S>(stream: S, caller: Caller, server: Server)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Caller {
        ends,
        router,
        place,
        waiver,
    } = caller;
    let asked = Arc::new(AtomicBool::new(false));
    let has_asked = Arc::clone(&asked);
    let service = service_fn(move |mut request: Request<hyper::body::Incoming>| {
        asked.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(ends);
        request.extensions_mut().insert(place.clone());
        router.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(server.head_timeout)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let served = connection.await;
    // If it goes on as a WebSocket, the limits on what waits for it decide.
    waiver.waive();
    if let Err(error) = served {
        if is_stalled(&error) {
            server.count(Reason::SlowClient, "an answer is not read");
        }
        // A connection that had its answer may well be kept without another use.
        if error.is_timeout() && !has_asked.load(Ordering::Relaxed) {
            server.count(Reason::SlowRequest, "no request in time");
        }
        tracing::debug!(remote = %ends.remote, %error, "HTTP connection ended");
    }
}

fn is_stalled(error: &hyper::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    cause
        .and_then(std::io::Error::get_ref)
        .is_some_and(|cause| cause.is::<Stalled>())
}

/// An IPv4 client of an IPv6 socket is an IPv4 client.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

async fn stats(hub: &Hub, counters: &Counters) -> Response {
    let Some(stats) = hub.stats().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let refusals: Map<String, Value> = Reason::ALL
        .iter()
        .map(|reason| (reason.name().into(), counters.of(*reason).into()))
        .collect();
    Json(json!({
        "sessions": stats.sessions,
        "publishers": stats.publishers,
        "players": stats.players,
        "refusals": refusals,
    }))
    .into_response()
}

async fn unknown_api() -> Response {
    let answer = Json(json!({ "error": "no such API" }));
    (StatusCode::NOT_FOUND, answer).into_response()
}
