//! WHIP and WHEP clients by other people, with each other and with ours.

use anyhow::Result;
use e2e::{Aiortc, Browser, ClientPage, Endpoint, Publisher, Server, Stage};
use serde_json::json;

/// Frames after which a stream counts as playing, and how many of them must
/// differ where the picture moves.
const FRAMES: u64 = 50;
const DIFFERENT: u64 = 10;

#[tokio::test]
async fn aiortc_plays_what_aiortc_publishes() -> Result<()> {
    let server = Server::start()?;
    let player = Aiortc::start(Endpoint::Whep, &server, "live")?;
    let publisher = Aiortc::start(Endpoint::Whip, &server, "live")?;
    publisher.wait_connected()?;
    player.wait_frames("video", FRAMES, DIFFERENT)?;
    player.wait_frames("audio", FRAMES, 1)?;
    publisher.stop()?;
    player.wait_ended()?;
    Ok(())
}

#[tokio::test]
async fn aiortc_plays_what_web_call_server_signalling_publishes() -> Result<()> {
    let server = Server::start()?;
    let _publisher = Publisher::start(&server, "native")?;
    let player = Aiortc::start(Endpoint::Whep, &server, "native")?;
    player.wait_frames("video", FRAMES, DIFFERENT)?;
    player.wait_frames("audio", FRAMES, DIFFERENT)?;
    player.stop()
}

#[tokio::test]
async fn the_page_plays_what_aiortc_publishes() -> Result<()> {
    let stage = Stage::set().await?;
    let publisher = Aiortc::start(Endpoint::Whip, &stage.server, "python")?;
    publisher.wait_connected()?;
    let page = stage.connected().await?;
    page.play("python").await?;
    publisher.stop()?;
    page.wait_text("playStatus", "FAILED").await?;
    stage.clear().await
}

/// The draft's author's own client, from another origin, with a token that the
/// browser asks no leave for with one; through an ICE restart of both sides.
#[tokio::test]
async fn whip_whep_of_npm_publishes_plays_and_restarts() -> Result<()> {
    // It can put no more than one candidate into what it makes of a restart.
    let server = Server::start_with(&["--public-address", "127.0.0.1", "--media", "udp"])?;
    let stage = Stage::set_with(server, Browser::start()).await?;
    let page = ClientPage::open(&stage.browser).await?;
    let whip = Endpoint::Whip.url(&stage.server, "npm");
    let whep = Endpoint::Whep.url(&stage.server, "npm");
    page.call("whipWhepPublish", &whip).await?;
    page.wait_status(&whep, 201).await?;
    page.call("whipWhepPlay", &whep).await?;
    page.wait_moving().await?;
    for _ in 0..2 {
        page.call("whipWhepRestart", "").await?;
        page.wait_moving().await?;
    }
    page.call("whipWhepStop", "").await?;
    assert_eq!(page.errors().await?, json!([]));
    page.wait_status(&whep, 404).await?;
    drop(page);
    stage.clear().await
}

#[tokio::test]
async fn eyevinn_of_npm_publishes_and_plays() -> Result<()> {
    let server = Server::start_with(&["--ice-server", "stun:127.0.0.1:9"])?;
    let stage = Stage::set_with(server, Browser::start()).await?;
    let page = ClientPage::open(&stage.browser).await?;
    let whip = Endpoint::Whip.url(&stage.server, "eyevinn");
    let whep = Endpoint::Whep.url(&stage.server, "eyevinn");
    page.call("eyevinnPublish", &whip).await?;
    page.wait_status(&whep, 201).await?;
    page.call("eyevinnPlay", &whep).await?;
    page.wait_moving().await?;
    page.call("eyevinnStop", "").await?;
    assert_eq!(page.errors().await?, json!([]));
    page.wait_status(&whep, 404).await?;
    drop(page);
    stage.clear().await
}
