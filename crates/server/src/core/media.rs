//! What the media backend reports, and media that does not come.

use std::sync::Arc;
use std::time::Instant;

use wire::{ServerMessage, StreamStatusEvent, info};

use super::backend::{Codecs, EndReason, Event, PeerId, VideoRate};
use super::{Core, Ending, Kind, State, Stream, Timer};
use crate::counters::Reason;

impl Core {
    pub(super) fn handle_backend(&mut self, event: Event, now: Instant) {
        match event {
            Event::Answered {
                peer,
                answer,
                codecs,
            } => self.handle_answered(peer, answer, codecs),
            Event::Flowing { peer } => self.handle_flowing(peer),
            Event::Rate { peer, rate } => self.handle_rate(peer, rate),
            Event::Snapshot { request, picture } => self.handle_picture(request, picture),
            Event::Resized { peer, size } => self.handle_resized(peer, size),
            Event::NotEnoughBandwidth {
                peer,
                needed_bps,
                available_bps,
            } => self.handle_not_enough_bandwidth(peer, needed_bps, available_bps),
            Event::Restarted { peer, fragment } => self.handle_restarted(peer, fragment),
            Event::Ended { peer, reason } => self.handle_ended(peer, reason, now),
        }
    }

    fn handle_answered(&mut self, peer: PeerId, sdp: String, codecs: Codecs) {
        let Some(stream) = self.registry.stream_mut(peer) else {
            return;
        };
        // A second answer would be taken for an offer by the client.
        if stream.state != State::Offered {
            return;
        }
        stream.state = State::Answered;
        // A publisher says itself what it sends; of a player the answer says what it gets.
        if let Kind::Player { takes, .. } = &mut stream.kind {
            *takes = codecs.kinds_or(*takes);
            (stream.has_audio, stream.has_video) = *takes;
        }
        stream.codecs = codecs;
        let (client, media_session_id) = (stream.client, stream.id.clone());
        if self.reply_answer(peer, client, &sdp) {
            return;
        }
        let answer = ServerMessage::RemoteSdp {
            media_session_id,
            sdp,
        };
        self.send(client, &answer);
    }

    fn handle_flowing(&mut self, peer: PeerId) {
        let Some(stream) = self.registry.stream_mut(peer) else {
            return;
        };
        if stream.state != State::Answered {
            return;
        }
        stream.state = State::Active;
        if let Kind::Publisher { flowed, .. } = &mut stream.kind {
            *flowed = true;
        }
        self.deadlines.clear(Timer::Stream(peer));
        self.announce(peer);
        self.notice_flowing(peer);
        self.splice(peer);
    }

    /// Tells the client how much video comes or goes, never before it knows
    /// that media flows: clients compare it with their own connection's count.
    fn handle_rate(&mut self, peer: PeerId, rate: VideoRate) {
        let Some(stream) = self.registry.stream_mut(peer) else {
            return;
        };
        if stream.state != State::Active {
            return;
        }
        stream.rate = Some(rate);
        let Some(stream) = self.registry.stream(peer) else {
            return;
        };
        let size = self.picture_size(peer);
        let told = wire::VideoRate {
            fps: Some(rate.fps),
            nack: Some(rate.nacks as f64),
            pli: Some(rate.plis as f64),
            lost_packets: Some(rate.lost_packets as f64),
            width: size.map(|size| size.width.into()),
            height: size.map(|size| size.height.into()),
            ..wire::VideoRate::new(stream.id.clone(), rate.bitrate_bps as f64)
        };
        let message = if stream.is_publisher() {
            ServerMessage::InboundVideoRate(told)
        } else {
            ServerMessage::OutboundVideoRate(told)
        };
        self.update(stream.client, &message);
    }

    fn handle_ended(&mut self, peer: PeerId, reason: EndReason, now: Instant) {
        let holds_names = self.holds_names();
        let Some(stream) = self.registry.stream_mut(peer) else {
            return;
        };
        if matches!(stream.state, State::Over(_)) {
            return;
        }
        // Who asked for it just as it was lost may try again.
        let reason = if reason == EndReason::SourceGone && holds_names {
            EndReason::SourceNotReady
        } else {
            reason
        };
        stream.state = State::Over(reason);
        let client = stream.client;
        if reason == EndReason::BadOffer {
            self.count(client, Some(Reason::BadSdp), "offer could not be answered");
        }
        // Clients close their peer connection right after sending a stop, and
        // its goodbye may be faster: the stop shall win.
        if reason == EndReason::ClosedByPeer {
            let over = now + self.config.stop_grace;
            self.deadlines.set(Timer::Stream(peer), over);
        } else {
            self.end(peer, Ending::Failed(reason.to_string()));
        }
    }

    /// A stream's timer fired: its media is overdue, or no stop came after its
    /// peer's goodbye.
    pub(super) fn stream_due(&mut self, peer: PeerId) {
        let Some(stream) = self.registry.stream(peer) else {
            return;
        };
        let info = match stream.state {
            State::Offered => info::FAILED_BY_ERROR.into(),
            State::Answered => info::FAILED_BY_ICE_TIMEOUT.into(),
            State::Over(reason) => reason.to_string(),
            State::Active => return,
        };
        self.end(peer, Ending::Failed(info));
    }

    /// PUBLISHING or PLAYING, told to the stream's client.
    pub(super) fn announce(&mut self, peer: PeerId) {
        let Some(stream) = self.registry.stream(peer) else {
            return;
        };
        tracing::info!(
            client = stream.client.0,
            peer = peer.0,
            stream = stream.name.as_str(),
            media_session = self.shown_id(stream),
            codecs = ?stream.codecs,
            "media flows"
        );
        let client = stream.client;
        let event = self.current_status(peer, stream);
        self.send(client, &ServerMessage::StreamStatus(event));
    }

    fn notice_flowing(&mut self, peer: PeerId) {
        let Some(stream) = self.registry.stream(peer).filter(|_| self.config.notices) else {
            return;
        };
        let (client, session) = (stream.client, Arc::clone(&stream.session));
        let event = self.current_status(peer, stream);
        self.notice_stream(client, &session, &event);
    }

    /// Where a stream is now, with what a player has of its source.
    pub(super) fn current_status(&self, peer: PeerId, stream: &Stream) -> StreamStatusEvent {
        let mut event = stream.status(stream.current(), None);
        if let Some((audio, video)) = self.mute_state_for(peer) {
            event.audio_state = Some(audio);
            event.video_state = Some(video);
        }
        if let Some(size) = self.picture_size(peer) {
            event.width = size.width.into();
            event.height = size.height.into();
        }
        event
    }
}
