//! Which plots there are, and of what.

use anyhow::Result;

use super::bars::{Bar, Bars};
use super::budgets::GLASS_TO_GLASS_MS;
use super::chart::{Chart, Line, Style};
use super::figures::{LoadFigures, middle};
use super::sections::{PHASES, by_server, crowd};
use crate::plan::Kind;
use crate::results::Report;

const MIB: f64 = 1_048_576.0;

/// A plot that has been drawn.
pub(super) struct Plot {
    /// Name of its file.
    pub(super) file: &'static str,
    /// Its title, also for those who cannot see it.
    pub(super) title: &'static str,
    pub(super) svg: String,
}

/// Every plot for which there are figures.
pub(super) fn all(report: &Report) -> Result<Vec<Plot>> {
    let drawn = [
        cost(report)?,
        delay(report)?,
        memory(report)?,
        join(report)?,
        churn(report)?,
        glass_to_glass(report)?,
    ];
    Ok(drawn.into_iter().flatten().collect())
}

fn chart(file: &'static str, title: &'static str, chart: &Chart<'_>) -> Result<Option<Plot>> {
    Ok(chart.draw()?.map(|svg| Plot { file, title, svg }))
}

/// A line for each server, of a figure over its viewers.
fn over_viewers(report: &Report, figure: impl Fn(&LoadFigures) -> Option<f64>) -> Vec<Line> {
    let servers = by_server(report, Kind::FanOut).into_iter().enumerate();
    let lines = servers.map(|(colour, (name, groups))| {
        let loads = groups.iter().filter_map(LoadFigures::of);
        let points = loads.filter_map(|load| Some((f64::from(load.clients), figure(&load)?)));
        Line {
            name: name.to_owned(),
            colour,
            style: Style::Marked,
            points: points.collect(),
        }
    });
    lines.collect()
}

fn cost(report: &Report) -> Result<Option<Plot>> {
    let title = "Processor time for each viewer";
    chart(
        "cost.svg",
        title,
        &Chart {
            title,
            description: "Milliseconds of processor time a second for each viewer, over the \
                          number of viewers of one stream; a line for each server.",
            x: "viewers of one stream",
            x_is_log: true,
            y: "ms/s a viewer",
            y_is_log: true,
            lines: over_viewers(report, |load| load.client_ms),
        },
    )
}

fn delay(report: &Report) -> Result<Option<Plot>> {
    let title = "Delay from publisher to viewer";
    let quantile = |of: fn(&crate::results::Quantiles) -> f64| {
        over_viewers(report, move |load| Some(of(&load.delay_us?) / 1e3))
    };
    let mut lines = quantile(|delay| delay.median);
    for line in &mut lines {
        line.name.push_str(", median");
    }
    let slow = quantile(|delay| delay.p99).into_iter().map(|line| Line {
        name: format!("{}, 99th percentile", line.name),
        style: Style::Dashed,
        ..line
    });
    lines.extend(slow);
    chart(
        "delay.svg",
        title,
        &Chart {
            title,
            description: "Milliseconds from a packet's way into the publisher's socket to its \
                          way out of a viewer's, median and 99th percentile, over the number \
                          of viewers of one stream; two lines for each server.",
            x: "viewers of one stream",
            x_is_log: true,
            y: "ms",
            y_is_log: true,
            lines,
        },
    )
}

fn memory(report: &Report) -> Result<Option<Plot>> {
    let title = "Memory of the server";
    chart(
        "memory.svg",
        title,
        &Chart {
            title,
            description: "Resident memory in MiB, over the number of viewers of one stream; a \
                          line for each server.",
            x: "viewers of one stream",
            x_is_log: true,
            y: "MiB",
            y_is_log: true,
            lines: over_viewers(report, |load| load.resident_bytes.map(|bytes| bytes / MIB)),
        },
    )
}

fn join(report: &Report) -> Result<Option<Plot>> {
    let title = "Joining, phase by phase";
    let bars = by_server(report, Kind::Join)
        .into_iter()
        .flat_map(|(name, groups)| {
            groups.into_iter().filter_map(move |group| {
                let joins = group.joins();
                let ends = PHASES.map(|(_, of)| middle(joins.iter().map(|join| of(join))));
                let ends: Option<Vec<_>> = ends.into_iter().collect();
                Some(Bar {
                    name: format!("{name}, {}", crowd(group.scenario)),
                    ends: ends?.iter().map(|phase| phase.median / 1e3).collect(),
                })
            })
        });
    let bars = Bars {
        title,
        description: "Milliseconds from a viewer's wish to its first complete keyframe, median, \
                      by phase; a bar for each server and crowd.",
        unit: "ms since the viewer's wish, median",
        parts: &PHASES.map(|(name, _)| name),
        bars: bars.collect(),
    };
    Ok(bars.draw()?.map(|svg| Plot {
        file: "join.svg",
        title,
        svg,
    }))
}

fn churn(report: &Report) -> Result<Option<Plot>> {
    let title = "Memory while viewers come and go";
    let servers = by_server(report, Kind::Churn).into_iter().enumerate();
    let lines = servers.filter_map(|(colour, (name, groups))| {
        let churn = groups.iter().find_map(|group| group.churns().pop())?;
        let points = churn.resident.iter();
        Some(Line {
            name: name.to_owned(),
            colour,
            style: Style::Plain,
            points: points
                .map(|(at, bytes)| (*at, *bytes as f64 / MIB))
                .collect(),
        })
    });
    chart(
        "churn.svg",
        title,
        &Chart {
            title,
            description: "Resident memory in MiB over time while viewers come and go; at the end \
                          all have left. A line for each server.",
            x: "seconds",
            x_is_log: false,
            y: "MiB",
            y_is_log: false,
            lines: lines.collect(),
        },
    )
}

fn glass_to_glass(report: &Report) -> Result<Option<Plot>> {
    let Some(browser) = &report.browser else {
        return Ok(None);
    };
    let points = browser.glass_to_glass_over_time.clone();
    let span = points.first().zip(points.last());
    let budget =
        span.map(|((from, _), (to, _))| [*from, *to].map(|at| (at, GLASS_TO_GLASS_MS)).to_vec());
    let title = "Glass to glass in the browser";
    chart(
        "glass-to-glass.svg",
        title,
        &Chart {
            title,
            description: "Milliseconds from a frame's capture to its presentation, the median of \
                          each span, over time, and the budget.",
            x: "seconds",
            x_is_log: false,
            y: "ms",
            y_is_log: false,
            lines: vec![
                Line {
                    name: "median of each span".to_owned(),
                    colour: 0,
                    style: Style::Marked,
                    points,
                },
                Line {
                    name: "budget".to_owned(),
                    colour: 0,
                    style: Style::Bound,
                    points: budget.unwrap_or_default(),
                },
            ],
        },
    )
}
