//! A table for each kind of scenario.

use super::figures::{self, Group, LoadFigures, middle};
use super::text::{Table, count, number, number_or_dash, plural};
use crate::plan::Kind;
use crate::results::{Churn, Join, Quantiles, Report, Scenario};

const MIB: f64 = 1_048_576.0;

/// One stream and its viewers.
pub(super) fn fan_out(report: &Report) -> String {
    loads(report, Kind::FanOut, "viewers", |scenario| match scenario {
        Scenario::FanOut { viewers, .. } => count((*viewers).into()),
        Scenario::Streams { .. } | Scenario::Join { .. } | Scenario::Churn { .. } => String::new(),
    })
}

/// Many streams.
pub(super) fn streams(report: &Report) -> String {
    loads(
        report,
        Kind::Streams,
        "streams",
        |scenario| match scenario {
            Scenario::Streams {
                streams,
                viewers_each: 0,
                ..
            } => format!("{}, no viewers", count((*streams).into())),
            Scenario::Streams {
                streams,
                viewers_each,
                ..
            } => format!(
                "{}, {} each",
                count((*streams).into()),
                plural((*viewers_each).into(), "viewer")
            ),
            Scenario::FanOut { .. } | Scenario::Join { .. } | Scenario::Churn { .. } => {
                String::new()
            }
        },
    )
}

/// Two tables: what it cost the server, and what viewers got.
fn loads(report: &Report, kind: Kind, what: &str, name: fn(&Scenario) -> String) -> String {
    let headings = [
        what,
        "server",
        "of a core",
        "ms/s each",
        "µs a packet",
        "Gbit/s a core",
        "KiB each",
        "switches/s",
    ];
    let mut cost = Table::new(&headings, 2);
    let headings = [
        what,
        "server",
        "delay, ms: median",
        "95th",
        "99th",
        "most",
        "frames late",
        "frames lost",
        "packets lost",
        "server's drops",
        "generator",
        "",
    ];
    let mut got = Table::new(&headings, 2);
    for group in figures::groups(report, kind) {
        let start = || [name(group.scenario), group.server.to_owned()].into_iter();
        if let Some(figures) = LoadFigures::of(&group) {
            cost.row(start().chain(cost_cells(&figures)));
            got.row(start().chain(got_cells(&figures)));
        }
        if let Some(why) = group.failures().first() {
            got.row(start().chain(failure(headings.len(), why)));
        }
    }
    cost.finish() + &got.finish()
}

/// The cells after the first two: why there are no figures is in the last, the others
/// are empty.
fn failure(columns: usize, why: &str) -> impl Iterator<Item = String> {
    let empty = std::iter::repeat_n(String::new(), columns - 3);
    empty.chain(std::iter::once(why.to_owned()))
}

fn cost_cells(load: &LoadFigures) -> [String; 6] {
    [
        load.cores_used.map_or_else(|| "–".to_owned(), percent),
        number_or_dash(load.client_ms),
        number_or_dash(load.packet_us),
        number_or_dash(load.bits_per_core.map(|bits| bits / 1e9)),
        number_or_dash(load.client_bytes.map(|bytes| bytes / 1_024.0)),
        number_or_dash(load.switches),
    ]
}

fn got_cells(load: &LoadFigures) -> Vec<String> {
    let mut cells = milliseconds(load.delay_us).to_vec();
    let counts = [
        load.late_frames,
        load.lost_frames,
        load.lost_packets,
        load.server_drops,
    ];
    cells.extend(counts.map(count));
    cells.push(generator(load));
    cells.push(remark(load));
    cells
}

/// How busy it was, and what it missed.
fn generator(load: &LoadFigures) -> String {
    match load.generator_drops {
        0 => percent(load.generator),
        drops => format!("{}, {}", percent(load.generator), plural(drops, "drop")),
    }
}

fn percent(part: f64) -> String {
    format!("{} %", number(part * 100.0))
}

fn remark(load: &LoadFigures) -> String {
    // Publishers alone send to nobody: there is nothing to be clean.
    let nobody = load.delay_us.is_none() && load.late_frames == 0 && load.lost_frames == 0;
    match load.clean {
        _ if nobody && !load.generator_was_bottleneck => String::new(),
        clean if clean == load.runs => "clean".to_owned(),
        _ if load.generator_was_bottleneck => "the generator was the limit".to_owned(),
        clean => format!("clean in {clean} of {}", load.runs),
    }
}

/// Median, 95th and 99th percentile and the highest.
fn milliseconds(quantiles: Option<Quantiles>) -> [String; 4] {
    let Some(q) = quantiles else {
        return [(); 4].map(|()| "–".to_owned());
    };
    [q.median, q.p95, q.p99, q.max].map(|us| number(us / 1e3))
}

/// A phase of joining: its name, and when it was over.
type Phase = (&'static str, fn(&Join) -> Quantiles);

/// The phases of joining, in their order.
pub(super) const PHASES: [Phase; 5] = [
    ("answered", |join| join.answered_us),
    ("ICE connected", |join| join.ice_us),
    ("DTLS done", |join| join.dtls_us),
    ("first packet", |join| join.first_packet_us),
    ("first keyframe complete", |join| join.keyframe_us),
];

/// Joining, phase by phase.
pub(super) fn join(report: &Report) -> String {
    let headings = [
        "joining",
        "server",
        "until",
        "median, ms",
        "95th",
        "99th",
        "most",
        "joined",
        "failed",
    ];
    let mut table = Table::new(&headings, 3);
    for group in figures::groups(report, Kind::Join) {
        let start = [crowd(group.scenario), group.server.to_owned()];
        let joins = group.joins();
        for (phase, quantiles) in PHASES {
            let Some(quantiles) = middle(joins.iter().map(|join| quantiles(join))) else {
                continue;
            };
            let joined: u64 = joins.iter().map(|join| u64::from(join.joined)).sum();
            let failed: u64 = joins.iter().map(|join| u64::from(join.failed)).sum();
            let cells = start.clone().into_iter().chain([phase.to_owned()]);
            let cells = cells.chain(milliseconds(Some(quantiles)));
            table.row(cells.chain([joined, failed].map(count)));
        }
        let failed: u64 = joins.iter().map(|join| u64::from(join.failed)).sum();
        if failed > 0 && joins.iter().all(|join| join.joined == 0) {
            let words = format!("nobody joined, {} failed", count(failed));
            table.row(start.clone().into_iter().chain([words]));
        }
        if let Some(why) = group.failures().first() {
            table.row(start.into_iter().chain([why.clone()]));
        }
    }
    table.finish()
}

/// Who joins.
pub(super) fn crowd(scenario: &Scenario) -> String {
    match scenario {
        Scenario::Join { crowd: 1, .. } => "one by one".to_owned(),
        Scenario::Join { crowd, .. } => format!("{} in a second", count((*crowd).into())),
        Scenario::FanOut { .. } | Scenario::Streams { .. } | Scenario::Churn { .. } => {
            String::new()
        }
    }
}

/// Coming and going.
pub(super) fn churn(report: &Report) -> String {
    let headings = [
        "viewers at a time",
        "server",
        "seconds",
        "visits",
        "without media",
        "MiB before",
        "halfway",
        "at most",
        "after all left",
        "",
    ];
    let mut table = Table::new(&headings, 2);
    for group in figures::groups(report, Kind::Churn) {
        let Scenario::Churn { viewers, .. } = group.scenario else {
            continue;
        };
        let start = [count((*viewers).into()), group.server.to_owned()];
        for churn in group.churns() {
            table.row(start.clone().into_iter().chain(churn_cells(churn)));
        }
        if let Some(why) = group.failures().first() {
            table.row(start.into_iter().chain(failure(headings.len(), why)));
        }
    }
    table.finish()
}

fn churn_cells(churn: &Churn) -> Vec<String> {
    let mib = |bytes: Option<u64>| number_or_dash(bytes.map(|bytes| bytes as f64 / MIB));
    let before = churn.server.map(|server| server.idle_bytes);
    let half = churn
        .resident
        .iter()
        .find(|(at, _)| *at >= churn.seconds / 2.0);
    let half = half.map(|(_, bytes)| *bytes);
    let most = churn.resident.iter().map(|(_, bytes)| *bytes).max();
    let after = churn.resident.last().map(|(_, bytes)| *bytes);
    let remark = if churn.generator.was_bottleneck() {
        "the generator was the limit"
    } else {
        ""
    };
    vec![
        number(churn.seconds),
        count(churn.visits),
        count(churn.failures),
        mib(before),
        mib(half),
        mib(most),
        mib(after),
        remark.to_owned(),
    ]
}

/// Whether a report has runs of this kind.
pub(super) fn has(report: &Report, kind: Kind) -> bool {
    let runs = report.runs.iter();
    runs.into_iter().any(|run| Kind::of(&run.scenario) == kind)
}

/// Which servers' groups these are, for plots: a name and its groups.
pub(super) fn by_server(report: &Report, kind: Kind) -> Vec<(&str, Vec<Group<'_>>)> {
    let servers = report.servers.iter();
    servers
        .map(|server| {
            let name = server.name.as_str();
            (name, figures::of_server(report, kind, name))
        })
        .collect()
}
