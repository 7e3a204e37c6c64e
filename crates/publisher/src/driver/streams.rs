//! The streams of a session: what is asked for, said and told of each.

use serde_json::Value;
use session::{Event, Input, Publish, SessionStatus, Severity, StreamRole, StreamUpdate};
use tokio::sync::watch;
use wire::{MediaSessionId, StreamEventType, StreamName, StreamStatus, info};

use super::monitor::Watch;
use super::{Driver, NewStream};
use crate::client::SessionEvent;
use crate::media::{Media, Muted};
use crate::stream::StreamState;
use crate::{Error, Server, token};

/// A stream that is not over.
pub(super) struct Leg {
    pub(super) id: MediaSessionId,
    pub(super) name: StreamName,
    /// If it is to be played back.
    pub(super) watch: Option<Watch>,
    pub(super) media: Media,
    state: watch::Sender<StreamState>,
    stage: Stage,
    stop_asked: bool,
}

enum Stage {
    /// For the session to be ESTABLISHED.
    Held(Publish),
    Asked,
    /// PUBLISHING; the viewers know of these muted tracks.
    OnAir {
        told: Muted,
    },
}

impl Driver {
    pub(super) fn publish(&mut self, new: NewStream) {
        let publish = Publish {
            id: new.id.clone(),
            name: new.name.clone(),
            custom: new.custom,
        };
        self.legs.push(Leg {
            id: new.id,
            name: new.name,
            watch: new.monitor.then(Watch::new),
            media: new.media,
            state: new.state,
            stage: Stage::Held(publish),
            stop_asked: false,
        });
        if self.signalling.status() == SessionStatus::Established {
            self.publish_held();
        }
    }

    /// Asks for the streams that waited for the session.
    pub(super) fn publish_held(&mut self) {
        let mut asked = Vec::new();
        for leg in &mut self.legs {
            if let Stage::Held(publish) = &leg.stage {
                asked.push(publish.clone());
                leg.stage = Stage::Asked;
            }
        }
        for publish in asked {
            let (id, name) = (publish.id.clone(), publish.name.clone());
            if let Err(error) = self.try_handle(Input::Publish(publish)) {
                self.notify(Event::Stream(refused(id, name, &error)));
            }
        }
    }

    pub(super) fn stop(&mut self, id: MediaSessionId) {
        let Some(index) = self.legs.iter().position(|leg| leg.id == id) else {
            return;
        };
        match &mut self.legs[index] {
            // The server has never heard of it.
            Leg {
                stage: Stage::Held(_),
                ..
            } => self.legs.remove(index).end(Ok(())),
            leg => {
                leg.stop_asked = true;
                self.handle(Input::Stop(id));
            }
        }
    }

    pub(super) fn send_data(&mut self, id: MediaSessionId, payload: Value) {
        let sent = self.try_handle(Input::SendStreamEvent {
            id: id.clone(),
            event_type: StreamEventType::Data,
            payload: Some(payload),
        });
        if let Err(error) = sent {
            let text = format!("the data was not sent: {error}");
            self.tell(SessionEvent::Notice { id, text });
        }
    }

    /// Tells the viewers what is muted, as far as they do not know it.
    pub(super) fn tell_muted(&mut self, id: &MediaSessionId) {
        let Some(leg) = self.leg(id) else {
            return;
        };
        let muted = leg.media.muted();
        let Stage::OnAir { told } = &mut leg.stage else {
            return;
        };
        let before = std::mem::replace(told, muted);
        let audio = (muted.audio != before.audio).then_some(match muted.audio {
            true => StreamEventType::AudioMuted,
            false => StreamEventType::AudioUnmuted,
        });
        let video = (muted.video != before.video).then_some(match muted.video {
            true => StreamEventType::VideoMuted,
            false => StreamEventType::VideoUnmuted,
        });
        for event_type in audio.into_iter().chain(video) {
            self.handle(Input::SendStreamEvent {
                id: id.clone(),
                event_type,
                payload: None,
            });
        }
    }

    pub(super) fn handle_update(&mut self, update: StreamUpdate) {
        let Some(index) = self.legs.iter().position(|leg| leg.id == update.id) else {
            return;
        };
        let leg = &mut self.legs[index];
        let status = update.status.clone();
        leg.state.send_modify(|state| state.status = status);
        if update.status == StreamStatus::Publishing && matches!(leg.stage, Stage::Asked) {
            let told = Muted::default();
            leg.stage = Stage::OnAir { told };
            leg.media.on_air();
            self.tell_muted(&update.id);
            self.start_monitor(&update.id);
        } else if update.status.is_terminal() && !self.signalling.status().is_terminal() {
            let error = self.error(index, &update);
            self.remove(index, Err(error));
        }
        // A session that is lost ends its streams itself, once it tells why.
    }

    /// A stream is over, and so is its playback.
    fn remove(&mut self, index: usize, end: Result<(), Error>) {
        let leg = self.legs.remove(index);
        if let Some(player) = leg.watch.as_ref().and_then(|watch| watch.id.clone()) {
            leg.media.close(player.clone());
            self.handle(Input::Stop(player));
        }
        leg.end(end);
    }

    /// Why a stream failed.
    fn error(&self, index: usize, update: &StreamUpdate) -> Error {
        if let (Some(why), Some(_)) = (&update.error, self.failure) {
            let was_up = matches!(self.legs[index].stage, Stage::OnAir { .. });
            return Error::of_connection(was_up)(why.clone());
        }
        let error = Error::of(update);
        // So 401 and 403 are called; other servers may mean something else by it.
        let wants_token = matches!(self.options.server, Server::Http(_))
            && update.info.as_deref() == Some(info::RESTRICTED_ACCESS);
        if let (Error::Refused(why), true) = (&error, wants_token) {
            let advice = token::advice(self.options.token.is_some());
            return Error::Refused(format!("{why}: {advice}"));
        }
        error
    }

    pub(super) fn leg(&mut self, id: &MediaSessionId) -> Option<&mut Leg> {
        self.legs.iter_mut().find(|leg| leg.id == *id)
    }

    /// The media of a stream, or of the one that a player plays back.
    pub(super) fn media(&mut self, id: &MediaSessionId) -> Option<&Media> {
        let stream = self.stream_of_player(id);
        let leg = self.leg(stream.as_ref().unwrap_or(id))?;
        Some(&leg.media)
    }
}

impl Leg {
    /// Tells the handle. What is dropped here ends the media, unless a publisher
    /// keeps them.
    pub(super) fn end(self, end: Result<(), Error>) {
        let end = if self.stop_asked { Ok(()) } else { end };
        self.state.send_modify(|state| state.end = Some(end));
    }
}

/// What the driver says of a stream that the session does not take.
fn refused(id: MediaSessionId, name: StreamName, error: &session::Error) -> StreamUpdate {
    StreamUpdate {
        id,
        name,
        role: StreamRole::Publisher,
        status: StreamStatus::Failed,
        info: Some(info::LOCAL_ERROR.to_owned()),
        error: Some(error.to_string()),
        severity: Severity::Fatal,
        retry_after: None,
        muted: None,
    }
}

impl Error {
    /// What becomes of why there is no connection, or none any more.
    pub(super) fn of_connection(was_up: bool) -> fn(String) -> Self {
        if was_up {
            Self::Connection
        } else {
            Self::NoConnection
        }
    }

    /// Tells failures of media from refusals.
    fn of(update: &StreamUpdate) -> Self {
        let media = [
            info::FAILED_BY_ICE_ERROR,
            info::FAILED_BY_ICE_TIMEOUT,
            info::FAILED_BY_KEEP_ALIVE,
            info::FAILED_BY_DTLS_FINGERPRINT_ERROR,
            info::FAILED_BY_DTLS_ERROR,
            info::FAILED_BY_RTP_ACTIVITY,
        ];
        match (update.info.as_deref(), &update.error) {
            (Some(info::LOCAL_ERROR), Some(error)) => Self::Media(error.clone()),
            (Some(why), None) if media.contains(&why) => Self::Media(why.to_owned()),
            (Some(why), None) => Self::Refused(why.to_owned()),
            (Some(why), Some(detail)) => Self::Refused(format!("{why}: {detail}")),
            (None, _) => Self::Refused(format!("{} without a reason", update.status.as_str())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_told_apart() {
        let check = |status, why: &str, detail: Option<&str>, expected| {
            let update = StreamUpdate {
                id: MediaSessionId::new("m"),
                name: StreamName::new("test"),
                role: StreamRole::Publisher,
                status,
                info: Some(why.to_owned()),
                error: detail.map(str::to_owned),
                severity: Severity::Passing,
                retry_after: None,
                muted: None,
            };
            assert_eq!(Error::of(&update), expected, "{why}");
        };
        let failed = StreamStatus::Failed;
        let taken = info::STREAM_NAME_ALREADY_IN_USE;
        check(
            failed.clone(),
            taken,
            None,
            Error::Refused(taken.to_owned()),
        );
        let ice = info::FAILED_BY_ICE_TIMEOUT;
        check(failed.clone(), ice, None, Error::Media(ice.to_owned()));
        let local = Error::Media("no socket".to_owned());
        check(failed.clone(), info::LOCAL_ERROR, Some("no socket"), local);
        let said = Error::Refused("Restricted access: the server answered 401".to_owned());
        let detail = Some("the server answered 401");
        check(failed, info::RESTRICTED_ACCESS, detail, said);
    }
}
