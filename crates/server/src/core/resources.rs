//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): streams without a session.
//!
//! An offer in an HTTP request makes a resource: a publisher or a player whose
//! client has no socket. It lives by its media, not by pings, and is known by an
//! id that nobody can guess. Signalling over WebSocket sees the same streams.

use std::sync::Arc;
use std::time::Instant;

use wire::{MediaSessionId, StreamName, info};

use super::backend::{Command, EndReason, PeerId, Wishes};
use super::ice_session::{IceSessions, Patch};
use super::registry::{State, Stream};
use super::streams::Request;
use super::wishes::Echo;
use super::{ClientId, Core, Ending, Output, Refusal, SessionInfo, Timer};

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
        /// The entity tag of its ICE session, in quotes.
        tag: String,
    },
    /// The candidates are taken; there is nothing to say about them.
    Trickled,
    /// ICE starts anew.
    Restarted {
        /// Our credentials and candidates, a part of an SDP.
        fragment: String,
        /// The entity tag of the new ICE session, in quotes.
        tag: String,
    },
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
    /// ICE is being restarted already.
    Restarting,
    /// A limit of the server is reached, or it ends.
    Unavailable,
    /// The server failed.
    Failed,
}

/// What of a resource the registry of streams does not know.
#[derive(Debug)]
pub(super) struct Resource {
    /// Its request has been replied to.
    replied: bool,
    /// How many m-lines of audio and video its offer has.
    offered: usize,
    ice: IceSessions,
}

impl Core {
    /// How many of them publish, and how many play.
    pub(super) fn resource_counts(&self) -> (usize, usize) {
        let clients = self.resources.keys();
        let peers = clients.flat_map(|client| self.registry.of_client(*client));
        let streams: Vec<_> = peers
            .filter_map(|peer| self.registry.stream(peer))
            .collect();
        let publish = streams
            .iter()
            .filter(|stream| stream.is_publisher())
            .count();
        (publish, streams.len() - publish)
    }

    pub(super) fn handle_offer(
        &mut self,
        client: ClientId,
        path: ResourcePath,
        offer: String,
        wishes: Wishes,
        session: SessionInfo,
        now: Instant,
    ) {
        if let Err(why) = self.check_room() {
            return self.refuse_request(client, &why);
        }
        let resource = Resource {
            replied: false,
            offered: live_media(&offer).count(),
            ice: IceSessions::new(&offer),
        };
        let has = |wanted| live_media(&offer).any(|kind| kind == wanted);
        let has = (has("audio"), has("video"));
        let request = Request {
            session: Arc::new(session),
            id: Some(path.id),
            name: Some(path.name),
            media_provider: String::new(),
            sdp: offer,
            wishes,
            echo: Echo::default(),
        };
        let opened = match path.endpoint {
            Endpoint::Whip => self.open_publisher(client, request, has, now),
            Endpoint::Whep => self.open_player(client, request, now),
        };
        match opened {
            Ok(()) => {
                self.resources.insert(client, resource);
            }
            Err(refused) => self.refuse_request(client, &refused.why),
        }
    }

    /// Takes candidates or restarts ICE. Candidates of the client are of no use
    /// to ICE-lite: they are taken and forgotten.
    pub(super) fn handle_patch(
        &mut self,
        client: ClientId,
        path: &ResourcePath,
        tag: Option<&str>,
        fragment: String,
        now: Instant,
    ) {
        let peer = self.find_resource(path).filter(|peer| self.is_open(*peer));
        let found = peer.and_then(|peer| Some((peer, self.resource_of(peer)?)));
        let Some((peer, resource)) = found else {
            return self.refuse_request(client, &Refusal::NoSuchResource);
        };
        match resource.ice.judge(tag, &fragment) {
            Ok(Patch::Candidates) => self.reply(client, Reply::Trickled),
            Ok(Patch::Restart) => {
                resource.ice.begin_restart(client, &fragment);
                let overdue = now + self.config.restart_timeout;
                self.deadlines.set(Timer::Restart(peer), overdue);
                self.command(Command::Restart { peer, fragment });
            }
            Err(why) => self.refuse_request(client, &why),
        }
    }

    pub(super) fn handle_restarted(&mut self, peer: PeerId, fragment: String) {
        let Some(resource) = self.resource_of(peer) else {
            return;
        };
        // One that comes after its deadline has nobody to be told.
        let Some(request) = resource.ice.finish_restart() else {
            return;
        };
        let tag = resource.ice.tag();
        self.deadlines.clear(Timer::Restart(peer));
        tracing::info!(peer = peer.0, tag, "ICE restarted");
        self.reply(request, Reply::Restarted { fragment, tag });
    }

    /// The request for a restart has waited long enough; what was goes on.
    pub(super) fn restart_due(&mut self, peer: PeerId) {
        let waiting = self.resource_of(peer);
        if let Some(request) = waiting.and_then(|resource| resource.ice.give_up_restart()) {
            self.refuse_request(request, &Refusal::NotRestarted);
        }
    }

    pub(super) fn handle_delete(&mut self, client: ClientId, path: &ResourcePath) {
        match self.find_resource(path) {
            Some(peer) => {
                self.end(peer, Ending::ByUser);
                self.reply(client, Reply::Deleted);
            }
            None => self.refuse_request(client, &Refusal::NoSuchResource),
        }
    }

    /// The reply to an offer that was answered; false if the client is none of
    /// a resource. A publisher's offer is taken whole or not at all (RFC 9725
    /// section 4.4.3); a player gets what there is.
    pub(super) fn reply_answer(&mut self, peer: PeerId, client: ClientId, answer: &str) -> bool {
        let publishes = self.registry.stream(peer).is_some_and(Stream::is_publisher);
        let Some(resource) = self.resources.get_mut(&client) else {
            return false;
        };
        resource.replied = true;
        if publishes && live_media(answer).count() < resource.offered {
            self.refuse_request(client, &Refusal::MediaDeclined);
            self.end(peer, Ending::Failed(info::NO_COMMON_CODECS.into()));
            return true;
        }
        let tag = resource.ice.tag();
        let answer = answer.into();
        self.reply(client, Reply::Created { answer, tag });
        true
    }

    /// Forgets the resource of a stream that ends, and tells the requests that
    /// still wait.
    pub(super) fn end_resource(&mut self, stream: &Stream, info: &str) {
        let Some(mut resource) = self.resources.remove(&stream.client) else {
            return;
        };
        if let Some(request) = resource.ice.give_up_restart() {
            self.refuse_request(request, &Refusal::NoSuchResource);
        }
        if resource.replied {
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
        if self.draining {
            return Err(Refusal::Draining);
        }
        let limit = self.config.limits.sessions;
        if self.occupied() >= limit {
            return Err(Refusal::TooManySessions { limit });
        }
        Ok(())
    }

    fn find_resource(&self, path: &ResourcePath) -> Option<PeerId> {
        let (peer, stream) = self.registry.with_id(&path.id)?;
        let publishes = path.endpoint == Endpoint::Whip;
        let same = stream.name == path.name && stream.is_publisher() == publishes;
        (same && self.resources.contains_key(&stream.client)).then_some(peer)
    }

    /// Whether media has the peer still.
    fn is_open(&self, peer: PeerId) -> bool {
        let stream = self.registry.stream(peer);
        stream.is_some_and(|stream| !matches!(stream.state, State::Over(_)))
    }

    fn resource_of(&mut self, peer: PeerId) -> Option<&mut Resource> {
        let client = self.registry.stream(peer)?.client;
        self.resources.get_mut(&client)
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
            Self::Restarting => Problem::Restarting,
            Self::MediaDeclined => Problem::NoCommonCodecs,
            Self::NotRestarted
            | Self::TooManyStreams { .. }
            | Self::TooManySessions { .. }
            | Self::Draining
            | Self::ShuttingDown => Problem::Unavailable,
            // Requests over HTTP run into none of these.
            Self::NotEstablished
            | Self::AlreadyEstablished
            | Self::Denied(_)
            | Self::IdMissing
            | Self::IdTooLong { .. }
            | Self::IdInUse
            | Self::CustomTooLarge { .. }
            | Self::PlayoutDelay
            | Self::TooManySnapshots { .. }
            | Self::NoSnapshots
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

/// The kinds of an SDP's media, one an m-line of audio or video that is not
/// declined: port zero does that (RFC 3264 section 6), unless it says that the
/// m-line shares another one's transport (RFC 9143 section 6).
fn live_media(sdp: &str) -> impl Iterator<Item = &str> {
    let sections = sdp.split("\nm=").skip(1);
    sections.filter_map(|section| {
        let mut lines = section.lines();
        let (kind, rest) = lines.next()?.split_once(' ')?;
        let declined = rest.starts_with("0 ") && !lines.any(|line| line == "a=bundle-only");
        (matches!(kind, "audio" | "video") && !declined).then_some(kind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sdp: &str, expected: &[&str]) {
        assert_eq!(live_media(sdp).collect::<Vec<_>>(), expected, "{sdp}");
    }

    #[test]
    fn media_counts_unless_it_is_declined() {
        check("", &[]);
        check("v=0\r\nm=audio 9 A 1\r\na=mid:0\r\n", &["audio"]);
        check("v=0\r\nm=audio 0 A 1\r\na=mid:0\r\n", &[]);
        let bundled = "v=0\r\nm=audio 9 A 1\r\nm=video 0 A 2\r\na=bundle-only\r\n";
        check(bundled, &["audio", "video"]);
        let declined = "v=0\nm=audio 0 A 1\nm=video 9 A 2\na=bundle-only\n";
        check(declined, &["video"]);
        check("v=0\nm=application 9 B 1\nm=videos 9 A 1\n", &[]);
    }
}
