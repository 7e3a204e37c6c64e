//! The publisher on networks and against servers that fail it, and what it
//! tells of itself, against what the page sees.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Browser, Conditions, Publisher, Server, Spy, Stage, Stats, TwoWayPage};
use serde_json::json;

/// Frames that show that a picture goes on.
const SOME_FRAMES: u64 = 60;

/// What the narrow link takes, in bits a second.
const NARROW_BPS: u64 = 300_000;

/// How long there is no server.
const OUTAGE: Duration = Duration::from_secs(20);

/// What the link adds on each way of the monitor's test.
const WAY: Duration = Duration::from_millis(150);

/// The most that a browser's buffer and screen are taken to add, in
/// milliseconds; a monitor that leaves one of the ways out is not within it.
const BROWSERS_SHARE_MS: f64 = 280.0;

/// Whether it is that late on the page's clock, in milliseconds since the epoch.
const IS_PAST: &str = "return Date.now() >= arguments[0]";

/// How many tracks of a kind the played stream has.
const TRACKS: &str = "const stream = document.querySelector('#remoteVideo video').srcObject;
     return stream.getTracks().filter(it => it.kind === arguments[0] && !it.muted).length";

#[tokio::test]
async fn the_encoder_follows_a_squeezed_link_and_comes_back() -> Result<()> {
    let (server, link) = Server::start_behind_link()?;
    let stage = Stage::set_with(server, Browser::start()).await?;
    let spy = Spy::hide_in(&stage.browser).await?;
    // At its full rate too much for the link, and no burden for the machine.
    let options = ["--size", "960x540"];
    let publisher = Publisher::start_with(&stage.server, "test", &options)?;
    let page = stage.connected().await?;
    page.play("test").await?;
    let wide = publisher.wait_stats("the full picture", is_full).await?;
    println!("wide: {wide:?}");

    let perfect = Conditions::default();
    link.set(Conditions::limited(NARROW_BPS), perfect);
    let narrow = NARROW_BPS as f64;
    let squeezed = publisher
        .wait_stats("a stream that fits", |stats| {
            let smaller = stats.number("/video/width") < 960.0;
            let fewer = stats.number("/video/fps") < 20.0;
            stats.number("/video/target_bitrate_bps") < narrow
                && stats.number("/network/estimate_bps") < narrow
                && stats.number("/video/bitrate_bps") < narrow
                && (smaller || fewer)
        })
        .await?;
    println!("squeezed: {squeezed:?}");
    let before = spy.playback().await?;
    let after = spy.wait_frames(SOME_FRAMES).await?;
    println!("page, from {before:?}\nto {after:?}");
    let freezes = after.freeze_count - before.freeze_count;
    ensure!(
        freezes * 10 < SOME_FRAMES,
        "{freezes} freezes in {SOME_FRAMES} frames"
    );

    link.set(perfect, perfect);
    let released = publisher
        .wait_stats("the full picture again", |stats| {
            let more = squeezed.number("/video/bitrate_bps");
            is_full(stats) && stats.number("/video/bitrate_bps") > more
        })
        .await?;
    println!("released: {released:?}");
    spy.wait_playback("now.frameHeight === 540").await?;
    spy.wait_frames(SOME_FRAMES).await?;
    page.wait_text("playStatus", "PLAYING").await?;
    stage.clear().await
}

/// Nothing is taken from the picture, and its bitrate is beyond the narrow link.
fn is_full(stats: &Stats) -> bool {
    stats.number("/video/target_bitrate_bps") > 2.0 * NARROW_BPS as f64
        && stats.number("/video/width") == 960.0
        && stats.number("/video/fps") > 20.0
}

#[tokio::test]
async fn the_publisher_outlives_twenty_seconds_without_a_server() -> Result<()> {
    let stage = Stage::set().await?;
    let publisher = stage.publisher("test")?;
    let spy = Spy::hide_in(&stage.browser).await?;
    let page = TwoWayPage::open_connected(&stage.browser, &stage.server).await?;
    page.play("test").await?;
    let last = page.shown().await?.context("a legible picture")?;

    let killed = stage.server.kill()?;
    let now = stage.browser.run("return Date.now()", vec![]).await?;
    let back = now.as_f64().context("a time")? + OUTAGE.as_millis() as f64;
    publisher.wait_line("reconnecting in ")?;
    stage
        .browser
        .wait_until("the end of the outage", IS_PAST, vec![json!(back)])
        .await?;
    let _server = killed.start()?;

    publisher
        .wait_stats("another connection", |stats| {
            stats.number("/reconnects") == 1.0
        })
        .await?;
    page.wait_text("connectStatus", "ESTABLISHED").await?;
    page.wait_text("playStatus", "PLAYING").await?;
    page.wait_moving("remoteVideo").await?;
    spy.wait_frames(SOME_FRAMES).await?;
    let next = page.shown().await?.context("a legible picture")?;
    let away = Duration::from_millis(next.capture_ms - last.capture_ms);
    assert!(next.frame > last.frame, "{next:?} after {last:?}");
    assert!(away >= OUTAGE, "{away:?} between {last:?} and {next:?}");
    assert_eq!(publisher.terminate()?, Some(0), "the publisher's exit code");
    stage.browser.close().await
}

/// Two measurements of the same stream, of which the page's has a browser's
/// buffer and screen in it too.
#[tokio::test]
async fn the_monitor_agrees_with_the_strip_and_tells_of_losses() -> Result<()> {
    let (server, link) = Server::start_behind_link()?;
    let delayed = Conditions {
        delay: WAY,
        ..Conditions::default()
    };
    link.set(delayed, delayed);
    let stage = Stage::set_with(server, Browser::start()).await?;
    let options = ["--monitor", "--size", "640x360"];
    let publisher = Publisher::start_with(&stage.server, "test", &options)?;
    let spy = Spy::hide_in(&stage.browser).await?;
    let page = stage.connected().await?;
    page.play("test").await?;
    let enough = SOME_FRAMES as f64;
    let calm = publisher
        .wait_stats("pictures that come back", |stats| {
            stats.number("/monitor/frames") > enough && stats.number("/monitor/delay_seconds") > 0.0
        })
        .await?;

    let delays = page.watch(3).await?.last_delays_ms();
    let page_ms = *delays.get(delays.len() / 2).context("legible strips")? as f64;
    let monitor_ms = publisher.stats()?.number("/monitor/delay_seconds") * 1_000.0;
    println!("delay: {monitor_ms} ms by the monitor, {page_ms} ms by the page's strips");
    let there_and_back = 2 * WAY.as_millis();
    assert!(monitor_ms >= there_and_back as f64, "{monitor_ms} ms");
    assert!(
        (page_ms - monitor_ms).abs() < BROWSERS_SHARE_MS,
        "{monitor_ms} ms by the monitor, {page_ms} ms by the page's strips"
    );

    // What is lost is asked for again, and lost again at times.
    let lossy = Conditions {
        loss: 0.5,
        ..delayed
    };
    link.set(delayed, lossy);
    let lost = calm.number("/monitor/packets_lost");
    publisher
        .wait_stats("losses", |stats| {
            stats.number("/monitor/packets_lost") > lost
        })
        .await?;
    link.set(delayed, delayed);
    let frozen = publisher
        .wait_stats("a freeze", |stats| {
            stats.number("/monitor/freezes") > calm.number("/monitor/freezes")
                && stats.number("/monitor/frames_lost") > calm.number("/monitor/frames_lost")
        })
        .await?;
    println!("from {calm:?}\nto {frozen:?}");
    let seen = frozen.number("/monitor/frames") + enough;
    publisher
        .wait_stats("pictures again", |stats| {
            stats.number("/monitor/frames") > seen
        })
        .await?;
    spy.wait_frames(SOME_FRAMES).await?;
    stage.clear().await
}

#[tokio::test]
async fn each_track_alone_and_both_by_whip_play() -> Result<()> {
    let stage = Stage::set().await?;
    let page = stage.connected().await?;

    let sound = Publisher::start_with(&stage.server, "sound", &["--no-video"])?;
    page.listen("sound").await?;
    page.wait_sound().await?;
    assert_eq!(tracks(&stage.browser, "video").await?, 0);
    end(sound, &page).await?;

    let pictures = Publisher::start_with(&stage.server, "pictures", &["--no-audio"])?;
    page.play("pictures").await?;
    assert_eq!(tracks(&stage.browser, "audio").await?, 0);
    end(pictures, &page).await?;

    let both = Publisher::start_by_whip(&stage.server, "both", &[])?;
    page.play("both").await?;
    page.wait_sound().await?;
    end(both, &page).await?;
    stage.clear().await
}

/// Ends the publisher; the page notices, and stops to wait for it.
async fn end(publisher: Publisher, page: &TwoWayPage<'_>) -> Result<()> {
    assert_eq!(publisher.terminate()?, Some(0), "the publisher's exit code");
    page.wait_text("playStatus", "FAILED").await?;
    page.click("playBtn").await?;
    page.wait_text("playStatus", "STOPPED").await
}

/// How many tracks of that kind are played.
async fn tracks(browser: &Browser, kind: &str) -> Result<u64> {
    let tracks = browser.run(TRACKS, vec![json!(kind)]).await?;
    tracks.as_u64().context("a number of tracks")
}
