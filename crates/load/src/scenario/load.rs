//! Streams with viewers, all of them there while it is measured.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::time::{sleep, sleep_until};

use super::Stage;
use super::field::Field;
use super::gather::{Gathered, gather};
use crate::clock;
use crate::error::{Error, Result};
use crate::media::Collected;
use crate::meter::{self, Sent};
use crate::quantiles;
use crate::results::{Load, Outcome, Received};

/// From saying when to measure until then.
const AHEAD: Duration = Duration::from_millis(50);

/// How long after the span a packet of it may come that was asked for again and again:
/// past this it is lost.
const MENDING: Duration = Duration::from_millis(500);

/// Runs [`crate::results::Scenario::FanOut`] and [`crate::results::Scenario::Streams`].
pub(super) async fn run(field: &Field<'_>, streams: u32, viewers_each: u32) -> Result<Outcome> {
    let publishers = field.publish(streams).await?;
    let viewers = match gather(field, streams, viewers_each).await? {
        Gathered::All(viewers) => viewers,
        Gathered::Short(unjoined) => return Ok(Outcome::Unjoined(unjoined)),
    };
    let measured = measure(field).await;
    field.leave(viewers, publishers).await;
    measured.map(Outcome::Load)
}

async fn measure(field: &Field<'_>) -> Result<Load> {
    (field.progress)(Stage::Settling);
    sleep(field.timing.settle).await;
    (field.progress)(Stage::Measuring);
    let from = Instant::now() + AHEAD;
    let to = from + field.timing.measure;
    let window = clock::nanoseconds(from)..clock::nanoseconds(to);
    field.viewers.measure(window.clone());
    field.publishers.measure(window);
    sleep_until(from.into()).await;
    let before = field.usage();
    sleep_until(to.into()).await;
    let after = field.usage();
    sleep(MENDING).await;
    let sent = field.publishers.collect().await?;
    let came = field.viewers.collect().await?;
    let mut load = sum(&sent, &came)?;
    load.seconds = field.timing.measure.as_secs_f64();
    let (server, generator) = field.used(&before, &after);
    load.server = server;
    load.generator = generator;
    let lateness = sent.worst_lateness.as_micros();
    load.generator.worst_lateness_us = u64::try_from(lateness).unwrap_or(u64::MAX);
    Ok(load)
}

/// What all viewers together received of what was sent.
fn sum(sent: &Collected, came: &Collected) -> Result<Load> {
    check_connections(sent.over, "publishers")?;
    check_connections(came.over, "viewers")?;
    let streams: HashMap<u32, Sent> = sent.publishers.iter().copied().collect();
    let mut received = Received::default();
    let mut viewers = 0;
    for (stream, mut counts) in came.viewers.iter().copied() {
        let sent = streams.get(&stream).copied().unwrap_or_default();
        meter::lose(&mut counts, sent);
        meter::add(&mut received, &counts);
        viewers += u32::from(counts.packets > 0);
    }
    Ok(Load {
        seconds: 0.0,
        viewers,
        received,
        sent_packets: streams.values().map(|sent| sent.packets).sum(),
        delay_us: quantiles::of_histogram(&came.delays),
        server: None,
        generator: crate::results::GeneratorUse::default(),
    })
}

fn check_connections(over: usize, whose: &str) -> Result<()> {
    if over == 0 {
        return Ok(());
    }
    let sentence = format!(
        "{over} of the {whose} lost their connection while it was measured: the server ended it or is gone"
    );
    Err(Error::new(sentence))
}
