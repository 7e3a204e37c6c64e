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
    let browser = Browser::start().await?;
    two_way(&browser, &server, &folder).await?;
    browser.close().await
}

/// Both halves at work: the camera published, the test picture playing.
async fn two_way(browser: &Browser, server: &Server, folder: &Path) -> Result<()> {
    browser.set_window(1280, 1000).await?;
    let page = TwoWayPage::open_connected(browser, server).await?;
    page.publish("camera").await?;
    page.play("test").await?;
    save(browser, &folder.join("playing.png")).await
}

async fn save(browser: &Browser, path: &Path) -> Result<()> {
    let png = browser.client().screenshot().await?;
    std::fs::write(path, png).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}
