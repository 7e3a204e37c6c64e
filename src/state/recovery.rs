//! What the user wants to have, and when to try again for what was lost.
//!
//! The driver tells what happens and does the steps when they are due. What the
//! user stopped is wanted no more and never comes back by itself.

use core::time::Duration;

use session::{Backoff, BackoffConfig, Severity, StreamRole, Time};

/// A server that restarts is back in a second or two.
const CONNECTION: BackoffConfig = BackoffConfig {
    first: Duration::from_millis(500),
    factor: 2.0,
    cap: Duration::from_secs(15),
    jitter: 0.5,
};

/// A publisher may be back at any time: asking costs one message.
const STREAM: BackoffConfig = BackoffConfig {
    first: Duration::from_millis(500),
    factor: 1.5,
    cap: Duration::from_secs(5),
    jitter: 0.5,
};

/// What lasted this long counts as having worked: the next loss starts with
/// the shortest wait.
const STEADY: Duration = Duration::from_secs(10);

/// What is tried for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The session.
    Connection,
    /// The published or the played stream.
    Stream(StreamRole),
}

/// Something lost will be tried for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// What.
    pub target: Target,
    /// Tries since it last worked, this coming one included.
    pub attempt: u32,
    /// From now; `None` until the connection is back.
    pub delay: Option<Duration>,
}

/// How something was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// Whether another try may go better.
    pub severity: Severity,
    /// The server asks to be left alone for so long.
    pub at_least: Duration,
}

impl From<Severity> for Loss {
    fn from(severity: Severity) -> Self {
        Self {
            severity,
            at_least: Duration::ZERO,
        }
    }
}

/// The user's wishes.
#[derive(Debug)]
pub struct Recovery {
    keep_trying: bool,
    connection: Wish,
    publish: Wish,
    play: Wish,
}

#[derive(Debug)]
struct Wish {
    state: State,
    backoff: Backoff,
    /// It worked at least once since the user asked for it.
    worked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unwanted,
    /// Asked for, no word yet.
    Asked,
    Works {
        since: Time,
    },
    /// To be asked for again.
    Waiting {
        due: Time,
    },
    /// A stream, to be asked for again when the connection is back.
    Held,
}

impl Recovery {
    /// Nothing is wanted yet.
    pub fn new(keep_trying: bool) -> Self {
        Self {
            keep_trying,
            connection: Wish::new(CONNECTION),
            publish: Wish::new(STREAM),
            play: Wish::new(STREAM),
        }
    }

    /// The user asked for it.
    pub fn wanted(&mut self, target: Target) {
        let wish = self.wish(target);
        wish.state = State::Asked;
        wish.backoff.reset();
        wish.worked = false;
    }

    /// The user stopped it, or it ended as asked. Without a connection there
    /// are no streams.
    pub fn unwanted(&mut self, target: Target) {
        match target {
            Target::Connection => {
                for target in ALL {
                    self.wish(target).state = State::Unwanted;
                }
            }
            Target::Stream(_) => self.wish(target).state = State::Unwanted,
        }
    }

    /// Whether the user wants it.
    pub fn is_wanted(&self, target: Target) -> bool {
        self.wish_ref(target).state != State::Unwanted
    }

    /// Whether it worked before, since the user asked for it.
    pub fn worked(&self, target: Target) -> bool {
        self.wish_ref(target).worked
    }

    /// It works: ESTABLISHED, PUBLISHING or PLAYING.
    pub fn works(&mut self, target: Target, now: Time) {
        let wish = self.wish(target);
        wish.worked = true;
        match wish.state {
            State::Asked | State::Waiting { .. } | State::Held => {
                wish.state = State::Works { since: now };
            }
            State::Works { .. } | State::Unwanted => {}
        }
    }

    /// The streams that waited for the connection; they are asked for now.
    pub fn take_held(&mut self) -> Vec<StreamRole> {
        let mut held = Vec::new();
        for role in ROLES {
            let wish = self.wish(Target::Stream(role));
            if wish.state == State::Held {
                wish.state = State::Asked;
                held.push(role);
            }
        }
        held
    }

    /// It failed or was lost. `random` is between 0 and 1. Empty if it is given
    /// up: then it is unwanted.
    pub fn lost(&mut self, target: Target, loss: Loss, now: Time, random: f64) -> Vec<Wait> {
        if !self.is_wanted(target) {
            return Vec::new();
        }
        if !self.keep_trying || loss.severity == Severity::Fatal {
            self.unwanted(target);
            return Vec::new();
        }
        let wish = self.wish(target);
        let mut waits = vec![Wait {
            target,
            delay: Some(wish.wait(loss.at_least, now, random)),
            attempt: wish.backoff.attempt(),
        }];
        if target == Target::Connection {
            waits.extend(ROLES.into_iter().filter_map(|role| self.hold(role)));
        }
        waits
    }

    /// When [`Self::take_due`] has something to give.
    pub fn timeout(&self) -> Option<Time> {
        let due = |target| match self.wish_ref(target).state {
            State::Waiting { due } => Some(due),
            State::Unwanted | State::Asked | State::Works { .. } | State::Held => None,
        };
        ALL.into_iter().filter_map(due).min()
    }

    /// What is to be tried for now.
    pub fn take_due(&mut self, now: Time) -> Vec<Target> {
        let mut steps = Vec::new();
        for target in ALL {
            let wish = self.wish(target);
            if matches!(wish.state, State::Waiting { due } if due <= now) {
                wish.state = State::Asked;
                steps.push(target);
            }
        }
        steps
    }

    /// The network came back or the page is looked at again: nobody should sit
    /// through the rest of a wait.
    pub fn hurry(&mut self, now: Time) {
        for target in ALL {
            let wish = self.wish(target);
            if let State::Waiting { due } = &mut wish.state {
                *due = now.min(*due);
            }
        }
    }

    /// Changes whether what is lost is tried for again; what is given up by it.
    pub fn keep_trying(&mut self, keep_trying: bool) -> Vec<Target> {
        self.keep_trying = keep_trying;
        if keep_trying {
            return Vec::new();
        }
        let waits = |target: &Target| {
            matches!(
                self.wish_ref(*target).state,
                State::Waiting { .. } | State::Held
            )
        };
        let given_up: Vec<_> = ALL.into_iter().filter(waits).collect();
        for target in &given_up {
            self.unwanted(*target);
        }
        given_up
    }

    fn hold(&mut self, role: StreamRole) -> Option<Wait> {
        let target = Target::Stream(role);
        let wish = self.wish(target);
        if wish.state == State::Unwanted {
            return None;
        }
        wish.state = State::Held;
        Some(Wait {
            target,
            attempt: wish.backoff.attempt(),
            delay: None,
        })
    }

    fn wish(&mut self, target: Target) -> &mut Wish {
        match target {
            Target::Connection => &mut self.connection,
            Target::Stream(StreamRole::Publisher) => &mut self.publish,
            Target::Stream(StreamRole::Player) => &mut self.play,
        }
    }

    fn wish_ref(&self, target: Target) -> &Wish {
        match target {
            Target::Connection => &self.connection,
            Target::Stream(StreamRole::Publisher) => &self.publish,
            Target::Stream(StreamRole::Player) => &self.play,
        }
    }
}

const ROLES: [StreamRole; 2] = [StreamRole::Publisher, StreamRole::Player];

/// The connection first: without it there are no streams.
const ALL: [Target; 3] = [
    Target::Connection,
    Target::Stream(StreamRole::Publisher),
    Target::Stream(StreamRole::Player),
];

impl Wish {
    fn new(config: BackoffConfig) -> Self {
        Self {
            state: State::Unwanted,
            backoff: Backoff::new(config),
            worked: false,
        }
    }

    fn wait(&mut self, at_least: Duration, now: Time, random: f64) -> Duration {
        if matches!(self.state, State::Works { since } if now - since >= STEADY) {
            self.backoff.reset();
        }
        let delay = self.backoff.next(random).max(at_least);
        self.state = State::Waiting { due: now + delay };
        delay
    }
}

#[cfg(test)]
#[path = "recovery_tests.rs"]
mod tests;
