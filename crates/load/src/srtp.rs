//! A viewer's own half of SRTP (RFC 3711, RFC 7714), which is where a generator's time
//! would go.
//!
//! str0m authenticates, decrypts and copies each packet whole. All that a viewer needs
//! of most packets is the stamp at the payload's start, and all of WebRTC's ciphers are
//! counters: [`Inbound::peek`] decrypts those first bytes alone. [`Inbound::open`]
//! authenticates and decrypts a packet whole, for the sample that is looked at closely.

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{self, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::hmac;
use srtp_keys::Keying;
use str0m::crypto::dtls::SrtpProfile;

use crate::rtp::Header;

/// Labels of the key derivation (RFC 3711 section 4.3.2); RTCP's follow at 3.
const ENCRYPTION: u8 = 0;
const AUTHENTICATION: u8 = 1;
const SALT: u8 = 2;
const RTCP: u8 = 3;

/// Bytes of an authentication tag with HMAC-SHA1.
const SHORT_TAG: usize = 10;
/// Of one with GCM.
const LONG_TAG: usize = 16;

/// Says in SRTCP's index that the packet is encrypted.
const ENCRYPTED: u32 = 1 << 31;

/// SSRC and what stands before it in an RTCP packet are not encrypted.
const RTCP_CLEAR: usize = 8;

/// One direction's keys for one of RTP and RTCP.
struct Keys {
    salt: [u8; 14],
    /// For GCM's counters too, without its authentication.
    counter: EncryptingKey,
    authentication: Authentication,
}

enum Authentication {
    Gcm(LessSafeKey),
    Sha1(Box<hmac::Key>),
}

/// The master key and salt of one direction.
struct Master<'a> {
    profile: SrtpProfile,
    key: &'a [u8],
    salt: &'a [u8],
}

/// What comes from the server.
pub(crate) struct Inbound {
    rtp: Keys,
    rtcp: Keys,
    buffer: Vec<u8>,
}

/// RTCP to the server.
pub(crate) struct Outbound {
    rtcp: Keys,
    index: u32,
}

/// Both directions; `None` for a profile that WebRTC does not have.
pub(crate) fn contexts(keying: &Keying) -> Option<(Inbound, Outbound)> {
    let (local, remote) = (
        Master::of(keying, keying.ours()?),
        Master::of(keying, keying.theirs()?),
    );
    let inbound = Inbound {
        rtp: remote.keys(0)?,
        rtcp: remote.keys(RTCP)?,
        buffer: Vec::new(),
    };
    let outbound = Outbound {
        rtcp: local.keys(RTCP)?,
        index: 0,
    };
    Some((inbound, outbound))
}

impl<'a> Master<'a> {
    fn of(keying: &Keying, side: srtp_keys::Master<'a>) -> Self {
        Self {
            profile: keying.profile,
            key: side.key,
            salt: side.salt,
        }
    }

    fn keys(&self, from: u8) -> Option<Keys> {
        let mut key = vec![0; self.key.len()];
        self.derive(from + ENCRYPTION, &mut key)?;
        let mut salt = [0; 14];
        self.derive(from + SALT, &mut salt[..self.salt.len()])?;
        let authentication = if self.profile == SrtpProfile::AES128_CM_SHA1_80 {
            let mut secret = [0; 20];
            self.derive(from + AUTHENTICATION, &mut secret)?;
            let algorithm = hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY;
            Authentication::Sha1(Box::new(hmac::Key::new(algorithm, &secret)))
        } else {
            let algorithm = if key.len() == 32 {
                &aead::AES_256_GCM
            } else {
                &aead::AES_128_GCM
            };
            let key = UnboundKey::new(algorithm, &key).ok()?;
            Authentication::Gcm(LessSafeKey::new(key))
        };
        Some(Keys {
            salt,
            counter: counter(&key)?,
            authentication,
        })
    }

    /// RFC 3711 section 4.3.1 with a key derivation rate of 0; shorter salts stand at
    /// the left (RFC 7714 section 11).
    fn derive(&self, label: u8, out: &mut [u8]) -> Option<()> {
        let mut iv = [0; 16];
        iv[..self.salt.len()].copy_from_slice(self.salt);
        iv[7] ^= label;
        out.fill(0);
        apply(&counter(self.key)?, iv, out)
    }
}

fn counter(key: &[u8]) -> Option<EncryptingKey> {
    let algorithm = if key.len() == 32 {
        &cipher::AES_256
    } else {
        &cipher::AES_128
    };
    EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key).ok()?).ok()
}

/// Encrypts or decrypts, which is the same, from this counter on.
fn apply(key: &EncryptingKey, iv: [u8; 16], bytes: &mut [u8]) -> Option<()> {
    let context = EncryptionContext::Iv128(iv.into());
    key.less_safe_encrypt(bytes, context).ok().map(drop)
}

impl Keys {
    /// RFC 7714 sections 8.1 and 9.1: `index` is the roll-over counter and the sequence
    /// number, or SRTCP's index.
    fn nonce(&self, ssrc: u32, index: u64) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[2..6].copy_from_slice(&ssrc.to_be_bytes());
        nonce[6..].copy_from_slice(&index.to_be_bytes()[2..]);
        for (byte, salt) in nonce.iter_mut().zip(self.salt) {
            *byte ^= salt;
        }
        nonce
    }

    /// The counter at a packet's first byte.
    fn iv(&self, ssrc: u32, index: u64) -> [u8; 16] {
        let mut iv = [0; 16];
        match &self.authentication {
            // Counting from 1, which is spent on the tag (NIST SP 800-38D section 7.1).
            Authentication::Gcm(_) => {
                iv[..12].copy_from_slice(&self.nonce(ssrc, index));
                iv[15] = 2;
            }
            // RFC 3711 section 4.1.1.
            Authentication::Sha1(_) => {
                iv[..14].copy_from_slice(&self.salt);
                for (byte, ssrc) in iv[4..8].iter_mut().zip(ssrc.to_be_bytes()) {
                    *byte ^= ssrc;
                }
                for (byte, index) in iv[8..14].iter_mut().zip(&index.to_be_bytes()[2..]) {
                    *byte ^= index;
                }
            }
        }
        iv
    }
}

impl Inbound {
    /// How many bytes a payload has behind which an authentication tag stands.
    pub(crate) fn payload_bytes(&self, header: &Header, packet: &[u8]) -> usize {
        let tag = match self.rtp.authentication {
            Authentication::Gcm(_) => LONG_TAG,
            Authentication::Sha1(_) => SHORT_TAG,
        };
        packet.len().saturating_sub(header.payload_at + tag)
    }

    /// The first bytes of a payload, as many as `out` takes, not authenticated. `index`
    /// is the packet's number with its roll-overs (RFC 3711 section 3.3.1).
    pub(crate) fn peek<'a>(
        &self,
        header: &Header,
        index: u64,
        packet: &[u8],
        out: &'a mut [u8],
    ) -> Option<&'a [u8]> {
        let length = self.payload_bytes(header, packet).min(out.len());
        let out = &mut out[..length];
        out.copy_from_slice(packet.get(header.payload_at..header.payload_at + length)?);
        apply(&self.rtp.counter, self.rtp.iv(header.ssrc, index), out)?;
        Some(out)
    }

    /// A payload whole, if it is authentic.
    pub(crate) fn open(&mut self, header: &Header, index: u64, packet: &[u8]) -> Option<&[u8]> {
        let keys = &self.rtp;
        self.buffer.clear();
        match &keys.authentication {
            Authentication::Gcm(key) => {
                let (clear, sealed) = packet.split_at_checked(header.payload_at)?;
                self.buffer.extend_from_slice(sealed);
                let nonce = Nonce::assume_unique_for_key(keys.nonce(header.ssrc, index));
                let opened = key.open_in_place(nonce, Aad::from(clear), &mut self.buffer);
                opened.ok().map(|opened| &*opened)
            }
            Authentication::Sha1(key) => {
                let end = packet.len().checked_sub(SHORT_TAG)?;
                let (packet, tag) = packet.split_at(end);
                let mut context = hmac::Context::with_key(key);
                context.update(packet);
                context.update(&((index >> 16) as u32).to_be_bytes());
                if context.sign().as_ref()[..SHORT_TAG] != *tag {
                    return None;
                }
                self.buffer
                    .extend_from_slice(packet.get(header.payload_at..)?);
                apply(&keys.counter, keys.iv(header.ssrc, index), &mut self.buffer)?;
                Some(&self.buffer)
            }
        }
    }

    /// An RTCP packet in clear, if it is authentic (RFC 3711 section 3.4, RFC 7714
    /// section 9).
    pub(crate) fn open_rtcp(&mut self, packet: &[u8]) -> Option<&[u8]> {
        let keys = &self.rtcp;
        let (body, tag) = match keys.authentication {
            Authentication::Gcm(_) => (packet, None),
            Authentication::Sha1(_) => {
                let (body, tag) = packet.split_at_checked(packet.len().checked_sub(SHORT_TAG)?)?;
                (body, Some(tag))
            }
        };
        let (body, trailer) = body.split_at_checked(body.len().checked_sub(4)?)?;
        let (clear, sealed) = body.split_at_checked(RTCP_CLEAR)?;
        let word = u32::from_be_bytes(trailer.try_into().ok()?);
        let index = u64::from(word & !ENCRYPTED);
        let ssrc = u32::from_be_bytes(clear[4..].try_into().ok()?);
        self.buffer.clear();
        self.buffer.extend_from_slice(clear);
        self.buffer.extend_from_slice(sealed);
        match (&keys.authentication, tag) {
            (Authentication::Gcm(key), _) => {
                let nonce = Nonce::assume_unique_for_key(keys.nonce(ssrc, index));
                let aad = Aad::from([clear, trailer].concat());
                let opened = key.open_in_place(nonce, aad, &mut self.buffer[RTCP_CLEAR..]);
                let length = RTCP_CLEAR + opened.ok()?.len();
                self.buffer.truncate(length);
            }
            (Authentication::Sha1(key), tag) => {
                let mut context = hmac::Context::with_key(key);
                context.update(body);
                context.update(trailer);
                if Some(&context.sign().as_ref()[..SHORT_TAG]) != tag {
                    return None;
                }
                let iv = keys.iv(ssrc, index);
                apply(&keys.counter, iv, &mut self.buffer[RTCP_CLEAR..])?;
            }
        }
        Some(&self.buffer)
    }
}

impl Outbound {
    /// An RTCP packet as it goes over the network.
    pub(crate) fn seal_rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let keys = &self.rtcp;
        let index = self.index;
        let (clear, plain) = packet.split_at_checked(RTCP_CLEAR)?;
        let ssrc = u32::from_be_bytes(clear[4..].try_into().ok()?);
        let trailer = (index | ENCRYPTED).to_be_bytes();
        let mut sealed = packet.to_vec();
        match &keys.authentication {
            Authentication::Gcm(key) => {
                let nonce = Nonce::assume_unique_for_key(keys.nonce(ssrc, index.into()));
                let aad = Aad::from([clear, &trailer].concat());
                let mut body = plain.to_vec();
                key.seal_in_place_append_tag(nonce, aad, &mut body).ok()?;
                sealed.truncate(RTCP_CLEAR);
                sealed.extend(body);
                sealed.extend(trailer);
            }
            Authentication::Sha1(key) => {
                let iv = keys.iv(ssrc, index.into());
                apply(&keys.counter, iv, &mut sealed[RTCP_CLEAR..])?;
                sealed.extend(trailer);
                let tag = hmac::sign(key, &sealed);
                sealed.extend_from_slice(&tag.as_ref()[..SHORT_TAG]);
            }
        }
        self.index = (index + 1) & !ENCRYPTED;
        Some(sealed)
    }
}

#[cfg(test)]
mod tests;
