//! A player's media on its way out by str0m, which estimates the bandwidth towards
//! a viewer of several layers (transport-wide feedback).

use str0m::media::{MediaTime, Mid, Pt};
use str0m::rtp::{RtpWrite, Ssrc};

use super::codec::Kind;
use super::egress::Outgoing;
use super::link::Link;

/// An m-line of such a player.
#[derive(Debug)]
pub(super) struct EstimatedTrack {
    pub(super) kind: Kind,
    pub(super) mid: Mid,
    pub(super) ssrc: Ssrc,
    pub(super) repair_ssrc: Option<Ssrc>,
    /// What video packets say instead of the publisher's own.
    pub(super) playout_delay: Option<(MediaTime, MediaTime)>,
    /// str0m has been told of the stream.
    pub(super) declared: bool,
}

impl EstimatedTrack {
    /// Hands a packet to str0m; [`Link::drain`] sends it. With `anew` nothing from
    /// before can be asked for again.
    pub(super) fn write(&mut self, link: &mut Link, out: &Outgoing, anew: bool) {
        let (rtx_packets, rtx_age) = link.rtx_cache();
        let write = self.rtp(out);
        let mut api = link.rtc.direct_api();
        if !self.declared {
            self.declared = true;
            let stream = api.declare_stream_tx(self.ssrc, self.repair_ssrc, self.mid, None);
            stream.set_rtx_cache(rtx_packets, rtx_age, None);
            // It comes paced by its publisher; pacing it again would only delay it.
            stream.set_unpaced(true);
        }
        if let Some(stream) = api.stream_tx(&self.ssrc) {
            if anew {
                // What was lost of the larger layer would only be in the way.
                stream.set_rtx_cache(rtx_packets, rtx_age, None);
            }
            stream.write_rtp(write);
        }
    }

    fn rtp(&self, out: &Outgoing) -> RtpWrite {
        let packet = &out.packet;
        let mut extensions = packet.extensions.to_str0m();
        if let Some((min, max)) = self.playout_delay.filter(|_| self.kind == Kind::Video) {
            (extensions.play_delay_min, extensions.play_delay_max) = (Some(min), Some(max));
        }
        let write = RtpWrite::new(
            Pt::from(out.pt),
            out.sequence.into(),
            out.timestamp,
            out.captured,
            packet.payload.clone(),
        )
        .marker(packet.marker)
        .ext_vals(extensions)
        .nackable(self.kind == Kind::Video);
        match out.pictures.patch(&packet.payload) {
            Some(patch) => write.vp8_patch(patch),
            None => write,
        }
    }
}
