//! Sessions and streams by themselves, which never come back.

use std::net::SocketAddr;

use twoway_publisher::{
    Error, Event, Session, SessionEvent, SessionOptions, SessionStatus, Stream, StreamName,
    StreamOptions, StreamStatus, Target,
};

use super::loopback::server;
use super::picture;
use super::relay::TcpRelay;
use super::status::status;

fn session(address: SocketAddr) -> Session {
    let target = Target::parse(&format!("ws://{address}/any"), None).unwrap();
    Session::connect(SessionOptions::new(target.server))
}

fn publish(session: &Session, name: &str) -> Stream {
    session.publish(StreamOptions::new(StreamName::new(name)), picture())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_has_several_streams_with_ends_of_their_own() {
    let server = server().await;
    let mut session = session(server.addr());
    // Asked for before the session is up: they wait for it.
    let mut first = publish(&session, "first");
    let mut second = publish(&session, "second");
    session.established().await.unwrap();
    assert_eq!(first.published().await, Ok(()));
    assert_eq!(second.published().await, Ok(()));
    let mut twin = publish(&session, "first");
    let taken = Error::Refused("Stream name is already in use".to_owned());
    assert_eq!(twin.published().await, Err(taken.clone()));
    assert_eq!(twin.ended().await, Err(taken));

    first.stop();
    assert_eq!(first.ended().await, Ok(()));
    assert_eq!(first.status(), StreamStatus::Unpublished);
    assert_eq!(second.status(), StreamStatus::Publishing);
    assert_eq!(session.status(), SessionStatus::Established);

    session.disconnect();
    assert_eq!(second.ended().await, Ok(()));
    assert_eq!(session.ended().await, Ok(()));
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_lost_takes_its_streams_along() {
    let server = server().await;
    let relay = TcpRelay::to(server.addr()).await;
    let mut session = session(relay.address());
    let mut stream = publish(&session, "test");
    stream.published().await.unwrap();
    relay.cut();
    let lost = Error::Connection("the server closed the connection".to_owned());
    assert_eq!(stream.ended().await, Err(lost.clone()));
    assert_eq!(session.ended().await, Err(lost));
    let mut last = None;
    while let Some(event) = session.event().await {
        last = Some(event);
    }
    let Some(SessionEvent::Signalling(event)) = last else {
        panic!("{last:?}");
    };
    assert_eq!(status(&event).as_deref(), Some("Disconnected"));
    // Nothing is tried again, and wishes do no harm.
    stream.mute_audio(true);
    stream.stop();
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_dropped_is_stopped() {
    let server = server().await;
    let mut session = session(server.addr());
    let mut stream = publish(&session, "test");
    stream.published().await.unwrap();
    drop(stream);
    while let Some(event) = session.event().await {
        if let SessionEvent::Signalling(Event::Stream(update)) = event
            && update.status == StreamStatus::Unpublished
        {
            break;
        }
    }
    // The name is free in the same session.
    let mut next = publish(&session, "test");
    next.published().await.unwrap();
    next.stop();
    assert_eq!(next.ended().await, Ok(()));
    server.shutdown().await;
}
