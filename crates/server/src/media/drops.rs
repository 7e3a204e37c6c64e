//! Datagrams that the system dropped since a worker did not take them in time.
//!
//! Linux tells it of each socket, so it is asked every few seconds, on a thread of
//! its own: its table has every UDP socket of the host. Elsewhere nobody asks, as
//! other systems count the drops of all programs together.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use tracing::warn;

use crate::counters::{Counters, Reason};

/// The sockets of IPv4 and of IPv6 (Linux, `proc_pid_net(5)`).
const TABLES: [&str; 2] = ["/proc/self/net/udp", "/proc/self/net/udp6"];

/// How often the system is asked.
const INTERVAL: Duration = Duration::from_secs(5);

/// How often it is said at most.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// What limits a socket's receive buffer.
const MOST_BUFFER: &str = if cfg!(target_os = "linux") {
    "sysctl net.core.rmem_max"
} else if cfg!(any(target_os = "macos", target_os = "freebsd")) {
    "sysctl kern.ipc.maxsockbuf"
} else {
    "the system's settings"
};

/// Says so if the system gave a UDP socket less of a receive buffer than it was to
/// have, in bytes.
pub(super) fn warn_of_small_buffer(granted: Option<usize>, asked: usize) {
    if let Some(granted) = granted.filter(|granted| *granted < asked) {
        warn!(
            "UDP sockets for media have receive buffers of {granted} bytes instead of {asked}, \
             so that bursts of many publishers may be lost: allow more with {MOST_BUFFER}"
        );
    }
}

/// Counts what is dropped at some ports until it is dropped itself.
#[derive(Debug)]
#[must_use]
pub(super) struct Watch {
    /// The thread ends with it.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Watches the sockets of these ports; `None` where the system does not tell.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub(super) fn start(ports: Vec<u16>, counters: Arc<Counters>) -> io::Result<Option<Self>> {
        if !TABLES.iter().any(|table| Path::new(table).exists()) {
            return Ok(None);
        }
        let (stop, stopped) = mpsc::channel();
        let thread = Builder::new()
            .name("media-drops".to_owned())
            .spawn(move || {
                let mut tally = Tally::default();
                while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    counters.add(Reason::FullSocket, tally.note(dropped(&ports)));
                    if let Some(datagrams) = tally.tell(Instant::now()) {
                        warn!(
                            "the system dropped {datagrams} datagrams that came faster than the \
                             media workers took them: give --workers a higher number, if there \
                             are cores left, or share the streams among more servers"
                        );
                    }
                }
            })?;
        Ok(Some(Self {
            stop: Some(stop),
            thread: Some(thread),
        }))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            warn!("the thread that counts dropped datagrams had panicked");
        }
    }
}

/// What was dropped so far, and what is yet to be said of it.
#[derive(Debug, Default)]
struct Tally {
    seen: u64,
    untold: u64,
    told_at: Option<Instant>,
}

impl Tally {
    /// Takes what the sockets that there are have dropped in all; what is new of it.
    fn note(&mut self, all: u64) -> u64 {
        // It is less once the socket of a worker that failed is gone.
        let new = all.saturating_sub(self.seen);
        self.seen = all;
        self.untold += new;
        new
    }

    /// What is to be said now: at once the first time, later once in a while.
    fn tell(&mut self, now: Instant) -> Option<u64> {
        let is_early = |at: Instant| now.saturating_duration_since(at) < WARN_INTERVAL;
        if self.untold == 0 || self.told_at.is_some_and(is_early) {
            return None;
        }
        self.told_at = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

/// Datagrams dropped so far at all sockets of these ports.
fn dropped(ports: &[u16]) -> u64 {
    let tables = TABLES
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok());
    tables.map(|table| dropped_in(&table, ports)).sum()
}

/// The same in one table: a line a socket, the second field its address with the
/// port in hexadecimal digits, the last one its drops.
fn dropped_in(table: &str, ports: &[u16]) -> u64 {
    let sockets = table.lines().filter_map(|line| {
        let mut fields = line.split_whitespace();
        let (_, port) = fields.nth(1)?.rsplit_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let drops = fields.next_back()?.parse::<u64>().ok()?;
        Some((port, drops))
    });
    let ours = sockets.filter(|(port, _)| ports.contains(port));
    ours.map(|(_, drops)| drops).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when \
                          retrnsmt   uid  timeout inode ref pointer drops\n";

    #[test]
    fn only_our_ports_count() {
        let table = [
            HEADER,
            "  411: 00000000:7919 00000000:0000 07 00000000:00000000 00:00000000 00000000     \
             0        0 2301 2 0000000000000000 12  \n",
            "16412: 0100007F:791A 00000000:0000 07 00000000:00000000 00:00000000 00000000  \
             1000        0 2302 2 0000000000000000 4294967295  \n",
            "  413: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     \
             0        0 2303 2 0000000000000000 7  \n",
            "  414: 00000000000000000000000000000000:7919 00000000000000000000000000000000:0000 \
             07 00000000:00000000 00:00000000 00000000     0        0 2304 2 0000000000000000 30\n",
        ]
        .concat();
        assert_eq!(dropped_in(&table, &[31_001]), 42);
        assert_eq!(dropped_in(&table, &[31_001, 31_002]), 4_294_967_337);
        assert_eq!(dropped_in(&table, &[]), 0);
        for broken in [HEADER, "", "1:", "1: 7919 5", "1: 0:7919 x", "1: 0:17919 5"] {
            assert_eq!(dropped_in(broken, &[31_001]), 0, "{broken}");
        }
    }

    #[test]
    fn drops_are_said_at_once_then_once_a_minute() {
        let start = Instant::now();
        let mut tally = Tally::default();
        // Seconds, drops in all, those that are new, and what is said.
        let table = [
            (0, 0, 0, None),
            (5, 3, 3, Some(3)),
            (10, 5, 2, None),
            (15, 9, 4, None),
            (64, 9, 0, None),
            (65, 10, 1, Some(7)),
            (130, 10, 0, None),
            (135, 4, 0, None),
            (140, 6, 2, Some(2)),
        ];
        for (second, all, new, said) in table {
            let now = start + Duration::from_secs(second);
            assert_eq!((tally.note(all), tally.tell(now)), (new, said), "{second}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells_what_it_drops() {
        use socket2::SockRef;
        use std::net::UdpSocket;

        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        SockRef::from(&socket).set_recv_buffer_size(4_096).unwrap();
        let address = socket.local_addr().unwrap();
        assert_eq!(dropped(&[address.port()]), 0);
        const SENT: u64 = 100;
        for _ in 0..SENT {
            socket.send_to(&[0; 1_000], address).unwrap();
        }
        socket.set_nonblocking(true).unwrap();
        let (mut buffer, mut came) = ([0; 1_000], 0);
        let start = Instant::now();
        while came + dropped(&[address.port()]) < SENT {
            assert!(start.elapsed() < Duration::from_secs(30), "{came} came");
            while socket.recv(&mut buffer).is_ok() {
                came += 1;
            }
        }
        assert!(came < SENT, "there is no room for all");
    }
}
