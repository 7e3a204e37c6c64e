//! What a first visit loads, and when the page can be used.

use anyhow::{Context, Result, ensure};
use load::results::Quantiles;
use serde::Deserialize;
use serde_json::json;

use super::{progress, quantiles, stage};
use crate::{Stage, TwoWayPage};

/// What one visit takes.
struct Visit {
    /// From the navigation until "Connect" can be pressed.
    usable_ms: f64,
    files: Vec<File>,
}

/// A file as the browser tells of it (Resource Timing, section 4.3).
#[derive(Debug, Deserialize)]
struct File {
    /// Where it is at the server, with a slash before it.
    path: String,
    /// As transferred: compressed, without headers.
    bytes: u64,
    /// It came from the server, not from a cache.
    fresh: bool,
}

/// Visits the page so many times with nothing in the browser's caches. Each file
/// with its compressed bytes, and the time until the page can be used.
pub(super) async fn measure(visits: u32) -> Result<(Vec<(String, u64)>, Quantiles)> {
    let stage = stage().await?;
    progress("visits, once the server has compressed the page");
    TwoWayPage::open_link(&stage.browser, &stage.server, "").await?;
    let compressed = "return bench.compressed()";
    let browser = &stage.browser;
    browser
        .wait_until("the page's compression", compressed, vec![])
        .await?;
    let mut usable_ms = Vec::new();
    let mut files = Vec::new();
    for number in 1..=visits {
        progress(&format!("visit {number} of {visits}"));
        let visit = visit(&stage).await?;
        usable_ms.push(visit.usable_ms);
        files = visit.files;
    }
    stage.clear().await?;
    let files = files.iter().map(|file| (file.name(), file.bytes));
    Ok((files.collect(), quantiles(usable_ms)))
}

async fn visit(stage: &Stage) -> Result<Visit> {
    let browser = &stage.browser;
    browser.client().goto("about:blank").await?;
    browser
        .dev_tools("Network.clearBrowserCache", json!({}))
        .await?;
    TwoWayPage::open_link(browser, &stage.server, "").await?;
    let usable_ms = browser.run("return bench.usable", vec![]).await;
    let usable_ms = usable_ms.context("the page was opened, and Connect never enabled")?;
    let files = browser.run("return bench.files()", vec![]).await?;
    let mut files: Vec<File> = serde_json::from_value(files).context("the page's files")?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let cached = files.iter().find(|file| !file.fresh);
    ensure!(cached.is_none(), "not from the server: {cached:?}");
    Ok(Visit {
        usable_ms: usable_ms.as_f64().context("a time")?,
        files,
    })
}

impl File {
    /// Its name in the page's folder.
    fn name(&self) -> String {
        match self.path.trim_start_matches('/') {
            "" => "index.html".to_owned(),
            name => name.to_owned(),
        }
    }
}
