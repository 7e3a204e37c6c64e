//! `restClientConfig`: what an application asks for when a session connects.

use serde_json::{Value, json};
use twoway_server::counters::Reason;

use crate::application::{Answer, Application};
use crate::client::{Client, play, start};
use crate::{config, offer};

async fn asking_for(method: &str, policy: Value) -> Application {
    let application = Application::start().await;
    let said = json!({ "restClientConfig": { method: policy } });
    application.answer("connect", Answer::Json(said));
    application
}

#[tokio::test]
async fn a_refusal_that_is_only_to_be_logged_refuses_nothing() {
    let application = asking_for("playStream", json!({ "restOnError": "LOG" })).await;
    let server = start(config(&application.url, |_| {})).await;
    let mut client = Client::publishing(server.addr(), "live").await;
    for status in [403, 302] {
        application.answer("playStream", Answer::Status(status));
        let id = format!("v{status}");
        client.send(&play(&id, "live")).await;
        assert_eq!(client.status().await, format!("{id} PLAYING"));
    }
    assert_eq!(server.counters().of(Reason::HookRefused), 0);
    // Whoever has no session has asked for nothing.
    application.answer("playStream", Answer::Status(403));
    assert_eq!(offer(server.addr(), "/whep/live").await.status, 403);
    server.shutdown().await;
}

#[tokio::test]
async fn a_failure_that_is_to_refuse_refuses_whatever_is_set() {
    let application = asking_for("playStream", json!({ "restOnError": "FAIL" })).await;
    let server = start(config(&application.url, |hooks| {
        hooks.on_error = twoway_server::hooks::OnError::Allow;
    }))
    .await;
    application.answer("playStream", Answer::Status(204));
    let mut client = Client::publishing(server.addr(), "live").await;
    client.send(&play("v", "live")).await;
    let status = client.status().await;
    assert!(status.starts_with("v FAILED Restricted access"), "{status}");
    server.shutdown().await;
}

#[tokio::test]
async fn what_is_not_to_be_sent_is_not_sent() {
    let mut application = Application::start().await;
    let said = json!({ "restClientConfig": {
        "publishStream": { "restPolicy": "DISABLE", "restOnError": "FAIL" },
        "playStream": { "restExclude": "sdp,custom , status", "restPolicy": "OVERWRITE" },
        "StreamStatusEvent": { "restPolicy": "DISABLE" },
        "ConnectionStatusEvent": { "restExclude": "nodeId" },
    } });
    application.answer("connect", Answer::Json(said));
    let server = start(config(&application.url, |_| {})).await;
    let mut client = Client::publishing(server.addr(), "live").await;
    client.assert_untouched("live").await;
    drop(client);
    loop {
        let call = application.call().await;
        match call.method() {
            "connect" => assert!(call.body.get("nodeId").is_some()),
            "playStream" => {
                for absent in ["sdp", "custom", "status"] {
                    assert_eq!(call.body.get(absent), None, "{absent}");
                }
                assert_eq!(call.body["name"], "live");
            }
            "ConnectionStatusEvent" => {
                assert_eq!(call.body.get("nodeId"), None);
                if call.body["status"] == "DISCONNECTED" {
                    break;
                }
            }
            other => panic!("{other}"),
        }
    }
    server.shutdown().await;
}
