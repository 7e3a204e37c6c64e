//! Every message in every state, every backend event at any time: whatever
//! comes, requests end, statuses make sense and nothing is left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use twoway_server::core::backend::{
    Codecs, Command, EndReason, Event, PeerId, PictureSize, Role, SnapshotError, SnapshotId, Wishes,
};
use twoway_server::core::{
    ClientId, Config, Core, Input, Notice, Order, Output, ResourcePath, StreamFilter,
};
use twoway_server::limits::Limits;
use wire::{ClientMessage, MediaSessionId, ServerMessage, StreamName, StreamStatus};

use crate::world::{available, play, publish, snapshot, stop, unpublish, whep, whip};

/// Clients there can be at a time.
const SEATS: u64 = 3;

/// Every client's address, and the server's.
const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// Requests over HTTP are numbered from here, clear of the few sockets.
const FIRST_REQUEST: u64 = 1_000;

/// One step of a random story. Numbers choose among few, so that things meet.
#[derive(Debug, Clone)]
enum Step {
    Open,
    Gone(u64),
    Overflowed(u64),
    Binary(u64),
    Oversized(u64),
    Connection(u64),
    /// `keepAlive`, with the token of one of the newest kept sessions.
    Resumption(u64, usize),
    Publish(u64, u8, u8),
    Play(u64, u8, u8),
    Stop(u64, u8),
    Unpublish(u64, u8),
    Text(u64, String),
    Answered(u64),
    Flowing(u64),
    Ended(u64, EndReason),
    /// A picture of one of few names, under one of few ids.
    Snapshot(u64, u8, u8),
    /// One of the newest pictures asked for is taken, or not.
    Picture(u64, bool),
    Resized(u64, u32),
    NotEnoughBandwidth(u64),
    /// WHIP or WHEP, with one of few names.
    Offer(bool, u8),
    /// One of the newest resources, by the number of those after it.
    Delete(u64),
    /// Restart ICE of one of them, with one of few user name fragments.
    Patch(u64, u8),
    /// Media restarted a peer.
    Restarted(u64),
    /// The request of one is given up.
    GiveUp(u64),
    Order(Order),
    Pass(u64),
}

fn reasons() -> impl Strategy<Value = EndReason> {
    prop::sample::select(vec![
        EndReason::BadOffer,
        EndReason::NoCommonCodecs,
        EndReason::TranscodingNeeded,
        EndReason::SourceGone,
        EndReason::SourceNotReady,
        EndReason::IceTimeout,
        EndReason::IceLost,
        EndReason::DtlsFingerprint,
        EndReason::Dtls,
        EndReason::RtpInactive,
        EndReason::ClosedByPeer,
        EndReason::Internal,
    ])
}

/// Messages that only need to be survived.
fn texts() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "connection",
        "publishStream",
        "playStream",
        "stopStream",
        "unPublishStream",
        "availableStream",
        "snapshot",
        "sendStreamEvent",
        "sendData",
        "DataStatusEvent",
        "ping",
        "pong",
        "pushLogs",
        "sessionDebug",
        "pauseStream",
        "call",
        "nonsense",
    ]);
    let arguments = prop::sample::select(vec![
        "",
        r#","data":[]"#,
        r#","data":[null]"#,
        r#","data":[7]"#,
        r#","data":[{}]"#,
        r#","data":[{"mediaSessionId":0,"name":0,"type":"data","payload":{}}]"#,
        r#","data":[{"mediaSessionId":"1","name":"n0","type":"audioMuted"}]"#,
        r#","data":[{"mediaSessionId":null,"name":null,"type":"odd"}]"#,
    ]);
    let messages = (names, arguments).prop_map(|(n, a)| format!(r#"{{"message":"{n}"{a}}}"#));
    let questions = (0..4_u8, 0..2_u8).prop_map(|(id, name)| {
        let (id, name) = (id.to_string(), format!("n{name}"));
        available(&id, &name).encode() + &snapshot(&id, &name).encode()
    });
    prop_oneof![8 => messages, 1 => questions, 1 => ".{0,40}"]
}

/// How long names are held; often not at all.
fn holds() -> impl Strategy<Value = Duration> {
    prop_oneof![Just(0), 1..20_000_u64].prop_map(Duration::from_millis)
}

fn steps() -> impl Strategy<Value = Step> {
    let client = 1..4_u64;
    let peer = 0..4_u64;
    prop_oneof![
        2 => Just(Step::Open),
        1 => client.clone().prop_map(Step::Gone),
        1 => client.clone().prop_map(Step::Overflowed),
        1 => client.clone().prop_map(Step::Binary),
        1 => client.clone().prop_map(Step::Oversized),
        4 => client.clone().prop_map(Step::Connection),
        4 => (client.clone(), 0..4_usize).prop_map(|(c, t)| Step::Resumption(c, t)),
        8 => (client.clone(), 0..4_u8, 0..2_u8).prop_map(|(c, i, n)| Step::Publish(c, i, n)),
        8 => (client.clone(), 0..4_u8, 0..2_u8).prop_map(|(c, i, n)| Step::Play(c, i, n)),
        4 => (client.clone(), 0..4_u8).prop_map(|(c, i)| Step::Stop(c, i)),
        4 => (client.clone(), 0..4_u8).prop_map(|(c, i)| Step::Unpublish(c, i)),
        8 => (client.clone(), texts()).prop_map(|(c, t)| Step::Text(c, t)),
        10 => peer.clone().prop_map(Step::Answered),
        10 => peer.clone().prop_map(Step::Flowing),
        3 => (peer.clone(), reasons()).prop_map(|(p, r)| Step::Ended(p, r)),
        4 => (client.clone(), 0..4_u8, 0..2_u8).prop_map(|(c, i, n)| Step::Snapshot(c, i, n)),
        3 => (peer.clone(), any::<bool>()).prop_map(|(r, taken)| Step::Picture(r, taken)),
        2 => (peer.clone(), 1..3_u32).prop_map(|(p, width)| Step::Resized(p, width)),
        2 => peer.prop_map(Step::NotEnoughBandwidth),
        4 => (0..12_000_u64).prop_map(Step::Pass),
        4 => (any::<bool>(), 0..2_u8).prop_map(|(whip, n)| Step::Offer(whip, n)),
        2 => (0..4_u64).prop_map(Step::Delete),
        3 => (0..4_u64, 0..3_u8).prop_map(|(back, user)| Step::Patch(back, user)),
        2 => (0..4_u64).prop_map(Step::Restarted),
        1 => (0..4_u64).prop_map(Step::GiveUp),
        4 => orders().prop_map(Step::Order),
    ]
}

fn orders() -> impl Strategy<Value = Order> {
    let streams = (0..2_u8, 0..4_u8, 0..4_u8).prop_map(|(name, id, which)| {
        let name = StreamName::new(format!("n{name}"));
        let named = StreamFilter {
            name: (which != 0).then_some(name),
            ids: if which < 2 {
                vec![MediaSessionId::new(id.to_string())]
            } else {
                Vec::new()
            },
            published: (which == 3).then_some(true),
            status: None,
        };
        let event = Order::StreamEvent {
            streams: named.clone(),
            payload: true.into(),
        };
        (Order::Terminate(named), event)
    });
    let name = || StreamName::new("n0");
    let session_id = || format!("/{ADDRESS}/{ADDRESS}");
    prop_oneof![
        streams.clone().prop_map(|(terminate, _)| terminate),
        streams.prop_map(|(_, event)| event),
        Just(Order::Snapshot { name: name() }),
        Just(Order::Disconnect {
            session_id: session_id()
        }),
        Just(Order::Data {
            session_id: session_id(),
            operation_id: "o".into(),
            payload: true.into(),
        }),
    ]
}

/// What a client knows of a stream it asked for.
#[derive(Debug, Default)]
struct Told {
    /// Requests sent and not ended.
    open_requests: u32,
    answered: bool,
    active: bool,
}

/// Drives a core and checks everything it says.
struct Checker {
    core: Core,
    hold_time: Duration,
    now: Instant,
    clients: BTreeSet<ClientId>,
    last_seat: u64,
    /// The newest client in each seat; none has an id twice.
    seats: BTreeMap<u64, ClientId>,
    last_client: u64,
    /// Who had each kept session last, and the tokens in order of age.
    kept: BTreeMap<String, ClientId>,
    tokens: Vec<String>,
    peers: BTreeMap<PeerId, Role>,
    last_peer: u64,
    last_snapshot: u64,
    told: BTreeMap<(ClientId, String), Told>,
    /// Who is PUBLISHING which name, as clients were told.
    publishing: BTreeMap<String, (ClientId, String)>,
    /// Every resource that was asked for.
    resources: Vec<ResourcePath>,
    /// Requests without a reply.
    waiting: BTreeSet<ClientId>,
    last_request: u64,
    /// Established and not ended, as notices say.
    sessions: usize,
}

impl Checker {
    /// A core that holds names for so long.
    fn new(hold_time: Duration) -> Self {
        let limits = Limits {
            streams_per_session: 3,
            sessions: 3,
            ..Limits::default()
        };
        Self {
            hold_time,
            core: Core::new(Config {
                limits,
                hold_time,
                notices: true,
                ..Config::default()
            }),
            now: Instant::now(),
            clients: BTreeSet::new(),
            last_seat: 0,
            seats: BTreeMap::new(),
            last_client: 0,
            kept: BTreeMap::new(),
            tokens: Vec::new(),
            peers: BTreeMap::new(),
            last_peer: 0,
            last_snapshot: 0,
            told: BTreeMap::new(),
            publishing: BTreeMap::new(),
            resources: Vec::new(),
            waiting: BTreeSet::new(),
            last_request: FIRST_REQUEST,
            sessions: 0,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Open => {
                self.last_seat = self.last_seat % SEATS + 1;
                self.open(self.last_seat);
            }
            Step::Gone(c) => self.gone(self.client(c)),
            Step::Overflowed(c) => self.handle(Input::Overflowed {
                client: self.client(c),
            }),
            Step::Binary(c) => self.handle(Input::Binary {
                client: self.client(c),
            }),
            Step::Oversized(c) => self.handle(Input::Oversized {
                client: self.client(c),
            }),
            Step::Connection(c) => {
                self.send(c, &ClientMessage::Connection(wire::Connection::default()))
            }
            Step::Resumption(c, back) => {
                let connection = wire::Connection {
                    keep_alive: Some(true),
                    auth_token: self.tokens.iter().rev().nth(back).cloned(),
                    ..wire::Connection::default()
                };
                self.send(c, &ClientMessage::Connection(connection));
            }
            Step::Publish(c, id, name) => {
                self.request(c, id, |id| publish(id, &format!("n{name}"), "offer"));
            }
            Step::Play(c, id, name) => {
                self.request(c, id, |id| play(id, &format!("n{name}"), "offer"));
            }
            Step::Stop(c, id) => self.send(c, &stop(&id.to_string())),
            Step::Unpublish(c, id) => self.send(c, &unpublish(&id.to_string())),
            Step::Text(c, text) => {
                self.expect_requests_of(c, &text);
                self.text(c, text);
            }
            Step::Answered(back) => {
                let peer = self.peer(back);
                let (answer, codecs) = (String::from("answer"), Codecs::default());
                self.handle(Input::Backend(Event::Answered {
                    peer,
                    answer,
                    codecs,
                }));
            }
            Step::Flowing(back) => {
                let peer = self.peer(back);
                self.handle(Input::Backend(Event::Flowing { peer }));
            }
            Step::Ended(back, reason) => {
                let peer = self.peer(back);
                self.peers.remove(&peer);
                self.handle(Input::Backend(Event::Ended { peer, reason }));
            }
            Step::Snapshot(c, id, name) => {
                self.send(c, &snapshot(&id.to_string(), &format!("n{name}")));
            }
            Step::Picture(back, is_taken) => {
                let request = SnapshotId(self.last_snapshot.saturating_sub(back));
                let picture = if is_taken {
                    Ok(vec![0])
                } else {
                    Err(SnapshotError::NoKeyframe)
                };
                self.handle(Input::Backend(Event::Snapshot { request, picture }));
            }
            Step::Resized(back, width) => {
                let (peer, size) = (self.peer(back), PictureSize { width, height: 1 });
                self.handle(Input::Backend(Event::Resized { peer, size }));
            }
            Step::NotEnoughBandwidth(back) => {
                let (needed_bps, available_bps) = (2, 1);
                self.handle(Input::Backend(Event::NotEnoughBandwidth {
                    peer: self.peer(back),
                    needed_bps,
                    available_bps,
                }));
            }
            Step::Offer(is_whip, name) => self.offer(is_whip, &format!("n{name}")),
            Step::Delete(back) => self.delete(back),
            Step::Patch(back, user) => self.patch(back, user),
            Step::Restarted(back) => {
                let (peer, fragment) = (self.peer(back), String::new());
                self.handle(Input::Backend(Event::Restarted { peer, fragment }));
            }
            Step::GiveUp(back) => {
                let client = ClientId(self.last_request.saturating_sub(back));
                self.handle(Input::Gone { client });
            }
            Step::Order(order) => {
                let client = self.next_request();
                self.handle(Input::Order { client, order });
            }
            Step::Pass(ms) => self.pass(Duration::from_millis(ms)),
        }
    }

    fn offer(&mut self, is_whip: bool, name: &str) {
        let id = format!("resource {}", self.resources.len());
        let path = if is_whip {
            whip(name, &id)
        } else {
            whep(name, &id)
        };
        self.resources.push(path.clone());
        let client = self.next_request();
        let offer = "offer".into();
        self.handle(Input::Offer {
            client,
            path,
            offer,
            wishes: Wishes::default(),
            remote: ADDRESS,
            local: ADDRESS,
        });
    }

    fn patch(&mut self, back: u64, user: u8) {
        let Some(path) = self.resources.iter().rev().nth(back as usize).cloned() else {
            return;
        };
        let client = self.next_request();
        self.handle(Input::Patch {
            client,
            path,
            tag: Some("*".into()),
            fragment: format!("a=ice-ufrag:{user}\r\na=ice-pwd:p\r\n"),
        });
    }

    fn delete(&mut self, back: u64) {
        let Some(path) = self.resources.iter().rev().nth(back as usize).cloned() else {
            return;
        };
        let client = self.next_request();
        self.handle(Input::Delete { client, path });
        assert!(!self.waiting.contains(&client), "not replied at once");
    }

    fn next_request(&mut self) -> ClientId {
        self.last_request += 1;
        let client = ClientId(self.last_request);
        self.waiting.insert(client);
        client
    }

    /// The newest client in a seat; one that never was if there is none.
    fn client(&self, seat: u64) -> ClientId {
        self.seats.get(&seat).copied().unwrap_or(ClientId(0))
    }

    fn open(&mut self, seat: u64) {
        if !self.clients.contains(&self.client(seat)) {
            self.last_client += 1;
            let client = ClientId(self.last_client);
            self.seats.insert(seat, client);
            self.clients.insert(client);
            self.handle(Input::Opened {
                client,
                remote: ADDRESS,
                local: ADDRESS,
                nonce: client.0.into(),
            });
        }
    }

    fn gone(&mut self, client: ClientId) {
        self.lose(client);
        self.handle(Input::Gone { client });
    }

    /// A client that is gone expects nothing, unless it comes back.
    fn lose(&mut self, client: ClientId) {
        self.clients.remove(&client);
        if !self.kept.values().any(|owner| *owner == client) {
            self.told.retain(|(owner, _), _| *owner != client);
        }
        self.publishing.retain(|_, (owner, _)| *owner != client);
    }

    /// The newest peer but `back`, open or not.
    fn peer(&self, back: u64) -> PeerId {
        PeerId(self.last_peer.saturating_sub(back))
    }

    fn request(&mut self, client: u64, id: u8, message: impl Fn(&str) -> ClientMessage) {
        let id = id.to_string();
        self.expect(client, &id);
        self.send(client, &message(&id));
    }

    fn expect(&mut self, client: u64, id: &str) {
        let client = self.client(client);
        if self.clients.contains(&client) {
            let told = self.told.entry((client, id.into())).or_default();
            told.open_requests += 1;
        }
    }

    /// Random texts may be publish or play requests too.
    fn expect_requests_of(&mut self, client: u64, text: &str) {
        let id = match ClientMessage::decode(text) {
            Ok(ClientMessage::PublishStream(request)) => request.media_session_id,
            Ok(ClientMessage::PlayStream(request)) => request.media_session_id,
            _ => None,
        };
        if let Some(id) = id {
            self.expect(client, id.as_str());
        }
    }

    fn send(&mut self, client: u64, message: &ClientMessage) {
        self.text(client, message.encode());
    }

    fn text(&mut self, client: u64, text: String) {
        let client = self.client(client);
        self.handle(Input::Text { client, text });
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.core.timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.handle(Input::Timeout);
        }
        self.now = end;
    }

    fn handle(&mut self, input: Input) {
        self.core.handle(input, self.now);
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::Send { client, text } | Output::Update { client, text } => {
                    assert!(self.clients.contains(&client), "sent to nobody: {text}");
                    self.check_message(client, ServerMessage::decode(&text).unwrap());
                }
                Output::Large {
                    client,
                    text,
                    otherwise,
                } => {
                    assert!(self.clients.contains(&client), "a picture for nobody");
                    self.check_message(client, ServerMessage::decode(&text).unwrap());
                    ServerMessage::decode(&otherwise).unwrap();
                }
                Output::Close { client, .. } => {
                    assert!(self.clients.contains(&client));
                    self.lose(client);
                }
                Output::Backend(Command::Open { peer, role, .. }) => {
                    if let Role::Player { source } = role {
                        self.check_publisher(source);
                    }
                    assert!(peer.0 > self.last_peer, "a peer is never reused");
                    self.last_peer = peer.0;
                    self.peers.insert(peer, role);
                }
                Output::Backend(Command::Restart { peer, .. }) => {
                    assert!(
                        self.peers.contains_key(&peer),
                        "restarted what was not open"
                    );
                }
                Output::Backend(Command::Close { peer }) => {
                    assert!(
                        self.peers.remove(&peer).is_some(),
                        "closed what was not open"
                    );
                }
                Output::Backend(Command::Splice { from, to }) => self.splice(from, to),
                Output::Backend(Command::Snapshot { request, source }) => {
                    self.check_publisher(source);
                    assert!(request.0 > self.last_snapshot, "a request is never reused");
                    self.last_snapshot = request.0;
                }
                Output::Reply { client, .. } => {
                    assert!(self.waiting.remove(&client), "replied twice or to nobody");
                }
                Output::Answer { client, .. } => {
                    assert!(self.waiting.remove(&client), "answered twice or nobody");
                }
                Output::Deliver {
                    client, request, ..
                } => {
                    assert!(self.clients.contains(&client), "data for nobody");
                    assert!(self.waiting.remove(&request), "answered twice or nobody");
                }
                Output::Refused { detail, .. } => assert!(!detail.is_empty()),
                Output::Notice(notice) => self.check_notice(&notice),
            }
        }
        assert_eq!(self.sessions, self.core.stats().sessions, "as noticed");
    }

    fn check_notice(&mut self, notice: &Notice) {
        match notice {
            Notice::SessionEstablished { session, .. } => {
                assert_eq!(session.session_id, "/127.0.0.1:1/127.0.0.1:1", "no secret");
                self.sessions += 1;
            }
            Notice::SessionEnded { .. } => {
                assert!(self.sessions > 0, "a session ended twice");
                self.sessions -= 1;
            }
            Notice::Stream { stream, .. } => {
                let status = &stream.event.status;
                assert!(status.is_terminal() || *status != StreamStatus::Pending);
            }
            Notice::Data { .. } => {}
        }
    }

    fn check_publisher(&self, peer: PeerId) {
        let role = self.peers.get(&peer);
        assert_eq!(role, Some(&Role::Publisher), "{peer:?} publishes");
    }

    fn splice(&mut self, from: PeerId, to: PeerId) {
        self.check_publisher(to);
        assert!(!self.peers.contains_key(&from), "{from:?} is not over");
        let waits = |role: &&mut Role| **role == Role::Player { source: from };
        let mut players = self.peers.values_mut().filter(waits).peekable();
        assert!(players.peek().is_some(), "nobody is spliced");
        for player in players {
            *player = Role::Player { source: to };
        }
    }

    /// Players without a publisher wait for one, and not for ever.
    fn check_that_nobody_waits_in_vain(&mut self) {
        self.pass(self.hold_time);
        for (peer, role) in &self.peers {
            if let Role::Player { source } = role {
                assert!(self.peers.contains_key(source), "{peer:?} waits");
            }
        }
    }

    fn check_message(&mut self, client: ClientId, message: ServerMessage) {
        match message {
            ServerMessage::RemoteSdp {
                media_session_id, ..
            } => {
                let told = self.told_of(client, media_session_id.as_str());
                assert!(!told.answered, "a second answer");
                told.answered = true;
            }
            ServerMessage::UserData(data) => {
                let token = data.auth_token.unwrap();
                if let Some(old) = self.kept.remove(&token) {
                    self.resume(old, client);
                }
                if data.connection.keep_alive == Some(true) {
                    self.tokens.push(token.clone());
                    self.kept.insert(token, client);
                }
            }
            ServerMessage::StreamStatus(event) => {
                let id = event.media_session_id.as_str();
                let name = event.name.as_ref().map_or("", |name| name.as_str());
                self.check_status(client, id, name, &event.status);
            }
            // The id is taken in this session: that request ends here.
            ServerMessage::Fail(failure) => {
                if let (Some(id), "publishStream" | "playStream") =
                    (&failure.id, failure.api_method.as_str())
                {
                    self.told_of(client, id).open_requests -= 1;
                }
            }
            _ => {}
        }
    }

    /// What was asked for on one socket goes on on another, where active
    /// streams are told anew.
    fn resume(&mut self, old: ClientId, new: ClientId) {
        assert!(!self.clients.contains(&old), "two sockets of a session");
        let ids: Vec<_> = self
            .told
            .keys()
            .filter(|key| key.0 == old)
            .cloned()
            .collect();
        for (_, id) in ids {
            let before = self.told.remove(&(old, id.clone())).unwrap();
            let told = self.told.entry((new, id)).or_default();
            told.open_requests += before.open_requests;
            told.answered = before.answered;
        }
    }

    fn told_of(&mut self, client: ClientId, id: &str) -> &mut Told {
        let key = (client, String::from(id));
        self.told
            .get_mut(&key)
            .expect("told of a stream never asked for")
    }

    fn check_status(&mut self, client: ClientId, id: &str, name: &str, status: &StreamStatus) {
        let told = self.told_of(client, id);
        if status.is_terminal() {
            assert!(told.open_requests > 0, "{id} ended twice");
            told.open_requests -= 1;
            (told.answered, told.active) = (false, false);
            let key = (client, String::from(id));
            self.publishing.retain(|_, publisher| *publisher != key);
            return;
        }
        assert!(told.open_requests > 0, "{id} is active after its end");
        assert!(told.answered && !told.active, "{id}: {status:?}");
        told.active = true;
        if *status == StreamStatus::Publishing {
            let key = (client, String::from(id));
            assert_eq!(
                self.publishing.insert(name.into(), key),
                None,
                "two of {name}"
            );
        }
    }

    /// Time for every request to be decided.
    fn check_that_requests_end(&mut self) {
        for _ in 0..7 {
            for client in 1..4 {
                self.send(client, &ClientMessage::Pong);
            }
            self.pass(Duration::from_secs(10));
        }
        let here = |client| self.clients.contains(client);
        for (key, told) in self.told.iter().filter(|(key, _)| here(&key.0)) {
            let pending = told.open_requests - u32::from(told.active);
            assert_eq!(pending, 0, "{key:?} was never answered");
        }
        assert!(self.waiting.is_empty(), "never replied: {:?}", self.waiting);
    }

    fn check_that_nothing_is_left(mut self) {
        for client in self.clients.clone() {
            self.gone(client);
        }
        for back in 0..self.resources.len() as u64 {
            self.delete(back);
        }
        self.pass(Config::default().resume_time);
        self.pass(self.hold_time);
        assert!(self.peers.is_empty(), "never closed: {:?}", self.peers);
        assert!(self.core.is_idle(), "{:?}", self.core);
    }
}

proptest! {
    #[test]
    fn whatever_comes(hold in holds(), steps in prop::collection::vec(steps(), 1..120)) {
        let mut checker = Checker::new(hold);
        for step in steps {
            checker.step(step);
        }
        checker.check_that_requests_end();
        checker.check_that_nobody_waits_in_vain();
        checker.check_that_nothing_is_left();
    }

    #[test]
    fn whatever_came_before_shutdown(
        hold in holds(),
        steps in prop::collection::vec(steps(), 1..60),
    ) {
        let mut checker = Checker::new(hold);
        for step in steps {
            checker.step(step);
        }
        checker.handle(Input::Shutdown);
        prop_assert!(checker.clients.is_empty());
        checker.check_that_nothing_is_left();
    }
}
