//! The network shell: one port for the page, the HTTP API and WebSockets.
//!
//! ```text
//! listener ── http ──┬─ page files, /api/..., /lb (which server to connect to)
//!                    ├─ whip (one future a request) ── actor
//!                    └─ socket (one task a client) ── actor (one task, owns Core) ── media
//! ```
//!
//! The actor obeys the core and never waits for anyone: what a client does not
//! read in time costs that client its socket.

mod actor;
mod addresses;
mod admin;
mod balance;
mod connections;
mod denied;
mod events;
mod files;
mod gate;
mod health;
mod http;
mod ice_server;
mod listen;
mod metrics;
mod negotiate;
mod page;
mod patience;
mod rest;
mod socket;
mod status;
mod tls;
mod tracker;
mod upgrade;
mod visitors;
mod whip;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use wire::MediaSessionId;

use self::actor::{Actor, Message};
pub use self::balance::{BadTarget, BalanceTarget};
use self::connections::Places;
pub use self::events::EventSink;
use self::files::Files;
pub use self::files::PageSource;
use self::gate::Gate;
pub use self::gate::Live;
pub use self::health::Health;
pub use self::ice_server::{IceServer, IceServerError};
pub(crate) use self::listen::try_bind;
pub use self::metrics::{Exposed, manual as metrics_manual};
use self::page::Page;
use self::rest::Rest;
pub(crate) use self::tls::Certificate;
use self::tls::Tls;
pub use self::tls::{Credentials, Fingerprint, TlsConfig, TlsError};
use self::visitors::Visitors;
use crate::core::{self, Core, Input, backend};
use crate::counters::Counters;
use crate::hooks::{self, Hooks};
use crate::media::{self, Forwarder};

/// Inputs of all clients together that wait for the actor. When it is full,
/// clients' sockets are not read.
const INBOX: usize = 1024;

/// How long a closed socket may take to send what it still has and to answer
/// the close frame.
const LINGER: Duration = Duration::from_secs(1);

/// How long a shutdown waits for the sockets: their own linger and a little more.
const SHUTDOWN: Duration = Duration::from_millis(1500);

/// How often [`Running::drain`] looks whether all have gone.
const DRAIN_CHECK: Duration = Duration::from_millis(100);

/// See [`Config::write_timeout`]. A mobile network that loses its client for a
/// while is no reason to give up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// What the server serves, and where.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address of HTTP and WebSocket; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The same over TLS, on a port of its own; `None`: only without.
    pub tls: Option<TlsConfig>,
    /// Where the page's built files are.
    pub page: PageSource,
    /// How long a connection may take to send a request's head, and then its
    /// body, and how long it may stay open without one. Default: 10 s.
    pub head_timeout: Duration,
    /// How long an HTTP client may take nothing of an answer that waits for it;
    /// then its connection is closed. Default: 30 s.
    pub write_timeout: Duration,
    /// STUN and TURN servers that WHIP and WHEP clients are told of.
    pub ice_servers: Vec<IceServer>,
    /// Servers that clients which ask for a load balancer are sent to, in turn;
    /// with none, they are sent here.
    pub balance_to: Vec<BalanceTarget>,
    /// Signalling.
    pub core: core::Config,
    /// The application that is asked and told, if there is one.
    pub hooks: Option<hooks::Config>,
    /// What [`Running::reload`] changes.
    pub live: Arc<Live>,
    /// Who may read the metrics.
    pub metrics: Exposed,
}

impl Config {
    /// The page of the program or from `dist`, default signalling.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls: None,
            page: PageSource::default(),
            head_timeout: Duration::from_secs(10),
            write_timeout: WRITE_TIMEOUT,
            ice_servers: Vec::new(),
            balance_to: Vec::new(),
            core: core::Config::default(),
            hooks: None,
            live: Arc::default(),
            metrics: Exposed::default(),
        }
    }
}

/// Why the server did not start.
#[derive(Debug, Error)]
pub enum StartError<E> {
    /// Another program has the port.
    #[error("port {} is in use already: stop the program that has it, or choose another with {option}", address.port())]
    PortInUse {
        /// With the port.
        address: SocketAddr,
        /// The option that says so.
        option: &'static str,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// There is no certificate for TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// There is no thread for the page's files.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
    /// The system has no randomness, without which nothing here is safe.
    #[error("the system gives no random numbers: {0}")]
    Randomness(String),
    /// The application for hooks cannot be asked.
    #[error(transparent)]
    Hooks(hooks::StartError),
    /// The media backend did not start.
    #[error(transparent)]
    Media(E),
}

/// A running server; dropping it shuts it down without waiting.
#[derive(Debug)]
#[must_use = "dropping it ends the server"]
pub struct Running {
    addr: SocketAddr,
    secure: Option<(SocketAddr, Arc<Tls>)>,
    counters: Arc<Counters>,
    live: watch::Sender<Arc<Live>>,
    inbox: mpsc::Sender<Message>,
    health: Arc<Health>,
    stop: oneshot::Sender<Infallible>,
    server: JoinHandle<()>,
}

impl Running {
    /// Where HTTP and WebSocket are served.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where the same is served over TLS.
    pub fn tls_addr(&self) -> Option<SocketAddr> {
        Some(self.secure.as_ref()?.0)
    }

    /// What clients see over TLS, if nobody but the certificate itself vouches for it.
    pub fn self_signed(&self) -> Option<Fingerprint> {
        let (_, tls) = self.secure.as_ref()?;
        tls.is_self_signed().then(|| tls.fingerprint())
    }

    /// Goes on with these credentials over TLS, where that is served: files are read,
    /// even if they have not changed. Connections that are open are left alone. Blocks.
    ///
    /// # Errors
    /// They are wrong: what was shown before still is.
    pub fn reload_certificate(&self, credentials: &Credentials) -> Result<(), TlsError> {
        let tls = self.secure.as_ref().map(|(_, tls)| tls);
        tls.map_or(Ok(()), |tls| tls.reload(credentials))
    }

    /// What was refused or dropped so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How the server is.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Goes on with other rules: they hold for what is asked from now on.
    pub fn reload(&self, live: Arc<Live>) {
        self.live.send_replace(live);
    }

    /// Lets no new session in from now on. Ends once nobody publishes or plays any more.
    pub async fn drain(&self) {
        self.health.set_draining();
        let mut sent = self.inbox.send(Message::Input(Input::Drain)).await.is_ok();
        while sent {
            let (reply, stats) = oneshot::channel();
            sent = self.inbox.send(Message::Stats(reply)).await.is_ok();
            match stats.await {
                Ok(stats) if stats.publishers + stats.players > 0 => {
                    tokio::time::sleep(DRAIN_CHECK).await;
                }
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Tells every client, closes every socket and ends media; takes at most
    /// a couple of seconds.
    pub async fn shutdown(self) {
        drop(self.stop);
        if let Err(error) = self.server.await {
            tracing::error!(%error, "the server did not end well");
        }
    }
}

/// Starts the server with the embedded forwarder; also returns where
/// clients reach the media.
///
/// # Errors
/// The listener or the forwarder cannot be started; nothing is left running.
pub async fn serve(
    config: Config,
    media: media::Config,
) -> Result<(Running, media::Reach), StartError<media::StartError>> {
    let mut reach = None;
    let running = serve_with(config, |events, counters| {
        let forwarder = Forwarder::start(media, counters, move |event| events.send(event))?;
        reach = Some(forwarder.reach().clone());
        Ok(forwarder)
    })
    .await?;
    let reach = reach.unwrap_or_default();
    Ok((running, reach))
}

/// Starts the server with the media backend that `start_media` makes.
///
/// # Errors
/// The listener or the backend cannot be started; nothing is left running.
pub async fn serve_with<B, E>(
    mut config: Config,
    start_media: impl FnOnce(EventSink, Arc<Counters>) -> Result<B, E>,
) -> Result<Running, StartError<E>>
where
    B: backend::MediaBackend + 'static,
{
    let (listener, addr) = bind(config.listen, "--port")?;
    if config.core.node_id.is_empty() {
        let random = random_bits().map_err(|error| StartError::Randomness(error.to_string()))?;
        config.core.node_id = MediaSessionId::from_random(random).to_string();
    }
    let counters = Arc::new(Counters::default());
    let secure = secure(config.tls.as_ref(), &counters).await?;
    let (hooks, hooks_ending) = start_hooks(&mut config, &counters).map_err(StartError::Hooks)?;
    let files = Files::new(config.page).map_err(StartError::Thread)?;
    let (event_sink, events) = events::channel(Arc::clone(&counters));
    let backend = start_media(event_sink, Arc::clone(&counters)).map_err(StartError::Media)?;

    let (inbox_sender, inbox) = mpsc::channel(INBOX);
    let to_actor = inbox_sender.clone();
    let limits = config.core.limits.clone();
    let workers = backend.meters();
    let health = Arc::new(Health::new(workers.clone()));
    let actor = Actor::new(
        Core::new(config.core),
        Box::new(backend),
        Arc::clone(&counters),
        hooks.clone(),
    );
    let (live, rules) = watch::channel(config.live);
    let gate = Gate::new(rules, hooks);
    let visitors = Visitors::new(gate.clone(), Arc::clone(&counters));
    let connections = http::Server {
        visitors: visitors.clone(),
        places: Places::new(limits.connections, limits.connections_per_address),
        counters: Arc::clone(&counters),
        head_timeout: config.head_timeout,
        write_timeout: config.write_timeout,
        health: Arc::clone(&health),
    };
    let (stop, stopped) = oneshot::channel();
    let (open_sockets, all_closed) = mpsc::channel(1);
    let hub = socket::Hub::new(inbox_sender, limits.clone(), open_sockets, gate.clone());
    let requests = whip::Requests {
        max_body: limits.sdp_bytes,
        body_timeout: config.head_timeout,
        links: whip::links(&config.ice_servers),
        counters: Arc::clone(&counters),
        hub: hub.clone(),
        gate,
    };
    let counted = Arc::clone(&counters);
    let rest = Rest::new(hub.clone(), counted, &limits, config.head_timeout);
    let seeing = metrics::Metrics {
        hub,
        counters: Arc::clone(&counters),
        workers,
        seen: actor.seen(),
        health: Arc::clone(&health),
        started: metrics::Started::now(),
    };
    let seeing = (config.metrics, seeing);
    let operated = (visitors, rest);
    let only_at = secure
        .as_ref()
        .filter(|_| config.tls.as_ref().is_some_and(|tls| tls.redirect));
    let only_at = only_at.map(|secure| secure.addr.port());
    let page = Page { files, only_at };
    let router = http::router(requests, page, config.balance_to, operated, seeing);
    // Connections in flight live in the accepting tasks and end with them.
    let mut accepting = JoinSet::new();
    accepting.spawn(http::accept(
        listener,
        router.clone(),
        connections.clone(),
        None,
    ));
    let secure = secure.map(
        |Secure {
             listener,
             addr,
             tls,
         }| {
            let interval = config.tls.map(|tls| tls.check_interval);
            accepting.spawn(Arc::clone(&tls).watch(interval.unwrap_or_default()));
            let accept = http::accept(listener, router, connections, Some(Arc::clone(&tls)));
            accepting.spawn(accept);
            (addr, tls)
        },
    );
    let server = tokio::spawn(async move {
        let backend = actor.run(inbox, events, stopped).await;
        end(accepting, all_closed, backend).await;
        tell_the_last(hooks_ending).await;
    });
    Ok(Running {
        addr,
        secure,
        counters,
        live,
        inbox: to_actor,
        health,
        stop,
        server,
    })
}

/// Listens on an address that this option names.
fn bind<E>(
    address: SocketAddr,
    option: &'static str,
) -> Result<(TcpListener, SocketAddr), StartError<E>> {
    let failed = |source: io::Error| {
        if source.kind() == io::ErrorKind::AddrInUse {
            return StartError::PortInUse { address, option };
        }
        StartError::Listen { address, source }
    };
    let listener = listen::bind(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// What TLS is served with.
struct Secure {
    listener: TcpListener,
    addr: SocketAddr,
    tls: Arc<Tls>,
}

async fn secure<E>(
    config: Option<&TlsConfig>,
    counters: &Arc<Counters>,
) -> Result<Option<Secure>, StartError<E>> {
    let Some(config) = config else {
        return Ok(None);
    };
    let (credentials, counters) = (config.credentials.clone(), Arc::clone(counters));
    let loading = tokio::task::spawn_blocking(move || Tls::new(credentials, counters));
    let loaded = loading
        .await
        .map_err(|error| TlsError::NotMade(error.to_string()))?;
    let (listener, addr) = bind(config.listen, "--tls-port")?;
    Ok(Some(Secure {
        listener,
        addr,
        tls: Arc::new(loaded?),
    }))
}

/// The application for hooks, if there is one. Clients that it is asked about have as
/// much more time to connect.
fn start_hooks(
    config: &mut Config,
    counters: &Arc<Counters>,
) -> Result<(Option<Hooks>, Option<hooks::Ending>), hooks::StartError> {
    let Some(application) = &config.hooks else {
        return Ok((None, None));
    };
    config.core.notices = true;
    config.core.connection_timeout += application.timeout;
    let node_id = &config.core.node_id;
    let (hooks, ending) = Hooks::start(application, node_id, Arc::clone(counters))?;
    Ok((Some(hooks), Some(ending)))
}

/// What the server's end comes to is told, too, unless the application takes too long.
async fn tell_the_last(ending: Option<hooks::Ending>) {
    let Some(ending) = ending else {
        return;
    };
    if tokio::time::timeout(SHUTDOWN, ending.told()).await.is_err() {
        tracing::warn!("the application for hooks was not told of everything in time");
    }
}

/// Ends the server once clients are told: nobody new is let in, sockets close,
/// media ends.
async fn end(
    mut accepting: JoinSet<()>,
    mut all_closed: mpsc::Receiver<Infallible>,
    backend: Box<dyn backend::MediaBackend>,
) {
    accepting.shutdown().await;
    if tokio::time::timeout(SHUTDOWN, all_closed.recv())
        .await
        .is_err()
    {
        tracing::warn!("some sockets did not close in time");
    }
    // Joins media threads, which must not block the runtime.
    if tokio::task::spawn_blocking(move || drop(backend))
        .await
        .is_err()
    {
        tracing::error!("the media backend did not end well");
    }
}

/// What nobody can guess: for ids and tokens that are as good as a password.
///
/// # Errors
/// The operating system has no randomness.
fn random_bits() -> Result<u128, getrandom::Error> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    Ok(u128::from_be_bytes(bits))
}
