//! SRTP and SRTCP, the sending side (RFC 3711, RFC 7714).
//!
//! A packet is sealed where it stands, behind all others that go to the same
//! viewer: nothing is allocated and nothing copied. Keys are expanded once.
//!
//! That no index is used for two packets of an SSRC, on which all of it rests
//! (RFC 3711 section 9.1), is [`super::stream`]'s matter for RTP; RTCP is
//! numbered here.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, AES_256, Algorithm, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use srtp_keys::Keying;
use str0m::crypto::dtls::SrtpProfile;

/// Bytes that sealing makes a packet longer by, at most: the SRTCP index and a
/// tag.
pub(super) const MAX_OVERHEAD: usize = 4 + 16;

/// Bytes of the authentication tag of `AES_CM_128_HMAC_SHA1_80`.
const SHORT_TAG: usize = 10;

/// Bytes of an RTCP packet's header that are not encrypted (RFC 3711 section 3.4).
const RTCP_HEADER: usize = 8;

/// What says that an SRTCP packet is encrypted, beside its index.
const ENCRYPTED: u32 = 1 << 31;

/// Labels of what is derived for RTP; those for RTCP are [`RTCP_LABELS`] more
/// (RFC 3711 section 4.3.2).
const KEY_LABEL: u8 = 0;
const MAC_LABEL: u8 = 1;
const SALT_LABEL: u8 = 2;
const RTCP_LABELS: u8 = 3;

/// The salt of the key derivation; shorter ones are padded (RFC 7714 section 11).
const SALT: usize = 14;

/// What our packets to one peer are sealed with.
pub(super) struct Srtp {
    rtp: Cipher,
    rtcp: Cipher,
    /// Of the next SRTCP packet.
    rtcp_index: u32,
}

enum Cipher {
    Gcm { key: LessSafeKey, salt: [u8; 12] },
    Ctr(Box<Ctr>),
}

struct Ctr {
    key: EncryptingKey,
    salt: [u8; SALT],
    mac: hmac::Key,
}

/// A master key with its salt.
struct Master<'a> {
    key: &'a [u8],
    salt: [u8; SALT],
    profile: SrtpProfile,
}

impl Srtp {
    /// That of what we send; `None` for a profile that there is no cipher for, or
    /// material that is not what it takes.
    pub(super) fn new(keying: &Keying) -> Option<Self> {
        let master = Master::of_ours(keying)?;
        Some(Self {
            rtp: master.derive(0).ok()?,
            rtcp: master.derive(RTCP_LABELS).ok()?,
            rtcp_index: 0,
        })
    }

    /// Seals the RTP packet that stands in `bytes` from `start` on, behind its
    /// header. `index` is its extended sequence number.
    ///
    /// # Errors
    /// The cipher fails, which it never does for what fits a datagram.
    pub(super) fn seal_rtp(
        &self,
        bytes: &mut Vec<u8>,
        (start, header): (usize, usize),
        (ssrc, index): (u32, u64),
    ) -> Result<(), Unspecified> {
        match &self.rtp {
            Cipher::Gcm { key, salt } => {
                let (head, body) = bytes[start..].split_at_mut(header);
                let nonce = Nonce::assume_unique_for_key(rtp_nonce(salt, ssrc, index));
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&*head), body)?;
                bytes.extend_from_slice(tag.as_ref());
            }
            Cipher::Ctr(ctr) => {
                let Ctr { key, salt, mac } = &**ctr;
                let body = &mut bytes[start + header..];
                key.less_safe_encrypt(body, counter(salt, ssrc, index))?;
                let mut signed = hmac::Context::with_key(mac);
                signed.update(&bytes[start..]);
                signed.update(&rollover(index).to_be_bytes());
                bytes.extend_from_slice(&signed.sign().as_ref()[..SHORT_TAG]);
            }
        }
        Ok(())
    }

    /// Seals the RTCP packets that stand in `bytes` from `start` on.
    ///
    /// # Errors
    /// As [`Srtp::seal_rtp`]; or all indices have been used, after more reports
    /// than any peer lives to see.
    pub(super) fn seal_rtcp(
        &mut self,
        bytes: &mut Vec<u8>,
        start: usize,
    ) -> Result<(), Unspecified> {
        let index = self.rtcp_index;
        if index & ENCRYPTED != 0 {
            return Err(Unspecified);
        }
        self.rtcp_index += 1;
        let word = (index | ENCRYPTED).to_be_bytes();
        let packet = &mut bytes[start..];
        let (head, body) = packet
            .split_at_mut_checked(RTCP_HEADER)
            .ok_or(Unspecified)?;
        let ssrc = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        match &self.rtcp {
            Cipher::Gcm { key, salt } => {
                let mut signed = [0; RTCP_HEADER + 4];
                signed[..RTCP_HEADER].copy_from_slice(head);
                signed[RTCP_HEADER..].copy_from_slice(&word);
                let nonce = Nonce::assume_unique_for_key(rtcp_nonce(salt, ssrc, index));
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(signed), body)?;
                bytes.extend_from_slice(tag.as_ref());
                bytes.extend_from_slice(&word);
            }
            Cipher::Ctr(ctr) => {
                let Ctr { key, salt, mac } = &**ctr;
                key.less_safe_encrypt(body, counter(salt, ssrc, index.into()))?;
                bytes.extend_from_slice(&word);
                let tag = hmac::sign(mac, &bytes[start..]);
                bytes.extend_from_slice(&tag.as_ref()[..SHORT_TAG]);
            }
        }
        Ok(())
    }
}

/// How often the sequence number has wrapped around (RFC 3711 section 3.3.1).
fn rollover(index: u64) -> u32 {
    (index >> 16) as u32
}

/// RFC 7714 section 8.1.
fn rtp_nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[2..6].copy_from_slice(&ssrc.to_be_bytes());
    nonce[6..].copy_from_slice(&index.to_be_bytes()[2..]);
    xored(nonce, salt)
}

/// RFC 7714 section 9.1.
fn rtcp_nonce(salt: &[u8; 12], ssrc: u32, index: u32) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[2..6].copy_from_slice(&ssrc.to_be_bytes());
    nonce[8..].copy_from_slice(&index.to_be_bytes());
    xored(nonce, salt)
}

/// Where AES counts from (RFC 3711 section 4.1.1).
fn counter(salt: &[u8; SALT], ssrc: u32, index: u64) -> EncryptionContext {
    let mut counter = [0; 16];
    counter[4..8].copy_from_slice(&ssrc.to_be_bytes());
    counter[8..14].copy_from_slice(&index.to_be_bytes()[2..]);
    for (byte, salt) in counter.iter_mut().zip(salt) {
        *byte ^= salt;
    }
    EncryptionContext::Iv128(FixedLength::from(counter))
}

fn xored(mut nonce: [u8; 12], salt: &[u8; 12]) -> [u8; 12] {
    for (byte, salt) in nonce.iter_mut().zip(salt) {
        *byte ^= salt;
    }
    nonce
}

impl<'a> Master<'a> {
    /// Our half of the keying material.
    fn of_ours(keying: &'a Keying) -> Option<Self> {
        let ours = keying.ours()?;
        let mut salt = [0; SALT];
        salt[..ours.salt.len()].copy_from_slice(ours.salt);
        Some(Self {
            key: ours.key,
            salt,
            profile: keying.profile,
        })
    }

    /// The session keys of RTP, or those whose labels are so many more.
    fn derive(&self, labels: u8) -> Result<Cipher, Unspecified> {
        let mut salt = [0; SALT];
        self.fill(SALT_LABEL + labels, &mut salt)?;
        let mut key = [0; 32];
        let key = &mut key[..self.key.len()];
        self.fill(KEY_LABEL + labels, key)?;
        if self.profile == SrtpProfile::AES128_CM_SHA1_80 {
            let mut mac = [0; 20];
            self.fill(MAC_LABEL + labels, &mut mac)?;
            return Ok(Cipher::Ctr(Box::new(Ctr {
                key: EncryptingKey::ctr(UnboundCipherKey::new(self.algorithm(), key)?)?,
                salt,
                mac: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &mac),
            })));
        }
        let algorithm = if key.len() == 16 {
            &AES_128_GCM
        } else {
            &AES_256_GCM
        };
        let mut short = [0; 12];
        short.copy_from_slice(&salt[..12]);
        Ok(Cipher::Gcm {
            key: LessSafeKey::new(UnboundKey::new(algorithm, key)?),
            salt: short,
        })
    }

    /// The key stream of a label (RFC 3711 section 4.3.3, RFC 6188 section 3).
    fn fill(&self, label: u8, out: &mut [u8]) -> Result<(), Unspecified> {
        let mut start = [0; 16];
        start[..SALT].copy_from_slice(&self.salt);
        // The label stands above the index, which is 48 bits.
        start[7] ^= label;
        let key = EncryptingKey::ctr(UnboundCipherKey::new(self.algorithm(), self.key)?)?;
        out.fill(0);
        let context = EncryptionContext::Iv128(FixedLength::from(start));
        key.less_safe_encrypt(out, context).map(|_| ())
    }

    fn algorithm(&self) -> &'static Algorithm {
        if self.key.len() == 16 {
            &AES_128
        } else {
            &AES_256
        }
    }
}

#[cfg(test)]
mod tests;
