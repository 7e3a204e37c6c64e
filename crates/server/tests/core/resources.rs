//! WHIP and WHEP: resources beside sessions, on the same names.

use std::time::Duration;

use twoway_server::core::backend::{EndReason, VideoRate};
use twoway_server::core::{Config, Input, Problem, Reply, ResourcePath};
use twoway_server::counters::Reason;
use twoway_server::limits::Limits;

use crate::fake_backend::{ALIEN, ANSWERED, FLOWS, GARBAGE, SILENT, STUCK};
use crate::world::{World, play, publish, stop, whep, whip};

/// An offer that flows, with one ICE user name fragment.
const WITH_ICE: &str = "flows\r\na=ice-ufrag:abcd\r\na=ice-pwd:secret\r\n";

/// Candidates of that ICE session, and two others to restart with.
const SAME: &str = "a=ice-ufrag:abcd\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n";
const SECOND: &str = "a=ice-ufrag:efgh\r\na=ice-pwd:new\r\n";
const THIRD: &str = "a=ice-ufrag:ijkl\r\na=ice-pwd:newer\r\n";

impl World {
    fn create(&mut self, path: &ResourcePath, offer: &str) {
        let client = self.offer(path, offer);
        let reply = self.reply(client);
        assert!(matches!(reply, Some(Reply::Created { .. })), "{reply:?}");
    }

    /// What a PATCH is replied at once.
    fn patched(&mut self, path: &ResourcePath, tag: &str, fragment: &str) -> Reply {
        let client = self.patch(path, Some(tag), fragment);
        self.reply(client).expect("a reply")
    }

    /// An offer that is refused; why.
    fn refusal(&mut self, path: &ResourcePath, offer: &str) -> Problem {
        let client = self.offer(path, offer);
        problem(self.reply(client).expect("a reply"))
    }
}

fn problem(reply: Reply) -> Problem {
    match reply {
        Reply::Refused { problem, detail } => {
            assert!(!detail.is_empty());
            problem
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_published_one_way_plays_the_other_way() {
    let mut world = World::new();
    world.create(&whip("a", "1"), FLOWS);
    let viewer = world.connect();
    world.send(viewer, play("v", "a", FLOWS));
    assert_eq!(world.read_short(viewer), ["v SDP", "v PLAYING"]);
    world.create(&whep("a", "2"), FLOWS);

    let publisher = world.connect();
    world.send(publisher, publish("p", "b", FLOWS));
    assert_eq!(world.read_short(publisher), ["p SDP", "p PUBLISHING"]);
    world.create(&whep("b", "3"), FLOWS);
    let stats = world.core.stats();
    assert_eq!((stats.publishers, stats.players, stats.sessions), (2, 3, 2));
    assert!(world.refused.is_empty());
}

#[test]
fn the_reply_waits_for_the_answer() {
    let mut world = World::new();
    let client = world.offer(&whip("a", "1"), SILENT);
    assert_eq!(world.reply(client), None);
    world.pass(Duration::from_secs(60));
    assert_eq!(problem(world.reply(client).unwrap()), Problem::Failed);
    assert!(world.core.is_idle());
    assert_eq!(world.backend.open_peers(), 0);
}

#[test]
fn a_request_that_is_given_up_leaves_nothing() {
    let mut world = World::new();
    let waiting = world.offer(&whip("a", "1"), SILENT);
    world.handle(Input::Gone { client: waiting });
    assert!(world.core.is_idle());
    world.reply(waiting);
    // The reply was made and could not be delivered.
    let answered = world.offer(&whip("a", "2"), FLOWS);
    world.reply(answered);
    world.handle(Input::Gone { client: answered });
    assert!(world.core.is_idle());
    assert_eq!(world.backend.open_peers(), 0);
    world.create(&whip("a", "3"), FLOWS);
}

#[test]
fn offers_that_are_refused() {
    let mut world = World::with(Config {
        limits: Limits {
            sdp_bytes: 1_000,
            name_chars: 8,
            ..Limits::default()
        },
        ..Config::default()
    });
    world.create(&whip("live", "1"), FLOWS);
    world.create(&whip("starting", "2"), ANSWERED);
    let large = "x".repeat(1_001);
    let table = [
        (whip("live", "a"), FLOWS, Problem::NameInUse, None),
        (whip("starting", "a"), FLOWS, Problem::NameInUse, None),
        (whep("starting", "a"), FLOWS, Problem::NotReady, None),
        (whep("nobody", "a"), FLOWS, Problem::NoSuchStream, None),
        (
            whip("", "a"),
            FLOWS,
            Problem::BadName,
            Some(Reason::BadName),
        ),
        (
            whep("far-too-long", "a"),
            FLOWS,
            Problem::BadName,
            Some(Reason::BadName),
        ),
        (
            whip("b", "a"),
            large.as_str(),
            Problem::OfferTooLarge,
            Some(Reason::OversizedSdp),
        ),
        (
            whip("b", "a"),
            GARBAGE,
            Problem::BadOffer,
            Some(Reason::BadSdp),
        ),
        (whip("b", "a"), "", Problem::BadOffer, Some(Reason::BadSdp)),
        (whip("b", "a"), ALIEN, Problem::NoCommonCodecs, None),
        (whep("live", "a"), ALIEN, Problem::NoCommonCodecs, None),
    ];
    for (path, offer, expected, counted) in table {
        let refusal = world.refusal(&path, offer);
        assert_eq!(refusal, expected, "{path:?}");
        assert_eq!(world.refused.pop(), counted, "{path:?}");
        assert_eq!(problem(world.delete(&path)), Problem::NoSuchResource);
    }
    assert_eq!(world.backend.open_peers(), 2);
}

#[test]
fn resources_count_as_sessions() {
    let limits = Limits {
        sessions: 2,
        ..Limits::default()
    };
    let mut world = World::with(Config {
        limits,
        ..Config::default()
    });
    world.create(&whip("a", "1"), FLOWS);
    world.create(&whep("a", "2"), FLOWS);
    let refusal = world.refusal(&whep("a", "3"), FLOWS);
    assert_eq!(refusal, Problem::Unavailable);
    assert_eq!(world.refused, [Reason::TooManySessions]);
    let client = world.open();
    assert!(world.closed.contains_key(&client));
    assert_eq!(world.delete(&whep("a", "2")), Reply::Deleted);
    world.create(&whep("a", "4"), FLOWS);
}

#[test]
fn a_deleted_publisher_takes_its_players_along() {
    let mut world = World::new();
    let viewer = world.connect();
    world.create(&whip("a", "1"), FLOWS);
    world.create(&whep("a", "2"), FLOWS);
    world.send(viewer, play("v", "a", FLOWS));
    world.read(viewer);
    assert_eq!(world.delete(&whip("a", "1")), Reply::Deleted);
    assert_eq!(
        world.read_short(viewer),
        ["v FAILED Stopped by publisher stop"]
    );
    for gone in [whip("a", "1"), whep("a", "2")] {
        assert_eq!(problem(world.delete(&gone)), Problem::NoSuchResource);
    }
    assert_eq!(world.backend.open_peers(), 0);
}

#[test]
fn a_resource_ends_with_its_media() {
    let mut world = World::new();
    for reason in [EndReason::IceLost, EndReason::Dtls, EndReason::RtpInactive] {
        world.create(&whip("a", "1"), FLOWS);
        world.media_ends(0, reason);
        let deleted = world.delete(&whip("a", "1"));
        assert_eq!(problem(deleted), Problem::NoSuchResource);
        assert!(world.core.is_idle());
    }
    // A goodbye, and the request to delete right behind it.
    world.create(&whip("a", "1"), FLOWS);
    world.media_ends(0, EndReason::ClosedByPeer);
    assert_eq!(world.delete(&whip("a", "1")), Reply::Deleted);
    assert!(world.core.is_idle());
}

#[test]
fn only_the_whole_path_finds_a_resource() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "a", FLOWS));
    world.create(&whep("a", "1"), FLOWS);
    world.read(client);
    // Another protocol, name or id, and a stream that is no resource.
    for path in [
        whip("a", "1"),
        whep("b", "1"),
        whep("a", "2"),
        whip("a", "p"),
    ] {
        assert_eq!(problem(world.delete(&path)), Problem::NoSuchResource);
        assert_eq!(
            problem(world.patched(&path, "*", "")),
            Problem::NoSuchResource
        );
    }
    // Nor do sessions reach resources.
    world.send(client, stop("1"));
    assert_eq!(world.read_short(client), [""; 0]);
    assert_eq!(world.delete(&whep("a", "1")), Reply::Deleted);
}

#[test]
fn candidates_are_taken() {
    let mut world = World::new();
    let path = whip("a", "1");
    world.create(&path, WITH_ICE);
    for (tag, fragment) in [("\"1\"", SAME), ("\"1\"", ""), ("*", SAME)] {
        assert_eq!(world.patched(&path, tag, fragment), Reply::Trickled);
    }
    for (tag, fragment, expected) in [
        ("\"1\"", "{\"candidate\": 1}", Problem::BadFragment),
        ("*", "a=ice-ufrag:efgh\r\n", Problem::BadFragment),
        ("\"2\"", SAME, Problem::TagMismatch),
    ] {
        let reply = world.patched(&path, tag, fragment);
        assert_eq!(problem(reply), expected, "{tag}");
    }
    for (fragment, missing) in [("", true), (SECOND, true), (SAME, false)] {
        let client = world.patch(&path, None, fragment);
        match world.reply(client).unwrap() {
            Reply::Trickled => assert!(!missing, "{fragment}"),
            refused => assert_eq!(problem(refused), Problem::TagMissing),
        }
    }
    assert_eq!(world.refused, [Reason::BadRequest; 5]);
    assert_eq!(world.delete(&path), Reply::Deleted);
}

#[test]
fn each_restart_begins_an_ice_session() {
    let mut world = World::new();
    let path = whep("a", "2");
    world.create(&whip("a", "1"), FLOWS);
    world.create(&path, WITH_ICE);
    for (if_match, fragment, tag) in [("*", SECOND, "\"2\""), ("\"2\"", THIRD, "\"3\"")] {
        let restarted = Reply::Restarted {
            fragment: "restart of 2".into(),
            tag: tag.into(),
        };
        assert_eq!(world.patched(&path, if_match, fragment), restarted);
    }
    // Requests of before that come late change nothing.
    for (tag, late) in [
        ("\"1\"", SAME),
        ("\"2\"", THIRD),
        ("*", SECOND),
        ("*", SAME),
    ] {
        let reply = world.patched(&path, tag, late);
        assert_eq!(problem(reply), Problem::TagMismatch, "{tag} {late}");
    }
    assert_eq!(world.patched(&path, "\"3\"", THIRD), Reply::Trickled);
    assert_eq!(world.delete(&path), Reply::Deleted);
}

#[test]
fn a_restart_that_media_does_not_answer_leaves_all_as_it_was() {
    let mut world = World::new();
    let path = whip("a", "1");
    world.create(&path, WITH_ICE);
    let stuck = format!("a=ice-ufrag:{STUCK}\r\na=ice-pwd:new\r\n");
    let waiting = world.patch(&path, Some("*"), &stuck);
    assert_eq!(world.reply(waiting), None);
    assert_eq!(
        problem(world.patched(&path, "*", SECOND)),
        Problem::Restarting
    );
    assert_eq!(world.patched(&path, "\"1\"", SAME), Reply::Trickled);
    world.pass(Config::default().restart_timeout);
    assert_eq!(problem(world.reply(waiting).unwrap()), Problem::Unavailable);
    // Too late: nobody waits for it.
    world.media_restarts(0);
    assert_eq!(world.patched(&path, "\"1\"", SAME), Reply::Trickled);
    let again = world.patched(&path, "*", SECOND);
    assert!(matches!(again, Reply::Restarted { .. }), "{again:?}");
    assert_eq!(world.delete(&path), Reply::Deleted);
    assert!(world.core.is_idle());
}

#[test]
fn a_restart_ends_with_its_resource() {
    let mut world = World::new();
    let path = whip("a", "1");
    let stuck = format!("a=ice-ufrag:{STUCK}\r\na=ice-pwd:new\r\n");
    world.create(&path, WITH_ICE);
    let waiting = world.patch(&path, Some("*"), &stuck);
    assert_eq!(world.delete(&path), Reply::Deleted);
    assert_eq!(
        problem(world.reply(waiting).unwrap()),
        Problem::NoSuchResource
    );
    world.create(&path, WITH_ICE);
    let waiting = world.patch(&path, Some("*"), &stuck);
    world.media_ends(0, EndReason::IceLost);
    assert_eq!(
        problem(world.reply(waiting).unwrap()),
        Problem::NoSuchResource
    );
    assert!(world.core.is_idle());
}

#[test]
fn a_publishers_offer_is_taken_whole_or_not_at_all() {
    let mut world = World::new();
    let offer = "answered\r\nm=audio 9 A 1\r\nm=video 0 A 2\r\na=bundle-only\r\n";
    let partial = "v=0\r\nm=audio 9 A 1\r\nm=video 0 A 2\r\n";
    let whole = "v=0\r\nm=audio 9 A 1\r\nm=video 9 A 2\r\n";
    for (answer, taken) in [(partial, false), (whole, true)] {
        world.backend.answer = Some(answer.into());
        let client = world.offer(&whip("a", "1"), offer);
        match world.reply(client).unwrap() {
            Reply::Created { .. } if taken => {}
            reply if taken => panic!("{reply:?}"),
            reply => assert_eq!(problem(reply), Problem::NoCommonCodecs),
        }
        assert_eq!(world.backend.open_peers(), usize::from(taken));
    }
    // A player gets what there is.
    world.media_flows();
    world.backend.answer = Some(partial.into());
    world.create(&whep("a", "2"), offer);
}

#[test]
fn resources_are_told_nothing_of_what_sessions_are_told() {
    let mut world = World::new();
    let publisher = world.offer(&whip("a", "1"), FLOWS);
    let viewer = world.offer(&whep("a", "2"), FLOWS);
    world.media_rates(0, VideoRate::default());
    world.media_rates(1, VideoRate::default());
    world.pass(Duration::from_secs(600));
    for client in [publisher, viewer] {
        assert_eq!(world.read_short(client), [""; 0]);
    }
    // They live as long as their media.
    assert_eq!(world.core.stats().players, 1);
}

#[test]
fn shutdown_ends_resources_and_their_requests() {
    let mut world = World::new();
    world.create(&whip("a", "1"), FLOWS);
    world.create(&whep("a", "2"), FLOWS);
    let waiting = world.offer(&whip("b", "3"), SILENT);
    world.handle(Input::Shutdown);
    assert_eq!(problem(world.reply(waiting).unwrap()), Problem::Unavailable);
    assert_eq!(world.refusal(&whip("c", "4"), FLOWS), Problem::Unavailable);
    assert!(world.core.is_idle());
    assert_eq!(world.backend.open_peers(), 0);
}
