//! What this project's own server and page promise, and whether they keep it.

use super::figures::{self, Group, LoadFigures};
use super::text::{Table, number};
use crate::plan::Kind;
use crate::results::{Report, Scenario};

/// From the wish to the first complete keyframe in a native viewer, median,
/// milliseconds.
const NATIVE_JOIN_MS: f64 = 60.0;
/// From the press on Play to the first painted frame in the page, median, milliseconds.
const PAGE_JOIN_MS: f64 = 120.0;
/// From capture to presentation of the test picture at 720p30, median, milliseconds.
pub(super) const GLASS_TO_GLASS_MS: f64 = 80.0;
/// What one core sends to viewers of 1.5 Mbit/s, gigabits a second.
const EGRESS_GBPS: f64 = 3.0;
/// The server's memory for each viewer, KiB.
pub(super) const VIEWER_KIB: f64 = 100.0;
/// How much more a viewer may cost among 1,000 than among 10. None would be the
/// promise; runs vary by as much as this.
const GROWTH: f64 = 1.1;
/// What a first visit of the page transfers, compressed, kilobytes.
const PAGE_KB: f64 = 200.0;

/// What is promised of a figure.
enum Promise {
    AtMost(f64),
    AtLeast(f64),
}

struct Budget {
    what: &'static str,
    unit: &'static str,
    promise: Promise,
    measured: Option<f64>,
}

impl Budget {
    fn at_most(what: &'static str, unit: &'static str, most: f64, measured: Option<f64>) -> Self {
        Self {
            what,
            unit,
            promise: Promise::AtMost(most),
            measured,
        }
    }

    fn row(&self) -> [String; 4] {
        let (words, kept): (_, fn(f64, f64) -> bool) = match self.promise {
            Promise::AtMost(_) => ("at most", |measured, most| measured <= most),
            Promise::AtLeast(_) => ("at least", |measured, least| measured >= least),
        };
        let (Promise::AtMost(bound) | Promise::AtLeast(bound)) = self.promise;
        let unit = self.unit;
        let measured = self
            .measured
            .map(|measured| format!("{} {unit}", number(measured)));
        let verdict = match self.measured {
            None => "not measured",
            Some(measured) if kept(measured, bound) => "met",
            Some(_) => "**not met**",
        };
        [
            self.what.to_owned(),
            format!("{words} {bound} {unit}"),
            measured.unwrap_or_else(|| "–".to_owned()),
            verdict.to_owned(),
        ]
    }
}

/// Each budget, what was measured of `ours`, and whether it was met.
pub(super) fn table(report: &Report, ours: &str) -> String {
    let mut table = Table::new(&["what", "budget", "measured", ""], 2);
    for budget in budgets(report, ours) {
        table.row(budget.row());
    }
    table.finish()
}

fn budgets(report: &Report, ours: &str) -> [Budget; 7] {
    let browser = report.browser.as_ref();
    let fan_outs = figures::of_server(report, Kind::FanOut, ours);
    let loads: Vec<_> = fan_outs.iter().filter_map(LoadFigures::of).collect();
    let carried = || loads.iter().filter(|load| load.was_carried());
    let fullest = carried().next_back();
    [
        Budget::at_most(
            "join, native viewer, median",
            "ms",
            NATIVE_JOIN_MS,
            native_join_ms(report, ours),
        ),
        Budget::at_most(
            "join, the page, to the first painted frame, median",
            "ms",
            PAGE_JOIN_MS,
            browser.and_then(|b| (b.join_ms.count > 0).then_some(b.join_ms.median)),
        ),
        Budget::at_most(
            "glass to glass, 720p30 test picture, median",
            "ms",
            GLASS_TO_GLASS_MS,
            browser.and_then(|b| {
                (b.glass_to_glass_ms.count > 0).then_some(b.glass_to_glass_ms.median)
            }),
        ),
        Budget {
            what: "egress for each core in use, at the most viewers carried",
            unit: "Gbit/s",
            promise: Promise::AtLeast(EGRESS_GBPS),
            measured: fullest
                .and_then(|load| load.bits_per_core)
                .map(|bits| bits / 1e9),
        },
        Budget::at_most(
            "server memory a viewer, at the most viewers carried",
            "KiB",
            VIEWER_KIB,
            fullest
                .and_then(|load| load.client_bytes)
                .map(|bytes| bytes / 1_024.0),
        ),
        Budget::at_most(
            "processor time a viewer among 1,000, as against 10",
            "times",
            GROWTH,
            growth(&loads),
        ),
        Budget::at_most(
            "first visit of the page, compressed",
            "kB",
            PAGE_KB,
            browser.and_then(|b| {
                let bytes: u64 = b.transfer.iter().map(|(_, bytes)| bytes).sum();
                (bytes > 0).then_some(bytes as f64 / 1e3)
            }),
        ),
    ]
}

/// The median of one viewer after the other.
fn native_join_ms(report: &Report, ours: &str) -> Option<f64> {
    let groups = figures::of_server(report, Kind::Join, ours);
    let alone = |group: &&Group<'_>| matches!(group.scenario, Scenario::Join { crowd: 1, .. });
    let joins = groups.iter().find(alone)?.joins();
    let keyframe = figures::middle(joins.iter().map(|join| join.keyframe_us))?;
    Some(keyframe.median / 1e3)
}

fn growth(loads: &[LoadFigures]) -> Option<f64> {
    let cost = |clients| {
        let mut at = loads.iter().filter(|load| load.clients == clients);
        at.next()?.client_ms
    };
    Some(cost(1_000)? / cost(10)?)
}
