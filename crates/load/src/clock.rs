//! One clock for all threads of the generator, so that a viewer can tell how long a
//! packet took that a publisher stamped.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Nanoseconds from the generator's own origin to `at`.
pub(crate) fn nanoseconds(at: Instant) -> u64 {
    let since = at.saturating_duration_since(*ORIGIN);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// The moment that [`nanoseconds`] was asked about.
pub(crate) fn moment(nanoseconds: u64) -> Instant {
    *ORIGIN + Duration::from_nanos(nanoseconds)
}

/// Now, on the monotonic clock and on the wall clock by which the kernel stamps
/// datagrams. Both are read together, so that a wall clock that is set between a
/// datagram's arrival and now is the only thing that can spoil [`Now::arrival`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// Monotonic.
    pub(crate) at: Instant,
    wall: Duration,
}

impl Now {
    pub(crate) fn read() -> Self {
        Self {
            at: Instant::now(),
            wall: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
        }
    }

    /// When a datagram came into its socket, by the kernel's stamp on it; now, where
    /// there is none.
    pub(crate) fn arrival(&self, stamp: Option<Duration>) -> Instant {
        let waited = stamp.map_or(Duration::ZERO, |stamp| self.wall.saturating_sub(stamp));
        self.at.checked_sub(waited).unwrap_or(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_arrived_when_the_kernel_says() {
        let at = Instant::now();
        let now = Now {
            at,
            wall: Duration::from_secs(100),
        };
        let waited = Duration::from_millis(7);
        let stamp = Duration::from_secs(100) - waited;
        assert_eq!(now.arrival(Some(stamp)), at - waited);
        assert_eq!(now.arrival(None), at);
        assert_eq!(now.arrival(Some(Duration::from_secs(101))), at);
    }

    #[test]
    fn moments_and_nanoseconds_are_the_same() {
        let at = Instant::now() + Duration::from_secs(1);
        assert_eq!(moment(nanoseconds(at)), at);
    }
}
