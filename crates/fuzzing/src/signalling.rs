//! The signalling text, with everything that may happen between two messages.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use twoway_server::core::backend::{EndReason, SnapshotError};
use twoway_server::core::{ClientId, Config, Core, Input, Output};
use wire::ServerMessage;

use crate::fake_backend::FakeBackend;

/// Clients at a time.
const SEATS: usize = 4;

/// Time-outs after the last message; more would mean that they never end.
const TIMEOUTS: usize = 10_000;

/// Each line is a step. Its first character says which; what follows is its text.
///
/// | first | step |
/// | --- | --- |
/// | `0` to `3` | this client sends the text, opening its socket first if it has none |
/// | `a` to `d` | the socket of this client is gone |
/// | `e` | the newest peer's media ends |
/// | `s` | a snapshot that waits is taken, or is not if there is no text |
/// | `t` | a second passes; the text's length says how many more |
///
/// # Panics
/// The core breaks its word: a message that is none, a command that makes no sense,
/// or something kept once everybody is gone.
pub fn signalling(data: &[u8]) {
    let mut world = World::new();
    let data = String::from_utf8_lossy(data);
    for line in data.split('\n') {
        let mut chars = line.chars();
        if let Some(step) = chars.next() {
            world.step(step, chars.as_str());
        }
    }
    world.end();
}

struct World {
    core: Core,
    backend: FakeBackend,
    seats: [Option<ClientId>; SEATS],
    last_client: u64,
    now: Instant,
}

impl World {
    fn new() -> Self {
        Self {
            core: Core::new(Config::default()),
            backend: FakeBackend::default(),
            seats: [None; SEATS],
            last_client: 0,
            now: Instant::now(),
        }
    }

    fn step(&mut self, step: char, text: &str) {
        match step {
            '0'..='3' => {
                let client = self.client(step as usize - '0' as usize);
                let text = text.to_owned();
                self.handle(Input::Text { client, text });
            }
            'a'..='d' => self.leave(step as usize - 'a' as usize),
            'e' => {
                if let Some(peer) = self.backend.newest_peer() {
                    self.backend.forget(peer);
                    let reason = EndReason::IceLost;
                    let event = twoway_server::core::backend::Event::Ended { peer, reason };
                    self.handle(Input::Backend(event));
                }
            }
            's' if self.backend.waits_for_snapshot() => {
                let picture = if text.is_empty() {
                    Err(SnapshotError::Damaged)
                } else {
                    Ok(text.as_bytes().to_vec())
                };
                let event = self.backend.take_snapshot(picture);
                self.handle(Input::Backend(event));
            }
            't' => {
                self.now += Duration::from_secs(1 + text.len() as u64);
                self.handle(Input::Timeout);
            }
            _ => {}
        }
    }

    /// The client of a seat, which it takes if nobody has it.
    fn client(&mut self, seat: usize) -> ClientId {
        if let Some(client) = self.seats[seat] {
            return client;
        }
        self.last_client += 1;
        let client = ClientId(self.last_client);
        self.seats[seat] = Some(client);
        self.handle(Input::Opened {
            client,
            remote: SocketAddr::from(([192, 0, 2, 1], 50_000)),
            local: SocketAddr::from(([192, 0, 2, 2], 8_080)),
            // Known, so that sessions can be taken over.
            nonce: seat as u128,
        });
        client
    }

    fn leave(&mut self, seat: usize) {
        if let Some(client) = self.seats[seat].take() {
            self.handle(Input::Gone { client });
        }
    }

    fn handle(&mut self, input: Input) {
        self.core.handle(input, self.now);
        loop {
            while let Some(output) = self.core.poll_output() {
                self.obey(output);
            }
            let Some(event) = self.backend.poll_event() else {
                return;
            };
            self.core.handle(Input::Backend(event), self.now);
        }
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Backend(command) => self.backend.command(command),
            Output::Close { client, .. } => {
                let seat = self.seats.iter_mut().find(|seat| **seat == Some(client));
                *seat.expect("a socket that is there") = None;
            }
            Output::Send { text, .. }
            | Output::Update { text, .. }
            | Output::Large { text, .. } => {
                ServerMessage::decode(&text).expect("a message of the protocol");
            }
            _ => {}
        }
    }

    /// Everybody goes, and nothing may be left of them.
    fn end(&mut self) {
        for seat in 0..SEATS {
            self.leave(seat);
        }
        for _ in 0..TIMEOUTS {
            let Some(due) = self.core.timeout() else {
                break;
            };
            self.now = self.now.max(due);
            self.handle(Input::Timeout);
        }
        assert!(self.core.is_idle(), "{:?}", self.core);
        assert_eq!(self.backend.open_peers(), 0);
    }
}
