//! When to ask a publisher for a keyframe.
//!
//! Requests of all viewers are merged into one, and repeated until a keyframe
//! comes: one lost PLI (RFC 4585 section 6.3.1) must not freeze anyone.

use std::time::{Duration, Instant};

/// Least time between two requests. A keyframe is several times a usual frame;
/// asking more often would fill the uplink that it has to come through.
const INTERVAL: Duration = Duration::from_millis(300);

/// Requests that nobody answers slow down to one in this long.
const SLOWEST_INTERVAL: Duration = Duration::from_secs(3);

/// The requests towards one publisher's video track.
#[derive(Debug, Default)]
pub(super) struct KeyframeRequests {
    wanted: bool,
    last_sent: Option<Instant>,
    /// Requests sent since the last keyframe.
    unanswered: u32,
}

impl KeyframeRequests {
    /// A viewer needs a keyframe.
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    /// A keyframe came.
    pub(super) fn seen(&mut self) {
        self.wanted = false;
        self.unanswered = 0;
    }

    /// When the next request is due; `None` while none is.
    pub(super) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        self.wanted
            .then(|| self.last_sent.map_or(now, |sent| sent + self.interval()))
    }

    /// True if a request must go out now; it counts as sent.
    pub(super) fn take_due(&mut self, now: Instant) -> bool {
        let due = self.poll_timeout(now).is_some_and(|at| at <= now);
        if due {
            self.last_sent = Some(now);
            self.unanswered = self.unanswered.saturating_add(1);
        }
        due
    }

    /// Doubles with each request that got no answer.
    fn interval(&self) -> Duration {
        let doublings = self.unanswered.saturating_sub(1).min(8);
        (INTERVAL * (1 << doublings)).min(SLOWEST_INTERVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    /// The moments, in ms, at which a request goes out when polled each 10 ms.
    fn sent(requests: &mut KeyframeRequests, start: Instant, ms: std::ops::Range<u64>) -> Vec<u64> {
        ms.step_by(10)
            .filter(|t| requests.take_due(at(start, *t)))
            .collect()
    }

    #[test]
    fn nothing_is_sent_unasked() {
        let start = Instant::now();
        let mut requests = KeyframeRequests::default();
        assert_eq!(requests.poll_timeout(start), None);
        assert!(sent(&mut requests, start, 0..1_000).is_empty());
    }

    #[test]
    fn many_viewers_make_one_request() {
        let start = Instant::now();
        let mut requests = KeyframeRequests::default();
        requests.want();
        assert!(requests.take_due(start));
        for _ in 0..100 {
            requests.want();
            assert!(!requests.take_due(at(start, 100)));
        }
        assert_eq!(requests.poll_timeout(at(start, 100)), Some(at(start, 300)));
    }

    #[test]
    fn repeats_until_seen_and_slows_down() {
        let start = Instant::now();
        let mut requests = KeyframeRequests::default();
        requests.want();
        assert_eq!(
            sent(&mut requests, start, 0..10_000),
            [0, 300, 900, 2_100, 4_500, 7_500]
        );
        requests.seen();
        assert!(sent(&mut requests, start, 10_000..20_000).is_empty());
    }

    #[test]
    fn a_request_just_after_a_keyframe_waits_its_turn() {
        let start = Instant::now();
        let mut requests = KeyframeRequests::default();
        requests.want();
        assert!(requests.take_due(start));
        requests.seen();
        requests.want();
        assert_eq!(sent(&mut requests, start, 50..500), [300]);
    }
}
