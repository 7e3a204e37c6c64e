//! What happens while a device is away.

use std::time::{Duration, Instant};

/// Time between two looks whether the device is back.
const LOOK: Duration = Duration::from_secs(1);

/// Time between two dark pictures: enough for viewers and servers to know that
/// the stream lives.
const DARK: Duration = Duration::from_secs(1);

/// A device that is waited for.
#[derive(Debug)]
pub(super) struct Away {
    next_dark: Instant,
    next_look: Instant,
}

/// What is to be done about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Deliver a dark picture.
    Dark,
    /// Look whether it is back.
    Look,
    /// Nothing for so long.
    Wait(Duration),
}

impl Away {
    pub(super) fn since(now: Instant) -> Self {
        Self {
            next_dark: now,
            next_look: now + LOOK,
        }
    }

    pub(super) fn due(&mut self, now: Instant) -> Due {
        if self.next_dark <= now {
            self.next_dark = now + DARK;
            return Due::Dark;
        }
        if self.next_look <= now {
            self.next_look = now + LOOK;
            return Due::Look;
        }
        Due::Wait(self.next_dark.min(self.next_look) - now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn darkness_at_once_and_a_look_after_a_second() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut away = Away::since(start);
        assert_eq!(away.due(at(0)), Due::Dark);
        assert_eq!(away.due(at(0)), Due::Wait(Duration::from_secs(1)));
        assert_eq!(away.due(at(400)), Due::Wait(Duration::from_millis(600)));
        assert_eq!(away.due(at(1000)), Due::Dark);
        assert_eq!(away.due(at(1010)), Due::Look);
        assert_eq!(away.due(at(1010)), Due::Wait(Duration::from_millis(990)));
    }

    #[test]
    fn after_a_sleep_of_the_machine_nothing_is_made_up_for() {
        let start = Instant::now();
        let mut away = Away::since(start);
        let hour = start + Duration::from_secs(3600);
        assert_eq!(away.due(hour), Due::Dark);
        assert_eq!(away.due(hour), Due::Look);
        assert_eq!(away.due(hour), Due::Wait(Duration::from_secs(1)));
    }
}
