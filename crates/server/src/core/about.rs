//! Whom an input is about, for the log: every line that comes of it says so.

use std::borrow::Cow;

use tracing::{Span, info_span};

use super::backend::{Event, PeerId};
use super::{ClientId, Core, Input, ResourcePath, Stream};

/// How much of a WHIP or WHEP resource's id is logged: enough to know it again. Whoever
/// has all of it may end the stream.
const ID_SHOWN: usize = 8;

/// What is known of somebody.
#[derive(Debug, Default)]
struct About<'a> {
    client: Option<ClientId>,
    session: Option<Cow<'a, str>>,
    stream: Option<&'a str>,
    media_session: Option<&'a str>,
    peer: Option<PeerId>,
}

impl Core {
    /// A span that says whom `input` is about, as far as that is known now; disabled if
    /// it is about nobody.
    pub fn about(&self, input: &Input) -> Span {
        let about = match input {
            // Its session is the one to come.
            Input::Opened {
                client,
                remote,
                local,
                ..
            } => About {
                client: Some(*client),
                session: Some(format!("/{remote}/{local}").into()),
                ..About::default()
            },
            Input::Text { client, .. }
            | Input::Denied { client, .. }
            | Input::Binary { client }
            | Input::Oversized { client }
            | Input::Flooding { client }
            | Input::Overflowed { client }
            | Input::Gone { client }
            | Input::Order { client, .. } => self.about_client(*client),
            Input::Offer {
                client,
                path,
                remote,
                local,
                ..
            } => About {
                session: Some(format!("/{remote}/{local}").into()),
                ..About::of_resource(*client, path)
            },
            Input::Patch { client, path, .. } | Input::Delete { client, path } => {
                About::of_resource(*client, path)
            }
            Input::Backend(event) => match subject(event) {
                Some(peer) => self.about_peer(peer),
                None => return Span::none(),
            },
            Input::Timeout | Input::Drain | Input::Shutdown => return Span::none(),
        };
        about.span()
    }

    fn about_client(&self, client: ClientId) -> About<'_> {
        About {
            client: Some(client),
            session: self.public_session(client).map(Cow::from),
            ..About::default()
        }
    }

    fn about_peer(&self, peer: PeerId) -> About<'_> {
        let Some(stream) = self.registry.stream(peer) else {
            return About {
                peer: Some(peer),
                ..About::default()
            };
        };
        About {
            client: Some(stream.client),
            session: Some(stream.session.session_id.as_str().into()),
            stream: Some(stream.name.as_str()),
            media_session: Some(self.shown_id(stream)),
            peer: Some(peer),
        }
    }

    /// A stream's id, as it may be logged: that of a resource only in part.
    pub(super) fn shown_id<'a>(&self, stream: &'a Stream) -> &'a str {
        let id = stream.id.as_str();
        if self.public_session(stream.client).is_some() {
            id
        } else {
            shown(id)
        }
    }

    /// A session as everybody may know it: its token without the part that is secret.
    fn public_session(&self, client: ClientId) -> Option<&str> {
        let token = self
            .clients
            .get(&client)
            .map(|client| client.token.as_str());
        let token = token.or_else(|| self.kept.token_of(client))?;
        let (public, _secret) = token.rsplit_once('/')?;
        Some(public)
    }
}

impl<'a> About<'a> {
    fn of_resource(client: ClientId, path: &'a ResourcePath) -> Self {
        Self {
            client: Some(client),
            stream: Some(path.name.as_str()),
            media_session: Some(shown(path.id.as_str())),
            ..Self::default()
        }
    }

    fn span(&self) -> Span {
        info_span!(
            "about",
            client = self.client.map(|client| client.0),
            session = self.session.as_deref(),
            stream = self.stream,
            media_session = self.media_session,
            peer = self.peer.map(|peer| peer.0),
        )
    }
}

/// The peer that an event is about, if it may be worth a line.
fn subject(event: &Event) -> Option<PeerId> {
    match event {
        Event::Answered { peer, .. }
        | Event::Flowing { peer }
        | Event::Restarted { peer, .. }
        | Event::Resized { peer, .. }
        | Event::NotEnoughBandwidth { peer, .. }
        | Event::Ended { peer, .. } => Some(*peer),
        // Comes all the time, and never is.
        Event::Rate { .. } | Event::Snapshot { .. } => None,
    }
}

/// The first part of an id.
fn shown(id: &str) -> &str {
    id.get(..ID_SHOWN).unwrap_or(id)
}
