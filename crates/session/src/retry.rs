//! Whether to try again, and when: the policy that the page and the publisher
//! share.
//!
//! A session that failed, or that its server ended, may always be tried again:
//! nothing the client can see tells a server that restarts from one that is
//! gone. A failed stream says so itself: [`severity`].

use core::time::Duration;

use wire::info;

use crate::StreamUpdate;

/// Reasons of the protocol that are about the request itself and not about the
/// moment, beyond those that [`wire::info`] names: the stream's name or the
/// file it stands for is wrong, or an administrator ended the stream.
const FATAL_INFOS: [&str; 7] = [
    "Bad URI",
    "Rtsp has wrong format",
    "File has wrong format",
    "File not found",
    "Failed to get agent storage",
    "Stopped by rest /terminate",
    "Terminated by keep-alive",
];

/// Whether a failure may pass by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Severity {
    /// The same request may work later: nobody publishes yet, the network or
    /// the server is in trouble. Reasons nobody knows count as passing.
    #[default]
    Passing,
    /// The same request fails again: somebody has to change something first.
    Fatal,
}

/// Which request of a stream failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attempt {
    /// The user's own.
    First,
    /// One that brings back a stream which was lost. The server may still hold
    /// the lost one, so that its name is taken for a while.
    Again,
}

/// Whether a FAILED stream may be tried again.
pub fn severity(update: &StreamUpdate, attempt: Attempt) -> Severity {
    match (update.info.as_deref(), attempt) {
        (Some(info::STREAM_NAME_ALREADY_IN_USE), Attempt::Again) => Severity::Passing,
        (_, Attempt::First | Attempt::Again) => update.severity,
    }
}

/// What a reason of the protocol says of trying again.
pub(crate) fn severity_of_info(info: Option<&str>) -> Severity {
    match info {
        Some(
            info::NO_COMMON_CODECS
            | info::TRANSCODING_REQUIRED_BUT_DISABLED
            | info::RESTRICTED_ACCESS
            | info::FAILED_BY_DTLS_FINGERPRINT_ERROR
            | info::STREAM_NAME_ALREADY_IN_USE,
        ) => Severity::Fatal,
        Some(info) if FATAL_INFOS.contains(&info) => Severity::Fatal,
        Some(_) | None => Severity::Passing,
    }
}

/// How the waits between two attempts grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BackoffConfig {
    /// The first wait, before jitter.
    pub first: Duration,
    /// How much longer each wait is than the one before; below 1 counts as 1.
    pub factor: f64,
    /// The longest wait, before jitter.
    pub cap: Duration,
    /// The part of a wait, 0 to 1, that chance may take off: 0.5 is known as
    /// equal jitter, 1 as full jitter.
    ///
    /// All clients of a server lose it in the same moment. Jitter spreads their
    /// return; equal jitter also keeps half of each wait for certain, so that
    /// no client comes back at once again and again.
    pub jitter: f64,
}

/// The waits between attempts: they grow by a factor up to a cap, each made a
/// little shorter by chance, which the caller brings.
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    config: BackoffConfig,
    /// The next wait, before jitter.
    wait: Duration,
    attempt: u32,
}

impl Backoff {
    /// Starts with the first wait.
    pub fn new(config: BackoffConfig) -> Self {
        Self {
            config,
            wait: config.first.min(config.cap),
            attempt: 0,
        }
    }

    /// How long to wait before the next attempt. `random` is 0 up to 1, fresh
    /// each time; 0 gives the longest wait.
    pub fn next(&mut self, random: f64) -> Duration {
        let wait = self.wait;
        self.wait = scale(wait, self.config.factor.max(1.0)).min(self.config.cap);
        self.attempt = self.attempt.saturating_add(1);
        scale(wait, 1.0 - unit(self.config.jitter) * unit(random))
    }

    /// An attempt succeeded: the next wait is the first one again.
    pub fn reset(&mut self) {
        *self = Self::new(self.config);
    }

    /// How many waits were given since the start or the last reset.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// What does not fit into a duration is as long as one can be.
fn scale(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

/// Forces a number between 0 and 1; what is no number counts as 0.
fn unit(number: f64) -> f64 {
    if number.is_nan() {
        0.0
    } else {
        number.clamp(0.0, 1.0)
    }
}
