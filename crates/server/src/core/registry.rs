//! Every stream of every session, and who has which name and id.
//!
//! Plain data: a stream is in all indexes or in none.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use wire::{MediaSessionId, MuteState, StreamName, StreamStatus, StreamStatusEvent};

use super::backend::{Codecs, EndReason, PeerId, PictureSize, VideoRate};
use super::hold::{Held, Holds};
use super::wishes::Echo;
use super::{ClientId, SessionInfo};

/// One publish or play.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) client: ClientId,
    pub(super) session: Arc<SessionInfo>,
    pub(super) id: MediaSessionId,
    pub(super) name: StreamName,
    pub(super) kind: Kind,
    pub(super) state: State,
    pub(super) has_audio: bool,
    pub(super) has_video: bool,
    pub(super) codecs: Codecs,
    pub(super) echo: Echo,
    /// When it was asked for, milliseconds since the Unix epoch.
    pub(super) created: Option<u64>,
    /// Of its video, as media said last.
    pub(super) rate: Option<VideoRate>,
}

/// Which way a stream's media goes, and what only that way knows.
#[derive(Debug)]
pub(super) enum Kind {
    Publisher {
        players: BTreeSet<PeerId>,
        audio: MuteState,
        video: MuteState,
        /// Of its picture, once known.
        size: Option<PictureSize>,
        /// It was PUBLISHING.
        flowed: bool,
    },
    Player {
        /// A publisher, or the one that was and whose name is held.
        source: PeerId,
        /// Whether its answer has audio, and video; its source may lack them.
        takes: (bool, bool),
    },
}

/// A stream's life; it only ever moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The offer is with the media backend.
    Offered,
    /// The client has its answer.
    Answered,
    /// PUBLISHING or PLAYING.
    Active,
    /// The media backend's peer is gone; the client does not know it yet.
    Over(EndReason),
}

impl Stream {
    pub(super) fn is_publisher(&self) -> bool {
        matches!(self.kind, Kind::Publisher { .. })
    }

    /// Where it is in its life.
    pub(super) fn current(&self) -> StreamStatus {
        match self.state {
            State::Active if self.is_publisher() => StreamStatus::Publishing,
            State::Active => StreamStatus::Playing,
            State::Offered | State::Answered | State::Over(_) => StreamStatus::Pending,
        }
    }

    /// A status of this stream, complete but for what a player has of its source.
    pub(super) fn status(&self, status: StreamStatus, info: Option<String>) -> StreamStatusEvent {
        let media_type = if self.is_publisher() {
            "publish"
        } else {
            "play"
        };
        StreamStatusEvent {
            info,
            name: Some(self.name.clone()),
            published: self.is_publisher(),
            has_audio: self.has_audio,
            has_video: self.has_video,
            audio_codec: self.codecs.audio.clone(),
            video_codec: self.codecs.video.clone(),
            bitrate: self.echo.bitrate,
            min_bitrate: self.echo.min_bitrate,
            max_bitrate: self.echo.max_bitrate,
            quality: self.echo.quality,
            transport: self.echo.transport.clone(),
            cvo_extension: self.echo.cvo_extension,
            custom: self.echo.custom.clone(),
            create_date: self.created,
            media_type: Some(media_type.into()),
            ..StreamStatusEvent::new(self.id.clone(), status)
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Registry {
    streams: BTreeMap<PeerId, Stream>,
    by_client: BTreeMap<ClientId, BTreeSet<PeerId>>,
    by_id: HashMap<MediaSessionId, PeerId>,
    publishers: HashMap<StreamName, PeerId>,
    pub(super) holds: Holds,
}

impl Registry {
    /// Adds a stream whose id, and if it publishes whose name, is free.
    pub(super) fn insert(&mut self, peer: PeerId, stream: Stream) {
        match stream.kind {
            Kind::Publisher { .. } => {
                self.publishers.insert(stream.name.clone(), peer);
            }
            Kind::Player { source, .. } => self.players_of(source, |players| {
                players.insert(peer);
            }),
        }
        self.by_id.insert(stream.id.clone(), peer);
        self.by_client
            .entry(stream.client)
            .or_default()
            .insert(peer);
        self.streams.insert(peer, stream);
    }

    /// Takes a stream out; its name and id are free from now on.
    pub(super) fn remove(&mut self, peer: PeerId) -> Option<Stream> {
        let stream = self.streams.remove(&peer)?;
        match stream.kind {
            Kind::Publisher { .. } => {
                self.publishers.remove(&stream.name);
            }
            Kind::Player { source, .. } => {
                self.players_of(source, |players| {
                    players.remove(&peer);
                });
                self.holds.forget_player(&stream.name, peer);
            }
        }
        self.by_id.remove(&stream.id);
        if let Some(peers) = self.by_client.get_mut(&stream.client) {
            peers.remove(&peer);
            if peers.is_empty() {
                self.by_client.remove(&stream.client);
            }
        }
        Some(stream)
    }

    /// Gives all streams of one client to another, which has none yet.
    pub(super) fn hand_over(&mut self, from: ClientId, to: ClientId) {
        let Some(peers) = self.by_client.remove(&from) else {
            return;
        };
        for peer in &peers {
            if let Some(stream) = self.streams.get_mut(peer) {
                stream.client = to;
            }
        }
        self.by_client.insert(to, peers);
    }

    /// Gives the players who wait for the name of the publisher `to` to it; what
    /// was held, if that was anything.
    pub(super) fn splice(&mut self, to: PeerId) -> Option<Held> {
        let publisher = self.streams.get(&to).filter(|s| s.is_publisher())?;
        let codecs = publisher.codecs.clone();
        let (audio, video) = codecs.kinds_or((publisher.has_audio, publisher.has_video));
        let held = self.holds.take(&publisher.name)?;
        for player in &held.players {
            let Some(player) = self.streams.get_mut(player) else {
                continue;
            };
            if let Kind::Player { source, takes } = &mut player.kind {
                *source = to;
                player.has_audio = takes.0 && audio;
                player.has_video = takes.1 && video;
            }
            player.codecs = Codecs {
                audio: codecs.audio.clone().filter(|_| player.has_audio),
                video: codecs.video.clone().filter(|_| player.has_video),
            };
        }
        self.players_of(to, |players| players.extend(&held.players));
        Some(held)
    }

    fn players_of(&mut self, source: PeerId, change: impl FnOnce(&mut BTreeSet<PeerId>)) {
        if let Some(Stream {
            kind: Kind::Publisher { players, .. },
            ..
        }) = self.streams.get_mut(&source)
        {
            change(players);
        }
    }

    pub(super) fn stream(&self, peer: PeerId) -> Option<&Stream> {
        self.streams.get(&peer)
    }

    pub(super) fn stream_mut(&mut self, peer: PeerId) -> Option<&mut Stream> {
        self.streams.get_mut(&peer)
    }

    /// Who has the id, in whichever session.
    pub(super) fn with_id(&self, id: &MediaSessionId) -> Option<(PeerId, &Stream)> {
        let peer = *self.by_id.get(id)?;
        Some((peer, self.streams.get(&peer)?))
    }

    /// Who publishes, or is about to publish, the name.
    pub(super) fn publisher(&self, name: &StreamName) -> Option<(PeerId, &Stream)> {
        let peer = *self.publishers.get(name)?;
        Some((peer, self.streams.get(&peer)?))
    }

    /// Audio and video mute state of a publisher.
    pub(super) fn mute_state_of(&self, publisher: PeerId) -> Option<(MuteState, MuteState)> {
        match self.streams.get(&publisher)?.kind {
            Kind::Publisher { audio, video, .. } => Some((audio, video)),
            Kind::Player { .. } => None,
        }
    }

    /// The size of what a publisher sends; `None` if it is not known.
    pub(super) fn size_of(&self, publisher: PeerId) -> Option<PictureSize> {
        match self.streams.get(&publisher)?.kind {
            Kind::Publisher { size, .. } => size,
            Kind::Player { .. } => None,
        }
    }

    /// Why a name that is not published cannot be played: true if it is held.
    pub(super) fn is_held(&self, name: &StreamName) -> bool {
        self.holds.named(name).is_some()
    }

    /// A client's streams, in the order they were asked for.
    pub(super) fn of_client(&self, client: ClientId) -> Vec<PeerId> {
        self.by_client
            .get(&client)
            .map(|peers| peers.iter().copied().collect())
            .unwrap_or_default()
    }

    pub(super) fn count_of_client(&self, client: ClientId) -> usize {
        self.by_client.get(&client).map_or(0, BTreeSet::len)
    }

    /// Everyone after `peer`, in the order they were asked for.
    pub(super) fn after(&self, peer: PeerId) -> impl Iterator<Item = PeerId> {
        let after = (Bound::Excluded(peer), Bound::Unbounded);
        self.streams.range(after).map(|(peer, _)| *peer)
    }

    /// Who publishes a name, and everyone who plays it or waits for it.
    pub(super) fn of_name(&self, name: &StreamName) -> Vec<PeerId> {
        let publisher = self.publisher(name);
        let players = publisher.and_then(|(_, publisher)| match &publisher.kind {
            Kind::Publisher { players, .. } => Some(players),
            Kind::Player { .. } => None,
        });
        let waiting = self.holds.named(name).map(|held| &held.players);
        let publisher = publisher.map(|(peer, _)| peer);
        let others = players.into_iter().chain(waiting).flatten().copied();
        publisher.into_iter().chain(others).collect()
    }

    /// Every publisher, in the order they were asked for.
    pub(super) fn publishers(&self) -> Vec<PeerId> {
        let publishers = self
            .streams
            .iter()
            .filter(|(_, stream)| stream.is_publisher());
        publishers.map(|(peer, _)| *peer).collect()
    }

    pub(super) fn publisher_count(&self) -> usize {
        self.publishers.len()
    }

    pub(super) fn player_count(&self) -> usize {
        self.streams.len() - self.publishers.len()
    }

    /// True when no index holds anything.
    pub(super) fn is_empty(&self) -> bool {
        self.streams.is_empty()
            && self.by_client.is_empty()
            && self.by_id.is_empty()
            && self.publishers.is_empty()
            && self.holds.is_empty()
    }
}
