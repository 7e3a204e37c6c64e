//! What the network towards one viewer carries, by what the viewer says of it.
//!
//! Transport-wide feedback gives an estimate that has been probed for: it is
//! known what is not there, and what is there beyond what is sent. Without it
//! there are the receiver's own estimate (REMB) and its reports of loss. Those
//! tell when what is sent is too much, but not how much more there could be.

use std::time::{Duration, Instant};

/// How long a receiver's estimate stands. Senders of it repeat it every second.
const REMB_AGE: Duration = Duration::from_secs(5);

/// Lost packets, of one, past which a stream is more than the network carries,
/// and below which it is not: those of the loss-based half of Google congestion
/// control (draft-ietf-rmcat-gcc-02 section 6).
const HEAVY_LOSS: f32 = 0.10;
const LIGHT_LOSS: f32 = 0.02;

/// What is known of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    /// Nothing.
    Unknown,
    /// What is sent gets through; there may be room for more.
    Carries,
    /// So much and no more, bits per second.
    Limit(u64),
}

impl Network {
    /// What is left of it beside something that takes so much.
    pub(super) fn without(self, bps: u64) -> Self {
        match self {
            Self::Limit(limit) => Self::Limit(limit.saturating_sub(bps)),
            Self::Unknown | Self::Carries => self,
        }
    }
}

/// The evidence of one viewer's network.
#[derive(Debug, Default)]
pub(super) struct Bandwidth {
    /// By transport-wide feedback, bits per second.
    estimate: Option<u64>,
    /// By the receiver, bits per second.
    remb: Option<(u64, Instant)>,
    /// Of the packets of the last report that was not in between.
    loss: Option<f32>,
}

impl Bandwidth {
    /// Takes in an estimate by transport-wide feedback.
    pub(super) fn handle_estimate(&mut self, bps: u64) {
        self.estimate = Some(bps);
    }

    /// Takes in an estimate of the receiver's.
    pub(super) fn handle_remb(&mut self, bps: u64, now: Instant) {
        self.remb = Some((bps, now));
    }

    /// Takes in the part of the video packets that was lost of late.
    pub(super) fn handle_loss(&mut self, loss: f32) {
        if !(LIGHT_LOSS..HEAVY_LOSS).contains(&loss) {
            self.loss = Some(loss);
        }
    }

    /// What the network carries, as `sent_bps` are being sent.
    pub(super) fn network(&self, sent_bps: u64, now: Instant) -> Network {
        if let Some(estimate) = self.estimate {
            return Network::Limit(estimate);
        }
        let fresh = |(_, at): &(u64, Instant)| now.saturating_duration_since(*at) < REMB_AGE;
        let remb = self.remb.filter(fresh).map(|(bps, _)| bps);
        let lossy = self.loss.filter(|loss| *loss >= HEAVY_LOSS);
        let arriving = lossy.map(|loss| (sent_bps as f64 * f64::from(1.0 - loss)) as u64);
        match (remb.filter(|bps| *bps < sent_bps), arriving) {
            (Some(remb), Some(arriving)) => Network::Limit(remb.min(arriving)),
            (Some(limit), None) | (None, Some(limit)) => Network::Limit(limit),
            (None, None) if remb.is_some() || self.loss.is_some() => Network::Carries,
            (None, None) => Network::Unknown,
        }
    }
}

/// What a network is probed for.
///
/// str0m probes when more is wished for than before, and by itself only where
/// little is sent of what it takes the network to carry. After a bad moment that
/// is neither the case nor is there ever more to carry, so the wish is repeated.
#[derive(Debug, Default)]
pub(super) struct Probing {
    /// Bits per second.
    wished_bps: u64,
    at: Option<Instant>,
    /// How often the wish was repeated.
    repeats: u32,
}

/// When a wish is repeated first. A probe is short, at most 15 ms of twice what the
/// network is taken to carry, but where that is not there it delays what is sent.
const WISH_AGAIN: Duration = Duration::from_secs(3);

/// A wish that stays one is repeated less and less: the wait doubles so often.
const MAX_DOUBLINGS: u32 = 2;

impl Probing {
    /// There should be so much, bits per second; what str0m is to be told, if
    /// anything.
    pub(super) fn wish(&mut self, bps: u64, network: Network, now: Instant) -> Option<u64> {
        let changed = bps.abs_diff(self.wished_bps) > self.wished_bps / 10;
        let wait = WISH_AGAIN * (1 << self.repeats.min(MAX_DOUBLINGS));
        let long_ago = |at: Instant| now.saturating_duration_since(at) >= wait;
        if changed {
            self.wished_bps = bps;
            self.repeats = 0;
        } else if bps > 0 && self.at.is_some_and(long_ago) {
            self.repeats += 1;
        } else {
            return None;
        }
        self.at = Some(now);
        // It goes up to twice of what it is told, which would be far too much, but
        // never for less than it takes to be there.
        let least_bps = self.wished_bps * 2 / 3;
        let there = matches!(network, Network::Limit(limit) if limit >= least_bps);
        let told_bps = if there { self.wished_bps } else { least_bps };
        // Only what is more than before is another wish.
        Some(told_bps + u64::from(self.repeats))
    }
}

/// When to say that a viewer's network does not carry what it needs.
#[derive(Debug, Default)]
pub(super) struct Shortage {
    /// Since when it is short, or since when it is not any more.
    since: Option<Instant>,
    short: bool,
    told: Option<Instant>,
}

/// How long it must be short, and how long it must not be for it to be over.
const SHORT_FOR: Duration = Duration::from_secs(2);

/// What is there of what is needed where it is short, percent: a single moment of
/// delay brings an estimate down to 85 % of what arrives
/// (draft-ietf-rmcat-gcc-02 section 5.5).
const SHORT_BELOW: u64 = 85;

/// How often it is said while it lasts.
const TOLD_EVERY: Duration = Duration::from_secs(5);

impl Shortage {
    /// True if it is to be said now that `needed_bps` are more than the network
    /// carries.
    pub(super) fn check(&mut self, needed_bps: u64, network: Network, now: Instant) -> bool {
        let enough_bps = percent(needed_bps, SHORT_BELOW);
        let short = matches!(network, Network::Limit(bps) if bps < enough_bps);
        if short == self.short {
            self.since = None;
        } else {
            let since = *self.since.get_or_insert(now);
            if now.saturating_duration_since(since) >= SHORT_FOR {
                self.short = short;
                self.since = None;
            }
        }
        let tell = self.short
            && short
            && self
                .told
                .is_none_or(|told| now.saturating_duration_since(told) >= TOLD_EVERY);
        if tell {
            self.told = Some(now);
        }
        tell
    }
}

/// So many hundredths of a rate.
pub(super) fn percent(bps: u64, of_hundred: u64) -> u64 {
    bps.saturating_mul(of_hundred) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probed_estimate_is_what_counts() {
        let now = Instant::now();
        let mut bandwidth = Bandwidth::default();
        assert_eq!(bandwidth.network(1_000, now), Network::Unknown);
        bandwidth.handle_loss(0.5);
        bandwidth.handle_remb(500, now);
        bandwidth.handle_estimate(2_000);
        assert_eq!(bandwidth.network(1_000, now), Network::Limit(2_000));
    }

    #[test]
    fn a_receivers_estimate_limits_what_is_above_it() {
        let now = Instant::now();
        let mut bandwidth = Bandwidth::default();
        bandwidth.handle_remb(1_000, now);
        assert_eq!(bandwidth.network(900, now), Network::Carries);
        assert_eq!(bandwidth.network(1_100, now), Network::Limit(1_000));
        let late = now + REMB_AGE;
        assert_eq!(bandwidth.network(1_100, late), Network::Unknown);
    }

    #[test]
    fn heavy_loss_limits_until_it_is_light() {
        let now = Instant::now();
        let mut bandwidth = Bandwidth::default();
        let table = [
            (0.05, Network::Unknown),
            (0.01, Network::Carries),
            (0.05, Network::Carries),
            (0.25, Network::Limit(750)),
            (0.05, Network::Limit(750)),
            (0.0, Network::Carries),
        ];
        for (loss, expected) in table {
            bandwidth.handle_loss(loss);
            assert_eq!(bandwidth.network(1_000, now), expected, "{loss}");
        }
    }

    #[test]
    fn wishes_are_repeated_until_they_are_fulfilled() {
        let start = Instant::now();
        let mut probing = Probing::default();
        let (little, nearly) = (Network::Limit(799), Network::Limit(800));
        let table = [
            (0, 0, little, None),
            (0, 900, little, Some(900)),
            (1, 950, little, None),
            (2, 1_200, Network::Unknown, Some(800)),
            (4, 1_200, little, None),
            (5, 1_200, little, Some(801)),
            (10, 1_200, little, None),
            (11, 1_200, nearly, Some(1_202)),
            (22, 1_200, nearly, None),
            (23, 1_200, nearly, Some(1_203)),
            (35, 1_200, little, Some(804)),
            (36, 0, little, Some(0)),
            (99, 0, little, None),
            (100, 1_200, little, Some(800)),
            (103, 1_200, little, Some(801)),
        ];
        for (second, bps, network, expected) in table {
            let now = start + Duration::from_secs(second);
            let told = probing.wish(bps, network, now);
            assert_eq!(told, expected, "{bps} at {second} s");
        }
    }

    /// The seconds at which it is said, of a network with so much each second.
    fn told(limits: &[u64]) -> Vec<usize> {
        let start = Instant::now();
        let mut shortage = Shortage::default();
        let mut told = Vec::new();
        for (second, bps) in limits.iter().enumerate() {
            let now = start + Duration::from_secs(second as u64);
            if shortage.check(100, Network::Limit(*bps), now) {
                told.push(second);
            }
        }
        told
    }

    #[test]
    fn a_shortage_is_said_while_it_lasts() {
        assert!(told(&[85; 20]).is_empty());
        assert_eq!(told(&[84; 15]), [2, 7, 12]);
        // Not of what comes and goes.
        assert!(told(&[84, 84, 85, 84, 84, 85, 84]).is_empty());
        // Nor of a moment in which it is not short, and not anew after one.
        assert_eq!(told(&[84, 84, 84, 85, 84, 84, 84, 84, 84]), [2, 7]);
        // Over, and again.
        let over = [84, 84, 84, 85, 85, 85, 85, 85, 84, 84, 84, 84];
        assert_eq!(told(&over), [2, 10]);
    }
}
