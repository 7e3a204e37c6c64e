//! Flashphoner's own WebSDK and example pages, unchanged as npm has them, served
//! by this server and against it.

use anyhow::Result;
use e2e::{Browser, Server, Stage, TwoWayPage, websdk_folder};
use serde_json::json;

const TWO_WAY: &str = "examples/demo/streaming/two_way_streaming/two_way_streaming.html";
const SNAPSHOT: &str = "examples/demo/streaming/stream-snapshot/stream-snapshot.html";

async fn stage() -> Result<Stage> {
    let folder = websdk_folder()?.display().to_string();
    let server = Server::start_with(&["--page", &folder])?;
    Stage::set_with(server, Browser::start()).await
}

/// The original Two-way Streaming page, connected.
async fn two_way(stage: &Stage) -> Result<TwoWayPage<'_>> {
    let page = TwoWayPage::open_at(&stage.browser, &stage.server, TWO_WAY).await?;
    page.fill("urlServer", &stage.server.signalling_url())
        .await?;
    page.click("connectBtn").await?;
    page.wait_text("connectStatus", "ESTABLISHED").await?;
    Ok(page)
}

#[tokio::test]
async fn the_original_page_does_all_it_can() -> Result<()> {
    let stage = stage().await?;
    let _native = stage.publisher("native")?;
    let page = two_way(&stage).await?;
    page.play("native").await?;
    page.click("playBtn").await?;
    page.wait_text("playStatus", "STOPPED").await?;

    page.publish("camera").await?;
    page.play("camera").await?;
    page.click("sendDataBtn").await?;
    let received =
        "return document.getElementById('receivedData').textContent.includes('{\"count\":23}')";
    let browser = &stage.browser;
    browser.wait_until("the data", received, vec![]).await?;
    page.click("availableBtn").await?;
    page.wait_text("availableStatus", "AVAILABLE").await?;

    page.click("publishBtn").await?;
    page.wait_text("publishStatus", "UNPUBLISHED").await?;
    page.wait_text("playStatus", "FAILED").await?;
    let stopped = "Related publisher stopped its stream or lost connection";
    page.wait_text("playInfo", stopped).await?;
    page.click("availableBtn").await?;
    page.wait_text("availableStatus", "UNAVAILABLE").await?;
    page.wait_text("availableInfo", "Stream not found").await?;
    page.click("playBtn").await?;
    page.wait_text("playInfo", "Actual session does not exist")
        .await?;

    page.fill("publishStream", "native").await?;
    page.click("publishBtn").await?;
    let taken = "Server already has a publish stream with the same name, try using different one";
    page.wait_text("publishInfo", taken).await?;
    page.click("connectBtn").await?;
    page.wait_text("connectStatus", "DISCONNECTED").await?;
    stage.clear().await
}

#[tokio::test]
async fn a_late_viewer_of_the_websdk_knows_what_is_muted() -> Result<()> {
    let stage = stage().await?;
    let page = two_way(&stage).await?;
    page.publish("camera").await?;
    let mute = "Flashphoner.getSessions()[0].getStreams()[0].muteAudio()";
    stage.browser.run(mute, vec![]).await?;
    page.play("camera").await?;
    let told = "const streams = Flashphoner.getSessions()[0].getStreams();
                const played = streams.find((stream) => stream.status() === 'PLAYING');
                return !!played?.getAudioState()?.muted && played.getVideoState().muted === false";
    let browser = &stage.browser;
    browser.wait_until("the mute state", told, vec![]).await?;
    stage.clear().await
}

#[tokio::test]
async fn the_websdk_connects_by_load_balancer() -> Result<()> {
    let stage = stage().await?;
    let _page = TwoWayPage::open_at(&stage.browser, &stage.server, TWO_WAY).await?;
    // Port 9 (discard) takes nothing: only the load balancer's answer helps.
    let connect = "const options = { urlServer: 'ws://127.0.0.1:9', lbUrl: arguments[0] };
                   window.session = Flashphoner.createSession(options)";
    let load_balancer = json!(format!("{}lb", stage.server.url()));
    stage.browser.run(connect, vec![load_balancer]).await?;
    let established = "return window.session.status() === 'ESTABLISHED'";
    let browser = &stage.browser;
    browser
        .wait_until("the session", established, vec![])
        .await?;
    stage.clear().await
}

#[tokio::test]
async fn the_original_snapshot_page_shows_a_picture() -> Result<()> {
    let stage = stage().await?;
    let page = TwoWayPage::open_at(&stage.browser, &stage.server, SNAPSHOT).await?;
    let url = format!("{}/camera", stage.server.signalling_url());
    page.fill("url", &url).await?;
    page.click("publishBtn").await?;
    page.wait_text("status", "PUBLISHING").await?;
    page.click("snapshotBtn").await?;
    let shown = "const image = document.getElementById('dynImg');
                 return image.src.startsWith('data:image/png') && image.naturalWidth";
    let browser = &stage.browser;
    browser.wait_until("the picture", shown, vec![]).await?;
    stage.clear().await
}
