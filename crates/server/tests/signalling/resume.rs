//! A session that comes back on another socket.

use std::net::SocketAddr;
use std::time::Duration;

use twoway_server::core;
use twoway_server::net;
use wire::{ClientMessage, Connection, ServerMessage};

use crate::client::{Client, config, play, publish, soon, start};

/// A client that asks to be kept, and the token it is given.
async fn connect_kept(addr: SocketAddr, token: Option<&str>) -> (Client, String) {
    let mut client = Client::open(addr, "/").await;
    let connection = Connection {
        keep_alive: Some(true),
        auth_token: token.map(Into::into),
        ..Connection::default()
    };
    client.send(&ClientMessage::Connection(connection)).await;
    let ServerMessage::UserData(data) = client.next().await else {
        panic!("no user data");
    };
    assert!(matches!(client.next().await, ServerMessage::Version(_)));
    (client, data.auth_token.unwrap())
}

#[tokio::test]
async fn a_lost_socket_keeps_streams_and_viewers() {
    let server = start(config()).await;
    let addr = server.addr();
    let (mut publisher, token) = connect_kept(addr, None).await;
    publisher.send(&publish("p", "live")).await;
    assert_eq!(publisher.status().await, "p PUBLISHING");
    let mut viewer = Client::connect(addr).await;
    viewer.send(&play("v", "live")).await;
    assert_eq!(viewer.status().await, "v PLAYING");
    // Without a close frame, as when a network is gone.
    drop(publisher);
    let (mut back, same) = connect_kept(addr, Some(&token)).await;
    assert_eq!(same, token);
    assert_eq!(back.status().await, "p PUBLISHING");
    // Its viewer is still there, and what it asks for reaches it.
    viewer.send(&play("w", "live")).await;
    assert_eq!(viewer.status().await, "w PLAYING");
    back.send(&ClientMessage::UnPublishStream(wire::StopStream {
        media_session_id: Some(wire::MediaSessionId::new("p")),
        ..wire::StopStream::default()
    }))
    .await;
    assert_eq!(back.status().await, "p UNPUBLISHED Stopped by user");
    assert_eq!(viewer.status().await, "v FAILED Stopped by publisher stop");
}

#[tokio::test]
async fn a_live_socket_is_closed_when_its_session_goes_on_elsewhere() {
    let server = start(config()).await;
    let (mut first, token) = connect_kept(server.addr(), None).await;
    first.send(&publish("p", "live")).await;
    assert_eq!(first.status().await, "p PUBLISHING");
    let (mut second, _) = connect_kept(server.addr(), Some(&token)).await;
    assert_eq!(first.close_code().await, 1008);
    assert_eq!(second.status().await, "p PUBLISHING");
    second.assert_untouched("live").await;
}

#[tokio::test]
async fn who_does_not_come_back_is_not_waited_for_longer() {
    let server = start(net::Config {
        core: core::Config {
            resume_time: Duration::from_millis(50),
            ..core::Config::default()
        },
        ..config()
    })
    .await;
    let (mut publisher, _) = connect_kept(server.addr(), None).await;
    publisher.send(&publish("p", "live")).await;
    assert_eq!(publisher.status().await, "p PUBLISHING");
    let mut viewer = Client::connect(server.addr()).await;
    viewer.send(&play("v", "live")).await;
    assert_eq!(viewer.status().await, "v PLAYING");
    drop(publisher);
    let told = soon(viewer.status()).await;
    assert_eq!(told, "v FAILED Stopped by publisher stop");
}

#[tokio::test]
async fn no_token_tells_another() {
    let server = start(config()).await;
    let mut secrets = Vec::new();
    for _ in 0..2 {
        let (_, token) = connect_kept(server.addr(), None).await;
        let (_, secret) = token.rsplit_once('/').unwrap();
        assert_eq!(secret.len(), 32);
        secrets.push(secret.to_owned());
    }
    assert_ne!(secrets[0], secrets[1]);
}
