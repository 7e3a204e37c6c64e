//! Pages of which origins may use the server.

use std::net::SocketAddr;

use twoway_server::access::Origins;
use twoway_server::counters::Reason;
use twoway_server::net::Live;

use crate::client::{Client, counted};
use crate::fake_backend::FLOWS;
use crate::web::{Response, request};
use crate::who::serve;

const OWN: &str = "https://example.org";
const FOREIGN: &str = "https://evil.example";

fn listed() -> Live {
    Live {
        origins: Origins::new(vec![OWN.parse().unwrap()]),
        ..Live::default()
    }
}

async fn ask(addr: SocketAddr, method: &str, origin: Option<&str>) -> Response {
    let mut headers = vec![("Content-Type", "application/sdp")];
    headers.extend(origin.map(|origin| ("Origin", origin)));
    if method == "OPTIONS" {
        headers.push(("Access-Control-Request-Method", "POST"));
    }
    request(addr, method, "/whip/live", &headers, FLOWS.as_bytes()).await
}

#[tokio::test]
async fn only_pages_from_there_get_in() {
    let server = serve(listed()).await;
    let addr = server.addr();
    let open = async |origin: &[_]| Client::open_with(addr, "/", origin).await.err();
    assert_eq!(open(&[("origin", OWN)]).await, None);
    assert_eq!(open(&[]).await, None, "no page at all");
    assert_eq!(open(&[("origin", FOREIGN)]).await, Some(403));
    assert_eq!(open(&[("origin", "null")]).await, Some(403));
    let preflight = ask(addr, "OPTIONS", Some(OWN)).await;
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.expect("access-control-allow-origin"), OWN);
    assert_eq!(preflight.expect("vary"), "Origin");
    for method in ["OPTIONS", "POST"] {
        let refused = ask(addr, method, Some(FOREIGN)).await;
        assert_eq!(refused.status, 403, "{method}");
        assert_eq!(refused.header("access-control-allow-origin"), None);
    }
    let made = ask(addr, "POST", Some(OWN)).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.expect("access-control-allow-origin"), OWN);
    // Not a page, or one that the browser says nothing of.
    let taken = ask(addr, "POST", None).await;
    assert_eq!(taken.status, 409);
    assert_eq!(taken.header("access-control-allow-origin"), None);
    counted(&server, Reason::ForeignOrigin, 4).await;
    server.shutdown().await;
}

#[tokio::test]
async fn without_a_list_all_pages_do() {
    let server = serve(Live::default()).await;
    let opened = Client::open_with(server.addr(), "/", &[("origin", FOREIGN)]).await;
    assert!(opened.is_ok());
    let made = ask(server.addr(), "POST", Some(FOREIGN)).await;
    assert_eq!(
        (made.status, made.expect("access-control-allow-origin")),
        (201, "*")
    );
    server.shutdown().await;
}
