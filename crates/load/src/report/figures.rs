//! What all rounds of a scenario against one server come to: the median of each figure
//! and the sum of each count.

use crate::plan::Kind;
use crate::results::{Churn, Join, Load, Outcome, ProcessUse, Quantiles, Report, Scenario};

/// A scenario against one server, in all its rounds.
#[derive(Clone, Debug)]
pub(super) struct Group<'a> {
    pub(super) server: &'a str,
    pub(super) scenario: &'a Scenario,
    pub(super) outcomes: Vec<&'a Outcome>,
}

/// All of one kind, smallest first, servers side by side in their own order.
pub(super) fn groups(report: &Report, kind: Kind) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let runs = report.runs.iter();
    for run in runs.filter(|run| Kind::of(&run.scenario) == kind) {
        let same =
            |group: &&mut Group<'_>| group.server == run.server && *group.scenario == run.scenario;
        match groups.iter_mut().find(same) {
            Some(group) => group.outcomes.push(&run.outcome),
            None => groups.push(Group {
                server: &run.server,
                scenario: &run.scenario,
                outcomes: vec![&run.outcome],
            }),
        }
    }
    let place = |name: &str| report.servers.iter().position(|server| server.name == name);
    groups.sort_by_key(|group| (size(group.scenario), place(group.server)));
    groups
}

/// Those of one server.
pub(super) fn of_server<'a>(report: &'a Report, kind: Kind, server: &str) -> Vec<Group<'a>> {
    let mut groups = groups(report, kind);
    groups.retain(|group| group.server == server);
    groups
}

/// By what scenarios of one kind are sorted.
fn size(scenario: &Scenario) -> (u32, u32) {
    match scenario {
        Scenario::FanOut { viewers, .. } | Scenario::Churn { viewers, .. } => (*viewers, 0),
        Scenario::Streams {
            streams,
            viewers_each,
            ..
        } => (*viewers_each, *streams),
        Scenario::Join { crowd, .. } => (*crowd, 0),
    }
}

impl<'a> Group<'a> {
    pub(super) fn loads(&self) -> Vec<&'a Load> {
        let loads = self.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Load(load) => Some(load),
            Outcome::Join(_) | Outcome::Churn(_) | Outcome::Unjoined(_) | Outcome::Failed(_) => {
                None
            }
        });
        loads.collect()
    }

    pub(super) fn joins(&self) -> Vec<&'a Join> {
        let joins = self.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Join(join) => Some(join),
            Outcome::Load(_) | Outcome::Churn(_) | Outcome::Unjoined(_) | Outcome::Failed(_) => {
                None
            }
        });
        joins.collect()
    }

    pub(super) fn churns(&self) -> Vec<&'a Churn> {
        let churns = self.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Churn(churn) => Some(churn),
            Outcome::Load(_) | Outcome::Join(_) | Outcome::Unjoined(_) | Outcome::Failed(_) => None,
        });
        churns.collect()
    }

    /// Why runs came to nothing.
    pub(super) fn failures(&self) -> Vec<String> {
        let failures = self.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Failed(why) => Some(format!("failed: {why}")),
            Outcome::Unjoined(unjoined) => Some(unjoined.to_string()),
            Outcome::Load(_) | Outcome::Join(_) | Outcome::Churn(_) => None,
        });
        failures.collect()
    }

    /// Publishers that have no viewers.
    fn lone_publishers(&self) -> Option<u32> {
        match self.scenario {
            Scenario::Streams {
                streams,
                viewers_each: 0,
                ..
            } => Some(*streams),
            Scenario::Streams { .. }
            | Scenario::FanOut { .. }
            | Scenario::Join { .. }
            | Scenario::Churn { .. } => None,
        }
    }
}

/// A load in all its rounds. Figures of the server are `None` where its process was
/// not known.
#[derive(Clone, Debug)]
pub(super) struct LoadFigures {
    /// Viewers, or publishers where there were no viewers.
    pub(super) clients: u32,
    pub(super) runs: usize,
    /// Runs in which every viewer got every frame in time.
    pub(super) clean: usize,
    /// Of one core, 1 being all of it.
    pub(super) cores_used: Option<f64>,
    /// Processor time for each client, milliseconds a second.
    pub(super) client_ms: Option<f64>,
    /// Processor time for each packet that a viewer got, microseconds.
    pub(super) packet_us: Option<f64>,
    /// What viewers got for each second of processor time, bits.
    pub(super) bits_per_core: Option<f64>,
    pub(super) resident_bytes: Option<f64>,
    /// More than before the first client came, for each client.
    pub(super) client_bytes: Option<f64>,
    /// Context switches, a second.
    pub(super) switches: Option<f64>,
    pub(super) delay_us: Option<Quantiles>,
    pub(super) late_frames: u64,
    pub(super) lost_frames: u64,
    /// Packets that were lost or damaged on their way to viewers.
    pub(super) lost_packets: u64,
    /// Datagrams for the server and for the generator that the system had no room for.
    pub(super) server_drops: u64,
    pub(super) generator_drops: u64,
    /// The generator's busiest thread in its busiest run, 1 being a whole core.
    pub(super) generator: f64,
    /// Whether it was the bottleneck in any run.
    pub(super) generator_was_bottleneck: bool,
}

impl LoadFigures {
    /// `None` if no run came to its end.
    pub(super) fn of(group: &Group<'_>) -> Option<Self> {
        let loads = group.loads();
        let first = loads.first()?;
        let clients = group.lone_publishers().unwrap_or(first.viewers);
        let server = |figure: &dyn Fn(&Load, &ProcessUse) -> f64| {
            let values = loads.iter().filter_map(|load| {
                let value = figure(load, load.server.as_ref()?);
                value.is_finite().then_some(value)
            });
            median(values)
        };
        let each = f64::from(clients);
        let sum = |count: &dyn Fn(&Load) -> u64| loads.iter().map(|load| count(load)).sum();
        let generators = loads.iter().map(|load| &load.generator);
        Some(Self {
            clients,
            runs: loads.len(),
            clean: loads.iter().filter(|load| load.is_clean()).count(),
            cores_used: server(&|load, used| used.cpu_seconds / load.seconds),
            client_ms: server(&|load, used| used.cpu_seconds / load.seconds / each * 1e3),
            packet_us: server(&|load, used| used.cpu_seconds / load.received.packets as f64 * 1e6),
            bits_per_core: server(&|load, used| {
                load.received.bytes as f64 * 8.0 / used.cpu_seconds
            }),
            resident_bytes: server(&|_, used| used.resident_bytes as f64),
            client_bytes: server(&|_, used| grown(used) / each),
            switches: server(&|load, used| used.context_switches as f64 / load.seconds),
            delay_us: middle(loads.iter().filter_map(|load| load.delay_us)),
            late_frames: sum(&|load| load.received.late_frames),
            lost_frames: sum(&|load| load.received.lost_frames),
            lost_packets: sum(&|load| load.received.lost + load.received.damaged),
            server_drops: sum(&|load| load.server.map_or(0, |server| server.dropped_datagrams)),
            generator_drops: sum(&|load| load.generator.dropped_datagrams),
            generator: generators
                .clone()
                .map(|g| g.busiest_thread)
                .fold(0.0, f64::max),
            generator_was_bottleneck: generators.clone().any(|g| g.was_bottleneck()),
        })
    }

    /// Every viewer got every frame in time, in at least as many runs as not.
    pub(super) fn was_carried(&self) -> bool {
        self.clean * 2 >= self.runs
    }
}

fn grown(used: &ProcessUse) -> f64 {
    used.resident_bytes as f64 - used.idle_bytes as f64
}

/// The middle one, or the mean of the middle two.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some((values[middle - 1] + upper) / 2.0)
}

/// The median of each quantile; the maximum is the highest of all.
pub(super) fn middle(rounds: impl IntoIterator<Item = Quantiles>) -> Option<Quantiles> {
    let rounds: Vec<_> = rounds.into_iter().filter(|round| round.count > 0).collect();
    let of = |quantile: fn(&Quantiles) -> f64| median(rounds.iter().map(quantile));
    Some(Quantiles {
        count: rounds.iter().map(|round| round.count).sum(),
        median: of(|round| round.median)?,
        p95: of(|round| round.p95)?,
        p99: of(|round| round.p99)?,
        max: rounds.iter().map(|round| round.max).fold(0.0, f64::max),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_of_the_middle() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn rounds_without_values_say_nothing() {
        let round = |count, median| Quantiles {
            count,
            median,
            p95: median,
            p99: median,
            max: median,
        };
        assert_eq!(middle([round(0, 0.0)]), None);
        let middle = middle([round(0, 0.0), round(5, 7.0), round(6, 9.0)]).expect("values");
        assert_eq!((middle.count, middle.median, middle.max), (11, 8.0, 9.0));
    }
}
