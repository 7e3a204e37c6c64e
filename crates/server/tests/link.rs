//! The client's session and the server's core, joined by a link that delays
//! and breaks, in virtual time.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is a failed test"
)]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "tests look at few of many messages"
)]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use session::{Event, Play, Publish, Session, Time};
use twoway_server::core::{ClientId, Config, Core, Input, Output};
use twoway_server::counters::Reason;
use wire::{MediaSessionId, StreamEventType, StreamName};

#[path = "support/fake_backend.rs"]
mod fake_backend;

use fake_backend::{ANSWERED, FLOWS, FakeBackend, SILENT};

/// What happens to a client, besides what its session and the server do.
#[derive(Debug, Clone, Copy)]
enum Act {
    Connect,
    Disconnect,
    Publish(&'static str, &'static str),
    Play(&'static str, &'static str),
    Stop(&'static str),
    Available(&'static str, &'static str),
    Mute(&'static str),
    /// The socket breaks; both ends notice.
    Break,
    /// The network is gone; nobody notices but by silence.
    Vanish,
    /// What the next offers ask of the scripted media.
    Offer(&'static str),
}

use Act::{
    Available, Break, Connect, Disconnect, Mute, Offer, Play as PlayName, Publish as PublishName,
    Stop, Vanish,
};

/// One client: its session and the socket it has now.
struct End {
    session: Session,
    socket: Option<ClientId>,
    offer: &'static str,
    seen: Vec<String>,
}

/// What is under way.
#[derive(Debug)]
enum Packet {
    Open,
    Text(String),
    Close,
}

struct Flight {
    arrives: Duration,
    client: ClientId,
    to_server: bool,
    packet: Packet,
}

struct World {
    core: Core,
    backend: FakeBackend,
    ends: Vec<End>,
    flights: VecDeque<Flight>,
    /// Sockets that carry nothing any more.
    dead: Vec<ClientId>,
    started: Instant,
    now: Duration,
    delay: Duration,
    last_client: u64,
}

fn new_session() -> Session {
    Session::new(session::Config {
        app_key: "defaultApp".into(),
        client_os_version: "os".into(),
        client_browser_version: "browser".into(),
        custom: None,
        token: None,
        connect_timeout: Duration::from_secs(10),
        stream_timeout: Duration::from_secs(90),
        silence_timeout: Duration::from_secs(30),
    })
}

fn id(id: &str) -> MediaSessionId {
    MediaSessionId::new(id)
}

fn name(name: &str) -> StreamName {
    StreamName::new(name)
}

impl World {
    fn new(clients: usize, delay: Duration) -> Self {
        let end = || End {
            session: new_session(),
            socket: None,
            offer: FLOWS,
            seen: Vec::new(),
        };
        Self {
            core: Core::new(Config::default()),
            backend: FakeBackend::default(),
            ends: (0..clients).map(|_| end()).collect(),
            flights: VecDeque::new(),
            dead: Vec::new(),
            started: Instant::now(),
            now: Duration::ZERO,
            delay,
            last_client: 0,
        }
    }

    fn act(&mut self, end: usize, act: Act) {
        match act {
            // A session is never opened twice: reconnecting takes a new one.
            Connect => {
                self.ends[end].session = new_session();
                self.tell(end, session::Input::Connect);
            }
            Disconnect => self.tell(end, session::Input::Disconnect),
            PublishName(stream, n) => {
                let (id, name, custom) = (id(stream), name(n), None);
                self.tell(end, session::Input::Publish(Publish { id, name, custom }));
            }
            PlayName(stream, n) => {
                let (id, name, custom) = (id(stream), name(n), None);
                self.tell(end, session::Input::Play(Play { id, name, custom }));
            }
            Stop(stream) => self.tell(end, session::Input::Stop(id(stream))),
            Available(request, n) => {
                let (id, name) = (id(request), name(n));
                self.tell(end, session::Input::Available { id, name });
            }
            Mute(stream) => self.tell(
                end,
                session::Input::SendStreamEvent {
                    id: id(stream),
                    event_type: StreamEventType::AudioMuted,
                    payload: None,
                },
            ),
            Break => {
                if let Some(client) = self.ends[end].socket.take() {
                    self.dead.push(client);
                    self.tell_core(Input::Gone { client });
                    self.tell(end, session::Input::SocketClosed);
                }
            }
            Vanish => self.dead.extend(self.ends[end].socket.take()),
            Offer(offer) => self.ends[end].offer = offer,
        }
    }

    fn tell(&mut self, end: usize, input: session::Input) {
        let now = Time::new(self.now);
        self.ends[end]
            .session
            .handle(input, now)
            .expect("allowed in this state");
        while let Some(output) = self.ends[end].session.poll_output() {
            self.obey_session(end, output);
        }
    }

    fn obey_session(&mut self, end: usize, output: session::Output) {
        match output {
            session::Output::OpenSocket => {
                self.last_client += 1;
                self.ends[end].socket = Some(ClientId(self.last_client));
                self.fly(end, Packet::Open);
            }
            session::Output::Send(text) => self.fly(end, Packet::Text(text)),
            session::Output::CloseSocket => {
                self.fly(end, Packet::Close);
                self.ends[end].socket = None;
            }
            session::Output::CreateOffer { id, .. } => {
                let sdp = self.ends[end].offer.into();
                let (has_audio, has_video) = (true, true);
                self.tell(
                    end,
                    session::Input::OfferCreated {
                        id,
                        sdp,
                        has_audio,
                        has_video,
                    },
                );
            }
            session::Output::ApplyAnswer { id, sdp } => {
                assert!(sdp.starts_with("answer of"));
                self.ends[end].seen.push(format!("{id} answered"));
            }
            session::Output::CloseMedia { .. } => {}
            session::Output::Request(_) | session::Output::IceServers { .. } => {
                panic!("a session over a socket asks nothing over HTTP");
            }
            session::Output::Notify(event) => self.ends[end].seen.extend(line(event)),
        }
    }

    fn tell_core(&mut self, input: Input) {
        let now = self.started + self.now;
        self.core.handle(input, now);
        loop {
            while let Some(output) = self.core.poll_output() {
                self.obey_core(output);
            }
            let Some(event) = self.backend.poll_event() else {
                break;
            };
            self.core.handle(Input::Backend(event), now);
        }
    }

    fn obey_core(&mut self, output: Output) {
        let (client, packet) = match output {
            Output::Send { client, text }
            | Output::Update { client, text }
            | Output::Large { client, text, .. } => (client, Packet::Text(text)),
            Output::Close { client, .. } => (client, Packet::Close),
            Output::Reply { .. } | Output::Answer { .. } | Output::Deliver { .. } => {
                panic!("nobody asks over HTTP")
            }
            Output::Notice(notice) => panic!("nobody listens: {notice:?}"),
            Output::Backend(command) => return self.backend.command(command),
            Output::Refused { reason, detail, .. } => {
                // Sessions do nothing that is refused, but they may vanish.
                assert_eq!(reason, Reason::DeadClient, "{detail}");
                return;
            }
        };
        self.launch(client, false, packet);
    }

    fn fly(&mut self, end: usize, packet: Packet) {
        if let Some(client) = self.ends[end].socket {
            self.launch(client, true, packet);
        }
    }

    fn launch(&mut self, client: ClientId, to_server: bool, packet: Packet) {
        self.flights.push_back(Flight {
            arrives: self.now + self.delay,
            client,
            to_server,
            packet,
        });
    }

    fn land(&mut self, flight: Flight) {
        let client = flight.client;
        if self.dead.contains(&client) {
            return;
        }
        if !flight.to_server {
            let Some(end) = self.ends.iter().position(|end| end.socket == Some(client)) else {
                return;
            };
            return match flight.packet {
                Packet::Open => self.tell(end, session::Input::SocketOpened),
                Packet::Text(text) => self.tell(end, session::Input::SocketMessage(text)),
                Packet::Close => {
                    self.ends[end].socket = None;
                    self.tell(end, session::Input::SocketClosed);
                }
            };
        }
        match flight.packet {
            Packet::Open => {
                let remote = SocketAddr::from(([127, 0, 0, 1], 1));
                let local = remote;
                self.tell_core(Input::Opened {
                    client,
                    remote,
                    local,
                    nonce: client.0.into(),
                });
                self.launch(client, false, Packet::Open);
            }
            Packet::Text(text) => self.tell_core(Input::Text { client, text }),
            Packet::Close => self.tell_core(Input::Gone { client }),
        }
    }

    /// Lets time pass, stopping at everything that is due.
    fn run_until(&mut self, end: Duration) {
        loop {
            let landing = self.flights.front().map(|flight| flight.arrives);
            let core = self.core.timeout().map(|at| at - self.started);
            let sessions = self.ends.iter().filter_map(|end| end.session.timeout());
            let session = sessions.map(Time::since_origin).min();
            let Some(next) = [landing, core, session].into_iter().flatten().min() else {
                break;
            };
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            self.step();
        }
        self.now = end;
    }

    fn step(&mut self) {
        if self
            .flights
            .front()
            .is_some_and(|flight| flight.arrives <= self.now)
        {
            let flight = self.flights.pop_front().unwrap();
            return self.land(flight);
        }
        if self
            .core
            .timeout()
            .is_some_and(|at| at <= self.started + self.now)
        {
            return self.tell_core(Input::Timeout);
        }
        for end in 0..self.ends.len() {
            let due = self.ends[end].session.timeout();
            if due.is_some_and(|at| at <= Time::new(self.now)) {
                self.tell(end, session::Input::Timeout);
            }
        }
    }
}

fn line(event: Event) -> Option<String> {
    Some(match event {
        Event::Session { status, .. } => format!("{status:?}"),
        Event::Stream(update) => {
            // Without the local statuses, which the server has no part in.
            let status = update.status.as_str();
            if matches!(status, "NEW" | "PENDING") {
                return None;
            }
            let info = update.info.unwrap_or_default();
            format!("{} {status} {info}", update.id).trim_end().into()
        }
        Event::StreamEvent { id, event_type, .. } => format!("{id} {event_type:?}"),
        Event::Available {
            id,
            available,
            info,
        } => format!("{id} {available} {}", info.unwrap_or_default())
            .trim_end()
            .into(),
        other => format!("{other:?}"),
    })
}

/// Plays a story: what happens to which client at which second, and what each
/// client's application sees, whatever the delay of the link.
#[track_caller]
fn check(seconds: u64, story: &[(u64, usize, Act)], expected: &[&[&str]]) {
    for delay in [0, 1, 40, 300] {
        let mut world = World::new(expected.len(), Duration::from_millis(delay));
        for (at, end, act) in story {
            world.run_until(Duration::from_secs(*at));
            world.act(*end, *act);
        }
        world.run_until(Duration::from_secs(seconds));
        for (end, expected) in world.ends.iter().zip(expected) {
            assert_eq!(end.seen, *expected, "with a delay of {delay} ms");
        }
        // Then everyone leaves, and nothing is left.
        for end in 0..world.ends.len() {
            world.act(end, Break);
        }
        world.run_until(Duration::from_secs(seconds + 120));
        assert!(world.core.is_idle(), "{:?}", world.core);
        assert_eq!(world.backend.open_peers(), 0);
    }
}

#[test]
fn sessions_live_as_long_as_both_want() {
    check(
        600,
        &[(0, 0, Connect), (500, 0, Disconnect)],
        &[&["Connected", "Established", "Disconnected"]],
    );
}

#[test]
fn publish_play_stop() {
    check(
        40,
        &[
            (0, 0, Connect),
            (0, 1, Connect),
            (5, 0, PublishName("p", "live")),
            (10, 1, PlayName("v", "live")),
            (15, 0, Mute("p")),
            (20, 1, Stop("v")),
            (25, 0, Stop("p")),
        ],
        &[
            &[
                "Connected",
                "Established",
                "p answered",
                "p PUBLISHING",
                "p UNPUBLISHED Stopped by user",
            ],
            &[
                "Connected",
                "Established",
                "v answered",
                "v PLAYING",
                "v AudioMuted",
                "v STOPPED Stopped by user",
            ],
        ],
    );
}

#[test]
fn publisher_leaves_and_returns() {
    check(
        60,
        &[
            (0, 0, Connect),
            (0, 1, Connect),
            (5, 0, PublishName("p", "live")),
            (10, 1, PlayName("v", "live")),
            (15, 0, Break),
            (20, 0, Connect),
            (25, 0, PublishName("p", "live")),
            (30, 1, PlayName("v", "live")),
        ],
        &[
            &[
                "Connected",
                "Established",
                "p answered",
                "p PUBLISHING",
                "p FAILED",
                "Disconnected",
                "Connected",
                "Established",
                "p answered",
                "p PUBLISHING",
            ],
            &[
                "Connected",
                "Established",
                "v answered",
                "v PLAYING",
                "v FAILED Stopped by publisher stop",
                "v answered",
                "v PLAYING",
            ],
        ],
    );
}

#[test]
fn a_network_that_vanishes_is_noticed_on_both_sides() {
    check(
        100,
        &[
            (0, 0, Connect),
            (0, 1, Connect),
            (5, 0, PublishName("p", "live")),
            (10, 1, PlayName("v", "live")),
            (15, 0, Vanish),
        ],
        &[
            &[
                "Connected",
                "Established",
                "p answered",
                "p PUBLISHING",
                "p FAILED",
                "Failed",
            ],
            &[
                "Connected",
                "Established",
                "v answered",
                "v PLAYING",
                "v FAILED Stopped by publisher stop",
            ],
        ],
    );
}

#[test]
fn refusals() {
    check(
        100,
        &[
            (0, 0, Connect),
            (0, 1, Connect),
            (5, 0, PublishName("p", "live")),
            (10, 1, PublishName("p2", "live")),
            (12, 1, PlayName("v", "missing")),
            (14, 1, Available("a", "live")),
            (16, 1, Available("b", "missing")),
            (18, 1, Offer(ANSWERED)),
            (18, 1, PlayName("w", "live")),
            (19, 1, Offer(SILENT)),
            (19, 1, PublishName("x", "other")),
        ],
        &[
            &["Connected", "Established", "p answered", "p PUBLISHING"],
            &[
                "Connected",
                "Established",
                "p2 FAILED Stream name is already in use",
                "v FAILED Session does not exist",
                "a true",
                "b false Stream not found",
                "w answered",
                "w FAILED Failed by ICE timeout",
                "x FAILED Failed by error",
            ],
        ],
    );
}

#[test]
fn a_session_plays_what_it_publishes() {
    check(
        40,
        &[
            (0, 0, Connect),
            (5, 0, PublishName("p", "live")),
            (10, 0, PlayName("v", "live")),
            (20, 0, Stop("p")),
        ],
        &[&[
            "Connected",
            "Established",
            "p answered",
            "p PUBLISHING",
            "v answered",
            "v PLAYING",
            "p UNPUBLISHED Stopped by user",
            "v FAILED Stopped by publisher stop",
        ]],
    );
}
