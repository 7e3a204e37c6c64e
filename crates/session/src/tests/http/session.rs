//! The HTTP session: what it takes, what it asks for, how it ends.

use serde_json::json;
use wire::{StreamEventType, StreamName};

use super::{HttpHarness, OFFER, connected, created, offer, playing, request_id};
use crate::tests::{id, media_failed, play, publish};
use crate::{
    Error, HttpRequest, HttpResponse, Input, MAX_REQUESTS, MAX_STREAMS, Method, Publish,
    SessionStatus, Token,
};

#[test]
fn a_session_is_established_at_once_and_only_once() {
    let mut harness = HttpHarness::new();
    assert_eq!(harness.session.status(), SessionStatus::Pending);
    assert_eq!(
        harness.input(Input::Connect),
        "session Connected, session Established"
    );
    assert_eq!(harness.session.status(), SessionStatus::Established);
    assert_eq!(harness.refuse(Input::Connect), Error::AlreadyConnected);
    assert_eq!(harness.input(Input::Disconnect), "session Disconnected");
    assert_eq!(harness.session.status(), SessionStatus::Disconnected);
    assert_eq!(harness.refuse(Input::Connect), Error::AlreadyConnected);
    assert_eq!(harness.input(Input::Disconnect), "");
    let mut unconnected = HttpHarness::new();
    assert_eq!(unconnected.input(Input::Disconnect), "session Disconnected");
}

#[test]
fn streams_need_an_established_session() {
    let mut over = HttpHarness::established();
    over.input(Input::Disconnect);
    for harness in [&mut HttpHarness::new(), &mut over] {
        for input in [publish("m"), play("m"), available()] {
            assert_eq!(harness.refuse(input), Error::NotEstablished);
        }
        assert_eq!(harness.refuse(Input::Stop(id("m"))), Error::NoSuchStream);
    }
}

fn available() -> Input {
    Input::Available {
        id: id("q"),
        name: StreamName::new("test"),
    }
}

#[test]
fn nobody_can_be_asked_whether_a_name_is_live() {
    let mut harness = HttpHarness::established();
    assert_eq!(
        harness.input(available()),
        r#"available q false Some("WHEP cannot tell whether a stream is live: play it to see")"#
    );
}

#[test]
fn what_comes_of_a_socket_is_ignored() {
    let mut harness = playing();
    for input in [
        Input::SocketOpened,
        Input::SocketMessage("{}".into()),
        Input::SocketClosed,
        Input::SocketFailed("reset".into()),
    ] {
        assert_eq!(harness.input(input), "");
    }
    assert_eq!(harness.session.status(), SessionStatus::Established);
}

#[test]
fn a_request_is_complete() {
    let token = Token::new("secret").unwrap();
    let mut harness = HttpHarness::with_token(Some(token.clone()));
    harness.input(Input::Connect);
    harness.input(Input::Publish(Publish {
        id: id("m"),
        name: StreamName::new("two words"),
        custom: Some(json!({})),
    }));
    harness.input(offer("m"));
    let expected = HttpRequest {
        id: request_id(1),
        method: Method::Post,
        url: "https://h/whip/two%20words".into(),
        bearer: Some(token.clone()),
        content_type: Some("application/sdp"),
        if_match: None,
        body: OFFER.into(),
    };
    assert_eq!(harness.requests, [expected]);
    harness.reply(Method::Post, created());
    harness.input(Input::Stop(id("m")));
    let expected = HttpRequest {
        id: request_id(2),
        method: Method::Delete,
        url: "https://h/r".into(),
        bearer: Some(token),
        content_type: None,
        if_match: None,
        body: String::new(),
    };
    assert_eq!(harness.requests, [expected]);
}

#[test]
fn a_token_is_not_shown() {
    let token = Token::new(" secret ").unwrap();
    assert_eq!(token.as_str(), "secret");
    let harness = HttpHarness::with_token(Some(token));
    assert!(!format!("{:?}", harness.session).contains("secret"));
    for bad in [
        "",
        " ",
        "two words",
        "line\nbreak",
        "grün",
        &"x".repeat(4_097),
    ] {
        assert!(Token::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn ice_servers_come_before_the_answer() {
    let mut harness = HttpHarness::established();
    harness.input(play("m"));
    harness.input(offer("m"));
    let response = HttpResponse {
        links: vec![r#"<stun:s.example>; rel="ice-server""#.into()],
        ..created()
    };
    assert_eq!(
        harness.reply(Method::Post, response),
        r#"ice servers ["stun:s.example"] m, apply v=0 answer m"#
    );
}

#[test]
fn a_name_that_cannot_be_in_a_url_is_refused() {
    let mut harness = HttpHarness::established();
    let input = Input::Publish(Publish {
        id: id("m"),
        name: StreamName::new(".."),
        custom: None,
    });
    assert!(matches!(harness.refuse(input), Error::BadName(_)));
}

#[test]
fn only_mutes_are_carried() {
    let event = |event_type| Input::SendStreamEvent {
        id: id("m"),
        event_type,
        payload: None,
    };
    let mut harness = HttpHarness::established();
    assert_eq!(
        harness.refuse(event(StreamEventType::Data)),
        Error::NoSuchStream
    );
    harness.input(publish("m"));
    harness.input(offer("m"));
    harness.reply(Method::Post, created());
    assert_eq!(
        harness.refuse(event(StreamEventType::AudioMuted)),
        Error::NotPublishing
    );
    harness.input(connected("m"));
    assert_eq!(harness.input(event(StreamEventType::AudioMuted)), "");
    assert_eq!(harness.refuse(event(StreamEventType::Data)), Error::NoData);
    let mut player = playing();
    assert_eq!(
        player.refuse(event(StreamEventType::AudioMuted)),
        Error::NotPublishing
    );
}

#[test]
fn streams_and_unanswered_requests_are_limited() {
    let mut harness = HttpHarness::established();
    for number in 0..MAX_STREAMS {
        harness.input(play(&number.to_string()));
    }
    assert_eq!(harness.refuse(play("one more")), Error::LimitReached);
    assert_eq!(harness.refuse(play("0")), Error::IdInUse);
    // A server that never answers, and a user who tries again and again.
    let mut harness = HttpHarness::established();
    for _ in 0..MAX_REQUESTS {
        harness.input(publish("m"));
        harness.input(offer("m"));
        harness.input(media_failed("m"));
    }
    assert_eq!(harness.refuse(publish("m")), Error::LimitReached);
    harness.fail(Method::Post);
    harness.input(publish("m"));
}

#[test]
fn a_disconnect_closes_all_media_then_deletes_then_tells() {
    let mut harness = playing();
    harness.input(publish("p"));
    harness.input(offer("p"));
    assert_eq!(
        harness.input(Input::Disconnect),
        "close media m, close media p, > DELETE https://h/r, FAILED, FAILED, session Disconnected"
    );
    assert!(!harness.session.is_finished());
    assert_eq!(harness.reply_status(Method::Delete, 204), "");
    // The server made the second stream in the meantime.
    assert_eq!(
        harness.reply(Method::Post, created()),
        "> DELETE https://h/r"
    );
    assert!(!harness.session.is_finished());
    assert_eq!(harness.reply_status(Method::Delete, 404), "");
    assert!(harness.session.is_finished());
    assert_eq!(harness.session.timeout(), None);
}

#[test]
fn responses_nobody_waits_for_are_dropped() {
    let mut harness = playing();
    for number in [0, 1, 2, u64::MAX] {
        let id = request_id(number);
        let response = created();
        assert_eq!(harness.input(Input::Response { id, response }), "");
        let error = "late".into();
        assert_eq!(harness.input(Input::RequestFailed { id, error }), "");
    }
}

#[test]
fn a_response_is_for_the_stream_that_asked() {
    let mut harness = HttpHarness::established();
    harness.input(play("m"));
    harness.input(offer("m"));
    harness.input(media_failed("m"));
    // Another stream by the same id: the first one's response is not its own.
    harness.input(play("m"));
    harness.input(offer("m"));
    assert_eq!(
        harness.reply(Method::Post, created()),
        "> DELETE https://h/r"
    );
    assert_eq!(harness.reply_status(Method::Delete, 200), "");
    assert_eq!(harness.reply(Method::Post, created()), "apply v=0 answer m");
}
