//! Which simulcast layer a viewer gets.
//!
//! Down at once when its network carries less than the layer takes, up when
//! there has been room for the next for a while, and later each time that going
//! up was too much. The old layer goes on until a keyframe of the new one comes.

use std::time::{Duration, Instant};

use super::bandwidth::Network;
use super::layers::{Flowing, Layers};

/// What a network that nothing is known of is taken to carry, bits per second:
/// enough for the middle one of usual layers, and what nearly every network has.
pub(super) const START_BPS: u64 = 600_000;

/// Room above what a layer takes, so that its larger frames fit too.
const HEADROOM: f64 = 1.15;

/// How long there must be room for a larger layer.
const UP_AFTER: Duration = Duration::from_millis(500);

/// The same where the network cannot be probed and trying is the way to know.
const TRY_AFTER: Duration = Duration::from_secs(5);

/// Having had to go down again sooner than this, it was too early to go up.
const TOO_EARLY: Duration = Duration::from_secs(10);

/// The longest wait after having gone up too early again and again.
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
    /// What takes less than the target.
    lesser: Vec<u8>,
    /// When it was last decided to go up.
    went_up: Option<Instant>,
    /// Since when there is room for more.
    room_since: Option<Instant>,
    /// By how much longer than usual to wait before going up.
    patience: u32,
    look_at: Instant,
}

impl Choice {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            target: None,
            current: None,
            lesser: Vec::new(),
            went_up: None,
            room_since: None,
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
        self.current.is_some() && self.current == self.target
    }

    /// What the viewer sees, or is to see first.
    pub(super) fn shown(&self) -> u8 {
        self.current.or(self.target).unwrap_or_default()
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
            Some(current) => self.wants(layer) || current == layer,
            None => self.liking(layer).is_some(),
        }
    }

    /// The viewer has started with, or gone over to, this layer.
    pub(super) fn took(&mut self, layer: u8) {
        self.current = Some(layer);
        self.target.get_or_insert(layer);
    }

    /// How much network there should be for the viewer to have the best, bits per
    /// second; nothing if it has that.
    pub(super) fn wish_bps(&self, most: &Flowing) -> u64 {
        if self.target == Some(most.layer) {
            0
        } else {
            (most.bps as f64 * HEADROOM) as u64
        }
    }

    /// True if it is time for [`Choice::decide`].
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let due = self.look_at <= now;
        if due {
            self.look_at = now + INTERVAL;
        }
        due
    }

    /// What is being sent, bits per second, with audio.
    pub(super) fn sent_bps(&self, layers: &Layers, now: Instant) -> u64 {
        let flowing = layers.flowing(now);
        let current = flowing.iter().find(|f| Some(f.layer) == self.current);
        current.map_or(0, |f| f.bps) + layers.audio_bps(now)
    }

    /// Decides anew; true if the viewer shall go over to another layer, or start.
    pub(super) fn decide(&mut self, layers: &Layers, network: Network, now: Instant) -> bool {
        let flowing = layers.flowing(now);
        let video = match network {
            Network::Limit(bps) => Network::Limit(bps.saturating_sub(layers.audio_bps(now))),
            Network::Unknown | Network::Carries => network,
        };
        let wanted = self.wanted(&flowing, video, now);
        let changed = wanted.is_some() && wanted != self.target;
        if changed {
            self.target = wanted;
            let lesser = flowing.iter().map(|f| f.layer);
            self.lesser = lesser.take_while(|layer| Some(*layer) != wanted).collect();
            self.room_since = None;
        }
        changed
    }

    fn wanted(&mut self, flowing: &[Flowing], network: Network, now: Instant) -> Option<u8> {
        let on = flowing.iter().position(|f| Some(f.layer) == self.target);
        let Some(on) = on else {
            // It starts, or what it was on is gone.
            let bps = match network {
                Network::Limit(bps) => bps,
                Network::Unknown | Network::Carries => START_BPS,
            };
            return best(flowing, bps).map(|f| f.layer);
        };
        if let Network::Limit(bps) = network
            && bps < flowing[on].bps
        {
            let below = best(&flowing[..on], bps);
            return Some(below.map_or(flowing[on].layer, |f| self.down(f.layer, now)));
        }
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

    fn down(&mut self, layer: u8, now: Instant) -> u8 {
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
        let since = *self.room_since.get_or_insert(now);
        let long_enough = now.saturating_duration_since(since) >= after * self.patience;
        long_enough.then(|| {
            self.went_up = Some(now);
            layer
        })
    }
}

/// The most that fits, or the least of all.
fn best(flowing: &[Flowing], bps: u64) -> Option<&Flowing> {
    let fitting = flowing.iter().rev().find(|f| fits(f, bps));
    fitting.or(flowing.first())
}

/// The most that fits and has settled.
fn best_above(above: &[Flowing], bps: u64) -> Option<&Flowing> {
    above.iter().rev().find(|f| f.settled && fits(f, bps))
}

fn fits(flowing: &Flowing, bps: u64) -> bool {
    flowing.bps as f64 * HEADROOM <= bps as f64
}
