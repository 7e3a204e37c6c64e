//! `/healthz` and `/readyz`.

use std::net::SocketAddr;
use std::time::Instant;

use str0m::media::Direction;
use twoway_server::core::backend::Event;
use twoway_server::media::Forwarder;
use twoway_server::net;

use crate::check_patience;
use crate::grammar::Scrape;
use crate::udp::UdpClient;
use crate::web::{get, request};
use crate::world::{TYPES, config, media_config};

async fn check(addr: SocketAddr, path: &str, status: u16, text: &str) {
    let reply = get(addr, path).await;
    assert_eq!((reply.status, reply.text()), (status, text), "{path}");
    assert_eq!(reply.expect("cache-control"), "no-store");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_drains_lives_and_is_not_ready() {
    let (server, _) = net::serve(config(), media_config(2)).await.unwrap();
    let addr = server.addr();
    check(addr, "/healthz", 200, "ok\n").await;
    check(addr, "/readyz", 200, "ready\n").await;
    // Whoever asks from elsewhere is answered, too.
    let elsewhere = [("X-Forwarded-For", "192.0.2.1")];
    for path in ["/healthz", "/readyz"] {
        let reply = request(addr, "GET", path, &elsewhere, &[]).await;
        assert_eq!(reply.status, 200, "{path}");
    }
    server.health().set_draining();
    check(addr, "/readyz", 503, "the server is about to stop\n").await;
    check(addr, "/healthz", 200, "ok\n").await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_one_of_its_workers_is_not_ready() {
    let poisoned = |events: net::EventSink, counters| {
        Forwarder::start(media_config(2), counters, move |event| {
            let answered = matches!(event, Event::Answered { .. });
            assert!(!answered, "as the test wants");
            events.send(event);
        })
    };
    let server = net::serve_with(config(), poisoned).await.unwrap();
    let addr = server.addr();
    check(addr, "/readyz", 200, "ready\n").await;
    let (_, offer) = UdpClient::offer(Direction::SendOnly, TYPES);
    let headers = [("Content-Type", "application/sdp")];
    let reply = request(addr, "POST", "/whip/live", &headers, offer.as_bytes()).await;
    assert_eq!(reply.status, 503, "{}", reply.text());
    // The worker says so once it is over.
    let start = Instant::now();
    while get(addr, "/readyz").await.status == 200 {
        check_patience(start, "the end of a worker");
    }
    check(addr, "/readyz", 503, "media worker 0 has stopped\n").await;
    let metrics = get(addr, "/metrics").await;
    let metrics = Scrape::parse(metrics.text());
    assert_eq!(metrics.of("twoway_worker_up{worker=\"0\"}"), 0.0);
    assert_eq!(metrics.of("twoway_worker_up{worker=\"1\"}"), 1.0);
    let ended = "twoway_streams_ended_total{reason=\"internal\"}";
    assert_eq!(metrics.of(ended), 1.0);
    server.shutdown().await;
}
