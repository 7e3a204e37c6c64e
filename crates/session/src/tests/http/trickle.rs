//! Candidates on their way to the server.

use super::{HttpHarness, candidate, created, last_candidate, offer, playing};
use crate::tests::{id, media_failed, play};
use crate::{HttpResponse, Input, LocalCandidate, MAX_CANDIDATES, Method};

#[test]
fn a_refusal_of_candidates_is_for_the_stream_that_sent_them() {
    let mut harness = playing();
    assert_eq!(harness.input(candidate("1")), "> PATCH https://h/r");
    harness.input(media_failed("m"));
    // Another stream by the same id, with candidates of its own on their way.
    harness.input(play("m"));
    harness.input(offer("m"));
    harness.reply(Method::Post, created());
    assert_eq!(harness.input(candidate("2")), "> PATCH https://h/r");
    assert_eq!(harness.input(candidate("3")), "");
    assert_eq!(harness.reply_status(Method::Patch, 404), "");
    assert_eq!(
        harness.reply_status(Method::Patch, 204),
        "> PATCH https://h/r"
    );
}

#[test]
fn candidates_wait_for_the_answer_and_go_together() {
    let mut harness = HttpHarness::established();
    harness.input(play("m"));
    assert_eq!(harness.input(candidate("1")), "");
    harness.input(offer("m"));
    assert_eq!(harness.input(candidate("2")), "");
    assert_eq!(
        harness.reply(Method::Post, created()),
        "apply v=0 answer m, > PATCH https://h/r"
    );
    // One request at a time.
    assert_eq!(harness.input(candidate("3")), "");
    assert_eq!(harness.input(last_candidate()), "");
    let first = harness.take(Method::Patch);
    let head = "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n\
        a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n";
    assert_eq!(
        first.body,
        format!("{head}a=candidate:1\r\na=candidate:2\r\n")
    );
    assert_eq!(first.content_type, Some("application/trickle-ice-sdpfrag"));
    assert_eq!(first.if_match.as_deref(), Some(r#""tag""#));
    let response = HttpResponse {
        status: 204,
        ..HttpResponse::default()
    };
    let id = first.id;
    assert_eq!(
        harness.input(Input::Response { id, response }),
        "> PATCH https://h/r"
    );
    let second = &harness.requests[0];
    assert_eq!(
        second.body,
        format!("{head}a=candidate:3\r\na=end-of-candidates\r\n")
    );
    assert_eq!(harness.reply_status(Method::Patch, 204), "");
    assert_eq!(harness.input(candidate("too late")), "");
    assert_eq!(harness.input(last_candidate()), "");
}

#[test]
fn a_server_that_refuses_candidates_is_not_asked_again() {
    for refused in [400, 404, 405, 412, 422, 429, 500, 501] {
        let mut harness = playing();
        assert_eq!(harness.input(candidate("1")), "> PATCH https://h/r");
        assert_eq!(harness.reply_status(Method::Patch, refused), "");
        assert_eq!(harness.input(candidate("2")), "", "{refused}");
        assert_eq!(harness.input(last_candidate()), "", "{refused}");
        // 405 and 501 are about the server and not about the stream.
        harness.input(Input::Stop(id("m")));
        harness.reply_status(Method::Delete, 200);
        harness.input(play("m"));
        harness.input(offer("m"));
        harness.input(candidate("3"));
        let expected = match refused {
            405 | 501 => "apply v=0 answer m",
            _ => "apply v=0 answer m, > PATCH https://h/r",
        };
        assert_eq!(
            harness.reply(Method::Post, created()),
            expected,
            "{refused}"
        );
    }
    let mut harness = playing();
    harness.input(candidate("1"));
    assert_eq!(harness.fail(Method::Patch), "");
    assert_eq!(harness.input(candidate("2")), "");
}

#[test]
fn what_is_no_candidate_is_not_sent() {
    let mut harness = playing();
    for text in ["1\r\na=evil:1", &"x".repeat(2_000)] {
        assert_eq!(harness.input(candidate(text)), "", "{text}");
    }
    let other = |candidate: &str, mid: Option<&str>, line_index| Input::LocalCandidate {
        id: id("m"),
        candidate: Some(LocalCandidate {
            candidate: candidate.into(),
            mid: mid.map(str::to_owned),
            line_index,
        }),
    };
    for input in [
        other("nonsense", Some("0"), Some(0)),
        // Bundled sections have no candidates of their own.
        other("candidate:1", Some("1"), Some(1)),
        other("candidate:1", None, Some(1)),
    ] {
        assert_eq!(harness.input(input), "");
    }
    // As the browser writes it, and as SDP does.
    assert_eq!(
        harness.input(other("a=candidate:1", None, None)),
        "> PATCH https://h/r"
    );
    assert!(harness.requests[0].body.ends_with("\r\na=candidate:1\r\n"));
}

#[test]
fn candidates_are_limited() {
    let mut harness = HttpHarness::established();
    harness.input(play("m"));
    harness.input(offer("m"));
    for number in 0..MAX_CANDIDATES + 1 {
        harness.input(candidate(&number.to_string()));
    }
    harness.reply(Method::Post, created());
    let sent = harness.requests[0].body.matches("a=candidate:").count();
    assert_eq!(sent, MAX_CANDIDATES);
}

#[test]
fn an_offer_without_ice_does_not_trickle() {
    for sdp in ["", "offer", "v=0\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"] {
        let mut harness = HttpHarness::established();
        harness.input(play("m"));
        harness.input(candidate("1"));
        harness.input(Input::OfferCreated {
            id: id("m"),
            sdp: sdp.into(),
            has_audio: true,
            has_video: true,
        });
        assert_eq!(
            harness.reply(Method::Post, created()),
            "apply v=0 answer m",
            "{sdp}"
        );
        assert_eq!(harness.input(candidate("2")), "", "{sdp}");
    }
}
