//! What each response to an offer means.

use core::time::Duration;

use super::{created, posted};
use crate::{
    Attempt, HttpResponse, MAX_BODY_BYTES, MAX_DETAIL_CHARS, MAX_RETRY_AFTER, Method, Severity,
    StreamRole, severity,
};

#[test]
fn refusals_in_the_words_of_the_protocol() {
    let check = |role, status, info: &str, expected| {
        let mut harness = posted(role);
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
        check(role, 422, "No common codecs", fatal);
        check(role, 408, "Stream failed", passing);
        check(role, 415, "Failed by error", fatal);
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
    let mut harness = posted(StreamRole::Publisher);
    harness.reply_status(Method::Post, 409);
    let update = harness.last_update();
    assert_eq!(severity(update, Attempt::First), Severity::Fatal);
    assert_eq!(severity(update, Attempt::Again), Severity::Passing);
}

#[test]
fn servers_say_why_they_refuse() {
    let check = |content_type: &str, body: &str, expected: Option<&str>| {
        let mut harness = posted(StreamRole::Publisher);
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
    let mut harness = posted(StreamRole::Player);
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
        let mut harness = posted(StreamRole::Player);
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
    let mut harness = posted(StreamRole::Player);
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
            let mut harness = posted(StreamRole::Player);
            let response = HttpResponse {
                status,
                content_type: content_type.map(str::to_owned),
                ..created()
            };
            assert_eq!(harness.reply(Method::Post, response), "apply v=0 answer m");
        }
    }
}
