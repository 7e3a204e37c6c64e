//! ICE restarts (RFC 9725 section 4.3.3), and that media goes on meanwhile.

use str0m::Candidate;
use str0m::net::Protocol;

use super::restart::Restart;
use super::*;

impl World {
    /// Hands a client's fragment to its peer; what the peer makes of it.
    fn restart(&mut self, peer: PeerId, fragment: &str) -> Option<String> {
        let home = if peer == PUBLISHER {
            SOURCE_WORKER.0
        } else {
            self.shards.len() - 1
        };
        let before = self.events.len();
        let fragment = fragment.into();
        self.shards[home].handle_message(Message::Restart { peer, fragment }, self.now);
        self.obey();
        self.events[before..]
            .iter()
            .find_map(|(_, event)| match event {
                Event::Restarted { peer: p, fragment } if *p == peer => Some(fragment.clone()),
                _ => None,
            })
    }

    /// A client's restart as the server answers it, for [`Restart::finish`].
    fn begin(&mut self, peer: PeerId, client: usize) -> (Restart, String) {
        let restart = Restart::begin(&mut self.clients[client]);
        let fragment = self.restart(peer, &restart.fragment.clone());
        (restart, fragment.unwrap())
    }

    fn finish(&mut self, peer: PeerId, client: usize, (restart, fragment): (Restart, String)) {
        let answer = self.answer_of(peer);
        restart.finish(&mut self.clients[client], &answer, &fragment);
    }

    fn answer_of(&self, peer: PeerId) -> String {
        let answer = self.events.iter().find_map(|(_, event)| match event {
            Event::Answered {
                peer: p, answer, ..
            } if *p == peer => Some(answer.clone()),
            _ => None,
        });
        answer.unwrap()
    }

    /// The stream goes on for `span`, and `viewer` gets all of it.
    fn assert_plays(&mut self, viewer: usize, span: Duration) {
        let before = self.clients[viewer].numbers(true).len();
        self.stream(span);
        let numbers = self.clients[viewer].numbers(true);
        assert_contiguous(&numbers);
        let frames = (span.as_millis() / FRAME.as_millis()) as usize;
        assert!(
            numbers.len() + 5 > before + frames,
            "{} more",
            numbers.len() - before
        );
        assert_eq!(self.ends(PUBLISHER, self.start), []);
        assert_eq!(self.ends(VIEWER, self.start), []);
    }
}

fn playing(workers: usize) -> (World, usize) {
    let mut world = World::new(workers);
    world.publish();
    let viewer = world.play();
    (world, viewer)
}

#[test]
fn media_goes_on_through_restarts_of_either_side() {
    for workers in [1, 2] {
        let (mut world, viewer) = playing(workers);
        for (peer, client) in [(VIEWER, viewer), (PUBLISHER, 0), (VIEWER, viewer)] {
            let restart = world.begin(peer, client);
            world.finish(peer, client, restart);
            world.assert_plays(viewer, 40 * SECOND);
        }
        world.close(VIEWER);
        world.close(PUBLISHER);
        world.assert_empty();
    }
}

#[test]
fn the_answer_has_what_a_fragment_has() {
    let (mut world, viewer) = playing(1);
    let (_, fragment) = world.begin(VIEWER, viewer);
    let answer = world.answer_of(VIEWER);
    let lines: Vec<_> = fragment.lines().collect();
    assert!(lines.contains(&"a=ice-lite"));
    assert_eq!(lines.last(), Some(&"a=end-of-candidates"));
    for start in [
        "a=group:BUNDLE ",
        "m=audio ",
        "a=mid:",
        "a=ice-options:",
        "a=candidate:",
    ] {
        let line = lines.iter().find(|line| line.starts_with(start));
        let line = line.unwrap_or_else(|| panic!("no {start} in {fragment}"));
        let same = answer.lines().any(|other| other == *line);
        assert!(same || start == "a=candidate:", "{line} is not in {answer}");
    }
    for start in ["a=ice-ufrag:", "a=ice-pwd:"] {
        let of = |sdp: &str| {
            sdp.lines()
                .find(|line| line.starts_with(start))
                .map(str::to_owned)
        };
        assert_ne!(of(&fragment).unwrap(), of(&answer).unwrap());
    }
    assert!(!fragment.contains("fingerprint") && !fragment.contains("m=video"));
}

/// The old credentials keep the connection up until the new ones do.
#[test]
fn a_client_that_never_hears_of_its_restart_stays() {
    let (mut world, viewer) = playing(2);
    drop(world.begin(VIEWER, viewer));
    world.assert_plays(viewer, 90 * SECOND);
    // Nor of the next one; the third comes through.
    drop(world.begin(VIEWER, viewer));
    world.assert_plays(viewer, 20 * SECOND);
    let restart = world.begin(VIEWER, viewer);
    world.finish(VIEWER, viewer, restart);
    world.assert_plays(viewer, 90 * SECOND);
    world.close(VIEWER);
    world.close(PUBLISHER);
    world.assert_empty();
}

#[test]
fn a_client_comes_back_from_another_address() {
    for client in [0, 1] {
        let (mut world, viewer) = playing(2);
        let peer = if client == 0 { PUBLISHER } else { VIEWER };
        // It is in another network from now on.
        let moved = client_address(7);
        world.cut(client);
        world.stream(5 * SECOND);
        let old = world.clients[client].local;
        let candidate = |address| Candidate::host(address, Protocol::Udp).unwrap();
        let rtc = &mut world.clients[client].rtc;
        rtc.add_local_candidate(candidate(moved));
        rtc.direct_api().invalidate_candidate(&candidate(old));
        world.clients[client].local = moved;
        let restart = world.begin(peer, client);
        world.finish(peer, client, restart);
        world.stream(5 * SECOND);
        let before = world.clients[viewer].numbers(true).len();
        world.stream(40 * SECOND);
        let more = world.clients[viewer].numbers(true).len() - before;
        assert!(more > 1_000, "{more} frames");
        assert_eq!(world.ends(peer, world.start), []);
    }
}

#[test]
fn a_restart_that_leads_nowhere_ends_the_peer() {
    let (mut world, viewer) = playing(1);
    let began = world.now;
    let restart = world.begin(VIEWER, viewer);
    world.finish(VIEWER, viewer, restart);
    world.cut(viewer);
    world.stream(Config::default().ice_timeout + SECOND);
    let ends = world.ends(VIEWER, began);
    let expected = (Config::default().ice_timeout, EndReason::IceLost);
    assert_eq!(ends, [expected]);
}

#[test]
fn what_is_no_fragment_changes_nothing() {
    let (mut world, viewer) = playing(1);
    for fragment in [
        "",
        "{}",
        "a=ice-ufrag:abcd\r\n",
        "a=ice-ufrag:a:b\r\na=ice-pwd:c\r\n",
    ] {
        assert_eq!(world.restart(VIEWER, fragment), None, "{fragment}");
    }
    assert_eq!(
        world.restart(PeerId(99), "a=ice-ufrag:a\r\na=ice-pwd:b\r\n"),
        None
    );
    world.assert_plays(viewer, 40 * SECOND);
}
