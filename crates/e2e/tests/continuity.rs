//! Viewers whose picture outlives what happens to its publisher.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use e2e::handmade::{KeptPublisher, Layers, publish_by_whip, wait_unavailable};
use e2e::{Browser, Publisher, Server, Spy, Stage, TcpRelay};

/// Remembers the played stream, to tell the next one from it.
const REMEMBER: &str = "window.before = document.querySelector('#remoteVideo video').srcObject";

/// Another stream is played now than the one remembered.
const REPLACED: &str =
    "return document.querySelector('#remoteVideo video')?.srcObject !== window.before";

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

#[tokio::test]
async fn viewers_keep_their_last_picture_and_go_on_with_the_next_publisher() -> Result<()> {
    let server = Server::start_with(&["--hold-seconds", "60"])?;
    let stage = Stage::set_with(server, Browser::start()).await?;
    let Stage {
        server, browser, ..
    } = &stage;
    let publisher = stage.publisher("held")?;
    let spy = Spy::hide_in(browser).await?;
    let page = stage.connected().await?;
    page.play("held").await?;
    spy.note_texts("playStatus").await?;
    let played = times_played(&spy).await?;
    browser.run(REMEMBER, vec![]).await?;

    publisher.kill();
    wait_unavailable(browser, server, "held").await?;
    let last = page.shown().await?.context("the last picture")?;
    let publisher = Publisher::start_with(server, "held", &["--size", "640x360"])?;
    spy.wait_playback("now.frameHeight === 360").await?;
    spy.wait_frames(SOME_FRAMES).await?;
    let next = page
        .shown()
        .await?
        .context("the next publisher's picture")?;
    assert!(next.capture_ms > last.capture_ms, "{next:?} after {last:?}");

    publisher.kill();
    wait_unavailable(browser, server, "held").await?;
    publish_by_whip(browser, server, "held", "video/VP8", Layers::One).await?;
    spy.wait_playback("now.codec === 'video/VP8'").await?;
    let playback = spy.wait_frames(SOME_FRAMES).await?;
    println!("after two splices: {playback:?}");

    assert_eq!(spy.texts().await?, ["PLAYING"]);
    assert_eq!(times_played(&spy).await?, played, "played anew");
    let replaced = browser.run(REPLACED, vec![]).await?;
    assert_eq!(replaced, false, "another stream in the page");
    stage.clear().await
}

/// How many times the page has asked to play.
async fn times_played(spy: &Spy<'_>) -> Result<usize> {
    let sent = spy.sent().await?;
    Ok(sent.iter().filter(|name| *name == "playStream").count())
}
