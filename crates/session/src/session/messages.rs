//! What the server says.

use tracing::{debug, trace};
use wire::{
    Availability, ClientMessage, Failure, MediaSessionId, ServerMessage, StreamStatus,
    StreamStatusEvent, VideoRate,
};

use super::{End, Session, State, find};
use crate::io::MAX_MESSAGE_BYTES;
use crate::retry::severity_of_info;
use crate::{Event, StreamRole, Time};

impl Session {
    /// Whatever comes, even if nobody understands it, shows that the server lives.
    pub(super) fn handle_socket_message(&mut self, text: &str, now: Time) {
        match &mut self.state {
            State::Connected { .. } => {}
            State::Established { silent_at } => *silent_at = now + self.config.silence_timeout,
            State::New | State::Opening { .. } | State::Disconnected | State::Failed => {
                debug!("message without an open socket, dropped");
                return;
            }
        }
        if text.len() > MAX_MESSAGE_BYTES {
            debug!(bytes = text.len(), "message too long, dropped");
            return;
        }
        match ServerMessage::decode(text) {
            Ok(message) => self.handle_message(message, now),
            Err(error) => debug!(%error, "bad message dropped"),
        }
    }

    fn handle_message(&mut self, message: ServerMessage, now: Time) {
        let deadline = now + self.config.stream_timeout;
        match message {
            ServerMessage::UserData(_) => self.handle_user_data(now),
            ServerMessage::RemoteSdp {
                media_session_id,
                sdp,
            } => {
                self.with_stream(&media_session_id, |stream, out| {
                    Some(stream.handle_answer(sdp, deadline, out))
                });
            }
            ServerMessage::StreamStatus(event) => self.handle_stream_status(event, deadline),
            ServerMessage::StreamEvent(event) => {
                if let Some(stream) = find(&self.streams, &event.media_session_id) {
                    let payload = event.payload.unwrap_or_default();
                    stream.handle_event(event.event_type, payload, &mut self.out);
                }
            }
            ServerMessage::Available(reply) => self.handle_available(reply),
            ServerMessage::Data(data) => self.out.notify(Event::AppData(data.payload)),
            ServerMessage::InboundVideoRate(rate) => {
                self.handle_video_rate(StreamRole::Publisher, &rate);
            }
            ServerMessage::OutboundVideoRate(rate) => {
                self.handle_video_rate(StreamRole::Player, &rate);
            }
            ServerMessage::Fail(failure) => self.handle_failure(failure, deadline),
            ServerMessage::Ping => self.out.send(&ClientMessage::Pong),
            ServerMessage::Version(version) => debug!(version, "server version"),
            ServerMessage::DataStatus(_) | ServerMessage::SessionDebug(_) | ServerMessage::Pong => {
                trace!("message of no concern");
            }
            ServerMessage::Unknown { message } => debug!(name = message, "unknown message dropped"),
        }
    }

    fn handle_user_data(&mut self, now: Time) {
        if !matches!(self.state, State::Connected { .. }) {
            debug!("second getUserData dropped");
            return;
        }
        let silent_at = now + self.config.silence_timeout;
        self.enter(State::Established { silent_at }, None);
    }

    fn handle_stream_status(&mut self, event: StreamStatusEvent, deadline: Time) {
        let id = event.media_session_id.clone();
        self.with_stream(&id, |stream, out| {
            stream.handle_status(event, deadline, out)
        });
    }

    fn handle_available(&mut self, reply: Availability) {
        let mut asked = self.available.iter();
        let Some(index) = asked.position(|(id, _)| *id == reply.id) else {
            debug!(id = %reply.id, "availability not asked for, dropped");
            return;
        };
        self.available.remove(index);
        self.out.notify(Event::Available {
            id: reply.id,
            available: reply.available,
            info: reply.info,
        });
    }

    fn handle_video_rate(&mut self, role: StreamRole, rate: &VideoRate) {
        if let Some(stream) = find(&self.streams, &rate.media_session_id) {
            stream.handle_video_rate(role, rate.video_rate, &mut self.out);
        }
    }

    /// A warning; the failure of a stream may come this way too, and that of the whole
    /// session.
    fn handle_failure(&mut self, failure: Failure, deadline: Time) {
        let Failure {
            api_method,
            id,
            status,
            info,
        } = failure;
        let warning = match &info {
            Some(info) => info.clone(),
            None => format!("{api_method} failed"),
        };
        if let ("connection", State::Connected { .. }) = (api_method.as_str(), self.state) {
            self.severity = severity_of_info(info.as_deref());
            return self.end(End::Failed(warning));
        }
        self.out.notify(Event::Warning(warning));
        if let ("StreamStatusEvent", Some(id)) = (api_method.as_str(), id) {
            let status = StreamStatus::from_wire(&status);
            let event = StreamStatusEvent {
                info,
                ..StreamStatusEvent::new(MediaSessionId::new(id), status)
            };
            self.handle_stream_status(event, deadline);
        }
    }
}
