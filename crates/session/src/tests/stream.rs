//! The stream's state machine as tables: what each input does in each state.

use core::time::Duration;

use serde_json::json;
use wire::{
    MuteState, ServerMessage, StreamEvent, StreamEventType, StreamStatus, StreamStatusEvent,
    VideoRate, info,
};

use super::{Harness, STREAM_TIMEOUT, answer, id, media_failed, offer_created, start};
use crate::{Error, Event, Input, Output, Severity, StreamRole};

/// Where a stream is before the input.
#[derive(Debug, Clone, Copy)]
enum At {
    /// Media makes the offer.
    Offering,
    /// The request is sent.
    Requested,
    /// The request is sent and the user wants to stop.
    StopWanted,
    /// The answer came.
    Answered,
    /// PUBLISHING or PLAYING came before the answer.
    Overtaken,
    /// PUBLISHING or PLAYING came after the answer.
    Active,
    /// The stop is sent.
    Stopping,
}

fn active(role: StreamRole) -> StreamStatus {
    match role {
        StreamRole::Publisher => StreamStatus::Publishing,
        StreamRole::Player => StreamStatus::Playing,
    }
}

fn at(role: StreamRole, at: At) -> Harness {
    let mut harness = Harness::established();
    harness.input(start(role, "m"));
    if !matches!(at, At::Offering) {
        harness.input(offer_created("m"));
    }
    match at {
        At::Offering | At::Requested => {}
        At::StopWanted => {
            harness.input(Input::Stop(id("m")));
        }
        At::Answered => {
            harness.say(answer("m"));
        }
        At::Overtaken => {
            harness.say_status(active(role), None);
        }
        At::Active => {
            harness.say(answer("m"));
            harness.say_status(active(role), None);
        }
        At::Stopping => {
            harness.say(answer("m"));
            harness.input(Input::Stop(id("m")));
        }
    }
    harness
}

/// What one input does in each state, for both roles. `{active}` stands for
/// the role's active status, `{stop}` for its stop message, `{stopped}` for
/// its own final status.
#[track_caller]
fn check(input: impl Fn(&mut Harness, StreamRole) -> String, expected: [(At, &str); 7]) {
    for role in [StreamRole::Publisher, StreamRole::Player] {
        let (stop, stopped) = match role {
            StreamRole::Publisher => ("> unPublishStream", "UNPUBLISHED (Stopped by user)"),
            StreamRole::Player => ("> stopStream", "STOPPED (Stopped by user)"),
        };
        for (state, expected) in expected {
            let expected = expected
                .replace("{active}", active(role).as_str())
                .replace("{stopped}", stopped)
                .replace("{stop}", stop);
            let mut harness = at(role, state);
            assert_eq!(input(&mut harness, role), expected, "{role:?} {state:?}");
        }
    }
}

#[test]
fn an_offer_is_sent_once() {
    for (role, request) in [
        (StreamRole::Publisher, "> publishStream"),
        (StreamRole::Player, "> playStream"),
    ] {
        assert_eq!(at(role, At::Offering).input(offer_created("m")), request);
    }
    for state in [
        At::Requested,
        At::StopWanted,
        At::Answered,
        At::Overtaken,
        At::Active,
        At::Stopping,
    ] {
        let mut harness = at(StreamRole::Player, state);
        assert_eq!(harness.input(offer_created("m")), "", "{state:?}");
    }
}

#[test]
fn trap_19_only_the_first_answer_is_applied() {
    check(
        |harness, _| harness.say(answer("m")),
        [
            (At::Offering, ""),
            (At::Requested, "apply answer m"),
            (At::StopWanted, "{stop} PENDING, close media m"),
            (At::Answered, ""),
            (At::Overtaken, "apply answer m"),
            (At::Active, ""),
            (At::Stopping, ""),
        ],
    );
}

#[test]
fn the_active_status() {
    check(
        |harness, role| harness.say_status(active(role), None),
        [
            (At::Offering, ""),
            (At::Requested, "{active}"),
            (At::StopWanted, "{stop} {active}, close media m"),
            (At::Answered, "{active}"),
            (At::Overtaken, "{active}"),
            (At::Active, "{active}"),
            (At::Stopping, ""),
        ],
    );
}

#[test]
fn the_other_roles_active_status_is_dropped() {
    check(
        |harness, role| {
            harness.say_status(
                match role {
                    StreamRole::Publisher => StreamStatus::Playing,
                    StreamRole::Player => StreamStatus::Publishing,
                },
                None,
            )
        },
        [
            (At::Offering, ""),
            (At::Requested, ""),
            (At::StopWanted, ""),
            (At::Answered, ""),
            (At::Overtaken, ""),
            (At::Active, ""),
            (At::Stopping, ""),
        ],
    );
}

#[test]
fn a_final_status_of_the_server_ends_the_stream_in_any_state() {
    for status in [
        StreamStatus::Failed,
        StreamStatus::Stopped,
        StreamStatus::Unpublished,
    ] {
        let over = format!("close media m, {} (why)", status.as_str());
        let stopping = format!("{} (why)", status.as_str());
        check(
            |harness, _| {
                let shown = harness.say_status(status.clone(), Some("why"));
                assert_eq!(harness.say_status(StreamStatus::Failed, None), "");
                assert_eq!(harness.refuse(Input::Stop(id("m"))), Error::NoSuchStream);
                shown
            },
            [
                (At::Offering, &over),
                (At::Requested, &over),
                (At::StopWanted, &over),
                (At::Answered, &over),
                (At::Overtaken, &over),
                (At::Active, &over),
                (At::Stopping, &stopping),
            ],
        );
    }
}

#[test]
fn stopping() {
    check(
        |harness, _| harness.input(Input::Stop(id("m"))),
        [
            (At::Offering, "close media m, {stopped}"),
            (At::Requested, ""),
            (At::StopWanted, ""),
            (At::Answered, "{stop} PENDING, close media m"),
            (At::Overtaken, "{stop} {active}, close media m"),
            (At::Active, "{stop} {active}, close media m"),
            (At::Stopping, ""),
        ],
    );
}

#[test]
fn media_that_fails() {
    let local = "close media m, FAILED (Local error) [no camera]";
    let pending = format!("{{stop}} PENDING, {local}");
    let active = format!("{{stop}} {{active}}, {local}");
    check(
        |harness, _| harness.input(media_failed("m")),
        [
            (At::Offering, local),
            (At::Requested, &pending),
            (At::StopWanted, &pending),
            (At::Answered, &pending),
            (At::Overtaken, &active),
            (At::Active, &active),
            (At::Stopping, ""),
        ],
    );
}

#[test]
fn a_server_that_says_no_more() {
    check(
        |harness, _| {
            // The server pings, but says nothing of the stream.
            harness.pass(STREAM_TIMEOUT);
            harness.say(ServerMessage::Ping);
            harness.input(Input::Timeout)
        },
        [
            (At::Offering, ""),
            (
                At::Requested,
                "{stop} PENDING, close media m, FAILED (Local error) [the server did not answer in time]",
            ),
            (At::StopWanted, "{stop} PENDING, close media m, {stopped}"),
            (
                At::Answered,
                "{stop} PENDING, close media m, FAILED (Local error) [no media connection in time]",
            ),
            (At::Overtaken, ""),
            (At::Active, ""),
            (At::Stopping, "{stopped}"),
        ],
    );
}

#[test]
fn nothing_times_out_early() {
    for state in [At::Requested, At::StopWanted, At::Answered, At::Stopping] {
        let mut harness = at(StreamRole::Player, state);
        harness.pass(STREAM_TIMEOUT - Duration::from_millis(1));
        harness.say(ServerMessage::Ping);
        assert_eq!(harness.input(Input::Timeout), "", "{state:?}");
    }
}

#[test]
fn a_lost_session_fails_the_stream_without_info() {
    let lost = "close media m, close socket, FAILED, session Disconnected";
    check(
        |harness, _| harness.input(Input::SocketClosed),
        [
            (At::Offering, lost),
            (At::Requested, lost),
            (At::StopWanted, lost),
            (At::Answered, lost),
            (At::Overtaken, lost),
            (At::Active, lost),
            (At::Stopping, "close socket, FAILED, session Disconnected"),
        ],
    );
}

#[test]
fn a_further_pending_is_told_while_it_is_true() {
    check(
        |harness, _| harness.say_status(StreamStatus::Pending, None),
        [
            (At::Offering, ""),
            (At::Requested, "PENDING"),
            (At::StopWanted, "PENDING"),
            (At::Answered, "PENDING"),
            (At::Overtaken, ""),
            (At::Active, ""),
            (At::Stopping, ""),
        ],
    );
}

#[test]
fn statuses_that_change_nothing_are_dropped() {
    for status in [
        StreamStatus::New,
        StreamStatus::Resize,
        StreamStatus::SnapshotComplete,
        StreamStatus::StreamEvent,
        StreamStatus::Other("SOMETHING".into()),
    ] {
        for role in [StreamRole::Publisher, StreamRole::Player] {
            assert_eq!(at(role, At::Active).say_status(status.clone(), None), "");
        }
    }
}

#[test]
fn trouble_with_playback_comes_and_goes() {
    let mut harness = at(StreamRole::Player, At::Active);
    for status in [
        StreamStatus::PlaybackProblem,
        StreamStatus::Playing,
        StreamStatus::Paused,
    ] {
        assert_eq!(harness.say_status(status.clone(), None), status.as_str());
    }
    assert_eq!(
        harness.input(Input::Stop(id("m"))),
        "> stopStream PAUSED, close media m"
    );
}

#[test]
fn the_deprecated_bandwidth_status_is_an_event() {
    let mut harness = at(StreamRole::Player, At::Active);
    assert_eq!(
        harness.say_status(StreamStatus::NotEnoughBandwidth, Some("900/300")),
        r#"event m "notEnoughBandwidth" {"info":"900/300"}"#
    );
}

#[test]
fn the_publishers_mute_state_comes_with_the_status() {
    let mut harness = at(StreamRole::Player, At::Answered);
    let shown = harness.say(ServerMessage::StreamStatus(StreamStatusEvent {
        audio_state: Some(MuteState { muted: true }),
        ..StreamStatusEvent::new(id("m"), StreamStatus::Playing)
    }));
    assert_eq!(shown, "PLAYING muted true/false");
}

#[test]
fn stream_events_reach_the_application_until_the_stop() {
    let event = |payload| {
        ServerMessage::StreamEvent(StreamEvent {
            media_session_id: id("m"),
            event_type: StreamEventType::Data,
            payload,
        })
    };
    let mut harness = at(StreamRole::Player, At::Active);
    assert_eq!(
        harness.say(event(Some(json!([1])))),
        r#"event m "data" [1]"#
    );
    assert_eq!(harness.say(event(None)), r#"event m "data" {}"#);
    harness.input(Input::Stop(id("m")));
    assert_eq!(harness.say(event(None)), "");
}

#[test]
fn a_video_rate_belongs_to_its_role() {
    let inbound = || ServerMessage::InboundVideoRate(VideoRate::new(id("m"), 1_000.0));
    let outbound = || ServerMessage::OutboundVideoRate(VideoRate::new(id("m"), 2_000.0));
    let mut publisher = at(StreamRole::Publisher, At::Active);
    assert_eq!(publisher.say(inbound()), "rate m 1000");
    assert_eq!(publisher.say(outbound()), "");
    let mut player = at(StreamRole::Player, At::Active);
    assert_eq!(player.say(inbound()), "");
    assert_eq!(player.say(outbound()), "rate m 2000");
}

#[test]
fn only_a_publishing_stream_sends_events() {
    let send = |event_type| Input::SendStreamEvent {
        id: id("m"),
        event_type,
        payload: Some(json!({"count": 23})),
    };
    let mut harness = at(StreamRole::Publisher, At::Active);
    assert_eq!(
        harness.input(send(StreamEventType::Data)),
        r#"> sendStreamEvent "data" {"count":23}"#
    );
    assert_eq!(
        harness.input(send(StreamEventType::AudioMuted)),
        r#"> sendStreamEvent "audioMuted" null"#
    );
    for (role, state) in [
        (StreamRole::Player, At::Active),
        (StreamRole::Publisher, At::Offering),
        (StreamRole::Publisher, At::Requested),
        (StreamRole::Publisher, At::Answered),
        (StreamRole::Publisher, At::Stopping),
    ] {
        let mut harness = at(role, state);
        assert_eq!(
            harness.refuse(send(StreamEventType::Data)),
            Error::NotPublishing
        );
    }
    assert_eq!(
        Harness::established().refuse(send(StreamEventType::Data)),
        Error::NoSuchStream
    );
}

#[test]
fn a_failure_says_whether_it_may_pass() {
    let check = |state, input, expected| {
        let mut harness = at(StreamRole::Player, state);
        harness.pass(STREAM_TIMEOUT);
        harness.session.handle(input, harness.now).unwrap();
        let said = harness.drain().into_iter().find_map(|output| {
            let Output::Notify(Event::Stream(update)) = output else {
                return None;
            };
            Some(update.severity)
        });
        assert_eq!(said, Some(expected), "{state:?}");
    };
    let failed = |info: &str| {
        let failed = StreamStatusEvent {
            info: Some(info.to_owned()),
            ..StreamStatusEvent::new(id("m"), StreamStatus::Failed)
        };
        Input::SocketMessage(ServerMessage::StreamStatus(failed).encode())
    };
    let lost = Input::MediaFailed {
        id: id("m"),
        error: "lost".into(),
        severity: Severity::Passing,
    };
    check(At::Offering, media_failed("m"), Severity::Fatal);
    check(At::Active, lost, Severity::Passing);
    check(At::Requested, Input::Timeout, Severity::Passing);
    check(At::Answered, Input::Timeout, Severity::Passing);
    check(At::Active, Input::SocketClosed, Severity::Passing);
    check(
        At::Requested,
        failed(info::SESSION_DOES_NOT_EXIST),
        Severity::Passing,
    );
    check(
        At::Requested,
        failed(info::NO_COMMON_CODECS),
        Severity::Fatal,
    );
}

#[test]
fn a_refused_name_fails_the_stream() {
    let mut harness = at(StreamRole::Publisher, At::Requested);
    assert_eq!(
        harness.say_status(StreamStatus::Failed, Some(info::STREAM_NAME_ALREADY_IN_USE)),
        "close media m, FAILED (Stream name is already in use)"
    );
}
