//! An emulated link: a UDP relay on loopback with loss, delay, jitter and a rate
//! in each direction, which needs no privileges.
//!
//! ```text
//! client  <-- down --  127.0.0.2:port  <-- down --  127.0.0.1:port
//!          --  up  ->      (Link)       --  up  ->      (server)
//! ```
//!
//! The server binds its media to one address and tells its clients another, the
//! link's. Each client address has a path of its own: a socket towards the
//! server, and in each direction its own bottleneck, queue and chance. Delays
//! are kept to about a millisecond.

mod background;
mod relay;
mod shaper;
mod tcp;

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use background::Background;
use relay::{Paths, relay};
pub use shaper::{Conditions, Counts};
pub use tcp::TcpRelay;

/// A running link; dropped, it carries nothing any more.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    server: SocketAddr,
    paths: Arc<Mutex<Paths>>,
    _background: Background,
}

impl Link {
    /// Starts a perfect link that takes packets at `address` (port 0 is a free
    /// one) and carries them to `server` and its answers back. `seed` decides
    /// which packets are lost once packets are.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub fn start(address: SocketAddr, server: SocketAddr, seed: u64) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let paths = Arc::new(Mutex::new(Paths::new(server, seed)));
        let relayed = Arc::clone(&paths);
        Ok(Self {
            address,
            server,
            paths,
            _background: Background::run("UDP link", move || relay(socket, relayed))?,
        })
    }

    /// Where clients send to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it carries packets to.
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// Changes what the link is like, for every client there is and that comes.
    pub fn set(&self, up: Conditions, down: Conditions) {
        let mut paths = self.paths();
        paths.set_newcomers(up, down);
        paths.set_present(up, down);
    }

    /// Changes what the link is like for clients that come from now on.
    pub fn set_newcomers(&self, up: Conditions, down: Conditions) {
        self.paths().set_newcomers(up, down);
    }

    /// What became of all packets so far: those to the server, those from it.
    pub fn counts(&self) -> (Counts, Counts) {
        self.paths().counts()
    }

    fn paths(&self) -> MutexGuard<'_, Paths> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::{Duration, Instant};

    /// A server that sends everything back, until the test ends.
    fn echo() -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 2_048];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let _ = socket.send_to(&buffer[..length], from);
            }
        });
        address
    }

    fn link() -> Link {
        Link::start("127.0.0.1:0".parse().unwrap(), echo(), 1).unwrap()
    }

    fn client(link: &Link) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(link.address()).unwrap();
        let patience = Some(Duration::from_secs(20));
        socket.set_read_timeout(patience).unwrap();
        socket
    }

    fn received(client: &UdpSocket) -> Vec<u8> {
        let mut buffer = [0; 2_048];
        let length = client.recv(&mut buffer).unwrap();
        buffer[..length].to_vec()
    }

    #[test]
    fn each_client_has_its_own_answers_in_order() {
        let link = link();
        let clients = [client(&link), client(&link)];
        for index in 0..20_u8 {
            for (which, client) in clients.iter().enumerate() {
                client.send(&[which as u8, index]).unwrap();
            }
        }
        for (which, client) in clients.iter().enumerate() {
            for index in 0..20 {
                assert_eq!(received(client), [which as u8, index]);
            }
        }
        let (up, down) = link.counts();
        assert_eq!((up.passed, up.passed_bytes), (40, 80));
        assert_eq!((up.lost, up.overflowed), (0, 0));
        assert_eq!(down, up);
    }

    #[test]
    fn conditions_change_while_it_runs() {
        let link = link();
        let old = client(&link);
        old.send(b"first").unwrap();
        assert_eq!(received(&old), b"first");

        let perfect = Conditions::default();
        link.set_newcomers(Conditions::lossy(1.0), perfect);
        let new = client(&link);
        new.send(b"lost").unwrap();
        old.send(b"second").unwrap();
        assert_eq!(received(&old), b"second", "those present keep theirs");

        link.set(perfect, perfect);
        new.send(b"third").unwrap();
        assert_eq!(received(&new), b"third");
        let (up, down) = link.counts();
        assert_eq!((up.passed, up.lost), (3, 1));
        assert_eq!((down.passed, down.lost), (3, 0));
    }

    #[test]
    fn a_squeezed_direction_drops_what_its_queue_cannot_hold() {
        let link = link();
        // 1,000 bytes take 10 ms of which the queue holds 50.
        let squeezed = Conditions {
            queue: Duration::from_millis(50),
            ..Conditions::limited(800_000)
        };
        link.set(Conditions::default(), squeezed);
        let client = client(&link);
        let before = Instant::now();
        // Few enough for the sockets' own buffers.
        for index in 0..40 {
            client.send(&[index; 1_000]).unwrap();
        }
        assert_eq!(received(&client), [0; 1_000]);
        assert!(before.elapsed() >= Duration::from_millis(10));
        // All are back at the link once each has passed or been dropped.
        let deadline = Instant::now() + Duration::from_secs(20);
        let dealt_with = |counts: Counts| counts.passed + counts.overflowed;
        while dealt_with(link.counts().1) < 40 {
            assert!(Instant::now() < deadline, "{:?}", link.counts());
            thread::yield_now();
        }
        let (up, down) = link.counts();
        assert_eq!((up.passed, up.overflowed), (40, 0));
        assert!(down.overflowed > 0 && down.lost == 0, "{down:?}");
    }
}
