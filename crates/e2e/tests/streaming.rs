//! Publisher to server to page, as a person sees it.

use anyhow::{Context, Result};
use e2e::handmade::snapshot;
use e2e::{Stage, TwoWayPage};

#[tokio::test]
async fn the_test_picture_plays_with_sound() -> Result<()> {
    let stage = Stage::set().await?;
    let publisher = stage.publisher("test")?;
    let page = stage.connected().await?;
    page.play("test").await?;

    let watched = page.watch(10).await?;

    let delays = watched.delays_ms();
    let median = delays[delays.len() / 2];
    println!(
        "{:.1} frames a second decoded, {} presented, {} legible; delay median {median} ms, worst {} ms; \
         sound {:.4} to {:.4}",
        watched.frame_rate(),
        watched.seen.len(),
        delays.len(),
        delays[delays.len() - 1],
        watched.quietest,
        watched.loudest,
    );
    assert!(
        watched.frame_rate() >= 25.0,
        "{:.1} frames a second",
        watched.frame_rate()
    );
    let stamps: Vec<_> = watched.seen.iter().filter_map(|seen| seen.stamp).collect();
    assert!(
        stamps.len() * 10 >= watched.seen.len() * 9,
        "only {} of {} strips are legible",
        stamps.len(),
        watched.seen.len()
    );
    for pair in stamps.windows(2) {
        assert!(
            pair[1].capture_ms > pair[0].capture_ms && pair[1].frame > pair[0].frame,
            "a later picture is not newer: {pair:?}"
        );
    }
    assert!(
        (0..5_000).contains(&median),
        "implausible delay of {median} ms"
    );
    assert!(watched.loudest > 0.02, "no beep: {}", watched.loudest);
    assert!(
        watched.quietest < watched.loudest / 4.0,
        "no silence between beeps: {} of {}",
        watched.quietest,
        watched.loudest
    );
    assert_eq!(publisher.terminate()?, Some(0), "the publisher's exit code");
    page.wait_text("playStatus", "FAILED").await?;
    stage.clear().await
}

#[tokio::test]
async fn a_camera_published_in_one_tab_plays_in_another() -> Result<()> {
    let stage = Stage::set().await?;
    let publishing = stage.connected().await?;
    publishing.publish("camera").await?;
    publishing.wait_moving("localVideo").await?;

    stage.browser.new_tab().await?;
    let playing = stage.connected().await?;
    playing.fill("playStream", "camera").await?;
    playing.click("availableBtn").await?;
    playing.wait_text("availableStatus", "AVAILABLE").await?;
    playing.play("camera").await?;
    playing.wait_moving("remoteVideo").await?;

    playing.click("playBtn").await?;
    playing.wait_text("playStatus", "STOPPED").await?;
    stage.clear().await
}

#[tokio::test]
async fn a_snapshot_is_a_picture_of_the_stream() -> Result<()> {
    let stage = Stage::set().await?;
    let _publisher = stage.publisher("test")?;
    // Any page will do: nothing plays.
    stage.linked("").await?;
    let Stage {
        server, browser, ..
    } = &stage;
    let first = snapshot(browser, server, "test", (1280, 720)).await?;
    assert_eq!((first.width, first.height), (1280, 720));
    let first = first.stamp.context("no legible strip")?;
    let second = snapshot(browser, server, "test", (1280, 720)).await?;
    let second = second.stamp.context("no legible strip")?;
    assert!(
        second.capture_ms >= first.capture_ms,
        "{second:?} is older than {first:?}"
    );

    let missing = snapshot(browser, server, "missing", (1280, 720)).await;
    let refusal = format!("{:#}", missing.expect_err("there is no such stream"));
    assert!(
        refusal.contains("snapshotFailed: Stream not found"),
        "{refusal}"
    );
    stage.clear().await
}

#[tokio::test]
async fn refusals_show_their_texts() -> Result<()> {
    let stage = Stage::set().await?;
    let _publisher = stage.publisher("taken")?;
    let page = stage.connected().await?;

    page.fill("playStream", "missing").await?;
    page.click("playBtn").await?;
    page.wait_text("playStatus", "FAILED").await?;
    page.wait_text("playInfo", "Actual session does not exist")
        .await?;
    page.click("availableBtn").await?;
    page.wait_text("availableStatus", "UNAVAILABLE").await?;
    page.click("playBtn").await?;
    page.wait_text("playStatus", "STOPPED").await?;

    page.fill("publishStream", "taken").await?;
    page.click("publishBtn").await?;
    page.wait_text("publishStatus", "FAILED").await?;
    page.wait_text(
        "publishInfo",
        "Server already has a publish stream with the same name, try using different one",
    )
    .await?;
    page.fill("playStream", "taken").await?;
    page.click("availableBtn").await?;
    page.wait_text("availableStatus", "AVAILABLE").await?;

    page.click("connectBtn").await?;
    page.wait_text("connectStatus", "DISCONNECTED").await?;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    page.fill("urlServer", &format!("ws://{nobody}")).await?;
    page.click("connectBtn").await?;
    page.wait_text("connectStatus", "FAILED").await?;
    stage.clear().await
}

#[tokio::test]
async fn a_server_that_ends_tells_its_clients() -> Result<()> {
    let stage = Stage::set().await?;
    let page = TwoWayPage::open_connected(&stage.browser, &stage.server).await?;
    assert_eq!(stage.server.terminate()?, Some(0), "the server's exit code");
    page.wait_text("connectStatus", "FAILED").await?;
    page.click("connectBtn").await?;
    page.wait_text("connectStatus", "DISCONNECTED").await?;
    page.wait_text("connectBtn", "Connect").await?;
    stage.browser.close().await
}
