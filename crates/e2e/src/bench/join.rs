//! From the press on Play to the first picture.

use anyhow::{Context, Result};
use load::results::Quantiles;
use serde::Deserialize;

use super::{STREAM, progress, quantiles, stage};
use crate::Stage;

/// What the steps are called, in their order.
const PHASES: [&str; 7] = [
    "offer",
    "answer",
    "ICE",
    "DTLS",
    "first packet",
    "first keyframe",
    "first paint",
];

/// When each step was done, in milliseconds on the page's clock. What has not
/// been told when the picture is there is missing.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Steps {
    pressed: f64,
    offered: Option<f64>,
    answered: Option<f64>,
    ice: Option<f64>,
    dtls: Option<f64>,
    packet: Option<f64>,
    keyframe: Option<f64>,
    painted: f64,
}

impl Steps {
    /// The same as milliseconds since the press, by [`PHASES`]. Browsers tell of
    /// some steps later than of one that follows: such a step was done by then.
    fn phases(&self) -> [f64; PHASES.len()] {
        let mut latest = self.painted;
        let mut phases = [
            self.offered,
            self.answered,
            self.ice,
            self.dtls,
            self.packet,
            self.keyframe,
            Some(self.painted),
        ]
        .map(|step| step.unwrap_or(f64::INFINITY));
        for phase in phases.iter_mut().rev() {
            latest = latest.min(*phase);
            *phase = latest - self.pressed;
        }
        phases
    }
}

/// Joins so many times, each on a page that was opened for it. The whole, and
/// the time until each phase was done.
pub(super) async fn measure(joins: u32) -> Result<(Quantiles, Vec<(String, Quantiles)>)> {
    let stage = stage().await?;
    let _publisher = stage.publisher(STREAM)?;
    let mut phases: [Vec<f64>; PHASES.len()] = Default::default();
    for number in 1..=joins {
        progress(&format!("join {number} of {joins}"));
        let steps = join(&stage).await?;
        for (all, phase) in phases.iter_mut().zip(steps.phases()) {
            all.push(phase);
        }
    }
    stage.clear().await?;
    let named = PHASES.iter().map(ToString::to_string);
    let phases: Vec<_> = named.zip(phases.map(quantiles)).collect();
    let (_, whole) = phases.last().context("the picture is a phase")?;
    Ok((*whole, phases))
}

async fn join(stage: &Stage) -> Result<Steps> {
    let page = stage.connected().await?;
    page.fill("playStream", STREAM).await?;
    // A person finds a page at rest.
    let idle = "return new Promise(resolve => requestIdleCallback(() => resolve()))";
    stage.browser.run(idle, vec![]).await?;
    page.click("playBtn").await?;
    // Asked once: looking again and again would take time from what is measured.
    let steps = stage.browser.run("return bench.joined", vec![]).await;
    if let Err(error) = steps {
        let status = page.text("playStatus").await?;
        let info = page.text("playInfo").await?;
        let told = format!("Play was pressed, and no picture came; the page says {status} {info}");
        return Err(error.context(told));
    }
    serde_json::from_value(steps?).context("the steps to the first picture")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: Steps = Steps {
        pressed: 1_000.0,
        offered: Some(1_010.0),
        answered: Some(1_020.0),
        ice: Some(1_040.0),
        dtls: Some(1_060.0),
        packet: Some(1_070.0),
        keyframe: Some(1_080.0),
        painted: 1_100.0,
    };

    #[test]
    fn phases_begin_with_the_press() {
        let expected = [10.0, 20.0, 40.0, 60.0, 70.0, 80.0, 100.0];
        assert_eq!(STEPS.phases(), expected);
    }

    #[test]
    fn steps_told_late_or_never_end_with_the_next() {
        let late = Steps {
            dtls: Some(1_090.0),
            packet: None,
            ..STEPS
        };
        let expected = [10.0, 20.0, 40.0, 80.0, 80.0, 80.0, 100.0];
        assert_eq!(late.phases(), expected);
    }
}
