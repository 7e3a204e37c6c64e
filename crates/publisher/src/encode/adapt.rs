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
        self.cost = self
            .cost
            .mul_f64(self.pixels(rung) / self.pixels(self.rung));
        self.rung = rung;
        self.window = None;
        self.overloads = 0;
        self.affordable_since = None;
    }

    /// The part of the time that encoding takes, or would take, on a rung.
    fn load(&self, rung: usize) -> f64 {
        let cost = self.cost.as_secs_f64() * self.pixels(rung) / self.pixels(self.rung);
        cost * f64::from(self.ladder[rung].fps)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            size: "1280x720".parse().unwrap(),
            fps: 30,
            min_bps: 100_000,
            max_bps: 2_000_000,
            start_bps: None,
            sound_bps: Some(64_000),
            adapt: true,
        }
    }

    /// An adapter, its clock, and an encoder as good or bad as the test says.
    struct World {
        adapter: Adapter,
        now: Instant,
        /// Of the bitrate, how much the encoder uses.
        used: f64,
        /// What encoding a full picture takes.
        cost: Duration,
        bandwidth: Option<u64>,
    }

    impl World {
        fn new(limits: Limits) -> Self {
            Self {
                adapter: Adapter::new(limits),
                now: Instant::now(),
                used: 1.0,
                cost: Duration::from_millis(5),
                bandwidth: None,
            }
        }

        /// Encodes for a while; the targets there were, each once.
        fn run(&mut self, seconds: f64, kbps: u64) -> Vec<String> {
            self.bandwidth = Some(kbps * 1_000).filter(|bps| *bps > 0);
            let end = self.now + Duration::from_secs_f64(seconds);
            let mut seen = Vec::new();
            while self.now < end {
                self.adapter.handle_picture(self.bandwidth, self.now);
                let target = self.adapter.target();
                assert!(target.bitrate_bps <= target.ceiling_bps);
                let bits = f64::from(target.bitrate_bps) / f64::from(target.fps);
                let cost = self.adapter.pixels(self.adapter.rung) / self.adapter.pixels(0);
                let bytes = (bits * self.used / 8.0) as usize;
                self.adapter.handle_encoded(bytes, self.cost.mul_f64(cost));
                self.now += Duration::from_secs(1) / target.fps;
                let name = format!("{}@{}", target.size, target.fps);
                if seen.last() != Some(&name) {
                    seen.push(name);
                }
            }
            seen
        }

        fn kbps(&self) -> u32 {
            self.adapter.target().bitrate_bps / 1_000
        }
    }

    #[test]
    fn the_ladder_lowers_the_rate_then_the_size() {
        let check = |size: &str, fps, expected: &[&str]| {
            let size = size.parse().unwrap();
            let rungs = ladder(Limits {
                size,
                fps,
                ..limits()
            });
            let rungs: Vec<String> = rungs
                .iter()
                .map(|rung| format!("{}@{}", rung.size, rung.fps))
                .collect();
            assert_eq!(rungs, expected);
        };
        check(
            "1280x720",
            30,
            &[
                "1280x720@30",
                "1280x720@15",
                "960x540@15",
                "640x360@15",
                "480x270@15",
                "320x180@15",
            ],
        );
        check(
            "320x180",
            60,
            &[
                "320x180@60",
                "320x180@30",
                "320x180@15",
                "240x134@15",
                "160x90@15",
            ],
        );
        check("160x90", 15, &["160x90@15"]);
        check("160x90", 1, &["160x90@1"]);
    }

    #[test]
    fn the_bitrate_follows_the_estimate_within_the_limits() {
        let mut world = World::new(limits());
        world.run(0.1, 0);
        assert_eq!(world.kbps(), 1_000, "half the limit, while unknown");
        let check = |world: &mut World, kbps, expected| {
            world.run(0.1, kbps);
            assert_eq!(world.kbps(), expected, "of {kbps} kbit/s");
        };
        // Less the sound's 94 and a tenth.
        check(&mut world, 1_500, 1_265);
        check(&mut world, 1_100, 905);
        check(&mut world, 50_000, 2_000);
        check(&mut world, 20, 100);
    }

    #[test]
    fn a_new_connection_starts_low_again() {
        let mut world = World::new(limits());
        world.run(1.0, 50_000);
        assert_eq!(world.kbps(), 2_000);
        world.run(1.0, 0);
        assert_eq!(world.kbps(), 1_000);
    }

    #[test]
    fn the_start_bitrate_is_within_the_limits() {
        let start = |start_bps| {
            let limits = Limits {
                start_bps,
                ..limits()
            };
            Adapter::new(limits).target().bitrate_bps
        };
        assert_eq!(start(Some(500_000)), 500_000);
        assert_eq!(start(Some(5_000_000)), 2_000_000);
        assert_eq!(start(Some(1)), 100_000);
    }

    #[test]
    fn a_squeezed_link_gets_fewer_and_smaller_pictures_within_a_second() {
        let mut world = World::new(limits());
        assert_eq!(world.run(10.0, 3_000), ["1280x720@30"]);
        assert_eq!(world.run(1.0, 300), ["1280x720@30", "640x360@15"]);
        assert_eq!(world.run(30.0, 300), ["640x360@15"], "and it stays");
        assert_eq!(world.kbps(), 185);
    }

    #[test]
    fn a_widened_link_is_climbed_a_rung_at_a_time() {
        let mut world = World::new(limits());
        world.run(1.0, 300);
        let seen = world.run(4.0, 3_000);
        assert_eq!(seen, ["640x360@15"], "careful");
        let seen = world.run(15.0, 3_000);
        let expected = ["640x360@15", "960x540@15", "1280x720@15", "1280x720@30"];
        assert_eq!(seen, expected);
        assert_eq!(world.kbps(), 2_000);
    }

    #[test]
    fn rungs_that_prove_too_high_are_tried_less_and_less() {
        let mut world = World::new(limits());
        world.run(1.0, 900);
        let mut climbs = 0;
        let mut waits = Vec::new();
        while waits.len() < 6 {
            // It looks good enough as long as little is sent.
            let before = world.now;
            while world.adapter.rung > 0 {
                world.run(0.1, 2_000);
            }
            waits.push(world.now.duration_since(before).as_secs());
            climbs += 1;
            world.run(2.0, 900);
        }
        assert_eq!(climbs, 6);
        assert_eq!(waits, [5, 10, 20, 40, 60, 60]);
    }

    #[test]
    fn an_easy_picture_keeps_its_size_on_a_narrow_link() {
        let mut world = World::new(limits());
        world.used = 0.5;
        assert_eq!(world.run(30.0, 300), ["1280x720@30"]);
    }

    #[test]
    fn a_processor_too_slow_gets_fewer_then_smaller_pictures() {
        let mut world = World::new(limits());
        world.cost = Duration::from_millis(50);
        assert_eq!(world.run(60.0, 3_000), ["1280x720@30", "1280x720@15"]);
        world.cost = Duration::from_millis(100);
        assert_eq!(world.run(60.0, 3_000), ["1280x720@15", "960x540@15"]);
        world.cost = Duration::from_millis(5);
        let seen = world.run(60.0, 3_000);
        assert_eq!(seen, ["960x540@15", "1280x720@15", "1280x720@30"]);
    }

    #[test]
    fn one_slow_picture_changes_nothing() {
        let mut world = World::new(limits());
        world.run(5.0, 3_000);
        world
            .adapter
            .handle_encoded(10_000, Duration::from_millis(300));
        assert_eq!(world.run(5.0, 3_000), ["1280x720@30"]);
    }

    #[test]
    fn without_adapting_nothing_changes() {
        let mut world = World::new(Limits {
            adapt: false,
            start_bps: Some(300_000),
            ..limits()
        });
        world.cost = Duration::from_secs(1);
        assert_eq!(world.run(30.0, 100), ["1280x720@30"]);
        assert_eq!(world.kbps(), 2_000);
    }

    #[test]
    fn a_bitrate_too_low_for_anything_gets_the_lowest_rung() {
        let mut world = World::new(Limits {
            min_bps: 10_000,
            ..limits()
        });
        let seen = world.run(30.0, 50);
        assert_eq!(seen, ["1280x720@30", "320x180@15"]);
        assert_eq!(world.kbps(), 10);
    }
}
