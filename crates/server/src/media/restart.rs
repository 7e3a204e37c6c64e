//! The ICE session of before a restart.
//!
//! str0m forgets it at once. The client goes on with it until it knows our new
//! credentials and has found a pair with them, and takes it for dead if its
//! checks are not answered meanwhile (RFC 7675 section 5.1). So they are.

use str0m::Rtc;
use str0m::crypto::from_feature_flags;
use str0m::ice::StunMessage;
use str0m::net::Transmit;

use super::demux::Path;

/// The user name in a client's checks: our fragment, then its own (RFC 8445
/// section 7.2.2).
#[derive(Debug)]
pub(super) struct UserName(String);

impl UserName {
    /// That of str0m's current ICE session with a client of this fragment.
    pub(super) fn new(rtc: &mut Rtc, theirs: &str) -> Self {
        let ours = rtc.direct_api().local_ice_credentials().ufrag;
        Self(format!("{ours}:{theirs}"))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Our fragment.
    pub(super) fn ours(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }
}

/// An ICE session that a newer one is about to replace.
#[derive(Debug)]
pub(super) struct FormerIce {
    pub(super) user: UserName,
    password: String,
    /// To be sent.
    pub(super) transmits: Vec<Transmit>,
}

/// More than a binding response takes: three attributes.
const MAX_RESPONSE: usize = 128;

impl FormerIce {
    pub(super) fn new(user: UserName, password: String) -> Self {
        Self {
            user,
            password,
            transmits: Vec::new(),
        }
    }

    /// Answers a check of this session (RFC 8445 section 7.3); false if the
    /// datagram is none.
    pub(super) fn handle_check(&mut self, path: Path, datagram: &[u8]) -> bool {
        let Ok(message) = StunMessage::parse(datagram) else {
            return false;
        };
        let hmac = from_feature_flags().sha1_hmac_provider;
        let key = self.password.as_bytes();
        let is_ours = message.is_binding_request()
            && message.username() == Some(self.user.as_str())
            && message.verify(key, |key, parts| hmac.sha1_hmac(key, parts));
        if !is_ours {
            return false;
        }
        let mut response = vec![0; MAX_RESPONSE];
        let written = StunMessage::binding_reply(message.trans_id(), path.remote).to_bytes(
            Some(key),
            &mut response,
            |key, parts| hmac.sha1_hmac(key, parts),
        );
        if let Ok(length) = written {
            response.truncate(length);
            self.transmits.push(Transmit {
                proto: path.protocol,
                source: path.local,
                destination: path.remote,
                contents: response.into(),
            });
        }
        true
    }
}
