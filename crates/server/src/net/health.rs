//! Whether the server lives, and whether it is ready for clients.
//!
//! `/healthz` answers while the process does: whoever watches starts it anew if not.
//! `/readyz` answers 200 only if what clients need works, else 503 with the reason:
//! whoever shares clients among servers sends none here meanwhile. Both are for
//! everybody, and cost next to nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use thiserror::Error;

use super::socket::Hub;
use crate::meters::{Condition, Meters};

/// How long signalling may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the server is.
#[derive(Debug, Default)]
pub struct Health {
    draining: AtomicBool,
    /// The last try to accept a connection failed.
    deaf: AtomicBool,
    workers: Vec<Arc<Meters>>,
}

/// Why the server is not ready.
#[derive(Debug, Error, PartialEq, Eq)]
enum NotReady {
    #[error("the server is about to stop")]
    Draining,
    #[error("connections cannot be accepted")]
    Deaf,
    #[error("media worker {0} has stopped")]
    WorkerOver(usize),
    #[error("media worker {0} does not move")]
    WorkerStuck(usize),
    #[error("signalling does not answer")]
    Signalling,
}

impl Health {
    pub(super) fn new(workers: Vec<Arc<Meters>>) -> Self {
        Self {
            workers,
            ..Self::default()
        }
    }

    /// The server is about to stop and shall be sent nobody new: it is not ready from
    /// now on.
    pub fn set_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// It is about to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Whether a connection could be accepted.
    pub(super) fn set_accepting(&self, accepting: bool) {
        self.deaf.store(!accepting, Ordering::Relaxed);
    }

    /// # Errors
    /// It is not ready, as far as that can be told without asking signalling.
    fn check(&self, now: Instant) -> Result<(), NotReady> {
        if self.is_draining() {
            return Err(NotReady::Draining);
        }
        if self.deaf.load(Ordering::Relaxed) {
            return Err(NotReady::Deaf);
        }
        for (number, worker) in self.workers.iter().enumerate() {
            match worker.condition(now) {
                Condition::Works => {}
                Condition::Stuck => return Err(NotReady::WorkerStuck(number)),
                Condition::Over => return Err(NotReady::WorkerOver(number)),
            }
        }
        Ok(())
    }

    async fn ready(&self, hub: &Hub) -> Result<(), NotReady> {
        self.check(Instant::now())?;
        let answered = tokio::time::timeout(PATIENCE, hub.stats()).await;
        answered.ok().flatten().ok_or(NotReady::Signalling)?;
        Ok(())
    }
}

pub(super) fn router(health: Arc<Health>, hub: Hub) -> Router {
    let ready = async move || match health.ready(&hub).await {
        Ok(()) => answer(StatusCode::OK, "ready"),
        Err(why) => answer(StatusCode::SERVICE_UNAVAILABLE, &why.to_string()),
    };
    Router::new()
        .route("/healthz", get(async || answer(StatusCode::OK, "ok")))
        .route("/readyz", get(ready))
}

fn answer(status: StatusCode, text: &str) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (status, headers, format!("{text}\n")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meters::STUCK_AFTER;

    #[test]
    fn everything_that_clients_need_has_to_work() {
        let workers: Vec<Arc<Meters>> = vec![Arc::default(), Arc::default()];
        let health = Health::new(workers.clone());
        let now = Instant::now();
        assert_eq!(health.check(now), Ok(()));
        health.set_accepting(false);
        assert_eq!(health.check(now), Err(NotReady::Deaf));
        health.set_accepting(true);
        let later = now + 2 * STUCK_AFTER;
        workers[0].turn(0, later);
        assert_eq!(health.check(later), Err(NotReady::WorkerStuck(1)));
        workers[1].turn(0, later);
        assert_eq!(health.check(later), Ok(()));
        workers[1].end();
        assert_eq!(health.check(later), Err(NotReady::WorkerOver(1)));
        health.set_draining();
        assert_eq!(health.check(later), Err(NotReady::Draining));
    }
}
