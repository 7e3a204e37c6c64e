//! WHIP (RFC 9725) and WHEP over HTTP: replies, headers, and what is refused.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use twoway_server::counters::Reason;

use crate::client::{Client, config, counted, play, start};
use crate::fake_backend::{ALIEN, ANSWERED, FLOWS, GARBAGE, SILENT, STUCK};
use crate::web::{Response, get, request};

const SDP: &[(&str, &str)] = &[("Content-Type", "application/sdp")];
const FRAGMENT: (&str, &str) = ("Content-Type", "application/trickle-ice-sdpfrag");

async fn post(addr: SocketAddr, path: &str, offer: &str) -> Response {
    request(addr, "POST", path, SDP, offer.as_bytes()).await
}

async fn delete(addr: SocketAddr, path: &str) -> Response {
    request(addr, "DELETE", path, &[], &[]).await
}

/// The status of a problem, after a look at the rest of it.
#[track_caller]
fn problem(response: &Response) -> (u16, String) {
    assert_eq!(
        response.expect("content-type"),
        "application/problem+json",
        "{}",
        response.text()
    );
    assert_eq!(response.expect("access-control-allow-origin"), "*");
    let body: Value = serde_json::from_str(response.text()).unwrap();
    assert_eq!(body["status"], response.status);
    assert!(!body["title"].as_str().unwrap().is_empty());
    assert!(!body["detail"].as_str().unwrap().is_empty());
    let kind = body["type"].as_str().unwrap();
    let kind = kind.strip_prefix("/problems/").unwrap();
    (response.status, kind.into())
}

#[tokio::test]
async fn a_resource_is_made_and_deleted() {
    let server = start(config()).await;
    let addr = server.addr();
    let made = post(addr, "/whip/caf%C3%A9%2F1?token=x", FLOWS).await;
    assert_eq!((made.status, made.text()), (201, "answer of 1"));
    assert_eq!(made.expect("content-type"), "application/sdp");
    assert_eq!(made.expect("access-control-allow-origin"), "*");
    let exposed = made.expect("access-control-expose-headers");
    for header in ["Location", "ETag", "Link"] {
        assert!(exposed.contains(header), "{exposed}");
    }
    let publisher = made.expect("location").to_owned();
    let id = publisher.strip_prefix("/whip/caf%C3%A9%2F1/").unwrap();
    assert_eq!(id.len(), 36);

    let mut viewer = Client::connect(addr).await;
    viewer.send(&play("v", "caf\u{e9}/1")).await;
    assert_eq!(viewer.status().await, "v PLAYING");
    let played = post(addr, "/whep/caf%C3%A9%2F1/", FLOWS).await;
    assert_eq!(played.status, 201);
    assert_ne!(played.expect("location"), publisher);
    let stats: Value = serde_json::from_str(get(addr, "/api/stats").await.text()).unwrap();
    assert_eq!([&stats["publishers"], &stats["players"]], [1, 2]);

    let deleted = delete(addr, &publisher).await;
    assert_eq!((deleted.status, deleted.body.len()), (200, 0));
    let ended = "v FAILED Stopped by publisher stop";
    assert_eq!(viewer.status().await, ended);
    for gone in [publisher.as_str(), played.expect("location")] {
        let again = delete(addr, gone).await;
        assert_eq!(problem(&again), (404, "no-such-resource".into()));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_player_over_whep_of_a_publisher_over_web_socket() {
    let server = start(config()).await;
    let mut publisher = Client::publishing(server.addr(), "live").await;
    let made = post(server.addr(), "/whep/live", FLOWS).await;
    assert_eq!(made.status, 201);
    let taken = post(server.addr(), "/whip/live", FLOWS).await;
    assert_eq!(problem(&taken), (409, "name-in-use".into()));
    publisher.assert_untouched("live").await;
    drop(publisher);
    // Its end is the player's end.
    let location = made.expect("location");
    let patch = async || {
        let headers = [FRAGMENT, ("If-Match", "\"1\"")];
        request(server.addr(), "PATCH", location, &headers, b"a=mid:0").await
    };
    while patch().await.status == 204 {}
    assert_eq!(problem(&patch().await), (404, "no-such-resource".into()));
    server.shutdown().await;
}

#[tokio::test]
async fn candidates_and_restarts() {
    let server = start(config()).await;
    let addr = server.addr();
    let offer = format!("{FLOWS}\r\na=ice-ufrag:abcd\r\n");
    let made = post(addr, "/whip/live", &offer).await;
    let (location, tag) = (made.expect("location"), made.expect("etag"));
    assert_eq!(made.expect("accept-patch"), FRAGMENT.1);
    let candidate = "a=ice-ufrag:abcd\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n";
    let restart = "a=ice-ufrag:efgh\r\na=ice-pwd:0123456789\r\n";
    let half = "a=ice-ufrag:efgh\r\n";
    let sdp = ("Content-Type", "application/sdp");
    let parameter = (FRAGMENT.0, "application/trickle-ice-sdpfrag; charset=utf-8");
    let bearer = ("Authorization", "Bearer anything");
    for (headers, body, status) in [
        (vec![FRAGMENT, ("If-Match", tag)], candidate, 204),
        (vec![parameter, ("If-Match", tag), bearer], "", 204),
        (
            vec![FRAGMENT, ("If-Match", "\"x\""), ("If-Match", tag)],
            candidate,
            204,
        ),
        (vec![FRAGMENT, ("If-Match", tag)], "{}", 400),
        (vec![FRAGMENT, ("If-Match", "*")], half, 400),
        (vec![FRAGMENT, ("If-Match", "\"9\"")], restart, 412),
        (vec![FRAGMENT], candidate, 204),
        (vec![FRAGMENT, ("ETag", tag)], "a=mid:0", 204),
        (vec![FRAGMENT], "a=mid:0", 428),
        (vec![FRAGMENT], restart, 428),
        (vec![sdp, ("If-Match", tag)], candidate, 415),
    ] {
        let answer = request(addr, "PATCH", location, &headers, body.as_bytes()).await;
        assert_eq!(answer.status, status, "{headers:?} {body}");
        if status == 204 {
            assert_eq!(answer.expect("access-control-allow-origin"), "*");
            assert_eq!(answer.header("etag"), None);
        } else {
            assert_eq!(problem(&answer).0, status);
        }
        if status == 415 {
            assert_eq!(answer.expect("accept-patch"), FRAGMENT.1);
        }
    }
    let patch = async |tag: &str, body: &str| {
        let headers = [FRAGMENT, ("If-Match", tag)];
        request(addr, "PATCH", location, &headers, body.as_bytes()).await
    };
    let restarted = patch("*", restart).await;
    assert_eq!((restarted.status, restarted.text()), (200, "restart of 1"));
    assert_eq!(restarted.expect("content-type"), FRAGMENT.1);
    let new_tag = restarted.expect("etag");
    assert_ne!(new_tag, tag);
    // What is of the ICE session before is late.
    for (tag, body) in [(tag, candidate), (tag, restart), ("*", candidate)] {
        let late = patch(tag, body).await;
        assert_eq!(problem(&late), (412, "if-match-mismatch".into()));
    }
    assert_eq!(patch(new_tag, restart).await.status, 204);
    let headers = [("If-Match", tag)];
    let deleted = request(addr, "DELETE", location, &headers, &[]).await;
    assert_eq!(deleted.status, 200, "an entity tag is nothing to a DELETE");
    server.shutdown().await;
}

#[tokio::test]
async fn a_restart_waits_for_its_answer() {
    let mut config = config();
    config.core.restart_timeout = std::time::Duration::from_millis(200);
    let server = start(config).await;
    let addr = server.addr();
    let made = post(addr, "/whip/live", FLOWS).await;
    let location = made.expect("location");
    let patch = async || {
        let body = format!("a=ice-ufrag:{STUCK}\r\na=ice-pwd:0123456789\r\n");
        let headers = [FRAGMENT, ("If-Match", "*")];
        request(addr, "PATCH", location, &headers, body.as_bytes()).await
    };
    let (first, second) = tokio::join!(patch(), patch());
    let mut statuses = [&first, &second].map(|answer| problem(answer).0);
    statuses.sort_unstable();
    assert_eq!(statuses, [409, 503]);
    for answer in [first, second] {
        assert_eq!(answer.expect("retry-after"), "1");
    }
    assert_eq!(delete(addr, location).await.status, 200);
    server.shutdown().await;
}

#[tokio::test]
async fn clients_are_told_of_stun_and_turn_servers() {
    let mut config = config();
    let servers = [
        "stun:stun.example.net",
        "turn:user:pass@turn.example.net?transport=udp",
    ];
    config.ice_servers = servers.map(|url| url.parse().unwrap()).into();
    let server = start(config).await;
    let links = |answer: &Response| -> Vec<String> {
        let lines = answer.head.lines();
        let links = lines.filter_map(|line| line.strip_prefix("link: "));
        links.map(str::to_owned).collect()
    };
    let expected = [
        r#"<stun:stun.example.net>; rel="ice-server""#,
        concat!(
            r#"<turn:turn.example.net?transport=udp>; rel="ice-server"; "#,
            r#"username="user"; credential="pass"; credential-type="password""#
        ),
    ];
    let made = post(server.addr(), "/whip/live", FLOWS).await;
    assert_eq!(links(&made), expected);
    let made = post(server.addr(), "/whep/live", FLOWS).await;
    assert_eq!(links(&made), expected);
    let asked = request(server.addr(), "OPTIONS", "/whep/live", &[], &[]).await;
    assert_eq!(links(&asked), expected);
    // Not with a refusal, nor to a browser's preflight request.
    let refused = post(server.addr(), "/whip/live", FLOWS).await;
    assert_eq!((refused.status, links(&refused).len()), (409, 0));
    let headers = [("Access-Control-Request-Method", "POST")];
    let preflight = request(server.addr(), "OPTIONS", "/whep/live", &headers, &[]).await;
    assert_eq!((preflight.status, links(&preflight).len()), (200, 0));
    server.shutdown().await;
}

#[tokio::test]
async fn queries_that_ask_for_what_there_is_not() {
    let server = start(config()).await;
    let addr = server.addr();
    for query in ["transport=sctp", "playout-delay=5", "playout-delay=9-5"] {
        let answer = post(addr, &format!("/whip/live?{query}"), FLOWS).await;
        assert_eq!(problem(&answer), (400, "bad-query".into()), "{query}");
    }
    let made = post(addr, "/whip/live?transport=tcp&token=x", FLOWS).await;
    assert_eq!(made.status, 201);
    let made = post(addr, "/whep/live?playout-delay=0-100", FLOWS).await;
    assert_eq!(made.status, 201);
    server.shutdown().await;
}

#[tokio::test]
async fn bad_offers_are_told_and_counted() {
    let mut config = config();
    config.core.limits.sdp_bytes = 1_000;
    config.core.limits.sessions = 3;
    let server = start(config).await;
    let addr = server.addr();
    assert_eq!(post(addr, "/whip/live", FLOWS).await.status, 201);
    assert_eq!(post(addr, "/whip/early", ANSWERED).await.status, 201);
    let (large, long) = ("x".repeat(1_001), format!("/whip/{}", "x".repeat(256)));
    for (path, offer, status, kind, reason) in [
        ("/whep/nobody", FLOWS, 404, "no-such-stream", None),
        ("/whep/early", FLOWS, 409, "not-ready", None),
        ("/whip/live", FLOWS, 409, "name-in-use", None),
        ("/whep/live", ALIEN, 422, "no-common-codecs", None),
        ("/whip/b", GARBAGE, 400, "bad-offer", Some(Reason::BadSdp)),
        ("/whip/b", "", 400, "bad-offer", Some(Reason::BadSdp)),
        (
            "/whip/b",
            &large,
            413,
            "offer-too-large",
            Some(Reason::OversizedSdp),
        ),
        ("/whip", FLOWS, 400, "bad-name", Some(Reason::BadName)),
        ("/whep/", FLOWS, 400, "bad-name", Some(Reason::BadName)),
        (&long, FLOWS, 400, "bad-name", Some(Reason::BadName)),
        (
            "/whip/%ff",
            FLOWS,
            404,
            "no-such-path",
            Some(Reason::BadRequest),
        ),
        (
            "/whip/a/b/c",
            FLOWS,
            404,
            "no-such-path",
            Some(Reason::BadRequest),
        ),
    ] {
        let before = reason.map(|reason| server.counters().of(reason));
        let answer = post(addr, path, offer).await;
        assert_eq!(problem(&answer), (status, kind.into()), "{path} {offer}");
        if let (Some(reason), Some(before)) = (reason, before) {
            counted(&server, reason, before + 1).await;
        }
    }
    let not_ready = post(addr, "/whep/early", FLOWS).await;
    assert_eq!(not_ready.expect("retry-after"), "1");
    assert_eq!(post(addr, "/whip/third", FLOWS).await.status, 201);
    let full = post(addr, "/whip/fourth", FLOWS).await;
    assert_eq!(problem(&full), (503, "unavailable".into()));
    assert_eq!(full.expect("retry-after"), "1");
    counted(&server, Reason::TooManySessions, 1).await;
    server.shutdown().await;
}

#[tokio::test]
async fn bodies_that_are_no_sdp() {
    let mut config = config();
    config.head_timeout = std::time::Duration::from_millis(200);
    let server = start(config).await;
    let addr = server.addr();
    for kind in ["text/plain", "application/sdpx", "", "application/json"] {
        let headers = [("Content-Type", kind)];
        let answer = request(addr, "POST", "/whip/a", &headers, FLOWS.as_bytes()).await;
        assert_eq!(problem(&answer), (415, "unsupported-media-type".into()));
        assert_eq!(answer.expect("accept-post"), "application/sdp");
    }
    let headers = [
        ("Content-Type", "Application/SDP; charset=utf-8"),
        ("Authorization", "Bearer anything"),
    ];
    let taken = request(addr, "POST", "/whip/a", &headers, FLOWS.as_bytes()).await;
    assert_eq!(taken.status, 201);
    let garbled = request(addr, "POST", "/whip/b", SDP, b"v=0\xff\xfe").await;
    assert_eq!(problem(&garbled), (400, "bad-body".into()));
    // Half a body, and nothing more.
    let headers = [SDP[0], ("Content-Length", "100")];
    let stalled = request(addr, "POST", "/whip/b", &headers, &[]).await;
    assert_eq!(problem(&stalled), (408, "timeout".into()));
    counted(&server, Reason::BadRequest, 6).await;
    server.shutdown().await;
}

#[tokio::test]
async fn methods_that_are_none() {
    let server = start(config()).await;
    let made = post(server.addr(), "/whip/live", FLOWS).await;
    let resource = made.expect("location");
    for (path, allow, methods) in [
        (
            "/whip/live",
            "POST, OPTIONS",
            ["GET", "HEAD", "PUT", "DELETE", "PATCH"],
        ),
        (
            resource,
            "PATCH, DELETE, OPTIONS",
            ["GET", "HEAD", "PUT", "POST", "BREW"],
        ),
    ] {
        for method in methods {
            let answer = request(server.addr(), method, path, &[], &[]).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.expect("allow"), allow);
            if method != "HEAD" {
                assert_eq!(problem(&answer), (405, "method-not-allowed".into()));
            }
        }
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_page_from_anywhere_may_ask() {
    let server = start(config()).await;
    for (path, methods, accept, kind) in [
        (
            "/whip/live",
            "POST, OPTIONS",
            "accept-post",
            "application/sdp",
        ),
        (
            "/whep/live/some-id",
            "PATCH, DELETE, OPTIONS",
            "accept-patch",
            "application/trickle-ice-sdpfrag",
        ),
    ] {
        let headers = [
            ("Origin", "https://elsewhere.example"),
            ("Access-Control-Request-Method", "POST"),
            (
                "Access-Control-Request-Headers",
                "authorization,content-type",
            ),
        ];
        let answer = request(server.addr(), "OPTIONS", path, &headers, &[]).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        assert_eq!(answer.expect("access-control-allow-origin"), "*");
        assert_eq!(answer.expect("access-control-allow-methods"), methods);
        assert_eq!(answer.expect(accept), kind);
        let allowed = answer.expect("access-control-allow-headers");
        for header in ["Authorization", "Content-Type", "If-Match"] {
            assert!(allowed.contains(header), "{allowed}");
        }
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_request_that_is_given_up_frees_its_name() {
    let server = start(config()).await;
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    let head = format!(
        "POST /whip/live HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{SILENT}",
        SILENT.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let publishers = async || -> Value {
        let stats: Value =
            serde_json::from_str(get(server.addr(), "/api/stats").await.text()).unwrap();
        stats["publishers"].clone()
    };
    while publishers().await != 1 {}
    drop(stream);
    while publishers().await != 0 {}
    assert_eq!(post(server.addr(), "/whip/live", FLOWS).await.status, 201);
    server.shutdown().await;
}
