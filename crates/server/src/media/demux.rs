//! Which peer a datagram is for.
//!
//! STUN requests carry our own ICE user name fragment (RFC 8445 section
//! 7.2.2), which names the peer. Anything else goes by the address it comes
//! from, which is known once the peer has answered a request from there, and
//! it answers only requests that prove the password.

use std::collections::HashMap;
use std::net::SocketAddr;

use str0m::net::{Protocol, Transmit};

use crate::core::backend::PeerId;

/// The way that a packet goes, in or out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Path {
    /// UDP or TCP.
    pub(super) protocol: Protocol,
    /// Our address, as clients are told it.
    pub(super) local: SocketAddr,
    /// The client's address.
    pub(super) remote: SocketAddr,
}

impl Path {
    /// The way that `transmit` goes out.
    pub(super) fn of(transmit: &Transmit) -> Self {
        Self {
            protocol: transmit.proto,
            local: transmit.source,
            remote: transmit.destination,
        }
    }

    /// Where the client is: one address may mean one client over UDP and
    /// another over TCP.
    pub(super) fn end(self) -> (Protocol, SocketAddr) {
        (self.protocol, self.remote)
    }
}

/// A client's end of a [`Path`].
pub(super) type End = (Protocol, SocketAddr);

/// Addresses kept for one peer; the one unused for longest makes room. ICE tries
/// some, over TCP a new one for each of ours, and a client that moves between
/// networks takes new ones.
const ADDRESSES_PER_PEER: usize = 32;

/// The peers of one worker, by fragment and by address.
#[derive(Debug, Default)]
pub(super) struct Demux {
    by_fragment: HashMap<Box<[u8]>, PeerId>,
    by_end: HashMap<End, PeerId>,
    peers: HashMap<PeerId, Known>,
}

#[derive(Debug)]
struct Known {
    fragments: Vec<Box<[u8]>>,
    ends: Vec<End>,
}

impl Demux {
    /// Adds a peer by our ICE user name fragment; false if it is taken.
    pub(super) fn add(&mut self, peer: PeerId, fragment: &str) -> bool {
        if self.by_fragment.contains_key(fragment.as_bytes()) {
            return false;
        }
        let known = Known {
            fragments: Vec::new(),
            ends: Vec::new(),
        };
        self.peers.insert(peer, known);
        self.rename(peer, [fragment]);
        true
    }

    /// A peer goes by these fragments from now on, and by no other.
    pub(super) fn rename<'a>(
        &mut self,
        peer: PeerId,
        fragments: impl IntoIterator<Item = &'a str>,
    ) {
        let Some(known) = self.peers.get_mut(&peer) else {
            return;
        };
        for fragment in known.fragments.drain(..) {
            self.by_fragment.remove(&fragment);
        }
        for fragment in fragments {
            let fragment: Box<[u8]> = fragment.as_bytes().into();
            self.by_fragment.insert(fragment.clone(), peer);
            known.fragments.push(fragment);
        }
    }

    pub(super) fn remove(&mut self, peer: PeerId) {
        let Some(known) = self.peers.remove(&peer) else {
            return;
        };
        for fragment in known.fragments {
            self.by_fragment.remove(&fragment);
        }
        for end in known.ends {
            if self.by_end.get(&end) == Some(&peer) {
                self.by_end.remove(&end);
            }
        }
    }

    /// The peer talks this way. A newer peer takes over an address.
    pub(super) fn learn(&mut self, peer: PeerId, path: Path) {
        let end = path.end();
        let Some(known) = self.peers.get_mut(&peer) else {
            return;
        };
        if known.ends.last() == Some(&end) && self.by_end.get(&end) == Some(&peer) {
            return;
        }
        known.ends.retain(|known| *known != end);
        if known.ends.len() == ADDRESSES_PER_PEER {
            let oldest = known.ends.remove(0);
            if self.by_end.get(&oldest) == Some(&peer) {
                self.by_end.remove(&oldest);
            }
        }
        known.ends.push(end);
        self.by_end.insert(end, peer);
    }

    /// Nothing comes this way any more; the peer that talked so.
    pub(super) fn forget(&mut self, path: Path) -> Option<PeerId> {
        let peer = self.by_end.remove(&path.end())?;
        if let Some(known) = self.peers.get_mut(&peer) {
            known.ends.retain(|end| *end != path.end());
        }
        Some(peer)
    }

    /// The peer that a datagram is for.
    pub(super) fn route(&self, path: Path, datagram: &[u8]) -> Option<PeerId> {
        match local_fragment(datagram) {
            Some(fragment) => self.by_fragment.get(fragment).copied(),
            None => self.by_end.get(&path.end()).copied(),
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_fragment.is_empty() && self.by_end.is_empty() && self.peers.is_empty()
    }
}

/// Our fragment, the first in the USERNAME of a STUN binding request (RFC 8489
/// sections 5 and 14.3); `None` for anything else.
fn local_fragment(datagram: &[u8]) -> Option<&[u8]> {
    const BINDING_REQUEST: [u8; 2] = [0, 1];
    const MAGIC_COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();
    const USERNAME: u16 = 6;

    let (header, mut attributes) = datagram.split_first_chunk::<20>()?;
    if header[..2] != BINDING_REQUEST || header[4..8] != MAGIC_COOKIE {
        return None;
    }
    while let Some((head, rest)) = attributes.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if u16::from_be_bytes([head[0], head[1]]) == USERNAME {
            return rest.get(..length)?.split(|byte| *byte == b':').next();
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PeerId = PeerId(1);
    const B: PeerId = PeerId(2);

    fn path(port: u16) -> Path {
        Path {
            protocol: Protocol::Udp,
            local: SocketAddr::from(([127, 0, 0, 1], 31_001)),
            remote: SocketAddr::from(([127, 0, 0, 1], port)),
        }
    }

    fn tcp_path(port: u16) -> Path {
        Path {
            protocol: Protocol::Tcp,
            ..path(port)
        }
    }

    /// A binding request with these attributes.
    fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (kind, value) in attributes {
            body.extend(kind.to_be_bytes());
            body.extend((value.len() as u16).to_be_bytes());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let mut datagram = vec![0, 1];
        datagram.extend((body.len() as u16).to_be_bytes());
        datagram.extend(0x2112_a442_u32.to_be_bytes());
        datagram.extend([7; 12]);
        datagram.extend(body);
        datagram
    }

    #[test]
    fn requests_go_by_our_fragment() {
        let mut demux = Demux::default();
        assert!(demux.add(A, "abcd"));
        assert!(demux.add(B, "efgh"));
        let table: &[(Vec<u8>, Option<PeerId>)] = &[
            (request(&[(6, b"abcd:remote")]), Some(A)),
            (request(&[(0x24, &[0; 4]), (6, b"efgh:r")]), Some(B)),
            (request(&[(0x8022, b"odd"), (6, b"efgh:r")]), Some(B)),
            (request(&[(6, b"nobody:r")]), None),
            (request(&[(6, b"abcdx")]), None),
            (request(&[]), None),
            (vec![0, 1, 0, 8], None),
        ];
        for (datagram, expected) in table {
            assert_eq!(demux.route(path(1), datagram), *expected, "{datagram:?}");
        }
    }

    #[test]
    fn a_cut_request_never_panics() {
        let whole = request(&[(0x24, &[0; 4]), (6, b"abcd:remote")]);
        let mut demux = Demux::default();
        assert!(demux.add(A, "abcd"));
        for length in 0..whole.len() {
            demux.route(path(1), &whole[..length]);
        }
    }

    #[test]
    fn the_rest_goes_by_address() {
        let mut demux = Demux::default();
        assert!(demux.add(A, "abcd"));
        let media = [0x80, 96, 0, 1];
        assert_eq!(demux.route(path(1), &media), None);
        demux.learn(A, path(1));
        assert_eq!(demux.route(path(1), &media), Some(A));
        assert_eq!(demux.route(path(2), &media), None);
    }

    #[test]
    fn a_new_peer_takes_over_an_address() {
        let mut demux = Demux::default();
        assert!(demux.add(A, "abcd") && demux.add(B, "efgh"));
        demux.learn(A, path(1));
        demux.learn(B, path(1));
        assert_eq!(demux.route(path(1), &[0x80]), Some(B));
        demux.remove(A);
        assert_eq!(demux.route(path(1), &[0x80]), Some(B));
        demux.remove(B);
        assert_eq!(demux.route(path(1), &[0x80]), None);
    }

    #[test]
    fn a_fragment_is_used_once() {
        let mut demux = Demux::default();
        assert!(demux.add(A, "abcd"));
        assert!(!demux.add(B, "abcd"));
        demux.remove(A);
        assert!(demux.add(B, "abcd"));
    }

    #[test]
    fn a_renamed_peer_goes_by_its_new_fragments_alone() {
        let mut demux = Demux::default();
        assert!(demux.add(A, "abcd"));
        demux.rename(A, ["abcd", "efgh"]);
        for user in ["abcd:r", "efgh:r"] {
            let datagram = request(&[(6, user.as_bytes())]);
            assert_eq!(demux.route(path(1), &datagram), Some(A), "{user}");
        }
        demux.rename(A, ["efgh"]);
        assert_eq!(demux.route(path(1), &request(&[(6, b"abcd:r")])), None);
        demux.rename(B, ["ijkl"]);
        demux.remove(A);
        assert!(demux.is_empty());
    }

    #[test]
    fn an_address_in_use_is_not_pushed_out() {
        let mut demux = Demux::default();
        assert!(demux.add(A, "abcd"));
        for port in 1..=50 {
            demux.learn(A, path(port));
            demux.learn(A, path(1));
        }
        assert_eq!(demux.route(path(1), &[0x80]), Some(A));
        assert_eq!(demux.route(path(50), &[0x80]), Some(A));
        assert_eq!(demux.route(path(2), &[0x80]), None);
        demux.remove(A);
        assert!(demux.is_empty());
    }

    #[test]
    fn a_peer_keeps_its_latest_addresses() {
        let mut demux = Demux::default();
        assert!(demux.add(A, "abcd"));
        let last = ADDRESSES_PER_PEER as u16 + 1;
        for port in 1..=last {
            demux.learn(A, path(port));
        }
        assert_eq!(demux.route(path(1), &[0x80]), None);
        assert_eq!(demux.route(path(2), &[0x80]), Some(A));
        assert_eq!(demux.route(path(last), &[0x80]), Some(A));
        demux.remove(A);
        assert!(demux.is_empty());
    }

    #[test]
    fn tcp_and_udp_are_told_apart() {
        let mut demux = Demux::default();
        assert!(demux.add(A, "abcd") && demux.add(B, "efgh"));
        demux.learn(A, path(1));
        demux.learn(B, tcp_path(1));
        assert_eq!(demux.route(path(1), &[0x80]), Some(A));
        assert_eq!(demux.route(tcp_path(1), &[0x80]), Some(B));
        assert_eq!(demux.forget(tcp_path(1)), Some(B));
        assert_eq!(demux.forget(tcp_path(1)), None);
        assert_eq!(demux.route(tcp_path(1), &[0x80]), None);
        assert_eq!(demux.route(path(1), &[0x80]), Some(A));
        demux.remove(A);
        demux.remove(B);
        assert!(demux.is_empty());
    }
}
