//! What the driver tells the screen.

use session::StreamRole;
use wire::StreamEventType;

use crate::platform::media::{Picture, Preview};
use crate::platform::peer::Probe;
use crate::state::{Capture, Diagnosis, Studio, Target, Wait};

/// What the driver tells the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// The session tells something.
    Session(session::Event),
    /// Something lost will be tried for again.
    Waiting(Wait),
    /// What was tried for is wanted no more.
    GivenUp(Target),
    /// What the server sends to the player, in bits of video a second.
    ServerRate(f64),
    /// What is wrong with a stream whose media does not flow, or that it does.
    Diagnosis {
        /// Publisher or player.
        role: StreamRole,
        /// `None` once media flows.
        diagnosis: Option<Box<Diagnosis>>,
    },
    /// A stream could not be asked for.
    Refused {
        /// Publisher or player.
        role: StreamRole,
        /// Why, for people.
        reason: String,
    },
    /// What the camera sees; `None` when it is off.
    Preview(Option<Preview>),
    /// What is wanted of devices, what is on and what happened to them.
    Studio(Box<Studio>),
    /// Something wished for cannot be had; these wishes are met.
    Wishes(Capture),
    /// What the played stream shows; `None` when it is over.
    Remote(Option<Remote>),
}

impl Update {
    /// It is only data from the publisher, of which there may be plenty.
    pub fn is_data(&self) -> bool {
        matches!(
            self,
            Self::Session(session::Event::StreamEvent {
                event_type: StreamEventType::Data,
                ..
            })
        )
    }
}

/// A played stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Remote {
    /// What it shows.
    pub picture: Picture,
    /// How it gets here.
    pub probe: Probe,
}
