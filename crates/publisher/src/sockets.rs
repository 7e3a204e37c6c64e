//! The UDP sockets of one peer connection: one for each local address from
//! which the server may be reached.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket as StdSocket};
use std::task::Poll;

use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tracing::debug;

/// An address that is routed like any on the Internet and belongs to nobody
/// (TEST-NET-1, RFC 5737). Nothing is ever sent to it.
const ANYWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);

/// The sockets, each with its own address.
#[derive(Debug)]
pub(crate) struct Sockets(Vec<(SocketAddr, UdpSocket)>);

impl Sockets {
    /// Opens sockets on free ports. `signalling` is this end of the connection
    /// to the server: what reaches its signalling most likely reaches its media.
    ///
    /// # Errors
    /// Not one socket could be opened; the last error.
    pub(crate) async fn open(signalling: IpAddr) -> io::Result<Self> {
        let mut sockets = Vec::new();
        let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in local_addresses(signalling) {
            match UdpSocket::bind((address, 0)).await {
                Ok(socket) => sockets.push((socket.local_addr()?, socket)),
                Err(error) => {
                    debug!(%address, %error, "no UDP socket");
                    failed = error;
                }
            }
        }
        if sockets.is_empty() {
            return Err(failed);
        }
        Ok(Self(sockets))
    }

    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.0.iter().map(|(address, _)| *address)
    }

    /// Sends a datagram, or loses it: to a full socket buffer, as the network might.
    pub(crate) fn send(&self, source: SocketAddr, destination: SocketAddr, datagram: &[u8]) {
        let Some((_, socket)) = self.0.iter().find(|(address, _)| *address == source) else {
            debug!(%source, "no such socket");
            return;
        };
        if let Err(error) = socket.try_send_to(datagram, destination) {
            debug!(%destination, %error, "datagram not sent");
        }
    }

    /// Waits for a datagram: its length in `buffer`, its sender and the socket
    /// it came to. Cancelled, it takes nothing.
    pub(crate) async fn recv(&self, buffer: &mut [u8]) -> (usize, SocketAddr, SocketAddr) {
        poll_fn(|context| {
            for (address, socket) in &self.0 {
                let mut read = ReadBuf::new(buffer);
                match socket.poll_recv_from(context, &mut read) {
                    Poll::Ready(Ok(source)) => {
                        return Poll::Ready((read.filled().len(), source, *address));
                    }
                    Poll::Ready(Err(error)) => {
                        // Some systems report an unreachable peer here.
                        debug!(%error, "receive failed");
                        context.waker().wake_by_ref();
                    }
                    Poll::Pending => {}
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// The addresses to offer. On loopback the server may still announce only its
/// IPv4 loopback or its outside address, so those are added.
fn local_addresses(signalling: IpAddr) -> Vec<IpAddr> {
    let mut addresses = vec![signalling];
    if signalling.is_loopback() {
        let v4 = IpAddr::from(Ipv4Addr::LOCALHOST);
        addresses.extend((signalling != v4).then_some(v4));
        addresses.extend(outside_address().filter(|address| !address.is_loopback()));
    }
    addresses
}

/// This machine's IPv4 address towards the Internet, if it has one.
fn outside_address() -> Option<IpAddr> {
    let socket = StdSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(ANYWHERE).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_routed_address_stands_alone_and_loopback_brings_company() {
        let routed: IpAddr = "198.51.100.7".parse().unwrap();
        assert_eq!(local_addresses(routed), [routed]);
        let v4 = IpAddr::from(Ipv4Addr::LOCALHOST);
        assert_eq!(local_addresses(v4)[0], v4);
        let v6: IpAddr = "::1".parse().unwrap();
        assert_eq!(local_addresses(v6)[..2], [v6, v4]);
    }

    #[tokio::test]
    async fn datagrams_go_and_come() {
        let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
        let sockets = Sockets::open(loopback).await.unwrap();
        let ours = sockets.addresses().next().unwrap();
        let theirs = UdpSocket::bind((loopback, 0)).await.unwrap();
        let their_address = theirs.local_addr().unwrap();
        theirs.send_to(b"to you", ours).await.unwrap();
        let mut buffer = [0; 16];
        let received = sockets.recv(&mut buffer).await;
        assert_eq!(received, (6, their_address, ours));
        sockets.send(ours, their_address, b"and back");
        let (length, source) = theirs.recv_from(&mut buffer).await.unwrap();
        assert_eq!((&buffer[..length], source), (&b"and back"[..], ours));
    }
}
