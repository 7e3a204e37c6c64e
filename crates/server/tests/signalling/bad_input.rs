//! Bad input ends at most the session that sent it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use twoway_server::counters::Reason;

use crate::client::{Client, config, counted, publish, soon, start};

#[tokio::test]
async fn broken_json_is_told_and_counted() {
    let server = start(config()).await;
    let mut bystander = Client::publishing(server.addr(), "live").await;
    let mut client = Client::connect(server.addr()).await;
    client.send_frame(Message::text("{\"message\":")).await;
    assert!(
        client
            .failure()
            .await
            .starts_with("not a signalling message")
    );
    counted(&server, Reason::BadMessage, 1).await;
    client.send(&publish("p2", "other")).await;
    assert_eq!(client.status().await, "p2 PUBLISHING");
    bystander.assert_untouched("live").await;
    server.shutdown().await;
}

#[tokio::test]
async fn unknown_messages_are_told_and_counted() {
    let server = start(config()).await;
    let mut client = Client::connect(server.addr()).await;
    client
        .send_frame(Message::text(r#"{"message":"odd","data":[{}]}"#))
        .await;
    assert_eq!(client.failure().await, "Unknown message");
    counted(&server, Reason::UnknownMessage, 1).await;
    server.shutdown().await;
}

#[tokio::test]
async fn ten_megabytes_close_the_socket() {
    let server = start(config()).await;
    let mut bystander = Client::publishing(server.addr(), "live").await;
    let client = Client::connect(server.addr()).await;
    let (mut sink, mut stream) = client.into_socket().split();
    // The server stops reading: the send need not succeed.
    let sending = tokio::spawn(async move {
        let _ = sink.send(Message::text("x".repeat(10_000_000))).await;
    });
    let code = soon(async {
        while let Some(Ok(frame)) = stream.next().await {
            if let Message::Close(Some(close)) = frame {
                return Some(u16::from(close.code));
            }
        }
        None
    });
    assert_eq!(code.await, Some(1009));
    soon(sending).await.unwrap();
    counted(&server, Reason::OversizedMessage, 1).await;
    bystander.assert_untouched("live").await;
    server.shutdown().await;
}

#[tokio::test]
async fn binary_messages_are_ignored() {
    let server = start(config()).await;
    let mut client = Client::publishing(server.addr(), "live").await;
    client.send_frame(Message::binary(vec![0_u8; 1000])).await;
    counted(&server, Reason::BinaryFrame, 1).await;
    client.assert_untouched("live").await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_silent_client_is_closed() {
    let mut config = config();
    config.core.connection_timeout = Duration::from_millis(50);
    let server = start(config).await;
    let mut bystander = Client::publishing(server.addr(), "live").await;
    let mut silent = Client::open(server.addr(), "/").await;
    assert_eq!(silent.close_code().await, 1008);
    counted(&server, Reason::SilentClient, 1).await;
    bystander.assert_untouched("live").await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_that_does_not_pong_is_closed() {
    let mut config = config();
    config.core.ping_interval = Duration::from_millis(5);
    let server = start(config).await;
    let mut client = Client::connect(server.addr()).await;
    assert_eq!(client.close_code().await, 1008);
    counted(&server, Reason::DeadClient, 1).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped() {
    let mut config = config();
    config.core.limits.messages_per_second = u32::MAX;
    let server = start(config).await;
    let mut bystander = Client::publishing(server.addr(), "live").await;
    let lazy = Client::connect(server.addr()).await;
    let (mut sink, stream) = lazy.into_socket().split();
    // Every question gets an answer that is never read.
    let asking = tokio::spawn(async move {
        let padding = "x".repeat(200);
        let question =
            format!(r#"{{"message":"sendData","data":[{{"operationId":"{padding}"}}]}}"#);
        while sink.send(Message::text(question.as_str())).await.is_ok() {}
    });
    counted(&server, Reason::SlowClient, 1).await;
    soon(asking).await.unwrap();
    drop(stream);
    bystander.assert_untouched("live").await;
    server.shutdown().await;
}

#[tokio::test]
async fn two_publishers_of_one_name() {
    let mut config = config();
    // The second asks again and again.
    config.core.limits.messages_per_second = u32::MAX;
    let server = start(config).await;
    let mut first = Client::publishing(server.addr(), "live").await;
    let mut second = Client::connect(server.addr()).await;
    second.send(&publish("p2", "live")).await;
    let refusal = "p2 FAILED Stream name is already in use";
    assert_eq!(second.status().await, refusal);
    first.assert_untouched("live").await;
    drop(first);
    // Free as soon as the first is gone.
    let publishing = async {
        loop {
            second.send(&publish("p3", "live")).await;
            if second.status().await == "p3 PUBLISHING" {
                break;
            }
        }
    };
    soon(publishing).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_full_server_says_try_again() {
    let mut config = config();
    config.core.limits.sessions = 1;
    let server = start(config).await;
    let mut first = Client::publishing(server.addr(), "live").await;
    let mut second = Client::open(server.addr(), "/").await;
    assert_eq!(second.close_code().await, 1013);
    counted(&server, Reason::TooManySessions, 1).await;
    first.assert_untouched("live").await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let mut config = config();
    config.head_timeout = Duration::from_millis(50);
    let server = start(config).await;
    let mut silent = TcpStream::connect(server.addr()).await.unwrap();
    let mut rest = Vec::new();
    soon(silent.read_to_end(&mut rest)).await.unwrap();
    server.shutdown().await;
}
