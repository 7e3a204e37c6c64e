//! Staying on air: what is lost comes back, what cannot come back ends with its
//! reason. Against the real server, on loopback.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod loopback;
#[path = "onair/relay.rs"]
mod relay;
#[path = "onair/viewer.rs"]
mod viewer;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire::StreamEventType;

use loopback::{LOOPBACK, media_config, server};
use relay::{TcpRelay, UdpRelay};
use tokio::time::timeout;
use twoway_publisher::{
    Captured, Error, Event, Format, Options, Picture, Publisher, PublisherEvent, RetryOptions,
    Session, SessionEvent, SessionOptions, SessionStatus, Source, SourceError, Stats, Stream,
    StreamName, StreamOptions, StreamStatus, Target, TestPicture, TlsOptions, VideoFormat,
    VideoFrame,
};
use twoway_server::media::{PublicAddress, Transports};
use twoway_server::{media, net};
use viewer::Viewer;

async fn server_at(address: SocketAddr) -> net::Running {
    let config = net::Config::new(address);
    net::serve(config, media_config()).await.unwrap().0
}

fn picture() -> TestPicture {
    TestPicture::new("320x180".parse().unwrap(), 30)
}

/// To the server's end of the scheme, with short waits.
fn options(scheme: &str, address: SocketAddr, name: &str) -> Options {
    let target = Target::parse(&format!("{scheme}://{address}"), Some(name)).unwrap();
    let mut options = Options::new(target.server, target.name);
    options.retry = RetryOptions {
        first_wait: Duration::from_millis(50),
        longest_wait: Duration::from_millis(200),
        give_up_after: None,
    };
    options
}

fn publisher(address: SocketAddr, name: &str) -> Publisher {
    Publisher::connect(options("ws", address, name), picture())
}

/// A status as people know it.
fn status(event: &Event) -> Option<String> {
    match event {
        Event::Session { status, .. } => Some(format!("{status:?}")),
        Event::Stream(update) => Some(update.status.as_str().to_owned()),
        Event::StreamEvent { .. }
        | Event::Available { .. }
        | Event::Warning(_)
        | Event::AppData(_)
        | Event::VideoRate { .. } => None,
    }
}

/// Everything up to the first event that `is` it.
async fn until<T>(publisher: &mut Publisher, is: impl Fn(&PublisherEvent) -> Option<T>) -> T {
    while let Some(event) = publisher.event().await {
        if let Some(found) = is(&event) {
            return found;
        }
    }
    panic!("the publication is over");
}

async fn until_status(publisher: &mut Publisher, expected: &str) {
    let is = |event: &PublisherEvent| {
        let PublisherEvent::Signalling(event) = event else {
            return None;
        };
        (status(event)? == expected).then_some(())
    };
    until(publisher, is).await;
}

/// The reason for the next attempt.
async fn until_reconnecting(publisher: &mut Publisher) -> Error {
    let is = |event: &PublisherEvent| match event {
        PublisherEvent::Reconnecting { reason, .. } => Some(reason.clone()),
        PublisherEvent::Signalling(_) | PublisherEvent::Notice(_) => None,
    };
    until(publisher, is).await
}

async fn until_notice(publisher: &mut Publisher) -> String {
    let is = |event: &PublisherEvent| match event {
        PublisherEvent::Notice(text) => Some(text.clone()),
        PublisherEvent::Signalling(_) | PublisherEvent::Reconnecting { .. } => None,
    };
    until(publisher, is).await
}

/// The numbers as soon as they are as expected.
async fn stats(publisher: &mut Publisher, expected: impl Fn(&Stats) -> bool) -> Stats {
    loop {
        let stats = publisher.stats();
        if expected(&stats) {
            return stats;
        }
        // They change without a word.
        let _ = timeout(Duration::from_millis(50), publisher.event()).await;
    }
}

async fn stop(publisher: Publisher) {
    publisher.stop();
    assert_eq!(publisher.wait().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_has_the_stream_back() {
    let first = server().await;
    let address = first.addr();
    let mut publisher = publisher(address, "test");
    until_status(&mut publisher, "PUBLISHING").await;
    first.shutdown().await;
    until_reconnecting(&mut publisher).await;

    let second = server_at(address).await;
    until_status(&mut publisher, "Established").await;
    until_status(&mut publisher, "PUBLISHING").await;
    let sent = publisher.stats().video.unwrap_or_default().frames_sent;
    let stats = stats(&mut publisher, |stats| {
        let video = stats.video.as_ref();
        stats.reconnects == 1 && video.is_some_and(|video| video.frames_sent > sent)
    })
    .await;
    assert!(stats.on_air > Duration::ZERO);
    assert!(stats.network.bytes_sent > 0, "{stats:?}");
    stop(publisher).await;
    second.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_a_server_that_comes_back_has_the_stream_back() {
    let first = server().await;
    let address = first.addr();
    let mut publisher = Publisher::connect(options("http", address, "test"), picture());
    until_status(&mut publisher, "PUBLISHING").await;
    first.shutdown().await;
    let second = server_at(address).await;
    until_reconnecting(&mut publisher).await;
    until_status(&mut publisher, "PUBLISHING").await;
    stop(publisher).await;

    // The server was told: the name is free.
    let mut successor = Publisher::connect(options("http", address, "test"), picture());
    until_status(&mut successor, "PUBLISHING").await;
    stop(successor).await;
    second.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_breaks_is_replaced() {
    let server = server().await;
    let relay = TcpRelay::to(server.addr()).await;
    let mut publisher = publisher(relay.address(), "test");
    until_status(&mut publisher, "PUBLISHING").await;
    relay.cut();
    let reason = until_reconnecting(&mut publisher).await;
    assert!(matches!(reason, Error::Connection(_)), "{reason}");
    until_status(&mut publisher, "PUBLISHING").await;
    stop(publisher).await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_lost_session_still_holds_is_waited_for() {
    let media = media::Config {
        rtp_timeout: Duration::from_secs(1),
        ..media_config()
    };
    let config = net::Config::new(LOOPBACK);
    let (server, _) = net::serve(config, media).await.unwrap();
    let relay = TcpRelay::to(server.addr()).await;
    let mut publisher = publisher(relay.address(), "test");
    until_status(&mut publisher, "PUBLISHING").await;
    relay.cut_unnoticed_by_the_server();
    until_reconnecting(&mut publisher).await;
    let reason = until_reconnecting(&mut publisher).await;
    let taken = Error::Refused("Stream name is already in use".to_owned());
    assert_eq!(reason, taken);
    until_status(&mut publisher, "PUBLISHING").await;
    stop(publisher).await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn media_that_are_cut_off_come_back() {
    let relay = UdpRelay::bind().await;
    let seen = relay.address();
    let media = media::Config {
        workers: 1.try_into().unwrap(),
        transports: Transports::Udp,
        public_addresses: vec![PublicAddress::new(seen.ip(), Some(seen.port())).unwrap()],
        ..media_config()
    };
    let config = net::Config::new(LOOPBACK);
    let (server, reach) = net::serve(config, media).await.unwrap();
    relay.carry_to(SocketAddr::new(LOOPBACK.ip(), reach.ports[0]));

    let mut publisher = publisher(server.addr(), "test");
    until_status(&mut publisher, "PUBLISHING").await;
    relay.cut();
    let reason = until_reconnecting(&mut publisher).await;
    assert!(matches!(reason, Error::Media(_)), "{reason}");
    relay.mend();
    until_status(&mut publisher, "PUBLISHING").await;
    stop(publisher).await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_first_attempt_is_the_end() {
    let server = server().await;
    let mut holder = publisher(server.addr(), "test");
    until_status(&mut holder, "PUBLISHING").await;
    for scheme in ["ws", "http"] {
        let options = options(scheme, server.addr(), "test");
        let error = Publisher::connect(options, picture()).wait().await;
        let Err(Error::Refused(why)) = error else {
            panic!("{scheme}: {error:?}");
        };
        let expected = "Stream name is already in use";
        assert!(why.starts_with(expected), "{scheme}: {why}");
    }
    stop(holder).await;
    server.shutdown().await;
}

/// An address where nobody listens.
async fn nowhere() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind(LOOPBACK).await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_never_gets_on_air_is_given_up() {
    for scheme in ["ws", "http"] {
        let mut options = options(scheme, nowhere().await, "test");
        options.retry.give_up_after = Some(Duration::from_millis(300));
        let mut publisher = Publisher::connect(options, picture());
        until_reconnecting(&mut publisher).await;
        let error = publisher.wait().await;
        assert!(matches!(error, Err(Error::NoConnection(_))), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_time_mends_is_not_tried_again() {
    let files = TlsOptions {
        ca_files: vec!["no-such-file.pem".into()],
        ..TlsOptions::default()
    };
    for scheme in ["wss", "https"] {
        let mut options = options(scheme, nowhere().await, "test");
        options.session.tls = files.clone();
        let error = Publisher::connect(options, picture()).wait().await;
        let Err(Error::NoConnection(why)) = error else {
            panic!("{scheme}: {error:?}");
        };
        assert!(why.contains("no-such-file.pem"), "{scheme}: {why}");
    }
}

/// Takes connections and never says a word.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_silent_is_given_up_in_time() {
    let listener = tokio::net::TcpListener::bind(LOOPBACK).await.unwrap();
    let mut options = options("ws", listener.local_addr().unwrap(), "test");
    options.retry.give_up_after = Some(Duration::from_millis(300));
    let error = Publisher::connect(options, picture()).wait().await;
    let late = Error::NoConnection("the stream did not get on air in time".to_owned());
    assert_eq!(error, Err(late));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_cuts_a_wait_short() {
    let mut options = options("ws", nowhere().await, "test");
    options.retry.first_wait = Duration::from_secs(3600);
    options.retry.longest_wait = Duration::from_secs(3600);
    let mut publisher = Publisher::connect(options, picture());
    until_reconnecting(&mut publisher).await;
    publisher.send_data(serde_json::json!({ "lost": true }));
    let notice = "the data was not sent: the stream is off air";
    assert_eq!(until_notice(&mut publisher).await, notice);
    stop(publisher).await;
}

/// A few grey pictures, then the end.
struct Short(u32);

impl Source for Short {
    fn format(&self) -> Format {
        let size = "320x180".parse().unwrap();
        Format {
            video: Some(VideoFormat::Raw { size, fps: 30 }),
            audio: None,
        }
    }

    fn next(&mut self) -> Result<Captured, SourceError> {
        let Some(left) = self.0.checked_sub(1) else {
            return Ok(Captured::End);
        };
        self.0 = left;
        Ok(Captured::Video(VideoFrame {
            capture_time: Instant::now(),
            picture: Arc::new(Picture::black("320x180".parse().unwrap())),
        }))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_that_end_end_the_stream_in_good_order() {
    let server = server().await;
    for scheme in ["ws", "http"] {
        let options = options(scheme, server.addr(), "short");
        let mut publisher = Publisher::connect(options, Short(5));
        until_status(&mut publisher, "UNPUBLISHED").await;
        assert_eq!(publisher.wait().await, Ok(()), "{scheme}");
    }
    server.shutdown().await;
}

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

#[tokio::test(flavor = "multi_thread")]
async fn viewers_are_told_of_mute_and_data() {
    let server = server().await;
    let relay = TcpRelay::to(server.addr()).await;
    let mut publisher = publisher(relay.address(), "test");
    until_status(&mut publisher, "PUBLISHING").await;
    let mut viewer = Viewer::play(server.addr(), "test").await;
    assert_eq!(viewer.playing().await, Some((false, false)));
    publisher.mute(true, false);
    assert_eq!(viewer.told().await.0, StreamEventType::AudioMuted);
    publisher.mute(false, true);
    assert_eq!(viewer.told().await.0, StreamEventType::AudioUnmuted);
    assert_eq!(viewer.told().await.0, StreamEventType::VideoMuted);
    let payload = serde_json::json!({ "score": 3 });
    publisher.send_data(payload.clone());
    assert_eq!(viewer.told().await, (StreamEventType::Data, payload));

    // Muted before, muted after.
    relay.cut();
    until_reconnecting(&mut publisher).await;
    until_status(&mut publisher, "PUBLISHING").await;
    let mut viewer = Viewer::play(server.addr(), "test").await;
    assert_eq!(viewer.playing().await, Some((false, true)));
    let muted = |stats: &Stats| stats.video.as_ref().is_some_and(|video| video.muted);
    stats(&mut publisher, |stats| {
        stats.reconnects == 1 && muted(stats)
    })
    .await;
    stop(publisher).await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_plays_the_stream_back_after_a_loss_too() {
    let server = server().await;
    for scheme in ["ws", "http"] {
        let relay = TcpRelay::to(server.addr()).await;
        let mut options = options(scheme, relay.address(), "test");
        options.monitor = true;
        let mut publisher = Publisher::connect(options, picture());
        until_status(&mut publisher, "PUBLISHING").await;
        let frames = |stats: &Stats| stats.monitor.as_ref().map_or(0, |monitor| monitor.frames);
        let before = stats(&mut publisher, |stats| frames(stats) > 0).await;
        if scheme == "ws" {
            relay.cut();
            until_reconnecting(&mut publisher).await;
            let more = |stats: &Stats| stats.reconnects == 1 && frames(stats) > frames(&before);
            stats(&mut publisher, more).await;
        }
        stop(publisher).await;
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_data_cannot_be_sent_and_a_notice_says_so() {
    let server = server().await;
    let mut publisher = Publisher::connect(options("http", server.addr(), "test"), picture());
    until_status(&mut publisher, "PUBLISHING").await;
    publisher.send_data(serde_json::json!(1));
    let notice = "the data was not sent: this server cannot send data to the players";
    assert_eq!(until_notice(&mut publisher).await, notice);
    stop(publisher).await;
    server.shutdown().await;
}
