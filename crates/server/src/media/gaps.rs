//! Packets of a publisher that never come.
//!
//! str0m asks for a lost packet five times, a round trip and 5 ms apart, while it
//! is among the latest hundred (RFC 4585 section 6.2.1). What has not come by
//! then never will, and every viewer's picture stands or is broken until the next
//! keyframe: it is asked for at once, before the viewers notice one by one.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many packets back str0m still asks for one, and takes it.
const WINDOW: u64 = 100;

/// How often str0m asks, and what each time takes on top of the round trip: its
/// own margin, and that it looks only every 33 ms.
const ROUNDS: u32 = 5;
const ROUND_MARGIN: Duration = Duration::from_millis(40);

/// str0m's guess while the round trip has not been measured.
const UNKNOWN_ROUND_TRIP: Duration = Duration::from_millis(100);

/// What is missing of one RTP stream.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    newest: Option<u64>,
    /// Sequence numbers in order, and since when each is missing.
    missing: VecDeque<(u64, Instant)>,
    /// How many were found missing, and given up, since that was last asked for.
    counts: (u64, u64),
}

/// How long a missing packet is waited for.
pub(super) fn patience(round_trip: Option<Duration>) -> Duration {
    (round_trip.unwrap_or(UNKNOWN_ROUND_TRIP) + ROUND_MARGIN) * ROUNDS
}

impl Gaps {
    /// A packet came.
    pub(super) fn arrived(&mut self, sequence: u64, now: Instant) {
        let Some(newest) = self.newest.filter(|newest| *newest < sequence) else {
            self.missing.retain(|(missing, _)| *missing != sequence);
            self.newest = self.newest.or(Some(sequence));
            return;
        };
        // One of those before is kept, to be given up.
        let first = (newest + 1).max(sequence.saturating_sub(WINDOW + 1));
        self.missing.extend((first..sequence).map(|n| (n, now)));
        self.counts.0 += sequence - newest - 1;
        self.newest = Some(sequence);
    }

    /// How many packets were found missing, and how many given up, since the last
    /// time.
    pub(super) fn take_counts(&mut self) -> (u64, u64) {
        std::mem::take(&mut self.counts)
    }

    /// When the next missing packet is given up.
    pub(super) fn poll_timeout(&self, patience: Duration) -> Option<Instant> {
        self.missing.front().map(|(_, since)| *since + patience)
    }

    /// Forgets what will not come any more; true if there was anything.
    pub(super) fn give_up(&mut self, now: Instant, patience: Duration) -> bool {
        let oldest = self.newest.unwrap_or_default().saturating_sub(WINDOW);
        let before = self.missing.len();
        while let Some((sequence, since)) = self.missing.front()
            && (*sequence < oldest || *since + patience <= now)
        {
            self.missing.pop_front();
        }
        let given_up = before - self.missing.len();
        self.counts.1 += given_up as u64;
        given_up > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn what_comes_in_time_is_not_given_up() {
        let start = Instant::now();
        let mut gaps = Gaps::default();
        for sequence in [10, 12, 15] {
            gaps.arrived(sequence, start);
        }
        for sequence in [11, 14, 13, 9] {
            gaps.arrived(sequence, start + ms(50));
        }
        assert_eq!(gaps.poll_timeout(ms(100)), None);
        assert!(!gaps.give_up(start + ms(1_000), ms(100)));
    }

    #[test]
    fn what_does_not_is_given_up_once() {
        let start = Instant::now();
        let mut gaps = Gaps::default();
        gaps.arrived(10, start);
        gaps.arrived(12, start);
        gaps.arrived(14, start + ms(60));
        assert_eq!(gaps.poll_timeout(ms(100)), Some(start + ms(100)));
        assert!(!gaps.give_up(start + ms(99), ms(100)));
        assert!(gaps.give_up(start + ms(100), ms(100)));
        assert!(!gaps.give_up(start + ms(101), ms(100)));
        assert_eq!(gaps.poll_timeout(ms(100)), Some(start + ms(160)));
    }

    #[test]
    fn what_is_too_far_back_is_given_up_and_nothing_piles_up() {
        let start = Instant::now();
        let mut gaps = Gaps::default();
        gaps.arrived(10, start);
        gaps.arrived(12, start);
        gaps.arrived(111, start);
        assert!(!gaps.give_up(start, ms(100)), "{:?}", gaps.missing.front());
        gaps.arrived(112, start);
        assert!(gaps.give_up(start, ms(100)));
        gaps.arrived(1 << 40, start);
        assert_eq!(gaps.missing.len() as u64, WINDOW + 1 + 98);
        assert!(gaps.give_up(start, ms(100)));
        assert_eq!(gaps.missing.len() as u64, WINDOW);
    }

    #[test]
    fn patience_goes_by_the_round_trip() {
        let table = [(None, 700), (Some(20), 300), (Some(300), 1_700)];
        for (trip, expected) in table {
            assert_eq!(patience(trip.map(ms)), ms(expected), "{trip:?}");
        }
    }
}
