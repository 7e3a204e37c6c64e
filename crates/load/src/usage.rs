//! What server and generator use over a span of time.

use std::thread::available_parallelism;
use std::time::Instant;

use tracing::{debug, warn};

use crate::process::{Process, Sample};
use crate::results::{GeneratorUse, ProcessUse};

/// What both had used at a moment, where it can be seen.
pub(crate) struct Usage {
    at: Instant,
    server: Option<Sample>,
    generator: Option<Sample>,
}

impl Usage {
    pub(crate) fn read(server: Option<&Process>) -> Self {
        let sample = |process: &Process| {
            let sample = process.sample();
            sample.inspect_err(|error| debug!(%error, "not seen")).ok()
        };
        let own = Process::own();
        Self {
            at: Instant::now(),
            server: server.and_then(sample),
            generator: own.ok().as_ref().and_then(sample),
        }
    }

    pub(crate) fn seconds_since(&self, before: &Self) -> f64 {
        self.at.saturating_duration_since(before.at).as_secs_f64()
    }

    /// What they have used since `before`. The lateness of publishers is not known here.
    pub(crate) fn since(
        &self,
        before: &Self,
        server: Option<&Process>,
    ) -> (Option<ProcessUse>, GeneratorUse) {
        let span = self.seconds_since(before);
        let used = match (server, &before.server, &self.server) {
            (Some(server), Some(before), Some(after)) => Some(server.used(before, after)),
            _ => None,
        };
        let generator = match (&before.generator, &self.generator) {
            (Some(before), Some(after)) => generator_use(before, after, span),
            _ => GeneratorUse::default(),
        };
        (used, generator)
    }
}

/// Where threads share too few cores, none of them can be busier than its share of them:
/// what all of them use of what there is counts then.
fn generator_use(before: &Sample, after: &Sample, span: f64) -> GeneratorUse {
    let cpu_seconds = after.cpu_since(before).as_secs_f64();
    let busiest = after.busiest_thread_since(before).as_secs_f64();
    let cores = available_parallelism().map_or(1, usize::from);
    let of_all = cpu_seconds / cores as f64;
    GeneratorUse {
        cpu_seconds,
        busiest_thread: busiest.max(of_all) / span.max(f64::EPSILON),
        dropped_datagrams: after.dropped_since(before),
        worst_lateness_us: 0,
    }
}

/// Lets this process, and servers that it starts, have as many sockets as the system
/// allows: the usual limit is 1,024 files, which is 500 viewers.
pub(crate) fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            warn!(%error, "the generator may run out of sockets");
        }
    }
}
