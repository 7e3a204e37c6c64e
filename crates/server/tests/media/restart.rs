//! ICE restarts of the client.

use str0m::change::{SdpAnswer, SdpPendingOffer};

use super::client::Client;

/// A restart that the server has not answered yet.
pub(crate) struct Restart {
    pending: SdpPendingOffer,
    /// The client's new credentials, a part of an SDP.
    pub(crate) fragment: String,
}

impl Restart {
    pub(crate) fn begin(client: &mut Client) -> Self {
        let mut changes = client.rtc.sdp_api();
        changes.ice_restart(true);
        let (offer, pending) = changes.apply().unwrap();
        let offer = offer.to_sdp_string();
        let fragment = format!("{}{}", line(&offer, UFRAG), line(&offer, PWD));
        Self { pending, fragment }
    }

    /// Takes the server's part of an SDP, in place of what its first `answer`
    /// said of ICE.
    pub(crate) fn finish(self, client: &mut Client, answer: &str, fragment: &str) {
        let mut next = String::new();
        for old in answer.lines() {
            let replaced = [UFRAG, PWD, CANDIDATE].into_iter();
            let mut replaced = replaced.filter(|name| old.starts_with(name));
            next += &match replaced.next() {
                Some(name) => line(fragment, name),
                None => format!("{old}\r\n"),
            };
        }
        let next = SdpAnswer::from_sdp_string(&next).unwrap();
        let api = client.rtc.sdp_api();
        api.accept_answer(self.pending, next).unwrap();
    }
}

const UFRAG: &str = "a=ice-ufrag:";
const PWD: &str = "a=ice-pwd:";
const CANDIDATE: &str = "a=candidate:";

/// The first line that starts with this.
fn line(sdp: &str, start: &str) -> String {
    let line = sdp.lines().find(|line| line.starts_with(start));
    format!("{}\r\n", line.unwrap())
}
