//! Publishing to Janus and playing from it.

use super::connection::Connection;
use super::message::{About, Body, Feed, Join, Kind, Reply, Request, Room};
use super::{Error, Held, Result};

/// The publisher of each room: there is one, and every viewer knows it.
const PUBLISHER: u64 = 1;

/// The video room's number for "there is such a room".
const ROOM_EXISTS: u64 = 427;

/// A Janus.
#[derive(Clone, Debug)]
pub struct Client {
    url: String,
}

/// What Janus offers a viewer. Dropped unanswered, it is taken back.
#[derive(Debug)]
#[must_use]
pub struct Offered {
    sdp: String,
    connection: Connection,
}

impl Client {
    /// The Janus at `ws://HOST:PORT/`; nothing is connected yet.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into() }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// There is no Janus.
    pub async fn about(&self) -> Result<About> {
        let what = "tell its version";
        let mut connection = Connection::open(&self.url).await?;
        let Reply::ServerInfo(about) = connection.ask(what, Request::Info).await? else {
            return Err(Error::Lacks { what, lacks: "it" });
        };
        Ok(about)
    }

    /// Publishes `stream` as `offer` says; returns the answer.
    ///
    /// # Errors
    /// There is no Janus, it refuses (the name is in use), or it does not answer.
    pub async fn publish_offer(&self, stream: &str, offer: &str) -> Result<(String, Held)> {
        let room = room_of(stream);
        let mut connection = self.attach().await?;
        let own_room = create_room(&mut connection, room).await?;
        let join = Join::Publisher {
            room,
            id: PUBLISHER,
        };
        connection.tell("join the room", Body::Join(join)).await?;
        let what = "publish";
        let configure = Body::Configure {
            audio: true,
            video: true,
        };
        let answer = connection.describe(what, configure, Kind::Offer, offer);
        let answer = answer.await?.filter(|answer| answer.kind == Kind::Answer);
        let answer = answer.ok_or(Error::Lacks {
            what,
            lacks: "an answer to the offer",
        })?;
        let answer = connection.complete(answer).await?;
        Ok((answer, Held::new(connection, own_room.then_some(room))))
    }

    /// Asks for `stream`.
    ///
    /// # Errors
    /// There is no Janus, nobody publishes that, or Janus does not answer.
    pub async fn play_offer(&self, stream: &str) -> Result<Offered> {
        let mut connection = self.attach().await?;
        let join = Join::Subscriber {
            room: room_of(stream),
            streams: [Feed { feed: PUBLISHER }],
        };
        let what = "play";
        let offer = connection.message(what, Body::Join(join), None).await?;
        let offer = offer.filter(|offer| offer.kind == Kind::Offer);
        let offer = offer.ok_or(Error::Lacks {
            what,
            lacks: "an offer",
        })?;
        let sdp = connection.complete(offer).await?;
        Ok(Offered { sdp, connection })
    }

    async fn attach(&self) -> Result<Connection> {
        let mut connection = Connection::open(&self.url).await?;
        connection.attach().await?;
        Ok(connection)
    }
}

impl Offered {
    /// The offer.
    pub fn sdp(&self) -> &str {
        &self.sdp
    }

    /// Begins to play.
    ///
    /// # Errors
    /// Janus refuses the answer, or is gone.
    pub async fn answer(mut self, answer: &str) -> Result<Held> {
        let starting = self
            .connection
            .describe("start", Body::Start, Kind::Answer, answer);
        starting.await?;
        Ok(Held::new(self.connection, None))
    }
}

/// Whether it had to be created.
async fn create_room(connection: &mut Connection, room: u64) -> Result<bool> {
    let create = Body::Create(Room::new(room));
    match connection.tell("create a room", create).await {
        Ok(()) => Ok(true),
        Err(Error::Refused {
            code: ROOM_EXISTS, ..
        }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The room of a stream: its name's FNV-1a hash, in the 53 bits that JSON's numbers have
/// everywhere. Janus takes names for rooms only if it was configured so.
fn room_of(stream: &str) -> u64 {
    let hash = stream.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // Rooms are numbered from one.
    (hash >> 11).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_has_a_room_of_its_own() {
        assert_eq!(room_of("a"), room_of("a"));
        assert_ne!(room_of("bench-1"), room_of("bench-2"));
        for name in ["", "a", "bench-1", "ä"] {
            assert!((1..1 << 53).contains(&room_of(name)), "{name}");
        }
    }
}
