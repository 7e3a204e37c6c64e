//! Staying on air: what is lost comes back, what cannot come back ends with its
//! reason. Against the real server, on loopback.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

#[path = "onair/ends.rs"]
mod ends;
mod loopback;
#[path = "onair/muted.rs"]
mod muted;
#[path = "onair/relay.rs"]
mod relay;
#[path = "onair/sessions.rs"]
mod sessions;
#[path = "loopback/status.rs"]
mod status;
#[path = "onair/viewer.rs"]
mod viewer;

use std::net::SocketAddr;
use std::time::Duration;

use loopback::{LOOPBACK, media_config, server};
use relay::{TcpRelay, UdpRelay};
use status::status;
use tokio::time::timeout;
use twoway_publisher::{
    Error, Options, Publisher, PublisherEvent, RetryOptions, Stats, Target, TestPicture,
};
use twoway_server::media::{PublicAddress, Transports};
use twoway_server::{media, net};
use viewer::Viewer;
use wire::StreamEventType;

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
