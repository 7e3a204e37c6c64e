use super::*;
use crate::results::{GeneratorUse, Load, Received};

/// A fan-out as a server sees it that carries so many viewers.
fn load(viewers: u32, most: u32) -> Outcome {
    Outcome::Load(Load {
        seconds: 1.0,
        viewers,
        received: Received {
            frames: 30,
            lost_frames: u64::from(viewers > most),
            ..Received::default()
        },
        sent_packets: 150,
        delay_us: None,
        server: None,
        generator: GeneratorUse::default(),
    })
}

/// Runs a plan against servers of these capacities, each step as long as expected.
fn run(mut plan: Plan, capacities: &[u32]) -> Vec<Step> {
    let mut steps = Vec::new();
    while let Some(step) = plan.next_step() {
        let outcome = match step.scenario {
            Scenario::FanOut { viewers, .. } => load(viewers, capacities[step.server]),
            Scenario::Streams { .. } | Scenario::Join { .. } | Scenario::Churn { .. } => {
                Outcome::Failed("of no interest".to_owned())
            }
        };
        plan.saw(&step, &outcome, step.expected());
        steps.push(step);
    }
    assert_eq!(plan.left(), Duration::ZERO);
    steps
}

fn plan(depth: Depth, servers: usize, only: &[Kind]) -> Plan {
    Plan::new(depth.course(), USUAL_MEDIA, servers, only)
}

/// The servers and viewers of the fan-outs among `steps`.
fn fan_outs(steps: &[Step]) -> Vec<(usize, u32)> {
    let viewers = steps.iter().filter_map(|step| match step.scenario {
        Scenario::FanOut { viewers, .. } => Some((step.server, viewers)),
        Scenario::Streams { .. } | Scenario::Join { .. } | Scenario::Churn { .. } => None,
    });
    viewers.collect()
}

#[test]
fn servers_take_turns_and_swap_places() {
    let steps = run(plan(Depth::Full, 2, &[Kind::FanOut]), &[1_000, 1_000]);
    let servers: Vec<_> = fan_outs(&steps)[..6].to_vec();
    assert_eq!(
        servers,
        [(0, 1), (1, 1), (1, 10), (0, 10), (0, 100), (1, 100)]
    );
    let third = run(plan(Depth::Quick, 3, &[Kind::Join]), &[0, 0, 0]);
    let order: Vec<_> = third.iter().map(|step| step.server).collect();
    assert_eq!(order, [0, 1, 2, 1, 2, 0]);
}

#[test]
fn a_search_that_has_ended_leaves_the_turns_to_the_others() {
    let steps = run(plan(Depth::Full, 2, &[Kind::FanOut]), &[100, 2_500]);
    let of = |server| {
        fan_outs(&steps)
            .iter()
            .filter(|(s, _)| *s == server)
            .count()
    };
    assert!(of(1) > of(0));
    let most = fan_outs(&steps)
        .iter()
        .filter(|(s, _)| *s == 0)
        .map(|(_, n)| *n)
        .max();
    assert_eq!(most, Some(300), "more were tried than a server could carry");
}

#[test]
fn rungs_that_were_carried_run_in_every_round() {
    let steps = run(plan(Depth::Full, 2, &[Kind::FanOut]), &[150, 2_000]);
    let rounds = |server, viewers| {
        fan_outs(&steps)
            .iter()
            .filter(|f| **f == (server, viewers))
            .count()
    };
    assert_eq!((rounds(0, 100), rounds(1, 100)), (3, 3));
    assert_eq!((rounds(0, 1_000), rounds(1, 1_000)), (0, 3));
    let last = steps
        .iter()
        .rfind(|s| s.scenario == steps[0].scenario && s.server == 0);
    assert_eq!(last.map(|step| step.round), Some(2));
}

#[test]
fn every_kind_runs_or_only_those_asked_for() {
    let kinds = |steps: &[Step]| -> Vec<Kind> {
        let mut kinds: Vec<_> = steps.iter().map(|step| Kind::of(&step.scenario)).collect();
        kinds.dedup();
        kinds
    };
    for depth in [Depth::Quick, Depth::Smoke] {
        assert_eq!(kinds(&run(plan(depth, 1, &Kind::ALL), &[5])), Kind::ALL);
    }
    let churn = run(plan(Depth::Full, 2, &[Kind::Churn]), &[0, 0]);
    assert_eq!(kinds(&churn), [Kind::Churn]);
    assert_eq!(churn.len(), 2, "churn runs once against each server");
}

#[test]
fn the_short_runs_are_short() {
    let length = |depth, servers: usize| -> Duration {
        let steps = run(plan(depth, servers, &Kind::ALL), &vec![1_300; servers]);
        steps.iter().map(Step::expected).sum()
    };
    assert!(length(Depth::Smoke, 1) < Duration::from_secs(25));
    assert!(length(Depth::Quick, 2) < Duration::from_secs(180));
}

#[test]
fn all_of_it_takes_less_than_forty_minutes_and_says_so() {
    let guess = plan(Depth::Full, 2, &Kind::ALL).left();
    let steps = run(plan(Depth::Full, 2, &Kind::ALL), &[1_300, 250]);
    let total: Duration = steps.iter().map(Step::expected).sum();
    assert!(total < Duration::from_secs(40 * 60), "{total:?}");
    assert!(
        guess > total * 3 / 4 && guess < total * 3 / 2,
        "{guess:?} for {total:?}"
    );
}

#[test]
fn the_time_left_is_a_fair_guess_and_follows_what_is_seen() {
    let mut ahead = plan(Depth::Quick, 2, &Kind::ALL);
    let guess = ahead.left();
    let steps = run(plan(Depth::Quick, 2, &Kind::ALL), &[1_300, 1_300]);
    let total: Duration = steps.iter().map(Step::expected).sum();
    assert!(
        guess > total / 2 && guess < total * 2,
        "{guess:?} for {total:?}"
    );

    let step = ahead.next_step().expect("there is a first step");
    let before = ahead.left();
    ahead.saw(&step, &load(10, 10), step.expected() * 2);
    assert!(ahead.left() > before, "a slow machine takes longer");
}

#[test]
fn a_search_that_takes_too_long_ends_with_what_it_has() {
    let mut slow = plan(Depth::Quick, 1, &[Kind::FanOut, Kind::Churn]);
    let first = slow.next_step().expect("there is a first step");
    slow.saw(&first, &load(10, 10), Depth::Quick.course().searching);
    let next = slow.next_step().expect("churn is left");
    assert_eq!(Kind::of(&next.scenario), Kind::Churn);
}
