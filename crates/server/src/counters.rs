//! What was refused or dropped, counted by reason and logged once.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// Why input was refused or dropped.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$doc])* $variant,)* }

        impl Reason {
            /// Every reason, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The reason's name in logs and statistics.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

reasons! {
    /// A text frame that is not a signalling message.
    BadMessage => "bad_message",
    /// A well-formed message nobody here knows.
    UnknownMessage => "unknown_message",
    /// A binary WebSocket frame.
    BinaryFrame => "binary_frame",
    /// A WebSocket message over the size limit.
    OversizedMessage => "oversized_message",
    /// An SDP over the size limit.
    OversizedSdp => "oversized_sdp",
    /// Application data of a stream over the size limit.
    OversizedCustom => "oversized_custom",
    /// A stream name over the length limit, or empty.
    BadName => "bad_name",
    /// A stream id that is missing, too long or taken.
    BadId => "bad_id",
    /// A session with too many streams.
    TooManyStreams => "too_many_streams",
    /// A session that waits for too many pictures.
    TooManySnapshots => "too_many_snapshots",
    /// A socket over the limit on sessions.
    TooManySessions => "too_many_sessions",
    /// Calls, media over WebSocket: parts of the protocol not served here.
    Unsupported => "unsupported",
    /// A message before `connection`, or a second `connection`.
    OutOfOrder => "out_of_order",
    /// A client that never sent `connection`.
    SilentClient => "silent_client",
    /// A client that stopped answering pings.
    DeadClient => "dead_client",
    /// A client that does not read what is sent to it.
    SlowClient => "slow_client",
    /// A request that breaks its protocol, most likely WHIP or WHEP.
    BadRequest => "bad_request",
    /// A video rate, or another message that can be done without, that nobody
    /// had time for.
    SkippedRate => "skipped_rate",
    /// A publisher or a viewer for whom a media worker has no place.
    TooManyPeers => "too_many_peers",
    /// An SDP that could not be answered.
    BadSdp => "bad_sdp",
    /// A datagram that belongs to no peer.
    StrayDatagram => "stray_datagram",
    /// A datagram that its peer could not take.
    BadDatagram => "bad_datagram",
    /// A connectivity check with a wrong user name or password.
    BadCredentials => "bad_credentials",
    /// Connectivity checks of one peer from too many addresses, or too often.
    TooManyChecks => "too_many_checks",
    /// A connectivity check that came before, from another address.
    ReplayedCheck => "replayed_check",
    /// DTLS datagrams of one peer, far more than a handshake takes.
    TooManyHandshakes => "too_many_handshakes",
    /// RTCP datagrams of one peer, far more than it has to report.
    TooManyReports => "too_many_reports",
    /// Media over the bitrate that a publisher may send.
    TooMuchMedia => "too_much_media",
    /// Media of a stream that the publisher did not announce and that its keys
    /// do not vouch for, or one stream too many.
    ForeignMedia => "foreign_media",
    /// Media that is forged, has come before, or comes too early or too late.
    UselessMedia => "useless_media",
    /// Media from a viewer.
    ViewerMedia => "viewer_media",
    /// Retransmissions beyond what a viewer's link can need.
    TooManyRetransmissions => "too_many_retransmissions",
    /// A client that sends more messages a second than it may.
    FloodingClient => "flooding_client",
    /// An HTTP or WebSocket connection over the limit, in all or of one address.
    NoPlace => "no_place",
    /// A request that does not come to its end in time.
    SlowRequest => "slow_request",
    /// A TCP connection for media over the limits, or for which the system had
    /// no socket.
    TooManyConnections => "too_many_connections",
    /// A TCP connection for media that did not show in time, or in a few
    /// packets, that a peer is at its other end.
    UnprovenConnection => "unproven_connection",
    /// A TCP connection for media with a longer frame than any packet of WebRTC.
    OversizedFrame => "oversized_frame",
    /// A TCP connection for media that has taken nothing for long.
    IdleConnection => "idle_connection",
    /// A packet for a TCP connection that does not keep up.
    FullConnection => "full_connection",
    /// A datagram that the system dropped since its socket had no room for more:
    /// a media worker did not keep up. Known on Linux only.
    FullSocket => "full_socket",
    /// A session that would be new to a server about to stop.
    Draining => "draining",
    /// A TLS handshake that did not come about.
    BadHandshake => "bad_handshake",
    /// A certificate or a key that was not taken in the place of those in use.
    BadCertificate => "bad_certificate",
    /// An address that comes more often than it may, or has too many WebSockets.
    BusyAddress => "busy_address",
    /// A page of an origin that may not use the server.
    ForeignOrigin => "foreign_origin",
    /// Somebody without a token, where one is needed.
    NoToken => "no_token",
    /// A token that nobody here gave out.
    BadToken => "bad_token",
    /// A token that was valid once.
    ExpiredToken => "expired_token",
    /// A token that is not valid yet.
    EarlyToken => "early_token",
    /// A token for another server.
    WrongAudience => "wrong_audience",
    /// Somebody without the right to it.
    NotAllowed => "not_allowed",
    /// Somebody whom the application for hooks refuses.
    HookRefused => "hook_refused",
    /// Somebody about whom the application for hooks could not be asked, so that they
    /// were refused.
    HookUnanswered => "hook_unanswered",
    /// A request to the application for hooks that it did not answer, whatever came of
    /// that.
    HookFailed => "hook_failed",
    /// An event that the application for hooks was not told of, since too many others
    /// wait.
    HookDropped => "hook_dropped",
}

/// One counter a reason, shared by every part of the server.
#[derive(Debug)]
pub struct Counters {
    counts: [AtomicU64; Reason::ALL.len()],
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl Counters {
    /// Counts one; true the first time, when the caller should log it.
    pub fn count(&self, reason: Reason) -> bool {
        self.counts[reason as usize].fetch_add(1, Ordering::Relaxed) == 0
    }

    /// Counts so many more at once.
    pub fn add(&self, reason: Reason, more: u64) {
        self.counts[reason as usize].fetch_add(more, Ordering::Relaxed);
    }

    /// How often `reason` was counted.
    pub fn of(&self, reason: Reason) -> u64 {
        self.counts[reason as usize].load(Ordering::Relaxed)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
