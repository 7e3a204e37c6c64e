//! The sockets and queues of a link.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::shaper::{Conditions, Counts, Fate, Shaper};

/// Largest UDP datagram.
const MAX_DATAGRAM: usize = 65_535;

/// Most client addresses; packets of others are ignored. A browser uses a few
/// for a peer connection.
const MAX_PATHS: usize = 1_024;

/// Most packets on their way in one direction of a path, whatever its rate and
/// delay; what comes on top overflows.
const MAX_WAITING: usize = 8_192;

/// All paths of a link, and what new ones are like.
#[derive(Debug)]
pub(super) struct Paths {
    server: SocketAddr,
    seed: u64,
    newcomers: (Conditions, Conditions),
    paths: HashMap<SocketAddr, Path>,
}

/// One client's way to the server and back.
#[derive(Debug)]
struct Path {
    up: Direction,
    down: Direction,
}

#[derive(Debug)]
struct Direction {
    shaper: Shaper,
    counts: Counts,
    waiting: mpsc::Sender<Packet>,
}

#[derive(Debug)]
struct Packet {
    arrives: Instant,
    bytes: Vec<u8>,
}

/// What a new path needs running.
struct NewPath {
    client: SocketAddr,
    up: mpsc::Receiver<Packet>,
    down: mpsc::Receiver<Packet>,
}

impl Paths {
    pub(super) fn new(server: SocketAddr, seed: u64) -> Self {
        Self {
            server,
            seed,
            newcomers: (Conditions::default(), Conditions::default()),
            paths: HashMap::new(),
        }
    }

    pub(super) fn set_newcomers(&mut self, up: Conditions, down: Conditions) {
        self.newcomers = (up, down);
    }

    pub(super) fn set_present(&mut self, up: Conditions, down: Conditions) {
        for path in self.paths.values_mut() {
            path.up.shaper.conditions = up;
            path.down.shaper.conditions = down;
        }
    }

    pub(super) fn counts(&self) -> (Counts, Counts) {
        let mut sums = (Counts::default(), Counts::default());
        for path in self.paths.values() {
            sums.0 += path.up.counts;
            sums.1 += path.down.counts;
        }
        sums
    }

    /// Takes a packet from a client, who may be new.
    fn take_up(&mut self, client: SocketAddr, bytes: &[u8]) -> Option<NewPath> {
        let new = (!self.paths.contains_key(&client) && self.paths.len() < MAX_PATHS)
            .then(|| self.add(client));
        if let Some(path) = self.paths.get_mut(&client) {
            path.up.take(bytes);
        }
        new
    }

    fn take_down(&mut self, client: SocketAddr, bytes: &[u8]) {
        if let Some(path) = self.paths.get_mut(&client) {
            path.down.take(bytes);
        }
    }

    fn add(&mut self, client: SocketAddr) -> NewPath {
        // Each direction of each path has chances of its own, by the order in
        // which clients come.
        let seed = self.seed.wrapping_add(2 * self.paths.len() as u64);
        let (up, up_waiting) = Direction::new(self.newcomers.0, seed);
        let (down, down_waiting) = Direction::new(self.newcomers.1, seed.wrapping_add(1));
        self.paths.insert(client, Path { up, down });
        NewPath {
            client,
            up: up_waiting,
            down: down_waiting,
        }
    }
}

impl Direction {
    fn new(conditions: Conditions, seed: u64) -> (Self, mpsc::Receiver<Packet>) {
        let (waiting, receiver) = mpsc::channel(MAX_WAITING);
        let direction = Self {
            // Neighbouring seeds must not lead to neighbouring chances.
            shaper: Shaper::new(conditions, seed.wrapping_mul(0xd134_2543_de82_ef95)),
            counts: Counts::default(),
            waiting,
        };
        (direction, receiver)
    }

    fn take(&mut self, bytes: &[u8]) {
        let arrives = match self.shaper.take(Instant::now(), bytes.len()) {
            Fate::Arrives(at) => at,
            Fate::Lost => return self.counts.lost += 1,
            Fate::Overflows => return self.counts.overflowed += 1,
        };
        let bytes = bytes.to_vec();
        let length = bytes.len() as u64;
        if self.waiting.try_send(Packet { arrives, bytes }).is_err() {
            return self.counts.overflowed += 1;
        }
        self.counts.passed += 1;
        self.counts.passed_bytes += length;
    }
}

/// Carries packets until it is dropped.
///
/// # Errors
/// The socket cannot be used.
pub(super) async fn relay(socket: std::net::UdpSocket, paths: Arc<Mutex<Paths>>) -> io::Result<()> {
    let front = Arc::new(UdpSocket::from_std(socket)?);
    let mut running = JoinSet::new();
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let Ok((length, client)) = front.recv_from(&mut buffer).await else {
            // Some systems tell here that an earlier packet reached nobody.
            continue;
        };
        let (new, server) = {
            let mut paths = paths.lock().unwrap_or_else(PoisonError::into_inner);
            (paths.take_up(client, &buffer[..length]), paths.server)
        };
        let Some(new) = new else { continue };
        let back = Arc::new(UdpSocket::bind((loopback(server), 0)).await?);
        running.spawn(deliver(new.up, Arc::clone(&back), server));
        running.spawn(deliver(new.down, Arc::clone(&front), new.client));
        running.spawn(listen(back, server, new.client, Arc::clone(&paths)));
    }
}

/// Takes what the server sends to one client.
async fn listen(
    back: Arc<UdpSocket>,
    server: SocketAddr,
    client: SocketAddr,
    paths: Arc<Mutex<Paths>>,
) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        match back.recv_from(&mut buffer).await {
            Ok((length, from)) if from == server => {
                let mut paths = paths.lock().unwrap_or_else(PoisonError::into_inner);
                paths.take_down(client, &buffer[..length]);
            }
            // A stranger, or word that the server is not there.
            Ok(_) | Err(_) => {}
        }
    }
}

/// Lets each packet arrive at its time. They are in that order.
async fn deliver(mut waiting: mpsc::Receiver<Packet>, socket: Arc<UdpSocket>, to: SocketAddr) {
    while let Some(packet) = waiting.recv().await {
        // A timer would round even what is due up to its next tick.
        if packet.arrives > Instant::now() {
            sleep_until(packet.arrives.into()).await;
        }
        // Nobody there any more is as on any network.
        let _ = socket.send_to(&packet.bytes, to).await;
    }
}

/// The loopback address of the same family.
fn loopback(server: SocketAddr) -> IpAddr {
    if server.is_ipv4() {
        Ipv4Addr::LOCALHOST.into()
    } else {
        Ipv6Addr::LOCALHOST.into()
    }
}
