//! Stream events: data and mute state, from a publisher to its players.

use serde_json::{Value, json};
use wire::{MuteState, SendStreamEvent, ServerMessage, StreamEvent, StreamEventType};

use super::backend::{PeerId, PictureSize};
use super::{ClientId, Core, Kind, Refusal, State};

/// What an event changes in what late players are told.
enum Change {
    Audio(bool),
    Video(bool),
    Nothing,
}

impl Core {
    pub(super) fn handle_stream_event(&mut self, client: ClientId, event: SendStreamEvent) {
        const METHOD: &str = "sendStreamEvent";
        let Some(id) = event.media_session_id else {
            return self.refuse(client, METHOD, None, &Refusal::IdMissing);
        };
        let change = match event.event_type {
            StreamEventType::AudioMuted => Change::Audio(true),
            StreamEventType::AudioUnmuted => Change::Audio(false),
            StreamEventType::VideoMuted => Change::Video(true),
            StreamEventType::VideoUnmuted => Change::Video(false),
            StreamEventType::Data => Change::Nothing,
            StreamEventType::Resize
            | StreamEventType::NotEnoughBandwidth
            | StreamEventType::SnapshotCompleted
            | StreamEventType::SnapshotFailed
            | StreamEventType::Other(_) => {
                return self.refuse(client, METHOD, Some(&id), &Refusal::EventType);
            }
        };
        // The stream may have ended while the event was under way: no error.
        let Some(peer) = self.own_publisher(client, &id) else {
            return;
        };
        let Some(stream) = self.registry.stream_mut(peer) else {
            return;
        };
        let Kind::Publisher { audio, video, .. } = &mut stream.kind else {
            return;
        };
        let payload = match change {
            Change::Audio(muted) => {
                audio.muted = muted;
                Some(json!({ "streamName": stream.name.as_str() }))
            }
            Change::Video(muted) => {
                video.muted = muted;
                Some(json!({ "streamName": stream.name.as_str() }))
            }
            Change::Nothing if stream.state == State::Active => event.payload,
            Change::Nothing => {
                return self.refuse(client, METHOD, Some(&id), &Refusal::NotPublishing);
            }
        };
        self.tell_players(peer, &event.event_type, payload.as_ref());
    }

    /// What a publisher sends has another size: its players see it, and hear of
    /// it in case they lay out by it. Late ones learn it with their PLAYING.
    pub(super) fn handle_resized(&mut self, peer: PeerId, new: PictureSize) {
        let Some(stream) = self.registry.stream_mut(peer) else {
            return;
        };
        let Kind::Publisher { size, .. } = &mut stream.kind else {
            return;
        };
        if size.replace(new) != Some(new) {
            self.tell_size(peer, new);
        }
    }

    /// Players who had the size `before` go on with another publisher, of whose
    /// picture they keep that until its own is known.
    pub(super) fn splice_size(&mut self, publisher: PeerId, before: Option<PictureSize>) {
        let stream = self.registry.stream_mut(publisher);
        let Some(Kind::Publisher { size, .. }) = stream.map(|stream| &mut stream.kind) else {
            return;
        };
        let now = *size;
        *size = now.or(before);
        if let Some(now) = now.filter(|_| now != before) {
            self.tell_size(publisher, now);
        }
    }

    fn tell_size(&mut self, publisher: PeerId, size: PictureSize) {
        let payload = json!({
            "streamerVideoWidth": size.width,
            "streamerVideoHeight": size.height,
        });
        self.tell_players(publisher, &StreamEventType::Resize, Some(&payload));
    }

    /// What a player is sent is more than its network carries.
    pub(super) fn handle_not_enough_bandwidth(
        &mut self,
        peer: PeerId,
        needed_bps: u64,
        available_bps: u64,
    ) {
        let Some(stream) = self.registry.stream(peer) else {
            return;
        };
        if stream.state != State::Active || stream.is_publisher() {
            return;
        }
        let (client, media_session_id) = (stream.client, stream.id.clone());
        let event = StreamEvent {
            media_session_id,
            event_type: StreamEventType::NotEnoughBandwidth,
            payload: Some(json!({ "info": format!("{needed_bps}/{available_bps}") })),
        };
        self.update(client, &ServerMessage::StreamEvent(event));
    }

    fn own_publisher(&self, client: ClientId, id: &wire::MediaSessionId) -> Option<PeerId> {
        let (peer, stream) = self.registry.with_id(id)?;
        (stream.client == client && stream.is_publisher()).then_some(peer)
    }

    /// Sends an event to every player that plays, under the player's own id.
    /// One that is still starting learns the state with its PLAYING. Only mute
    /// states are insisted on: a publisher's data shall not cost a slow viewer
    /// its session.
    pub(super) fn tell_players(
        &mut self,
        peer: PeerId,
        event_type: &StreamEventType,
        payload: Option<&Value>,
    ) {
        let Some(Kind::Publisher { players, .. }) = self.registry.stream(peer).map(|s| &s.kind)
        else {
            return;
        };
        let lasting = match event_type {
            StreamEventType::AudioMuted
            | StreamEventType::AudioUnmuted
            | StreamEventType::VideoMuted
            | StreamEventType::VideoUnmuted => true,
            StreamEventType::Data
            | StreamEventType::Resize
            | StreamEventType::NotEnoughBandwidth
            | StreamEventType::SnapshotCompleted
            | StreamEventType::SnapshotFailed
            | StreamEventType::Other(_) => false,
        };
        let receivers: Vec<_> = players
            .iter()
            .filter_map(|player| self.registry.stream(*player))
            .filter(|player| player.state == State::Active)
            .map(|player| (player.client, player.id.clone()))
            .collect();
        for (client, media_session_id) in receivers {
            let event = StreamEvent {
                media_session_id,
                event_type: event_type.clone(),
                payload: payload.cloned(),
            };
            let message = ServerMessage::StreamEvent(event);
            if lasting {
                self.send(client, &message);
            } else {
                self.update(client, &message);
            }
        }
    }

    /// Audio and video mute state of what a player plays.
    pub(super) fn mute_state_for(&self, player: PeerId) -> Option<(MuteState, MuteState)> {
        let player = self.registry.stream(player)?;
        let Kind::Player { source, .. } = player.kind else {
            return None;
        };
        let held = || Some(self.registry.holds.named(&player.name)?.mute_state());
        self.registry.mute_state_of(source).or_else(held)
    }

    /// The size of what a publisher sends, or a player is sent; `None` if it is
    /// not known.
    pub(super) fn picture_size(&self, peer: PeerId) -> Option<PictureSize> {
        let stream = self.registry.stream(peer)?;
        let Kind::Player { source, .. } = stream.kind else {
            return self.registry.size_of(peer);
        };
        let held = || self.registry.holds.named(&stream.name)?.size;
        self.registry.size_of(source).or_else(held)
    }
}
