//! The boundary between signalling and media.
//!
//! Signalling knows media only through this: an offer and a role in, an answer
//! and later events out. Nothing here assumes that the media is in this
//! process: every call returns at once and the result comes as an event.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::meters::Meters;

/// One peer connection, publisher or player. Made by the signalling core,
/// never reused within a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub u64);

/// What a peer does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Sends its media to us.
    Publisher,
    /// Receives the media of `source`, which is a live publisher.
    Player {
        /// The publisher whose media it gets.
        source: PeerId,
    },
}

/// What signalling asks of media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Make a peer from a client's offer; [`Event::Answered`] or [`Event::Ended`] follows.
    Open {
        /// The new peer.
        peer: PeerId,
        /// Publisher or player.
        role: Role,
        /// The client's SDP offer, unchecked but for its size.
        offer: String,
        /// What the client asks for beside its offer.
        wishes: Wishes,
    },
    /// Restart a peer's ICE; [`Event::Restarted`] follows, or nothing changes.
    Restart {
        /// The peer.
        peer: PeerId,
        /// The client's new credentials, the part of an SDP that RFC 8840
        /// section 9 describes, unchecked but for its size.
        fragment: String,
    },
    /// Feed all players of a publisher that is over with another one's media,
    /// without a word to them. One that cannot take it ends. If the other one is
    /// over as well by now, they wait on as its players. An unknown peer is ignored.
    Splice {
        /// The publisher that is over: closed before, or ended by itself.
        from: PeerId,
        /// A publisher whose media flows.
        to: PeerId,
    },
    /// Take a picture of what a publisher sends; [`Event::Snapshot`] follows.
    Snapshot {
        /// Which request it is.
        request: SnapshotId,
        /// The publisher.
        source: PeerId,
    },
    /// End a peer; no event follows. Players of a closed publisher stay until
    /// they are closed too. An unknown peer is ignored.
    Close {
        /// The peer.
        peer: PeerId,
    },
}

/// One request for a picture, never reused within a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SnapshotId(pub u64);

/// What a client asks of its peer beside its offer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wishes {
    /// What its media may go over.
    pub transport: Transport,
    /// For a player: the delay that its jitter buffer shall keep to.
    pub playout_delay: Option<PlayoutDelay>,
}

/// What media may go over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// Whatever connects first.
    #[default]
    Any,
    /// UDP only.
    Udp,
    /// TCP only (RFC 6544).
    Tcp,
}

/// Least and most delay between capture and display, as the `playout-delay` RTP
/// header extension says them: in steps of 10 ms, at most 40.95 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlayoutDelay {
    /// Least delay.
    pub min: Duration,
    /// Most delay, no less than `min`.
    pub max: Duration,
}

impl PlayoutDelay {
    /// The delay between two numbers of milliseconds; `None` if they are not in
    /// order or more than the extension can say.
    pub fn from_millis(min: u64, max: u64) -> Option<Self> {
        /// 12 bits of 10 ms.
        const MOST: u64 = 40_950;
        (min <= max && max <= MOST).then_some(Self {
            min: Duration::from_millis(min),
            max: Duration::from_millis(max),
        })
    }
}

/// The size of a picture in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PictureSize {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// Why there is no snapshot. `Display` is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SnapshotError {
    /// The publisher is not there (any more).
    #[error("the stream has ended")]
    SourceGone,
    /// The stream has no video.
    #[error("the stream has no video")]
    NoVideo,
    /// No keyframe came in time.
    #[error("no keyframe came in time")]
    NoKeyframe,
    /// Nothing here decodes the stream's codec.
    #[error("the stream's video codec cannot be decoded here")]
    Codec,
    /// The keyframe is damaged.
    #[error("the keyframe cannot be decoded")]
    Damaged,
    /// Too many snapshots wait already.
    #[error("too many snapshots are being taken: try again later")]
    Busy,
}

/// What media tells signalling. After [`Event::Ended`] a peer is gone.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The answer to a peer's offer.
    Answered {
        /// The peer.
        peer: PeerId,
        /// The SDP answer, ready for the client.
        answer: String,
        /// Codec names as the protocol spells them (`opus`, `H264`), where known.
        codecs: Codecs,
    },
    /// Media flows: first RTP from a publisher; ICE and DTLS up for a player.
    Flowing {
        /// The peer.
        peer: PeerId,
    },
    /// How much video passed in the last interval, once an interval from the
    /// first packet on. May be dropped: the next one says it anew.
    Rate {
        /// The peer.
        peer: PeerId,
        /// Received from a publisher, sent to a player.
        rate: VideoRate,
    },
    /// ICE starts anew with this.
    Restarted {
        /// The peer.
        peer: PeerId,
        /// Our credentials and candidates, a part of an SDP (RFC 8840 section
        /// 9), ready for the client.
        fragment: String,
    },
    /// The answer to [`Command::Snapshot`].
    Snapshot {
        /// The request.
        request: SnapshotId,
        /// A PNG file.
        picture: Result<Vec<u8>, SnapshotError>,
    },
    /// What a publisher sends has this size from now on.
    Resized {
        /// The publisher.
        peer: PeerId,
        /// The size.
        size: PictureSize,
    },
    /// What a player is sent needs more than its network has. Said again after
    /// a while if that does not change.
    NotEnoughBandwidth {
        /// The player.
        peer: PeerId,
        /// What the stream needs, bits per second.
        needed_bps: u64,
        /// What the network has, bits per second.
        available_bps: u64,
    },
    /// The peer is over, or never came to be.
    Ended {
        /// The peer.
        peer: PeerId,
        /// Why.
        reason: EndReason,
    },
}

/// The video of a stream, of one interval and in total.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VideoRate {
    /// RTP payload and its retransmissions, bits per second.
    pub bitrate_bps: u64,
    /// Frames a second.
    pub fps: f64,
    /// NACKs so far.
    pub nacks: u64,
    /// Keyframe requests (PLI, RFC 4585 section 6.3.1) so far.
    pub plis: u64,
    /// Packets lost so far and not recovered, as the receiver sees it.
    pub lost_packets: u64,
}

/// Names of a stream's codecs; `None` where it has no such track or the codec is not known yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Codecs {
    /// `opus`, `PCMU`, `PCMA`.
    pub audio: Option<String>,
    /// `H264`, `VP8`, `VP9`, `AV1`.
    pub video: Option<String>,
}

impl Codecs {
    /// Whether there is audio, and video; `otherwise` if nothing is known.
    pub(super) fn kinds_or(&self, otherwise: (bool, bool)) -> (bool, bool) {
        if *self == Self::default() {
            return otherwise;
        }
        (self.audio.is_some(), self.video.is_some())
    }
}

/// Why a peer is over. `Display` is the protocol's info text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The offer could not be parsed or answered.
    BadOffer,
    /// Nothing in the offer fits the stream, or us.
    NoCommonCodecs,
    /// The player cannot take what the stream is now, and nothing transcodes it.
    TranscodingNeeded,
    /// The source of a player is not there (any more).
    SourceGone,
    /// The source of a player has no media yet, so its codecs are unknown.
    SourceNotReady,
    /// ICE was not up in time.
    IceTimeout,
    /// ICE consent was lost.
    IceLost,
    /// The DTLS certificate does not match the offer's fingerprint.
    DtlsFingerprint,
    /// DTLS did not come up, or failed.
    Dtls,
    /// No RTP from a publisher for too long.
    RtpInactive,
    /// The peer closed its connection (DTLS close_notify).
    ClosedByPeer,
    /// A limit of the media server is reached, or it failed inside.
    Internal,
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadOffer => wire::info::FAILED_TO_ADD_STREAM_TO_PROXY,
            Self::NoCommonCodecs => wire::info::NO_COMMON_CODECS,
            Self::TranscodingNeeded => wire::info::TRANSCODING_REQUIRED_BUT_DISABLED,
            Self::SourceGone => wire::info::SESSION_NOT_READY,
            Self::SourceNotReady => wire::info::PUBLISH_STREAM_IS_NOT_READY,
            Self::IceTimeout => wire::info::FAILED_BY_ICE_TIMEOUT,
            Self::IceLost => wire::info::FAILED_BY_KEEP_ALIVE,
            Self::DtlsFingerprint => wire::info::FAILED_BY_DTLS_FINGERPRINT_ERROR,
            Self::Dtls => wire::info::FAILED_BY_DTLS_ERROR,
            Self::RtpInactive => wire::info::FAILED_BY_RTP_ACTIVITY,
            Self::ClosedByPeer => wire::info::FAILED_BY_ICE_ERROR,
            Self::Internal => wire::info::FAILED_BY_ERROR,
        })
    }
}

/// A media server as signalling sees it.
pub trait MediaBackend: Send {
    /// Hands over a command; never blocks. Events come by the channel that the
    /// implementation was made with.
    fn send(&mut self, command: Command);

    /// What its workers measure, to be read at any time; none if it has none here.
    fn meters(&self) -> Vec<Arc<Meters>> {
        Vec::new()
    }
}
