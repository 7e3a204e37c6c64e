//! Names that outlive their publisher: `--hold-seconds`.

use std::time::Duration;

use twoway_server::core::backend::{EndReason, PeerId};
use twoway_server::core::{ClientId, Config, Input, Problem, Reply};
use twoway_server::limits::Limits;
use wire::{ClientMessage, StreamStatus};

use crate::fake_backend::{ALIEN, ANSWERED, FLOWS, SILENT, SOUND};
use crate::world::{World, available, play, publish, stop, unpublish, whep, whip};

const SECOND: Duration = Duration::from_secs(1);

/// How long names are held here: less than a silent client is borne.
const HOLD: Duration = Duration::from_secs(20);

const STOPPED: &str = "v FAILED Stopped by publisher stop";
const NOT_READY: &str = "again FAILED Publish stream is not ready";

fn holding() -> World {
    World::with(Config {
        hold_time: HOLD,
        ..Config::default()
    })
}

/// `live` is published (peer 1) and watched (peer 2); nothing unread.
fn watched(mut world: World) -> (World, ClientId, ClientId) {
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.read(publisher);
    world.read(viewer);
    (world, publisher, viewer)
}

/// The name is held: the viewer was told nothing, nobody can play it, and the
/// next publisher gets the viewer without a word.
#[track_caller]
fn check_held(world: &mut World, viewer: ClientId) {
    assert_eq!(world.read_short(viewer), [""; 0]);
    assert_eq!(world.core.stats().publishers, 0);
    assert_eq!(world.core.stats().players, 1);
    assert_eq!(world.backend.open_peers(), 1, "the viewer's alone");
    assert!(!world.core.is_idle());
    world.send(viewer, play("again", "live", FLOWS));
    assert_eq!(world.read_short(viewer), [NOT_READY]);

    let next = world.connect();
    world.send(next, publish("next", "live", FLOWS));
    assert_eq!(world.read_short(next), ["next SDP", "next PUBLISHING"]);
    assert_eq!(world.read_short(viewer), [""; 0]);
    assert_eq!(world.backend.source_of(PeerId(2)), Some(PeerId(3)));
    world.send(viewer, stop("v"));
    assert_eq!(world.read_short(viewer), ["v STOPPED Stopped by user"]);
}

#[test]
fn however_a_publisher_ends_its_viewers_wait_for_the_next() {
    let ends: [fn(&mut World, ClientId); 7] = [
        |world, publisher| world.send(publisher, unpublish("p")),
        |world, publisher| world.send(publisher, stop("p")),
        |world, client| world.handle(Input::Gone { client }),
        |world, client| world.handle(Input::Oversized { client }),
        |world, _| world.media_ends(1, EndReason::IceLost),
        |world, _| world.media_ends(1, EndReason::RtpInactive),
        |world, publisher| {
            world.media_ends(1, EndReason::ClosedByPeer);
            world.pass(SECOND);
            assert_eq!(
                world.statuses(publisher)[0].status,
                StreamStatus::Failed,
                "no stop came"
            );
        },
    ];
    for end in ends {
        let (mut world, publisher, viewer) = watched(holding());
        end(&mut world, publisher);
        check_held(&mut world, viewer);
    }
}

#[test]
fn the_publishers_client_is_told_as_ever() {
    let (mut world, publisher, _) = watched(holding());
    world.send(publisher, unpublish("p"));
    assert_eq!(
        world.read_short(publisher),
        ["p UNPUBLISHED Stopped by user"]
    );
    world.send(publisher, publish("q", "live", FLOWS));
    world.read(publisher);
    world.media_ends(0, EndReason::RtpInactive);
    let failed = "q FAILED Failed by RTP activity";
    assert_eq!(world.read_short(publisher), [failed]);
}

#[test]
fn without_the_option_nothing_is_held() {
    let (mut world, publisher, viewer) = watched(World::new());
    world.send(publisher, unpublish("p"));
    assert_eq!(world.read_short(viewer), [STOPPED]);
    world.send(viewer, play("again", "live", FLOWS));
    let missing = "again FAILED Session does not exist";
    assert_eq!(world.read_short(viewer), [missing]);
}

#[test]
fn a_name_without_viewers_is_held_too() {
    let mut world = holding();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.send(client, unpublish("p"));
    world.read(client);
    world.send(client, play("again", "live", FLOWS));
    assert_eq!(world.read_short(client), [NOT_READY]);
    world.send(client, available("again", "live"));
    let answer = &world.read_json(client)[0]["data"][0];
    assert_eq!(answer["status"], "false");
    assert_eq!(answer["info"], "Publish stream is not ready");
    world.send(client, publish("q", "live", FLOWS));
    world.send(client, play("v", "live", FLOWS));
    let told = world.read_short(client);
    assert_eq!(told, ["q SDP", "q PUBLISHING", "v SDP", "v PLAYING"]);
}

#[test]
fn when_nobody_comes_in_time_the_viewers_end() {
    let (mut world, publisher, viewer) = watched(holding());
    world.pass(SECOND);
    world.send(publisher, unpublish("p"));
    world.send(publisher, stop("p"));
    world.pass(HOLD - SECOND);
    let told = world.statuses(viewer);
    assert!(told.is_empty(), "{told:?}");
    // Who has begun to publish does not count while no media flows.
    world.send(publisher, publish("q", "live", ANSWERED));
    world.pass(SECOND);
    let told = world.statuses(viewer);
    let [failed] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(failed.status, StreamStatus::Failed);
    assert_eq!(failed.info.as_deref(), Some("Stopped by publisher stop"));
    assert_eq!(world.backend.open_peers(), 1, "the publisher's alone");
    world.media_flows();
    assert_eq!(world.statuses(viewer), []);
    for client in [publisher, viewer] {
        world.handle(Input::Gone { client });
    }
    world.pass(HOLD);
    assert!(world.core.is_idle());
}

#[test]
fn the_time_counts_anew_for_each_publisher() {
    let (mut world, publisher, viewer) = watched(holding());
    for round in 0..3 {
        world.send(publisher, unpublish(if round == 0 { "p" } else { "q" }));
        world.pass_awake(viewer, HOLD - SECOND);
        world.send(publisher, ClientMessage::Pong);
        world.send(publisher, publish("q", "live", FLOWS));
        assert_eq!(world.statuses(viewer), []);
        let newest = world.backend.source_of(PeerId(2));
        assert_eq!(newest, Some(PeerId(3 + round)));
    }
}

#[test]
fn a_publisher_that_never_flows_changes_nothing() {
    let (mut world, publisher, viewer) = watched(holding());
    world.send(publisher, unpublish("p"));
    world.send(publisher, publish("bad", "live", ALIEN));
    world.send(publisher, publish("slow", "live", SILENT));
    world.send(publisher, stop("slow"));
    world.send(publisher, publish("lost", "live", ANSWERED));
    world.media_ends(0, EndReason::IceTimeout);
    assert_eq!(world.backend.source_of(PeerId(2)), Some(PeerId(1)));
    world.read(publisher);
    world.send(publisher, publish("q", "live", FLOWS));
    assert_eq!(world.backend.source_of(PeerId(2)), Some(PeerId(6)));
    assert_eq!(world.read_short(viewer), [""; 0]);
}

#[test]
fn what_has_not_flowed_is_not_held() {
    let mut world = holding();
    let client = world.connect();
    for (end, script) in [("a", SILENT), ("b", ANSWERED)] {
        world.send(client, publish(end, "live", script));
        world.send(client, unpublish(end));
    }
    world.send(client, publish("c", "live", ANSWERED));
    world.media_ends(0, EndReason::Dtls);
    world.read(client);
    world.send(client, play("v", "live", FLOWS));
    let missing = "v FAILED Session does not exist";
    assert_eq!(world.read_short(client), [missing]);
    world.handle(Input::Gone { client });
    assert!(world.core.is_idle());
}

#[test]
fn viewers_learn_what_the_next_publisher_has_muted() {
    let mute = |id: &str, what: &str| {
        format!(
            r#"{{"message":"sendStreamEvent","data":[{{"mediaSessionId":"{id}","type":"{what}"}}]}}"#
        )
    };
    let (mut world, publisher, viewer) = watched(holding());
    world.send_text(publisher, &mute("p", "audioMuted"));
    world.read(viewer);
    world.send(publisher, unpublish("p"));
    world.send(publisher, publish("q", "live", ANSWERED));
    world.send_text(publisher, &mute("q", "videoMuted"));
    assert_eq!(world.read_short(viewer), [""; 0]);
    world.media_flows();
    assert_eq!(
        world.read_json(viewer),
        ["audioUnmuted", "videoMuted"].map(|what| serde_json::json!({
            "message": "notifyStreamEvent",
            "data": [{
                "mediaSessionId": "v",
                "type": what,
                "payload": { "streamName": "live" },
            }],
        }))
    );
    // The same once more is nothing new.
    world.send(publisher, unpublish("q"));
    world.send(publisher, publish("r", "live", ANSWERED));
    world.send_text(publisher, &mute("r", "videoMuted"));
    world.media_flows();
    assert_eq!(world.read_short(viewer), [""; 0]);
}

#[test]
fn a_viewer_that_was_still_starting_starts_and_waits() {
    let (mut world, publisher, _) = watched(holding());
    world.send_text(
        publisher,
        r#"{"message":"sendStreamEvent","data":[{"mediaSessionId":"p","type":"videoMuted"}]}"#,
    );
    let late = world.connect();
    world.send(late, play("late", "live", ANSWERED));
    world.send(publisher, unpublish("p"));
    assert_eq!(world.read_short(late), ["late SDP"]);
    world.media_flows();
    let playing = world.statuses(late);
    assert_eq!(playing[0].status, StreamStatus::Playing);
    assert_eq!(playing[0].video_state.map(|state| state.muted), Some(true));
    world.send(publisher, publish("q", "live", FLOWS));
    assert_eq!(world.backend.source_of(PeerId(3)), Some(PeerId(4)));
    assert_eq!(world.read_short(late), ["late VideoUnmuted"]);
}

#[test]
fn who_asked_for_it_just_as_it_was_lost_may_try_again() {
    let (mut world, publisher, viewer) = watched(holding());
    world.send(viewer, play("again", "live", SILENT));
    world.send(publisher, unpublish("p"));
    world.media_ends(0, EndReason::SourceGone);
    assert_eq!(world.read_short(viewer), [NOT_READY]);
}

#[test]
fn viewers_may_leave_meanwhile() {
    let (mut world, publisher, viewer) = watched(holding());
    let other = world.connect();
    world.send(other, play("w", "live", FLOWS));
    world.send(publisher, unpublish("p"));
    world.send(viewer, stop("v"));
    assert_eq!(world.read_short(viewer), ["v STOPPED Stopped by user"]);
    world.handle(Input::Gone { client: other });
    assert_eq!(world.backend.open_peers(), 0);
    // Nobody is left to be spliced: the backend hears of no splice.
    world.send(publisher, publish("q", "live", FLOWS));
    assert_eq!(world.core.stats().players, 0);
}

#[test]
fn a_viewer_that_cannot_take_the_next_stream_ends_alone() {
    let (mut world, publisher, viewer) = watched(holding());
    let other = world.connect();
    world.send(other, play("w", "live", FLOWS));
    world.read(other);
    world.send(publisher, unpublish("p"));
    world.send(publisher, publish("q", "live", FLOWS));
    world.media_ends(2, EndReason::TranscodingNeeded);
    let failed = "v FAILED Transcoding required, but disabled";
    assert_eq!(world.read_short(viewer), [failed]);
    assert_eq!(world.read_short(other), [""; 0]);
    assert_eq!(world.core.stats().players, 1);
}

#[test]
fn whip_publishers_and_whep_viewers_are_no_different() {
    let mut world = holding();
    let created = |id: u64| {
        let answer = format!("answer of {id}");
        let tag = "\"1\"".into();
        Some(Reply::Created { answer, tag })
    };
    let publisher = world.offer(&whip("live", "a"), FLOWS);
    assert_eq!(world.reply(publisher), created(1));
    let viewer = world.offer(&whep("live", "b"), FLOWS);
    assert_eq!(world.reply(viewer), created(2));
    assert_eq!(world.delete(&whip("live", "a")), Reply::Deleted);
    let late = world.offer(&whep("live", "c"), FLOWS);
    let refused = world.reply(late);
    assert!(
        matches!(
            refused,
            Some(Reply::Refused {
                problem: Problem::NotReady,
                ..
            })
        ),
        "{refused:?}"
    );
    world.offer(&whip("live", "d"), FLOWS);
    assert_eq!(world.backend.source_of(PeerId(2)), Some(PeerId(3)));
    // In time the viewer's resource ends with the stream.
    world.delete(&whip("live", "d"));
    world.pass(HOLD);
    assert_eq!(world.backend.open_peers(), 0);
    assert!(world.core.is_idle());
}

#[test]
fn a_session_that_resumes_is_not_held() {
    let mut world = holding();
    let (publisher, token) = world.connect_kept(None);
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.handle(Input::Gone { client: publisher });
    world.pass_awake(viewer, 29 * SECOND);
    let (back, _) = world.connect_kept(Some(&token));
    assert_eq!(world.read_short(back), ["p PUBLISHING"]);
    assert_eq!(world.backend.source_of(PeerId(2)), Some(PeerId(1)));
    // Only if nobody resumes it, its streams are over and their names held.
    world.handle(Input::Gone { client: back });
    world.pass_awake(viewer, 30 * SECOND + HOLD - SECOND);
    assert!(
        world
            .statuses(viewer)
            .iter()
            .all(|s| s.status != StreamStatus::Failed)
    );
    world.pass_awake(viewer, SECOND);
    let told = world.statuses(viewer);
    assert_eq!(told[0].info.as_deref(), Some("Stopped by publisher stop"));
}

/// Whether its statuses say that there is audio and video, and the codecs.
fn told_of_media(world: &mut World, client: ClientId) -> Vec<String> {
    let statuses = world.statuses(client).into_iter();
    let told = statuses.map(|s| {
        let audio = (s.has_audio, s.audio_codec.unwrap_or_default());
        let video = (s.has_video, s.video_codec.unwrap_or_default());
        format!("{} {audio:?} {video:?}", s.status.as_str())
    });
    told.collect()
}

#[test]
fn a_resumed_viewer_is_told_what_the_next_publisher_has() {
    const BOTH: &str = r#"PLAYING (true, "opus") (true, "H264")"#;
    const AUDIO: &str = r#"PLAYING (true, "opus") (false, "")"#;
    let mut world = holding();
    let publisher = world.connect();
    let (mut viewer, token) = world.connect_kept(None);
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    assert_eq!(told_of_media(&mut world, viewer), [BOTH]);
    for (script, told) in [(SOUND, AUDIO), (FLOWS, BOTH)] {
        world.send(publisher, unpublish("p"));
        world.send(publisher, publish("p", "live", script));
        world.handle(Input::Gone { client: viewer });
        (viewer, _) = world.connect_kept(Some(&token));
        assert_eq!(told_of_media(&mut world, viewer), [told]);
    }
    // Who came for the sound has no video to take.
    world.send(publisher, unpublish("p"));
    world.send(publisher, publish("p", "live", SOUND));
    let (mut listener, token) = world.connect_kept(None);
    world.send(listener, play("l", "live", SOUND));
    world.send(publisher, unpublish("p"));
    world.send(publisher, publish("p", "live", FLOWS));
    world.read(listener);
    world.handle(Input::Gone { client: listener });
    (listener, _) = world.connect_kept(Some(&token));
    assert_eq!(told_of_media(&mut world, listener), [AUDIO]);
}

#[test]
fn a_client_that_watches_itself_leaves_nobody_behind() {
    let mut world = holding();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.send(client, play("v", "live", FLOWS));
    world.handle(Input::Gone { client });
    assert_eq!(world.backend.open_peers(), 0);
    world.pass(HOLD);
    assert!(world.core.is_idle());
}

#[test]
fn shutdown_does_not_hold() {
    let (mut world, publisher, viewer) = watched(holding());
    world.send(publisher, unpublish("p"));
    world.send(publisher, publish("other", "other", FLOWS));
    world.handle(Input::Shutdown);
    assert_eq!(world.read_short(viewer), [STOPPED]);
    assert_eq!(world.backend.open_peers(), 0);
    assert!(world.core.is_idle());
}

#[test]
fn no_more_names_are_held_than_sessions_let_in() {
    let mut world = World::with(Config {
        hold_time: HOLD,
        limits: Limits {
            sessions: 2,
            ..Limits::default()
        },
        ..Config::default()
    });
    let client = world.connect();
    for name in ["a", "b", "c"] {
        world.send(client, publish(name, name, FLOWS));
        world.send(client, unpublish(name));
    }
    world.read(client);
    for name in ["a", "b", "c"] {
        world.send(client, play("again", name, FLOWS));
    }
    let missing = "again FAILED Session does not exist";
    assert_eq!(world.read_short(client), [NOT_READY, NOT_READY, missing]);
}
