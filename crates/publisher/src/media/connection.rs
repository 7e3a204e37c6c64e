//! A stream's peer connection from its offer to its end.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::time::Instant;

use session::{Input, Severity};
use tokio::sync::mpsc;
use tracing::debug;
use wire::MediaSessionId;

use crate::MediaOptions;
use crate::http::local_address_towards;
use crate::peer::{Peer, PeerError, PeerEvent};
use crate::pipeline::Sent;

/// Whose peer connection it is, and who wants to know of it.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The stream in its session.
    pub(crate) id: MediaSessionId,
    /// To the session's driver.
    pub(crate) inputs: mpsc::Sender<Input>,
}

impl Caller {
    pub(super) fn tell(&self, input: Input) {
        if let Err(error) = self.inputs.try_send(input) {
            debug!(stream = %self.id, %error, "the session does not listen");
        }
    }

    pub(super) fn offered(&self, sdp: String, sent: Sent) {
        self.tell(Input::OfferCreated {
            id: self.id.clone(),
            sdp,
            has_audio: sent.audio.is_some(),
            has_video: sent.video.is_some(),
        });
    }

    pub(super) fn connected(&self) {
        self.tell(Input::MediaConnected {
            id: self.id.clone(),
        });
    }

    pub(super) fn failed(&self, error: String, severity: Severity) {
        self.tell(Input::MediaFailed {
            id: self.id.clone(),
            error,
            severity,
        });
    }
}

/// This end's address towards the server.
#[derive(Debug)]
pub(crate) enum Local {
    /// That of the socket.
    Known(IpAddr),
    /// To be found out: of a connection to this URL's host.
    Towards(String),
}

impl Local {
    async fn find(self) -> IpAddr {
        match self {
            Self::Known(address) => address,
            Self::Towards(url) => local_address_towards(&url).await.unwrap_or_else(|error| {
                // The request to the same host says it better.
                debug!(%error, "no way to the server");
                Ipv4Addr::LOCALHOST.into()
            }),
        }
    }
}

/// A connection that can be offered.
pub(super) struct Offer {
    peer: Box<Peer>,
    local: IpAddr,
    sdp: String,
}

/// What happens to a connection.
pub(super) enum Event {
    Offer(Result<Offer, PeerError>),
    Peer(Result<PeerEvent, PeerError>),
}

/// A peer connection, or what will be one.
pub(super) struct Connection {
    pub(super) caller: Caller,
    stage: Stage,
}

enum Stage {
    Offering(Pin<Box<dyn Future<Output = Result<Offer, PeerError>> + Send>>),
    Offered(Box<Peer>, IpAddr),
    Up(Box<Peer>, IpAddr),
}

impl Connection {
    /// Begins to make an offer; [`Connection::next`] does the work.
    pub(super) fn open(
        caller: Caller,
        local: Local,
        sent: Sent,
        options: &MediaOptions,
        start: Instant,
    ) -> Self {
        let options = options.clone();
        let offering = async move {
            let local = local.find().await;
            let (peer, sdp) = Peer::offer(local, sent, &options, start).await?;
            let peer = Box::new(peer);
            Ok(Offer { peer, local, sdp })
        };
        Self {
            caller,
            stage: Stage::Offering(Box::pin(offering)),
        }
    }

    /// Waits for the next event. Cancelled, it loses nothing.
    pub(super) async fn next(&mut self) -> Event {
        match &mut self.stage {
            Stage::Offering(offering) => Event::Offer(offering.await),
            Stage::Offered(peer, _) | Stage::Up(peer, _) => Event::Peer(peer.next().await),
        }
    }

    /// Takes what was offered; the offer.
    pub(super) fn take(&mut self, offer: Offer) -> String {
        self.stage = Stage::Offered(offer.peer, offer.local);
        offer.sdp
    }

    /// From now on media can be sent.
    pub(super) fn set_up(mut self) -> Self {
        if let Stage::Offered(peer, local) = self.stage {
            self.stage = Stage::Up(peer, local);
        }
        self
    }

    /// The connection, offered or up.
    pub(super) fn peer(&mut self) -> Option<&mut Peer> {
        match &mut self.stage {
            Stage::Offering(_) => None,
            Stage::Offered(peer, _) | Stage::Up(peer, _) => Some(peer),
        }
    }

    /// The connection, if it is up.
    pub(super) fn peer_up(&mut self) -> Option<&mut Peer> {
        match &mut self.stage {
            Stage::Offering(_) | Stage::Offered(..) => None,
            Stage::Up(peer, _) => Some(peer),
        }
    }

    /// This end's address towards the server, once it is up.
    pub(super) fn local_address(&self) -> Option<IpAddr> {
        match &self.stage {
            Stage::Offering(_) | Stage::Offered(..) => None,
            Stage::Up(_, local) => Some(*local),
        }
    }
}
