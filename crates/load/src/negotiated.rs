//! What offer and answer have agreed on, as far as a viewer needs it for each packet.

use str0m::Rtc;
use str0m::format::Codec;
use str0m::media::{MediaKind, Mid};
use str0m::rtp::Extension;

use crate::rtp::Header;

/// Payload types, and the number of the one extension that is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Negotiated {
    pub(crate) video: Option<u8>,
    /// Retransmissions of the video (RFC 4588).
    pub(crate) repairs: Option<u8>,
    pub(crate) sound: Option<u8>,
    /// The transport-wide sequence number's.
    pub(crate) transport_wide: Option<u8>,
}

/// What a packet is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Video,
    Repairs,
    Sound,
}

impl Negotiated {
    /// What a packet is of, by its payload type.
    pub(crate) fn media(&self, header: &Header) -> Option<Media> {
        let is = |payload_type: Option<u8>| payload_type == Some(header.payload_type);
        if is(self.video) {
            Some(Media::Video)
        } else if is(self.sound) {
            Some(Media::Sound)
        } else {
            is(self.repairs).then_some(Media::Repairs)
        }
    }

    pub(crate) fn read(rtc: &Rtc, mids: &[(Mid, MediaKind)]) -> Self {
        let mut negotiated = Self::default();
        for media in mids.iter().filter_map(|(mid, _)| rtc.media(*mid)) {
            let extensions = media.remote_extmap();
            let id = extensions.id_of(Extension::TransportSequenceNumber);
            negotiated.transport_wide = negotiated.transport_wide.or(id);
        }
        for parameters in rtc.codec_config().params() {
            let payload_type = Some(*parameters.pt());
            if parameters.spec().codec == Codec::Opus {
                negotiated.sound = payload_type;
            } else {
                negotiated.video = payload_type;
                negotiated.repairs = parameters.resend().map(|resend| *resend);
            }
        }
        negotiated
    }
}
