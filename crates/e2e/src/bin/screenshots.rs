//! Makes the README's pictures: `screenshots FOLDER`, with server, publisher
//! and page built. `cargo xtask screenshots` does it all.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use e2e::{Browser, Publisher, Server, TwoWayPage};

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .context("usage: screenshots FOLDER")?;
    std::fs::create_dir_all(&folder)?;
    let server = Server::start()?;
    let _publisher = Publisher::start(&server, "test")?;
    let camera = Camera { server, folder };
    camera.two_way().await?;
    camera.statistics().await?;
    camera.embed().await?;
    camera.phone().await
}

/// Where the pictures are taken and kept. Each is taken in a browser of its
/// own, so that none shows what another left behind.
struct Camera {
    server: Server,
    folder: PathBuf,
}

impl Camera {
    /// Both halves at work: the camera published, the test picture playing.
    async fn two_way(&self) -> Result<()> {
        let browser = Browser::start().await?;
        browser.set_viewport(1280, 1180).await?;
        let page = TwoWayPage::open_connected(&browser, &self.server).await?;
        page.publish("camera").await?;
        page.play("test").await?;
        self.take(&browser, "playing.png").await
    }

    /// The player view with its statistics, once their graphs have a line.
    async fn statistics(&self) -> Result<()> {
        let browser = Browser::start().await?;
        browser.set_viewport(1000, 1560).await?;
        let query = "view=player&stream=test&play=1&stats=1&muted=1";
        let page = TwoWayPage::open_link(&browser, &self.server, query).await?;
        page.wait_text("playStatus", "PLAYING").await?;
        page.wait_millis("statDelay").await?;
        page.watch(GRAPH_SECONDS).await?;
        self.take(&browser, "statistics.png").await
    }

    /// The bare player, as another page frames it.
    async fn embed(&self) -> Result<()> {
        let browser = Browser::start().await?;
        browser.set_viewport(640, 360).await?;
        let query = "view=embed&stream=test&play=1&muted=1";
        let page = TwoWayPage::open_link(&browser, &self.server, query).await?;
        page.wait_moving("remoteVideo").await?;
        self.take(&browser, "embed.png").await
    }

    /// The player view on a phone.
    async fn phone(&self) -> Result<()> {
        let browser = Browser::start_phone().await?;
        let query = "view=player&stream=test&play=1&muted=1";
        let page = TwoWayPage::open_link(&browser, &self.server, query).await?;
        page.wait_text("playStatus", "PLAYING").await?;
        page.wait_moving("remoteVideo").await?;
        self.take(&browser, "phone.png").await
    }

    async fn take(&self, browser: &Browser, name: &str) -> Result<()> {
        let path = self.folder.join(name);
        save(browser, &path).await
    }
}

/// How long the graphs are filled before their picture is taken.
const GRAPH_SECONDS: u32 = 20;

async fn save(browser: &Browser, path: &Path) -> Result<()> {
    let png = browser.client().screenshot().await?;
    std::fs::write(path, png).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}
