//! `twoway-load report`: the page and its plots from results that were written before.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use load::report;
use load::results::{Browser, Report};
use serde::Deserialize;

use super::Exit;
use crate::arguments;

/// What a file of results holds.
#[derive(Deserialize)]
#[serde(untagged)]
enum Results {
    Bench(Box<Report>),
    Browser(Box<Browser>),
}

/// Reads all results, puts them together and writes the page.
pub(super) fn run(args: &arguments::Report) -> Result<Exit> {
    let all = args.results.iter().map(|path| read(path));
    let report = merged(all.collect::<Result<_>>()?)?;
    report::render(&report, &args.output)?;
    Ok(Exit::Done)
}

fn read(path: &Path) -> Result<Results> {
    let name = path.display();
    let text = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    serde_json::from_slice(&text)
        .map_err(|_| anyhow::anyhow!("{name} holds no results of a bench or of a browser"))
}

/// The first bench with the runs of the others, and the last browser's part.
fn merged(all: Vec<Results>) -> Result<Report> {
    let mut merged: Option<Report> = None;
    let mut seen = None;
    for results in all {
        match (results, &mut merged) {
            (Results::Browser(browser), _) => seen = Some(*browser),
            (Results::Bench(report), None) => merged = Some(*report),
            (Results::Bench(report), Some(merged)) => add(merged, *report),
        }
    }
    let mut report = merged.context("there are no results of a bench among these")?;
    report.browser = seen.or(report.browser);
    Ok(report)
}

fn add(merged: &mut Report, other: Report) {
    for server in other.servers {
        if !merged.servers.iter().any(|known| known.name == server.name) {
            merged.servers.push(server);
        }
    }
    merged.runs.extend(other.runs);
    merged.quick |= other.quick;
    if other.browser.is_some() {
        merged.browser = other.browser;
    }
}
