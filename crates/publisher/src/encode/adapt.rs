//! Decides what to make of a source's pictures: bitrate, frame rate and size,
//! after what the network carries and what the processor bears.
//!
//! The bitrate follows the estimate at once. Below a certain bitrate a picture
//! falls apart into blocks, and fewer, then smaller pictures look better: so
//! there is a ladder, each rung of which needs less than the one above. Down it
//! goes quickly and as far as needed, up a rung at a time and only after the
//! better rung could have been afforded for a while.
//!
//! Without a clock, a thread or an encoder of its own: the time is an input.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use crate::Size;

/// Bits per pixel below which `openh264`, at its lowest complexity, shows blocks
/// in moving pictures: 1280x720 at 30 frames a second needs about 970 kbit/s.
const BITS_PER_PIXEL: f64 = 0.035;

/// The frame rate is halved as long as it does not fall below this.
const LEAST_FPS: u32 = 10;

/// The sizes below the full one, in eighths of width and height.
const EIGHTHS: [usize; 4] = [6, 4, 3, 2];

/// How often it is decided whether to go down.
const WINDOW: Duration = Duration::from_millis(500);

/// An encoder that uses less than this part of its bitrate has an easy picture,
/// which needs no lower rung.
const STARVED: f64 = 0.8;

/// A rung must have been affordable for this long before it is climbed to.
const UP_AFTER: Duration = Duration::from_secs(5);

/// The longest such time, when rungs climbed to proved too high.
const MAX_UP_AFTER: Duration = Duration::from_secs(60);

/// A rung lost this soon after it was climbed to was too high.
const FLAP: Duration = Duration::from_secs(15);

/// How much more than a rung needs must be there to climb to it.
const UP_MARGIN: f64 = 1.25;

/// The part of the time between two pictures that encoding one may take.
const MAX_LOAD: f64 = 0.95;

/// The part it may take, by what is known below, on a rung to be climbed to.
const UP_LOAD: f64 = 0.7;

/// The part of what a picture costs that is taken not to depend on its size:
/// smaller ones have to be scaled, and their encoder has fewer pixels for as much
/// detail. Should all of the cost grow with the pixels after all, a rung climbed
/// to at [`UP_LOAD`] has 0.9 of the time at most, and is kept.
const FIXED: f64 = 0.4;

/// RTP, SRTP, UDP and IP headers of 50 packets of sound a second.
const SOUND_HEADERS_BPS: u64 = 30_000;

/// The part of the bandwidth that is left for frames: the rest are the headers
/// of their packets, about 6 in 100, and room for what is sent again.
const FRAMES_PART: f64 = 0.9;

/// What the application wants, and what the source delivers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Of the full picture.
    pub(crate) size: Size,
    /// Of the full rate.
    pub(crate) fps: u32,
    pub(crate) min_bps: u32,
    pub(crate) max_bps: u32,
    /// `None`: half of `max_bps`, or what the full picture needs.
    pub(crate) start_bps: Option<u32>,
    /// What sound takes of the bandwidth, headers excluded; `None`: no sound.
    pub(crate) sound_bps: Option<u32>,
    /// `false`: the full picture at `max_bps`, whatever happens.
    pub(crate) adapt: bool,
}

/// What to make of the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) size: Size,
    pub(crate) fps: u32,
    pub(crate) bitrate_bps: u32,
    /// The bitrate stays below this as long as size and rate stay as they are.
    pub(crate) ceiling_bps: u32,
}

/// A step of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rung {
    size: Size,
    fps: u32,
}

/// Follows network and processor.
#[derive(Debug)]
pub(crate) struct Adapter {
    limits: Limits,
    /// From the full picture down.
    ladder: Vec<Rung>,
    rung: usize,
    /// What the network leaves for pictures, or the start bitrate.
    share_bps: u32,
    window: Option<Window>,
    /// The windows one after another in which the processor was overloaded.
    overloads: u32,
    /// How long encoding one picture of this rung takes, smoothed; zero: unknown.
    cost: Duration,
    /// Since when the rung above could be afforded.
    affordable_since: Option<Instant>,
    up_after: Duration,
    climbed: Option<Instant>,
}

/// What happened lately.
#[derive(Debug, Clone, Copy)]
struct Window {
    start: Instant,
    /// The last update.
    until: Instant,
    used_bits: f64,
    allowed_bits: f64,
}

impl Window {
    fn new(start: Instant) -> Self {
        Self {
            start,
            until: start,
            used_bits: 0.0,
            allowed_bits: 0.0,
        }
    }
}

impl Adapter {
    pub(crate) fn new(limits: Limits) -> Self {
        let ladder = ladder(limits);
        let mut adapter = Self {
            limits,
            ladder,
            rung: 0,
            share_bps: limits.max_bps,
            window: None,
            overloads: 0,
            cost: Duration::ZERO,
            affordable_since: None,
            up_after: UP_AFTER,
            climbed: None,
        };
        adapter.share_bps = adapter.start_bps();
        adapter
    }

    /// What to make of the next picture.
    pub(crate) fn target(&self) -> Target {
        let Rung { size, fps } = self.ladder[self.rung];
        let ceiling_bps = self.ceiling_bps();
        Target {
            size,
            fps,
            bitrate_bps: self.share_bps.min(ceiling_bps),
            ceiling_bps,
        }
    }

    /// A picture is about to be encoded while the network carries
    /// `bandwidth_bps` of pictures and sound, headers included; `None`: unknown.
    pub(crate) fn handle_picture(&mut self, bandwidth_bps: Option<u64>, now: Instant) {
        if !self.limits.adapt {
            return;
        }
        self.share_bps = match bandwidth_bps {
            Some(bps) => self.share_of(bps),
            // A new connection: what the last one carried may be too much.
            None => self.share_bps.min(self.start_bps()),
        };
        let allowed = f64::from(self.target().bitrate_bps);
        let window = self.window.get_or_insert(Window::new(now));
        let passed = now.saturating_duration_since(window.until);
        window.allowed_bits += allowed * passed.as_secs_f64();
        window.until = now;
        let window = *window;
        if now.saturating_duration_since(window.start) >= WINDOW {
            self.window = None;
            self.step_down(window, now);
        }
        self.climb(now);
    }

    /// A picture was encoded, which took `cost`, into so many bytes.
    pub(crate) fn handle_encoded(&mut self, bytes: usize, cost: Duration) {
        if let Some(window) = &mut self.window {
            window.used_bits += bytes as f64 * 8.0;
        }
        self.cost = if self.cost.is_zero() {
            cost
        } else {
            (self.cost * 7 + cost) / 8
        };
    }

    /// Goes down if the picture is ruined or the processor is behind.
    fn step_down(&mut self, window: Window, now: Instant) {
        let starved = window.used_bits >= STARVED * window.allowed_bits;
        let too_little = self.share_bps < self.needed_bps(self.rung);
        let overloaded = self.load(self.rung) > MAX_LOAD;
        self.overloads = if overloaded { self.overloads + 1 } else { 0 };
        let wanted = if starved && too_little {
            let rungs = self.rung..self.ladder.len();
            let affordable = |rung: &usize| self.needed_bps(*rung) <= self.share_bps;
            rungs.clone().find(affordable).or(rungs.last())
        } else if self.overloads >= 2 {
            Some(self.rung + 1)
        } else {
            None
        };
        let lowest = self.ladder.len() - 1;
        if let Some(wanted) = wanted.map(|rung| rung.min(lowest))
            && wanted > self.rung
        {
            let soon = |at: Instant| now.saturating_duration_since(at) < FLAP;
            self.up_after = if self.climbed.is_some_and(soon) {
                (self.up_after * 2).min(MAX_UP_AFTER)
            } else {
                UP_AFTER
            };
            self.climbed = None;
            self.move_to(wanted);
        }
    }

    /// Goes up a rung if that could have been afforded for long enough.
    fn climb(&mut self, now: Instant) {
        let Some(above) = self.rung.checked_sub(1) else {
            return;
        };
        let enough = f64::from(self.needed_bps(above)) * UP_MARGIN;
        if f64::from(self.share_bps) < enough.min(f64::from(self.limits.max_bps))
            || self.load(above) > UP_LOAD
        {
            self.affordable_since = None;
            return;
        }
        let since = *self.affordable_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= self.up_after {
            self.climbed = Some(now);
            self.move_to(above);
        }
    }

    fn move_to(&mut self, rung: usize) {
        self.cost = self.cost_of(rung);
        self.rung = rung;
        self.window = None;
        self.overloads = 0;
        self.affordable_since = None;
    }

    /// The part of the time that encoding takes, or would take, on a rung.
    fn load(&self, rung: usize) -> f64 {
        self.cost_of(rung).as_secs_f64() * f64::from(self.ladder[rung].fps)
    }

    /// How long encoding one picture of a rung takes, by what is known of this one.
    fn cost_of(&self, rung: usize) -> Duration {
        let pixels = self.pixels(rung) / self.pixels(self.rung);
        self.cost.mul_f64(FIXED + (1.0 - FIXED) * pixels)
    }

    fn pixels(&self, rung: usize) -> f64 {
        let size = self.ladder[rung].size;
        (size.width() * size.height()) as f64
    }

    /// The least a rung looks good with; the lowest takes what there is.
    fn needed_bps(&self, rung: usize) -> u32 {
        let fps = f64::from(self.ladder[rung].fps);
        (self.pixels(rung) * fps * BITS_PER_PIXEL) as u32
    }

    /// What a rung has a use for: with a little more it is left upwards.
    fn ceiling_bps(&self) -> u32 {
        let max = self.limits.max_bps;
        match self.rung.checked_sub(1) {
            Some(above) => max.min((f64::from(self.needed_bps(above)) * UP_MARGIN) as u32),
            None => max,
        }
    }

    fn start_bps(&self) -> u32 {
        let Limits {
            min_bps,
            max_bps,
            start_bps,
            adapt,
            ..
        } = self.limits;
        if !adapt {
            return max_bps;
        }
        let start = start_bps.unwrap_or_else(|| self.needed_bps(0).max(max_bps / 2));
        start.max(min_bps).min(max_bps)
    }

    /// What the network leaves for pictures.
    fn share_of(&self, bandwidth_bps: u64) -> u32 {
        let sound = self.limits.sound_bps;
        let sound = sound.map_or(0, |bps| u64::from(bps) + SOUND_HEADERS_BPS);
        let rest = bandwidth_bps.saturating_sub(sound) as f64 * FRAMES_PART;
        (rest as u32)
            .max(self.limits.min_bps)
            .min(self.limits.max_bps)
    }
}

/// The full picture, then half its rate and so on, then smaller pictures at the
/// last of these rates.
fn ladder(limits: Limits) -> Vec<Rung> {
    let Limits { size, fps, .. } = limits;
    let fps = fps.max(1);
    let halved = |fps: &u32| Some(fps / 2).filter(|half| *half >= LEAST_FPS);
    let rates = std::iter::successors(Some(fps), halved);
    let mut ladder: Vec<Rung> = rates.map(|fps| Rung { size, fps }).collect();
    let slowest = ladder.last().map_or(fps, |rung| rung.fps);
    let smaller = EIGHTHS.iter().map_while(|eighths| size.scaled(*eighths, 8));
    ladder.extend(smaller.map(|size| Rung { size, fps: slowest }));
    ladder
}
