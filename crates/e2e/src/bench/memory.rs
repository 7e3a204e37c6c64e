//! What the page holds while it plays.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, interval};

use super::{STREAM, Spans, progress, stage};
use crate::Browser;

/// What JavaScript holds (`Runtime.getHeapUsage` of the Chrome DevTools
/// Protocol), in bytes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Heap {
    /// Its objects.
    used_size: f64,
    /// The browser's objects that its objects stand for, as elements.
    embedder_heap_used_size: f64,
}

/// Plays over `spans` and looks at the memory before the first and after each:
/// seconds since then, and bytes.
pub(super) async fn measure(spans: Spans) -> Result<Vec<(f64, u64)>> {
    let stage = stage().await?;
    let _publisher = stage.publisher(STREAM)?;
    let page = stage.connected().await?;
    page.play(STREAM).await?;
    let begin = Instant::now();
    let mut ticks = interval(Duration::from_secs(spans.seconds.into()));
    let mut samples = Vec::new();
    for span in 0..=spans.count {
        ticks.tick().await;
        let (done, total) = (span * spans.seconds, spans.total_seconds());
        progress(&format!("memory, {done} s of {total} s"));
        let at = begin.elapsed().as_secs_f64();
        samples.push((at, held_bytes(&stage.browser).await?));
    }
    // It held all this for something.
    page.wait_moving("remoteVideo").await?;
    stage.clear().await?;
    Ok(samples)
}

/// What cannot be thrown away of JavaScript, of its elements and of WebAssembly.
async fn held_bytes(browser: &Browser) -> Result<u64> {
    browser
        .dev_tools("HeapProfiler.collectGarbage", json!({}))
        .await?;
    let heap = browser.dev_tools("Runtime.getHeapUsage", json!({})).await?;
    let heap: Heap = serde_json::from_value(heap).context("what JavaScript holds")?;
    let wasm = "return bench.wasmMemory?.buffer.byteLength";
    let wasm = browser.run(wasm, vec![]).await?;
    let wasm = wasm.as_u64().context("the page has no WebAssembly")?;
    ensure!(heap.used_size > 0.0, "JavaScript holds nothing");
    Ok(wasm + (heap.used_size + heap.embedder_heap_used_size) as u64)
}
