//! How publishers and viewers come to their offers and answers: the worlds of
//! signalling that servers speak.

mod http;
mod web_call_server;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

pub use http::Http;
pub use web_call_server::WebCallServer;

use session::StreamRole;

use crate::draft::Draft;
use crate::error::Result;
use crate::janus;
use crate::servers::Address;

/// A server's signalling.
pub enum Signaller {
    /// Web Call Server's, over a WebSocket for each session.
    WebCallServer(WebCallServer),
    /// WHIP (RFC 9725) and WHEP.
    Http(Http),
    /// Janus' video room.
    Janus(janus::Client),
}

/// A peer's place at a server.
#[must_use = "dropped, it ends without a word"]
pub struct Session(Place);

enum Place {
    WebCallServer(web_call_server::Held),
    Http(http::Held),
    Janus(janus::Held),
}

impl Signaller {
    /// That of the server at `address`, with a bearer token for WHIP and WHEP where it
    /// wants one. Nothing is connected yet.
    ///
    /// # Errors
    /// The address is one that the generator cannot speak to, or the token is none.
    pub fn new(address: &Address, token: Option<&str>) -> Result<Self> {
        Ok(match address {
            Address::WebCallServer(url) => Self::WebCallServer(WebCallServer::new(url)?),
            Address::Http(url) => Self::Http(Http::new(url, token)?),
            Address::Janus(url) => Self::Janus(janus::Client::new(url)),
        })
    }

    /// Publishes what `draft` sends under the name `stream`; the draft has the server's
    /// answer then.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub async fn publish(&self, stream: &str, draft: &mut Draft) -> Result<Session> {
        Ok(Session(match self {
            Self::WebCallServer(server) => Place::WebCallServer(
                server
                    .negotiate(StreamRole::Publisher, stream, draft)
                    .await?,
            ),
            Self::Http(server) => Place::Http(
                server
                    .negotiate(StreamRole::Publisher, stream, draft)
                    .await?,
            ),
            Self::Janus(client) => {
                let offer = draft.offer()?;
                let (answer, held) = client.publish_offer(stream, &offer).await?;
                draft.accept(&answer)?;
                Place::Janus(held)
            }
        }))
    }

    /// Plays `stream`; the draft is negotiated then.
    ///
    /// # Errors
    /// The server cannot be reached or refuses, such as where nobody publishes that.
    pub async fn play(&self, stream: &str, draft: &mut Draft) -> Result<Session> {
        Ok(Session(match self {
            Self::WebCallServer(server) => {
                Place::WebCallServer(server.negotiate(StreamRole::Player, stream, draft).await?)
            }
            Self::Http(server) => {
                Place::Http(server.negotiate(StreamRole::Player, stream, draft).await?)
            }
            Self::Janus(client) => {
                let offered = client.play_offer(stream).await?;
                let answer = draft.answer(offered.sdp())?;
                Place::Janus(offered.answer(&answer).await?)
            }
        }))
    }

    /// Our address towards the server's media; loopback, where that cannot be told.
    pub(crate) async fn local_address(&self) -> IpAddr {
        let towards = match self {
            Self::WebCallServer(server) => lookup(server.url()).await,
            Self::Http(server) => lookup(server.url()).await,
            // It never takes media on the loopback, even if it is signalled with there,
            // and answers nothing that comes from a loopback address.
            Self::Janus(client) => match client.about().await {
                Ok(about) => about.media_ip.map(|ip| SocketAddr::new(ip, DISCARD)),
                Err(_) => None,
            },
        };
        towards
            .and_then(|address| local_address_to(address).ok())
            .unwrap_or(Ipv4Addr::LOCALHOST.into())
    }
}

/// Any port will do to ask for the way to an address; this one takes what comes (RFC 863).
const DISCARD: u16 = 9;

/// The address that `url` names.
async fn lookup(url: &str) -> Option<SocketAddr> {
    let url = reqwest::Url::parse(url).ok()?;
    let port = url.port_or_known_default().unwrap_or(80);
    let host = url.host_str()?.trim_matches(['[', ']']);
    tokio::net::lookup_host((host, port)).await.ok()?.next()
}

/// The address that this machine has towards `address`, without sending anything.
fn local_address_to(address: SocketAddr) -> std::io::Result<IpAddr> {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => ([0; 4], 0).into(),
        SocketAddr::V6(_) => ([0; 16], 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(address)?;
    Ok(socket.local_addr()?.ip())
}

impl Session {
    /// Takes leave, and waits until the server knows.
    pub async fn leave(self) {
        match self.0 {
            Place::WebCallServer(held) => held.leave().await,
            Place::Http(held) => held.leave().await,
            Place::Janus(held) => {
                if let Err(error) = held.leave().await {
                    tracing::debug!(%error, "Janus had ended it before");
                }
            }
        }
    }
}
