//! Any network: TCP where UDP is blocked, IPv6, and addresses of the operator's.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use str0m::media::Direction;
use twoway_server::core::backend::{Command, MediaBackend, Role, Transport, Wishes};
use twoway_server::media::{Config, PublicAddress, Transports};

use super::*;

fn has_ipv6() -> bool {
    UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// Protocol and address of each candidate of an answer, in order.
fn candidates(answer: &str) -> Vec<(String, SocketAddr)> {
    let lines = answer
        .lines()
        .filter_map(|l| l.strip_prefix("a=candidate:"));
    lines
        .map(|line| {
            let fields: Vec<_> = line.split(' ').collect();
            let (ip, port) = (fields[4].parse().unwrap(), fields[5].parse().unwrap());
            assert_eq!(line.contains("tcptype passive"), fields[2] == "tcp");
            (fields[2].to_owned(), SocketAddr::new(ip, port))
        })
        .collect()
}

/// The candidates that a publisher with this wish is told.
fn told(world: &mut World, peer: u64, transport: Transport) -> Vec<(String, SocketAddr)> {
    let (_, offer) = UdpClient::offer(Direction::SendOnly, PUBLISHER_TYPES);
    let peer = PeerId(peer);
    let wishes = Wishes {
        transport,
        ..Wishes::default()
    };
    world.forwarder.send(Command::Open {
        peer,
        role: Role::Publisher,
        offer,
        wishes,
    });
    let (answer, _) = world.answer(peer);
    world.forwarder.send(Command::Close { peer });
    candidates(&answer)
}

/// Streams until `viewer` has got some more, and all of it.
fn plays(world: &mut World, viewer: usize) {
    let enough = world.clients[viewer].client.of_kind(true).count() + 20;
    stream(world, "a picture", |world| {
        world.clients[viewer].client.of_kind(true).count() > enough
    });
    assert_contiguous(&world.clients[viewer].client.numbers(true));
}

#[test]
fn tcp_carries_a_stream_where_udp_is_blocked() {
    // Publisher, then viewer: over TCP or not.
    for (publisher, viewer) in [(true, true), (true, false), (false, true)] {
        let mut world = World::new(2);
        world.over_tcp = publisher;
        world.publish();
        world.over_tcp = viewer;
        let viewer = world.play(0);
        plays(&mut world, viewer);
        world.clients[0].client.close();
        world.clients[0].send();
        assert_eq!(world.end_reason(PUBLISHER), EndReason::ClosedByPeer);
    }
}

#[test]
fn a_client_whose_connection_broke_comes_back_over_another() {
    let mut world = World::new(1);
    world.over_tcp = true;
    world.publish();
    let viewer = world.play(0);
    plays(&mut world, viewer);
    for client in [viewer, 0] {
        let server = world.forwarder.reach().addresses[0];
        let candidate = format!(
            "a=candidate:1 1 tcp 1 {} {} typ",
            server.ip(),
            server.port()
        );
        world.clients[client].use_tcp(&candidate);
        let enough = world.clients[viewer].client.of_kind(true).count() + 20;
        stream(&mut world, "the stream goes on", |world| {
            world.clients[viewer].client.of_kind(true).count() > enough
        });
    }
    assert_eq!(world.seen, []);
}

#[test]
fn a_client_that_does_not_come_back_has_lost_its_consent() {
    let config = Config {
        ice_grace: Duration::from_millis(100),
        ..config(1)
    };
    let mut world = World::start(config, |_| {});
    world.publish();
    world.over_tcp = true;
    world.play(0);
    // Its connection closes with it, without a goodbye.
    drop(world.clients.pop());
    assert_eq!(world.end_reason(viewer(0)), EndReason::IceLost);
    world.over_tcp = false;
    let other = world.play(1);
    plays(&mut world, other);
}

#[test]
fn ipv6_carries_a_stream() {
    if !has_ipv6() {
        return;
    }
    for over_tcp in [false, true] {
        let config = Config {
            bind: vec![Ipv6Addr::LOCALHOST.into()],
            ..config(2)
        };
        let mut world = World::start(config, |_| {});
        world.ip = Ipv6Addr::LOCALHOST.into();
        world.over_tcp = over_tcp;
        world.publish();
        let viewer = world.play(0);
        plays(&mut world, viewer);
    }
}

#[test]
fn ipv4_and_ipv6_meet_on_one_stream() {
    if !has_ipv6() {
        return;
    }
    let config = Config {
        bind: Vec::new(),
        ..config(1)
    };
    let mut world = World::start(config, |_| {});
    world.publish();
    world.ip = Ipv6Addr::LOCALHOST.into();
    let viewer = world.play(0);
    plays(&mut world, viewer);
    let addresses = &world.forwarder.reach().addresses;
    assert!(addresses.iter().any(SocketAddr::is_ipv4));
    assert!(addresses.iter().any(SocketAddr::is_ipv6));
    let port = addresses[0].port();
    assert!(addresses.iter().all(|a| a.port() == port), "{addresses:?}");
}

#[test]
fn a_client_gets_candidates_of_the_transport_it_wishes_for() {
    let mut world = World::new(1);
    let address = world.forwarder.reach().addresses[0];
    let (udp, tcp) = (("udp".to_owned(), address), ("tcp".to_owned(), address));
    let any = told(&mut world, 1, Transport::Any);
    assert_eq!(any, [udp, tcp]);
    assert_eq!(told(&mut world, 2, Transport::Udp), any[..1]);
    assert_eq!(told(&mut world, 3, Transport::Tcp), any[1..]);

    let config = Config {
        transports: Transports::Udp,
        ..config(1)
    };
    let mut world = World::start(config, |_| {});
    let udp = [("udp".to_owned(), world.forwarder.reach().addresses[0])];
    assert_eq!(told(&mut world, 1, Transport::Any), udp);
    assert_eq!(told(&mut world, 2, Transport::Tcp), udp);
}

#[test]
fn media_can_do_without_udp() {
    let config = Config {
        transports: Transports::Tcp,
        ..config(1)
    };
    let mut world = World::start(config, |_| {});
    let address = world.forwarder.reach().addresses[0];
    // Nobody else is on that port.
    UdpSocket::bind(address).unwrap();
    assert_eq!(
        told(&mut world, 99, Transport::Udp),
        [("tcp".to_owned(), address)]
    );
    world.over_tcp = true;
    world.publish();
    let viewer = world.play(0);
    plays(&mut world, viewer);
}

#[test]
fn every_public_address_is_told_with_the_port_of_its_worker() {
    let public = |text: &str| text.parse::<PublicAddress>().unwrap();
    let config = Config {
        bind: vec![Ipv4Addr::LOCALHOST.into()],
        public_addresses: vec![
            public("203.0.113.5:40000"),
            public("198.51.100.7"),
            public("203.0.113.5:40000"),
        ],
        ..config(2)
    };
    let mut world = World::start(config, |_| {});
    let reach = world.forwarder.reach().clone();
    assert_eq!(reach.notes, []);
    let [a, b, c, d] = *reach.addresses else {
        panic!("{:?}", reach.addresses);
    };
    assert_eq!(a, "203.0.113.5:40000".parse().unwrap());
    assert_eq!(c, "203.0.113.5:40001".parse().unwrap());
    assert_eq!((b.ip(), d.ip()), ("198.51.100.7".parse().unwrap(), b.ip()));
    assert_ne!(b.port(), d.port());
    let first: Vec<_> = told(&mut world, 1, Transport::Udp)
        .into_iter()
        .map(|c| c.1)
        .collect();
    assert!(first == [a, b] || first == [c, d], "{first:?}");
}

/// Stands between clients and the server, as a NAT that maps ports does.
struct Relay {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// A relay at an address of its own. `server` says where to once it is known.
    fn new(server: Receiver<SocketAddr>) -> Self {
        let outside = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = outside.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let inside = UdpSocket::bind("127.0.0.1:0").unwrap();
            let turn = Some(Duration::from_millis(1));
            inside.set_read_timeout(turn).unwrap();
            outside.set_read_timeout(turn).unwrap();
            let server = server.recv().unwrap();
            let (mut client, mut buffer) = (None, [0; 2_048]);
            while !stopped.load(Ordering::Relaxed) {
                if let Ok((length, from)) = outside.recv_from(&mut buffer) {
                    client = Some(from);
                    inside.send_to(&buffer[..length], server).unwrap();
                }
                if let (Ok(length), Some(client)) = (inside.recv(&mut buffer), client) {
                    outside.send_to(&buffer[..length], client).unwrap();
                }
            }
        });
        Self {
            address,
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[test]
fn a_client_reaches_the_server_behind_a_nat_that_maps_its_port() {
    let (told, server) = mpsc::channel();
    let relay = Relay::new(server);
    let config = Config {
        public_addresses: vec![relay.address.to_string().parse().unwrap()],
        ..config(1)
    };
    let mut world = World::start(config, |_| {});
    assert_eq!(world.forwarder.reach().addresses, [relay.address]);
    let port = world.forwarder.reach().ports[0];
    told.send(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    world.publish();
    world.send_frame(true);
    assert!(world.clients[0].client.connected);
}
