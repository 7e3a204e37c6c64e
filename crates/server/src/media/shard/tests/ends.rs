//! How peers end, and that nothing stays of them.

use str0m::Candidate;
use str0m::net::Protocol;

use super::*;
use crate::counters::Reason;

/// The only end of a peer since `since`.
fn end(world: &World, peer: PeerId, since: Instant) -> (Duration, EndReason) {
    let ends = world.ends(peer, since);
    assert_eq!(ends.len(), 1, "{ends:?}");
    ends[0]
}

/// A publisher with nobody else, or a player of one.
fn open(world: &mut World, peer: PeerId) -> usize {
    if peer == PUBLISHER {
        return world.open(PUBLISHER, Role::Publisher);
    }
    world.publish();
    let source = PUBLISHER;
    world.open(peer, Role::Player { source })
}

/// Goes on with what the publisher was doing.
fn wait(world: &mut World, peer: PeerId, span: Duration) {
    if peer == PUBLISHER {
        world.run_for(span);
    } else {
        world.stream(span);
    }
}

#[test]
fn ice_that_never_comes_up() {
    for (workers, peer) in [(1, PUBLISHER), (1, VIEWER), (2, VIEWER)] {
        let mut world = World::new(workers);
        let client = open(&mut world, peer);
        let opened = world.now;
        world.cut(client);
        let timeout = Config::default().ice_timeout;
        wait(&mut world, peer, timeout - SECOND);
        assert_eq!(world.ends(peer, opened), []);
        wait(&mut world, peer, 2 * SECOND);
        assert_eq!(end(&world, peer, opened), (timeout, EndReason::IceTimeout));
        world.close(PUBLISHER);
        world.assert_empty();
        assert_eq!(world.ends(peer, opened).len(), 1);
    }
}

#[test]
fn ice_without_dtls() {
    for (workers, peer) in [(1, PUBLISHER), (2, VIEWER)] {
        let mut world = World::new(workers);
        let client = open(&mut world, peer);
        let opened = world.now;
        world.lose(client, is_dtls, |_| true);
        let timeout = Config::default().dtls_timeout;
        wait(&mut world, peer, timeout + 2 * SECOND);
        let (after, reason) = end(&world, peer, opened);
        assert_eq!(reason, EndReason::Dtls);
        assert!(after > timeout && after < timeout + SECOND, "{after:?}");
        world.close(PUBLISHER);
        world.assert_empty();
        assert_eq!(world.ends(peer, opened).len(), 1);
    }
}

/// What str0m allows between two checks of a client before ICE counts as lost.
const ICE_SILENCE: Duration = Duration::from_secs(15);

#[test]
fn a_player_that_vanishes() {
    for workers in [1, 2] {
        let mut world = World::new(workers);
        world.publish();
        let player = world.play();
        let vanished = world.now;
        world.cut(player);
        let lost = ICE_SILENCE + Config::default().ice_grace;
        world.stream(lost - 5 * SECOND);
        assert_eq!(world.ends(VIEWER, vanished), []);
        world.stream(10 * SECOND);
        assert_eq!(end(&world, VIEWER, vanished).1, EndReason::IceLost);
        assert_eq!(world.ends(PUBLISHER, vanished), []);
        world.close(PUBLISHER);
        world.assert_empty();
        assert_eq!(world.ends(VIEWER, vanished).len(), 1);
    }
}

#[test]
fn a_player_that_comes_back_from_elsewhere_in_time() {
    for workers in [1, 2] {
        let mut world = World::new(workers);
        world.publish();
        let player = world.play();
        let start = world.now;
        world.cut(player);
        world.stream(ICE_SILENCE + 5 * SECOND);
        let elsewhere = client_address(99);
        let client = &mut world.clients[player];
        client.local = elsewhere;
        let candidate = Candidate::host(elsewhere, Protocol::Udp).unwrap();
        client.rtc.add_local_candidate(candidate);
        client.handle_timeout(world.now);
        let before = client.of_kind(true).count();
        world.stream(60 * SECOND);
        assert_eq!(world.ends(VIEWER, start), []);
        let after = world.clients[player].of_kind(true).count();
        assert!(after > before + 1_000, "{before} then {after}");
    }
}

#[test]
fn a_publisher_that_vanishes() {
    let config = Config {
        rtp_timeout: 100 * SECOND,
        ..Config::default()
    };
    let mut world = World::with(1, config);
    world.publish();
    let vanished = world.now;
    world.cut(0);
    world.run_for(120 * SECOND);
    let (after, reason) = end(&world, PUBLISHER, vanished);
    assert_eq!(reason, EndReason::IceLost);
    let expected = ICE_SILENCE + Config::default().ice_grace;
    assert!(after < expected + 5 * SECOND, "{after:?}");
    world.assert_empty();
}

#[test]
fn a_publisher_that_never_sends() {
    let mut world = World::new(1);
    world.open(PUBLISHER, Role::Publisher);
    let opened = world.now;
    let timeout = Config::default().rtp_timeout;
    world.run_for(timeout);
    assert!(world.clients[0].connected);
    assert_eq!(world.ends(PUBLISHER, opened), []);
    world.run_for(SECOND);
    assert_eq!(end(&world, PUBLISHER, opened).1, EndReason::RtpInactive);
    world.assert_empty();
    assert_eq!(world.ends(PUBLISHER, opened).len(), 1);
}

#[test]
fn a_publisher_that_stops_sending_leaves_its_player_alone() {
    for workers in [1, 2] {
        let mut world = World::new(workers);
        world.publish();
        world.play();
        world.send_frame();
        let stopped = world.now;
        world.run_for(100 * SECOND);
        let (after, reason) = end(&world, PUBLISHER, stopped);
        assert_eq!(reason, EndReason::RtpInactive);
        assert_eq!(after, LATENCY + Config::default().rtp_timeout);
        assert_eq!(world.ends(VIEWER, stopped), []);
        let last = world.shards.last().unwrap();
        assert!(last.peers.contains_key(&VIEWER));
        world.close(VIEWER);
        world.assert_empty();
        assert_eq!(world.ends(VIEWER, stopped), [], "closing says nothing");
    }
}

#[test]
fn peers_that_say_goodbye() {
    for workers in [1, 2] {
        let mut world = World::new(workers);
        world.publish();
        let player = world.play();
        let start = world.now;
        for (client, peer) in [(player, VIEWER), (0, PUBLISHER)] {
            world.clients[client].close();
            world.run_for(SECOND);
            let (after, reason) = end(&world, peer, start);
            assert_eq!(reason, EndReason::ClosedByPeer);
            assert!(after < 2 * SECOND, "{after:?}");
        }
        world.assert_empty();
    }
}

#[test]
fn a_worker_that_is_gone_is_forgotten_by_the_others() {
    for gone in [0, 1] {
        let mut world = World::new(2);
        world.publish();
        world.play();
        let start = world.now;
        let worker = WorkerId(gone);
        world.shards[1 - gone].handle_message(Message::WorkerGone { worker }, start);
        world.obey();
        if gone == 0 {
            assert!(world.shards[1].peers.is_empty());
            assert!(world.shards[1].audiences.is_empty());
            // As the forwarder says as well; its client is told once.
            let ends = world.ends(VIEWER, start);
            assert_eq!(ends, [(Duration::ZERO, EndReason::Internal)]);
        } else {
            assert!(world.shards[0].subscribers.is_empty());
            assert_eq!(world.ends(PUBLISHER, start), []);
        }
    }
}

#[test]
fn a_full_worker_takes_no_more_and_says_so_once() {
    let config = Config {
        peers_per_worker: 2,
        ..Config::default()
    };
    let mut world = World::with(1, config);
    world.publish();
    let viewer = world.play();
    let since = world.now;
    let more = [PeerId(20), PeerId(21)];
    for peer in more {
        world.command(Message::OpenPlayer {
            peer,
            source: PUBLISHER,
            home: SOURCE_WORKER,
            offer: String::new(),
            wishes: Wishes::default(),
        });
        assert_eq!(end(&world, peer, since).1, EndReason::Internal);
    }
    assert_eq!(world.shards[0].counters.of(Reason::TooManyPeers), 2);
    world.stream(SECOND);
    assert!(world.clients[viewer].connected);
    // Once there is a place again, an offer is looked at.
    world.close(VIEWER);
    let (peer, source) = (PeerId(22), PUBLISHER);
    world.open(peer, Role::Player { source });
}
