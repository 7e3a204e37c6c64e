//! Viewers whose picture outlives what happens to its publisher.

use std::net::SocketAddr;

use anyhow::Result;
use e2e::clients::KeptPublisher;
use e2e::{Spy, Stage, TcpRelay};

/// Frames that show that a picture goes on.
const SOME_FRAMES: u64 = 30;

#[tokio::test]
async fn a_publisher_that_resumes_is_not_missed() -> Result<()> {
    let stage = Stage::set().await?;
    let server: SocketAddr = stage.server.address()?;
    let relay = TcpRelay::start("127.0.0.1:0".parse()?, server)?;
    let spy = Spy::hide_in(&stage.browser).await?;
    let page = stage.connected().await?;
    let url = format!("ws://{}", relay.address());
    let publisher = KeptPublisher::start(&stage.browser, &url, "kept").await?;
    page.play("kept").await?;
    spy.note_texts("playStatus").await?;
    let peers = spy.peers().await?;

    relay.cut();
    publisher.wait_lost().await?;
    spy.wait_frames(SOME_FRAMES).await?;
    publisher.resume().await?;
    let playback = spy.wait_frames(SOME_FRAMES).await?;
    println!("resumed: {playback:?}");

    assert_eq!(spy.texts().await?, ["PLAYING"]);
    assert_eq!(spy.peers().await?, peers, "another peer connection");
    stage.clear().await
}
