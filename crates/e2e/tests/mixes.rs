//! However a stream is published, it plays however it is asked for.

use anyhow::{Context, Result};
use e2e::Signalling::{WebCallServer, WhipWhep};
use e2e::handmade::{Layers, publish_by_whip};
use e2e::{Spy, Stage, TwoWayPage};

#[tokio::test]
async fn every_way_to_publish_meets_every_way_to_play() -> Result<()> {
    let stage = Stage::set().await?;
    let _native = stage.publisher("native")?;
    for (signalling, name) in [(WebCallServer, "signalled"), (WhipWhep, "whip")] {
        let page = stage.connected_by(signalling).await?;
        page.publish(name).await?;
        stage.browser.new_tab().await?;
    }
    for signalling in [WebCallServer, WhipWhep] {
        let page = stage.connected_by(signalling).await?;
        for name in ["native", "signalled", "whip"] {
            let played = plays(&page, name).await;
            played.with_context(|| format!("{name}, played by {signalling:?}"))?;
        }
    }
    stage.clear().await
}

/// Picture and sound come; then the player is free for the next.
async fn plays(page: &TwoWayPage<'_>, name: &str) -> Result<()> {
    page.play(name).await?;
    page.wait_sound().await?;
    page.click("playBtn").await?;
    page.wait_text("playStatus", "STOPPED").await
}

#[tokio::test]
async fn every_codec_that_browsers_encode_plays() -> Result<()> {
    let stage = Stage::set().await?;
    let spy = Spy::hide_in(&stage.browser).await?;
    for codec in ["video/H264", "video/VP8", "video/VP9", "video/AV1"] {
        // A page for each, whose end is its publisher's end.
        let page = stage.connected().await?;
        let name = codec.replace('/', "-");
        publish_by_whip(&stage.browser, &stage.server, &name, codec, Layers::One).await?;
        page.play(&name).await.context(codec)?;
        let playback = spy.playback().await?;
        assert_eq!(playback.codec, codec);
    }
    stage.clear().await
}
