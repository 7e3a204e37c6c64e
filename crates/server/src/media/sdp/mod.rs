//! Offers and answers, RFC 8829 and RFC 8866.
//!
//! A client's offer is read leniently into an [`Offer`]; what is taken of it,
//! and only that, is written anew for str0m ([`Offer::reduced`]), so str0m never
//! parses what a client wrote and never sees an m-line that is refused. The
//! answer that str0m makes is then completed ([`complete_answer`]): refused
//! m-lines back in their places, one MediaStream for audio and video, the end
//! of the candidates said.
//!
//! Of a publisher's simulcast the layers are taken up to a number, if its packets
//! can say which of them they are of.
//!
//! A kind of media that the two sides do not share is refused alone (port 0,
//! inactive, out of BUNDLE) and the other one goes on; so are second m-lines of
//! a kind and data channels. A player's first m-line is kept instead, inactive:
//! its transport is the bundle's.

mod answer;
mod offer;
mod select;
mod simulcast;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod traps;

pub(super) use answer::{complete_answer, restart_answer};
pub(super) use offer::with_credentials;
pub(super) use offer::{Offer, OfferedCodec};
pub(super) use select::{
    Selection, SourceCodec, needs_transcoding, payload_types, select_for_player,
    select_for_publisher,
};
pub(super) use simulcast::{MAX_LAYERS, OfferedLayer};

/// RTP header extensions that are negotiated with a publisher.
const PUBLISHER_EXTENSIONS: &[&str] = &[
    MID,
    AUDIO_LEVEL,
    ABS_SEND_TIME,
    TRANSPORT_CC,
    VIDEO_ORIENTATION,
    PLAYOUT_DELAY,
    STREAM_ID,
    REPAIRED_STREAM_ID,
];

/// RTP header extensions that are negotiated with a player of a stream that
/// there is one of: with nothing to choose from, transport-wide sequence numbers
/// would only cost.
const PLAYER_EXTENSIONS: &[&str] = &[
    MID,
    AUDIO_LEVEL,
    ABS_SEND_TIME,
    VIDEO_ORIENTATION,
    PLAYOUT_DELAY,
];

/// With a player of a stream that comes in several layers: what is chosen of
/// them is decided by what its feedback says.
const LAYERED_PLAYER_EXTENSIONS: &[&str] = &[
    MID,
    AUDIO_LEVEL,
    ABS_SEND_TIME,
    TRANSPORT_CC,
    VIDEO_ORIENTATION,
    PLAYOUT_DELAY,
];

const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
const STREAM_ID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
const REPAIRED_STREAM_ID: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const ABS_SEND_TIME: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
const TRANSPORT_CC: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
const VIDEO_ORIENTATION: &str = "urn:3gpp:video-orientation";
const PLAYOUT_DELAY: &str = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";

/// An attribute of our own, of an m-line of audio, in milliseconds: the player lets
/// its sound come so much later than its picture, and the answer says how much of
/// that is granted. A browser's sound takes longer than its picture, and the picture
/// waits for it; so the sound's reports call it that much younger than it is.
const SOUND_LAG: &str = "sound-lag";

/// The extension of a URI that is negotiated here.
fn extension(uri: &str) -> Option<str0m::rtp::Extension> {
    use str0m::rtp::Extension;
    match uri {
        MID => Some(Extension::RtpMid),
        AUDIO_LEVEL => Some(Extension::AudioLevel),
        ABS_SEND_TIME => Some(Extension::AbsoluteSendTime),
        TRANSPORT_CC => Some(Extension::TransportSequenceNumber),
        VIDEO_ORIENTATION => Some(Extension::VideoOrientation),
        STREAM_ID => Some(Extension::RtpStreamId),
        REPAIRED_STREAM_ID => Some(Extension::RepairedRtpStreamId),
        PLAYOUT_DELAY => Some(Extension::PlayoutDelay),
        _ => None,
    }
}
