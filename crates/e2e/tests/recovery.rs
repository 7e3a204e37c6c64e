//! What is lost comes back by itself, and what a person or a browser refuses is
//! said and can be mended.

use anyhow::{Context, Result};
use e2e::{Browser, Permissions, Server, Stage, TwoWayPage};
use serde_json::json;

/// Remembers the played stream, to tell the next one from it.
const REMEMBER: &str = "window.before = document.querySelector('#remoteVideo video').srcObject";

/// Another stream is played now than the one remembered.
const REPLACED: &str = "const now = document.querySelector('#remoteVideo video')?.srcObject;
                        return !!now && now !== window.before";

const MUTED: &str = "return document.querySelector('#remoteVideo video').muted";

#[tokio::test]
async fn a_restarted_server_has_its_streams_back() -> Result<()> {
    let stage = Stage::set().await?;
    let page = TwoWayPage::open_connected(&stage.browser, &stage.server).await?;
    page.publish("mirror").await?;
    page.play("mirror").await?;
    stage.browser.run(REMEMBER, vec![]).await?;

    let _server = stage.server.restart()?;
    stage
        .browser
        .wait_until("another stream", REPLACED, vec![])
        .await?;
    page.wait_text("connectStatus", "ESTABLISHED").await?;
    page.wait_text("publishStatus", "PUBLISHING").await?;
    page.wait_text("playStatus", "PLAYING").await?;
    page.wait_moving("remoteVideo").await?;
    for notice in ["connectNotice", "publishNotice", "playNotice"] {
        page.wait_text(notice, "").await?;
    }
    stage.browser.close().await
}

#[tokio::test]
async fn a_publisher_that_is_back_plays_again_without_a_press() -> Result<()> {
    let stage = Stage::set().await?;
    let publisher = stage.publisher("test")?;
    let page = stage.connected().await?;
    page.play("test").await?;

    publisher.kill();
    page.wait_text("playStatus", "FAILED").await?;
    page.wait_text("playInfo", "Actual session does not exist")
        .await?;
    page.wait_text("playNotice", "Waiting for the stream to start.")
        .await?;

    let _publisher = stage.publisher("test")?;
    page.wait_text("playStatus", "PLAYING").await?;
    page.wait_moving("remoteVideo").await?;
    page.wait_text("playInfo", "").await?;
    stage.clear().await
}

#[tokio::test]
async fn a_stream_is_waited_for_until_one_press_stops_that() -> Result<()> {
    let stage = Stage::set().await?;
    let page = stage.linked("stream=later&play=1").await?;
    page.wait_text("playNotice", "Waiting for the stream to start.")
        .await?;
    let publisher = stage.publisher("later")?;
    page.wait_text("playStatus", "PLAYING").await?;
    page.wait_moving("remoteVideo").await?;

    publisher.kill();
    page.wait_text("playNotice", "Waiting for the stream to start.")
        .await?;
    page.click("playBtn").await?;
    page.wait_text("playStatus", "STOPPED").await?;
    let _publisher = stage.publisher("later")?;
    page.click("availableBtn").await?;
    page.wait_text("availableStatus", "AVAILABLE").await?;
    page.wait_text("playStatus", "STOPPED").await?;
    page.wait_text("playBtn", "Play").await?;
    stage.clear().await
}

#[tokio::test]
async fn a_refused_camera_is_explained() -> Result<()> {
    let refusing = Browser::start_with(Permissions::Refused);
    let stage = Stage::set_with(Server::start()?, refusing).await?;
    let page = stage.connected().await?;
    page.click("publishBtn").await?;
    page.wait_text("publishStatus", "FAILED").await?;
    let info = page.text("publishInfo").await?;
    assert!(info.starts_with("Browser error detected: "), "{info}");
    let advice = page.text("publishAdvice").await?;
    assert!(!advice.is_empty(), "no word about what to do");
    println!("{info}\n{advice}");
    page.wait_text("publishBtn", "Publish").await?;
    stage.clear().await
}

#[tokio::test]
async fn refused_sound_takes_one_press() -> Result<()> {
    let stage = Stage::set().await?;
    let _publisher = stage.publisher("test")?;
    // A link plays without any press, so the browser allows no sound.
    let page = stage.linked("stream=test&play=1").await?;
    page.wait_text("playStatus", "PLAYING").await?;
    page.wait_there("#unmuteBtn", true).await?;
    page.wait_moving("remoteVideo").await?;
    let muted = stage.browser.run(MUTED, vec![]).await?;
    assert_eq!(muted, json!(true), "it plays, without sound");

    page.click("unmuteBtn").await?;
    page.wait_there("#unmuteBtn", false).await?;
    let muted = stage.browser.run(MUTED, vec![]).await?;
    assert_eq!(muted, json!(false));
    stage.clear().await
}

/// The delay that the page works out from the sender's clock, against the one
/// that its picture carries, both of the same moment: browsers lengthen their
/// buffer while a stream is young.
#[tokio::test]
async fn the_delay_shown_is_the_delay_there_is() -> Result<()> {
    let stage = Stage::set().await?;
    let _publisher = stage.publisher("test")?;
    let page = stage.linked("stream=test&play=1&stats=1").await?;
    page.wait_text("playStatus", "PLAYING").await?;
    // The clock takes some sender reports to be known.
    page.wait_millis("statDelay").await?;
    page.wait_millis("statStripDelay").await?;
    let first_frame = page.wait_millis("statFirstFrame").await?;

    let watched = page.watch(5).await?;
    let shown = page.wait_millis("statDelay").await?;
    let strip = page.wait_millis("statStripDelay").await?;
    let delays = watched.last_delays_ms();
    let median = *delays.get(delays.len() / 2).context("legible strips")? as f64;
    println!(
        "delay shown {shown} ms, its strip {strip} ms; watched {median} ms; \
         first picture after {first_frame} ms"
    );
    for delay in [shown, strip] {
        assert!(
            (delay - median).abs() <= 20.0,
            "{delay} ms is not {median} ms"
        );
    }
    stage.clear().await
}
