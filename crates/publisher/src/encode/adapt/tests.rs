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
    /// Of that, the part that a smaller picture takes too.
    fixed: f64,
    bandwidth: Option<u64>,
}

impl World {
    fn new(limits: Limits) -> Self {
        Self {
            adapter: Adapter::new(limits),
            now: Instant::now(),
            used: 1.0,
            cost: Duration::from_millis(5),
            fixed: 0.0,
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
            let pixels = self.adapter.pixels(self.adapter.rung) / self.adapter.pixels(0);
            let cost = self.fixed + (1.0 - self.fixed) * pixels;
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
fn what_does_not_grow_with_the_pixels_keeps_no_picture_small() {
    let mut world = World::new(limits());
    world.cost = Duration::from_millis(100);
    world.run(60.0, 3_000);
    // 28 ms in the smaller size: in the full one, 50 if all of it grew.
    (world.cost, world.fixed) = (Duration::from_millis(36), 0.5);
    let seen = world.run(60.0, 3_000);
    assert_eq!(seen, ["960x540@15", "1280x720@15"]);
}

#[test]
fn a_rung_that_is_climbed_to_is_borne_even_if_all_of_the_cost_grows() {
    let mut adapter = Adapter::new(limits());
    for rung in 1..adapter.ladder.len() {
        adapter.rung = rung;
        adapter.cost = Duration::from_millis(1);
        let above = rung - 1;
        let cost = adapter.cost_of(above).as_secs_f64() / adapter.cost.as_secs_f64();
        let pixels = adapter.pixels(above) / adapter.pixels(rung);
        assert!(UP_LOAD * pixels / cost < MAX_LOAD, "{rung}");
    }
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
