//! The session's state machine.

use core::time::Duration;

use serde_json::{Value, json};
use wire::{
    Availability, ClientMessage, DataEvent, Failure, ServerMessage, SessionDebug, StreamName,
    StreamStatus, UserData,
};

use super::{
    CONNECT_TIMEOUT, Harness, SILENCE_TIMEOUT, STREAM_TIMEOUT, answer, http::request_id, id,
    media_failed, offer_created, play, publish,
};
use crate::{
    Error, HttpResponse, Input, MAX_AVAILABLE_REQUESTS, MAX_MESSAGE_BYTES, MAX_STREAMS, Output,
    SessionStatus, Severity, Time,
};

fn available(text: &str) -> Input {
    Input::Available {
        id: id(text),
        name: StreamName::new("test"),
    }
}

fn user_data() -> ServerMessage {
    ServerMessage::UserData(UserData::default())
}

/// Every state, and how to get there.
fn every_state() -> [(SessionStatus, Harness); 6] {
    let mut opening = Harness::new();
    opening.input(Input::Connect);
    let mut disconnected = Harness::established();
    disconnected.input(Input::Disconnect);
    let mut failed = Harness::established();
    failed.input(Input::SocketFailed("reset".into()));
    [
        (SessionStatus::Pending, Harness::new()),
        (SessionStatus::Pending, opening),
        (SessionStatus::Connected, Harness::connected()),
        (SessionStatus::Established, Harness::established()),
        (SessionStatus::Disconnected, disconnected),
        (SessionStatus::Failed, failed),
    ]
}

/// What one input does in New, Opening, Connected, Established, Disconnected, Failed.
#[track_caller]
fn check(input: impl Fn() -> Input, expected: [&str; 6]) {
    for ((status, mut harness), expected) in every_state().into_iter().zip(expected) {
        assert_eq!(harness.session.status(), status);
        assert_eq!(harness.input(input()), expected, "{status:?}");
    }
}

#[test]
fn connecting_is_for_new_sessions() {
    let [(_, mut new), rest @ ..] = every_state();
    assert_eq!(new.input(Input::Connect), "open socket");
    for (status, mut harness) in rest {
        let error = harness.refuse(Input::Connect);
        assert_eq!(error, Error::AlreadyConnected, "{status:?}");
    }
}

#[test]
fn the_open_socket_is_told_before_the_connection_is_sent() {
    check(
        || Input::SocketOpened,
        ["", "session Connected, > connection", "", "", "", ""],
    );
}

#[test]
fn user_data_establishes() {
    check(
        || Input::SocketMessage(user_data().encode()),
        ["", "", "session Established", "", "", ""],
    );
}

#[test]
fn disconnecting() {
    check(
        || Input::Disconnect,
        [
            "session Disconnected",
            "close socket, session Disconnected",
            "close socket, session Disconnected",
            "close socket, session Disconnected",
            "",
            "",
        ],
    );
}

#[test]
fn a_closed_socket() {
    check(
        || Input::SocketClosed,
        [
            "session Disconnected",
            "close socket, session Failed (the connection closed before it was open)",
            "close socket, session Disconnected",
            "close socket, session Disconnected",
            "",
            "",
        ],
    );
}

#[test]
fn a_failed_socket() {
    check(
        || Input::SocketFailed("refused".into()),
        [
            "session Failed (refused)",
            "close socket, session Failed (refused)",
            "close socket, session Failed (refused)",
            "close socket, session Failed (refused)",
            "",
            "",
        ],
    );
}

#[test]
fn a_ping_is_answered_on_an_open_socket() {
    for text in [
        r#"{"message":"ping","data":[null]}"#,
        r#"{"message":"ping"}"#,
    ] {
        check(
            || Input::SocketMessage(text.into()),
            ["", "", "> pong", "> pong", "", ""],
        );
    }
}

#[test]
fn nonsense_is_dropped() {
    for text in [
        "",
        "nonsense",
        r#"{"message":"registered","data":[{}]}"#,
        r#"{"message":"setRemoteSDP","data":[null]}"#,
        r#"{"message":"notifyStreamStatusEvent","data":[{"mediaSessionId":"m"}]}"#,
        r#"{"message":"pong"}"#,
        r#"{"message":"getVersion","data":["5.2.1"]}"#,
    ] {
        check(
            || Input::SocketMessage(text.into()),
            ["", "", "", "", "", ""],
        );
    }
}

#[test]
fn a_message_too_long_is_dropped() {
    let mut harness = Harness::connected();
    let mut text = user_data().encode();
    let space = MAX_MESSAGE_BYTES - text.len();
    text += &" ".repeat(space + 1);
    assert_eq!(harness.input(Input::SocketMessage(text.clone())), "");
    text.pop();
    assert_eq!(
        harness.input(Input::SocketMessage(text)),
        "session Established"
    );
}

#[test]
fn what_comes_over_http_is_ignored() {
    let mut harness = Harness::established();
    harness.input(play("m"));
    let before = harness.session.timeout();
    for input in [
        Input::MediaConnected { id: id("m") },
        Input::LocalCandidate {
            id: id("m"),
            candidate: None,
        },
        Input::Response {
            id: request_id(1),
            response: HttpResponse::default(),
        },
        Input::RequestFailed {
            id: request_id(1),
            error: "no network".into(),
        },
    ] {
        assert_eq!(harness.input(input), "");
    }
    assert_eq!(harness.session.timeout(), before);
}

#[test]
fn messages_about_unknown_streams_are_dropped() {
    let mut harness = Harness::established();
    assert_eq!(harness.say(answer("m")), "");
    assert_eq!(harness.say_status(StreamStatus::Playing, None), "");
    assert_eq!(harness.input(offer_created("m")), "");
    assert_eq!(harness.input(media_failed("m")), "");
    assert_eq!(harness.refuse(Input::Stop(id("m"))), Error::NoSuchStream);
}

#[test]
fn streams_need_an_established_session() {
    for (status, mut harness) in every_state() {
        if status == SessionStatus::Established {
            continue;
        }
        for input in [publish("m"), play("m"), available("m")] {
            assert_eq!(harness.refuse(input), Error::NotEstablished, "{status:?}");
        }
    }
}

#[test]
fn publishers_are_not_told_pending_and_players_are() {
    let mut harness = Harness::established();
    assert_eq!(harness.input(publish("p")), "create offer p Publisher");
    assert_eq!(harness.input(play("v")), "PENDING, create offer v Player");
}

#[test]
fn ids_are_used_once_at_a_time() {
    let mut harness = Harness::established();
    harness.input(publish("m"));
    harness.input(available("a"));
    for input in [
        publish("m"),
        play("m"),
        available("m"),
        publish("a"),
        available("a"),
    ] {
        assert_eq!(harness.refuse(input), Error::IdInUse);
    }
}

#[test]
fn streams_and_requests_are_limited() {
    let mut harness = Harness::established();
    for number in 0..MAX_STREAMS {
        harness.input(play(&format!("v{number}")));
    }
    assert_eq!(harness.refuse(play("one more")), Error::LimitReached);
    assert_eq!(harness.refuse(publish("one more")), Error::LimitReached);
    harness.input(Input::Stop(id("v0")));
    harness.input(play("one more"));

    for number in 0..MAX_AVAILABLE_REQUESTS {
        harness.input(available(&format!("a{number}")));
    }
    assert_eq!(harness.refuse(available("another")), Error::LimitReached);
}

#[test]
fn a_connection_that_never_opens_fails() {
    let mut harness = Harness::new();
    harness.input(Input::Connect);
    assert_eq!(
        harness.session.timeout(),
        Some(Time::default() + CONNECT_TIMEOUT)
    );
    assert_eq!(
        harness.wait(),
        "close socket, session Failed (the server did not answer in time)"
    );
    assert_eq!(harness.session.timeout(), None);
}

#[test]
fn the_connect_timeout_lasts_until_established() {
    let mut harness = Harness::connected();
    harness.pass(CONNECT_TIMEOUT - Duration::from_millis(1));
    assert_eq!(harness.say(ServerMessage::Ping), "> pong");
    assert_eq!(harness.input(Input::Timeout), "");
    assert_eq!(
        harness.wait(),
        "close socket, session Failed (the server did not answer in time)"
    );
}

#[test]
fn silence_fails_the_session() {
    let mut harness = Harness::established();
    harness.input(play("m"));
    harness.pass(SILENCE_TIMEOUT - Duration::from_millis(1));
    assert_eq!(harness.input(Input::Timeout), "");
    assert_eq!(
        harness.wait(),
        "close media m, close socket, FAILED, session Failed (the server fell silent)"
    );
}

#[test]
fn anything_received_ends_the_silence() {
    for text in [r#"{"message":"ping"}"#, "nonsense", r#"{"message":"new"}"#] {
        let mut harness = Harness::established();
        harness.pass(SILENCE_TIMEOUT - Duration::from_millis(1));
        harness.input(Input::SocketMessage(text.into()));
        assert_eq!(
            harness.session.timeout(),
            Some(harness.now + SILENCE_TIMEOUT)
        );
    }
}

#[test]
fn an_end_closes_all_media_then_the_socket_then_tells() {
    let mut harness = Harness::established();
    harness.input(publish("p"));
    harness.input(play("v"));
    assert_eq!(
        harness.input(Input::Disconnect),
        "close media p, close media v, close socket, FAILED, FAILED, session Disconnected"
    );
}

#[test]
fn available_is_answered_once() {
    let reply = |text, available, info: Option<&str>| {
        ServerMessage::Available(Availability {
            id: id(text),
            available,
            info: info.map(str::to_owned),
        })
    };
    let mut harness = Harness::established();
    assert_eq!(harness.input(available("a")), "> availableStream");
    assert_eq!(harness.input(available("b")), "> availableStream");
    assert_eq!(
        harness.say(reply("b", false, Some("Stream not found"))),
        r#"available b false Some("Stream not found")"#
    );
    assert_eq!(harness.say(reply("b", true, None)), "");
    assert_eq!(harness.say(reply("a", true, None)), "available a true None");
}

#[test]
fn available_without_a_reply_is_a_no() {
    let mut harness = Harness::established();
    harness.input(available("a"));
    harness.pass(STREAM_TIMEOUT);
    harness.say(ServerMessage::Ping);
    assert_eq!(
        harness.input(Input::Timeout),
        r#"available a false Some("the server did not answer in time")"#
    );
    assert_eq!(
        harness.session.timeout(),
        Some(harness.now + SILENCE_TIMEOUT)
    );
}

#[test]
fn a_refused_connection_fails_the_session_and_says_why() {
    let fail = |info: &str| {
        ServerMessage::Fail(Failure {
            api_method: "connection".into(),
            id: None,
            status: "FAILED".into(),
            info: Some(info.to_owned()),
        })
    };
    for (info, severity) in [
        (
            "Restricted access: the access token has expired",
            Severity::Fatal,
        ),
        ("the server is shutting down", Severity::Passing),
    ] {
        let mut harness = Harness::connected();
        harness.say(fail(info));
        assert_eq!(harness.session.status(), SessionStatus::Failed);
        assert_eq!(harness.session.severity(), severity, "{info}");
    }
    // Of a session that is established it is a remark.
    let mut harness = Harness::established();
    assert_eq!(harness.say(fail("no SIP")), "warning no SIP");
    assert_eq!(harness.session.status(), SessionStatus::Established);
}

#[test]
fn a_token_goes_with_the_application_data() {
    let check = |custom: Option<Value>, token: Option<&str>, expected: Option<Value>| {
        let mut harness = Harness::with(custom, token);
        harness.session.handle(Input::Connect, harness.now).unwrap();
        harness.drain();
        let opened = Input::SocketOpened;
        harness.session.handle(opened, harness.now).unwrap();
        let mut outputs = harness.drain().into_iter();
        let sent = outputs.find_map(|output| {
            if let Output::Send(text) = output {
                return Some(text);
            }
            None
        });
        let sent = ClientMessage::decode(&sent.unwrap()).unwrap();
        let ClientMessage::Connection(connection) = sent else {
            panic!("{sent:?}");
        };
        assert_eq!(connection.custom, expected);
    };
    check(None, None, None);
    check(None, Some("secret"), Some(json!({ "token": "secret" })));
    let own = json!({ "room": 7, "token": "own" });
    check(Some(own.clone()), Some("secret"), Some(own));
    let with = Some(json!({ "room": 7, "token": "secret" }));
    check(Some(json!({ "room": 7 })), Some("secret"), with);
    check(Some(json!("text")), Some("secret"), Some(json!("text")));
}

#[test]
fn a_failure_is_a_warning() {
    let fail = |info: Option<&str>| {
        ServerMessage::Fail(Failure {
            api_method: "snapshot".into(),
            id: Some("m".into()),
            status: "FAILED".into(),
            info: info.map(str::to_owned),
        })
    };
    let mut harness = Harness::established();
    harness.input(play("m"));
    assert_eq!(harness.say(fail(Some("no room"))), "warning no room");
    assert_eq!(harness.say(fail(None)), "warning snapshot failed");
}

#[test]
fn a_failure_of_a_streams_status_is_that_status_too() {
    let fail = |status: &str| {
        ServerMessage::Fail(Failure {
            api_method: "StreamStatusEvent".into(),
            id: Some("m".into()),
            status: status.into(),
            info: Some("denied".into()),
        })
    };
    let mut harness = Harness::established();
    harness.input(play("m"));
    harness.input(offer_created("m"));
    assert_eq!(harness.say(fail("")), "warning denied");
    assert_eq!(
        harness.say(fail("FAILED")),
        "warning denied, close media m, FAILED (denied)"
    );
    assert_eq!(harness.say(fail("FAILED")), "warning denied");
}

#[test]
fn application_data_and_debug_news() {
    let mut harness = Harness::established();
    assert_eq!(
        harness.say(ServerMessage::Data(DataEvent {
            operation_id: "o".into(),
            payload: json!({"a": 1}),
        })),
        r#"data {"a":1}"#
    );
    assert_eq!(
        harness.say(ServerMessage::SessionDebug(SessionDebug::default())),
        ""
    );
}
