//! The HTTP stream's state machine as tables: what each input does in each
//! state, and what each response means.

use core::time::Duration;

use super::http::{HttpHarness, candidate, created, offer};
use super::{STREAM_TIMEOUT, id, media_failed, start};
use crate::{
    Attempt, Error, HttpResponse, Input, MAX_BODY_BYTES, MAX_DETAIL_CHARS, MAX_RETRY_AFTER, Method,
    Severity, StreamRole, severity,
};

/// Where a stream is before the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Media makes the offer.
    Offering,
    /// The offer is posted.
    Posted,
    /// The offer is posted and the user has stopped.
    StoppedEarly,
    /// The answer is with media.
    Answered,
    /// Media is connected.
    Active,
    /// The DELETE is sent.
    Stopping,
}

fn at(role: StreamRole, at: At) -> HttpHarness {
    let mut harness = HttpHarness::established();
    harness.input(start(role, "m"));
    if at == At::Offering {
        return harness;
    }
    harness.input(offer("m"));
    if !matches!(at, At::Posted | At::StoppedEarly) {
        harness.reply(Method::Post, created());
    }
    if at == At::Active {
        harness.input(Input::MediaConnected { id: id("m") });
    }
    if matches!(at, At::StoppedEarly | At::Stopping) {
        harness.input(Input::Stop(id("m")));
    }
    harness
}

/// What one input does in each state, for both roles. `{active}` and
/// `{stopped}` stand for what the role is told, `{delete}` for the request.
#[track_caller]
fn check(input: impl Fn(&mut HttpHarness) -> String, expected: [(At, &str); 6]) {
    for role in [StreamRole::Publisher, StreamRole::Player] {
        let (active, stopped) = match role {
            StreamRole::Publisher => ("PUBLISHING", "UNPUBLISHED (Stopped by user)"),
            StreamRole::Player => ("PLAYING", "STOPPED (Stopped by user)"),
        };
        for (state, expected) in expected {
            let expected = expected
                .replace("{active}", active)
                .replace("{stopped}", stopped)
                .replace("{delete}", "> DELETE https://h/r");
            let mut harness = at(role, state);
            assert_eq!(input(&mut harness), expected, "{role:?} {state:?}");
        }
    }
}

#[test]
fn starting() {
    for (role, expected) in [
        (StreamRole::Publisher, "create offer m Publisher"),
        (StreamRole::Player, "PENDING, create offer m Player"),
    ] {
        let mut harness = HttpHarness::established();
        assert_eq!(harness.input(start(role, "m")), expected);
        assert_eq!(harness.refuse(start(role, "m")), Error::IdInUse);
    }
}

#[test]
fn an_offer_is_posted_once() {
    for (role, expected) in [
        (StreamRole::Publisher, "> POST https://h/whip/test"),
        (StreamRole::Player, "> POST https://h/whep/test"),
    ] {
        assert_eq!(at(role, At::Offering).input(offer("m")), expected);
        for state in [
            At::Posted,
            At::StoppedEarly,
            At::Answered,
            At::Active,
            At::Stopping,
        ] {
            assert_eq!(at(role, state).input(offer("m")), "", "{state:?}");
        }
    }
}

#[test]
fn connected_media() {
    check(
        |harness| harness.input(Input::MediaConnected { id: id("m") }),
        [
            (At::Offering, ""),
            (At::Posted, ""),
            (At::StoppedEarly, ""),
            (At::Answered, "{active}"),
            (At::Active, ""),
            (At::Stopping, ""),
        ],
    );
}

#[test]
fn stopping() {
    check(
        |harness| harness.input(Input::Stop(id("m"))),
        [
            (At::Offering, "close media m, {stopped}"),
            (At::Posted, "close media m"),
            (At::StoppedEarly, ""),
            (At::Answered, "close media m, {delete}"),
            (At::Active, "close media m, {delete}"),
            (At::Stopping, ""),
        ],
    );
}

#[test]
fn a_stop_ends_with_whatever_the_server_says() {
    for role in [StreamRole::Publisher, StreamRole::Player] {
        let stopped = match role {
            StreamRole::Publisher => "UNPUBLISHED (Stopped by user)",
            StreamRole::Player => "STOPPED (Stopped by user)",
        };
        for status in [200, 204, 404, 500] {
            let mut harness = at(role, At::Stopping);
            assert_eq!(harness.reply_status(Method::Delete, status), stopped);
            assert_eq!(harness.refuse(Input::Stop(id("m"))), Error::NoSuchStream);
        }
        assert_eq!(at(role, At::Stopping).fail(Method::Delete), stopped);
        // Stopped before there was anything to delete.
        let mut early = at(role, At::StoppedEarly);
        assert_eq!(early.reply(Method::Post, created()), "> DELETE https://h/r");
        assert_eq!(early.reply_status(Method::Delete, 204), stopped);
        let mut early = at(role, At::StoppedEarly);
        assert_eq!(early.reply_status(Method::Post, 503), stopped);
        assert_eq!(at(role, At::StoppedEarly).fail(Method::Post), stopped);
    }
}

#[test]
fn media_that_fails() {
    let local = "close media m, FAILED (Local error) [no camera]";
    let deleted = format!("{{delete}}, {local}");
    check(
        |harness| harness.input(media_failed("m")),
        [
            (At::Offering, local),
            (At::Posted, local),
            (At::StoppedEarly, ""),
            (At::Answered, &deleted),
            (At::Active, &deleted),
            (At::Stopping, ""),
        ],
    );
}

#[test]
fn a_server_that_says_no_more() {
    check(
        |harness| {
            harness.now = harness.now + STREAM_TIMEOUT;
            harness.input(Input::Timeout)
        },
        [
            (At::Offering, ""),
            (
                At::Posted,
                "close media m, FAILED (Local error) [the server did not answer in time]",
            ),
            (At::StoppedEarly, "{stopped}"),
            (
                At::Answered,
                "{delete}, close media m, FAILED (Local error) [no media connection in time]",
            ),
            (At::Active, ""),
            (At::Stopping, "{stopped}"),
        ],
    );
}

#[test]
fn nothing_times_out_early() {
    check(
        |harness| {
            harness.now = harness.now + (STREAM_TIMEOUT - Duration::from_millis(1));
            harness.input(Input::Timeout)
        },
        [
            (At::Offering, ""),
            (At::Posted, ""),
            (At::StoppedEarly, ""),
            (At::Answered, ""),
            (At::Active, ""),
            (At::Stopping, ""),
        ],
    );
}

#[test]
fn a_lost_session_fails_the_stream_without_info() {
    let lost = "close media m, FAILED, session Disconnected";
    let deleted = "close media m, {delete}, FAILED, session Disconnected";
    let stopping = "FAILED, session Disconnected";
    check(
        |harness| harness.input(Input::Disconnect),
        [
            (At::Offering, lost),
            (At::Posted, lost),
            (At::StoppedEarly, stopping),
            (At::Answered, deleted),
            (At::Active, deleted),
            (At::Stopping, stopping),
        ],
    );
}

#[test]
fn candidates_go_out_while_there_is_something_to_add_them_to() {
    check(
        |harness| harness.input(candidate("1")),
        [
            (At::Offering, ""),
            (At::Posted, ""),
            (At::StoppedEarly, ""),
            (At::Answered, "> PATCH https://h/r"),
            (At::Active, "> PATCH https://h/r"),
            (At::Stopping, ""),
        ],
    );
}

#[test]
fn a_request_that_reaches_nobody_may_pass() {
    for role in [StreamRole::Publisher, StreamRole::Player] {
        let mut harness = at(role, At::Posted);
        assert_eq!(
            harness.fail(Method::Post),
            "close media m, FAILED (Stream failed) [the server could not be reached: no network]"
        );
        assert_eq!(harness.last_update().severity, Severity::Passing);
    }
}

#[test]
fn what_is_made_too_late_is_deleted() {
    let mut harness = at(StreamRole::Player, At::Posted);
    harness.now = harness.now + STREAM_TIMEOUT;
    harness.input(Input::Timeout);
    assert_eq!(
        harness.reply(Method::Post, created()),
        "> DELETE https://h/r"
    );
    assert_eq!(harness.fail(Method::Delete), "");
}

#[test]
fn refusals_in_the_words_of_the_protocol() {
    let check = |role, status, info: &str, expected| {
        let mut harness = at(role, At::Posted);
        assert_eq!(
            harness.reply_status(Method::Post, status),
            format!("close media m, FAILED ({info}) [the server answered {status}]")
        );
        assert_eq!(harness.last_update().severity, expected, "{status}");
    };
    let (passing, fatal) = (Severity::Passing, Severity::Fatal);
    for role in [StreamRole::Publisher, StreamRole::Player] {
        check(role, 301, "Failed by error", fatal);
        check(role, 400, "Failed by error", fatal);
        check(role, 401, "Restricted access", fatal);
        check(role, 403, "Restricted access", fatal);
        check(role, 405, "Failed by error", fatal);
        check(role, 406, "No common codecs", fatal);
        check(role, 408, "Stream failed", passing);
        check(role, 415, "Failed by error", fatal);
        check(role, 422, "Failed by error", fatal);
        check(role, 429, "Stream failed", passing);
        check(role, 500, "Stream failed", passing);
        check(role, 503, "Stream failed", passing);
        check(role, 0, "Failed by error", fatal);
    }
    check(StreamRole::Player, 404, "Session does not exist", passing);
    check(StreamRole::Player, 409, "Session does not exist", passing);
    check(StreamRole::Player, 410, "Session does not exist", passing);
    check(StreamRole::Publisher, 404, "Failed by error", fatal);
    check(
        StreamRole::Publisher,
        409,
        "Stream name is already in use",
        fatal,
    );
}

#[test]
fn a_taken_name_may_pass_only_after_a_loss() {
    let mut harness = at(StreamRole::Publisher, At::Posted);
    harness.reply_status(Method::Post, 409);
    let update = harness.last_update();
    assert_eq!(severity(update, Attempt::First), Severity::Fatal);
    assert_eq!(severity(update, Attempt::Again), Severity::Passing);
}

#[test]
fn servers_say_why_they_refuse() {
    let check = |content_type: &str, body: &str, expected: Option<&str>| {
        let mut harness = at(StreamRole::Publisher, At::Posted);
        harness.reply(
            Method::Post,
            HttpResponse {
                status: 400,
                content_type: Some(content_type.into()),
                body: body.into(),
                ..HttpResponse::default()
            },
        );
        let expected = match expected {
            Some(detail) => format!("the server answered 400: {detail}"),
            None => "the server answered 400".to_owned(),
        };
        let error = harness.last_update().error.as_deref();
        assert_eq!(error, Some(expected.as_str()), "{body}");
    };
    let problem = "application/problem+json";
    check(problem, r#"{"title":"T","detail":"D"}"#, Some("D"));
    check(problem, r#"{"title":"T","detail":7}"#, Some("T"));
    check(problem, r#"{"type":"about:blank"}"#, None);
    check(problem, r#"{"detail":"<b>bold</b>"}"#, None);
    check(problem, r#"{"detail":"a < b"}"#, Some("a < b"));
    check(problem, "[]", None);
    check(problem, "{", None);
    check("application/json", r#"{"error":"E"}"#, Some("E"));
    check(
        "Text/Plain; charset=utf-8",
        " two\r\n lines ",
        Some("two lines"),
    );
    check("text/plain", "\u{7}", None);
    check("text/plain", "", None);
    check("text/html", "<h1>no</h1>", None);
    check("text/plain", "<h1>no</h1>", None);
    check("", "why", None);
    let long = "ü".repeat(MAX_DETAIL_CHARS + 1);
    let cut = format!("{}...", "ü".repeat(MAX_DETAIL_CHARS));
    check("text/plain", &long, Some(&cut));
    check("text/plain", &"x".repeat(MAX_BODY_BYTES + 1), None);
}

#[test]
fn a_counter_offer_is_refused_clearly() {
    let mut harness = at(StreamRole::Player, At::Posted);
    let response = HttpResponse {
        status: 406,
        ..created()
    };
    assert_eq!(
        harness.reply(Method::Post, response),
        "close media m, FAILED (No common codecs) [the server answered 406: \
         it wants to make the offer itself, which is not supported]"
    );
}

#[test]
fn a_server_says_when_to_come_back() {
    let check = |retry_after: &str, expected| {
        let mut harness = at(StreamRole::Player, At::Posted);
        harness.reply(
            Method::Post,
            HttpResponse {
                status: 503,
                retry_after: Some(retry_after.into()),
                ..HttpResponse::default()
            },
        );
        assert_eq!(harness.last_update().retry_after, expected, "{retry_after}");
    };
    check("7", Some(Duration::from_secs(7)));
    check(" 0 ", Some(Duration::ZERO));
    check(&u64::MAX.to_string(), Some(MAX_RETRY_AFTER));
    check("-1", None);
    check("1.5", None);
    check("Wed, 21 Oct 2026 07:28:00 GMT", None);
    check("", None);
}

/// What an answer that is not one does: `{delete}` if something was made.
#[track_caller]
fn check_nonsense(change: impl Fn(&mut HttpResponse), requests: &str, why: &str) {
    let mut response = created();
    change(&mut response);
    let mut harness = at(StreamRole::Player, At::Posted);
    assert_eq!(
        harness.reply(Method::Post, response),
        format!(
            "{requests}close media m, FAILED (Failed by error) [the server answers wrongly: {why}]"
        )
    );
    assert_eq!(harness.last_update().severity, Severity::Fatal);
}

#[test]
fn answers_that_are_none_fail_the_stream() {
    let delete = "> DELETE https://h/r, ";
    let nowhere = "its answer has no usable Location, or CORS hides it";
    check_nonsense(|response| response.location = None, "", nowhere);
    for location in ["", "/r", "javascript:alert(1)", "ftp://h/r"] {
        check_nonsense(
            |response| response.location = Some(location.into()),
            "",
            nowhere,
        );
    }
    let empty = "its answer is empty or not SDP";
    for body in ["", "<html>", " v=0"] {
        check_nonsense(|response| response.body = body.into(), delete, empty);
    }
    check_nonsense(
        |response| response.body = "v=0".repeat(MAX_BODY_BYTES),
        delete,
        "its answer is too long",
    );
    for content_type in ["text/html", "application/sdpx", ""] {
        check_nonsense(
            |response| response.content_type = Some(content_type.into()),
            delete,
            "its answer is not SDP",
        );
    }
}

#[test]
fn answers_may_be_written_in_several_ways() {
    for content_type in [None, Some("Application/SDP"), Some("application/sdp; x=y")] {
        for status in [200, 201] {
            let mut harness = at(StreamRole::Player, At::Posted);
            let response = HttpResponse {
                status,
                content_type: content_type.map(str::to_owned),
                ..created()
            };
            assert_eq!(harness.reply(Method::Post, response), "apply v=0 answer m");
        }
    }
}
