//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): streams without a session.
//!
//! An offer in an HTTP request makes a resource: a publisher or a player whose
//! client has no socket. It lives by its media, not by pings, and is known by an
//! id that nobody can guess. Signalling over WebSocket sees the same streams.

use std::time::Instant;

use wire::{MediaSessionId, StreamName};

use super::backend::{EndReason, PeerId, Wishes};
use super::registry::{State, Stream};
use super::streams::Request;
use super::wishes::Echo;
use super::{ClientId, Core, Ending, Output, Refusal};

/// Which protocol a resource is asked for with, and so which way its media goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// Publishes.
    Whip,
    /// Plays.
    Whep,
}

/// What a resource's URL says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePath {
    /// The protocol.
    pub endpoint: Endpoint,
    /// The stream's name.
    pub name: StreamName,
    /// The resource's own id, at least 122 random bits made by the shell.
    pub id: MediaSessionId,
}

/// The answer to an HTTP request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The resource is there.
    Created {
        /// The SDP answer.
        answer: String,
    },
    /// The candidates are taken; there is nothing to say about them.
    Trickled,
    /// The resource is gone.
    Deleted,
    /// It was not done.
    Refused {
        /// What is wrong.
        problem: Problem,
        /// For people.
        detail: String,
    },
}

/// What is wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Problem {
    /// The name cannot be one.
    BadName,
    /// The offer could not be parsed or answered.
    BadOffer,
    /// The offer is too large.
    OfferTooLarge,
    /// Nobody publishes the name.
    NoSuchStream,
    /// There is no such resource (any more).
    NoSuchResource,
    /// Somebody publishes the name.
    NameInUse,
    /// The publisher is there, its media is not yet.
    NotReady,
    /// The offer has no codec that fits the stream, or us.
    NoCommonCodecs,
    /// What should be a part of an SDP is none.
    BadFragment,
    /// The request has to say of which ICE session it is.
    TagMissing,
    /// The request is about another ICE session.
    TagMismatch,
    /// ICE cannot be restarted here.
    NoRestart,
    /// A limit of the server is reached, or it ends.
    Unavailable,
    /// The server failed.
    Failed,
}

/// The entity tag of a resource's ICE session, RFC 9725 section 4.3.1: the first
/// and, without ICE restarts, the only one.
pub const ICE_SESSION_TAG: &str = "\"1\"";

/// What of a resource the registry of streams does not know.
#[derive(Debug)]
pub(super) struct Resource {
    /// Its request has been replied to.
    replied: bool,
    /// The ICE user name fragments of its offer.
    fragments: Vec<String>,
}

impl Core {
    pub(super) fn handle_offer(
        &mut self,
        client: ClientId,
        path: ResourcePath,
        offer: String,
        now: Instant,
    ) {
        if let Err(why) = self.check_room() {
            return self.refuse_request(client, &why);
        }
        let fragments = ice_fragments(&offer).map(str::to_owned).collect();
        let has = (has_media(&offer, "audio"), has_media(&offer, "video"));
        let request = Request {
            id: Some(path.id),
            name: Some(path.name),
            media_provider: String::new(),
            sdp: offer,
            wishes: Wishes::default(),
            echo: Echo::default(),
        };
        let opened = match path.endpoint {
            Endpoint::Whip => self.open_publisher(client, request, has, now),
            Endpoint::Whep => self.open_player(client, request, now),
        };
        match opened {
            Ok(()) => {
                let resource = Resource {
                    replied: false,
                    fragments,
                };
                self.resources.insert(client, resource);
            }
            Err(refused) => self.refuse_request(client, &refused.why),
        }
    }

    /// Candidates of the client are of no use to ICE-lite: they are taken and
    /// forgotten. Everything else that could be in a fragment is refused.
    pub(super) fn handle_trickle(
        &mut self,
        client: ClientId,
        path: &ResourcePath,
        tag: Option<&str>,
        fragment: &str,
    ) {
        let found = self.find_resource(path);
        let Some((_, resource)) = found else {
            return self.refuse_request(client, &Refusal::NoSuchResource);
        };
        let known = |fragment: &str| resource.fragments.iter().any(|known| known == fragment);
        let why = match tag {
            None => Refusal::TagMissing,
            Some("*") => Refusal::NoRestart,
            Some(tag) if tag != ICE_SESSION_TAG => Refusal::TagMismatch,
            Some(_) if !is_sdp(fragment) => Refusal::BadFragment,
            Some(_) if !ice_fragments(fragment).all(known) => Refusal::NoRestart,
            Some(_) => return self.reply(client, Reply::Trickled),
        };
        self.refuse_request(client, &why);
    }

    pub(super) fn handle_delete(&mut self, client: ClientId, path: &ResourcePath) {
        match self.find_resource(path).map(|(peer, _)| peer) {
            Some(peer) => {
                self.end(peer, Ending::ByUser);
                self.reply(client, Reply::Deleted);
            }
            None => self.refuse_request(client, &Refusal::NoSuchResource),
        }
    }

    /// The reply to an offer that was answered; false if the client is none of
    /// a resource.
    pub(super) fn reply_answer(&mut self, client: ClientId, answer: &str) -> bool {
        let Some(resource) = self.resources.get_mut(&client) else {
            return false;
        };
        resource.replied = true;
        let answer = answer.into();
        self.reply(client, Reply::Created { answer });
        true
    }

    /// Forgets the resource of a stream that ends, and tells why if its request
    /// still waits.
    pub(super) fn end_resource(&mut self, stream: &Stream, info: &str) {
        let resource = self.resources.remove(&stream.client);
        if resource.is_none_or(|resource| resource.replied) {
            return;
        }
        let problem = match stream.state {
            State::Over(reason) => problem_of(reason),
            State::Offered | State::Answered | State::Active if self.shutting_down => {
                Problem::Unavailable
            }
            State::Offered | State::Answered | State::Active => Problem::Failed,
        };
        // The signalling protocol's own words for this one help nobody.
        let detail = if problem == Problem::BadOffer {
            "The SDP offer cannot be parsed or answered".into()
        } else {
            info.into()
        };
        self.reply(stream.client, Reply::Refused { problem, detail });
    }

    fn check_room(&self) -> Result<(), Refusal> {
        if self.shutting_down {
            return Err(Refusal::ShuttingDown);
        }
        let limit = self.config.limits.sessions;
        if self.occupied() >= limit {
            return Err(Refusal::TooManySessions { limit });
        }
        Ok(())
    }

    fn find_resource(&self, path: &ResourcePath) -> Option<(PeerId, &Resource)> {
        let (peer, stream) = self.registry.with_id(&path.id)?;
        let publishes = path.endpoint == Endpoint::Whip;
        let same = stream.name == path.name && stream.is_publisher() == publishes;
        let resource = self.resources.get(&stream.client)?;
        same.then_some((peer, resource))
    }

    fn refuse_request(&mut self, client: ClientId, why: &Refusal) {
        tracing::info!(client = client.0, %why, "request refused");
        self.count(client, why.reason(), why.to_string());
        let refused = Reply::Refused {
            problem: why.problem(),
            detail: why.to_string(),
        };
        self.reply(client, refused);
    }

    fn reply(&mut self, client: ClientId, reply: Reply) {
        self.outputs.push_back(Output::Reply { client, reply });
    }
}

impl Refusal {
    fn problem(&self) -> Problem {
        match self {
            Self::NameEmpty | Self::NameTooLong { .. } => Problem::BadName,
            Self::NameInUse => Problem::NameInUse,
            Self::NoSuchStream => Problem::NoSuchStream,
            Self::NoSuchResource => Problem::NoSuchResource,
            Self::NotReady => Problem::NotReady,
            Self::SdpTooLarge { .. } => Problem::OfferTooLarge,
            Self::BadFragment => Problem::BadFragment,
            Self::TagMissing => Problem::TagMissing,
            Self::TagMismatch => Problem::TagMismatch,
            Self::NoRestart => Problem::NoRestart,
            Self::TooManyStreams { .. } | Self::TooManySessions { .. } | Self::ShuttingDown => {
                Problem::Unavailable
            }
            // Requests over HTTP run into none of these.
            Self::NotEstablished
            | Self::AlreadyEstablished
            | Self::IdMissing
            | Self::IdTooLong { .. }
            | Self::IdInUse
            | Self::CustomTooLarge { .. }
            | Self::PlayoutDelay
            | Self::TooManySnapshots { .. }
            | Self::MediaProvider
            | Self::NotPublishing
            | Self::EventType
            | Self::Calls
            | Self::Sip
            | Self::Recording
            | Self::Rtmp
            | Self::Pause
            | Self::DebugCommand
            | Self::UnknownMessage
            | Self::BadMessage(_) => Problem::Failed,
        }
    }
}

/// What the end of a peer means to the request that waits for its answer.
fn problem_of(reason: EndReason) -> Problem {
    match reason {
        EndReason::BadOffer => Problem::BadOffer,
        EndReason::NoCommonCodecs | EndReason::TranscodingNeeded => Problem::NoCommonCodecs,
        EndReason::SourceGone => Problem::NoSuchStream,
        EndReason::SourceNotReady => Problem::NotReady,
        EndReason::Internal => Problem::Unavailable,
        EndReason::IceTimeout
        | EndReason::IceLost
        | EndReason::DtlsFingerprint
        | EndReason::Dtls
        | EndReason::RtpInactive
        | EndReason::ClosedByPeer => Problem::Failed,
    }
}

/// The ICE user name fragments in an SDP or a part of one, RFC 8839 section 5.4.
fn ice_fragments(sdp: &str) -> impl Iterator<Item = &str> {
    let lines = sdp.lines();
    lines.filter_map(|line| line.strip_prefix("a=ice-ufrag:").map(str::trim))
}

/// Whether every line has the form of SDP, RFC 8866 section 5.
fn is_sdp(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.is_empty());
    lines.all(|line| line.as_bytes().get(1) == Some(&b'='))
}

/// Whether an SDP has media of a kind that is not declined (port zero), RFC 3264
/// section 6.
fn has_media(sdp: &str, kind: &str) -> bool {
    sdp.lines().any(|line| {
        let media = line.strip_prefix("m=").and_then(|m| m.strip_prefix(kind));
        media.is_some_and(|rest| rest.starts_with(' ') && !rest.starts_with(" 0 "))
    })
}
