//! `/metrics`: what the server does, for Prometheus.
//!
//! **No label has values that clients choose**, names of streams above all: each value
//! is a time series of its own in whoever collects them, and anybody could make
//! millions. What one stream does is a question for the REST API.

mod families;
mod process;
mod text;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

pub use self::families::manual;
use self::process::Process;
use self::text::Samples;
use super::actor::Measured;
use super::health::Health;
use super::socket::Hub;
use super::tracker::{ENDINGS, Kind, Seen};
use crate::counters::{Counters, Reason};
use crate::meters::{Condition, Meter, Meters, Time, Times};

/// The text format, which every version of Prometheus reads.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How long signalling may take to say what it has. Without, the rest is told.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who may read the metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Exposed {
    /// Whoever may administer.
    #[default]
    Admin,
    /// Everybody.
    Open,
    /// Nobody: there are none.
    Off,
}

/// Everything that metrics are made of.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) hub: Hub,
    pub(super) counters: Arc<Counters>,
    pub(super) workers: Vec<Arc<Meters>>,
    pub(super) seen: Arc<Seen>,
    pub(super) health: Arc<Health>,
    pub(super) started: Started,
}

/// When the server started, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Started {
    at: Instant,
    unix: Duration,
}

impl Started {
    pub(super) fn now() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            at: Instant::now(),
            unix: unix.unwrap_or_default(),
        }
    }
}

/// What answers `/metrics`.
pub(super) fn router(metrics: Metrics) -> Router {
    let metrics = Arc::new(metrics);
    let answer = async move || metrics.answer().await;
    Router::new().route("/metrics", get(answer))
}

/// The same where there are to be none.
pub(super) fn nowhere() -> Router {
    Router::new().route("/metrics", get(async || StatusCode::NOT_FOUND))
}

impl Metrics {
    async fn answer(&self) -> Response {
        let measured = tokio::time::timeout(PATIENCE, self.hub.measure()).await;
        let process = tokio::task::spawn_blocking(Process::read).await;
        let samples = self.samples(measured.ok().flatten(), process.ok().flatten());
        let headers = [
            (header::CONTENT_TYPE, CONTENT_TYPE),
            (header::CACHE_CONTROL, "no-store"),
        ];
        (StatusCode::OK, headers, samples.write()).into_response()
    }

    fn samples(&self, measured: Option<Measured>, process: Option<Process>) -> Samples {
        let mut samples = Samples::default();
        if let Some(measured) = measured {
            add_measured(&measured, &mut samples);
        }
        self.add_streams(&mut samples);
        add_media(&self.workers, &mut samples);
        add_workers(&self.workers, Instant::now(), &mut samples);
        self.add_server(&mut samples);
        if let Some(process) = process {
            process.add(&mut samples);
        }
        samples
    }

    fn add_streams(&self, samples: &mut Samples) {
        for kind in Kind::ALL {
            let labels = format!("kind=\"{}\"", kind.name());
            let opened = self.seen.opened(kind);
            samples.put("twoway_streams_opened_total", &labels, opened);
            let labels = format!("{labels},phase=\"answer\"");
            let answers = self.seen.answers[kind as usize].read();
            samples.put_times("twoway_join_seconds", &labels, &answers);
        }
        for (reason, ended) in ENDINGS.iter().zip(self.seen.ended()) {
            let labels = format!("reason=\"{reason}\"");
            samples.put("twoway_streams_ended_total", &labels, ended);
        }
        let pictures = self.seen.pictures.read();
        samples.put_times("twoway_snapshot_seconds", "", &pictures);
        let failed = self.seen.failed_pictures();
        samples.put("twoway_snapshots_failed_total", "", failed);
    }

    fn add_server(&self, samples: &mut Samples) {
        for reason in Reason::ALL {
            let labels = format!("reason=\"{reason}\"");
            let count = self.counters.of(*reason);
            samples.put("twoway_refusals_total", &labels, count);
        }
        let dropped = self.counters.of(Reason::FullSocket);
        samples.put("twoway_kernel_dropped_packets_total", "", dropped);
        let inputs = self.hub.inputs_waiting();
        samples.put("twoway_signalling_inbox_messages", "", inputs as u64);
        let draining = u64::from(self.health.is_draining());
        samples.put("twoway_draining", "", draining);
        let version = concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"");
        samples.put("twoway_build_info", version, 1);
        let uptime = self.started.at.elapsed().as_secs_f64();
        samples.put_seconds("twoway_uptime_seconds", "", uptime);
        let start = self.started.unix.as_secs_f64();
        samples.put_seconds("process_start_time_seconds", "", start);
    }
}

fn add_measured(measured: &Measured, samples: &mut Samples) {
    let stats = &measured.stats;
    for (kind, signalling, count) in [
        ("publisher", "websocket", stats.publishers - stats.whip),
        ("publisher", "whip", stats.whip),
        ("player", "websocket", stats.players - stats.whep),
        ("player", "whep", stats.whep),
    ] {
        let labels = format!("kind=\"{kind}\",signalling=\"{signalling}\"");
        samples.put("twoway_streams", &labels, count as u64);
    }
    for (name, count) in [
        ("twoway_sessions", stats.sessions),
        ("twoway_websockets", measured.sockets),
        ("twoway_send_queue_messages", measured.messages),
        ("twoway_send_queue_bytes", measured.bytes),
        ("twoway_media_events_waiting", measured.events),
    ] {
        samples.put(name, "", count as u64);
    }
}

/// Of all workers together.
fn add_media(workers: &[Arc<Meters>], samples: &mut Samples) {
    for meter in Meter::ALL {
        let count = workers.iter().map(|worker| worker.count(*meter)).sum();
        samples.put(meter.family(), meter.labels(), count);
    }
    for time in Time::ALL {
        let times = workers.iter().map(|worker| worker.times(*time));
        let times = times.fold(Times::default(), Times::with);
        samples.put_times(time.family(), time.labels(), &times);
    }
}

/// Of each: there are no more of them than cores.
fn add_workers(workers: &[Arc<Meters>], now: Instant, samples: &mut Samples) {
    for (number, worker) in workers.iter().enumerate() {
        let labels = format!("worker=\"{number}\"");
        let works = worker.condition(now) == Condition::Works;
        for (name, value) in [
            ("twoway_worker_up", u64::from(works)),
            ("twoway_worker_peers", worker.peers() as u64),
            ("twoway_worker_mailbox_messages", worker.waiting() as u64),
            ("twoway_worker_dropped_messages_total", worker.dropped()),
        ] {
            samples.put(name, &labels, value);
        }
    }
}

#[cfg(test)]
mod tests;
