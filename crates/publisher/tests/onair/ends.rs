//! What cannot come back, or need not, ends with its reason.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use twoway_publisher::{
    Captured, Error, Format, Picture, Publisher, PublisherEvent, Source, SourceError, TlsOptions,
    VideoFormat, VideoFrame,
};

use super::loopback::{LOOPBACK, server};
use super::relay::TcpRelay;
use super::{options, picture, publisher, stop, until_notice, until_reconnecting, until_status};

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

/// Whoever meets a server for the first time has no lost stream there.
#[tokio::test(flavor = "multi_thread")]
async fn over_http_a_name_of_somebody_else_is_the_end_after_a_refused_connection_too() {
    let server = server().await;
    let mut holder = publisher(server.addr(), "test");
    until_status(&mut holder, "PUBLISHING").await;
    let address = nowhere().await;
    let mut publisher = Publisher::connect(options("http", address, "test"), picture());
    let reason = until_reconnecting(&mut publisher).await;
    assert!(
        reason.to_string().contains("connection refused"),
        "{reason}"
    );

    let _relay = TcpRelay::at(address, server.addr()).await;
    while let Some(event) = publisher.event().await {
        if let PublisherEvent::Reconnecting { reason, .. } = event {
            let refused = matches!(reason, Error::Refused(_));
            assert!(!refused, "tried again: {reason}");
        }
    }
    let Err(Error::Refused(why)) = publisher.wait().await else {
        panic!("the name is not free");
    };
    assert!(why.starts_with("Stream name is already in use"), "{why}");
    stop(holder).await;
    server.shutdown().await;
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
