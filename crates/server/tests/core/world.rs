//! A core, a scripted media backend and a virtual clock.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::Value;
use twoway_server::core::backend::{
    Codecs, Command, EndReason, Event, PeerId, PictureSize, SnapshotError, VideoRate, Wishes,
};
use twoway_server::core::{
    Answer, ClientId, CloseCode, Config, Core, Endpoint, Input, Notice, Order, Output, Reply,
    ResourcePath,
};
use twoway_server::counters::Reason;
use wire::{
    AvailableRequest, ClientMessage, Connection, MediaSessionId, PlayStream, PublishStream,
    ServerMessage, SnapshotRequest, StopStream, StreamName, StreamStatusEvent,
};

use crate::fake_backend::FakeBackend;

/// Every client's address.
const REMOTE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 50066);
/// The server's.
const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 8080);

pub(crate) struct World {
    pub(crate) core: Core,
    pub(crate) backend: FakeBackend,
    pub(crate) refused: Vec<Reason>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) closed: BTreeMap<ClientId, CloseCode>,
    /// How many messages were sent that could have been dropped.
    pub(crate) updates: usize,
    now: Instant,
    last_client: u64,
    last_peer: u64,
    sent: BTreeMap<ClientId, Vec<String>>,
    replies: BTreeMap<ClientId, Reply>,
    answers: BTreeMap<ClientId, Answer>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        Self {
            core: Core::new(config),
            backend: FakeBackend::default(),
            refused: Vec::new(),
            notices: Vec::new(),
            closed: BTreeMap::new(),
            updates: 0,
            now: Instant::now(),
            last_client: 0,
            last_peer: 0,
            sent: BTreeMap::new(),
            replies: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    /// A client that has opened its socket and said nothing.
    pub(crate) fn open(&mut self) -> ClientId {
        self.last_client += 1;
        let client = ClientId(self.last_client);
        self.handle(Input::Opened {
            client,
            remote: REMOTE,
            local: LOCAL,
            nonce: client.0.into(),
        });
        client
    }

    /// A client with an established session and nothing unread.
    pub(crate) fn connect(&mut self) -> ClientId {
        let client = self.open();
        self.send(client, ClientMessage::Connection(Connection::default()));
        self.read(client);
        client
    }

    /// A client that asks to be kept, and with which token it comes; its token.
    pub(crate) fn connect_kept(&mut self, token: Option<&str>) -> (ClientId, String) {
        let client = self.open();
        let connection = Connection {
            keep_alive: Some(true),
            auth_token: token.map(Into::into),
            ..Connection::default()
        };
        self.send(client, ClientMessage::Connection(connection));
        let sent = self.sent.get_mut(&client).unwrap();
        let (user_data, version) = (sent.remove(0), sent.remove(0));
        assert!(version.contains("getVersion"), "{version}");
        match ServerMessage::decode(&user_data).unwrap() {
            ServerMessage::UserData(data) => (client, data.auth_token.unwrap()),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn send(&mut self, client: ClientId, message: ClientMessage) {
        self.send_text(client, &message.encode());
    }

    pub(crate) fn send_text(&mut self, client: ClientId, text: &str) {
        let text = text.into();
        self.handle(Input::Text { client, text });
    }

    /// An HTTP request that offers media; who it is.
    pub(crate) fn offer(&mut self, path: &ResourcePath, offer: &str) -> ClientId {
        let (path, offer) = (path.clone(), offer.into());
        self.request(|client| Input::Offer {
            client,
            path,
            offer,
            wishes: Wishes::default(),
            remote: REMOTE,
            local: LOCAL,
        })
    }

    /// The reply to a request that ends a resource.
    pub(crate) fn delete(&mut self, path: &ResourcePath) -> Reply {
        let path = path.clone();
        let client = self.request(|client| Input::Delete { client, path });
        self.reply(client).unwrap()
    }

    /// An HTTP request that brings candidates or restarts ICE; who it is.
    pub(crate) fn patch(
        &mut self,
        path: &ResourcePath,
        tag: Option<&str>,
        fragment: &str,
    ) -> ClientId {
        self.request(|client| Input::Patch {
            client,
            path: path.clone(),
            tag: tag.map(Into::into),
            fragment: fragment.into(),
        })
    }

    /// An operator's request; what it is answered, if it is.
    pub(crate) fn order(&mut self, order: Order) -> Option<Answer> {
        let client = self.request(|client| Input::Order { client, order });
        self.answer(client)
    }

    /// What an operator's request was answered, if it was.
    pub(crate) fn answer(&mut self, client: ClientId) -> Option<Answer> {
        self.answers.remove(&client)
    }

    pub(crate) fn request(&mut self, input: impl FnOnce(ClientId) -> Input) -> ClientId {
        self.last_client += 1;
        let client = ClientId(self.last_client);
        self.handle(input(client));
        client
    }

    /// What a request was replied, if it was.
    pub(crate) fn reply(&mut self, client: ClientId) -> Option<Reply> {
        self.replies.remove(&client)
    }

    /// Media tells something about the newest peer but `back`.
    pub(crate) fn media_ends(&mut self, back: u64, reason: EndReason) {
        let peer = PeerId(self.last_peer - back);
        self.backend.forget(peer);
        self.handle(Input::Backend(Event::Ended { peer, reason }));
    }

    /// The video rate of the newest peer but `back`.
    pub(crate) fn media_rates(&mut self, back: u64, rate: VideoRate) {
        let peer = PeerId(self.last_peer - back);
        self.handle(Input::Backend(Event::Rate { peer, rate }));
    }

    /// Media has the oldest picture that was asked for, or has it not.
    pub(crate) fn media_takes_snapshot(&mut self, picture: Result<Vec<u8>, SnapshotError>) {
        let event = self.backend.take_snapshot(picture);
        self.handle(Input::Backend(event));
    }

    /// The newest peer but `back` has a picture of this size from now on.
    pub(crate) fn media_resizes(&mut self, back: u64, width: u32, height: u32) {
        let peer = PeerId(self.last_peer - back);
        let size = PictureSize { width, height };
        self.handle(Input::Backend(Event::Resized { peer, size }));
    }

    /// The newest peer but `back` needs more than its network has.
    pub(crate) fn media_is_squeezed(&mut self, back: u64, needed_bps: u64, available_bps: u64) {
        let peer = PeerId(self.last_peer - back);
        self.handle(Input::Backend(Event::NotEnoughBandwidth {
            peer,
            needed_bps,
            available_bps,
        }));
    }

    /// Media answers the newest peer.
    pub(crate) fn media_answers(&mut self) {
        self.handle(Input::Backend(Event::Answered {
            peer: PeerId(self.last_peer),
            answer: "answer".into(),
            codecs: Codecs::default(),
        }));
    }

    /// Media restarts the ICE of the newest peer but `back`.
    pub(crate) fn media_restarts(&mut self, back: u64) {
        let peer = PeerId(self.last_peer - back);
        let fragment = "late".into();
        self.handle(Input::Backend(Event::Restarted { peer, fragment }));
    }

    pub(crate) fn media_flows(&mut self) {
        let peer = PeerId(self.last_peer);
        self.handle(Input::Backend(Event::Flowing { peer }));
    }

    pub(crate) fn handle(&mut self, input: Input) {
        self.core.handle(input, self.now);
        self.obey();
        while let Some(event) = self.backend.poll_event() {
            self.core.handle(Input::Backend(event), self.now);
            self.obey();
        }
    }

    /// Lets time pass, stopping wherever the core asked for it.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.core.timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.handle(Input::Timeout);
        }
        self.now = end;
    }

    /// Lets time pass while a client answers its pings.
    pub(crate) fn pass_awake(&mut self, client: ClientId, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.send(client, ClientMessage::Pong);
            self.pass(Duration::from_secs(10).min(end - self.now));
        }
    }

    fn obey(&mut self) {
        while let Some(output) = self.core.poll_output() {
            self.updates += usize::from(matches!(output, Output::Update { .. }));
            match output {
                Output::Send { client, text } | Output::Update { client, text } => {
                    assert!(!self.closed.contains_key(&client), "sent after close");
                    self.sent.entry(client).or_default().push(text);
                }
                // The shell has room for everything here.
                Output::Large { client, text, .. } => {
                    assert!(!self.closed.contains_key(&client), "a picture for nobody");
                    self.sent.entry(client).or_default().push(text);
                }
                Output::Close { client, code, .. } => {
                    assert_eq!(self.closed.insert(client, code), None);
                }
                Output::Backend(command) => {
                    if let Command::Open { peer, .. } = &command {
                        self.last_peer = peer.0;
                    }
                    self.backend.command(command);
                }
                Output::Reply { client, reply } => {
                    assert_eq!(self.replies.insert(client, reply), None, "two replies");
                }
                Output::Refused { reason, .. } => self.refused.push(reason),
                Output::Answer { client, answer } => {
                    assert_eq!(self.answers.insert(client, answer), None, "two answers");
                }
                Output::Deliver {
                    client,
                    text,
                    request,
                } => {
                    assert!(!self.closed.contains_key(&client), "data for nobody");
                    self.sent.entry(client).or_default().push(text);
                    let done = self.answers.insert(request, Answer::Done(1));
                    assert_eq!(done, None, "two answers");
                }
                Output::Notice(notice) => self.notices.push(notice),
            }
        }
    }

    /// What a client was sent since the last call, as JSON.
    pub(crate) fn read_json(&mut self, client: ClientId) -> Vec<Value> {
        let texts = self.sent.remove(&client).unwrap_or_default();
        texts
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect()
    }

    /// What a client was sent since the last call.
    pub(crate) fn read(&mut self, client: ClientId) -> Vec<ServerMessage> {
        let texts = self.sent.remove(&client).unwrap_or_default();
        texts
            .iter()
            .map(|text| ServerMessage::decode(text).unwrap())
            .collect()
    }

    /// What a client was sent since the last call, in short; see [`short`].
    pub(crate) fn read_short(&mut self, client: ClientId) -> Vec<String> {
        self.read(client).iter().map(short).collect()
    }

    pub(crate) fn statuses(&mut self, client: ClientId) -> Vec<StreamStatusEvent> {
        let messages = self.read(client).into_iter();
        messages
            .filter_map(|message| match message {
                ServerMessage::StreamStatus(event) => Some(event),
                _ => None,
            })
            .collect()
    }
}

/// A message in one line: a status as `id STATUS info`, an event as `id type`.
pub(crate) fn short(message: &ServerMessage) -> String {
    match message {
        ServerMessage::RemoteSdp {
            media_session_id, ..
        } => format!("{media_session_id} SDP"),
        ServerMessage::StreamStatus(event) => {
            let info = event.info.as_deref().unwrap_or_default();
            let line = format!(
                "{} {} {info}",
                event.media_session_id,
                event.status.as_str()
            );
            line.trim_end().into()
        }
        ServerMessage::StreamEvent(event) => {
            format!("{} {:?}", event.media_session_id, event.event_type)
        }
        ServerMessage::Fail(failure) => {
            let info = failure.info.as_deref().unwrap_or_default();
            format!("fail {}: {info}", failure.api_method)
        }
        other => format!("{other:?}"),
    }
}

/// Where a stream is published over WHIP.
pub(crate) fn whip(stream: &str, id: &str) -> ResourcePath {
    ResourcePath {
        endpoint: Endpoint::Whip,
        name: StreamName::new(stream),
        id: MediaSessionId::new(id),
    }
}

/// Where a stream is played over WHEP.
pub(crate) fn whep(stream: &str, id: &str) -> ResourcePath {
    ResourcePath {
        endpoint: Endpoint::Whep,
        ..whip(stream, id)
    }
}

fn id(id: &str) -> Option<MediaSessionId> {
    Some(MediaSessionId::new(id))
}

fn name(name: &str) -> Option<StreamName> {
    Some(StreamName::new(name))
}

pub(crate) fn publish(media_session_id: &str, stream: &str, sdp: &str) -> ClientMessage {
    ClientMessage::PublishStream(PublishStream {
        media_session_id: id(media_session_id),
        name: name(stream),
        published: true,
        has_audio: true,
        has_video: true,
        media_provider: "WebRTC".into(),
        sdp: sdp.into(),
        ..PublishStream::default()
    })
}

pub(crate) fn play(media_session_id: &str, stream: &str, sdp: &str) -> ClientMessage {
    ClientMessage::PlayStream(PlayStream {
        media_session_id: id(media_session_id),
        name: name(stream),
        has_audio: true,
        has_video: true,
        media_provider: "WebRTC".into(),
        sdp: sdp.into(),
        ..PlayStream::default()
    })
}

pub(crate) fn stop(media_session_id: &str) -> ClientMessage {
    ClientMessage::StopStream(StopStream {
        media_session_id: id(media_session_id),
        ..StopStream::default()
    })
}

pub(crate) fn unpublish(media_session_id: &str) -> ClientMessage {
    ClientMessage::UnPublishStream(StopStream {
        media_session_id: id(media_session_id),
        published: true,
        ..StopStream::default()
    })
}

pub(crate) fn available(media_session_id: &str, stream: &str) -> ClientMessage {
    ClientMessage::AvailableStream(AvailableRequest {
        media_session_id: id(media_session_id),
        name: name(stream),
    })
}

pub(crate) fn snapshot(media_session_id: &str, stream: &str) -> ClientMessage {
    ClientMessage::Snapshot(SnapshotRequest {
        media_session_id: id(media_session_id),
        name: name(stream),
    })
}
