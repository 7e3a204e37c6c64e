//! The generator against the real server, in the test's own process.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "clippy exempts test functions, but not what they share"
)]

mod small;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use load::results::{Join, Load, Outcome, Scenario};
use load::scenario::{Stage, Target, run};
use load::signalling::{Http, Signaller, WebCallServer};
use small::{MEDIA, TIMING};
use twoway_server::{media, net};

const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

async fn server() -> net::Running {
    let media = media::Config {
        bind: vec![LOOPBACK.ip()],
        ..media::Config::default()
    };
    net::serve(net::Config::new(LOOPBACK), media)
        .await
        .unwrap()
        .0
}

fn web_call_server(address: SocketAddr) -> Signaller {
    Signaller::WebCallServer(WebCallServer::new(&format!("ws://{address}")).unwrap())
}

fn http(address: SocketAddr) -> Signaller {
    Signaller::Http(Http::new(&format!("http://{address}"), None).unwrap())
}

async fn outcome(signaller: Signaller, scenario: Scenario) -> Outcome {
    let target = Target {
        signaller,
        process: None,
    };
    run(&scenario, &target, &TIMING, &|_: Stage| {}).await
}

#[track_caller]
fn load(outcome: Outcome) -> Load {
    match outcome {
        Outcome::Load(load) => load,
        other => panic!("{other:?}"),
    }
}

/// Every viewer got what was sent while it was measured.
#[track_caller]
fn assert_complete(load: &Load, viewers: u32, viewers_each: u64) {
    assert_eq!(load.viewers, viewers, "{load:?}");
    assert!(load.sent_packets > 0, "{load:?}");
    let received = &load.received;
    let wanted = load.sent_packets * viewers_each;
    assert_eq!(received.packets, wanted, "{load:?}");
    assert_eq!((received.lost, received.damaged), (0, 0), "{load:?}");
    assert_eq!(
        (received.lost_frames, received.duplicates),
        (0, 0),
        "{load:?}"
    );
    assert!(received.frames > 0, "{load:?}");
    assert!(received.bytes > received.packets * 12, "{load:?}");
    let delay = load.delay_us.expect("packets have a delay");
    assert_eq!(delay.count, wanted);
    assert!(delay.median <= delay.p95 && delay.p99 <= delay.max);
}

async fn fan_out(signaller: Signaller) {
    let scenario = Scenario::FanOut {
        viewers: 3,
        media: MEDIA,
    };
    assert_complete(&load(outcome(signaller, scenario).await), 3, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_viewer_gets_what_was_sent_over_web_call_server() {
    let server = server().await;
    fan_out(web_call_server(server.addr())).await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_viewer_gets_what_was_sent_over_whep() {
    let server = server().await;
    fan_out(http(server.addr())).await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_do_not_mix() {
    let server = server().await;
    let scenario = |viewers_each| Scenario::Streams {
        streams: 3,
        viewers_each,
        media: MEDIA,
    };
    let two_each = outcome(web_call_server(server.addr()), scenario(2)).await;
    assert_complete(&load(two_each), 6, 2);
    let alone = load(outcome(http(server.addr()), scenario(0)).await);
    assert_eq!((alone.viewers, alone.received.packets), (0, 0));
    assert!(alone.sent_packets > 0);
    assert_eq!(alone.delay_us, None);
    server.shutdown().await;
}

#[track_caller]
fn assert_in_order(join: &Join, joined: u64) {
    assert_eq!(
        (u64::from(join.joined), join.failed),
        (joined, 0),
        "{join:?}"
    );
    let phases = [
        join.answered_us,
        join.ice_us,
        join.dtls_us,
        join.first_packet_us,
        join.keyframe_us,
    ];
    for phase in phases {
        assert_eq!(phase.count, joined, "{join:?}");
        assert!(phase.median > 0.0, "{join:?}");
    }
    let medians = phases.map(|phase| phase.median);
    assert!(medians.is_sorted(), "{medians:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_join_phase_by_phase() {
    let server = server().await;
    for (crowd, signaller) in [
        (1, web_call_server(server.addr())),
        (1, http(server.addr())),
        (8, web_call_server(server.addr())),
    ] {
        let scenario = Scenario::Join {
            crowd,
            media: MEDIA,
        };
        match outcome(signaller, scenario).await {
            Outcome::Join(join) if crowd == 1 => assert_in_order(&join, u64::from(join.joined)),
            Outcome::Join(join) => assert_in_order(&join, u64::from(crowd)),
            other => panic!("{other:?}"),
        }
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_come_also_go() {
    let server = server().await;
    let signaller = web_call_server(server.addr());
    let scenario = Scenario::Churn {
        viewers: 4,
        media: MEDIA,
    };
    match outcome(signaller, scenario).await {
        Outcome::Churn(churn) => {
            assert!(churn.visits >= 4, "{churn:?}");
            assert_eq!(churn.failures, 0, "{churn:?}");
        }
        other => panic!("{other:?}"),
    }
    let stats = format!("http://{}/api/stats", server.addr());
    // The last of them are on their way out.
    loop {
        let stats = reqwest::get(&stats).await.unwrap().text().await.unwrap();
        let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
        if ["sessions", "publishers", "players"].map(|name| stats[name].as_u64()) == [Some(0); 3] {
            break;
        }
        tokio::task::yield_now().await;
    }
    server.shutdown().await;
}

async fn failure(signaller: Signaller) -> String {
    let scenario = Scenario::FanOut {
        viewers: 1,
        media: MEDIA,
    };
    match outcome(signaller, scenario).await {
        Outcome::Failed(sentence) => sentence,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_at_the_address_is_a_sentence() {
    // Taken, so that nobody else is there, and let go again.
    let address = std::net::TcpListener::bind(LOOPBACK)
        .unwrap()
        .local_addr()
        .unwrap();
    for (signaller, start) in [
        (
            web_call_server(address),
            format!("cannot speak to ws://{address}: "),
        ),
        (
            http(address),
            format!("cannot reach http://{address}/whip/"),
        ),
    ] {
        let sentence = failure(signaller).await;
        assert!(sentence.starts_with(&start), "{sentence}");
        assert!(sentence.contains("refused"), "{sentence}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_in_the_servers_words() {
    let server = server().await;
    let elsewhere = format!("http://{}/api/{{name}}", server.addr());
    let sentence = failure(Signaller::Http(Http::new(&elsewhere, None).unwrap())).await;
    assert!(sentence.contains("refuses the stream: 4"), "{sentence}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_is_noticed() {
    let server = server().await;
    let signaller = web_call_server(server.addr());
    let server = std::sync::Mutex::new(Some(server));
    let target = Target {
        signaller,
        process: None,
    };
    let scenario = Scenario::FanOut {
        viewers: 2,
        media: MEDIA,
    };
    let stop = |stage| {
        if stage == Stage::Measuring {
            drop(server.lock().unwrap().take());
        }
    };
    match run(&scenario, &target, &TIMING, &stop).await {
        Outcome::Failed(sentence) => assert!(sentence.contains("gone"), "{sentence}"),
        other => panic!("{other:?}"),
    }
}
