//! What an operator may choose.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

/// How the forwarder runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Worker threads, each with a UDP port of its own. Default: one a core.
    pub workers: NonZeroUsize,
    /// The address to bind, for every worker. Default: all of IPv4.
    pub bind: IpAddr,
    /// UDP port of the first worker, the others follow; 0 takes any free ones.
    /// Default: 0.
    pub first_port: u16,
    /// Addresses at which clients reach this host, when they are not those of
    /// its interfaces: behind NAT, in a container. Empty (default): the
    /// interfaces' addresses, loopback included.
    pub public_addresses: Vec<IpAddr>,
    /// From the answer to the first working ICE pair. Default: 30 s.
    pub ice_timeout: Duration,
    /// How long a lost ICE connection may take to come back. It counts as lost
    /// after 15 s without a check; with the default of 15 s consent ends after
    /// the 30 s of RFC 7675 section 5.1.
    pub ice_grace: Duration,
    /// From ICE to the end of the DTLS handshake. Default: 10 s.
    pub dtls_timeout: Duration,
    /// A publisher that sends no RTP for this long is over. Default: 15 s.
    pub rtp_timeout: Duration,
    /// Most peers of one worker, publishers and players together. Default: 2,000.
    pub peers_per_worker: usize,
    /// Most bits a second that one publisher may send; what is over is dropped,
    /// as by a link that is full, and 0 is no limit. Default: 50 Mbit/s.
    pub publisher_bitrate_bps: u64,
    /// Packets that wait between two workers; what comes on top is dropped, as
    /// a network would. Default: 8,192.
    pub worker_queue: usize,
    /// Send and receive buffer of each UDP socket in bytes, as far as the
    /// system allows. Default: 4 MiB.
    pub socket_buffer: usize,
    /// How long packets are kept for a viewer's NACK. Default: 3 s.
    pub rtx_age: Duration,
    /// Most packets kept for a viewer's NACK, a track. Default: 2,048.
    pub rtx_packets: usize,
    /// How often each stream's video rate is reported; zero: never. Default:
    /// 1 s, as clients of the protocol take it.
    pub rate_interval: Duration,
}

impl Config {
    pub(super) fn tells_rates(&self) -> bool {
        !self.rate_interval.is_zero()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            workers: available_parallelism().unwrap_or(NonZeroUsize::MIN),
            bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            first_port: 0,
            public_addresses: Vec::new(),
            ice_timeout: Duration::from_secs(30),
            ice_grace: Duration::from_secs(15),
            dtls_timeout: Duration::from_secs(10),
            rtp_timeout: Duration::from_secs(15),
            peers_per_worker: 2_000,
            publisher_bitrate_bps: 50_000_000,
            worker_queue: 8_192,
            socket_buffer: 4 << 20,
            rtx_age: Duration::from_secs(3),
            rtx_packets: 2_048,
            rate_interval: Duration::from_secs(1),
        }
    }
}
