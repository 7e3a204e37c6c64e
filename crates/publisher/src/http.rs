//! HTTP as the session sees it: requests go out, and of each exactly one
//! [`Input`] comes back.

mod exchange;
mod failure;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::future::pending;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use reqwest::{Client, Url, redirect};
use session::{HttpRequest, Input, Severity};
use tokio::net::lookup_host;
use tokio::task::JoinSet;

use crate::{TlsOptions, tls};
pub(crate) use exchange::bearer;
use exchange::{Exchanged, exchange};

pub(crate) use failure::{Failure, Scheme};

/// For the TCP connection and TLS, over all addresses of a name.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// From the request to the whole response, redirects included.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);

/// What the client says it is.
const USER_AGENT: &str = concat!("twoway-publish/", env!("CARGO_PKG_VERSION"));

/// Speaks HTTP/1.1 and follows no redirects by itself.
///
/// # Errors
/// A file of certificates cannot be used; a sentence.
pub(crate) fn client(options: &TlsOptions) -> Result<Client, String> {
    Client::builder()
        .tls_backend_preconfigured(tls::client_config(options)?)
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(USER_AGENT)
        // What is live goes straight to the server.
        .no_proxy()
        .build()
        .map_err(|error| format!("cannot speak HTTP: {error}"))
}

/// The requests of one session that are on their way. Dropped, it gives them
/// up.
#[derive(Debug)]
pub(crate) struct Requests {
    client: Client,
    running: JoinSet<Exchanged>,
    /// Origins that a redirect from elsewhere led to: what they name as a
    /// stream's URL gets no token either.
    strangers: HashSet<String>,
    /// One of them may have got to its server.
    arrived: bool,
}

impl Requests {
    /// # Errors
    /// A file of certificates cannot be used; a sentence.
    pub(crate) fn new(options: &TlsOptions) -> Result<Self, String> {
        Ok(Self {
            client: client(options)?,
            running: JoinSet::new(),
            strangers: HashSet::new(),
            arrived: false,
        })
    }

    /// Sends a request; [`Requests::next`] brings what comes of it.
    pub(crate) fn start(&mut self, mut request: HttpRequest) {
        if self.strangers.contains(&origin(&request.url)) {
            request.bearer = None;
        }
        self.running.spawn(exchange(self.client.clone(), request));
    }

    /// Whether a request got to its server, answered or not, as far as can be
    /// known of those that [`Requests::next`] told of.
    pub(crate) fn have_arrived(&self) -> bool {
        self.arrived
    }

    /// The next response or failure, in whatever order they come, with the
    /// severity of a failure. Waits for ever while no request is on its way.
    /// Cancelled, it loses nothing.
    pub(crate) async fn next(&mut self) -> (Input, Severity) {
        while let Some(exchanged) = self.running.join_next().await {
            // A task that panicked has been told of already.
            if let Ok(exchanged) = exchanged {
                self.strangers.extend(exchanged.way.stranger);
                self.arrived |= exchanged.way.arrived;
                return (exchanged.input, exchanged.severity);
            }
        }
        pending().await
    }
}

/// Scheme, host and port of a URL (RFC 6454), or what stands for them.
fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}

/// This end's address of a connection to a URL's host. No packet is sent.
///
/// # Errors
/// The host has no address, or there is no way to any.
pub(crate) async fn local_address_towards(url: &str) -> io::Result<IpAddr> {
    let host_and_port = Url::parse(url).ok().and_then(|url| {
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        Some((host, url.port_or_known_default()?))
    });
    let host_and_port = host_and_port.ok_or(io::ErrorKind::InvalidInput)?;
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in lookup_host(host_and_port).await? {
        match local_address_to(address) {
            Ok(local) => return Ok(local),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// This end's address of a connection to an address. No packet is sent.
///
/// # Errors
/// There is no way to it.
pub(crate) fn local_address_to(address: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(address)?;
    Ok(socket.local_addr()?.ip())
}
