//! What operators see: metrics that agree with what was done, health, and the log.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "clippy exempts test functions, but not what they share"
)]

#[path = "../media/client.rs"]
#[allow(dead_code, reason = "each test program uses its part")]
mod client;
mod docs;
mod grammar;
mod health;
mod logs;
#[path = "../media/udp.rs"]
mod udp;
#[path = "../support/http.rs"]
mod web;
mod world;

use std::time::{Duration, Instant};

use twoway_server::net::Exposed;
use web::{Response, get, request};
use world::{World, config};

/// How long a condition may take to come true before the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn metrics_agree_with_what_was_done() {
    let mut world = World::start(config()).await;
    let session = world.connect().await;
    let publisher = world.publish("live").await;
    world.frames(20);
    let received = "twoway_rtp_received_packets_total{kind=\"video\"}";
    world.until_metric(received, 20.0).await;
    let viewers = [world.play("live").await, world.play("live").await];
    world.frames(20);
    world.until_metric(received, 40.0).await;
    let seen = world.settled().await;
    let forwarded = |kind| {
        seen.of(&format!(
            "twoway_rtp_forwarded_packets_total{{kind=\"{kind}\"}}"
        ))
    };
    for (kind, video) in [("video", true), ("audio", false)] {
        let came = world.received(video) as f64;
        assert!(came >= 40.0, "{came}");
        assert_eq!(forwarded(kind), came, "{kind}");
    }
    for (metric, expected) in [
        ("twoway_sessions", 1.0),
        ("twoway_websockets", 1.0),
        (
            "twoway_streams{kind=\"publisher\",signalling=\"whip\"}",
            1.0,
        ),
        ("twoway_streams{kind=\"player\",signalling=\"whep\"}", 2.0),
        (
            "twoway_streams{kind=\"player\",signalling=\"websocket\"}",
            0.0,
        ),
        ("twoway_streams_opened_total{kind=\"publisher\"}", 1.0),
        ("twoway_streams_opened_total{kind=\"player\"}", 2.0),
        ("twoway_rtp_received_packets_total{kind=\"audio\"}", 40.0),
        ("twoway_video_received_frames_total", 40.0),
        (
            "twoway_video_received_keyframes_total",
            world.keyframes as f64,
        ),
        ("twoway_publisher_missing_packets_total", 0.0),
        ("twoway_refusals_total{reason=\"bad_request\"}", 0.0),
        ("twoway_draining", 0.0),
    ] {
        assert_eq!(seen.of(metric), expected, "{metric}");
    }
    for phase in ["answer", "ice", "dtls", "media"] {
        for (kind, expected) in [("publisher", 1.0), ("player", 2.0)] {
            let labels = format!("kind=\"{kind}\",phase=\"{phase}\"");
            let count = seen.of(&format!("twoway_join_seconds_count{{{labels}}}"));
            assert_eq!(count, expected, "{labels}");
        }
    }
    let workers: f64 = (0..2)
        .map(|n| seen.of(&format!("twoway_worker_peers{{worker=\"{n}\"}}")))
        .sum();
    assert_eq!(workers, 3.0);
    // One leaves, and then all do.
    assert_eq!(world.delete(&viewers[0]).await, 200);
    let players = "twoway_streams{kind=\"player\",signalling=\"whep\"}";
    world.until_metric(players, 1.0).await;
    assert_eq!(world.delete(&publisher).await, 200);
    world.until_metric(players, 0.0).await;
    let closed = "twoway_streams_ended_total{reason=\"closed\"}";
    world.until_metric(closed, 3.0).await;
    drop(session);
    world.until_metric("twoway_sessions", 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn loss_keyframes_and_refusals_are_counted() {
    let mut world = World::start(config()).await;
    world.publish("live").await;
    world.frames(10);
    let received = "twoway_rtp_received_packets_total{kind=\"video\"}";
    world.until_metric(received, 10.0).await;
    world.play("live").await;
    world.frames(10);
    world.until_metric(received, 20.0).await;
    let before = world.settled().await;
    // Three packets that no one ever sends.
    world.skip(3);
    world.frames(1);
    world
        .until_metric("twoway_publisher_missing_packets_total", 3.0)
        .await;
    world
        .until_metric("twoway_publisher_lost_packets_total", 3.0)
        .await;
    let asked = "twoway_keyframe_requests_sent_total";
    world.until_metric(asked, before.of(asked) + 1.0).await;
    let wanted = "twoway_keyframe_requests_received_total";
    let wishes = world.metrics().await.of(wanted);
    world.want_keyframe(0);
    world.until_metric(wanted, wishes + 1.0).await;
    for _ in 0..2 {
        let reply = get(world.addr(), "/whip/live").await;
        assert_eq!(reply.status, 405);
    }
    let refused = "twoway_refusals_total{reason=\"bad_request\"}";
    assert_eq!(world.metrics().await.of(refused), 2.0);
}

/// What `/metrics` says to somebody behind a proxy, who is not this host.
async fn from_elsewhere(exposed: Exposed) -> Response {
    let mut config = config();
    config.metrics = exposed;
    let world = World::start(config).await;
    let headers = [("X-Forwarded-For", "192.0.2.1")];
    request(world.addr(), "GET", "/metrics", &headers, &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_chooses_who_may_read_them() {
    assert_eq!(from_elsewhere(Exposed::Admin).await.status, 403);
    assert_eq!(from_elsewhere(Exposed::Off).await.status, 404);
    let open = from_elsewhere(Exposed::Open).await;
    assert_eq!(open.status, 200);
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(open.expect("content-type"), content_type);
    assert_eq!(open.expect("cache-control"), "no-store");
}

/// Waits for what must come true.
fn check_patience(start: Instant, what: &str) {
    assert!(start.elapsed() < PATIENCE, "{what} never came");
}
