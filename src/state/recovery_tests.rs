//! Wishes and waits over virtual time.

use super::*;

const PLAY: Target = Target::Stream(StreamRole::Player);
const PUBLISH: Target = Target::Stream(StreamRole::Publisher);
const PASSING: Loss = Loss {
    severity: Severity::Passing,
    at_least: Duration::ZERO,
};
const FATAL: Loss = Loss {
    severity: Severity::Fatal,
    ..PASSING
};
/// In the middle of the jitter.
const MIDDLE: f64 = 0.5;

fn at(ms: u64) -> Time {
    Time::new(Duration::from_millis(ms))
}

fn playing() -> Recovery {
    let mut recovery = Recovery::new(true);
    recovery.wanted(Target::Connection);
    recovery.works(Target::Connection, at(0));
    recovery.wanted(PLAY);
    recovery.works(PLAY, at(0));
    recovery
}

fn targets(waits: &[Wait]) -> Vec<(Target, u32, bool)> {
    let summary = |wait: &Wait| (wait.target, wait.attempt, wait.delay.is_some());
    waits.iter().map(summary).collect()
}

#[test]
fn a_lost_connection_is_tried_again_and_its_streams_after_it() {
    let mut recovery = playing();
    let waits = recovery.lost(Target::Connection, PASSING, at(100), MIDDLE);
    assert_eq!(
        targets(&waits),
        [(Target::Connection, 1, true), (PLAY, 0, false)]
    );
    let due = recovery.timeout().unwrap();
    assert_eq!(due, at(100) + waits[0].delay.unwrap());
    assert_eq!(recovery.take_due(at(100)), []);
    assert_eq!(recovery.take_due(due), [Target::Connection]);
    assert_eq!(recovery.timeout(), None, "one try at a time");

    recovery.works(Target::Connection, due);
    assert_eq!(recovery.take_held(), [StreamRole::Player]);
    assert_eq!(recovery.take_held(), []);
}

#[test]
fn waits_grow_up_to_a_cap_and_start_afresh_after_a_steady_time() {
    let mut recovery = playing();
    let mut now = at(0);
    let mut delays = Vec::new();
    for attempt in 1..=20 {
        let waits = recovery.lost(PLAY, PASSING, now, MIDDLE);
        assert_eq!(waits[0].attempt, attempt);
        delays.push(waits[0].delay.unwrap());
        now = recovery.timeout().unwrap();
        assert_eq!(recovery.take_due(now), [PLAY]);
    }
    assert!(delays.is_sorted(), "{delays:?}");
    assert!(delays[19] <= STREAM.cap && delays[19] > delays[0] * 4);

    recovery.works(PLAY, now);
    let waits = recovery.lost(PLAY, PASSING, now + STEADY, MIDDLE);
    assert_eq!(waits[0].attempt, 1);
}

#[test]
fn what_works_only_for_a_moment_is_not_hammered() {
    let mut recovery = playing();
    for attempt in 1..=5 {
        let waits = recovery.lost(PLAY, PASSING, at(1), MIDDLE);
        assert_eq!(waits[0].attempt, attempt);
        recovery.take_due(recovery.timeout().unwrap());
        recovery.works(PLAY, at(1));
    }
}

#[test]
fn what_the_user_stopped_stays_stopped() {
    let mut recovery = playing();
    recovery.lost(Target::Connection, PASSING, at(0), MIDDLE);
    recovery.unwanted(PLAY);
    recovery.take_due(recovery.timeout().unwrap());
    recovery.works(Target::Connection, at(1));
    assert_eq!(recovery.take_held(), []);

    recovery.lost(Target::Connection, PASSING, at(2), MIDDLE);
    recovery.unwanted(Target::Connection);
    assert_eq!(recovery.timeout(), None);
    assert_eq!(
        recovery.lost(Target::Connection, PASSING, at(3), MIDDLE),
        []
    );
}

#[test]
fn fatal_failures_are_given_up() {
    let mut recovery = playing();
    assert_eq!(recovery.lost(PLAY, FATAL, at(0), MIDDLE), []);
    assert!(!recovery.is_wanted(PLAY));
    assert!(recovery.is_wanted(Target::Connection));
    recovery.wanted(PLAY);
    assert_eq!(recovery.lost(Target::Connection, FATAL, at(0), MIDDLE), []);
    assert!(!recovery.is_wanted(PLAY), "no streams without a connection");
}

#[test]
fn nothing_is_tried_again_where_the_user_does_not_want_it() {
    let mut recovery = playing();
    assert_eq!(recovery.keep_trying(false), []);
    assert_eq!(recovery.lost(PLAY, PASSING, at(0), MIDDLE), []);

    let mut recovery = playing();
    recovery.wanted(PUBLISH);
    recovery.lost(Target::Connection, PASSING, at(0), MIDDLE);
    assert_eq!(
        recovery.keep_trying(false),
        [Target::Connection, PUBLISH, PLAY]
    );
    assert_eq!(recovery.timeout(), None);
}

#[test]
fn a_network_that_is_back_ends_the_waiting() {
    let mut recovery = playing();
    recovery.lost(PLAY, PASSING, at(0), MIDDLE);
    recovery.hurry(at(1));
    assert_eq!(recovery.take_due(at(1)), [PLAY]);
    recovery.hurry(at(2));
    assert_eq!(recovery.timeout(), None, "a try under way is left alone");
}

#[test]
fn worked_tells_a_republishing_from_a_first_publishing() {
    let mut recovery = playing();
    assert!(recovery.worked(PLAY));
    recovery.wanted(PLAY);
    assert!(!recovery.worked(PLAY));
}

#[test]
fn a_server_that_asks_for_time_gets_it() {
    let mut recovery = playing();
    let busy = Loss {
        at_least: Duration::from_secs(60),
        ..PASSING
    };
    let waits = recovery.lost(PLAY, busy, at(0), MIDDLE);
    assert_eq!(waits[0].delay, Some(Duration::from_secs(60)));
}
