//! What strangers and bad clients do to the media port over TCP, and that
//! nobody else notices.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use twoway_server::media::Config;

use super::*;

/// A stream over UDP and over TCP, and the port that it is on.
struct Busy {
    world: World,
    port: SocketAddr,
}

impl Busy {
    fn new(config: Config) -> Self {
        let mut world = World::start(config, |_| {});
        world.publish();
        world.play(0);
        world.over_tcp = true;
        world.play(1);
        let port = world.forwarder.reach().addresses[0];
        Self { world, port }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.port).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(1)))
            .unwrap();
        stream
    }

    fn count(&self, reason: Reason) -> u64 {
        self.world.counters.of(reason)
    }

    /// Streams until the server has closed `stream`.
    fn until_closed(&mut self, mut connection: TcpStream) {
        stream(&mut self.world, "it is closed", |_| {
            is_closed(&mut connection)
        });
    }

    /// The viewers have all that was sent, and get more.
    fn assert_undisturbed(&mut self) {
        let clients = &self.world.clients;
        let goals = [1, 2].map(|v| clients[v].client.of_kind(true).count() + 20);
        stream(&mut self.world, "the stream goes on", |world| {
            let got = |v: usize| world.clients[v].client.of_kind(true).count();
            got(1) > goals[0] && got(2) > goals[1]
        });
        for viewer in [1, 2] {
            assert_contiguous(&self.world.clients[viewer].client.numbers(true));
            assert_contiguous(&self.world.clients[viewer].client.numbers(false));
        }
        assert_eq!(self.world.seen, []);
    }
}

fn is_closed(connection: &mut TcpStream) -> bool {
    match connection.read(&mut [0; 64]) {
        Ok(length) => length == 0,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

/// A peer that does not connect does not end, however slow the test.
fn patient() -> Config {
    Config {
        ice_timeout: Duration::from_secs(600),
        dtls_timeout: Duration::from_secs(600),
        ..config(1)
    }
}

/// What follows `name` on the first line of an SDP that starts so.
fn value(sdp: &str, name: &str) -> String {
    let mut lines = sdp.lines();
    let value = lines.find_map(|line| line.strip_prefix(name));
    value.unwrap().to_owned()
}

#[test]
fn what_is_no_frame_ends_its_connection() {
    let mut busy = Busy::new(config(1));
    for (count, garbage) in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0x16, 3, 1, 2, 0],
        &[0xff; 10_000],
    ]
    .into_iter()
    .enumerate()
    {
        let mut connection = busy.connect();
        connection.write_all(garbage).unwrap();
        busy.until_closed(connection);
        assert_eq!(busy.count(Reason::OversizedFrame), count as u64 + 1);
    }
    busy.assert_undisturbed();
}

#[test]
fn frames_for_nobody_are_few() {
    let mut busy = Busy::new(config(1));
    let request = [0, 8, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    let media = [0, 4, 0x80, 96, 0, 1];
    let empty = [0, 0];
    for frame in [&request[..], &media] {
        let before = busy.count(Reason::UnprovenConnection);
        let mut connection = busy.connect();
        // Null packets are nothing, however many.
        for _ in 0..20 {
            connection.write_all(&empty).unwrap();
        }
        for _ in 0..8 {
            connection.write_all(frame).unwrap();
        }
        busy.until_closed(connection);
        assert_eq!(busy.count(Reason::UnprovenConnection), before + 1);
    }
    assert_eq!(busy.count(Reason::StrayDatagram), 16);
    busy.assert_undisturbed();
}

#[test]
fn silent_and_slow_connections_are_closed() {
    let config = Config {
        tcp_proof_time: Duration::from_secs(3),
        ..config(1)
    };
    let mut busy = Busy::new(config);
    let silent = busy.connect();
    busy.until_closed(silent);
    let mut slow = busy.connect();
    slow.write_all(&[0]).unwrap();
    busy.until_closed(slow);
    let mut cut = busy.connect();
    cut.write_all(&[4, 0, 1, 2, 3]).unwrap();
    busy.until_closed(cut);
    assert_eq!(busy.count(Reason::UnprovenConnection), 3);
    busy.assert_undisturbed();
}

#[test]
fn half_closed_is_closed() {
    let mut busy = Busy::new(config(1));
    let half = busy.connect();
    half.shutdown(Shutdown::Write).unwrap();
    busy.until_closed(half);
    let reset = busy.connect();
    reset.shutdown(Shutdown::Both).unwrap();
    drop(reset);
    busy.assert_undisturbed();
}

/// A check of a peer's, in its frame, with this password or the right one.
fn check(busy: &mut Busy, peer: PeerId, password: Option<&str>) -> Vec<u8> {
    use str0m::crypto::from_feature_flags;
    use str0m::ice::{StunMessage, TransId};

    let (_, offer) = UdpClient::offer(Direction::SendOnly, PUBLISHER_TYPES);
    let theirs = value(&offer, "a=ice-ufrag:");
    busy.world.open(peer, Role::Publisher, offer);
    let (answer, _) = busy.world.answer(peer);
    let user_name = format!("{}:{theirs}", value(&answer, "a=ice-ufrag:"));
    let right = value(&answer, "a=ice-pwd:");
    let password = password.unwrap_or(&right);
    let mut frame = [0; 256];
    let hmac = from_feature_flags().sha1_hmac_provider;
    let length = StunMessage::binding_request(&user_name, TransId::new(), true, 1, 1, true)
        .to_bytes(Some(password.as_bytes()), &mut frame[2..], |key, parts| {
            hmac.sha1_hmac(key, parts)
        })
        .unwrap();
    frame[..2].copy_from_slice(&(length as u16).to_be_bytes());
    frame[..2 + length].to_vec()
}

#[test]
fn a_check_with_a_wrong_password_proves_nothing() {
    let mut busy = Busy::new(patient());
    let check = check(&mut busy, PeerId(40), Some("guessed"));
    let mut connection = busy.connect();
    for _ in 0..8 {
        connection.write_all(&check).unwrap();
    }
    busy.until_closed(connection);
    assert_eq!(busy.count(Reason::UnprovenConnection), 1);
    busy.assert_undisturbed();
}

#[test]
fn a_flood_over_tcp_leaves_the_others_their_turn() {
    let mut busy = Busy::new(patient());
    let check = check(&mut busy, PeerId(40), None);
    let mut connection = busy.connect();
    connection.write_all(&check).unwrap();
    let mut answer = [0; 256];
    stream(&mut busy.world, "the check is answered", |_| {
        connection.read(&mut answer).is_ok_and(|length| length > 20)
    });
    assert_eq!(answer[2..4], [1, 1], "a success response");
    let garbage = [&[0, 100, 0x80, 96][..], &[7; 98]].concat().repeat(100);
    let mut flood = connection.try_clone().unwrap();
    // Ends when the connection does.
    let flooding = std::thread::spawn(move || while flood.write_all(&garbage).is_ok() {});
    for _ in 0..3 {
        busy.assert_undisturbed();
    }
    assert!(!flooding.is_finished());
    connection.shutdown(Shutdown::Both).unwrap();
    flooding.join().unwrap();
    assert_eq!(busy.count(Reason::UnprovenConnection), 0);
    busy.assert_undisturbed();
}

/// Other systems have but one loopback address.
#[cfg(target_os = "linux")]
#[test]
fn strangers_make_room_for_the_next_one() {
    use socket2::{Domain, Socket, Type};

    let config = Config {
        tcp_proof_time: Duration::from_secs(600),
        ..config(1)
    };
    let mut busy = Busy::new(config);
    let mut open = Vec::new();
    for index in 0..288_u16 {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let address = SocketAddr::from(([127, 0, 1, (index / 32) as u8], 0));
        socket.bind(&address.into()).unwrap();
        socket.connect(&busy.port.into()).unwrap();
        let mut connection = TcpStream::from(socket);
        connection
            .set_read_timeout(Some(Duration::from_millis(1)))
            .unwrap();
        assert!(!is_closed(&mut connection), "{index}");
        open.push(connection);
    }
    stream(&mut busy.world, "the oldest have made room", |world| {
        world.counters.of(Reason::UnprovenConnection) == 288 - 256
    });
    let closed: Vec<_> = open.iter_mut().map(is_closed).collect();
    assert!(closed[..32].iter().all(|closed| *closed));
    assert!(!closed[32..].contains(&true));
    assert_eq!(busy.count(Reason::TooManyConnections), 0);
    busy.assert_undisturbed();
}

#[test]
fn thousands_of_connections_are_held_to_a_few() {
    let config = Config {
        tcp_proof_time: Duration::from_secs(600),
        ..config(1)
    };
    let mut busy = Busy::new(config);
    let mut open = Vec::new();
    for index in 0..2_000_u32 {
        open.push(busy.connect());
        if index % 100 == 0 {
            busy.world.send_frame(true);
            for client in &mut busy.world.clients {
                client.step();
            }
        }
    }
    // One address may have 32 that have proven nothing.
    stream(&mut busy.world, "they are refused", |world| {
        world.counters.of(Reason::TooManyConnections) == 2_000 - 32
    });
    let mut refused = 0;
    for connection in &mut open {
        refused += usize::from(is_closed(connection));
    }
    assert_eq!(refused, 2_000 - 32);
    drop(open);
    busy.assert_undisturbed();
    // There is room again.
    busy.world.over_tcp = true;
    let viewer = busy.world.join(
        PeerId(30),
        Role::Player { source: PUBLISHER },
        VIEWER_TYPES[0],
    );
    busy.world.flowing(PeerId(30));
    stream(&mut busy.world, "a picture", |world| {
        world.clients[viewer].client.of_kind(true).count() > 5
    });
}

#[test]
fn connections_of_clients_are_limited_too() {
    let config = Config {
        tcp_connections: 2,
        ..config(1)
    };
    // One of them is the viewer's.
    let mut busy = Busy::new(config);
    let kept = busy.connect();
    let refused = busy.connect();
    busy.until_closed(refused);
    assert_eq!(busy.count(Reason::TooManyConnections), 1);
    drop(kept);
    busy.assert_undisturbed();
}

#[test]
fn a_client_that_takes_nothing_loses_packets_then_its_connection() {
    let config = Config {
        tcp_idle_time: Duration::from_secs(2),
        ..config(1)
    };
    let mut world = World::start(config, |_| {});
    world.publish();
    world.play(0);
    world.over_tcp = true;
    world.play(1);
    // From here on it reads nothing, as if its machine hung.
    let stuck = world.clients.pop().unwrap();
    let payload = [KEYFRAME, &[7; 1_000]].concat();
    let mut sequence = 70_000;
    world.until("it is dropped", |world| {
        let now = Instant::now();
        let pt = PUBLISHER_TYPES.video[0].pt;
        for _ in 0..20 {
            let time = (sequence, sequence as u32 * 90);
            let publisher = &mut world.clients[0].client;
            publisher.write(Some(pt), time, now, &payload, now);
            sequence += 1;
        }
        world.clients[0].send();
        world.counters.of(Reason::IdleConnection) == 1
    });
    assert!(world.counters.of(Reason::FullConnection) > 0);
    let viewer = &world.clients[1].client;
    assert!(viewer.of_kind(true).count() > 100);
    assert!(stuck.client.connected);
}
