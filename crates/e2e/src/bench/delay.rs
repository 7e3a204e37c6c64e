//! From glass to glass: the test picture's strip says when a frame was captured,
//! the browser when it is on the screen.

use anyhow::{Result, ensure};
use load::results::Quantiles;
use tokio::time::Instant;

use super::{STREAM, Spans, progress, quantiles, stage};
use crate::Watched;

/// How much of the beginning the distribution is of, in seconds.
const MINUTE: f64 = 60.0;

/// Plays over `spans`. The distribution over the first minute, and the median of
/// each span beside the second at which it began.
pub(super) async fn measure(spans: Spans) -> Result<(Quantiles, Vec<(f64, f64)>)> {
    let stage = stage().await?;
    let _publisher = stage.publisher(STREAM)?;
    let page = stage.connected().await?;
    page.play(STREAM).await?;
    let begin = Instant::now();
    let mut minute = Vec::new();
    let mut medians = Vec::new();
    for span in 0..spans.count {
        let (done, total) = (span * spans.seconds, spans.total_seconds());
        progress(&format!("glass to glass, {done} s of {total} s"));
        let at = begin.elapsed().as_secs_f64();
        let delays = delays_ms(&page.watch(spans.seconds).await?)?;
        medians.push((at, quantiles(delays.clone()).median));
        if at < MINUTE {
            minute.extend(delays);
        }
    }
    stage.clear().await?;
    Ok((quantiles(minute), medians))
}

fn delays_ms(watched: &Watched) -> Result<Vec<f64>> {
    let delays = watched.delays_ms();
    let (legible, seen) = (delays.len(), watched.seen.len());
    ensure!(
        legible * 2 > seen,
        "the test picture's strip was legible in {legible} of {seen} frames only"
    );
    Ok(delays.iter().map(|&delay| delay as f64).collect())
}
