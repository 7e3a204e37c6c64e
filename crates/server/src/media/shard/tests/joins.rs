//! Joining waits for nothing but the network.

use super::*;

/// Trips that a handshake takes: check and answer, ClientHello, the server's
/// flight, the client's, and the server's last (RFC 6347 section 4.2.4).
const TRIPS: u32 = 6;

/// As few datagrams of DTLS, each flight going out once.
const FLIGHTS: u64 = 4;

fn is_stun(datagram: &[u8]) -> bool {
    datagram[0] < 2
}

fn is_check(datagram: &[u8]) -> bool {
    datagram[..2] == [0, 1]
}

/// A check with USE-CANDIDATE, as str0m writes it.
fn nominates(datagram: &[u8]) -> bool {
    const USE_CANDIDATE: [u8; 4] = [0, 0x25, 0, 0];
    is_check(datagram) && datagram[20..].chunks(4).any(|word| word == USE_CANDIDATE)
}

/// A client that nominates late, as libwebrtc does: it connects at once, by one
/// handshake, with no answer to what it never asked.
fn check(workers: usize, role: Role) {
    let mut world = World::new(workers);
    let peer = match role {
        Role::Publisher => PUBLISHER,
        Role::Player { .. } => {
            world.publish();
            VIEWER
        }
    };
    let late = world.clients.len();
    world.lose(late, nominates, |_| true);
    world.lose(late, is_dtls, |_| false);
    world.lose(late, is_check, |_| false);
    world.lose(late, is_stun, |_| false);
    assert_eq!(world.open(peer, role), late);
    world.run_for(LATENCY * TRIPS);
    assert!(world.clients[late].connected, "late");
    let [nominations, dtls, checks, stun] = [0, 1, 2, 3].map(|i| world.network.losses[i].count);
    assert!(nominations > 0, "the client nominates");
    assert_eq!(dtls, FLIGHTS);
    assert_eq!(stun - checks, checks - nominations, "answers to checks");

    // The nomination comes at last, and changes nothing.
    world.network.losses.clear();
    world.lose(late, nominates, |_| false);
    world.stream(30 * SECOND);
    assert!(world.network.losses[0].count > 0, "it nominates again");
    assert!(world.has_seen(&Event::Flowing { peer }));
    assert!(world.ends(peer, world.start).is_empty());
}

#[test]
fn a_client_that_nominates_late_is_answered_at_once() {
    check(1, Role::Publisher);
    check(1, Role::Player { source: PUBLISHER });
    check(2, Role::Player { source: PUBLISHER });
}

/// The first frame that a viewer gets is a keyframe that came while it was
/// connecting, and everything after it comes too.
fn check_head_start(workers: usize) {
    let mut world = World::new(workers);
    world.publish();
    world.stream(SECOND);
    let asked = world.clients[0].keyframe_requests;
    let first = world.source.sequence;
    let viewer = world.open(VIEWER, Role::Player { source: PUBLISHER });
    // The request takes one trip and the keyframe another: long before the
    // handshake's six are over.
    let (frame, handshake) = (2 * LATENCY, LATENCY * TRIPS);
    world.run_for(frame / 2);
    world.send_frame();
    world.run_for(frame);
    world.send_frame();
    assert!(!world.clients[viewer].connected);
    world.run_for(handshake);
    assert!(world.clients[viewer].connected);
    let numbers: Vec<_> = [first, first + 1].map(u64::to_be_bytes).into();
    let got: Vec<_> = world.clients[viewer]
        .of_kind(true)
        .map(|packet| packet.payload[3..].to_vec())
        .collect();
    assert_eq!(got, numbers);
    world.stream(SECOND);
    assert_contiguous(&world.clients[viewer].numbers(true));
    assert_eq!(world.clients[0].keyframe_requests, asked + 1, "asked once");
}

#[test]
fn a_viewer_starts_with_what_came_while_it_was_connecting() {
    check_head_start(1);
    check_head_start(2);
}

/// A viewer that comes right after another one starts with the same keyframe,
/// though the publisher sends nothing meanwhile.
fn check_second(workers: usize) {
    let mut world = World::new(workers);
    world.publish();
    let source = PUBLISHER;
    let first = world.open(VIEWER, Role::Player { source });
    world.stream(FRAME * 4);
    let second = world.open(PeerId(VIEWER.0 + 1), Role::Player { source });
    world.run_for(LATENCY * (TRIPS + 1) + FRAME);
    let [first, second] = [first, second].map(|viewer| {
        let packets = world.clients[viewer].of_kind(true);
        packets.map(|p| p.payload.to_vec()).collect::<Vec<_>>()
    });
    assert_eq!(second.len(), 3);
    assert!(first.ends_with(&second), "{first:?} {second:?}");
}

#[test]
fn viewers_who_come_together_share_a_keyframe() {
    check_second(1);
    check_second(2);
}

/// What others get still goes out in the portions that their worker sends.
#[test]
fn a_viewer_that_connects_hurries_nobody() {
    let mut world = World::new(1);
    world.publish();
    let first = world.play();
    // A frame and the second viewer's first check come in one batch.
    world.send_frame();
    let peer = PeerId(VIEWER.0 + 1);
    let second = world.open(peer, Role::Player { source: PUBLISHER });
    let at = world.now + LATENCY;
    world.run_for(LATENCY - Duration::from_micros(1));
    world.now = at;
    world.deliver();
    let shard = &world.shards[0];
    assert!(shard.is_behind(), "the frame waits for its turn");
    let Some(Peer::Player(player)) = shard.peers.get(&peer) else {
        panic!("no player");
    };
    assert_eq!(player.passed, 2, "its picture and its sound");
    world.stream(SECOND);
    assert!(world.clients[second].connected);
    for viewer in [first, second] {
        assert_contiguous(&world.clients[viewer].numbers(true));
    }
}
