//! Which scenarios run against which server, in what order and for how long.
//!
//! Servers take turns within each scenario and swap their places each time, so that
//! a machine that slows down or warms up slows them all: ratios are what counts. A
//! value like the searches in it: it has no clock and knows no server but by its
//! number.

pub mod capacity;
mod course;

use std::collections::VecDeque;
use std::time::Duration;

pub use course::{Course, Depth};

use crate::results::{MediaShape, Outcome, Scenario};
use crate::scenario::Timing;
use capacity::{Search, Verdict};

/// What viewers get unless something else is asked for: 1.5 Mbit/s at 30 frames a
/// second, a keyframe every four seconds.
pub const USUAL_MEDIA: MediaShape = MediaShape {
    bitrate_bps: 1_500_000,
    frame_rate: 30,
    keyframe_interval: 120,
    keyframe_factor: 6,
    audio: false,
};

/// A kind of scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// One stream and more and more viewers, up to the capacity.
    FanOut,
    /// Many streams.
    Streams,
    /// Viewers that join.
    Join,
    /// Viewers that come and go.
    Churn,
}

impl Kind {
    /// All of them, in the order they run.
    pub const ALL: [Self; 4] = [Self::FanOut, Self::Streams, Self::Join, Self::Churn];

    /// Of a scenario.
    pub fn of(scenario: &Scenario) -> Self {
        match scenario {
            Scenario::FanOut { .. } => Self::FanOut,
            Scenario::Streams { .. } => Self::Streams,
            Scenario::Join { .. } => Self::Join,
            Scenario::Churn { .. } => Self::Churn,
        }
    }
}

/// One run of one scenario against one server.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Which of the servers.
    pub server: usize,
    /// How often this scenario has run against this server before.
    pub round: u32,
    /// What to do.
    pub scenario: Scenario,
    /// For how long.
    pub timing: Timing,
}

impl Step {
    /// About how long it will take, all in.
    fn expected(&self) -> Duration {
        const STARTING: Duration = Duration::from_millis(1_500);
        const JOINING: Duration = Duration::from_millis(8);
        const CROWD: Duration = Duration::from_secs(3);
        let loaded = self.timing.settle + self.timing.measure;
        STARTING
            + match self.scenario {
                Scenario::FanOut { viewers, .. } => JOINING * viewers + loaded,
                Scenario::Streams {
                    streams,
                    viewers_each,
                    ..
                } => JOINING * (streams + streams * viewers_each) + loaded,
                Scenario::Join { crowd: 1, .. } => loaded,
                Scenario::Join { .. } => CROWD,
                Scenario::Churn { .. } => loaded,
            }
    }
}

/// All that a bench does, one step at a time.
#[derive(Debug)]
pub struct Plan {
    course: Course,
    media: MediaShape,
    servers: usize,
    only: Vec<Kind>,
    /// One a server; empty once they have ended.
    searches: Vec<Search>,
    queue: VecDeque<(usize, Scenario)>,
    /// How often servers have taken turns.
    turns: usize,
    /// What has been handed out.
    ran: Vec<(usize, Scenario)>,
    expected: Duration,
    took: Duration,
}

impl Plan {
    /// A plan of `only` these kinds of scenarios for so many servers.
    pub fn new(course: Course, media: MediaShape, servers: usize, only: &[Kind]) -> Self {
        let mut plan = Self {
            course,
            media,
            servers,
            only: only.to_vec(),
            searches: vec![Search::new(course.fan_out); servers],
            queue: VecDeque::new(),
            turns: 0,
            ran: Vec::new(),
            expected: Duration::ZERO,
            took: Duration::ZERO,
        };
        if !only.contains(&Kind::FanOut) {
            plan.searches.clear();
            plan.queue_the_rest();
        }
        plan
    }

    /// What to do next; `None` at the end. To be followed by [`Self::saw`].
    pub fn next_step(&mut self) -> Option<Step> {
        if self.queue.is_empty() && !self.searches.is_empty() {
            self.search_on();
        }
        let (server, scenario) = self.queue.pop_front()?;
        let same = |ran: &&(usize, Scenario)| **ran == (server, scenario.clone());
        let round = self.ran.iter().filter(same).count() as u32;
        self.ran.push((server, scenario.clone()));
        Some(self.step(server, round, scenario))
    }

    /// What came of a step, and how long it took.
    pub fn saw(&mut self, step: &Step, outcome: &Outcome, took: Duration) {
        self.expected += step.expected();
        self.took += took;
        if let Scenario::FanOut { viewers, .. } = step.scenario
            && let Some(search) = self.searches.get_mut(step.server)
            && let Some(verdict) = Verdict::of(outcome, viewers)
        {
            search.saw(viewers, verdict);
        }
    }

    /// About how long the rest takes, judged by how long it took until now.
    pub fn left(&self) -> Duration {
        let queued = self.queue.iter();
        let mut left: Duration = queued
            .map(|(server, what)| self.expected(*server, what))
            .sum();
        if !self.searches.is_empty() {
            left += self.after_the_queue();
        }
        if self.expected.is_zero() {
            return left;
        }
        left.mul_f64(self.took.as_secs_f64() / self.expected.as_secs_f64())
    }

    /// What is not in the queue before all searches have ended.
    fn after_the_queue(&self) -> Duration {
        let tries: u32 = self.searches.iter().map(Search::runs_left).sum();
        let search = self.expected(0, &self.fan_out(self.course.usual_capacity)) * tries;
        let mut left = search.min(self.course.searching.saturating_sub(self.took));
        let others: Vec<_> = self.rest().into_iter().flatten().collect();
        for server in 0..self.servers {
            for viewers in self.again_rungs(server) {
                left += self.expected(server, &self.fan_out(viewers));
            }
            for scenario in &others {
                left += self.expected(server, scenario);
            }
        }
        left
    }

    /// Each server's next try; when none has any, or it has taken long enough, all that comes after.
    fn search_on(&mut self) {
        let tries: Vec<_> = self.searches.iter().map(Search::next_try).collect();
        if self.took < self.course.searching && tries.iter().any(Option::is_some) {
            for server in self.turn() {
                if let Some(viewers) = tries[server] {
                    self.queue.push_back((server, self.fan_out(viewers)));
                }
            }
            return;
        }
        self.queue_rungs_again();
        self.searches.clear();
        self.queue_the_rest();
    }

    /// The rungs that servers carried once more, for better figures.
    fn queue_rungs_again(&mut self) {
        let rungs: Vec<Vec<u32>> = (0..self.servers)
            .map(|server| self.searches[server].carried_rungs().collect())
            .collect();
        for _ in 1..self.course.rounds {
            for viewers in self.course.fan_out.rungs {
                for server in self.turn() {
                    if rungs[server].contains(viewers) {
                        self.queue.push_back((server, self.fan_out(*viewers)));
                    }
                }
            }
        }
    }

    fn queue_the_rest(&mut self) {
        for round in self.rest() {
            for scenario in round {
                for server in self.turn() {
                    self.queue.push_back((server, scenario.clone()));
                }
            }
        }
    }

    /// Every scenario besides fan-out, round by round.
    fn rest(&self) -> Vec<Vec<Scenario>> {
        let rounds = (0..self.course.rounds).map(|round| {
            let mut scenarios = self.course.rest(self.media, round);
            scenarios.retain(|scenario| self.only.contains(&Kind::of(scenario)));
            scenarios
        });
        rounds.collect()
    }

    fn again_rungs(&self, server: usize) -> impl Iterator<Item = u32> {
        let rounds = 1..self.course.rounds;
        let usual = self.course.usual_capacity;
        rounds.flat_map(move |_| self.searches[server].likely_rungs(usual))
    }

    /// The servers, another one first each time.
    fn turn(&mut self) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.servers).collect();
        order.rotate_left(self.turns % self.servers.max(1));
        self.turns += 1;
        order
    }

    fn fan_out(&self, viewers: u32) -> Scenario {
        Scenario::FanOut {
            viewers,
            media: self.media,
        }
    }

    fn step(&self, server: usize, round: u32, scenario: Scenario) -> Step {
        Step {
            server,
            round,
            timing: self.course.timing(&scenario),
            scenario,
        }
    }

    fn expected(&self, server: usize, scenario: &Scenario) -> Duration {
        self.step(server, 0, scenario.clone()).expected()
    }
}

#[cfg(test)]
mod tests;
