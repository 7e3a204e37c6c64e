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
            | info::FAILED_BY_DTLS_FINGERPRINT_ERROR
            | info::STREAM_NAME_ALREADY_IN_USE,
        ) => Severity::Fatal,
        Some(info) if FATAL_INFOS.contains(&info) => Severity::Fatal,
        // What comes behind it says why.
        Some(info) if info.starts_with(info::RESTRICTED_ACCESS) => Severity::Fatal,
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

#[cfg(test)]
mod tests {
    use wire::{MediaSessionId, StreamName, StreamStatus};

    use super::*;
    use crate::StreamRole;

    const CONFIG: BackoffConfig = BackoffConfig {
        first: Duration::from_millis(500),
        factor: 2.0,
        cap: Duration::from_secs(3),
        jitter: 0.5,
    };

    /// The first waits, in milliseconds.
    #[track_caller]
    fn check(config: BackoffConfig, random: f64, expected: [u128; 5]) {
        let mut backoff = Backoff::new(config);
        let waits = expected.map(|_| backoff.next(random).as_millis());
        assert_eq!(waits, expected, "{config:?} {random}");
    }

    #[test]
    fn waits_grow_up_to_the_cap() {
        check(CONFIG, 0.0, [500, 1_000, 2_000, 3_000, 3_000]);
        let factor = 1.5;
        check(
            BackoffConfig { factor, ..CONFIG },
            0.0,
            [500, 750, 1_125, 1_687, 2_531],
        );
        let cap = Duration::from_millis(300);
        check(BackoffConfig { cap, ..CONFIG }, 0.0, [300; 5]);
    }

    #[test]
    fn chance_takes_off_a_part() {
        check(CONFIG, 0.5, [375, 750, 1_500, 2_250, 2_250]);
        check(CONFIG, 1.0, [250, 500, 1_000, 1_500, 1_500]);
        check(
            BackoffConfig {
                jitter: 1.0,
                ..CONFIG
            },
            1.0,
            [0; 5],
        );
        check(
            BackoffConfig {
                jitter: 0.0,
                ..CONFIG
            },
            1.0,
            [500, 1_000, 2_000, 3_000, 3_000],
        );
    }

    #[test]
    fn numbers_that_make_no_sense_do_no_harm() {
        let steady = [500, 500, 500, 500, 500];
        for factor in [f64::NAN, f64::NEG_INFINITY, -1.0, 0.5] {
            check(BackoffConfig { factor, ..CONFIG }, 0.0, steady);
        }
        let factor = f64::INFINITY;
        check(
            BackoffConfig { factor, ..CONFIG },
            0.0,
            [500, 3_000, 3_000, 3_000, 3_000],
        );
        let grown = [500, 1_000, 2_000, 3_000, 3_000];
        for random in [f64::NAN, -1.0] {
            check(CONFIG, random, grown);
        }
        check(CONFIG, 7.0, [250, 500, 1_000, 1_500, 1_500]);
        for jitter in [f64::NAN, -1.0] {
            check(BackoffConfig { jitter, ..CONFIG }, 1.0, grown);
        }
        check(
            BackoffConfig {
                jitter: 7.0,
                ..CONFIG
            },
            1.0,
            [0; 5],
        );
        let longest = BackoffConfig {
            first: Duration::MAX,
            cap: Duration::MAX,
            ..CONFIG
        };
        assert_eq!(Backoff::new(longest).next(0.0), Duration::MAX);
    }

    #[test]
    fn a_success_starts_again() {
        let mut backoff = Backoff::new(CONFIG);
        assert_eq!(backoff.attempt(), 0);
        backoff.next(0.0);
        backoff.next(0.0);
        assert_eq!(backoff.attempt(), 2);
        backoff.reset();
        assert_eq!(backoff, Backoff::new(CONFIG));
    }

    #[test]
    fn reasons_that_pass_and_reasons_that_do_not() {
        let check = |infos: &[&str], expected| {
            for info in infos {
                assert_eq!(severity_of_info(Some(info)), expected, "{info}");
            }
        };
        check(
            &[
                info::SESSION_DOES_NOT_EXIST,
                info::STOPPED_BY_PUBLISHER_STOP,
                info::PUBLISH_STREAM_IS_NOT_READY,
                info::STREAM_NOT_FOUND,
                info::SESSION_NOT_READY,
                info::MEDIASESSION_ID_ALREADY_IN_USE,
                info::FAILED_TO_ADD_STREAM_TO_PROXY,
                info::FAILED_BY_ICE_ERROR,
                info::FAILED_BY_ICE_TIMEOUT,
                info::FAILED_BY_KEEP_ALIVE,
                info::FAILED_BY_DTLS_ERROR,
                info::FAILED_BY_RTP_ACTIVITY,
                info::STOPPED_BY_SESSION_DISCONNECT,
                info::FAILED_BY_ERROR,
                info::STREAM_FAILED,
                "No available transcoders",
                "Something new",
                "",
            ],
            Severity::Passing,
        );
        check(
            &[
                info::NO_COMMON_CODECS,
                info::TRANSCODING_REQUIRED_BUT_DISABLED,
                info::RESTRICTED_ACCESS,
                "Restricted access: the access token has expired",
                info::FAILED_BY_DTLS_FINGERPRINT_ERROR,
                info::STREAM_NAME_ALREADY_IN_USE,
            ],
            Severity::Fatal,
        );
        check(&FATAL_INFOS, Severity::Fatal);
        assert_eq!(severity_of_info(None), Severity::Passing);
    }

    #[test]
    fn only_a_taken_name_depends_on_the_attempt() {
        let check = |info: &str, said, first, again| {
            let update = StreamUpdate {
                id: MediaSessionId::new("m"),
                name: StreamName::new("test"),
                role: StreamRole::Publisher,
                status: StreamStatus::Failed,
                info: Some(info.to_owned()),
                error: None,
                severity: said,
                retry_after: None,
                muted: None,
            };
            assert_eq!(severity(&update, Attempt::First), first, "{info}");
            assert_eq!(severity(&update, Attempt::Again), again, "{info}");
        };
        let (passing, fatal) = (Severity::Passing, Severity::Fatal);
        check(info::STREAM_NAME_ALREADY_IN_USE, fatal, fatal, passing);
        check(info::LOCAL_ERROR, fatal, fatal, fatal);
        check(info::LOCAL_ERROR, passing, passing, passing);
    }
}
