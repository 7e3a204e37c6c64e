//! The sockets of one connection: UDP, one for each local address from which the
//! server may be reached, and TCP where that is asked for.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdSocket};
use std::task::{Context, Poll};

use str0m::net::{Protocol, Transmit};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tracing::debug;

use crate::tcp::{ACTIVE_PORT, TcpPaths};

/// Addresses that are routed like any on the Internet and belong to nobody
/// (RFC 5737, RFC 3849). Nothing is ever sent to them.
const ANYWHERE_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const ANYWHERE_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

/// No port in particular (RFC 863).
const DISCARD: u16 = 9;

/// Failures to receive in a row after which a socket is given up: a peer that is
/// unreachable shows as one now and then, an interface that is gone as many.
const MAX_FAILURES: u32 = 100;

/// The sockets, each UDP one with its own address.
#[derive(Debug)]
pub(crate) struct Sockets {
    udp: Vec<Udp>,
    tcp: TcpPaths,
}

#[derive(Debug)]
struct Udp {
    address: SocketAddr,
    socket: UdpSocket,
    /// Failures to receive since something came.
    failures: u32,
}

/// Where a datagram came from, and to which local candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) protocol: Protocol,
    pub(crate) length: usize,
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
}

impl Sockets {
    /// Opens UDP sockets on free ports. `signalling` is this end of the connection
    /// to the server: what reaches its signalling most likely reaches its media.
    ///
    /// # Errors
    /// Not one socket could be opened; the last error.
    pub(crate) async fn open(signalling: IpAddr) -> io::Result<Self> {
        let mut udp = Vec::new();
        let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in local_addresses(signalling) {
            match UdpSocket::bind((address, 0)).await {
                Ok(socket) => udp.push(Udp {
                    address: socket.local_addr()?,
                    socket,
                    failures: 0,
                }),
                Err(error) => {
                    debug!(%address, %error, "no UDP socket");
                    failed = error;
                }
            }
        }
        if udp.is_empty() {
            return Err(failed);
        }
        let tcp = TcpPaths::new();
        Ok(Self { udp, tcp })
    }

    /// The local UDP candidates.
    pub(crate) fn udp_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.udp.iter().map(|udp| udp.address)
    }

    /// The local TCP candidates, which connect when something is sent from them.
    pub(crate) fn tcp_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.udp_addresses()
            .map(|address| SocketAddr::new(address.ip(), ACTIVE_PORT))
    }

    /// Sends a datagram, or loses it: to a full socket buffer, as the network might.
    pub(crate) fn send(&mut self, transmit: &Transmit) {
        let (source, destination) = (transmit.source, transmit.destination);
        let datagram: &[u8] = &transmit.contents;
        if transmit.proto != Protocol::Udp {
            return self.tcp.send(source, destination, datagram);
        }
        let Some(udp) = self.udp.iter().find(|udp| udp.address == source) else {
            debug!(%source, "no such socket");
            return;
        };
        if let Err(error) = udp.socket.try_send_to(datagram, destination) {
            debug!(%destination, %error, "datagram not sent");
        }
    }

    /// Waits for a datagram, which is put into `buffer`. Cancelled, it takes
    /// nothing.
    pub(crate) async fn recv(&mut self, buffer: &mut [u8]) -> Arrival {
        let udp = &mut self.udp;
        tokio::select! {
            arrival = poll_fn(|context| poll_udp(udp, context, buffer)) => arrival,
            (datagram, source, destination) = self.tcp.recv() => {
                // A longer one is not media's, and is refused for being cut off.
                let length = datagram.len().min(buffer.len());
                buffer[..length].copy_from_slice(&datagram[..length]);
                Arrival { protocol: Protocol::Tcp, length, source, destination }
            }
        }
    }
}

fn poll_udp(sockets: &mut [Udp], context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Arrival> {
    for udp in sockets {
        while udp.failures < MAX_FAILURES {
            let mut read = ReadBuf::new(buffer);
            match udp.socket.poll_recv_from(context, &mut read) {
                Poll::Ready(Ok(source)) => {
                    udp.failures = 0;
                    return Poll::Ready(Arrival {
                        protocol: Protocol::Udp,
                        length: read.filled().len(),
                        source,
                        destination: udp.address,
                    });
                }
                Poll::Ready(Err(error)) => {
                    // Some systems report an unreachable peer here.
                    debug!(%error, "receive failed");
                    udp.failures += 1;
                }
                Poll::Pending => break,
            }
        }
    }
    Poll::Pending
}

/// The addresses to offer: the one that reaches the server's signalling, and
/// where its media may be on the other family or, if it is this machine's, on the
/// outside, that.
fn local_addresses(signalling: IpAddr) -> Vec<IpAddr> {
    let mut addresses = vec![signalling];
    let more = if signalling.is_loopback() {
        [
            Some(Ipv4Addr::LOCALHOST.into()),
            outside_address(ANYWHERE_V4),
        ]
    } else if signalling.is_ipv4() {
        [None, outside_address(ANYWHERE_V6)]
    } else {
        [None, outside_address(ANYWHERE_V4)]
    };
    for address in more.into_iter().flatten() {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

/// This machine's address towards another, if there is a way to it.
fn outside_address(towards: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match towards {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = StdSocket::bind((any, 0)).ok()?;
    socket.connect((towards, DISCARD)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_brings_company_and_a_routed_address_the_other_family_at_most() {
        let routed: IpAddr = "198.51.100.7".parse().unwrap();
        let addresses = local_addresses(routed);
        assert_eq!(addresses[0], routed);
        assert!(addresses[1..].iter().all(IpAddr::is_ipv6));
        let v4 = IpAddr::from(Ipv4Addr::LOCALHOST);
        assert_eq!(local_addresses(v4)[0], v4);
        assert!(local_addresses(v4)[1..].iter().all(|ip| *ip != v4));
        let v6: IpAddr = "::1".parse().unwrap();
        assert_eq!(local_addresses(v6)[..2], [v6, v4]);
    }

    #[tokio::test]
    async fn datagrams_go_and_come() {
        let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
        let mut sockets = Sockets::open(loopback).await.unwrap();
        let ours = sockets.udp_addresses().next().unwrap();
        let theirs = UdpSocket::bind((loopback, 0)).await.unwrap();
        let their_address = theirs.local_addr().unwrap();
        theirs.send_to(b"to you", ours).await.unwrap();
        let mut buffer = [0; 16];
        let arrival = Arrival {
            protocol: Protocol::Udp,
            length: 6,
            source: their_address,
            destination: ours,
        };
        assert_eq!(sockets.recv(&mut buffer).await, arrival);
        sockets.send(&Transmit {
            proto: Protocol::Udp,
            source: ours,
            destination: their_address,
            contents: b"and back".to_vec().into(),
        });
        let (length, source) = theirs.recv_from(&mut buffer).await.unwrap();
        assert_eq!((&buffer[..length], source), (&b"and back"[..], ours));
    }
}
