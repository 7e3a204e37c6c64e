//! Other rules while the server runs: what goes on goes on, what is asked for from then
//! on goes by them.

use std::sync::Arc;

use twoway_server::access::{Denied, Origins};
use twoway_server::net::Live;

use crate::client::{Client, play};
use crate::who::{
    PUBLISHER, TOKENS, VIEWER, by_tokens, connect, connection, plays, post, publishes, restricted,
    serve, with_token,
};

#[tokio::test]
async fn tokens_come_and_go_and_streams_stay() {
    let server = serve(by_tokens(TOKENS)).await;
    let addr = server.addr();
    let mut publisher = connect(addr, Some(PUBLISHER)).await;
    assert_eq!(publishes(&mut publisher, "cam-1").await, "cam-1 PUBLISHING");
    let mut viewer = connect(addr, Some(VIEWER)).await;
    assert_eq!(plays(&mut viewer, "v", "cam-1").await, "v PLAYING");

    server.reload(Arc::new(by_tokens("play cam-* token-of-the-new-kind\n")));
    // What a session has shown is worth what it is worth now.
    let refused = restricted("cam-2", Denied::BadToken);
    assert_eq!(publishes(&mut publisher, "cam-2").await, refused);
    let refused = post(addr, "/whip/cam-2", Some(PUBLISHER)).await;
    assert_eq!(refused.status, 401);
    let shown = with_token(play("w", "cam-1"), "token-of-the-new-kind");
    viewer.send(&shown).await;
    assert_eq!(
        viewer.status().await,
        "w PLAYING",
        "the publisher is still there"
    );
    server.shutdown().await;
}

#[tokio::test]
async fn a_token_shown_while_none_was_needed_counts_later() {
    let server = serve(Live::default()).await;
    let mut client = connect(server.addr(), Some(PUBLISHER)).await;
    assert_eq!(publishes(&mut client, "dog-1").await, "dog-1 PUBLISHING");
    server.reload(Arc::new(by_tokens(TOKENS)));
    assert_eq!(publishes(&mut client, "cam-1").await, "cam-1 PUBLISHING");
    let refused = restricted("dog-2", Denied::NotAllowed);
    assert_eq!(publishes(&mut client, "dog-2").await, refused);
    server.shutdown().await;
}

#[tokio::test]
async fn origins_change_too() {
    let server = serve(Live::default()).await;
    let origin = [("origin", "https://example.org")];
    let open = async || Client::open_with(server.addr(), "/", &origin).await;
    let mut before = open().await.unwrap();
    let only = "https://other.example".parse().unwrap();
    server.reload(Arc::new(Live {
        origins: Origins::new(vec![only]),
        ..Live::default()
    }));
    assert_eq!(open().await.err(), Some(403));
    before.send(&connection(None)).await;
    assert_eq!(publishes(&mut before, "live").await, "live PUBLISHING");
    server.shutdown().await;
}
