//! How many viewers a server carries: what to try next, from what was seen.
//!
//! Up the rungs and on by doubling until a number of viewers is too many, then
//! between the last two. A run that was not clean is repeated once before it counts,
//! because one late frame may be the machine's doing. No clock and no server here.

use std::collections::BTreeMap;

use crate::results::{Outcome, Run, Scenario};

/// What a run says of a number of viewers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every viewer got every frame in time.
    Clean,
    /// Frames were late or lost, or viewers got no picture at all.
    Overloaded,
    /// The same, and the generator may be why.
    GeneratorBusy,
    /// It could not be run; a sentence says why.
    Failed(String),
}

impl Verdict {
    /// Of what came of a fan-out; `None` if it was none.
    pub fn of(outcome: &Outcome, viewers: u32) -> Option<Self> {
        match outcome {
            Outcome::Load(load) if load.is_clean() && load.viewers >= viewers => Some(Self::Clean),
            Outcome::Load(load) if load.generator.was_bottleneck() => Some(Self::GeneratorBusy),
            Outcome::Load(_) => Some(Self::Overloaded),
            Outcome::Unjoined(unjoined) if unjoined.generator.was_bottleneck() => {
                Some(Self::GeneratorBusy)
            }
            Outcome::Unjoined(_) => Some(Self::Overloaded),
            Outcome::Failed(why) => Some(Self::Failed(why.clone())),
            Outcome::Join(_) | Outcome::Churn(_) => None,
        }
    }

    fn failure(&self) -> Option<&str> {
        match self {
            Self::Failed(why) => Some(why),
            Self::Clean | Self::Overloaded | Self::GeneratorBusy => None,
        }
    }
}

/// The highest number of viewers with no frame late or lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// How many were carried; 0 if not even the lowest number was.
    pub viewers: u32,
    /// Why it is not more.
    pub limit: Limit,
}

/// What a capacity ends at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many were too many for the server.
    Server(u32),
    /// At so many the generator was the bottleneck: the server may carry more.
    Generator(u32),
    /// So many could not be run, and why.
    Failed(u32, String),
    /// More were not tried.
    Untried,
}

impl Capacity {
    /// From every fan-out run of one server, in any order.
    pub fn of<'a>(runs: impl Iterator<Item = &'a Run>) -> Self {
        let mut seen = Seen::default();
        for run in runs {
            if let Scenario::FanOut { viewers, .. } = run.scenario
                && let Some(verdict) = Verdict::of(&run.outcome, viewers)
            {
                seen.add(viewers, verdict);
            }
        }
        seen.capacity()
    }

    /// Whether it is the server's own, and not merely as far as could be seen: the search
    /// came to its end, or at least as near to it as a doubling.
    pub fn is_the_servers(&self) -> bool {
        matches!(self.limit, Limit::Server(many) if many <= self.viewers.max(1) * 2)
    }
}

/// Runs by their number of viewers.
#[derive(Clone, Debug, Default)]
struct Seen(BTreeMap<u32, Tally>);

#[derive(Clone, Debug, Default)]
struct Tally {
    clean: u32,
    others: Vec<Verdict>,
}

impl Tally {
    /// At least as many runs were clean as were not.
    fn was_carried(&self) -> bool {
        self.clean > 0 && self.others.len() <= self.clean as usize
    }

    /// Not clean, and only once: it may have been the machine.
    fn is_in_doubt(&self) -> bool {
        self.clean == 0 && self.others.len() == 1
    }
}

impl Seen {
    fn add(&mut self, viewers: u32, verdict: Verdict) {
        let tally = self.0.entry(viewers).or_default();
        match verdict {
            Verdict::Clean => tally.clean += 1,
            Verdict::Overloaded | Verdict::GeneratorBusy | Verdict::Failed(_) => {
                tally.others.push(verdict);
            }
        }
    }

    fn in_doubt(&self) -> Option<u32> {
        self.0
            .iter()
            .find_map(|(viewers, tally)| tally.is_in_doubt().then_some(*viewers))
    }

    /// The lowest number that was not carried.
    fn too_many(&self) -> Option<(u32, &Tally)> {
        self.0
            .iter()
            .find(|(_, tally)| !tally.was_carried())
            .map(|(viewers, tally)| (*viewers, tally))
    }

    /// The highest number carried with every lower one carried, too.
    fn carried(&self) -> u32 {
        let carried = self.0.iter().take_while(|(_, tally)| tally.was_carried());
        carried.last().map_or(0, |(viewers, _)| *viewers)
    }

    fn capacity(&self) -> Capacity {
        let limit = match self.too_many() {
            None => Limit::Untried,
            Some((viewers, tally)) => tally.limit(viewers),
        };
        Capacity {
            viewers: self.carried(),
            limit,
        }
    }
}

impl Tally {
    /// Why so many were not carried. The generator's part is believed before the
    /// server's: a limit is the server's only if the generator was idle enough.
    fn limit(&self, viewers: u32) -> Limit {
        if self.others.contains(&Verdict::GeneratorBusy) {
            return Limit::Generator(viewers);
        }
        if self.others.contains(&Verdict::Overloaded) {
            return Limit::Server(viewers);
        }
        let failed = self.others.iter().find_map(Verdict::failure);
        failed.map_or(Limit::Server(viewers), |why| {
            Limit::Failed(viewers, why.to_owned())
        })
    }
}

/// Where a search goes and when it has enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Tried first, in rising order, then on by doubling.
    pub rungs: &'static [u32],
    /// Never more viewers than this.
    pub most: u32,
    /// Halving ends when the two ends are no further apart than this part of the
    /// lower one, in percent.
    pub precision_percent: u32,
    /// Never more runs than this.
    pub runs: u32,
}

/// The search of one server's capacity.
#[derive(Clone, Debug)]
pub struct Search {
    bounds: Bounds,
    seen: Seen,
    runs: u32,
}

impl Search {
    /// A search that has seen nothing.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            seen: Seen::default(),
            runs: 0,
        }
    }

    /// What came of so many viewers.
    pub fn saw(&mut self, viewers: u32, verdict: Verdict) {
        self.runs += 1;
        self.seen.add(viewers, verdict);
    }

    /// How many viewers to try next; `None` when there is nothing more to learn.
    pub fn next_try(&self) -> Option<u32> {
        if self.runs >= self.bounds.runs {
            return None;
        }
        if let Some(doubtful) = self.seen.in_doubt() {
            return Some(doubtful);
        }
        match self.seen.too_many() {
            None => self.upwards(),
            Some((too_many, _)) => self.between(too_many),
        }
    }

    /// What has been found so far.
    pub fn capacity(&self) -> Capacity {
        self.seen.capacity()
    }

    /// The rungs that were carried, in rising order.
    pub fn carried_rungs(&self) -> impl Iterator<Item = u32> {
        let carried = self.seen.carried();
        let rungs = self.bounds.rungs.iter().copied();
        rungs.take_while(move |rung| *rung <= carried)
    }

    /// The rungs that will have been carried in the end, in rising order, as a guess: if
    /// the end is not known yet, those up to `usual`.
    pub fn likely_rungs(&self, usual: u32) -> impl Iterator<Item = u32> {
        let carried = self.seen.carried();
        let most = match self.seen.too_many() {
            Some(_) => carried,
            None => carried.max(usual),
        };
        let rungs = self.bounds.rungs.iter().copied();
        rungs.take_while(move |rung| *rung <= most)
    }

    /// About how many more runs there will be, as a guess for the time left.
    pub fn runs_left(&self) -> u32 {
        /// Halving from a doubled number down to a few percent of it, and what was too
        /// many once more each time.
        const HALVINGS: u32 = 6;
        if self.next_try().is_none() {
            return 0;
        }
        let left = match self.seen.too_many() {
            Some((too_many, _)) => {
                let gap = too_many.saturating_sub(self.seen.carried());
                let fine = self.gap_that_will_do().max(1);
                (gap / fine).max(1).ilog2() + 1
            }
            None => {
                let carried = self.seen.carried();
                let rungs = self.bounds.rungs.iter();
                rungs.filter(|rung| **rung > carried).count() as u32 + HALVINGS
            }
        };
        left.min(self.bounds.runs - self.runs)
    }

    fn upwards(&self) -> Option<u32> {
        let carried = self.seen.carried();
        let mut rungs = self.bounds.rungs.iter().copied();
        let next = rungs
            .find(|rung| *rung > carried)
            .unwrap_or(carried.saturating_mul(2).max(1));
        let next = next.min(self.bounds.most);
        (next > carried).then_some(next)
    }

    fn between(&self, too_many: u32) -> Option<u32> {
        let carried = self.seen.carried();
        if too_many - carried <= self.gap_that_will_do().max(1) {
            return None;
        }
        let middle = rounded(carried + (too_many - carried) / 2);
        (middle > carried && middle < too_many).then_some(middle)
    }

    fn gap_that_will_do(&self) -> u32 {
        self.seen.carried() / 100 * self.bounds.precision_percent
    }
}

/// Down to two digits that are not zero: nobody wants to read 1,437 of a figure that
/// varies by more.
fn rounded(viewers: u32) -> u32 {
    let digits = viewers.max(1).ilog10();
    let unit = 10_u32.pow(digits.saturating_sub(1));
    viewers / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{GeneratorUse, Unjoined};

    const BOUNDS: Bounds = Bounds {
        rungs: &[1, 10, 100, 300, 1_000],
        most: 20_000,
        precision_percent: 5,
        runs: 30,
    };

    /// Runs a search to its end against a server, and tells every try.
    fn tries(
        bounds: Bounds,
        mut server: impl FnMut(u32, usize) -> Verdict,
    ) -> (Vec<u32>, Capacity) {
        let mut search = Search::new(bounds);
        let mut tries = Vec::new();
        while let Some(viewers) = search.next_try() {
            let verdict = server(viewers, tries.len());
            tries.push(viewers);
            search.saw(viewers, verdict);
        }
        assert_eq!(search.runs_left(), 0);
        (tries, search.capacity())
    }

    fn carries(most: u32) -> impl FnMut(u32, usize) -> Verdict {
        move |viewers, _| {
            if viewers <= most {
                Verdict::Clean
            } else {
                Verdict::Overloaded
            }
        }
    }

    #[test]
    fn goes_up_the_rungs_doubles_and_halves() {
        let (tries, capacity) = tries(BOUNDS, carries(1_440));
        let expected = [
            1, 10, 100, 300, 1_000, 2_000, 2_000, 1_500, 1_500, 1_200, 1_300, 1_400,
        ];
        // Between 1,400 and 1,500 there is no number of two digits left.
        assert_eq!(tries, expected);
        assert_eq!(capacity.viewers, 1_400);
        assert_eq!(capacity.limit, Limit::Server(1_500));
        assert!(capacity.is_the_servers());
    }

    #[test]
    fn one_bad_run_is_not_believed() {
        let mut server = carries(1_440);
        let (tries, capacity) = tries(BOUNDS, |viewers, index| {
            if index == 2 {
                Verdict::Overloaded
            } else {
                server(viewers, index)
            }
        });
        assert_eq!(tries[..5], [1, 10, 100, 100, 300]);
        assert_eq!(capacity.viewers, 1_400);
    }

    #[test]
    fn a_limit_of_the_generator_is_told_as_such() {
        let (_, capacity) = tries(BOUNDS, |viewers, _| {
            if viewers <= 700 {
                Verdict::Clean
            } else {
                Verdict::GeneratorBusy
            }
        });
        assert_eq!(capacity.viewers, 690);
        assert!(matches!(capacity.limit, Limit::Generator(_)));
        assert!(!capacity.is_the_servers());
    }

    #[test]
    fn a_busy_generator_outweighs_an_overloaded_server() {
        let mut search = Search::new(BOUNDS);
        search.saw(1, Verdict::Overloaded);
        search.saw(1, Verdict::GeneratorBusy);
        assert_eq!(search.capacity().limit, Limit::Generator(1));
    }

    #[test]
    fn a_refusal_ends_it_with_its_reason() {
        let (_, capacity) = tries(BOUNDS, |viewers, _| {
            if viewers <= 100 {
                Verdict::Clean
            } else {
                Verdict::Failed("full".to_owned())
            }
        });
        assert_eq!(capacity.viewers, 100);
        assert!(matches!(capacity.limit, Limit::Failed(_, why) if why == "full"));
    }

    #[test]
    fn viewers_without_a_picture_are_too_many_unless_the_generator_was_busy() {
        let unjoined = |busiest_thread| {
            Outcome::Unjoined(Unjoined {
                joined: 356,
                of: 500,
                patience: 15.0,
                seconds: 20.0,
                server: None,
                generator: GeneratorUse {
                    busiest_thread,
                    ..GeneratorUse::default()
                },
            })
        };
        assert_eq!(Verdict::of(&unjoined(0.4), 500), Some(Verdict::Overloaded));
        assert_eq!(
            Verdict::of(&unjoined(0.9), 500),
            Some(Verdict::GeneratorBusy)
        );
    }

    #[test]
    fn a_server_that_carries_nobody_has_none() {
        let (tries, capacity) = tries(BOUNDS, carries(0));
        assert_eq!(tries, [1, 1]);
        assert_eq!(capacity.viewers, 0);
        assert_eq!(capacity.limit, Limit::Server(1));
    }

    #[test]
    fn ends_at_the_most_and_after_so_many_runs() {
        let few = Bounds {
            most: 250,
            ..BOUNDS
        };
        let (all, capacity) = tries(few, carries(u32::MAX));
        assert_eq!(all, [1, 10, 100, 250]);
        assert_eq!(capacity.limit, Limit::Untried);
        assert!(!capacity.is_the_servers());
        let short = Bounds { runs: 6, ..BOUNDS };
        let (all, capacity) = tries(short, carries(700));
        assert_eq!(all, [1, 10, 100, 300, 1_000, 1_000]);
        assert!(!capacity.is_the_servers(), "it may be 900");
        assert_eq!(
            (capacity.viewers, capacity.limit),
            (300, Limit::Server(1_000))
        );
    }

    #[test]
    fn only_rungs_that_were_carried_are_worth_repeating() {
        let mut search = Search::new(BOUNDS);
        for viewers in [1, 10, 100] {
            search.saw(viewers, Verdict::Clean);
        }
        search.saw(300, Verdict::Overloaded);
        search.saw(300, Verdict::Overloaded);
        assert!(search.carried_rungs().eq([1, 10, 100]));
    }

    #[test]
    fn every_search_ends() {
        for most in (0..3_000).chain([19_999, 20_000, 30_000]) {
            let (tries, capacity) = tries(BOUNDS, carries(most));
            assert!(tries.len() < 20, "{most}: {tries:?}");
            assert!(capacity.viewers <= most);
            let lost = most.min(BOUNDS.most) - capacity.viewers;
            assert!(lost <= 1 + most / 9, "{most}: {capacity:?}");
        }
    }

    #[test]
    fn numbers_are_round() {
        for (viewers, expected) in [(0, 0), (7, 7), (42, 42), (137, 130), (1_437, 1_400)] {
            assert_eq!(rounded(viewers), expected);
        }
    }
}
