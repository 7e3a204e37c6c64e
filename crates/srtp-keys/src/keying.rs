//! The keying material and its parts.

use str0m::crypto::dtls::SrtpProfile;

/// What both sides' SRTP keys come from.
pub struct Keying {
    /// The cipher that was agreed on.
    pub profile: SrtpProfile,
    /// Both master keys, the DTLS client's first, then both master salts.
    pub material: Box<[u8]>,
    /// Whether this side was the DTLS client.
    pub is_client: bool,
}

/// The master key and the master salt of one side (RFC 3711 section 3.2.1).
#[derive(Clone, Copy)]
pub struct Master<'a> {
    /// 16 or 32 bytes.
    pub key: &'a [u8],
    /// 14 bytes with AES in counter mode, 12 with GCM.
    pub salt: &'a [u8],
}

impl Keying {
    /// This side's, for what it sends; `None` if the profile is none of WebRTC's or the
    /// material is not of its length.
    pub fn ours(&self) -> Option<Master<'_>> {
        let (client, server) = self.split()?;
        Some(if self.is_client { client } else { server })
    }

    /// The other side's, for what comes from it; `None` as of [`Self::ours`].
    pub fn theirs(&self) -> Option<Master<'_>> {
        let (client, server) = self.split()?;
        Some(if self.is_client { server } else { client })
    }

    /// The DTLS client's and the DTLS server's (RFC 5764 section 4.2).
    fn split(&self) -> Option<(Master<'_>, Master<'_>)> {
        let (key, salt) = lengths(self.profile)?;
        if self.material.len() != 2 * (key + salt) {
            return None;
        }
        let (keys, salts) = self.material.split_at(2 * key);
        let ((client_key, server_key), (client_salt, server_salt)) =
            (keys.split_at(key), salts.split_at(salt));
        let master = |key, salt| Master { key, salt };
        Some((
            master(client_key, client_salt),
            master(server_key, server_salt),
        ))
    }
}

/// Bytes of a master key and of a master salt (RFC 5764 section 4.1.2, RFC 7714 section
/// 12).
fn lengths(profile: SrtpProfile) -> Option<(usize, usize)> {
    match profile {
        SrtpProfile::AES128_CM_SHA1_80 => Some((16, 14)),
        SrtpProfile::AEAD_AES_128_GCM => Some((16, 12)),
        SrtpProfile::AEAD_AES_256_GCM => Some((32, 12)),
        _ => None,
    }
}
