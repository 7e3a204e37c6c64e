//! What one direction of an emulated link does to each packet. Owns no clock
//! and no socket.

use std::time::{Duration, Instant};

/// What a link is like in one direction. The default is a perfect one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// Share of the packets that are lost, 0 to 1, each by itself.
    pub loss: f64,
    /// From one end to the other, for a packet that does not wait.
    pub delay: Duration,
    /// Most that is added to `delay`, drawn for each packet evenly from zero on.
    /// Packets keep their order nevertheless.
    pub jitter: Duration,
    /// Bits a second of UDP payload; `None` is as fast as the machine. Positive.
    pub rate_bps: Option<u64>,
    /// Longest wait for the rate: a packet that would wait longer is dropped.
    pub queue: Duration,
}

/// What became of the packets of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Packets let through.
    pub passed: u64,
    /// Bytes of UDP payload in them.
    pub passed_bytes: u64,
    /// Packets lost by chance.
    pub lost: u64,
    /// Packets for which the queue was too full.
    pub overflowed: u64,
}

/// One direction of one client's path.
#[derive(Debug)]
pub(super) struct Shaper {
    pub(super) conditions: Conditions,
    random: Random,
    /// When the last packet is through the bottleneck.
    free_at: Option<Instant>,
    /// When the last packet arrives.
    last_arrival: Option<Instant>,
}

/// What happens to a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It arrives then.
    Arrives(Instant),
    /// It is lost by chance.
    Lost,
    /// The queue is too full.
    Overflows,
}

impl Conditions {
    /// A queue as long as those of access networks often are.
    const QUEUE: Duration = Duration::from_millis(200);

    /// A link that loses this share of its packets, 0 to 1, and is perfect
    /// otherwise.
    pub fn lossy(loss: f64) -> Self {
        Self {
            loss,
            ..Self::default()
        }
    }

    /// A link that takes so many bits a second and is perfect otherwise.
    pub fn limited(rate_bps: u64) -> Self {
        Self {
            rate_bps: Some(rate_bps),
            ..Self::default()
        }
    }
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            loss: 0.0,
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            rate_bps: None,
            queue: Self::QUEUE,
        }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.passed_bytes += other.passed_bytes;
        self.lost += other.lost;
        self.overflowed += other.overflowed;
    }
}

impl Shaper {
    pub(super) fn new(conditions: Conditions, seed: u64) -> Self {
        Self {
            conditions,
            random: Random(seed),
            free_at: None,
            last_arrival: None,
        }
    }

    /// Takes a packet of `bytes` that comes at `now`, no earlier than the one
    /// before.
    pub(super) fn take(&mut self, now: Instant, bytes: usize) -> Fate {
        let Conditions {
            loss,
            delay,
            jitter,
            rate_bps,
            queue,
        } = self.conditions;
        // Both are drawn for every packet, so that which ones are lost depends
        // on the seed alone.
        let (luck, lateness) = (self.random.share(), self.random.share());
        if luck < loss {
            return Fate::Lost;
        }
        let starts = self.free_at.map_or(now, |free_at| free_at.max(now));
        if starts - now > queue {
            return Fate::Overflows;
        }
        let through = rate_bps.map_or(starts, |rate| starts + sending_time(bytes, rate));
        self.free_at = Some(through);
        let arrival = through + delay + jitter.mul_f64(lateness);
        let arrival = self.last_arrival.map_or(arrival, |last| last.max(arrival));
        self.last_arrival = Some(arrival);
        Fate::Arrives(arrival)
    }
}

fn sending_time(bytes: usize, rate_bps: u64) -> Duration {
    let nanos = bytes as u128 * 8 * 1_000_000_000 / u128::from(rate_bps.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// SplitMix64: small, and the same on every machine for a seed.
#[derive(Debug)]
struct Random(u64);

impl Random {
    /// Evenly from 0 on, less than 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The upper 53 bits fill a double's fraction.
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// Takes packets of 1,000 bytes, one each `every`, and tells when each
    /// arrives after it was sent.
    fn delays(shaper: &mut Shaper, packets: u32, every: Duration) -> Vec<Option<Duration>> {
        let start = Instant::now();
        let fate = |index| {
            let now = start + every * index;
            match shaper.take(now, 1_000) {
                Fate::Arrives(at) => Some(at - now),
                Fate::Lost | Fate::Overflows => None,
            }
        };
        (0..packets).map(fate).collect()
    }

    #[test]
    fn a_perfect_link_holds_nothing_up() {
        let mut shaper = Shaper::new(Conditions::default(), 1);
        assert_eq!(
            delays(&mut shaper, 100, Duration::ZERO),
            [Some(Duration::ZERO); 100]
        );
    }

    #[test]
    fn the_share_lost_is_the_one_asked_for() {
        for (loss, expected) in [(0.0, 0..=0), (0.1, 900..=1_100), (1.0, 10_000..=10_000)] {
            let mut shaper = Shaper::new(Conditions::lossy(loss), 7);
            let fates = delays(&mut shaper, 10_000, MILLISECOND);
            let lost = fates.iter().filter(|fate| fate.is_none()).count();
            assert!(expected.contains(&lost), "{lost} lost of 10,000 at {loss}");
        }
    }

    #[test]
    fn a_seed_loses_the_same_packets_whatever_the_rate() {
        let losses = |seed, rate_bps| {
            let conditions = Conditions {
                loss: 0.3,
                rate_bps,
                ..Conditions::default()
            };
            let mut shaper = Shaper::new(conditions, seed);
            let fates = delays(&mut shaper, 200, 10 * MILLISECOND);
            fates.iter().map(Option::is_none).collect::<Vec<_>>()
        };
        assert_eq!(losses(3, None), losses(3, Some(10_000_000)));
        assert_ne!(losses(3, None), losses(4, None));
    }

    #[test]
    fn jitter_spreads_but_keeps_the_order() {
        let conditions = Conditions {
            delay: 20 * MILLISECOND,
            jitter: 30 * MILLISECOND,
            ..Conditions::default()
        };
        let mut shaper = Shaper::new(conditions, 5);
        let start = Instant::now();
        let mut last = start;
        let mut seen = Vec::new();
        for index in 0..500 {
            let now = start + MILLISECOND * index;
            let Fate::Arrives(at) = shaper.take(now, 100) else {
                panic!("nothing is lost here");
            };
            assert!(at >= last, "packet {index} overtakes the one before");
            assert!((20..=50).contains(&(at - now).as_millis()));
            last = at;
            seen.push(at - now);
        }
        assert_ne!(seen.iter().min(), seen.iter().max());
    }

    #[test]
    fn a_rate_spaces_packets_and_its_queue_is_bounded() {
        // 1,000 bytes take 10 ms; the queue holds what takes 50.
        let conditions = Conditions {
            queue: 50 * MILLISECOND,
            ..Conditions::limited(800_000)
        };
        let mut shaper = Shaper::new(conditions, 1);
        let burst = delays(&mut shaper, 8, Duration::ZERO);
        let millis = |ms: u32| Some(MILLISECOND * ms);
        let expected = [10, 20, 30, 40, 50, 60].map(millis);
        assert_eq!(burst[..6], expected);
        assert_eq!(burst[6..], [None, None]);
    }

    #[test]
    fn what_comes_no_faster_than_the_rate_never_waits() {
        let mut shaper = Shaper::new(Conditions::limited(800_000), 1);
        let spaced = delays(&mut shaper, 50, 10 * MILLISECOND);
        assert_eq!(spaced, [Some(10 * MILLISECOND); 50]);
    }

    #[test]
    fn released_a_link_is_fast_again_once_its_queue_is_through() {
        let mut shaper = Shaper::new(Conditions::limited(8_000), 1);
        let now = Instant::now();
        assert_eq!(
            shaper.take(now, 100),
            Fate::Arrives(now + 100 * MILLISECOND)
        );
        shaper.conditions = Conditions::default();
        assert_eq!(
            shaper.take(now, 100),
            Fate::Arrives(now + 100 * MILLISECOND)
        );
        let later = now + 200 * MILLISECOND;
        assert_eq!(shaper.take(later, 100), Fate::Arrives(later));
    }
}
