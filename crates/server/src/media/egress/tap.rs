//! Where str0m would send a peer's media.
//!
//! It does not say which pair of candidates its ICE has settled on, but whatever
//! SRTCP it makes goes there. Since it sends none of its own of a peer whose media
//! goes out here, it is given something to send when the pair may have changed,
//! and what it makes of that shows the way and is dropped.

use srtp_keys::Secret;
use str0m::Rtc;
use str0m::net::Transmit;
use str0m::rtp::Ssrc;

use crate::media::demux::Path;

/// Whom the question is about, which nobody gets to see: an SSRC of no stream.
const NOBODY: u32 = 1;

/// See the module.
#[derive(Debug)]
pub(in crate::media) struct Tap {
    secret: Secret,
    path: Option<Path>,
    in_doubt: bool,
}

impl Tap {
    /// Of a peer whose keys will be in `secret`.
    pub(in crate::media) fn new(secret: Secret) -> Self {
        Self {
            secret,
            path: None,
            in_doubt: true,
        }
    }

    /// Where the keys will be.
    pub(in crate::media) fn secret(&self) -> Secret {
        self.secret.clone()
    }

    /// Where media goes; `None` before the link is up.
    pub(in crate::media) fn path(&self) -> Option<Path> {
        self.path
    }

    /// The way may have changed.
    pub(in crate::media) fn doubt(&mut self) {
        self.in_doubt = true;
    }

    /// Has str0m show the way if that is in doubt; its output must be taken then.
    pub(in crate::media) fn ask(&mut self, rtc: &mut Rtc) {
        if std::mem::take(&mut self.in_doubt) {
            let nobody = Ssrc::from(NOBODY);
            rtc.direct_api().send_pli_feedback(nobody, nobody);
        }
    }

    /// Takes what str0m would send; false if it really is to be sent (RFC 7983
    /// section 7).
    pub(in crate::media) fn take(&mut self, transmit: &Transmit) -> bool {
        let is_media = matches!(&transmit.contents[..], [128..=191, ..]);
        if is_media {
            self.path = Some(Path::of(transmit));
        }
        is_media
    }
}
