//! The HTTP stream's state machine as tables: what each input does in each
//! state.

use core::time::Duration;

use super::{HttpHarness, candidate, created, offer};
use crate::tests::{STREAM_TIMEOUT, id, media_failed, start};
use crate::{Error, Input, Method, Severity, StreamRole};

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
