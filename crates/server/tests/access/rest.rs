//! What is for operators only, over HTTP.

use twoway_server::access::Denied::{self, BadToken, NoToken, NotAllowed};
use twoway_server::counters::Reason;

use crate::client::counted;
use crate::web::{Response, request};
use crate::who::{OPERATOR, PUBLISHER, TOKENS, VIEWER, by_tokens, connect, publishes, serve};

/// Lists and pages, each with its method.
const DOORS: [(&str, &str); 4] = [
    ("POST", "/rest-api/stream/find_all"),
    ("POST", "/rest-api/connection/find_all"),
    ("GET", "/rest-api/openapi.json"),
    ("GET", "/?action=stat"),
];

#[track_caller]
fn check(answer: &Response, allowed: Result<(), Denied>) {
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    let (status, error) = match allowed {
        Ok(()) => (200, ""),
        Err(NoToken) => (401, "Bearer"),
        Err(NotAllowed) => (403, "error=\"insufficient_scope\""),
        Err(_) => (401, "error=\"invalid_token\""),
    };
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(challenge.contains(error), "{challenge}");
}

#[tokio::test]
async fn only_operators_list_and_see() {
    let server = serve(by_tokens(TOKENS)).await;
    let addr = server.addr();
    let mut publisher = connect(addr, Some(PUBLISHER)).await;
    assert_eq!(publishes(&mut publisher, "cam-1").await, "cam-1 PUBLISHING");
    for (method, path) in DOORS {
        for (token, allowed) in [
            (None, Err(NoToken)),
            (Some("forged"), Err(BadToken)),
            (Some(PUBLISHER), Err(NotAllowed)),
            (Some(VIEWER), Err(NotAllowed)),
            (Some(OPERATOR), Ok(())),
        ] {
            let bearer = token.map(|token| format!("Bearer {token}"));
            let mut headers = vec![("Content-Type", "application/json")];
            headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
            let answer = request(addr, method, path, &headers, b"").await;
            check(&answer, allowed);
        }
    }
    counted(&server, Reason::NoToken, 4).await;
    counted(&server, Reason::BadToken, 4).await;
    counted(&server, Reason::NotAllowed, 8).await;
    server.shutdown().await;
}
