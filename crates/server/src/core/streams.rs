//! Publish, play and stop, and questions about a name.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use wire::{
    Availability, AvailableRequest, MediaSessionId, MuteState, PlayStream, PublishStream,
    ServerMessage, StopStream, StreamName, StreamStatus, StreamStatusEvent, info,
};

use super::backend::{Codecs, Command, PeerId, Role, Wishes};
use super::wishes::Echo;
use super::{ClientId, Core, Ending, Kind, Refusal, SessionInfo, State, Stream, Timer};

/// What publish and play requests have in common.
pub(super) struct Request {
    pub(super) session: Arc<SessionInfo>,
    pub(super) id: Option<MediaSessionId>,
    pub(super) name: Option<StreamName>,
    pub(super) media_provider: String,
    pub(super) sdp: String,
    pub(super) wishes: Wishes,
    pub(super) echo: Echo,
}

/// A request that is within its limits and does not clash.
struct Admitted {
    session: Arc<SessionInfo>,
    id: MediaSessionId,
    name: StreamName,
    offer: String,
    wishes: Wishes,
    echo: Echo,
}

impl Admitted {
    fn refused(self, why: Refusal) -> Refused {
        Refused {
            id: Some(self.id),
            name: Some(self.name),
            why,
        }
    }
}

/// A request that was refused, and what its client has to be told by.
pub(super) struct Refused {
    id: Option<MediaSessionId>,
    name: Option<StreamName>,
    pub(super) why: Refusal,
}

impl Core {
    pub(super) fn handle_publish(
        &mut self,
        client: ClientId,
        mut request: PublishStream,
        now: Instant,
    ) {
        const METHOD: &str = "publishStream";
        let Some(session) = self.session_of(client) else {
            return;
        };
        let has = (request.has_audio, request.has_video);
        let not_served = [
            request.record.then_some(Refusal::Recording),
            request.rtmp_url.take().map(|_| Refusal::Rtmp),
        ];
        let echo = Echo::of_publish(&mut request);
        let request = Request {
            session,
            id: request.media_session_id,
            name: request.name,
            media_provider: request.media_provider,
            sdp: request.sdp,
            wishes: echo.wishes(),
            echo,
        };
        if let Err(refused) = self.open_publisher(client, request, has, now) {
            let Refused { id, name, why } = refused;
            return self.refuse_stream(client, METHOD, id, name, &why);
        }
        // Without the id, which old clients take for the stream's own failure.
        for why in not_served.into_iter().flatten() {
            self.refuse(client, METHOD, None, &why);
        }
    }

    pub(super) fn handle_play(&mut self, client: ClientId, mut request: PlayStream, now: Instant) {
        const METHOD: &str = "playStream";
        let Some(session) = self.session_of(client) else {
            return;
        };
        let echo = Echo::of_play(&mut request);
        let playout_delay = match echo.playout_delay() {
            Ok(delay) => delay,
            Err(why) => {
                let (id, name) = (request.media_session_id, request.name);
                return self.refuse_stream(client, METHOD, id, name, &why);
            }
        };
        let request = Request {
            session,
            id: request.media_session_id,
            name: request.name,
            media_provider: request.media_provider,
            sdp: request.sdp,
            wishes: Wishes {
                playout_delay,
                ..echo.wishes()
            },
            echo,
        };
        if let Err(refused) = self.open_player(client, request, now) {
            let Refused { id, name, why } = refused;
            self.refuse_stream(client, METHOD, id, name, &why);
        }
    }

    /// Makes a publisher if nothing speaks against it.
    pub(super) fn open_publisher(
        &mut self,
        client: ClientId,
        request: Request,
        has: (bool, bool),
        now: Instant,
    ) -> Result<(), Refused> {
        let admitted = self.admit(client, request)?;
        if self.registry.publisher(&admitted.name).is_some() {
            return Err(admitted.refused(Refusal::NameInUse));
        }
        let kind = Kind::Publisher {
            players: BTreeSet::new(),
            audio: MuteState::default(),
            video: MuteState::default(),
            size: None,
            flowed: false,
        };
        self.open(client, admitted, kind, has, now);
        Ok(())
    }

    /// Makes a player if there is something to play.
    pub(super) fn open_player(
        &mut self,
        client: ClientId,
        request: Request,
        now: Instant,
    ) -> Result<(), Refused> {
        let admitted = self.admit(client, request)?;
        match self.registry.publisher(&admitted.name) {
            Some((source, publisher)) if publisher.state == State::Active => {
                // The request's own flags are always true: the publisher knows better.
                let has = (publisher.has_audio, publisher.has_video);
                let kind = Kind::Player { source, takes: has };
                self.open(client, admitted, kind, has, now);
                Ok(())
            }
            Some(_) => Err(admitted.refused(Refusal::NotReady)),
            None if self.registry.is_held(&admitted.name) => {
                Err(admitted.refused(Refusal::NotReady))
            }
            None => Err(admitted.refused(Refusal::NoSuchStream)),
        }
    }

    /// Ends a stream of this client by its own wish, whichever of the two stop
    /// messages it sent. An unknown id is no error: clients repeat stops.
    pub(super) fn handle_stop(&mut self, client: ClientId, request: StopStream) {
        let Some(id) = request.media_session_id else {
            return self.refuse(client, "stopStream", None, &Refusal::IdMissing);
        };
        match self.registry.with_id(&id) {
            Some((peer, stream)) if stream.client == client => self.end(peer, Ending::ByUser),
            Some(_) | None => tracing::debug!(client = client.0, "stop of an unknown stream"),
        }
    }

    pub(super) fn handle_available(&mut self, client: ClientId, request: AvailableRequest) {
        let Some(id) = request.media_session_id else {
            return self.refuse(client, "availableStream", None, &Refusal::IdMissing);
        };
        let info = self.why_unavailable(request.name.as_ref());
        let answer = Availability {
            id,
            available: info.is_none(),
            info: info.map(Into::into),
        };
        self.send(client, &ServerMessage::Available(answer));
    }

    pub(super) fn deny_available(
        &mut self,
        client: ClientId,
        request: AvailableRequest,
        why: &Refusal,
    ) {
        let Some(id) = request.media_session_id else {
            return self.refuse(client, "availableStream", None, &Refusal::IdMissing);
        };
        self.count(client, why.reason(), why.to_string());
        let answer = Availability {
            id,
            available: false,
            info: Some(why.to_string()),
        };
        self.send(client, &ServerMessage::Available(answer));
    }

    /// Why a name cannot be played now; `None` if it can.
    pub(super) fn why_unavailable(&self, name: Option<&StreamName>) -> Option<&'static str> {
        match name.and_then(|name| self.registry.publisher(name)) {
            Some((_, publisher)) if publisher.state == State::Active => None,
            Some(_) => Some(info::PUBLISH_STREAM_IS_NOT_READY),
            None if name.is_some_and(|name| self.registry.is_held(name)) => {
                Some(info::PUBLISH_STREAM_IS_NOT_READY)
            }
            None => Some(info::STREAM_NOT_FOUND),
        }
    }

    /// Checks a request against limits and ids.
    fn admit(&self, client: ClientId, request: Request) -> Result<Admitted, Refused> {
        match self.check(client, &request) {
            Ok((id, name)) => Ok(Admitted {
                session: Arc::clone(&request.session),
                id: id.clone(),
                name: name.clone(),
                offer: request.sdp,
                wishes: request.wishes,
                echo: request.echo,
            }),
            Err(why) => Err(Refused {
                id: request.id,
                name: request.name,
                why,
            }),
        }
    }

    fn check<'a>(
        &self,
        client: ClientId,
        request: &'a Request,
    ) -> Result<(&'a MediaSessionId, &'a StreamName), Refusal> {
        let limits = &self.config.limits;
        let limit = limits.name_chars;
        let id = request.id.as_ref().ok_or(Refusal::IdMissing)?;
        if id.as_str().is_empty() {
            return Err(Refusal::IdMissing);
        }
        if id.as_str().chars().count() > limit {
            return Err(Refusal::IdTooLong { limit });
        }
        if self.registry.with_id(id).is_some() {
            return Err(Refusal::IdInUse);
        }
        let name = request.name.as_ref().ok_or(Refusal::NameEmpty)?;
        if name.as_str().is_empty() {
            return Err(Refusal::NameEmpty);
        }
        if name.as_str().chars().count() > limit {
            return Err(Refusal::NameTooLong { limit });
        }
        if !matches!(request.media_provider.as_str(), "" | "WebRTC") {
            return Err(Refusal::MediaProvider);
        }
        if request.sdp.len() > limits.sdp_bytes {
            let limit = limits.sdp_bytes;
            return Err(Refusal::SdpTooLarge { limit });
        }
        let limit = limits.custom_bytes;
        let custom = request.echo.custom.as_ref();
        if custom.is_some_and(|custom| custom.to_string().len() > limit) {
            return Err(Refusal::CustomTooLarge { limit });
        }
        let limit = limits.streams_per_session;
        if self.registry.count_of_client(client) >= limit {
            return Err(Refusal::TooManyStreams { limit });
        }
        Ok((id, name))
    }

    fn open(
        &mut self,
        client: ClientId,
        admitted: Admitted,
        kind: Kind,
        (has_audio, has_video): (bool, bool),
        now: Instant,
    ) {
        self.last_peer += 1;
        let peer = PeerId(self.last_peer);
        let role = match kind {
            Kind::Publisher { .. } => Role::Publisher,
            Kind::Player { source, .. } => Role::Player { source },
        };
        let Admitted {
            session,
            id,
            name,
            offer,
            wishes,
            echo,
        } = admitted;
        let stream = Stream {
            client,
            session,
            id,
            name,
            kind,
            state: State::Offered,
            has_audio,
            has_video,
            codecs: Codecs::default(),
            echo,
            rate: None,
            created: self.unix_time.map(|time| time.as_millis() as u64),
        };
        tracing::info!(
            client = client.0,
            peer = peer.0,
            stream = stream.name.as_str(),
            media_session = self.shown_id(&stream),
            ?role,
            "stream opened"
        );
        self.registry.insert(peer, stream);
        let overdue = now + self.config.start_timeout;
        self.deadlines.set(Timer::Stream(peer), overdue);
        self.command(Command::Open {
            peer,
            role,
            offer,
            wishes,
        });
    }

    /// Refuses a publish or play: FAILED, unless its id cannot carry a status.
    /// A status under an id that is live in the same session would end, for
    /// the client, the stream that has it; `fail` ends nothing.
    pub(super) fn refuse_stream(
        &mut self,
        client: ClientId,
        method: &str,
        id: Option<MediaSessionId>,
        name: Option<StreamName>,
        why: &Refusal,
    ) {
        let Some(id) =
            id.filter(|_| !matches!(why, Refusal::IdMissing | Refusal::IdTooLong { .. }))
        else {
            return self.refuse(client, method, None, why);
        };
        let live_here = |(_, stream): (_, &Stream)| stream.client == client;
        if self.registry.with_id(&id).is_some_and(live_here) {
            return self.refuse(client, method, Some(&id), why);
        }
        tracing::info!(client = client.0, method, %why, "stream refused");
        self.count(client, why.reason(), why.to_string());
        let publishes = method == "publishStream";
        let event = StreamStatusEvent {
            info: Some(why.to_string()),
            name: name.filter(|_| !matches!(why, Refusal::NameTooLong { .. })),
            published: publishes,
            media_type: Some(if publishes { "publish" } else { "play" }.into()),
            ..StreamStatusEvent::new(id, StreamStatus::Failed)
        };
        if let Some(session) = self.session_of(client) {
            self.notice_stream(client, &session, &event);
        }
        self.send(client, &ServerMessage::StreamStatus(event));
    }

    /// The established session of a client that has its socket.
    pub(super) fn session_of(&self, client: ClientId) -> Option<Arc<SessionInfo>> {
        self.clients.get(&client)?.session().cloned()
    }
}
