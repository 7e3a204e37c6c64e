//! Reference section 4.5, row by row, and the infos of 4.4 that go with it.

use std::time::Duration;

use twoway_server::core::Input;
use twoway_server::core::backend::EndReason;
use twoway_server::counters::Reason;
use wire::StreamStatus;

use crate::fake_backend::{ANSWERED, FLOWS, GARBAGE, SILENT};
use crate::world::{World, available, play, publish, short, stop, unpublish};

#[test]
fn publish_accepted() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", ANSWERED));
    assert_eq!(world.read_short(client), ["p SDP"]);
    world.media_flows();
    let statuses = world.statuses(client);
    let [status] = statuses.as_slice() else {
        panic!("{statuses:?}");
    };
    assert_eq!(status.status, StreamStatus::Publishing);
    assert_eq!(status.name.as_ref().unwrap().as_str(), "live");
    assert!(status.published && status.has_audio && status.has_video);
    assert_eq!(status.media_provider, "WebRTC");
    assert_eq!(status.audio_codec.as_deref(), Some("opus"));
    assert_eq!(status.video_codec.as_deref(), Some("H264"));
}

#[test]
fn publish_of_a_live_name() {
    let mut world = World::new();
    let first = world.connect();
    let second = world.connect();
    world.send(first, publish("p1", "live", FLOWS));
    world.read(first);
    world.send(second, publish("p2", "live", FLOWS));
    let refusal = "p2 FAILED Stream name is already in use";
    assert_eq!(world.read_short(second), [refusal]);
    assert_eq!(world.read_short(first), [""; 0]);
    world.send(second, play("v", "live", FLOWS));
    assert_eq!(world.read_short(second), ["v SDP", "v PLAYING"]);
}

#[test]
fn a_name_is_reserved_from_the_request_on() {
    let mut world = World::new();
    let first = world.connect();
    let second = world.connect();
    world.send(first, publish("p1", "live", SILENT));
    world.send(second, publish("p2", "live", FLOWS));
    let refusal = "p2 FAILED Stream name is already in use";
    assert_eq!(world.read_short(second), [refusal]);
}

#[test]
fn play_of_a_live_name() {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    let messages = world.read(viewer);
    let lines: Vec<_> = messages.iter().map(short).collect();
    assert_eq!(lines, ["v SDP", "v PLAYING"]);
    let wire::ServerMessage::StreamStatus(playing) = &messages[1] else {
        panic!("{messages:?}");
    };
    assert!(!playing.published);
    assert_eq!(playing.audio_state.map(|state| state.muted), Some(false));
    assert_eq!(playing.video_state.map(|state| state.muted), Some(false));
}

#[test]
fn play_of_a_missing_name() {
    let mut world = World::new();
    let viewer = world.connect();
    world.send(viewer, play("v", "live", FLOWS));
    let refusal = "v FAILED Session does not exist";
    assert_eq!(world.read_short(viewer), [refusal]);
    assert_eq!(world.backend.open_peers(), 0);
}

#[test]
fn play_while_the_publisher_is_starting() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", ANSWERED));
    world.read(client);
    world.send(client, play("v", "live", FLOWS));
    let refusal = "v FAILED Publish stream is not ready";
    assert_eq!(world.read_short(client), [refusal]);
}

#[test]
fn viewer_stops() {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.read(publisher);
    world.read(viewer);
    world.send(viewer, stop("v"));
    assert_eq!(world.read_short(viewer), ["v STOPPED Stopped by user"]);
    assert_eq!(world.read_short(publisher), [""; 0]);
    assert_eq!(world.backend.open_peers(), 1);
}

#[test]
fn publisher_stops() {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v1", "live", FLOWS));
    world.send(viewer, play("v2", "live", ANSWERED));
    world.read(publisher);
    world.read(viewer);
    world.send(publisher, unpublish("p"));
    assert_eq!(
        world.read_short(publisher),
        ["p UNPUBLISHED Stopped by user"]
    );
    let told = [
        "v1 FAILED Stopped by publisher stop",
        "v2 FAILED Stopped by publisher stop",
    ];
    assert_eq!(world.read_short(viewer), told);
    assert_eq!(world.backend.open_peers(), 0);
    world.send(viewer, publish("p2", "live", FLOWS));
    assert_eq!(world.read_short(viewer), ["p2 SDP", "p2 PUBLISHING"]);
}

#[test]
fn publishers_socket_lost() {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.read(viewer);
    world.handle(Input::Gone { client: publisher });
    assert_eq!(
        world.read_short(viewer),
        ["v FAILED Stopped by publisher stop"]
    );
    assert_eq!(world.backend.open_peers(), 0);
}

#[test]
fn players_socket_lost() {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.read(publisher);
    world.handle(Input::Gone { client: viewer });
    assert_eq!(world.read_short(publisher), [""; 0]);
    assert_eq!(world.backend.open_peers(), 1);
}

/// The publisher's media dies while its socket lives.
#[track_caller]
fn check_media_end(reason: EndReason, info: &str) {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.read(publisher);
    world.read(viewer);
    world.media_ends(1, reason);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.read_short(publisher), [format!("p FAILED {info}")]);
    assert_eq!(
        world.read_short(viewer),
        ["v FAILED Stopped by publisher stop"]
    );
    assert_eq!(world.backend.open_peers(), 0);
    world.send(viewer, publish("p2", "live", FLOWS));
    assert_eq!(world.read_short(viewer), ["p2 SDP", "p2 PUBLISHING"]);
}

#[test]
fn publishers_media_dies() {
    check_media_end(EndReason::IceLost, "Failed by ICE keep alive");
    check_media_end(EndReason::IceTimeout, "Failed by ICE timeout");
    check_media_end(EndReason::Dtls, "Failed by DTLS error");
    check_media_end(
        EndReason::DtlsFingerprint,
        "Failed by DTLS fingerprint error",
    );
    check_media_end(EndReason::RtpInactive, "Failed by RTP activity");
    check_media_end(EndReason::ClosedByPeer, "Failed by ICE error");
    check_media_end(EndReason::Internal, "Failed by error");
}

/// Media refuses or loses a player.
#[track_caller]
fn check_player_end(reason: EndReason, info: &str) {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.send(client, play("v", "live", SILENT));
    world.read(client);
    world.media_ends(0, reason);
    assert_eq!(world.read_short(client), [format!("v FAILED {info}")]);
    assert_eq!(world.backend.open_peers(), 1);
}

#[test]
fn players_media_dies() {
    check_player_end(EndReason::NoCommonCodecs, "No common codecs");
    check_player_end(
        EndReason::TranscodingNeeded,
        "Transcoding required, but disabled",
    );
    check_player_end(EndReason::SourceGone, "Session not ready");
    check_player_end(EndReason::SourceNotReady, "Publish stream is not ready");
    check_player_end(EndReason::BadOffer, "Failed to add stream to proxy");
    check_player_end(EndReason::IceTimeout, "Failed by ICE timeout");
}

#[test]
fn an_offer_of_garbage() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", GARBAGE));
    let refusal = "p FAILED Failed to add stream to proxy";
    assert_eq!(world.read_short(client), [refusal]);
    assert_eq!(world.refused, [Reason::BadSdp]);
    world.send(client, publish("p", "live", FLOWS));
    assert_eq!(world.read_short(client), ["p SDP", "p PUBLISHING"]);
}

#[test]
fn media_that_never_comes_fails_the_stream() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("silent", "a", SILENT));
    world.send(client, publish("answered", "b", ANSWERED));
    world.read(client);
    world.pass_awake(client, Duration::from_secs(59));
    assert_eq!(world.statuses(client).len(), 0);
    world.pass_awake(client, Duration::from_secs(1));
    let statuses = world.statuses(client);
    let infos: Vec<_> = statuses
        .iter()
        .map(|s| s.info.as_deref().unwrap())
        .collect();
    assert_eq!(infos, ["Failed by error", "Failed by ICE timeout"]);
    assert_eq!(world.backend.open_peers(), 0);
}

#[test]
fn stop_sent_at_once_after_publish() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", SILENT));
    world.send(client, unpublish("p"));
    assert_eq!(world.read_short(client), ["p UNPUBLISHED Stopped by user"]);
    assert_eq!(world.backend.open_peers(), 0);
}

#[test]
fn stop_at_once_after_play_of_a_missing_name() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, play("v", "missing", FLOWS));
    world.send(client, stop("v"));
    assert_eq!(
        world.read_short(client),
        ["v FAILED Session does not exist"]
    );
}

#[test]
fn one_session_plays_a_name_several_times() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.send(client, play("v1", "live", FLOWS));
    world.send(client, play("v2", "live", FLOWS));
    world.read(client);
    world.send(client, stop("v1"));
    assert_eq!(world.read_short(client), ["v1 STOPPED Stopped by user"]);
    assert_eq!(world.core.stats().players, 1);
}

#[test]
fn stop_of_an_unknown_id_is_ignored() {
    let mut world = World::new();
    let owner = world.connect();
    let other = world.connect();
    world.send(owner, publish("p", "live", FLOWS));
    world.read(owner);
    world.send(other, stop("nothing"));
    world.send(other, unpublish("p"));
    assert_eq!(world.read_short(other), [""; 0]);
    assert_eq!(world.core.stats().publishers, 1);
}

#[test]
fn a_repeated_stop_is_answered_once() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.read(client);
    world.send(client, unpublish("p"));
    world.send(client, unpublish("p"));
    assert_eq!(world.read_short(client), ["p UNPUBLISHED Stopped by user"]);
}

#[test]
fn available_tells_what_play_would_meet() {
    let mut world = World::new();
    let client = world.connect();
    let ask = |world: &mut World| {
        world.send(client, available("a", "live"));
        world.read_json(client).pop().unwrap()["data"][0].clone()
    };
    let missing = serde_json::json!({"id": "a", "status": "false", "info": "Stream not found"});
    assert_eq!(ask(&mut world), missing);
    world.send(client, publish("p", "live", ANSWERED));
    assert_eq!(ask(&mut world)["info"], "Publish stream is not ready");
    world.media_flows();
    assert_eq!(
        ask(&mut world),
        serde_json::json!({"id": "a", "status": "true"})
    );
    world.send(client, unpublish("p"));
    assert_eq!(ask(&mut world), missing);
}

#[test]
fn mute_state_reaches_players_and_late_players() {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.read(viewer);
    world.send_text(
        publisher,
        r#"{"message":"sendStreamEvent","data":[{"mediaSessionId":"p","type":"audioMuted"}]}"#,
    );
    let event = world.read_json(viewer).pop().unwrap();
    assert_eq!(event["message"], "notifyStreamEvent");
    let data = serde_json::json!({"mediaSessionId": "v", "type": "audioMuted", "payload": {"streamName": "live"}});
    assert_eq!(event["data"][0], data);
    world.send(viewer, play("late", "live", FLOWS));
    let playing = world.statuses(viewer).pop().unwrap();
    assert!(playing.audio_state.unwrap().muted);
    assert!(!playing.video_state.unwrap().muted);
    world.send_text(
        publisher,
        r#"{"message":"sendStreamEvent","data":[{"mediaSessionId":"p","type":"audioUnmuted"}]}"#,
    );
    assert_eq!(
        world.read_short(viewer),
        ["v AudioUnmuted", "late AudioUnmuted"]
    );
}

#[test]
fn data_reaches_players_as_sent() {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(publisher, play("own", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.read(publisher);
    world.read(viewer);
    world.send_text(
        publisher,
        r#"{"message":"sendStreamEvent","data":[{"mediaSessionId":"p","type":"data","payload":{"count":23,"a":[1]}}]}"#,
    );
    let data = &world.read_json(viewer)[0]["data"][0];
    assert_eq!(data["payload"], serde_json::json!({"count": 23, "a": [1]}));
    assert_eq!(world.read_short(publisher), ["own Data"]);
}

/// A publisher cannot cost a slow viewer its session by talking much.
#[test]
fn data_is_dropped_for_who_does_not_keep_up_and_mute_states_are_not() {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    for (event_type, droppable) in [("data", 1), ("audioMuted", 1), ("data", 2)] {
        let text = format!(
            r#"{{"message":"sendStreamEvent","data":[{{"mediaSessionId":"p","type":"{event_type}"}}]}}"#
        );
        world.send_text(publisher, &text);
        assert_eq!(world.updates, droppable, "{event_type}");
    }
}

#[test]
fn events_of_others_or_for_nobody_are_dropped() {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.read(publisher);
    world.read(viewer);
    for id in ["p", "v", "unknown"] {
        let text = format!(
            r#"{{"message":"sendStreamEvent","data":[{{"mediaSessionId":"{id}","type":"videoMuted"}}]}}"#
        );
        world.send_text(viewer, &text);
    }
    assert_eq!(world.read_short(viewer), [""; 0]);
    assert_eq!(world.read_short(publisher), [""; 0]);
}

#[test]
fn data_before_publishing_is_refused() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", SILENT));
    world.send_text(
        client,
        r#"{"message":"sendStreamEvent","data":[{"mediaSessionId":"p","type":"data","payload":{}}]}"#,
    );
    let refusal = "fail sendStreamEvent: Data can be sent only while publishing";
    assert_eq!(world.read_short(client), [refusal]);
}

#[test]
fn session_data_is_answered() {
    let mut world = World::new();
    let client = world.connect();
    world.send_text(
        client,
        r#"{"message":"sendData","data":[{"operationId":"op","payload":{"a":1}}]}"#,
    );
    let answer = world.read_json(client).pop().unwrap();
    assert_eq!(answer["message"], "DataStatusEvent");
    assert_eq!(answer["data"][0]["operationId"], "op");
    assert_eq!(answer["data"][0]["status"], "FAILED");
}

#[test]
fn calls_are_refused() {
    let mut world = World::new();
    let client = world.connect();
    world.send_text(client, r#"{"message":"call","data":[{"callId":"c"}]}"#);
    assert_eq!(
        world.read_short(client),
        ["fail call: Calls are not supported"]
    );
    assert_eq!(world.refused, [Reason::Unsupported]);
}
