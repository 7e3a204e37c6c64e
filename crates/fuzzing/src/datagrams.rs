//! What comes to a media port: from strangers, and from the addresses of peers.

use std::net::SocketAddr;
use std::time::Duration;

use str0m::media::Direction;

use crate::rig::{ONE, Rig};

/// Where nobody of the peers is.
const STRANGER: ([u8; 4], u16) = ([192, 0, 2, 9], 9);

/// A publisher, by its place among the clients, its viewer, and one that comes later.
const PUBLISHER: usize = 0;
const VIEWER: usize = 1;
const NEWCOMER: usize = 2;

/// The publisher's payload type of video.
const VIDEO: u8 = 102;

/// Records of a byte that says what it is, one of length, and that many bytes:
///
/// | kind modulo 5 | record |
/// | --- | --- |
/// | 0 | a datagram of a stranger |
/// | 1 | one from the publisher's address, without its keys |
/// | 2 | one from the viewer's address, without its keys |
/// | 3 | the payload of a video packet that the publisher encrypts |
/// | 4 | time passes, as many milliseconds as there are bytes |
///
/// # Panics
/// A peer loses its connection, or a new viewer gets none.
pub fn datagrams(data: &[u8]) {
    let mut rig = Rig::new(1, ONE, false);
    let mut sent = 0;
    let mut rest = data;
    while let [kind, length, tail @ ..] = rest {
        let (bytes, tail) = tail.split_at(tail.len().min(usize::from(*length)));
        rest = tail;
        match kind % 5 {
            0 => rig.inject(SocketAddr::from(STRANGER), bytes),
            1 => rig.inject(rig.client_address(PUBLISHER), bytes),
            2 => rig.inject(rig.client_address(VIEWER), bytes),
            3 => {
                sent += 1;
                let (now, place) = (rig.now, (sent, sent as u32 * 3_000));
                rig.clients[PUBLISHER].write(Some(VIDEO), place, now, bytes, now);
                rig.exchange();
            }
            _ => rig.run_for(Duration::from_millis(bytes.len() as u64)),
        }
    }
    rig.run_for(Duration::from_millis(20));
    rig.open(rig.client_address(NEWCOMER), Direction::RecvOnly, &[]);
    rig.run_for(Duration::from_millis(200));
    assert!(rig.clients.iter().all(|c| c.connected && c.error.is_none()));
}
