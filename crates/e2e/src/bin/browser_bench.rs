//! Measures the built page in Chromium and prints what it found as one JSON
//! object, `load::results::Browser`; `cargo xtask bench` runs it.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use e2e::bench::{self, Extent, Part};

/// Measures the built page in a real Chromium and prints what it found as JSON.
///
/// Server, publisher and page are those named by TWOWAY_SERVER, TWOWAY_PUBLISH and
/// TWOWAY_PAGE, or those built beside this program; the browser is found on the path
/// or named by CHROME and CHROMEDRIVER.
#[derive(Parser)]
#[command(name = "browser_bench", version)]
struct Options {
    /// Rough figures in about a minute
    #[arg(long, group = "extent")]
    quick: bool,
    /// The least that gives every figure, in seconds
    #[arg(long, group = "extent")]
    smoke: bool,
    /// Watch the memory over an hour instead of ten minutes
    #[arg(long, group = "extent")]
    hour: bool,
    /// Measure this alone; the other figures stay empty
    #[arg(long, value_name = "PART")]
    only: Option<PartName>,
}

/// [`Part`] as it is written on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum PartName {
    /// From the press on Play to the first picture
    Join,
    /// From a frame's capture to its presentation
    GlassToGlass,
    /// What a first visit loads, and until when
    Page,
    /// What the page holds while it plays
    Memory,
}

impl Options {
    fn extent(&self) -> Extent {
        if self.smoke {
            Extent::SMOKE
        } else if self.quick {
            Extent::QUICK
        } else if self.hour {
            Extent::HOUR
        } else {
            Extent::FULL
        }
    }
}

impl From<PartName> for Part {
    fn from(name: PartName) -> Self {
        match name {
            PartName::Join => Self::Join,
            PartName::GlassToGlass => Self::GlassToGlass,
            PartName::Page => Self::Page,
            PartName::Memory => Self::Memory,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match measure(&Options::parse()).await {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}", one_line(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

/// What was found, as JSON, once it is whole.
async fn measure(options: &Options) -> Result<String> {
    let extent = options.extent();
    // Dropped at the end of this function, whichever ends it: the programs and
    // the browser go with it.
    let found = tokio::select! {
        found = bench::run(&extent, options.only.map(Part::from)) => found?,
        asked = asked_to_end() => {
            asked?;
            bail!("ended before it was done");
        }
    };
    Ok(serde_json::to_string(&found)?)
}

/// Waits for Ctrl-C or SIGTERM.
async fn asked_to_end() -> Result<()> {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("cannot hear SIGTERM")?;
        tokio::select! {
            interrupt = interrupt => interrupt?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupt.await.context("cannot hear Ctrl-C")?;
    Ok(())
}

/// Programs and browsers tell their errors on many lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
