//! Players that go on with another publisher.
//!
//! What was the source of a player is over, and its client is to see nothing of
//! that but a pause. Signalling sends each player the word by the way that it came
//! itself ([`Message::SplicePlayer`]), so that it overtakes neither the player nor
//! another splice, and the player's end does not overtake it. The player's worker
//! takes it from the old source and announces it to the new one's
//! ([`Message::PlayerMoved`]), which counts it in and says what it sends
//! ([`Message::FeedPlayer`]).
//!
//! Each worker counts only what it has been told by the player's own: a player
//! that was closed, has ended or was sent on meanwhile is counted out again.

use super::*;
use crate::media::message::Feed;

impl Shard {
    /// Takes a player here from its source, and announces it to the next one's
    /// worker. One that is not here has ended or was closed.
    pub(super) fn move_player(&mut self, id: PeerId, to: (PeerId, WorkerId), now: Instant) {
        let Some(Peer::Player(player)) = self.peers.get(&id) else {
            return;
        };
        let from = player.source;
        if self.moving.insert(id, to).is_none() {
            self.leave_audience(id, from, now);
        }
        let (source, worker) = to;
        let message = Message::PlayerMoved {
            peer: id,
            source,
            home: self.id,
        };
        self.send(worker, message, now);
    }

    /// Counts a player in. If the source is gone as well by now, the player waits
    /// on where it is: signalling will hear of that, and move or close it.
    pub(super) fn take_player(
        &mut self,
        (peer, home): (PeerId, WorkerId),
        source: PeerId,
        now: Instant,
    ) {
        let Some(Peer::Publisher(publisher)) = self.peers.get(&source) else {
            return;
        };
        let feed = Feed {
            peer,
            source,
            source_worker: self.id,
            codecs: publisher.source_codecs(),
            head_start: publisher.head_start().clone(),
            layers: publisher.layers.clone(),
        };
        self.subscribers.add(source, home);
        self.send(home, Message::FeedPlayer(Box::new(feed)), now);
    }

    /// Lets a player here go on with its new source, or ends it if it cannot.
    pub(super) fn feed_player(&mut self, feed: Feed, now: Instant) {
        let Feed {
            peer: id,
            source,
            source_worker,
            codecs,
            head_start,
            layers,
        } = feed;
        let awaited = self.moving.get(&id) == Some(&(source, source_worker));
        let Some(Peer::Player(player)) = self.peers.get_mut(&id).filter(|_| awaited) else {
            return self.leave(source, source_worker, now);
        };
        let spliced = player.splice(source, &codecs, &layers, now);
        let is_up = player.link.is_secured();
        if let Err(reason) = spliced {
            self.leave(source, source_worker, now);
            self.close(id, now);
            return self.ended(id, reason);
        }
        self.moving.remove(&id);
        let audiences = &mut self.audiences;
        audiences.add(source, source_worker, id, head_start, layers);
        if is_up {
            self.start_player(id, now);
        }
        self.timers.set(id, now);
    }
}
