//! The page over WHIP and WHEP, beside signalling, on the same stream names.

use anyhow::Result;
use e2e::{Browser, Publisher, Server, TwoWayPage, turn};

async fn connected_by_http<'b>(browser: &'b Browser, server: &Server) -> Result<TwoWayPage<'b>> {
    let page = TwoWayPage::open(browser, server).await?;
    page.wait_there("#token", false).await?;
    page.fill("urlServer", server.url()).await?;
    page.wait_there("#token", true).await?;
    page.click("connectBtn").await?;
    page.wait_text("connectStatus", "ESTABLISHED").await?;
    Ok(page)
}

#[tokio::test]
async fn a_camera_published_by_whip_plays_by_whep_and_by_signalling() -> Result<()> {
    let _turn = turn().await;
    let server = Server::start()?;
    let browser = Browser::start().await?;
    let publishing = connected_by_http(&browser, &server).await?;
    publishing.publish("camera").await?;
    publishing.play("camera").await?;
    let first_tab = browser.client().window().await?;

    browser.new_tab().await?;
    let playing = TwoWayPage::open_connected(&browser, &server).await?;
    playing.play("camera").await?;

    browser.client().switch_to_window(first_tab).await?;
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
    browser.close().await
}

#[tokio::test]
async fn a_stream_that_starts_later_plays_by_whep() -> Result<()> {
    let _turn = turn().await;
    let server = Server::start()?;
    let browser = Browser::start().await?;
    let page = connected_by_http(&browser, &server).await?;
    page.fill("playStream", "later").await?;
    page.click("playBtn").await?;
    page.wait_text("playStatus", "FAILED").await?;
    page.wait_text("playInfo", "Actual session does not exist")
        .await?;
    page.wait_text("playNotice", "Waiting for the stream to start.")
        .await?;

    let publisher = Publisher::start(&server, "later")?;
    page.wait_text("playStatus", "PLAYING").await?;
    page.wait_moving("remoteVideo").await?;

    assert_eq!(publisher.terminate()?, Some(0), "the publisher's exit code");
    page.wait_text("playStatus", "FAILED").await?;
    let _publisher = Publisher::start(&server, "later")?;
    page.wait_text("playStatus", "PLAYING").await?;
    page.wait_moving("remoteVideo").await?;
    browser.close().await
}
