//! Either kind of session through the one type that holds both.

use super::http::HttpHarness;
use super::{CONNECT_TIMEOUT, Harness, show};
use crate::{Error, Input, SessionStatus, Signalling, Time};

#[track_caller]
fn input(signalling: &mut Signalling, input: Input) -> String {
    signalling.handle(input, Time::default()).unwrap();
    let outputs: Vec<_> = core::iter::from_fn(|| signalling.poll_output()).collect();
    show(&outputs)
}

#[track_caller]
fn check(
    mut signalling: Signalling,
    connect: &str,
    then: (SessionStatus, Option<Time>),
    end: &str,
) {
    assert_eq!(signalling.status(), SessionStatus::Pending);
    assert_eq!(input(&mut signalling, Input::Connect), connect);
    assert_eq!((signalling.status(), signalling.timeout()), then);
    assert!(!signalling.is_finished());
    assert_eq!(
        signalling.handle(Input::Connect, Time::default()),
        Err(Error::AlreadyConnected)
    );
    assert_eq!(input(&mut signalling, Input::Disconnect), end);
    assert_eq!(signalling.status(), SessionStatus::Disconnected);
    assert!(signalling.is_finished());
}

#[test]
fn both_kinds_are_driven_alike() {
    check(
        Signalling::WebCallServer(Harness::new().session),
        "open socket",
        (SessionStatus::Pending, Some(Time::new(CONNECT_TIMEOUT))),
        "close socket, session Disconnected",
    );
    check(
        Signalling::Http(HttpHarness::new().session),
        "session Connected, session Established",
        (SessionStatus::Established, None),
        "session Disconnected",
    );
}
