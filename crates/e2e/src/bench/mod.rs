//! The browser's part of the bench: the built page in a real Chromium.
//!
//! Server, publisher and browser run on one machine, so that capture and
//! presentation are told by one clock. Each part has them for itself.

mod delay;
mod join;
mod memory;
mod visit;

use anyhow::Result;
use load::results::{self, Quantiles};

use crate::{Browser, Stage, page_folder};

/// Put into every page before its own scripts.
const SCRIPT: &str = include_str!("../scripts/bench.js");

/// The name by which the test picture is published.
const STREAM: &str = "test";

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// From the press on Play to the first picture.
    Join,
    /// From capture to presentation.
    GlassToGlass,
    /// What a first visit loads, and until when.
    Page,
    /// What the page holds while it plays.
    Memory,
}

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// How often the stream is joined.
    pub joins: u32,
    /// The spans in which the delay from glass to glass is told.
    pub delay: Spans,
    /// How often the page is visited.
    pub visits: u32,
    /// The spans between looks at the page's memory.
    pub memory: Spans,
}

/// Equal spans of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spans {
    /// How many.
    pub count: u32,
    /// The length of each.
    pub seconds: u32,
}

impl Extent {
    /// What is published; 25 minutes.
    pub const FULL: Self = Self {
        joins: 20,
        delay: Spans::of(30, 20),
        visits: 10,
        memory: Spans::of(60, 10),
    };

    /// The same, with an hour of play.
    pub const HOUR: Self = Self {
        memory: Spans::of(120, 30),
        ..Self::FULL
    };

    /// Rough figures in a minute.
    pub const QUICK: Self = Self {
        joins: 5,
        delay: Spans::of(4, 5),
        visits: 3,
        memory: Spans::of(10, 2),
    };

    /// Shows that it works.
    pub const SMOKE: Self = Self {
        joins: 1,
        delay: Spans::of(2, 1),
        visits: 1,
        memory: Spans::of(2, 1),
    };
}

impl Spans {
    const fn of(count: u32, seconds: u32) -> Self {
        Self { count, seconds }
    }

    /// Of all together.
    fn total_seconds(self) -> u32 {
        self.count * self.seconds
    }
}

/// Measures, telling on standard error how far it is. With `only`, what belongs
/// to the other parts stays empty: a count of 0, no entries.
///
/// # Errors
/// A program or the page is not built, there is no browser, or what is to be
/// measured does not come about.
pub async fn run(extent: &Extent, only: Option<Part>) -> Result<results::Browser> {
    page_folder()?;
    let wanted = |part| only.is_none_or(|only| only == part);
    let mut found = nothing(version().await?);
    if wanted(Part::Page) {
        (found.transfer, found.interactive_ms) = visit::measure(extent.visits).await?;
    }
    if wanted(Part::Join) {
        (found.join_ms, found.join_phases_ms) = join::measure(extent.joins).await?;
    }
    if wanted(Part::GlassToGlass) {
        (found.glass_to_glass_ms, found.glass_to_glass_over_time) =
            delay::measure(extent.delay).await?;
    }
    if wanted(Part::Memory) {
        found.memory = memory::measure(extent.memory).await?;
    }
    Ok(found)
}

fn nothing(version: String) -> results::Browser {
    results::Browser {
        version,
        join_ms: Quantiles::default(),
        join_phases_ms: Vec::new(),
        glass_to_glass_ms: Quantiles::default(),
        glass_to_glass_over_time: Vec::new(),
        transfer: Vec::new(),
        interactive_ms: Quantiles::default(),
        memory: Vec::new(),
    }
}

/// A server, and a browser whose pages have [`SCRIPT`].
async fn stage() -> Result<Stage> {
    let stage = Stage::set().await?;
    stage.browser.run_before_pages(SCRIPT).await?;
    Ok(stage)
}

/// Name and version of the browser.
async fn version() -> Result<String> {
    let browser = Browser::start().await?;
    let version = browser.version().await?;
    browser.close().await?;
    Ok(version)
}

fn progress(what: &str) {
    eprintln!("browser: {what}");
}

/// The distribution of `values`: each quantile is the lowest value that so many
/// do not exceed.
fn quantiles(mut values: Vec<f64>) -> Quantiles {
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let rank = (share * values.len() as f64).ceil() as usize;
        values.get(rank.saturating_sub(1)).copied()
    };
    Quantiles {
        count: values.len() as u64,
        median: at(0.5).unwrap_or_default(),
        p95: at(0.95).unwrap_or_default(),
        p99: at(0.99).unwrap_or_default(),
        max: at(1.0).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_there() {
        assert_eq!(quantiles(Vec::new()), Quantiles::default());
        let one = quantiles(vec![7.0]);
        assert_eq!(
            (one.median, one.p95, one.p99, one.max),
            (7.0, 7.0, 7.0, 7.0)
        );
        let hundred = quantiles((1..=100).rev().map(f64::from).collect());
        let expected = Quantiles {
            count: 100,
            median: 50.0,
            p95: 95.0,
            p99: 99.0,
            max: 100.0,
        };
        assert_eq!(hundred, expected);
    }
}
