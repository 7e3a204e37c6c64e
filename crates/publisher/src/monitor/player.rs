//! The connection that the stream comes back on.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use str0m::Event;
use str0m::media::{Direction, KeyframeRequestKind, MediaData, MediaKind, Mid};
use tracing::debug;

use crate::answer::Answer;
use crate::codecs::rtc_config;
use crate::link::{Link, PeerError};
use crate::options::AudioOptions;
use crate::pipeline::Sent;

/// Packets that may be held back for one that is missing: more than a keyframe
/// has, or it would be given up for its own size.
const REORDERED_PACKETS: usize = 1_000;

/// How often a keyframe is asked for while none comes.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// A receive-only connection.
pub(super) struct Player {
    link: Link,
    video: Option<Mid>,
    audio: Option<Mid>,
    up_since: Option<Instant>,
    /// The sequence numbers that come next.
    next_video: Option<u64>,
    next_audio: Option<u64>,
    /// What comes can be decoded: nothing is missing since the last keyframe.
    whole: bool,
    asked_at: Option<Instant>,
}

/// A frame, or a packet of sound, that came back.
pub(super) struct Came {
    pub(super) kind: MediaKind,
    pub(super) data: MediaData,
    /// Nothing that its decoding needs is missing.
    pub(super) whole: bool,
    /// Packets before it that never came.
    pub(super) packets_lost: u64,
}

impl Player {
    /// Opens sockets and makes the offer to receive what is `sent`.
    pub(super) async fn offer(signalling: IpAddr, sent: Sent) -> Result<(Self, String), PeerError> {
        let config =
            rtc_config(sent, &AudioOptions::default()).set_reordering_size_video(REORDERED_PACKETS);
        let (link, (audio, video), offer) = Link::offer(signalling, config, |changes| {
            let mut add = |kind| changes.add_media(kind, Direction::RecvOnly, None, None, None);
            let audio = sent.audio.map(|_| add(MediaKind::Audio));
            let video = sent.video.map(|_| add(MediaKind::Video));
            (audio, video)
        })
        .await?;
        let player = Self {
            link,
            video,
            audio,
            up_since: None,
            next_video: None,
            next_audio: None,
            whole: false,
            asked_at: None,
        };
        Ok((player, offer))
    }

    /// Takes the server's answer, once.
    pub(super) fn accept(&mut self, sdp: &str) -> Result<(), PeerError> {
        let answer = Answer::read(sdp);
        if answer.refuses_all() {
            let why = "it refuses to play the stream";
            return Err(PeerError::Answer(why.to_owned()));
        }
        self.link.accept(&answer)
    }

    /// When ICE and DTLS came up: what is sent from then on should come back.
    pub(super) fn up_since(&self) -> Option<Instant> {
        self.up_since
    }

    /// The next thing that comes back. Cancelled, it loses nothing.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "of str0m's many events a receiver needs these"
    )]
    pub(super) async fn next(&mut self) -> Result<Came, PeerError> {
        loop {
            match self.link.next().await? {
                Event::Connected => self.up_since = Some(Instant::now()),
                Event::MediaData(data) => {
                    if let Some(came) = self.take_in(data) {
                        return Ok(came);
                    }
                }
                _ => {}
            }
        }
    }

    fn take_in(&mut self, data: MediaData) -> Option<Came> {
        let (kind, next) = if self.video == Some(data.mid) {
            (MediaKind::Video, &mut self.next_video)
        } else if self.audio == Some(data.mid) {
            (MediaKind::Audio, &mut self.next_audio)
        } else {
            return None;
        };
        let (first, last) = (**data.seq_range.start(), **data.seq_range.end());
        let packets_lost = next.map_or(0, |next| first.saturating_sub(next));
        *next = Some(last + 1);
        if kind == MediaKind::Video {
            self.whole = data.is_keyframe() || self.whole && data.contiguous && packets_lost == 0;
            if !self.whole {
                self.ask_for_keyframe(Instant::now());
            }
        }
        Some(Came {
            kind,
            whole: kind == MediaKind::Audio || self.whole,
            data,
            packets_lost,
        })
    }

    /// Asks for a keyframe, but not again and again.
    pub(super) fn ask_for_keyframe(&mut self, now: Instant) {
        let waits = |at: Instant| now.saturating_duration_since(at) < ASK_AGAIN;
        if self.asked_at.is_some_and(waits) {
            return;
        }
        self.asked_at = Some(now);
        let Some(mut writer) = self.video.and_then(|mid| self.link.rtc.writer(mid)) else {
            return;
        };
        if let Err(error) = writer.request_keyframe(None, KeyframeRequestKind::Pli) {
            debug!(%error, "no keyframe asked for");
        }
    }
}
