//! What an operator may choose.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use super::address::PublicAddress;
use crate::core::backend::Transport;

/// How the forwarder runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Worker threads, each with a port of its own. Default: one a core.
    pub workers: NonZeroUsize,
    /// The addresses to bind, for every worker; one of IPv4 or IPv6 at most.
    /// Empty (default): all of IPv4 and, on a host that has it, of IPv6.
    pub bind: Vec<IpAddr>,
    /// Port of the first worker, of UDP and TCP alike, the others follow; 0
    /// takes any free ones. Default: 0.
    pub first_port: u16,
    /// What media may go over. Default: both.
    pub transports: Transports,
    /// Addresses at which clients reach this host, when they are not those of
    /// its interfaces: behind NAT, in a container. Empty (default): the
    /// interfaces' addresses, loopback included.
    pub public_addresses: Vec<PublicAddress>,
    /// Most TCP connections of one worker, which a client has one of for each of
    /// our addresses while it tries them. Default: 4,000.
    pub tcp_connections: usize,
    /// Most of them from one IPv4 address or IPv6 /64 network. Default: 512.
    pub tcp_per_address: usize,
    /// How long a TCP connection may take to show that a peer is at its other
    /// end. Default: 5 s.
    pub tcp_proof_time: Duration,
    /// How long a TCP connection may take nothing: its client is stuck, or has
    /// ended. Default: 30 s, like ICE consent (RFC 7675 section 5.1).
    pub tcp_idle_time: Duration,
    /// Most bytes waiting for a TCP connection to take them; packets that come
    /// on top are dropped, as a network would. Default: 128 KiB.
    pub tcp_queue: usize,
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
    /// Most peers of one worker, publishers and players together: what a client can
    /// make a worker hold in memory, not what its core can do. Default: 5,000, which
    /// is more than one core sends video to, so that what limits a server is its
    /// core, and takes some 500 MiB.
    pub peers_per_worker: usize,
    /// Most bits a second that one publisher may send; what is over is dropped,
    /// as by a link that is full, and 0 is no limit. Default: 50 Mbit/s.
    pub publisher_bitrate_bps: u64,
    /// Packets, and wishes for keyframes, that wait for a worker; what comes on
    /// top is dropped, as a network would. Default: 8,192.
    pub worker_queue: usize,
    /// Send and receive buffer of each UDP socket in bytes, as far as the
    /// system allows. Default: 4 MiB.
    pub socket_buffer: usize,
    /// How long packets are kept for a viewer's NACK at most; its round trip
    /// decides. Default: 3 s.
    pub rtx_age: Duration,
    /// Most packets kept for a viewer's NACK, a track. Default: 2,048.
    pub rtx_packets: usize,
    /// Most packets kept of a stream's layer since its latest keyframe, for
    /// viewers to start with. A group of pictures that takes more is given up:
    /// viewers then wait for the next keyframe, which is asked for. Default: 8,192.
    pub group_packets: usize,
    /// Most bytes of them, which bounds what each publisher's layer costs in
    /// memory. Default: 8 MiB, ten seconds of 6.7 Mbit/s.
    pub group_bytes: usize,
    /// Players are answered with every codec that both sides know, not with those
    /// of their stream alone: they may have to go on with another publisher's.
    /// Default: false.
    pub answer_all_codecs: bool,
    /// How often each stream's video rate is reported; zero: never. Default:
    /// 1 s, as clients of the protocol take it.
    pub rate_interval: Duration,
}

/// What media may go over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transports {
    /// UDP only.
    Udp,
    /// TCP only (RFC 6544).
    Tcp,
    /// UDP, and TCP where UDP does not get through.
    #[default]
    Both,
}

impl Transports {
    /// With UDP.
    pub fn udp(self) -> bool {
        matches!(self, Self::Udp | Self::Both)
    }

    /// With TCP.
    pub fn tcp(self) -> bool {
        matches!(self, Self::Tcp | Self::Both)
    }

    /// What a client gets that wishes for `transport`: that alone if it is here.
    pub(super) fn for_wish(self, transport: Transport) -> Self {
        match transport {
            Transport::Udp if self.udp() => Self::Udp,
            Transport::Tcp if self.tcp() => Self::Tcp,
            Transport::Any | Transport::Udp | Transport::Tcp => self,
        }
    }
}

impl fmt::Display for Transports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Both => "UDP and TCP",
        })
    }
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
            bind: Vec::new(),
            first_port: 0,
            transports: Transports::Both,
            public_addresses: Vec::new(),
            tcp_connections: 4_000,
            tcp_per_address: 512,
            tcp_proof_time: Duration::from_secs(5),
            tcp_idle_time: Duration::from_secs(30),
            tcp_queue: 128 * 1_024,
            ice_timeout: Duration::from_secs(30),
            ice_grace: Duration::from_secs(15),
            dtls_timeout: Duration::from_secs(10),
            rtp_timeout: Duration::from_secs(15),
            peers_per_worker: 5_000,
            publisher_bitrate_bps: 50_000_000,
            worker_queue: 8_192,
            socket_buffer: 4 << 20,
            rtx_age: Duration::from_secs(3),
            rtx_packets: 2_048,
            group_packets: 8_192,
            group_bytes: 8 << 20,
            answer_all_codecs: false,
            rate_interval: Duration::from_secs(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_the_transport_it_wishes_for_where_there_is_one() {
        use Transports::{Both, Tcp, Udp};
        let table = [
            (Both, Transport::Any, Both),
            (Both, Transport::Udp, Udp),
            (Both, Transport::Tcp, Tcp),
            (Udp, Transport::Any, Udp),
            (Udp, Transport::Tcp, Udp),
            (Tcp, Transport::Udp, Tcp),
        ];
        for (served, wish, expected) in table {
            assert_eq!(served.for_wish(wish), expected, "{served} {wish:?}");
        }
    }
}
