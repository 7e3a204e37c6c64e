//! How much is done: all of it, the short run, the shortest.

use std::time::Duration;

use super::Kind;
use super::capacity::Bounds;
use crate::results::{MediaShape, Scenario};
use crate::scenario::Timing;

/// How thorough a bench is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Everything, several times, in about half an hour against two servers.
    Full,
    /// All kinds of scenarios once, in about three minutes against two servers: the
    /// figures are rough.
    Quick,
    /// A few viewers for a second: shows that it works, and no more.
    Smoke,
}

impl Depth {
    /// What it comes to.
    pub fn course(self) -> Course {
        match self {
            Self::Full => FULL,
            Self::Quick => QUICK,
            Self::Smoke => SMOKE,
        }
    }
}

/// The numbers and spans of a bench.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// Viewers of one stream.
    pub fan_out: Bounds,
    /// After this much time all searches end, with what they have found.
    pub searching: Duration,
    /// How often each scenario runs against each server; churn runs once.
    pub rounds: u32,
    /// What a server will carry, as a guess for the time it takes.
    pub(super) usual_capacity: u32,
    /// Streams and the viewers of each.
    streams: &'static [(u32, u32)],
    /// How many join within a second.
    crowds: &'static [u32],
    churning: u32,
    settle: Duration,
    measure: Duration,
    churn: Duration,
}

const FULL: Course = Course {
    fan_out: Bounds {
        rungs: &[1, 10, 100, 300, 1_000],
        most: 20_000,
        precision_percent: 5,
        runs: 24,
    },
    searching: Duration::from_secs(900),
    rounds: 3,
    usual_capacity: 1_500,
    streams: &[(10, 1), (100, 1), (100, 0)],
    crowds: &[1, 100],
    churning: 100,
    settle: Duration::from_secs(2),
    // Three keyframes of the usual stream, whenever it begins.
    measure: Duration::from_secs(12),
    churn: Duration::from_secs(120),
};

const QUICK: Course = Course {
    fan_out: Bounds {
        rungs: &[10, 100, 300],
        most: 20_000,
        precision_percent: 30,
        runs: 7,
    },
    searching: Duration::from_secs(100),
    rounds: 1,
    usual_capacity: 800,
    streams: &[(50, 1), (50, 0)],
    crowds: &[1, 100],
    churning: 50,
    settle: Duration::from_millis(700),
    measure: Duration::from_secs(2),
    churn: Duration::from_secs(5),
};

const SMOKE: Course = Course {
    fan_out: Bounds {
        rungs: &[3],
        most: 3,
        precision_percent: 100,
        runs: 1,
    },
    searching: Duration::from_secs(60),
    rounds: 1,
    usual_capacity: 3,
    streams: &[(2, 1), (2, 0)],
    crowds: &[1, 3],
    churning: 2,
    settle: Duration::from_millis(300),
    measure: Duration::from_secs(1),
    churn: Duration::from_secs(2),
};

impl Course {
    /// Every scenario besides fan-out, of one round.
    pub(super) fn rest(&self, media: MediaShape, round: u32) -> Vec<Scenario> {
        let streams = self
            .streams
            .iter()
            .map(|(streams, viewers_each)| Scenario::Streams {
                streams: *streams,
                viewers_each: *viewers_each,
                media,
            });
        let joins = self.crowds.iter().map(|crowd| Scenario::Join {
            crowd: *crowd,
            media,
        });
        // It takes minutes, and its figure is a memory's way over time: once will do.
        let churn = (round == 0).then_some(Scenario::Churn {
            viewers: self.churning,
            media,
        });
        streams.chain(joins).chain(churn).collect()
    }

    /// For how long a scenario is measured.
    pub fn timing(&self, scenario: &Scenario) -> Timing {
        let measure = match Kind::of(scenario) {
            Kind::FanOut | Kind::Streams | Kind::Join => self.measure,
            Kind::Churn => self.churn,
        };
        Timing {
            settle: self.settle,
            measure,
            ..Timing::default()
        }
    }
}
