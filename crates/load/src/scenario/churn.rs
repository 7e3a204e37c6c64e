//! Viewers that come and go: what they leave behind.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use futures_util::future;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::debug;

use super::Stage;
use super::field::Field;
use crate::error::{Error, Result};
use crate::results::Churn;

/// Between two looks at the server's memory.
const LOOK: Duration = Duration::from_millis(500);

/// The shortest and the longest stay; stays in between follow from who it is.
const SHORTEST_STAY: Duration = Duration::from_millis(200);
const LONGEST_STAY: Duration = Duration::from_millis(2_000);

/// Before a viewer tries again that could not join.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Default)]
struct Tally {
    visits: u64,
    failures: u64,
    last_failure: Option<Error>,
}

impl Tally {
    fn fail(&mut self, error: Error) {
        self.failures += 1;
        self.last_failure = Some(error);
    }
}

/// Runs [`crate::results::Scenario::Churn`].
pub(super) async fn run(field: &Field<'_>, viewers: u32) -> Result<Churn> {
    let publishers = field.publish(1).await?;
    let resident = RefCell::new(Vec::new());
    let start = Instant::now();
    let before = field.usage();
    let tally = RefCell::new(Tally::default());
    let coming_and_going = async {
        let all = (0..viewers).map(|viewer| come_and_go(field, viewer, start, &tally));
        future::join_all(all).await;
        let after = field.usage();
        (field.progress)(Stage::Settling);
        sleep(field.timing.settle).await;
        after
    };
    let after = tokio::select! {
        after = coming_and_going => after,
        never = look_at_memory(field, start, &resident) => match never {},
    };
    let seconds = start.elapsed().as_secs_f64();
    note_memory(field, start, &resident);
    let lateness = field.publishers.collect().await?.worst_lateness;
    field.leave(Vec::new(), publishers).await;
    let tally = tally.into_inner();
    if let (0, Some(failure)) = (tally.visits, tally.last_failure) {
        return Err(failure);
    }
    let (server, mut generator) = field.used(&before, &after);
    generator.worst_lateness_us = u64::try_from(lateness.as_micros()).unwrap_or(u64::MAX);
    Ok(Churn {
        seconds,
        visits: tally.visits,
        failures: tally.failures,
        resident: resident.into_inner(),
        server,
        generator,
    })
}

/// One seat: a viewer after the other until the time is over.
async fn come_and_go(field: &Field<'_>, viewer: u32, start: Instant, tally: &RefCell<Tally>) {
    let end = start + field.timing.measure;
    // Seats do not change all at the same moment.
    sleep(stay(viewer, 0) / 2).await;
    for turn in 1.. {
        if Instant::now() >= end {
            return;
        }
        match field.view(0).await {
            Ok(visit) => {
                let left = end.saturating_duration_since(Instant::now());
                sleep(stay(viewer, turn).min(left)).await;
                visit.place.leave(&field.viewers).await;
                tally.borrow_mut().visits += 1;
            }
            Err(error) => {
                debug!(%error, "a viewer does not join");
                tally.borrow_mut().fail(error);
                sleep(PAUSE).await;
            }
        }
        let done = tally.borrow().visits as u32;
        (field.progress)(Stage::Joining { done, of: 0 });
    }
}

/// How long a viewer stays at its turn: the same in every run.
fn stay(viewer: u32, turn: u32) -> Duration {
    let mixed = (viewer.wrapping_mul(31).wrapping_add(turn)).wrapping_mul(0x9e37_79b9);
    let part = f64::from(mixed) / f64::from(u32::MAX);
    SHORTEST_STAY + (LONGEST_STAY - SHORTEST_STAY).mul_f64(part)
}

/// Looks at the server's memory until it is told to stop.
async fn look_at_memory(
    field: &Field<'_>,
    start: Instant,
    resident: &RefCell<Vec<(f64, u64)>>,
) -> std::convert::Infallible {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        note_memory(field, start, resident);
    }
}

fn note_memory(field: &Field<'_>, start: Instant, resident: &RefCell<Vec<(f64, u64)>>) {
    let process = field.target.process.as_ref();
    if let Some(Ok(bytes)) = process.map(crate::process::Process::resident_bytes) {
        let seconds = start.elapsed().as_secs_f64();
        resident.borrow_mut().push((seconds, bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_are_spread_over_what_is_allowed() {
        let stays: Vec<_> = (0..50)
            .flat_map(|v| (0..20).map(move |t| stay(v, t)))
            .collect();
        assert!(
            stays
                .iter()
                .all(|s| (SHORTEST_STAY..=LONGEST_STAY).contains(s))
        );
        let mean = stays.iter().sum::<Duration>() / 1_000;
        let middle = (SHORTEST_STAY + LONGEST_STAY) / 2;
        assert!(
            mean.abs_diff(middle) < Duration::from_millis(200),
            "{mean:?}"
        );
    }
}
