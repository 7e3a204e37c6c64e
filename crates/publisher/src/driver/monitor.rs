//! Has streams played back, as the iOS Streamer does: in the same session, from
//! PUBLISHING on. A playback that fails does the stream no harm; it is tried
//! again.

use std::time::{Duration, Instant};

use session::{
    Address, Backoff, BackoffConfig, HttpAddress, Input, Play, StreamRole, StreamUpdate,
};
use wire::{MediaSessionId, StreamName, StreamStatus};

use super::Driver;
use crate::Server;
use crate::client::SessionEvent;
use crate::random::{fraction, fresh_id};

/// The waits between two attempts to play the stream back.
const WAITS: BackoffConfig = BackoffConfig {
    first: Duration::from_secs(1),
    factor: 2.0,
    cap: Duration::from_secs(30),
    jitter: 0.5,
};

/// The playback of one stream that is wanted.
#[derive(Debug)]
pub(super) struct Watch {
    /// Of the player, while there is one.
    pub(super) id: Option<MediaSessionId>,
    backoff: Backoff,
    /// When to try again.
    due: Option<Instant>,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            id: None,
            backoff: Backoff::new(WAITS),
            due: None,
        }
    }
}

impl Driver {
    /// Plays a stream back, if that is wanted.
    pub(super) fn start_monitor(&mut self, stream: &MediaSessionId) {
        let id = fresh_id();
        let Some(leg) = self.leg(stream) else {
            return;
        };
        let name = leg.name.clone();
        let Some(watch) = &mut leg.watch else {
            return;
        };
        watch.due = None;
        if !self.can_play(&name) {
            let text = "the monitor does not know where to play the stream: \
                        put {protocol} for whip in the URL";
            self.give_up_monitor(stream, text);
            return;
        }
        self.set_player(stream, Some(id.clone()));
        let custom = None;
        if let Err(error) = self.try_handle(Input::Play(Play { id, name, custom })) {
            self.monitor_failed(stream, &error.to_string());
        }
    }

    /// Starts what is due.
    pub(super) fn start_due_monitors(&mut self) {
        let now = Instant::now();
        let is_due = |watch: &Watch| watch.due.is_some_and(|due| due <= now);
        let legs = self.legs.iter();
        let due = legs.filter(|leg| leg.watch.as_ref().is_some_and(is_due));
        for stream in due.map(|leg| leg.id.clone()).collect::<Vec<_>>() {
            self.start_monitor(&stream);
        }
    }

    /// When [`Self::start_due_monitors`] has something to do.
    pub(super) fn monitors_due(&self) -> Option<Instant> {
        let watches = self.legs.iter().filter_map(|leg| leg.watch.as_ref());
        watches.filter_map(|watch| watch.due).min()
    }

    pub(super) fn handle_player(&mut self, update: &StreamUpdate) {
        let Some(stream) = self.stream_of_player(&update.id) else {
            return;
        };
        // A lost session is told of once.
        if self.signalling.status().is_terminal() {
            return;
        }
        if update.status == StreamStatus::Playing {
            if let Some(watch) = self.leg(&stream).and_then(|leg| leg.watch.as_mut()) {
                watch.backoff.reset();
            }
        } else if update.status.is_terminal() {
            let why = update.error.clone().or_else(|| update.info.clone());
            self.monitor_failed(&stream, why.as_deref().unwrap_or("it was ended"));
        }
    }

    /// Tells the first failure of a row, and tries again later.
    fn monitor_failed(&mut self, stream: &MediaSessionId, why: &str) {
        self.set_player(stream, None);
        let Some(watch) = self.leg(stream).and_then(|leg| leg.watch.as_mut()) else {
            return;
        };
        watch.due = Some(Instant::now() + watch.backoff.next(fraction()));
        if watch.backoff.attempt() == 1 {
            let text = format!("the monitor cannot play the stream back and tries again: {why}");
            self.notice(stream, text);
        }
    }

    fn give_up_monitor(&mut self, stream: &MediaSessionId, text: &str) {
        if let Some(leg) = self.leg(stream) {
            leg.watch = None;
        }
        self.notice(stream, text.to_owned());
    }

    fn notice(&self, stream: &MediaSessionId, text: String) {
        let id = stream.clone();
        self.tell(SessionEvent::Notice { id, text });
    }

    fn set_player(&mut self, stream: &MediaSessionId, id: Option<MediaSessionId>) {
        if let Some(watch) = self.leg(stream).and_then(|leg| leg.watch.as_mut()) {
            watch.id = id;
        }
    }

    /// The stream that a player plays back.
    pub(super) fn stream_of_player(&self, player: &MediaSessionId) -> Option<MediaSessionId> {
        let plays = |watch: &Watch| watch.id.as_ref() == Some(player);
        let mut legs = self.legs.iter();
        let leg = legs.find(|leg| leg.watch.as_ref().is_some_and(plays))?;
        Some(leg.id.clone())
    }

    /// Whether playing is another request than publishing.
    fn can_play(&self, name: &StreamName) -> bool {
        match &self.options.server {
            Server::WebCallServer(_) => true,
            Server::Http(address) => {
                let address = with_protocol(address);
                let endpoint = |role| address.endpoint(role, name).ok();
                endpoint(StreamRole::Publisher) != endpoint(StreamRole::Player)
            }
        }
    }
}

/// The address with `{protocol}` for its first folder `whip`, so that it has a
/// WHEP endpoint beside the WHIP one.
pub(super) fn with_protocol(address: &HttpAddress) -> HttpAddress {
    let text = address.to_string();
    let (path, query) = text.split_at(text.find('?').unwrap_or(text.len()));
    // `https:`, nothing, and the host stand before the folders.
    let mut folders: Vec<_> = path.split('/').collect();
    let mut after_host = folders.iter_mut().skip(3);
    if let Some(whip) = after_host.find(|folder| ["whip", "{protocol}"].contains(folder)) {
        *whip = "{protocol}";
    }
    match Address::parse(&(folders.join("/") + query)) {
        Ok(Address::Http(address)) => address,
        Ok(Address::WebCallServer(_)) | Err(_) => address.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whep_endpoint_is_found_beside_the_whip_one() {
        let check = |url: &str, publish: &str, play: &str| {
            let Ok(Address::Http(address)) = Address::parse(url) else {
                panic!("{url} is an HTTP address");
            };
            let address = with_protocol(&address);
            let name = StreamName::new("cam");
            let endpoint = |role| address.endpoint(role, &name).unwrap();
            assert_eq!(endpoint(StreamRole::Publisher), publish, "{url}");
            assert_eq!(endpoint(StreamRole::Player), play, "{url}");
        };
        check("http://h", "http://h/whip/cam", "http://h/whep/cam");
        check("http://h/whip/x", "http://h/whip/x", "http://h/whep/x");
        check("http://h/x/whip", "http://h/x/whip", "http://h/x/whep");
        check(
            "http://h/whip/whip",
            "http://h/whip/whip",
            "http://h/whep/whip",
        );
        check(
            "http://h:1/{name}/whip?whip=/whip/",
            "http://h:1/cam/whip?whip=/whip/",
            "http://h:1/cam/whep?whip=/whip/",
        );
        check(
            "http://whip/{protocol}/whip",
            "http://whip/whip/whip",
            "http://whip/whep/whip",
        );
        // Nothing tells where such a server plays.
        check("http://whip/live", "http://whip/live", "http://whip/live");
    }
}
