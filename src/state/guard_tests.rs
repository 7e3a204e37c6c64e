use super::*;

const SHRINK: Action = Action::SetPlayoutTarget(Some(Duration::ZERO));
const RESTORE: Action = Action::SetPlayoutTarget(None);

/// A guard and a clock of one reading a second.
#[derive(Default)]
struct Watch {
    guard: Guard,
    second: u64,
    visible: bool,
}

impl Watch {
    fn new() -> Self {
        Self {
            visible: true,
            ..Self::default()
        }
    }

    fn read(&mut self, measure: Measure, ms: f64) -> Vec<Action> {
        self.second += 1;
        let now = Duration::from_secs(self.second);
        let reading = Some(Reading { measure, ms });
        self.guard.handle_reading(reading, self.visible, now)
    }

    fn delay(&mut self, ms: f64) -> Vec<Action> {
        self.read(Measure::Delay, ms)
    }

    /// The same delay for some seconds; all that was done.
    fn hold(&mut self, ms: f64, seconds: u32) -> Vec<Action> {
        (0..seconds).flat_map(|_| self.delay(ms)).collect()
    }
}

#[test]
fn steady_jitter_never_triggers() {
    let mut watch = Watch::new();
    for second in 0..7_200_u32 {
        // From 40 to 240 ms, and a spike of a second and a half now and then.
        let jitter = f64::from(second * 7_919 % 200);
        let spike = if second % 97 < 2 { 1_500.0 } else { 0.0 };
        assert_eq!(watch.delay(40.0 + jitter + spike), []);
    }
    assert_eq!(watch.guard.note(), "");
}

#[test]
fn a_creeping_delay_is_drained_and_said() {
    let mut watch = Watch::new();
    let mut delay = 60.0;
    let drained = loop {
        delay += 20.0;
        let actions = watch.delay(delay);
        if !actions.is_empty() {
            break actions;
        }
        assert!(delay < 1_000.0, "never noticed");
    };
    assert_eq!(drained, [SHRINK]);
    assert_eq!(watch.guard.note(), "Catching up: 0.4 s behind");
    assert_eq!(watch.hold(100.0, 2), [RESTORE]);
    assert_eq!(watch.guard.note(), "Caught up: was 0.4 s behind");
    assert_eq!(watch.hold(100.0, 60), []);
    assert_eq!(watch.guard.note(), "");
}

#[test]
fn a_very_slow_creep_is_noticed_too() {
    let mut watch = Watch::new();
    let noticed = (0..3_600).any(|second| !watch.delay(60.0 + f64::from(second) * 2.0).is_empty());
    assert!(noticed);
}

#[test]
fn steps_rise_until_one_helps() {
    let mut watch = Watch::new();
    watch.hold(60.0, 30);
    assert_eq!(watch.hold(2_360.0, 5), [SHRINK]);
    assert_eq!(watch.hold(2_360.0, 5), [Action::Reattach]);
    assert_eq!(watch.hold(60.0, 2), [RESTORE]);
    assert_eq!(watch.guard.note(), "Caught up: was 2.3 s behind");
}

#[test]
fn the_last_step_plays_again() {
    let mut watch = Watch::new();
    watch.hold(60.0, 30);
    let all = [SHRINK, Action::Reattach, RESTORE, Action::Restart];
    assert_eq!(watch.hold(2_360.0, 15), all);
    assert_eq!(watch.guard.note(), "Played again: was 2.3 s behind");
    watch.guard.handle_new_stream();
    assert_eq!(watch.hold(60.0, 60), []);
}

#[test]
fn a_play_that_ends_is_not_caught_up_with_any_more() {
    let mut watch = Watch::new();
    watch.hold(60.0, 30);
    watch.hold(2_360.0, 5);
    watch.guard.handle_end();
    assert_eq!(watch.guard.note(), "");
    watch.hold(2_360.0, 10);
    let said = "Played again: was 2.3 s behind";
    assert_eq!(watch.guard.note(), said);
    watch.guard.handle_end();
    assert_eq!(watch.guard.note(), said);
}

#[test]
fn a_step_that_works_slowly_is_given_time() {
    let mut watch = Watch::new();
    watch.hold(60.0, 30);
    assert_eq!(watch.hold(3_000.0, 5), [SHRINK]);
    let mut delay = 3_000.0;
    while delay > 400.0 {
        delay -= 40.0;
        assert_eq!(watch.delay(delay), [], "{delay}");
    }
    assert_eq!(watch.hold(100.0, 2), [RESTORE]);
}

#[test]
fn coming_back_from_the_background_triggers_at_once() {
    let mut watch = Watch::new();
    watch.hold(60.0, 30);
    watch.visible = false;
    assert_eq!(watch.hold(9_000.0, 100), []);
    watch.visible = true;
    assert_eq!(watch.delay(9_060.0), [SHRINK]);
    assert_eq!(watch.guard.note(), "Catching up: 9.0 s behind");
}

#[test]
fn coming_back_to_a_live_picture_does_nothing() {
    let mut watch = Watch::new();
    watch.hold(60.0, 30);
    watch.visible = false;
    watch.hold(60.0, 10);
    watch.visible = true;
    assert_eq!(watch.hold(80.0, 10), []);
    // Nor does the return count later on.
    assert_eq!(watch.hold(9_000.0, 4), []);
}

#[test]
fn a_better_measure_starts_over_and_a_worse_one_is_not_compared() {
    let mut watch = Watch::new();
    for _ in 0..20 {
        assert_eq!(watch.read(Measure::Buffer, 20.0), []);
    }
    for _ in 0..5 {
        watch.read(Measure::Buffer, 500.0);
    }
    assert_ne!(watch.guard.note(), "");
    assert_eq!(watch.delay(900.0), [RESTORE]);
    assert_eq!(watch.guard.note(), "");
    assert_eq!(watch.hold(900.0, 60), []);
    for _ in 0..60 {
        assert_eq!(watch.read(Measure::EstimatedDelay, 9_000.0), []);
    }
    assert_eq!(watch.hold(2_000.0, 5), [SHRINK]);
}

#[test]
fn nothing_measured_does_nothing() {
    let mut guard = Guard::default();
    for second in 0..100 {
        let now = Duration::from_secs(second);
        assert_eq!(guard.handle_reading(None, second % 3 > 0, now), []);
    }
}

/// Ten hours of the worst there can be: whatever is done, it gets worse again.
#[test]
fn it_never_loops() {
    let mut watch = Watch::new();
    let mut restarts = Vec::new();
    let mut delay = 60.0;
    for second in 0..36_000_u64 {
        delay += 100.0;
        for action in watch.delay(delay) {
            match action {
                Action::Restart => {
                    restarts.push(second);
                    watch.guard.handle_new_stream();
                    delay = 60.0;
                }
                Action::Reattach => delay -= 200.0,
                Action::SetPlayoutTarget(_) => {}
            }
        }
    }
    let pauses: Vec<u64> = restarts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(restarts.len() >= 3, "{restarts:?}");
    let hour = restarts.iter().filter(|&&at| at < 3_600).count();
    assert!(hour <= 7, "{restarts:?}");
    assert!(
        pauses.iter().skip(5).all(|&pause| pause >= 1_800),
        "{pauses:?}"
    );
}
