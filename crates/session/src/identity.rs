//! Who a stream is, and what is said and done in its name.

use core::time::Duration;

use serde_json::Value;
use tracing::info;
use wire::{
    ClientMessage, MediaSessionId, PlayStream, PublishStream, StopStream, StreamName, StreamStatus,
    StreamStatusEvent,
};

use crate::outbox::Outbox;
use crate::retry::severity_of_info;
use crate::{Event, Output, Severity, StreamRole, StreamUpdate};

/// The only media provider this client has.
pub(crate) const MEDIA_PROVIDER: &str = "WebRTC";

/// Why a request failed that the server left without an answer.
pub(crate) const NO_ANSWER: &str = "the server did not answer in time";

/// Why a stream failed that was answered but never became active.
pub(crate) const NO_MEDIA: &str = "no media connection in time";

/// Why a stream fails, as far as this side has found out.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) info: &'static str,
    pub(crate) error: Option<String>,
    pub(crate) severity: Severity,
    pub(crate) retry_after: Option<Duration>,
}

impl Failure {
    /// Without a word of the server.
    pub(crate) fn local(error: String, severity: Severity) -> Self {
        Self {
            info: wire::info::LOCAL_ERROR,
            error: Some(error),
            severity,
            retry_after: None,
        }
    }
}

/// An offer and what it offers to send or receive.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) sdp: String,
    pub(crate) has_audio: bool,
    pub(crate) has_video: bool,
}

/// What never changes in a stream's life.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) id: MediaSessionId,
    pub(crate) name: StreamName,
    pub(crate) role: StreamRole,
}

impl Identity {
    pub(crate) fn send_request(&self, offer: Offer, custom: Option<Value>, out: &mut Outbox) {
        let request = match self.role {
            StreamRole::Publisher => ClientMessage::PublishStream(PublishStream {
                media_session_id: Some(self.id.clone()),
                name: Some(self.name.clone()),
                published: true,
                has_video: offer.has_video,
                has_audio: offer.has_audio,
                status: StreamStatus::Pending.as_str().to_owned(),
                media_provider: MEDIA_PROVIDER.to_owned(),
                sdp: offer.sdp,
                custom,
                ..PublishStream::default()
            }),
            StreamRole::Player => ClientMessage::PlayStream(PlayStream {
                media_session_id: Some(self.id.clone()),
                name: Some(self.name.clone()),
                // Constants on the wire; what is wanted is in the SDP.
                has_video: true,
                has_audio: true,
                status: StreamStatus::Pending.as_str().to_owned(),
                media_provider: MEDIA_PROVIDER.to_owned(),
                sdp: offer.sdp,
                custom,
                ..PlayStream::default()
            }),
        };
        out.send(&request);
    }

    pub(crate) fn ask_for_offer(&self, out: &mut Outbox) {
        out.push(Output::CreateOffer {
            id: self.id.clone(),
            role: self.role,
        });
    }

    pub(crate) fn apply_answer(&self, sdp: String, out: &mut Outbox) {
        out.push(Output::ApplyAnswer {
            id: self.id.clone(),
            sdp,
        });
    }

    pub(crate) fn close_media(&self, out: &mut Outbox) {
        out.push(Output::CloseMedia {
            id: self.id.clone(),
        });
    }

    pub(crate) fn send_stop(&self, status: &StreamStatus, out: &mut Outbox) {
        let stop = StopStream {
            media_session_id: Some(self.id.clone()),
            name: Some(self.name.clone()),
            published: self.role == StreamRole::Publisher,
            has_video: true,
            has_audio: true,
            status: status.as_str().to_owned(),
            record: false,
        };
        out.send(&match self.role {
            StreamRole::Publisher => ClientMessage::UnPublishStream(stop),
            StreamRole::Player => ClientMessage::StopStream(stop),
        });
    }

    /// The user's own stop is done, without a word from the server.
    pub(crate) fn notify_stopped(&self, out: &mut Outbox) {
        let status = match self.role {
            StreamRole::Publisher => StreamStatus::Unpublished,
            StreamRole::Player => StreamStatus::Stopped,
        };
        self.notify(status, Some(wire::info::STOPPED_BY_USER.to_owned()), out);
    }

    pub(crate) fn notify_failure(&self, failure: Failure, out: &mut Outbox) {
        self.notify_update(
            StreamUpdate {
                error: failure.error,
                severity: failure.severity,
                retry_after: failure.retry_after,
                ..self.update(StreamStatus::Failed, Some(failure.info.to_owned()))
            },
            out,
        );
    }

    pub(crate) fn notify_server_status(&self, event: StreamStatusEvent, out: &mut Outbox) {
        let muted = match (event.audio_state, event.video_state) {
            (None, None) => None,
            (audio, video) => Some((
                audio.unwrap_or_default().muted,
                video.unwrap_or_default().muted,
            )),
        };
        self.notify_update(
            StreamUpdate {
                muted,
                ..self.update(event.status, event.info)
            },
            out,
        );
    }

    pub(crate) fn notify(&self, status: StreamStatus, info: Option<String>, out: &mut Outbox) {
        self.notify_update(self.update(status, info), out);
    }

    fn notify_update(&self, update: StreamUpdate, out: &mut Outbox) {
        info!(
            stream = %update.id,
            name = %update.name,
            status = update.status.as_str(),
            info = update.info,
            error = update.error,
            "stream status"
        );
        out.notify(Event::Stream(update));
    }

    fn update(&self, status: StreamStatus, info: Option<String>) -> StreamUpdate {
        StreamUpdate {
            id: self.id.clone(),
            name: self.name.clone(),
            role: self.role,
            status,
            severity: severity_of_info(info.as_deref()),
            info,
            error: None,
            retry_after: None,
            muted: None,
        }
    }
}
