//! However a stream is published, it plays however it is asked for.

use anyhow::{Context, Result};
use e2e::Protocol::{Http, Signalling};
use e2e::{Stage, TwoWayPage};

#[tokio::test]
async fn every_way_to_publish_meets_every_way_to_play() -> Result<()> {
    let stage = Stage::set().await?;
    let _native = stage.publisher("native")?;
    for (protocol, name) in [(Signalling, "signalled"), (Http, "whip")] {
        let page = stage.connected_by(protocol).await?;
        page.publish(name).await?;
        stage.browser.new_tab().await?;
    }
    for protocol in [Signalling, Http] {
        let page = stage.connected_by(protocol).await?;
        for name in ["native", "signalled", "whip"] {
            let played = plays(&page, name).await;
            played.with_context(|| format!("{name}, played by {protocol:?}"))?;
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
