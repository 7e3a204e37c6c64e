//! Which simulcast layer a viewer gets.
//!
//! Down at once when its network carries far less than the layer takes, or less for
//! a while; up when there has been room for the next for a while, and later each
//! time that going up was too much. The old layer goes on until a keyframe of the
//! new one comes, but not where the network carries far less than it takes.

use std::time::{Duration, Instant};

use super::bandwidth::{Network, percent};
use super::layers::Flowing;

/// What a network that nothing is known of is taken to carry, bits per second:
/// enough for the middle one of usual layers, and what nearly every network has.
pub(super) const START_BPS: u64 = 600_000;

/// What there must be for a layer, percent of what it takes, so that its larger
/// frames fit too.
const HEADROOM: u64 = 115;

/// Below this percentage of what a layer takes, it is left at once. An estimate goes
/// down to 85 % of what arrives by a single moment of delay
/// (draft-ietf-rmcat-gcc-02 section 5.5), of which nothing needs to follow.
const FAR_LESS: u64 = 75;

/// How long an estimate may be less than what the layer takes otherwise, which it
/// would have made good by now.
const LESS_FOR: Duration = Duration::from_secs(3);

/// What there must be for a layer to go down to, percent of what it takes: while
/// the network gets worse, its estimate is above what it carries, and what has
/// queued up has to go as well.
const DOWN_HEADROOM: u64 = 200;

/// How long to stay after having gone down.
const CALM: Duration = Duration::from_secs(2);

/// How long there must be room for a larger layer.
const UP_AFTER: Duration = Duration::from_millis(500);

/// The same where the network cannot be probed and trying is the way to know.
const TRY_AFTER: Duration = Duration::from_secs(5);

/// Having had to go down again sooner than this, it was too early to go up.
const TOO_EARLY: Duration = Duration::from_secs(10);

/// The longest wait after having gone up too early again and again, in shares of
/// the usual one.
const MAX_PATIENCE: u32 = 32;

/// How often the choice is looked at.
const INTERVAL: Duration = Duration::from_millis(100);

/// The choice of one viewer.
#[derive(Debug)]
pub(super) struct Choice {
    /// What the viewer shall get, once a keyframe of it comes.
    target: Option<u8>,
    /// What it gets.
    current: Option<u8>,
    /// What it gets is far too much, so it gets no more of it until a keyframe
    /// comes.
    leaving: bool,
    /// What takes less than the target.
    lesser: Vec<u8>,
    /// When it was last decided to go up.
    went_up: Option<Instant>,
    /// When it was last decided to go down.
    went_down: Option<Instant>,
    /// Since when there is room for more.
    room_since: Option<Instant>,
    /// Since when there is less than the layer takes.
    less_since: Option<Instant>,
    /// By how much longer than usual to wait before going up.
    patience: u32,
    look_at: Instant,
}

impl Choice {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            target: None,
            current: None,
            leaving: false,
            lesser: Vec::new(),
            went_up: None,
            went_down: None,
            room_since: None,
            less_since: None,
            patience: 1,
            look_at: now,
        }
    }

    /// What keyframes are needed of.
    pub(super) fn target(&self) -> Option<u8> {
        self.target
    }

    /// The viewer gets what it shall get.
    pub(super) fn is_settled(&self) -> bool {
        self.current.is_some() && self.current == self.target && !self.leaving
    }

    /// What the viewer sees, or is to see first or next.
    pub(super) fn shown(&self) -> u8 {
        let seen = self.current.filter(|_| !self.leaving);
        seen.or(self.target).unwrap_or_default()
    }

    /// The viewer gets nothing until a keyframe comes: what it got would not
    /// arrive whole, and the keyframe would queue up behind it.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// A keyframe of this layer is what the viewer waits for, if for any.
    pub(super) fn wants(&self, layer: u8) -> bool {
        self.target.is_none_or(|target| target == layer)
    }

    /// How much the viewer would like to start with this layer, `None` being not
    /// at all: a lesser picture now is better than none until the right one.
    pub(super) fn liking(&self, layer: u8) -> Option<u8> {
        if self.wants(layer) {
            Some(1)
        } else {
            self.lesser.contains(&layer).then_some(0)
        }
    }

    /// Whether the viewer may start, or go over, with a keyframe of this layer.
    pub(super) fn takes(&self, layer: u8) -> bool {
        match self.current {
            // What it gets may start anew on the way.
            Some(current) => self.wants(layer) || current == layer && !self.leaving,
            None => self.liking(layer).is_some(),
        }
    }

    /// The viewer has started with, or gone over to, this layer; true if it had
    /// a larger one.
    pub(super) fn took(&mut self, layer: u8) -> bool {
        let before = self.current.replace(layer);
        self.leaving = false;
        self.target.get_or_insert(layer);
        before.is_some_and(|before| before != layer && !self.lesser.contains(&before))
    }

    /// How much network there should be for the viewer to have the next of these,
    /// bits per second; nothing if it has the best.
    pub(super) fn wish_bps(&self, flowing: &[Flowing]) -> u64 {
        let on = flowing.iter().position(|f| Some(f.layer) == self.target);
        let next = on.and_then(|on| flowing.get(on + 1));
        next.map_or(0, |f| percent(f.bps, HEADROOM))
    }

    /// True if it is time for [`Choice::decide`].
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let due = self.look_at <= now;
        if due {
            self.look_at = now + INTERVAL;
        }
        due
    }

    /// What is being sent of these, bits per second.
    pub(super) fn sent_bps(&self, flowing: &[Flowing]) -> u64 {
        let mut flowing = flowing.iter();
        let current = flowing.find(|f| Some(f.layer) == self.current);
        current.map_or(0, |f| f.bps)
    }

    /// Decides anew which of these to get, the least first, over a network that
    /// carries so much video; true if the viewer shall go over to another layer,
    /// or start.
    pub(super) fn decide(&mut self, flowing: &[Flowing], network: Network, now: Instant) -> bool {
        let wanted = self.wanted(flowing, network, now);
        let changed = wanted.is_some() && wanted != self.target;
        if changed {
            self.target = wanted;
            let lesser = flowing.iter().map(|f| f.layer);
            self.lesser = lesser.take_while(|layer| Some(*layer) != wanted).collect();
            self.leaving |= self.is_far_too_much(flowing, network);
            self.room_since = None;
            self.less_since = None;
        }
        changed
    }

    /// What the viewer gets is far more than the network carries, and more than
    /// the target.
    fn is_far_too_much(&self, flowing: &[Flowing], network: Network) -> bool {
        let more = |f: &&Flowing| {
            let is_current = Some(f.layer) == self.current;
            is_current && !self.wants(f.layer) && !self.lesser.contains(&f.layer)
        };
        let current = flowing.iter().find(more);
        current.is_some_and(|current| {
            let far_less = percent(current.bps, FAR_LESS);
            matches!(network, Network::Limit(bps) if bps < far_less)
        })
    }

    fn wanted(&mut self, flowing: &[Flowing], network: Network, now: Instant) -> Option<u8> {
        let on = flowing.iter().position(|f| Some(f.layer) == self.target);
        let Some(on) = on else {
            // It starts, or what it was on is gone.
            let bps = match network {
                Network::Limit(bps) => bps,
                Network::Unknown | Network::Carries => START_BPS,
            };
            return best(flowing, bps, HEADROOM).map(|f| f.layer);
        };
        if let Network::Limit(bps) = network
            && bps < flowing[on].bps
        {
            self.room_since = None;
            let below = best(&flowing[..on], bps, DOWN_HEADROOM);
            let below = below.filter(|_| self.is_too_much(flowing[on].bps, bps, now));
            return Some(below.map_or(flowing[on].layer, |f| self.down(f.layer, now)));
        }
        self.less_since = None;
        let (above, after) = match network {
            Network::Limit(bps) => (best_above(&flowing[on + 1..], bps), UP_AFTER),
            Network::Carries => (flowing.get(on + 1).filter(|f| f.settled), TRY_AFTER),
            Network::Unknown => (None, UP_AFTER),
        };
        let layer = match above {
            Some(above) => self.up(above.layer, after, now),
            None => {
                self.room_since = None;
                None
            }
        };
        Some(layer.unwrap_or(flowing[on].layer))
    }

    /// Whether to leave a layer that takes more than the network carries.
    fn is_too_much(&mut self, taken_bps: u64, limit_bps: u64, now: Instant) -> bool {
        let since = *self.less_since.get_or_insert(now);
        let far_less = limit_bps < percent(taken_bps, FAR_LESS);
        far_less || now.saturating_duration_since(since) >= LESS_FOR
    }

    fn down(&mut self, layer: u8, now: Instant) -> u8 {
        self.went_down = Some(now);
        if let Some(up) = self.went_up.take() {
            let early = now.saturating_duration_since(up) < TOO_EARLY;
            self.patience = if early {
                (self.patience * 2).min(MAX_PATIENCE)
            } else {
                1
            };
        }
        layer
    }

    /// The layer, if there has been room for it long enough.
    fn up(&mut self, layer: u8, after: Duration, now: Instant) -> Option<u8> {
        let room_since = *self.room_since.get_or_insert(now);
        let passed = |since: Instant| now.saturating_duration_since(since) / self.patience;
        let calm = self.went_down.is_none_or(|down| passed(down) >= CALM);
        (calm && passed(room_since) >= after).then(|| {
            self.went_up = Some(now);
            layer
        })
    }
}

/// The most that fits with such headroom, or the least of all.
fn best(flowing: &[Flowing], bps: u64, headroom: u64) -> Option<&Flowing> {
    let mut descending = flowing.iter().rev();
    let fitting = descending.find(|f| percent(f.bps, headroom) <= bps);
    fitting.or(flowing.first())
}

/// The most that fits and has settled.
fn best_above(above: &[Flowing], bps: u64) -> Option<&Flowing> {
    let mut descending = above.iter().rev();
    descending.find(|f| f.settled && percent(f.bps, HEADROOM) <= bps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Layers that take so much, all settled, the first the least.
    fn flowing(bps: &[u64]) -> Vec<Flowing> {
        let layers = bps.iter().zip(0..);
        layers
            .map(|(bps, layer)| Flowing {
                layer,
                bps: *bps,
                settled: true,
            })
            .collect()
    }

    /// Decides every interval for so long, and takes up what it decides.
    fn pass(choice: &mut Choice, flowing: &[Flowing], network: Network, span: (u64, u64)) -> u8 {
        let start = choice.look_at;
        for ms in (span.0..span.1).step_by(100) {
            choice.decide(flowing, network, start + Duration::from_millis(ms));
            let layer = choice.target().unwrap();
            choice.took(layer);
        }
        choice.target().unwrap()
    }

    const RATES: [u64; 3] = [150_000, 500_000, 1_500_000];

    #[test]
    fn what_is_far_too_much_ends_before_what_comes_instead() {
        let flowing = flowing(&RATES);
        let mut choice = Choice::new(Instant::now());
        let mut at = choice.look_at;
        pass(&mut choice, &flowing, Network::Limit(2_000_000), (0, 100));
        at += Duration::from_millis(100);
        assert!(choice.decide(&flowing, Network::Limit(1_100_000), at));
        assert!(choice.is_leaving() && !choice.is_settled());
        assert_eq!((choice.shown(), choice.target()), (1, Some(1)));
        // It is not gone back to without a keyframe either.
        assert_eq!([0, 1, 2].map(|l| choice.takes(l)), [false, true, false]);
        at += CALM;
        choice.decide(&flowing, Network::Limit(2_000_000), at);
        at += UP_AFTER;
        assert!(choice.decide(&flowing, Network::Limit(2_000_000), at));
        assert_eq!(choice.target(), Some(2));
        assert!(choice.is_leaving() && !choice.is_settled() && choice.takes(2));
        assert!(!choice.took(2));
        assert!(!choice.is_leaving() && choice.is_settled());
    }

    #[test]
    fn what_is_a_little_too_much_goes_on_until_a_keyframe_of_less() {
        let flowing = flowing(&RATES);
        let mut choice = Choice::new(Instant::now());
        let start = choice.look_at;
        pass(&mut choice, &flowing, Network::Limit(2_000_000), (0, 100));
        let less = Network::Limit(1_200_000);
        choice.decide(&flowing, less, start + LESS_FOR);
        assert!(choice.decide(&flowing, less, start + LESS_FOR * 2));
        assert!(!choice.is_leaving());
        assert_eq!((choice.shown(), choice.target()), (2, Some(1)));
    }

    #[test]
    fn it_starts_with_what_fits() {
        let table = [
            (Network::Unknown, 1),
            (Network::Carries, 1),
            (Network::Limit(10_000), 0),
            (Network::Limit(400_000), 0),
            // With room for its keyframes.
            (Network::Limit(550_000), 0),
            (Network::Limit(600_000), 1),
            (Network::Limit(2_000_000), 2),
        ];
        for (network, expected) in table {
            let now = Instant::now();
            let mut choice = Choice::new(now);
            assert!(choice.decide(&flowing(&RATES), network, now));
            assert_eq!(choice.target(), Some(expected), "{network:?}");
        }
        let now = Instant::now();
        let mut choice = Choice::new(now);
        assert!(!choice.decide(&[], Network::Unknown, now));
        assert!(choice.takes(0) && choice.takes(2), "whatever comes first");
    }

    #[test]
    fn a_lesser_layer_will_do_to_start_with_and_a_greater_one_will_not() {
        let now = Instant::now();
        let mut choice = Choice::new(now);
        choice.decide(&flowing(&RATES), Network::Unknown, now);
        assert_eq!(
            [0, 1, 2].map(|l| choice.liking(l)),
            [Some(0), Some(1), None]
        );
        assert_eq!([0, 1, 2].map(|l| choice.takes(l)), [true, true, false]);
        assert!(!choice.took(0));
        assert!(!choice.is_settled());
        assert_eq!((choice.shown(), choice.target()), (0, Some(1)));
        // Either may start anew meanwhile.
        assert_eq!([0, 1, 2].map(|l| choice.takes(l)), [true, true, false]);
        assert!(!choice.took(1), "not less than before");
        assert!(choice.is_settled());
        assert_eq!([0, 1, 2].map(|l| choice.takes(l)), [false, true, false]);
    }

    #[test]
    fn down_at_once_and_up_after_a_while() {
        let flowing = flowing(&RATES);
        let mut choice = Choice::new(Instant::now());
        // So much, from so many ms until so many, comes to this layer.
        let table = [
            (Network::Limit(2_000_000), (0, 100), 2),
            (Network::Limit(1_000_000), (100, 200), 1),
            // Calm first.
            (Network::Limit(2_000_000), (200, 2_100), 1),
            (Network::Limit(2_000_000), (2_100, 2_300), 2),
            // Twice what it takes is not there for the one between.
            (Network::Limit(900_000), (2_300, 2_400), 0),
            (Network::Unknown, (2_400, 60_000), 0),
        ];
        for (network, span, expected) in table {
            assert_eq!(pass(&mut choice, &flowing, network, span), expected);
        }
    }

    #[test]
    fn a_moment_of_less_is_outlasted_and_a_while_of_it_is_not() {
        let flowing = flowing(&RATES);
        let mut choice = Choice::new(Instant::now());
        pass(&mut choice, &flowing, Network::Limit(2_000_000), (0, 100));
        let (less, enough) = (Network::Limit(1_300_000), Network::Limit(1_500_000));
        let table = [
            (less, (100, 2_900), 2),
            (enough, (2_900, 3_000), 2),
            (less, (3_000, 6_000), 2),
            (less, (6_000, 6_100), 1),
        ];
        for (network, span, expected) in table {
            assert_eq!(pass(&mut choice, &flowing, network, span), expected);
        }
    }

    /// Goes up and finds each time that it was too much.
    #[test]
    fn going_up_in_vain_is_tried_less_and_less() {
        let flowing = flowing(&RATES);
        let mut choice = Choice::new(Instant::now());
        let (little, much) = (Network::Limit(1_000_000), Network::Limit(2_000_000));
        pass(&mut choice, &flowing, little, (0, 100));
        let (mut ms, mut waits) = (100, Vec::new());
        for _ in 0..8 {
            let room = ms;
            while pass(&mut choice, &flowing, much, (ms, ms + 100)) == 1 {
                ms += 100;
            }
            waits.push((ms - room) / 100);
            ms += 100;
            pass(&mut choice, &flowing, little, (ms, ms + 100));
            ms += 100;
        }
        // In tenths of a second.
        assert_eq!(waits, [5, 39, 79, 159, 319, 639, 639, 639]);
    }

    #[test]
    fn without_probes_the_next_layer_is_tried() {
        let flowing = flowing(&RATES);
        let mut choice = Choice::new(Instant::now());
        assert_eq!(
            pass(&mut choice, &flowing, Network::Limit(10_000), (0, 100)),
            0
        );
        assert_eq!(
            pass(&mut choice, &flowing, Network::Carries, (100, 5_100)),
            0
        );
        assert_eq!(
            pass(&mut choice, &flowing, Network::Carries, (5_100, 5_300)),
            1
        );
        assert_eq!(
            pass(
                &mut choice,
                &flowing,
                Network::Limit(200_000),
                (5_300, 5_400)
            ),
            0
        );
        assert_eq!(
            pass(&mut choice, &flowing, Network::Carries, (5_400, 15_400)),
            0
        );
        assert_eq!(
            pass(&mut choice, &flowing, Network::Carries, (15_400, 15_600)),
            1
        );
    }

    #[test]
    fn a_layer_that_is_gone_is_left() {
        let mut choice = Choice::new(Instant::now());
        let all = flowing(&RATES);
        assert_eq!(
            pass(&mut choice, &all, Network::Limit(2_000_000), (0, 100)),
            2
        );
        assert_eq!(
            pass(
                &mut choice,
                &all[..2],
                Network::Limit(2_000_000),
                (100, 200)
            ),
            1
        );
        // Not back to it before it has settled.
        let mut back = all.clone();
        back[2].settled = false;
        assert_eq!(
            pass(&mut choice, &back, Network::Limit(2_000_000), (200, 5_000)),
            1
        );
        assert_eq!(
            pass(&mut choice, &all, Network::Limit(2_000_000), (5_000, 6_000)),
            2
        );
    }

    #[test]
    fn going_down_is_told_from_going_up() {
        let now = Instant::now();
        let mut choice = Choice::new(now);
        for (limit, layer, down) in [
            (2_000_000, 2, false),
            (100_000, 0, true),
            (100_000, 0, false),
        ] {
            choice.decide(&flowing(&RATES), Network::Limit(limit), now);
            assert_eq!(choice.took(layer), down, "{layer}");
        }
    }

    #[test]
    fn more_is_wished_for_until_there_is_nothing_more() {
        let flowing = flowing(&RATES);
        let mut choice = Choice::new(Instant::now());
        assert_eq!(choice.wish_bps(&flowing), 0);
        pass(&mut choice, &flowing, Network::Limit(0), (0, 100));
        assert_eq!(choice.wish_bps(&flowing), 575_000);
        pass(
            &mut choice,
            &flowing,
            Network::Limit(2_000_000),
            (100, 1_000),
        );
        assert_eq!(choice.wish_bps(&flowing), 0);
    }
}
