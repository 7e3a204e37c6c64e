//! What a peer connection tells of itself while others own it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use web_sys::RtcPeerConnection;

/// When each step towards the first picture was done, in milliseconds on the
/// page's clock (`performance.now()`).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Milestones {
    /// The peer connection was made, right after the user's press.
    pub created_ms: f64,
    /// The offer was ready to be sent.
    pub offered_ms: Option<f64>,
    /// The server's answer was there.
    pub answered_ms: Option<f64>,
    /// ICE had a working pair of candidates.
    pub ice_ms: Option<f64>,
    /// DTLS was done: media can flow.
    pub dtls_ms: Option<f64>,
    /// The first packet of a video track came.
    pub first_packet_ms: Option<f64>,
}

/// A look into a peer connection, without owning it: it closes when its owner
/// says so, and a closed one tells nothing new.
#[derive(Debug, Clone)]
pub struct Probe {
    connection: RtcPeerConnection,
    milestones: Rc<Cell<Milestones>>,
    sound_lag: Rc<Cell<Duration>>,
}

impl Probe {
    pub(super) fn new(connection: &RtcPeerConnection, created_ms: f64) -> Self {
        Self {
            connection: connection.clone(),
            milestones: Rc::new(Cell::new(Milestones {
                created_ms,
                ..Milestones::default()
            })),
            sound_lag: Rc::default(),
        }
    }

    /// The steps done so far.
    pub fn milestones(&self) -> Milestones {
        self.milestones.get()
    }

    /// How much younger than it is the server says that the sound is.
    pub(super) fn sound_lag(&self) -> Duration {
        self.sound_lag.get()
    }

    /// Takes what the server granted.
    pub(super) fn set_sound_lag(&self, lag: Duration) {
        self.sound_lag.set(lag);
    }

    /// Notes a step; the first time counts.
    pub(super) fn note(&self, step: fn(&mut Milestones) -> &mut Option<f64>, now_ms: f64) {
        let mut milestones = self.milestones.get();
        step(&mut milestones).get_or_insert(now_ms);
        self.milestones.set(milestones);
    }

    pub(crate) fn connection(&self) -> &RtcPeerConnection {
        &self.connection
    }
}

impl PartialEq for Probe {
    fn eq(&self, other: &Self) -> bool {
        self.connection == other.connection
    }
}
