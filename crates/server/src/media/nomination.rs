//! The nomination that a ClientHello stands for.
//!
//! Against a lite agent, libwebrtc nominates a pair (RFC 8445 section 8.1.1)
//! only with its second check, about 50 ms after the first. It begins DTLS as
//! soon as the first one is answered, as section 12.1 lets it. Held to the
//! letter of section 12.1.1, a lite agent would keep its answer to itself until
//! then, which is most of the time that a viewer waits for a picture.
//!
//! A ClientHello on a pair that has been checked says what a nomination says:
//! the client has got our answer there, and this is where it wants to talk. So
//! it counts as one. Should the client nominate another pair after all, str0m
//! goes by their priorities, as it does between any two nominated ones.

use str0m::crypto::from_feature_flags;
use str0m::ice::{StunMessage, TransId};

/// More than a binding request with two ICE user name fragments takes, each of
/// at most 256 characters (RFC 8839 section 5.4).
const MAX_REQUEST: usize = 1_024;

/// The check that str0m is given for a ClientHello.
#[derive(Debug)]
pub(super) struct Nomination {
    id: TransId,
    request: Vec<u8>,
}

impl Nomination {
    /// A check by the client with `user_name`, ours first, and our password;
    /// `None` if it cannot be written, the names being too long.
    pub(super) fn new(user_name: &str, password: &str) -> Option<Self> {
        let id = TransId::new();
        let hmac = from_feature_flags().sha1_hmac_provider;
        let mut request = vec![0; MAX_REQUEST];
        // The pair exists, so the priority and the tie-breaker decide nothing.
        let length = StunMessage::binding_request(user_name, id, true, 0, 0, true)
            .to_bytes(Some(password.as_bytes()), &mut request, |key, parts| {
                hmac.sha1_hmac(key, parts)
            })
            .ok()?;
        request.truncate(length);
        Some(Self { id, request })
    }

    pub(super) fn request(&self) -> &[u8] {
        &self.request
    }

    /// This is str0m's answer, which nobody waits for.
    pub(super) fn is_answered_by(&self, datagram: &[u8]) -> bool {
        StunMessage::parse(datagram).is_ok_and(|message| message.trans_id() == self.id)
    }
}

/// The start of a DTLS handshake (RFC 6347 sections 4.1 and 4.2.2; RFC 9147
/// section 4 has it the same).
pub(super) fn is_client_hello(datagram: &[u8]) -> bool {
    const HANDSHAKE: u8 = 22;
    const CLIENT_HELLO: u8 = 1;
    const RECORD_HEADER: usize = 13;
    datagram.first() == Some(&HANDSHAKE) && datagram.get(RECORD_HEADER) == Some(&CLIENT_HELLO)
}
