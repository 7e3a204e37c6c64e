//! Viewers that join a stream on air: one after the other, or a crowd within a second.

use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{sleep, sleep_until};

use super::Stage;
use super::field::{Field, Visit};
use crate::error::{Error, Result};
use crate::quantiles;
use crate::results::{Join, Quantiles};

/// Viewers that join one after the other at least, however short the time is.
const LEAST: usize = 5;

/// From one viewer's leave to the next one's wish: longer than a publisher waits between
/// two keyframes that were asked for, so that no viewer waits for the one before it; and
/// not a multiple of a frame, so that viewers come at every moment of one.
const BETWEEN: Duration = Duration::from_millis(377);

/// Within which a crowd joins.
const CROWD_WITHIN: Duration = Duration::from_secs(1);

/// Runs [`crate::results::Scenario::Join`].
pub(super) async fn run(field: &Field<'_>, crowd: u32) -> Result<Join> {
    let publishers = field.publish(1).await?;
    (field.progress)(Stage::Settling);
    sleep(field.timing.settle).await;
    let before = field.usage();
    let (visits, failures) = if crowd > 1 {
        all_at_once(field, crowd).await
    } else {
        one_by_one(field).await
    };
    let after = field.usage();
    let lateness = field.publishers.collect().await?.worst_lateness;
    let join = sum(&visits, &failures);
    let places = visits.into_iter().filter_map(|visit| visit.place).collect();
    field.leave(places, publishers).await;
    let (server, mut generator) = field.used(&before, &after);
    generator.worst_lateness_us = u64::try_from(lateness.as_micros()).unwrap_or(u64::MAX);
    join.map(|join| Join {
        server,
        generator,
        ..join
    })
}

/// A viewer's joining; its place, if it has not left.
struct Joined {
    place: Option<super::field::Place>,
    /// Since the wish: answered, ICE, DTLS, first packet, keyframe.
    phases: [Duration; 5],
}

impl Joined {
    fn new(visit: Visit) -> Self {
        let Visit {
            place,
            begun,
            answered,
            milestones,
        } = visit;
        let phases = [
            answered,
            milestones.ice,
            milestones.dtls,
            milestones.first_packet,
            milestones.keyframe,
        ];
        Self {
            place: Some(place),
            phases: phases.map(|at| at.saturating_duration_since(begun)),
        }
    }
}

async fn one_by_one(field: &Field<'_>) -> (Vec<Joined>, Vec<Error>) {
    let (mut visits, mut failures) = (Vec::new(), Vec::new());
    let end = Instant::now() + field.timing.measure;
    while Instant::now() < end || visits.len() + failures.len() < LEAST {
        match field.view(0).await {
            Ok(visit) => {
                let mut joined = Joined::new(visit);
                if let Some(place) = joined.place.take() {
                    place.leave(&field.viewers).await;
                }
                visits.push(joined);
            }
            Err(error) => failures.push(error),
        }
        sleep(BETWEEN).await;
        let done = visits.len() as u32;
        (field.progress)(Stage::Joining { done, of: 0 });
    }
    (visits, failures)
}

/// Evenly over the time for it, whether or not those before have joined.
async fn all_at_once(field: &Field<'_>, crowd: u32) -> (Vec<Joined>, Vec<Error>) {
    let (mut visits, mut failures) = (Vec::new(), Vec::new());
    let start = Instant::now();
    let mut joining: FuturesUnordered<_> = (0..crowd)
        .map(|viewer| async move {
            sleep_until((start + CROWD_WITHIN * viewer / crowd).into()).await;
            field.view(0).await
        })
        .collect();
    while let Some(visit) = joining.next().await {
        match visit {
            Ok(visit) => visits.push(Joined::new(visit)),
            Err(error) => failures.push(error),
        }
        let done = visits.len() as u32;
        (field.progress)(Stage::Joining { done, of: crowd });
    }
    (visits, failures)
}

/// The phases' distributions; why there was nobody, if nobody joined.
fn sum(visits: &[Joined], failures: &[Error]) -> Result<Join> {
    if let ([], [failure, ..]) = (visits, failures) {
        return Err(failure.clone());
    }
    let phase = |phase: usize| -> Quantiles {
        quantiles::of_spans(visits.iter().map(|joined| joined.phases[phase]))
    };
    Ok(Join {
        joined: visits.len() as u32,
        failed: failures.len() as u32,
        answered_us: phase(0),
        ice_us: phase(1),
        dtls_us: phase(2),
        first_packet_us: phase(3),
        keyframe_us: phase(4),
        server: None,
        generator: crate::results::GeneratorUse::default(),
    })
}
