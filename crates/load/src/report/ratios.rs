//! This project's server beside another one: ratios, which hold on other machines,
//! where the figures themselves do not.

use super::figures::{self, Group, LoadFigures, middle};
use super::text::{Table, count, number, plural};
use crate::plan::Kind;
use crate::plan::capacity::{Capacity, Limit};
use crate::results::{Quantiles, Report, Run, Scenario};

/// Differences below this are noise.
const SAME: f64 = 1.05;

/// One figure of two servers.
struct Pair {
    what: String,
    unit: &'static str,
    ours: f64,
    theirs: f64,
}

impl Pair {
    fn row(&self) -> [String; 4] {
        let Self { what, unit, .. } = self;
        let said = |figure: f64| format!("{} {unit}", number(figure)).trim_end().to_owned();
        let times = times_better(self.theirs / self.ours);
        [what.clone(), said(self.ours), said(self.theirs), times]
    }
}

/// How many times as good, in words.
fn times_better(factor: f64) -> String {
    if !factor.is_finite() || factor <= 0.0 {
        return "–".to_owned();
    }
    if factor >= SAME {
        format!("**{:.1} times better**", factor)
    } else if factor <= 1.0 / SAME {
        format!("{:.1} times worse", 1.0 / factor)
    } else {
        "the same".to_owned()
    }
}

/// Ours against `other`.
pub(super) fn table(report: &Report, ours: &str, other: &str) -> String {
    let mut table = Table::new(&["", ours, other, &format!("{ours} is")], 1);
    for pair in load_pairs(report, ours, other) {
        table.row(pair.row());
    }
    if let Some(row) = capacity_row(report, ours, other) {
        table.row(row);
    }
    for pair in join_pairs(report, ours, other) {
        table.row(pair.row());
    }
    table.finish()
}

/// What the most viewers cost that both carried.
fn load_pairs(report: &Report, ours: &str, other: &str) -> Vec<Pair> {
    let Some((viewers, ours, theirs)) = common_load(report, ours, other) else {
        return Vec::new();
    };
    let at = plural(u64::from(viewers), "viewer");
    let delay = |load: &LoadFigures, of: fn(&Quantiles) -> f64| {
        load.delay_us.as_ref().map(|delay| of(delay) / 1e3)
    };
    let pair = |what, unit, ours: Option<f64>, theirs: Option<f64>| {
        Some(Pair {
            what: format!("{what}, {at}"),
            unit,
            ours: ours?,
            theirs: theirs?,
        })
    };
    let kib = |load: &LoadFigures| load.client_bytes.map(|bytes| bytes / 1_024.0);
    let pairs = [
        pair(
            "processor time a viewer",
            "ms/s",
            ours.client_ms,
            theirs.client_ms,
        ),
        pair(
            "processor time a packet",
            "µs",
            ours.packet_us,
            theirs.packet_us,
        ),
        pair("memory a viewer", "KiB", kib(&ours), kib(&theirs)),
        pair(
            "delay, median",
            "ms",
            delay(&ours, |delay| delay.median),
            delay(&theirs, |delay| delay.median),
        ),
        pair(
            "delay, 99th percentile",
            "ms",
            delay(&ours, |delay| delay.p99),
            delay(&theirs, |delay| delay.p99),
        ),
    ];
    pairs.into_iter().flatten().collect()
}

/// The largest fan-out that both carried, or else the largest that both ran.
fn common_load(
    report: &Report,
    ours: &str,
    other: &str,
) -> Option<(u32, LoadFigures, LoadFigures)> {
    let of = |server| figures::of_server(report, Kind::FanOut, server);
    let theirs = of(other);
    let both = of(ours).into_iter().filter_map(|group| {
        let same = theirs
            .iter()
            .find(|other| other.scenario == group.scenario)?;
        let figures = (LoadFigures::of(&group)?, LoadFigures::of(same)?);
        Some((figures.0.clients, figures.0, figures.1))
    });
    let both: Vec<_> = both.collect();
    let carried = both
        .iter()
        .rfind(|(_, ours, theirs)| ours.was_carried() && theirs.was_carried());
    carried.or(both.last()).cloned()
}

fn capacity_row(report: &Report, ours: &str, other: &str) -> Option<[String; 4]> {
    let (ours, theirs) = (capacity(report, ours)?, capacity(report, other)?);
    let ratio = |of: u32| f64::from(ours.viewers) / f64::from(of);
    let times = match (ours.is_the_servers(), &theirs.limit) {
        (true, Limit::Server(_)) if theirs.is_the_servers() => times_better(ratio(theirs.viewers)),
        // Ours may carry more than was seen, theirs less than was too many for it.
        (false, Limit::Server(many)) if ratio(*many) >= SAME => {
            format!("at least {}", times_better(ratio(*many)))
        }
        (true | false, _) => "not known".to_owned(),
    };
    Some([
        "viewers with no frame late or lost".to_owned(),
        short(&ours),
        short(&theirs),
        times,
    ])
}

/// Of a server that was asked for it.
fn capacity(report: &Report, server: &str) -> Option<Capacity> {
    let is_fan_out =
        |run: &&Run| run.server == server && matches!(run.scenario, Scenario::FanOut { .. });
    report.runs.iter().find(is_fan_out)?;
    Some(Capacity::of(report.runs.iter().filter(is_fan_out)))
}

fn short(capacity: &Capacity) -> String {
    let viewers = count(u64::from(capacity.viewers));
    if capacity.is_the_servers() {
        viewers
    } else {
        format!("at least {viewers}")
    }
}

/// What a server's capacity is, in a sentence; `None` if it had no fan-out.
pub(super) fn capacity_sentence(report: &Report, server: &str) -> Option<String> {
    let capacity = capacity(report, server)?;
    let carried = plural(u64::from(capacity.viewers), "viewer");
    let least = format!("**{server}** carries at least {carried} with no frame late or lost");
    Some(match capacity.limit {
        Limit::Server(many) if !capacity.is_the_servers() => format!(
            "{least}, but not {}; there was no time to try those in between.",
            count(many.into())
        ),
        Limit::Server(many) => format!(
            "**{server}** carries {carried} with no frame late or lost; {} were too many.",
            count(many.into())
        ),
        Limit::Generator(many) => format!(
            "{least}; at {} the load generator was the limit, so that nothing can be said \
             of the server.",
            count(many.into())
        ),
        Limit::Failed(many, why) => {
            format!(
                "{least}; {} could not be measured: {why}.",
                count(many.into())
            )
        }
        Limit::Untried => format!("{least}; more were not tried."),
    })
}

fn join_pairs(report: &Report, ours: &str, other: &str) -> Vec<Pair> {
    let theirs = figures::of_server(report, Kind::Join, other);
    let ours = figures::of_server(report, Kind::Join, ours);
    let pairs = ours.iter().flat_map(|group| {
        let same = theirs.iter().find(|other| other.scenario == group.scenario);
        same.map(|same| pairs_of_joins(group, same))
            .unwrap_or_default()
    });
    pairs.collect()
}

fn pairs_of_joins(ours: &Group<'_>, theirs: &Group<'_>) -> Vec<Pair> {
    let keyframe = |group: &Group<'_>| middle(group.joins().iter().map(|join| join.keyframe_us));
    let (Some(ours), Some(theirs), Scenario::Join { crowd, .. }) =
        (keyframe(ours), keyframe(theirs), ours.scenario)
    else {
        return Vec::new();
    };
    let who = match crowd {
        1 => "join, one by one".to_owned(),
        crowd => format!("join, {} within a second", count(u64::from(*crowd))),
    };
    let pair = |quantile, of: fn(&Quantiles) -> f64| Pair {
        what: format!("{who}, {quantile}"),
        unit: "ms",
        ours: of(&ours) / 1e3,
        theirs: of(&theirs) / 1e3,
    };
    vec![
        pair("median", |join| join.median),
        pair("95th percentile", |join| join.p95),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_told_in_words() {
        for (factor, expected) in [
            (2.44, "**2.4 times better**"),
            (0.5, "2.0 times worse"),
            (1.04, "the same"),
            (0.96, "the same"),
            (0.0, "–"),
            (f64::INFINITY, "–"),
        ] {
            assert_eq!(times_better(factor), expected);
        }
    }
}
