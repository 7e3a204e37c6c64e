//! What is not a call, or not as a call must be: a clear answer, and nothing is done.

use std::time::Duration;

use serde_json::{Value, json};
use twoway_server::counters::Reason;

use crate::client::{Client, config, counted, start};
use crate::described::post;
use crate::web::{exchange, get, request};

#[tokio::test]
async fn bodies_that_are_not_what_a_call_takes_end_nothing() {
    let server = start(config()).await;
    let mut client = Client::publishing(server.addr(), "live").await;
    let bad = [
        ("/stream/terminate", json!({})),
        ("/stream/terminate", json!({ "published": true })),
        ("/stream/terminate", json!({ "nmae": "live" })),
        ("/stream/terminate", json!({ "name": ["live"] })),
        (
            "/stream/terminate",
            json!({ "name": "live", "status": "playing" }),
        ),
        ("/stream/terminate", json!([])),
        ("/stream/find", json!({ "display": ["everything"] })),
        ("/stream/snapshot", json!({})),
        ("/stream/event/send", json!({ "payload": 1 })),
        ("/stream/event/send", json!({ "streamName": "live" })),
        ("/connection/find", json!({ "custom": {} })),
        ("/connection/terminate", json!({ "sessionId": null })),
        ("/data/send", json!({ "payload": 1 })),
        (
            "/data/send",
            json!({ "sessionId": "s", "operationId": "o".repeat(256) }),
        ),
    ];
    for (path, body) in &bad {
        let (status, answer) = post(server.addr(), path, body.clone()).await;
        assert_eq!(status, 400, "{path} {body}");
        assert!(!answer["message"].as_str().unwrap().is_empty());
    }
    counted(&server, Reason::BadRequest, bad.len() as u64).await;
    let (_, answer) = post(
        server.addr(),
        "/stream/terminate",
        json!({ "nmae": "live" }),
    )
    .await;
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.contains("`nmae`") && message.contains("`name`"),
        "{message}"
    );
    client.assert_untouched("live").await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_page_of_elsewhere_cannot_bring_a_body() {
    let server = start(config()).await;
    let mut client = Client::publishing(server.addr(), "live").await;
    let body = br#"{"name":"live"}"#;
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let headers = [("Content-Type", kind)];
        let path = "/rest-api/stream/terminate";
        let response = request(server.addr(), "POST", path, &headers, body).await;
        assert_eq!(response.status, 415, "{kind}");
    }
    client.assert_untouched("live").await;
    server.shutdown().await;
}

#[tokio::test]
async fn what_there_is_not_is_told() {
    let server = start(config()).await;
    for (path, status, word) in [
        ("/rest-api", 404, "openapi.json"),
        ("/rest-api/", 404, "openapi.json"),
        ("/rest-api/stream/fnd", 404, "openapi.json"),
        ("/rest-api/push/startup", 501, "/push"),
        ("/rest-api/pull/find_all", 501, "/pull"),
        ("/rest-api/mixer/find_all", 501, "/mixer"),
    ] {
        let response = get(server.addr(), path).await;
        let answer: Value = serde_json::from_str(response.text()).unwrap();
        assert_eq!(response.status, status, "{path}");
        assert_eq!(
            (&answer["status"], &answer["path"]),
            (&json!(status), &json!(path))
        );
        assert!(
            answer["message"].as_str().unwrap().contains(word),
            "{answer}"
        );
    }
    for path in ["/stream/startRecording", "/stream/stopRecording"] {
        let body = json!({ "mediaSessionId": "p" });
        let headers = [("Content-Type", "application/json")];
        let (full, text) = (format!("/rest-api{path}"), body.to_string());
        let response = request(server.addr(), "POST", &full, &headers, text.as_bytes()).await;
        assert_eq!(response.status, 501);
        assert!(
            response.text().contains("does not record"),
            "{}",
            response.text()
        );
    }
    server.shutdown().await;
}

#[tokio::test]
async fn bodies_have_a_limit_and_a_time() {
    let mut config = config();
    config.head_timeout = Duration::from_millis(100);
    let server = start(config).await;
    let large = json!({ "name": "x".repeat(70 << 10) });
    assert_eq!(post(server.addr(), "/stream/find", large).await.0, 413);
    let unfinished = format!(
        "POST /rest-api/stream/find HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{{",
        server.addr()
    );
    let response = exchange(server.addr(), unfinished.as_bytes()).await;
    assert_eq!(response.status, 408);
    server.shutdown().await;
}
