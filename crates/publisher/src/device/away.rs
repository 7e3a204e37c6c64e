//! What happens while a device is away.
//!
//! A [`Lasting`] device is open, or away: then something stands in for it
//! (darkness, silence), and now and then it is looked for. What differs between
//! cameras, screens and microphones is in their [`Device`].

use std::thread;
use std::time::{Duration, Instant};

use crate::source::Captured;

/// Time between two looks whether the device is back.
const LOOK: Duration = Duration::from_secs(1);

/// Time between two dark pictures: enough for viewers and servers to know that
/// the stream lives.
#[cfg(any(feature = "camera", feature = "screen"))]
pub(super) const DARK: StandIns = StandIns {
    first: Duration::ZERO,
    every: Duration::from_secs(1),
};

/// The time, and the passing of it. Tests make their own.
pub(super) trait Clock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, duration: Duration) {
        thread::sleep(duration);
    }
}

/// What a kind of device does for [`Lasting`].
pub(super) trait Device {
    /// One that is open.
    type Open;

    /// When something stands in for one that is away.
    const STAND_INS: StandIns;

    fn clock(&self) -> &dyn Clock;

    /// What a sentence calls it.
    fn title(&self) -> String;

    /// What comes next of one that is open; else, as the end of a sentence, why
    /// nothing comes any more.
    fn capture(&mut self, open: &mut Self::Open) -> Result<Captured, String>;

    /// What stands in for it, at this time.
    fn stand_in(&mut self, at: Instant) -> Captured;

    /// Opens it again if it is there.
    fn look(&mut self) -> Option<Self::Open>;
}

/// When something stands in, counted from when the device was lost.
#[derive(Debug, Clone, Copy)]
pub(super) struct StandIns {
    pub(super) first: Duration,
    pub(super) every: Duration,
}

/// A device that is waited for when it is lost.
pub(super) struct Lasting<D: Device> {
    pub(super) device: D,
    state: State<D::Open>,
}

enum State<T> {
    Open(T),
    Away(Away),
}

impl<D: Device> Lasting<D> {
    pub(super) const fn new(device: D, open: D::Open) -> Self {
        let state = State::Open(open);
        Self { device, state }
    }

    /// What comes next, of the device or in its place.
    pub(super) fn next(&mut self) -> Captured {
        match &mut self.state {
            State::Open(open) => {
                let captured = self.device.capture(open);
                captured.unwrap_or_else(|why| self.lose(&why))
            }
            State::Away(away) => {
                let due = away.due(self.device.clock().now());
                self.wait(due)
            }
        }
    }

    /// Says what happened and waits for the device.
    fn lose(&mut self, why: &str) -> Captured {
        let now = self.device.clock().now();
        self.state = State::Away(Away::since(now, D::STAND_INS));
        Captured::Notice(format!("{} {why}: waiting for it", self.device.title()))
    }

    /// Does what is due meanwhile.
    fn wait(&mut self, due: Due) -> Captured {
        match due {
            Due::StandIn(at) => self.device.stand_in(at),
            Due::Look => match self.device.look() {
                Some(open) => {
                    self.state = State::Open(open);
                    Captured::Notice(format!("{} is back", self.device.title()))
                }
                None => Captured::Nothing,
            },
            Due::Wait(duration) => {
                self.device.clock().sleep(duration);
                Captured::Nothing
            }
        }
    }
}

/// Why an open camera or microphone delivers no more.
#[cfg(any(feature = "camera", feature = "microphone"))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gone {
    Unplugged,
    /// With the system's reason.
    Failed(String),
}

#[cfg(any(feature = "camera", feature = "microphone"))]
impl Gone {
    /// The end of a sentence that starts with the device.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Unplugged => "is unplugged".to_owned(),
            Self::Failed(why) => format!("fails ({why})"),
        }
    }
}

/// When what is due while a device is waited for.
#[derive(Debug)]
struct Away {
    every: Duration,
    next_stand_in: Instant,
    next_look: Instant,
}

/// What is to be done about it.
#[derive(Debug, PartialEq, Eq)]
enum Due {
    /// Deliver something in its place, of this time.
    StandIn(Instant),
    /// Look whether it is back.
    Look,
    /// Nothing for so long.
    Wait(Duration),
}

impl Away {
    fn since(now: Instant, stand_ins: StandIns) -> Self {
        Self {
            every: stand_ins.every,
            next_stand_in: now + stand_ins.first,
            next_look: now + LOOK,
        }
    }

    fn due(&mut self, now: Instant) -> Due {
        if self.next_stand_in <= now {
            // After a sleep of the machine, nothing is made up for.
            let slept = now - self.next_stand_in >= self.every;
            let at = if slept { now } else { self.next_stand_in };
            self.next_stand_in = at + self.every;
            return Due::StandIn(at);
        }
        if self.next_look <= now {
            self.next_look = now + LOOK;
            return Due::Look;
        }
        Due::Wait(self.next_stand_in.min(self.next_look) - now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away(start: Instant, first: u64, every: u64) -> Away {
        let stand_ins = StandIns {
            first: Duration::from_millis(first),
            every: Duration::from_millis(every),
        };
        Away::since(start, stand_ins)
    }

    #[test]
    fn a_stand_in_at_once_and_a_look_after_a_second() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut away = away(start, 0, 1000);
        assert_eq!(away.due(at(0)), Due::StandIn(at(0)));
        assert_eq!(away.due(at(0)), Due::Wait(Duration::from_secs(1)));
        assert_eq!(away.due(at(400)), Due::Wait(Duration::from_millis(600)));
        assert_eq!(away.due(at(1000)), Due::StandIn(at(1000)));
        assert_eq!(away.due(at(1010)), Due::Look);
        assert_eq!(away.due(at(1010)), Due::Wait(Duration::from_millis(990)));
    }

    #[test]
    fn stand_ins_follow_each_other_evenly_however_late_they_are_taken() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut away = away(start, 20, 20);
        assert_eq!(away.due(at(0)), Due::Wait(Duration::from_millis(20)));
        assert_eq!(away.due(at(21)), Due::StandIn(at(20)));
        assert_eq!(away.due(at(55)), Due::StandIn(at(40)));
        assert_eq!(away.due(at(59)), Due::Wait(Duration::from_millis(1)));
        assert_eq!(away.due(at(60)), Due::StandIn(at(60)));
    }

    #[test]
    fn after_a_sleep_of_the_machine_nothing_is_made_up_for() {
        let start = Instant::now();
        let mut away = away(start, 0, 1000);
        let hour = start + Duration::from_secs(3600);
        assert_eq!(away.due(hour), Due::StandIn(hour));
        assert_eq!(away.due(hour), Due::Look);
        assert_eq!(away.due(hour), Due::Wait(Duration::from_secs(1)));
    }
}
