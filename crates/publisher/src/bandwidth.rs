//! What the network carries, and what it is probed for.
//!
//! Transport-wide feedback gives an estimate that is probed for beyond what is
//! sent; a server without it may tell its own estimate (REMB) instead. Both are
//! of pictures, sound and the packets around them together.

use std::time::{Duration, Instant};

use crate::options::MediaOptions;
use crate::pipeline::Sent;

/// The start of pictures where nobody says another, in bits per second.
const START_BPS: u64 = 1_000_000;

/// What packets add to the bits of what they carry, percent.
const OVERHEAD: u64 = 5;

/// Headers of fifty small packets of sound a second, in bits per second.
const SOUND_OVERHEAD_BPS: u64 = 24_000;

/// More than is sent should be there, percent: for keyframes, and for what is
/// sent again.
const HEADROOM: u64 = 20;

/// An estimate is told when it has changed by this, percent.
const CHANGE: u64 = 5;

/// How long a server's estimate stands. Senders of it repeat it every second.
const REMB_AGE: Duration = Duration::from_secs(5);

/// How often what is wished for is probed for. A probe is short, some 15 ms of
/// twice the estimate at most, which hardly delays anything where there is no more.
const PROBE_AGAIN: Duration = Duration::from_secs(3);

/// What a publication sends, in bits per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    /// At the start.
    pub(crate) start_bps: u64,
    /// At most.
    pub(crate) max_bps: u64,
}

impl Budget {
    pub(crate) fn of(sent: Sent, options: &MediaOptions) -> Self {
        let audio = match sent.audio {
            Some(_) => u64::from(options.audio.bitrate_bps) + SOUND_OVERHEAD_BPS,
            None => 0,
        };
        let max = u64::from(options.video.max_bitrate_bps);
        let start = match options.video.start_bitrate_bps {
            _ if !options.video.adapt => max,
            Some(start) => max.min(u64::from(start)),
            None => max.min(START_BPS),
        };
        let with_video = |bps: u64| match sent.video {
            Some(_) => plus(bps, OVERHEAD) + audio,
            None => audio,
        };
        Self {
            start_bps: with_video(start),
            max_bps: with_video(max),
        }
    }
}

/// The evidence of one connection.
#[derive(Debug)]
pub(crate) struct Bandwidth {
    budget: Budget,
    /// The server gives transport-wide feedback.
    feedback: bool,
    /// What that has brought.
    estimate: Option<u64>,
    remb: Option<(u64, Instant)>,
    told: Option<u64>,
    wish: Option<Wish>,
    /// How often something was wished for.
    wishes: u64,
}

/// What is being probed for.
#[derive(Debug, Clone, Copy)]
struct Wish {
    bps: u64,
    /// When it was made, or last seen to be fulfilled.
    at: Instant,
}

impl Bandwidth {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            budget,
            feedback: false,
            estimate: None,
            remb: None,
            told: None,
            wish: None,
            wishes: 0,
        }
    }

    /// Whether the server gives transport-wide feedback.
    pub(crate) fn handle_feedback(&mut self, feedback: bool) {
        self.feedback = feedback;
    }

    pub(crate) fn has_feedback(&self) -> bool {
        self.feedback
    }

    pub(crate) fn budget(&self) -> Budget {
        self.budget
    }

    /// Takes in the estimate by transport-wide feedback as it is now.
    pub(crate) fn handle_estimate(&mut self, bps: u64) {
        // What it starts from is not measured.
        if self.feedback && (self.estimate.is_some() || bps != self.budget.start_bps) {
            self.estimate = Some(bps);
        }
    }

    /// Takes in an estimate of the server's.
    pub(crate) fn handle_remb(&mut self, bps: u64, now: Instant) {
        self.remb = Some((bps, now));
    }

    /// What the network carries, in bits per second; `None` while that is unknown.
    pub(crate) fn estimate_bps(&self, now: Instant) -> Option<u64> {
        let fresh = |(_, at): &(u64, Instant)| now.saturating_duration_since(*at) < REMB_AGE;
        let remb = || self.remb.filter(fresh).map(|(bps, _)| bps);
        self.estimate.or_else(remb)
    }

    /// The same, if it has changed enough to tell.
    pub(crate) fn take_change(&mut self, now: Instant) -> Option<u64> {
        let bps = self.estimate_bps(now)?;
        let changed = self
            .told
            .is_none_or(|told| bps.abs_diff(told) * 100 >= told * CHANGE);
        if changed {
            self.told = Some(bps);
        }
        self.told.filter(|_| changed)
    }

    /// What str0m is to probe for, if that is due, as `sent_bps` are being sent.
    ///
    /// It probes when more is wished for than before, and by itself only where
    /// little is sent of what it takes the network to carry. After a bad moment
    /// neither is the case, so a wish that is not fulfilled is repeated.
    pub(crate) fn take_wish(&mut self, sent_bps: u64, now: Instant) -> Option<u64> {
        // What is passed through may be more than the options say.
        let bps = plus(self.budget.max_bps.max(sent_bps), HEADROOM);
        let same = |wish: &Wish| bps.abs_diff(wish.bps) * 10 <= wish.bps;
        let wish = match self.wish.filter(same) {
            Some(wish) if self.estimate.is_some_and(|there| there >= wish.bps) => {
                self.wish = Some(Wish { at: now, ..wish });
                return None;
            }
            Some(wish) if now.saturating_duration_since(wish.at) < PROBE_AGAIN => return None,
            Some(wish) => Wish { at: now, ..wish },
            None => Wish { bps, at: now },
        };
        self.wish = Some(wish);
        // Only what is more than before is another wish.
        self.wishes += 1;
        Some(wish.bps + self.wishes)
    }
}

/// So many hundredths more.
fn plus(bps: u64, percent: u64) -> u64 {
    bps + bps / 100 * percent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::VideoCodec;

    const BUDGET: Budget = Budget {
        start_bps: 1_000,
        max_bps: 2_000,
    };

    fn second(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    #[test]
    fn the_budget_counts_pictures_sound_and_what_packets_add() {
        let check = |video, audio, start, adapt, expected| {
            let mut options = MediaOptions::default();
            options.video.start_bitrate_bps = start;
            options.video.adapt = adapt;
            let budget = Budget::of(Sent { video, audio }, &options);
            assert_eq!((budget.start_bps, budget.max_bps), expected);
        };
        let video = Some(VideoCodec::Vp8);
        check(video, Some(1), None, true, (1_138_000, 2_188_000));
        check(video, None, None, true, (1_050_000, 2_100_000));
        check(video, None, Some(300_000), true, (315_000, 2_100_000));
        check(video, None, Some(9_000_000), true, (2_100_000, 2_100_000));
        check(video, None, Some(300_000), false, (2_100_000, 2_100_000));
        check(None, Some(2), None, true, (88_000, 88_000));
    }

    #[test]
    fn what_it_starts_from_is_not_an_estimate() {
        let now = Instant::now();
        let mut bandwidth = Bandwidth::new(BUDGET);
        bandwidth.handle_estimate(700);
        assert_eq!(bandwidth.take_change(now), None);
        bandwidth.handle_feedback(true);
        bandwidth.handle_estimate(1_000);
        assert_eq!(bandwidth.take_change(now), None);
        bandwidth.handle_estimate(1_001);
        assert_eq!(bandwidth.take_change(now), Some(1_001));
        // Once measured it may come by there again.
        bandwidth.handle_estimate(500);
        bandwidth.handle_estimate(1_000);
        assert_eq!(bandwidth.estimate_bps(now), Some(1_000));
    }

    #[test]
    fn changes_that_matter_are_told() {
        let now = Instant::now();
        let mut bandwidth = Bandwidth::new(BUDGET);
        bandwidth.handle_feedback(true);
        let table = [
            (2_000, Some(2_000)),
            (2_099, None),
            (2_100, Some(2_100)),
            (1_996, None),
            (1_995, Some(1_995)),
            (300, Some(300)),
        ];
        for (bps, expected) in table {
            bandwidth.handle_estimate(bps);
            assert_eq!(bandwidth.take_change(now), expected, "{bps}");
        }
    }

    #[test]
    fn a_server_s_estimate_counts_for_a_while_where_there_is_no_feedback() {
        let now = Instant::now();
        let mut bandwidth = Bandwidth::new(BUDGET);
        bandwidth.handle_remb(800, now);
        assert_eq!(bandwidth.take_change(now), Some(800));
        assert_eq!(bandwidth.estimate_bps(now + REMB_AGE), None);
        bandwidth.handle_feedback(true);
        bandwidth.handle_estimate(1_500);
        assert_eq!(bandwidth.estimate_bps(now), Some(1_500));
    }

    #[test]
    fn wishes_are_repeated_until_they_are_fulfilled() {
        let start = Instant::now();
        let mut bandwidth = Bandwidth::new(BUDGET);
        bandwidth.handle_feedback(true);
        let table = [
            (0, 900, 0, Some(2_401)),
            (2, 900, 0, None),
            (3, 900, 0, Some(2_402)),
            (5, 900, 0, None),
            (6, 900, 0, Some(2_403)),
            (7, 2_400, 0, None),
            (90, 2_400, 0, None),
            (91, 300, 0, None),
            (93, 300, 0, Some(2_404)),
            (94, 300, 4_000, Some(4_805)),
        ];
        for (at, estimate, sent, expected) in table {
            bandwidth.handle_estimate(estimate);
            let wish = bandwidth.take_wish(sent, start + second(at));
            assert_eq!(wish, expected, "at {at} s");
        }
    }
}
