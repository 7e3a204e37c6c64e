//! What the user wants, and trying again for it after a loss.

use session::{Attempt, Event, SessionStatus, Severity, StreamRole, StreamUpdate, Token, severity};
use wire::{StreamName, StreamStatus};

use super::{Input, Shell, Timer, Update, now};
use crate::platform::random;
use crate::platform::warm_up::WarmUp;
use crate::state::{Loss, Target};

impl Shell {
    pub(super) fn want_connection(&mut self, url: String, token: Option<Token>) {
        self.wanted.url = url;
        self.wanted.token = token;
        self.recovery.wanted(Target::Connection);
        self.connect();
    }

    pub(super) fn unwant_connection(&mut self) {
        self.recovery.unwanted(Target::Connection);
        if self.live.is_some() {
            self.ask(Input::Disconnect);
        } else {
            self.give_up(Target::Connection);
        }
    }

    pub(super) fn want_stream(&mut self, role: StreamRole, name: StreamName) {
        *self.wanted_name(role) = Some(name.clone());
        self.recovery.wanted(Target::Stream(role));
        self.start(role, name);
    }

    pub(super) fn unwant_stream(&mut self, role: StreamRole) {
        let target = Target::Stream(role);
        self.recovery.unwanted(target);
        match self.id_of(role) {
            Some(id) => self.ask(Input::Stop(id)),
            None => self.give_up(target),
        }
    }

    pub(super) fn keep_trying(&mut self, keep_trying: bool) {
        for target in self.recovery.keep_trying(keep_trying) {
            self.give_up(target);
        }
    }

    /// Tells the screen, after noting what it means for what is wanted.
    pub(super) fn notify(&mut self, event: Event) {
        match &event {
            Event::Session {
                status: SessionStatus::Established,
                ..
            } => {
                self.recovery.works(Target::Connection, now());
                self.queue.push(super::Event::Resume);
                if let Some(live) = &mut self.live {
                    live.warm_up = WarmUp::at_rest();
                }
            }
            Event::VideoRate {
                id,
                bits_per_second,
            } => {
                if self.role_of(id) == Some(StreamRole::Player) {
                    self.updates.emit(Update::ServerRate(*bits_per_second));
                }
                return;
            }
            Event::Stream(update) => {
                let update = update.clone();
                self.updates.emit(Update::Session(event));
                self.note_stream(&update);
                return;
            }
            Event::Session { .. }
            | Event::StreamEvent { .. }
            | Event::Available { .. }
            | Event::Warning(_)
            | Event::AppData(_) => {}
        }
        self.updates.emit(Update::Session(event));
    }

    /// The session is over. What is wanted on is tried for again.
    pub(super) fn end_session(&mut self) {
        let mut severity = Severity::Passing;
        if let Some(live) = self.live.take() {
            severity = live.session.severity();
            self.keep_lingering(live.number, live.session);
        }
        self.lost(Target::Connection, severity);
        if !self.recovery.is_wanted(Target::Connection) {
            self.clear_picture(StreamRole::Player);
            self.end_capture();
        }
    }

    /// Something wanted failed or was lost.
    pub(super) fn lost(&mut self, target: Target, loss: impl Into<Loss>) {
        let random = random::fraction();
        for wait in self.recovery.lost(target, loss.into(), now(), random) {
            self.updates.emit(Update::Waiting(wait));
        }
        if let Target::Stream(role) = target {
            self.clear_picture(role);
        }
        self.arm_retry();
    }

    /// Asks again for the streams that waited for the connection.
    pub(super) fn resume(&mut self) {
        for role in self.recovery.take_held() {
            self.start_again(role);
        }
    }

    /// Tries for what is due.
    pub(super) fn retry(&mut self) {
        for target in self.recovery.take_due(now()) {
            match target {
                Target::Connection => self.connect(),
                Target::Stream(role) => self.start_again(role),
            }
        }
        self.arm_retry();
    }

    /// There is no point in waiting any longer.
    pub(super) fn hurry(&mut self) {
        self.recovery.hurry(now());
        self.arm_retry();
    }

    /// The played picture goes, unless it stands for one that is to come back.
    pub(super) fn clear_picture(&self, role: StreamRole) {
        if role == StreamRole::Player && !self.recovery.is_wanted(Target::Stream(role)) {
            self.updates.emit(Update::Remote(None));
        }
    }

    fn note_stream(&mut self, update: &StreamUpdate) {
        let target = Target::Stream(update.role);
        match update.status {
            StreamStatus::Publishing | StreamStatus::Playing => {
                self.recovery.works(target, now());
            }
            StreamStatus::Unpublished | StreamStatus::Stopped => self.recovery.unwanted(target),
            StreamStatus::Failed => {
                let attempt = if self.recovery.worked(target) {
                    Attempt::Again
                } else {
                    Attempt::First
                };
                let loss = Loss {
                    severity: severity(update, attempt),
                    at_least: update.retry_after.unwrap_or_default(),
                };
                self.lost(target, loss);
            }
            StreamStatus::New
            | StreamStatus::Pending
            | StreamStatus::Paused
            | StreamStatus::PlaybackProblem
            | StreamStatus::Resize
            | StreamStatus::SnapshotComplete
            | StreamStatus::NotEnoughBandwidth
            | StreamStatus::StreamEvent
            | StreamStatus::Other(_) => {}
        }
    }

    fn start_again(&mut self, role: StreamRole) {
        if let Some(name) = self.wanted_name(role).clone() {
            self.start(role, name);
        }
    }

    /// Nothing waits for it any more.
    fn give_up(&mut self, target: Target) {
        self.updates.emit(Update::GivenUp(target));
        self.clear_picture(StreamRole::Player);
        if target == Target::Connection {
            self.end_capture();
        }
        self.arm_retry();
    }

    fn arm_retry(&mut self) {
        let queue = self.queue.clone();
        self.retry = self
            .recovery
            .timeout()
            .map(|at| Timer::after(at - now(), move || queue.push(super::Event::Retry)));
    }

    fn wanted_name(&mut self, role: StreamRole) -> &mut Option<StreamName> {
        match role {
            StreamRole::Publisher => &mut self.wanted.publish,
            StreamRole::Player => &mut self.wanted.play,
        }
    }
}
