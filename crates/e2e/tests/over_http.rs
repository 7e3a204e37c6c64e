//! The page over WHIP and WHEP, beside signalling, on the same stream names.

use anyhow::Result;
use e2e::{Signalling, Stage};

#[tokio::test]
async fn a_camera_published_by_whip_plays_by_whep_and_by_signalling() -> Result<()> {
    let stage = Stage::set().await?;
    let publishing = stage.connected_by(Signalling::WhipWhep).await?;
    publishing.publish("camera").await?;
    publishing.play("camera").await?;
    let first_tab = stage.browser.client().window().await?;

    stage.browser.new_tab().await?;
    let playing = stage.connected().await?;
    playing.play("camera").await?;

    stage.browser.client().switch_to_window(first_tab).await?;
    publishing.click("publishBtn").await?;
    publishing.wait_text("publishStatus", "UNPUBLISHED").await?;
    // The WHEP viewer is told by its transport only.
    publishing.wait_text("playStatus", "FAILED").await?;
    publishing.click("playBtn").await?;
    publishing.wait_text("playStatus", "STOPPED").await?;
    publishing.click("connectBtn").await?;
    publishing
        .wait_text("connectStatus", "DISCONNECTED")
        .await?;
    stage.clear().await
}

#[tokio::test]
async fn a_stream_that_starts_later_plays_by_whep() -> Result<()> {
    let stage = Stage::set().await?;
    let page = stage.connected_by(Signalling::WhipWhep).await?;
    page.fill("playStream", "later").await?;
    page.click("playBtn").await?;
    page.wait_text("playStatus", "FAILED").await?;
    page.wait_text("playInfo", "Actual session does not exist")
        .await?;
    page.wait_text("playNotice", "Waiting for the stream to start.")
        .await?;

    let publisher = stage.publisher("later")?;
    page.wait_text("playStatus", "PLAYING").await?;
    page.wait_moving("remoteVideo").await?;

    assert_eq!(publisher.terminate()?, Some(0), "the publisher's exit code");
    page.wait_text("playStatus", "FAILED").await?;
    let _publisher = stage.publisher("later")?;
    page.wait_text("playStatus", "PLAYING").await?;
    page.wait_moving("remoteVideo").await?;
    stage.clear().await
}
