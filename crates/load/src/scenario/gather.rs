//! Viewers that are to be there before it is measured, in waves.
//!
//! What is asked of a server here is to carry viewers, not to take them in fast, which
//! is for [`super::join`]. Where each viewer that joins makes the publisher send a
//! keyframe, viewers that join without a pause make a server send so many keyframes to
//! all who are there already that it falls behind before the last one has come. So a
//! wave has its pictures before the next one comes, and in between there is as much
//! time as it took: a server that slows down is given more of it.

use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::sleep;

use super::Stage;
use super::field::{AT_ONCE, Field, Place};
use crate::error::Result;
use crate::results::Unjoined;
use crate::usage::Usage;

/// From here on a wave is slow: it says how busy a server is that does not keep up.
const SLOW: Duration = Duration::from_secs(1);

/// Who has come.
pub(super) enum Gathered {
    /// Everybody.
    All(Vec<Place>),
    /// Not everybody.
    Short(Unjoined),
}

/// Has viewers join, some of each stream in each wave, until one of them gets no
/// picture.
///
/// # Errors
/// The server refuses a viewer.
pub(super) async fn gather(field: &Field<'_>, streams: u32, each: u32) -> Result<Gathered> {
    let of = streams * each;
    (field.progress)(Stage::Joining { done: 0, of });
    let mut places = Vec::new();
    let mut before = field.usage();
    for first in (0..of).step_by(AT_ONCE) {
        let begun = Instant::now();
        let last = of.min(first + AT_ONCE as u32);
        let wave = (first..last).map(|viewer| field.try_view(viewer % streams));
        let mut wave: FuturesUnordered<_> = wave.collect();
        while let Some(visit) = wave.next().await {
            let Some(visit) = visit? else {
                let unjoined = unjoined(field, &before, places.len(), of);
                return Ok(Gathered::Short(unjoined));
            };
            places.push(visit.place);
            let done = places.len() as u32;
            (field.progress)(Stage::Joining { done, of });
        }
        let took = begun.elapsed();
        if took >= SLOW {
            before = field.usage();
        }
        sleep(took).await;
    }
    Ok(Gathered::All(places))
}

/// What server and generator did while a viewer waited in vain. How late publishers were
/// is no matter then: a frame that is late by less than seconds comes in time.
fn unjoined(field: &Field<'_>, before: &Usage, joined: usize, of: u32) -> Unjoined {
    let after = field.usage();
    let (server, generator) = field.used(before, &after);
    Unjoined {
        joined: joined as u32,
        of,
        patience: field.timing.patience.as_secs_f64(),
        seconds: after.seconds_since(before),
        server,
        generator,
    }
}
