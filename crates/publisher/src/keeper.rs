//! Keeps one stream on air: one session after the other, all with the same media.
//!
//! ```text
//! publish --lost--> wait --its time has come--> publish ...
//!    |                |
//!    +----------------+-- stopped, sources ended, refused, given up --> over
//! ```

use std::time::{Duration, Instant};

use session::{Attempt, Event, SessionStatus, Severity, StreamUpdate, severity};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::info;
use wire::StreamStatus;

use crate::client::{Session, SessionEvent, tell};
use crate::driver::sleep_until_some;
use crate::media::Media;
use crate::publisher::{Options, PublisherEvent, Wish};
use crate::random::{fraction, fresh_id};
use crate::retry::{Loss, Next, Retry};
use crate::stream::{Stream, StreamOptions};
use crate::{Error, Track, awake};

/// The task behind a publisher.
pub(crate) struct Keeper {
    options: Options,
    media: Media,
    retry: Retry,
    awake: awake::Watch,
    wishes: mpsc::Receiver<Wish>,
    events: mpsc::Sender<PublisherEvent>,
    /// A session that is over asked for the stream's name: the server may still
    /// hold it.
    name_asked: bool,
    stop_asked: bool,
    was_on_air: bool,
    /// Of the last loss.
    error: Option<Error>,
}

/// What came of a session, or of a wait for the next.
enum Outcome {
    Over(Result<(), Error>),
    Lost(Loss),
    Again,
}

/// Why a session is ended, if not by itself.
#[derive(Debug, Clone, Copy)]
enum Cause {
    Stopped,
    /// Its stream is over.
    Stream {
        severity: Severity,
        at_least: Duration,
    },
    Slept,
    /// It takes too long to get on air.
    TooLate,
}

impl Keeper {
    pub(crate) fn new(
        options: Options,
        media: Media,
        wishes: mpsc::Receiver<Wish>,
        events: mpsc::Sender<PublisherEvent>,
    ) -> Self {
        Self {
            retry: Retry::new(options.retry, Instant::now()),
            options,
            media,
            awake: awake::Watch::start(),
            wishes,
            events,
            name_asked: false,
            stop_asked: false,
            was_on_air: false,
            error: None,
        }
    }

    /// Publishes until that is over.
    pub(crate) async fn run(mut self) -> Result<(), Error> {
        loop {
            let mut outcome = self.publish().await;
            if let Outcome::Lost(loss) = outcome {
                outcome = self.wait_after(loss).await;
            }
            if let Outcome::Over(result) = outcome {
                return result;
            }
        }
    }

    /// Connects, and publishes until the session is over.
    async fn publish(&mut self) -> Outcome {
        let mut session = Session::connect(self.options.session.clone());
        let options = StreamOptions {
            name: self.options.name.clone(),
            media: self.options.media.clone(),
            custom: None,
            monitor: self.options.monitor,
        };
        let mut stream = session.publish_media(fresh_id(), options, self.media.clone());
        let mut cause = None;
        loop {
            let too_late = sleep_until_some(self.retry.gives_up_at());
            let new_cause = tokio::select! {
                event = session.event() => match event {
                    Some(event) => self.handle(event),
                    None => break,
                },
                wish = self.wishes.recv() => match wish {
                    Some(wish) => self.grant(wish, &session, &stream),
                    // Nobody is there any more. The session goes with its handle.
                    None => return Outcome::Over(Ok(())),
                },
                () = self.awake.slept() => Some(Cause::Slept),
                () = too_late, if cause.is_none() => Some(Cause::TooLate),
            };
            if new_cause.is_some() {
                cause = cause.or(new_cause);
                session.disconnect();
            }
        }
        let end = stream.ended().await;
        self.name_asked |= session.has_asked();
        self.outcome(end, cause, session.severity())
    }

    /// Passes an event on; whether it is the stream's end.
    fn handle(&mut self, event: SessionEvent) -> Option<Cause> {
        let event = match event {
            SessionEvent::Signalling(event) => event,
            SessionEvent::Notice { text, .. } => {
                self.tell(PublisherEvent::Notice(text));
                return None;
            }
        };
        let cause = match &event {
            Event::Stream(update) => self.handle_update(update),
            Event::Session { .. }
            | Event::StreamEvent { .. }
            | Event::Available { .. }
            | Event::Warning(_)
            | Event::AppData(_)
            | Event::VideoRate { .. } => None,
        };
        self.tell(PublisherEvent::Signalling(event));
        cause
    }

    fn handle_update(&mut self, update: &StreamUpdate) -> Option<Cause> {
        if update.status == StreamStatus::Publishing {
            self.retry.on_air(Instant::now());
            self.was_on_air = true;
        }
        let attempt = match self.name_asked {
            false => Attempt::First,
            true => Attempt::Again,
        };
        update.status.is_terminal().then(|| Cause::Stream {
            severity: severity(update, attempt),
            at_least: update.retry_after.unwrap_or_default(),
        })
    }

    fn grant(&mut self, wish: Wish, session: &Session, stream: &Stream) -> Option<Cause> {
        match wish {
            Wish::Mute { audio, video } => {
                // A session that is just dying hears of nothing any more.
                self.mute(audio, video);
                stream.mute_audio(audio);
                stream.mute_video(video);
            }
            Wish::SendData(payload) => stream.send_data(payload),
            Wish::Stop => {
                let first = !std::mem::replace(&mut self.stop_asked, true);
                if !first || session.status() != SessionStatus::Established {
                    return Some(Cause::Stopped);
                }
                stream.stop();
            }
        }
        None
    }

    /// What the end of a session means.
    fn outcome(
        &mut self,
        end: Result<(), Error>,
        cause: Option<Cause>,
        of_session: Severity,
    ) -> Outcome {
        if self.stop_asked {
            return Outcome::Over(Ok(()));
        }
        if let Some(end) = self.media.end() {
            return Outcome::Over(end.map_err(Error::Media));
        }
        let (severity, at_least) = match cause {
            Some(Cause::Stream { severity, at_least }) => (severity, at_least),
            Some(Cause::Stopped | Cause::Slept | Cause::TooLate) => {
                (Severity::Passing, Duration::ZERO)
            }
            None => (of_session, Duration::ZERO),
        };
        let error = match (end, cause) {
            (_, Some(Cause::TooLate)) => return Outcome::Over(Err(self.too_late())),
            (_, Some(Cause::Slept)) => Error::Connection("this computer was asleep".to_owned()),
            (Err(error), _) => error,
            (Ok(()), _) => Error::Connection("the session is over".to_owned()),
        };
        // What connected before with the same options may connect again.
        let severity = match &error {
            Error::NoConnection(_) | Error::Connection(_) if self.was_on_air => Severity::Passing,
            Error::NoConnection(_) | Error::Connection(_) | Error::Refused(_) | Error::Media(_) => {
                severity
            }
        };
        Outcome::Lost(Loss {
            error,
            severity,
            at_least,
        })
    }

    fn too_late(&mut self) -> Error {
        let own = || Error::NoConnection("the stream did not get on air in time".to_owned());
        self.error.take().unwrap_or_else(own)
    }

    /// Waits for the next attempt, unless there is none.
    async fn wait_after(&mut self, loss: Loss) -> Outcome {
        let now = Instant::now();
        let Next::Wait { attempt, wait } = self.retry.lost(&loss, now, fraction()) else {
            return Outcome::Over(Err(loss.error));
        };
        info!(error = %loss.error, attempt, ?wait, "off air, trying again");
        self.error = Some(loss.error.clone());
        self.tell(PublisherEvent::Reconnecting {
            reason: loss.error,
            attempt,
            wait,
        });
        self.wait(wait).await
    }

    async fn wait(&mut self, wait: Duration) -> Outcome {
        let waited = sleep(wait);
        tokio::pin!(waited);
        loop {
            tokio::select! {
                () = &mut waited => return Outcome::Again,
                // Whoever wakes up wants to be back at once.
                () = self.awake.slept() => return Outcome::Again,
                end = self.media.ended() => return Outcome::Over(end.map_err(Error::Media)),
                wish = self.wishes.recv() => match wish {
                    Some(Wish::Stop) | None => return Outcome::Over(Ok(())),
                    Some(Wish::Mute { audio, video }) => self.mute(audio, video),
                    Some(Wish::SendData(_)) => {
                        let text = "the data was not sent: the stream is off air";
                        self.tell(PublisherEvent::Notice(text.to_owned()));
                    }
                },
            }
        }
    }

    fn mute(&self, audio: bool, video: bool) {
        self.media.mute(Track::Audio, audio);
        self.media.mute(Track::Video, video);
    }

    fn tell(&self, event: PublisherEvent) {
        tell(&self.events, event);
    }
}

#[cfg(test)]
mod tests;
