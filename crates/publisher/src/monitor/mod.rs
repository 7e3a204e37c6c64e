//! Plays the publication's own stream back from the server, as the iOS Streamer
//! does, and measures what returns: how long a picture takes from being captured
//! to being decoded, what is lost on the way, when it stands still.
//!
//! - `player`: the connection that it comes back on;
//! - `decoder`: decodes it (H.264), on a thread of its own;
//! - `ledger`: which of the frames sent each one is, and what is missing;
//! - `watch`: when each was seen: delay and freezes.
//!
//! A monitor outlives the connections of its publication, and its own.

mod decoder;
mod ledger;
mod player;
mod watch;

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant, UNIX_EPOCH};

use str0m::media::MediaKind;
use tracing::debug;

use self::decoder::{Decoded, Decoder};
use self::ledger::{Ledger, Returned};
use self::player::{Came, Player};
use self::watch::Watch;
use crate::MonitorStats;
use crate::clock::Clock;
use crate::link::PeerError;
use crate::pipeline::Sent;
use crate::source::{EncodedFrame, VideoCodec};

/// How far the strip's capture time, in whole milliseconds, may be from ours.
const STRIP_ERROR: Duration = Duration::from_millis(3);

/// Watches what returns of one publication.
pub(crate) struct Monitor {
    sent: Sent,
    clock: Clock,
    ledger: Ledger,
    watch: Watch,
    /// `None` where nothing is decoded: what arrives whole counts as seen.
    decoder: Option<Decoder>,
    player: Option<Player>,
    frames: u64,
    packets_lost: u64,
}

impl Monitor {
    /// Watches a publication of `sent` whose RTP timestamps count from `start`.
    ///
    /// # Errors
    /// There is no thread for the decoder.
    pub(crate) fn new(sent: Sent, start: Instant) -> io::Result<Self> {
        let decodes = matches!(sent.video, Some(VideoCodec::H264 { .. }));
        Ok(Self {
            sent,
            clock: Clock::start(),
            ledger: Ledger::new(start),
            watch: Watch::default(),
            decoder: decodes.then(Decoder::start).transpose()?,
            player: None,
            frames: 0,
            packets_lost: 0,
        })
    }

    /// To be told of each frame that is handed to the network.
    pub(crate) fn note_sent(&mut self, frame: &EncodedFrame) {
        // What is sent before may come back, or not.
        if self.is_up() {
            self.ledger.note_sent(frame);
        }
    }

    /// Opens sockets and makes the offer to play the stream; ends what was played
    /// before. `signalling` is this end's address towards the server.
    pub(crate) async fn offer(&mut self, signalling: IpAddr) -> Result<String, PeerError> {
        self.close();
        let (player, offer) = Player::offer(signalling, self.sent).await?;
        self.player = Some(player);
        Ok(offer)
    }

    /// Takes the server's answer, once.
    pub(crate) fn accept(&mut self, sdp: &str) -> Result<(), PeerError> {
        match &mut self.player {
            Some(player) => player.accept(sdp),
            None => Ok(()),
        }
    }

    /// ICE and DTLS are up.
    pub(crate) fn is_up(&self) -> bool {
        let player = self.player.as_ref();
        player.is_some_and(|player| player.up_since().is_some())
    }

    /// Ends the connection; what it has measured stays.
    pub(crate) fn close(&mut self) {
        self.player = None;
        self.ledger.close();
        self.watch.close();
    }

    /// Plays until the connection is over, and says why; for ever while there is
    /// none. Cancelled, it loses nothing and can be called again.
    pub(crate) async fn run(&mut self) -> PeerError {
        loop {
            let (Some(player), decoder) = (&mut self.player, &mut self.decoder) else {
                return std::future::pending().await;
            };
            let decoded = async {
                match decoder {
                    Some(decoder) => decoder.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                came = player.next() => match came {
                    Ok(came) => self.handle(&came),
                    Err(error) => {
                        self.close();
                        return error;
                    }
                },
                decoded = decoded => self.handle_decoded(decoded),
            }
        }
    }

    fn handle(&mut self, came: &Came) {
        self.packets_lost += came.packets_lost;
        if came.kind != MediaKind::Video {
            return;
        }
        self.frames += 1;
        let data = &came.data;
        let ticks = data.time.numer() as u32;
        let returned = self.ledger.note_returned(ticks, &data.data);
        let returned = returned.unwrap_or_else(|| Returned {
            // A server that makes new frames of them may still tell.
            captured: data.ext_vals.abs_capture_time.and_then(|told| {
                let unix = told.capture_time.duration_since(UNIX_EPOCH).ok()?;
                self.credible(unix, Instant::now())
            }),
            ..Returned::default()
        });
        match &mut self.decoder {
            // What is missing shows as a picture that stands still.
            _ if !came.whole => {}
            Some(decoder) => decoder.decode(data.data.clone(), data.is_keyframe(), returned),
            None => self
                .watch
                .see(Instant::now(), returned.captured, returned.pause),
        }
    }

    fn handle_decoded(&mut self, decoded: Decoded) {
        match decoded {
            Decoded::Picture {
                returned,
                at,
                strip,
            } => self.handle_picture(returned, at, strip),
            Decoded::NeedsKeyframe => {
                if let Some(player) = &mut self.player {
                    player.ask_for_keyframe(Instant::now());
                }
            }
        }
    }

    fn handle_picture(&mut self, returned: Returned, at: Instant, strip: Option<Duration>) {
        let since = self.player.as_ref().and_then(Player::up_since);
        let captured = returned.captured;
        if captured.is_some_and(|captured| since.is_none_or(|since| captured < since)) {
            // It was still being decoded when its connection ended.
            return;
        }
        let strip = strip.and_then(|unix| self.credible(unix, at));
        if let (Some(known), Some(told)) = (captured, strip) {
            let apart = known.max(told).duration_since(known.min(told));
            if apart > STRIP_ERROR {
                debug!(?apart, "the strip says another capture time");
            }
        }
        self.watch.see(at, captured.or(strip), returned.pause);
    }

    /// A capture time that came with a picture; `None` if it cannot be that of
    /// one which was captured since there is a connection and seen `at`.
    fn credible(&self, unix: Duration, at: Instant) -> Option<Instant> {
        let captured = self.clock.at(unix);
        let since = self.player.as_ref()?.up_since()?;
        (captured >= since && captured <= at).then_some(captured)
    }

    /// What was measured up to `now`.
    pub(crate) fn stats(&mut self, now: Instant) -> MonitorStats {
        let (freezes, frozen) = self.watch.frozen();
        let delay = self.watch.delay(now);
        MonitorStats {
            delay: delay.map(|(median, _)| median),
            max_delay: delay.map(|(_, longest)| longest),
            frames: self.frames,
            frames_lost: self.ledger.lost(now),
            packets_lost: self.packets_lost,
            freezes,
            frozen,
        }
    }
}

#[cfg(test)]
mod tests;
