//! Reference section 10: what breaks unmodified clients, by number. Traps 2 and
//! 38 are tested over real sockets, 26 and 27 with the sessions, 30 with the
//! rates; those of SDP (10 to 16, 34 to 36) belong to the media side; 37 is about
//! what a server cannot influence. `docs/PROTOCOL.md` names the test of each.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use twoway_server::core::Input;
use twoway_server::core::backend::{Codecs, EndReason, Event, PeerId};

use crate::fake_backend::{ANSWERED, FLOWS, SILENT};
use crate::world::{World, available, play, publish, snapshot, stop, unpublish};

/// Everything the server says when one client does everything.
fn everything() -> Vec<Value> {
    let mut world = World::new();
    let client = world.open();
    world.send_text(client, r#"{"message":"connection","data":[{}]}"#);
    world.send(client, publish("p", "live", FLOWS));
    world.send(client, publish("p2", "live", FLOWS));
    world.send(client, play("v", "live", FLOWS));
    world.send(client, play("x", "missing", FLOWS));
    world.send(client, available("a", "live"));
    world.send(client, available("b", "missing"));
    world.send(client, snapshot("s", "missing"));
    world.send(client, snapshot("s", "live"));
    world.media_takes_snapshot(Ok(vec![0]));
    world.media_resizes(1, 640, 360);
    world.media_is_squeezed(0, 2, 1);
    for event_type in [
        "data",
        "audioMuted",
        "audioUnmuted",
        "videoMuted",
        "videoUnmuted",
        "odd",
    ] {
        let text = format!(
            r#"{{"message":"sendStreamEvent","data":[{{"mediaSessionId":"p","type":"{event_type}","payload":{{}}}}]}}"#
        );
        world.send_text(client, &text);
    }
    for text in [
        r#"{"message":"sendData","data":[{"operationId":"op"}]}"#,
        r#"{"message":"ping","data":[null]}"#,
        r#"{"message":"call","data":[{}]}"#,
        r#"{"message":"pauseStream","data":[{"mediaSessionId":"v"}]}"#,
        r#"{"message":"sessionDebug","data":[{"command":"start"}]}"#,
        r#"{"message":"odd","data":[{}]}"#,
        "broken",
    ] {
        world.send_text(client, text);
    }
    world.pass(Duration::from_secs(5));
    world.send(client, stop("v"));
    world.send(client, unpublish("p"));
    world.read_json(client)
}

fn named<'a>(messages: &'a [Value], name: &str) -> Vec<&'a Value> {
    messages.iter().filter(|m| m["message"] == name).collect()
}

#[test]
fn trap_1_every_message_has_a_data_array() {
    let messages = everything();
    assert!(messages.len() > 20);
    for message in &messages {
        assert!(message["data"].is_array(), "{message}");
    }
}

#[test]
fn trap_3_and_4_availability_is_always_a_string() {
    let messages = everything();
    let answers = named(&messages, "availableStream");
    let statuses: Vec<_> = answers.iter().map(|m| &m["data"][0]["status"]).collect();
    assert_eq!(statuses, ["true", "false"]);
}

#[test]
fn trap_5_and_6_statuses_are_complete_and_never_say_available() {
    let messages = everything();
    let mut statuses = named(&messages, "notifyStreamStatusEvent");
    assert!(statuses.len() >= 6);
    statuses.extend(named(&messages, "fail"));
    for message in statuses {
        let data = &message["data"][0];
        assert!(
            data["status"].as_str().is_some_and(|s| !s.is_empty()),
            "{message}"
        );
        assert_eq!(data.get("available"), None, "{message}");
    }
}

#[test]
fn trap_7_and_8_events_have_a_type_and_the_receivers_id() {
    let messages = everything();
    let events = named(&messages, "notifyStreamEvent");
    let seen: Vec<_> = events
        .iter()
        .map(|m| {
            (
                m["data"][0]["mediaSessionId"].as_str(),
                m["data"][0]["type"].as_str(),
            )
        })
        .collect();
    let types = [
        "data",
        "audioMuted",
        "audioUnmuted",
        "videoMuted",
        "videoUnmuted",
    ];
    let mut expected = vec![
        (Some("s"), Some("snapshotFailed")),
        (Some("s"), Some("snapshotCompleted")),
        (Some("v"), Some("resize")),
        (Some("v"), Some("notEnoughBandwidth")),
    ];
    expected.extend(types.map(|event_type| (Some("v"), Some(event_type))));
    assert_eq!(seen, expected);
    for event in events {
        assert!(event["data"][0]["payload"].is_object(), "{event}");
    }
}

#[test]
fn trap_9_and_19_one_answer_of_three_elements_a_stream() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.handle(Input::Backend(Event::Answered {
        peer: PeerId(1),
        answer: "another".into(),
        codecs: Codecs::default(),
    }));
    let messages = world.read_json(client);
    let answers = named(&messages, "setRemoteSDP");
    let [answer] = answers.as_slice() else {
        panic!("{messages:?}");
    };
    assert_eq!(
        answer["data"],
        serde_json::json!(["p", "answer of 1", true])
    );
}

#[test]
fn trap_17_every_request_ends_in_an_active_or_terminal_status() {
    for offer in [FLOWS, ANSWERED, SILENT, "garbage", ""] {
        let mut world = World::new();
        let client = world.connect();
        world.send(client, publish("p", "live", FLOWS));
        world.send(client, publish("p2", "other", offer));
        world.send(client, play("v", "live", offer));
        world.pass_awake(client, Duration::from_secs(60));
        let mut last = BTreeMap::new();
        for status in world.statuses(client) {
            last.insert(status.media_session_id.to_string(), status.status);
        }
        assert_eq!(last.len(), 3, "{offer}");
    }
}

#[test]
fn trap_18_and_20_a_stop_wins_over_the_goodbye_of_its_peer() {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.read(publisher);
    world.read(viewer);
    // Both close their peer connections and then their stops arrive.
    world.media_ends(0, EndReason::ClosedByPeer);
    world.media_ends(1, EndReason::ClosedByPeer);
    world.pass(Duration::from_millis(100));
    world.send(viewer, stop("v"));
    world.send(publisher, unpublish("p"));
    world.pass(Duration::from_secs(2));
    assert_eq!(world.read_short(viewer), ["v STOPPED Stopped by user"]);
    assert_eq!(
        world.read_short(publisher),
        ["p UNPUBLISHED Stopped by user"]
    );
}

#[test]
fn trap_18_nothing_follows_a_terminal_status() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", ANSWERED));
    world.send(client, unpublish("p"));
    world.read(client);
    world.media_flows();
    world.media_ends(0, EndReason::IceLost);
    world.send(client, unpublish("p"));
    world.pass(Duration::from_secs(4));
    assert_eq!(world.read_short(client), [""; 0]);
}

#[test]
fn trap_21_players_fail_when_the_publisher_goes() {
    let mut world = World::new();
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.read(viewer);
    world.send(publisher, unpublish("p"));
    assert_eq!(
        world.read_short(viewer),
        ["v FAILED Stopped by publisher stop"]
    );
}

#[test]
fn trap_22_odd_ids_messages_and_fields_are_tolerated() {
    let mut world = World::new();
    let client = world.connect();
    for text in [
        r#"{"message":"stopStream","data":[{"mediaSessionId":"unknown"}]}"#,
        r#"{"message":"pushLogs","data":[{"logs":"line"}]}"#,
        r#"{"message":"submitBugReport","data":[{}]}"#,
        r#"{"message":"webRTCMetricsClientDescription","data":[{}]}"#,
        r#"{"message":"webRTCMetricsBatch","data":[{}]}"#,
        r#"{"message":"DataStatusEvent","data":[{"operationId":"o","status":"ACCEPTED"}]}"#,
    ] {
        world.send_text(client, text);
    }
    assert_eq!(world.read_short(client), [""; 0]);
    world.send_text(
        client,
        r#"{"message":"publishStream","data":[{"mediaSessionId":"p","name":"live","sdp":"flows",
        "localMediaInfo":{"devices":{}},"remoteMediaElementId":"x","recordName":null,"new":[1]}]}"#,
    );
    assert_eq!(world.read_short(client), ["p SDP", "p PUBLISHING"]);
}

#[test]
fn what_is_not_served_is_refused_and_changes_nothing() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.send(client, play("v", "live", FLOWS));
    world.read(client);
    for method in [
        "call", "hangup", "answer", "hold", "unhold", "sendDtmf", "transfer",
    ] {
        let text = format!(r#"{{"message":"{method}","data":[{{"callId":"c"}}]}}"#);
        world.send_text(client, &text);
        let refusal = format!("fail {method}: Calls are not supported");
        assert_eq!(world.read_short(client), [refusal]);
    }
    world.send_text(
        client,
        r#"{"message":"pauseStream","data":[{"mediaSessionId":"v","name":"live"}]}"#,
    );
    let refusal = "fail pauseStream: Live streams cannot be paused";
    assert_eq!(world.read_short(client), [refusal]);
    world.send(client, stop("v"));
    assert_eq!(world.read_short(client), ["v STOPPED Stopped by user"]);
}

#[test]
fn session_debug_is_answered_without_a_file() {
    let mut world = World::new();
    let client = world.connect();
    for (command, status) in [("start", "STARTED"), ("stop", "STOPPED")] {
        let text = format!(r#"{{"message":"sessionDebug","data":[{{"command":"{command}"}}]}}"#);
        world.send_text(client, &text);
        let answer = serde_json::json!({
            "message": "notifySessionDebugEvent", "data": [{ "status": status }]
        });
        assert_eq!(world.read_json(client), [answer]);
    }
    world.send_text(client, r#"{"message":"sessionDebug","data":[{}]}"#);
    let refusal = "fail sessionDebug: The command of sessionDebug is start or stop";
    assert_eq!(world.read_short(client), [refusal]);
}

#[test]
fn trap_23_to_25_strings_for_numbers_flags_and_statuses_are_not_trusted() {
    let mut world = World::new();
    let client = world.connect();
    world.send_text(
        client,
        r#"{"message":"publishStream","data":[{"mediaSessionId":"p","name":"live","published":true,
        "hasVideo":false,"hasAudio":true,"status":"PUBLISHING","bitrate":"500","mediaProvider":"WebRTC","sdp":"flows"}]}"#,
    );
    world.read(client);
    world.send_text(
        client,
        r#"{"message":"playStream","data":[{"mediaSessionId":"v","name":"live","hasVideo":true,
        "status":"PLAYING","width":"640","height":"","quality":null,"sdp":"flows"}]}"#,
    );
    assert_eq!(world.read_short(client), ["v SDP", "v PLAYING"]);
    world.send_text(
        client,
        r#"{"message":"stopStream","data":[{"mediaSessionId":"v","status":"STOPPED","published":true}]}"#,
    );
    assert_eq!(world.read_short(client), ["v STOPPED Stopped by user"]);
}

#[test]
fn trap_28_pings_wait_for_the_session() {
    let mut world = World::new();
    let client = world.open();
    world.pass(Duration::from_secs(9));
    assert_eq!(world.read_short(client), [""; 0]);
}

#[test]
fn trap_29_user_data_does_not_start_metrics() {
    let messages = everything();
    let data = &named(&messages, "getUserData")[0]["data"][0];
    assert_eq!(data.get("webRTCMetricsServerDescription"), None);
}

#[test]
fn trap_31_data_status_is_a_known_word() {
    let messages = everything();
    let answer = named(&messages, "DataStatusEvent")[0];
    assert_eq!(answer["data"][0]["status"], "FAILED");
}

#[test]
fn trap_32_a_closed_socket_is_an_unpublish() {
    let mut world = World::new();
    let publisher = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(publisher, play("v", "live", FLOWS));
    world.handle(Input::Gone { client: publisher });
    assert_eq!(world.backend.open_peers(), 0);
    let next = world.connect();
    world.send(next, publish("p", "live", FLOWS));
    assert_eq!(world.read_short(next), ["p SDP", "p PUBLISHING"]);
}

#[test]
fn trap_33_a_publisher_plays_itself_right_after_publishing() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.send(client, play("v", "live", FLOWS));
    let expected = ["p SDP", "p PUBLISHING", "v SDP", "v PLAYING"];
    assert_eq!(world.read_short(client), expected);
}

#[test]
fn trap_39_plays_by_other_providers_fail() {
    let mut world = World::new();
    let client = world.connect();
    world.send(client, publish("p", "live", FLOWS));
    world.read(client);
    for provider in ["MSE", "WSPlayer"] {
        let text = format!(
            r#"{{"message":"playStream","data":[{{"mediaSessionId":"v","name":"live","mediaProvider":"{provider}","sdp":"x"}}]}}"#
        );
        world.send_text(client, &text);
        let answer = "v FAILED Only the media provider WebRTC is supported";
        assert_eq!(world.read_short(client), [answer]);
    }
    let second = world.open();
    world.send_text(
        second,
        r#"{"message":"connectMediaTransport","data":[{"authToken":"t"}]}"#,
    );
    assert!(world.closed.contains_key(&second));
    assert!(!world.closed.contains_key(&client));
}
