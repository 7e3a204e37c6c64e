//! Who may: each call and each page, with and without the right.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use twoway_server::access::Access;
use twoway_server::access::tokens::Tokens;
use twoway_server::counters::Reason;
use twoway_server::net::{Live, Running};

use crate::client::{Client, config, start};
use crate::described::description;
use crate::web::{Response, request};

const OPERATOR: &str = "token-of-the-operator";
const VIEWER: &str = "token-of-a-viewer";

/// Everything that is for operators: methods and paths.
fn doors() -> Vec<(String, String)> {
    let mut doors = vec![
        ("GET".to_owned(), "/status".to_owned()),
        ("GET".to_owned(), "/status/status.js".to_owned()),
        ("GET".to_owned(), "/?action=stat".to_owned()),
        ("POST".to_owned(), "/rest-api/unknown".to_owned()),
    ];
    for (path, methods) in description()["paths"].as_object().unwrap() {
        let methods = methods.as_object().unwrap().keys();
        doors.extend(methods.map(|method| (method.to_uppercase(), format!("/rest-api{path}"))));
    }
    doors
}

async fn knock(server: &Running, (method, path): &(String, String), shown: &str) -> Response {
    let headers = [("Authorization", shown)];
    let headers = if shown.is_empty() { &[][..] } else { &headers };
    request(server.addr(), method, path, headers, &[]).await
}

async fn controlled() -> Running {
    let tokens = format!("admin - {OPERATOR}\nplay * {VIEWER}\n");
    let mut config = config();
    config.live = Arc::new(Live {
        access: Access {
            tokens: Some(Tokens::parse(&tokens).unwrap()),
            ..Access::default()
        },
        ..Live::default()
    });
    start(config).await
}

#[tokio::test]
async fn only_who_may_administer_comes_in_by_any_door() {
    let server = controlled().await;
    let basic = |token: &str| format!("Basic {}", BASE64_STANDARD.encode(format!("a:{token}")));
    let doors = doors();
    for door in &doors {
        for (shown, refused) in [
            (String::new(), 401),
            (format!("Bearer {VIEWER}"), 403),
            ("Bearer forged".to_owned(), 401),
            (basic("forged"), 401),
        ] {
            let response = knock(&server, door, &shown).await;
            assert_eq!(response.status, refused, "{door:?} {shown}");
            assert_eq!(
                response.header("www-authenticate").is_some(),
                refused == 401
            );
        }
        for shown in [format!("Bearer {OPERATOR}"), basic(OPERATOR)] {
            let status = knock(&server, door, &shown).await.status;
            assert!(!matches!(status, 401 | 403), "{door:?} {status}");
        }
    }
    let refused = server.counters().of(Reason::NotAllowed);
    assert_eq!(refused, 4 * doors.len() as u64);
    server.shutdown().await;
}

#[tokio::test]
async fn a_page_of_elsewhere_sees_nothing_of_an_open_server() {
    let server = start(config()).await;
    let _client = Client::publishing(server.addr(), "live").await;
    let own = format!("http://{}", server.addr());
    for (origin, expected) in [("http://elsewhere.example", 403), (own.as_str(), 200)] {
        let headers = [("Origin", origin)];
        for path in ["/rest-api/stream/find_all", "/status", "/?action=stat"] {
            let response = request(server.addr(), "GET", path, &headers, &[]).await;
            assert_eq!(response.status, expected, "{path} from {origin}");
        }
    }
    server.shutdown().await;
}
