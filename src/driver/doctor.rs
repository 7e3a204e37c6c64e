//! The connection doctor's visits: to a connection that failed, and to one that
//! stands but through which nothing comes.

use core::time::Duration;

use session::StreamRole;
use wire::MediaSessionId;

use super::{Event, Shell, Update};
use crate::platform::peer::{self, Peer, Probe};
use crate::platform::task::Task;
use crate::platform::timer::{self, Timer};
use crate::state::{Evidence, Target, diagnose};

/// From connected to the look whether media flows, and from look to look while
/// it does not. A keyframe is there in less.
const CHECK_UP: Duration = Duration::from_secs(4);
/// What the server ended earlier than this after its answer had no fair chance
/// to connect, and its failure says nothing.
const FAIR_CHANCE: Duration = Duration::from_secs(3);

/// Examinations under way, at most one a half.
#[derive(Default)]
pub(super) struct Doctor {
    publisher: Option<Task>,
    player: Option<Task>,
}

impl Shell {
    /// To be called before a stream's media closes: if its connection failed,
    /// it is examined first and closed after.
    pub(super) fn examine_failed(&mut self, role: StreamRole) {
        // What the user stopped did not fail.
        if !self.recovery.is_wanted(Target::Stream(role)) {
            return;
        }
        let Some(leg) = self.live.as_mut().and_then(|live| live.leg(role).as_mut()) else {
            return;
        };
        let id = leg.id.clone();
        if let Some(peer) = leg.peer.take_if(|peer| has_failed(&peer.probe())) {
            self.examine(id, role, peer.probe(), Some(peer));
        }
    }

    /// The stream's connection stands: media should come now.
    pub(super) fn check_up_later(&mut self, id: &MediaSessionId) {
        let (queue, due) = (self.queue.clone(), Event::CheckUp(id.clone()));
        if let Some(leg) = self.leg(id) {
            leg.check_up = Some(Timer::after(CHECK_UP, move || queue.push(due)));
        }
    }

    pub(super) fn check_up(&mut self, id: MediaSessionId) {
        let Some(role) = self.role_of(&id) else {
            return;
        };
        if let Some(probe) = self.peer(&id).map(|peer| peer.probe()) {
            self.examine(id, role, probe, None);
        }
    }

    pub(super) fn examined(&mut self, id: &MediaSessionId, evidence: &Evidence) {
        let diagnosis = diagnose(evidence, &self.wanted.url);
        if diagnosis.is_some() {
            self.check_up_later(id);
        }
        let (role, diagnosis) = (evidence.role, diagnosis.map(Box::new));
        self.updates.emit(Update::Diagnosis { role, diagnosis });
    }

    /// Keeps `peer` open until its evidence is there.
    fn examine(&mut self, id: MediaSessionId, role: StreamRole, probe: Probe, peer: Option<Peer>) {
        let queue = self.queue.clone();
        let examination = Task::spawn(async move {
            let evidence = peer::evidence(&probe, role).await;
            drop(peer);
            queue.push(Event::Examined(id, evidence));
        });
        *match role {
            StreamRole::Publisher => &mut self.doctor.publisher,
            StreamRole::Player => &mut self.doctor.player,
        } = Some(examination);
    }
}

/// Whether a connection about to be closed did not do what it should.
fn has_failed(probe: &Probe) -> bool {
    let milestones = probe.milestones();
    let Some(answered_ms) = milestones.answered_ms else {
        return false;
    };
    let waited_ms = timer::now_ms() - answered_ms;
    let in_vain = milestones.dtls_ms.is_none() && waited_ms >= FAIR_CHANCE.as_secs_f64() * 1e3;
    in_vain || peer::is_failed(probe) || peer::is_answered_without_candidates(probe)
}
