//! Newtype identifiers.

use core::fmt;

/// Identifies one publish or play within a session; made by the client, a UUID
/// by convention but any string on the wire (`mediaSessionId`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MediaSessionId(String);

impl MediaSessionId {
    /// Takes an id as it came over the wire.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Formats 128 random bits as a version 4 UUID (RFC 9562 section 5.4).
    /// The caller brings the randomness.
    pub fn from_random(bits: u128) -> Self {
        let bits = bits & !(0xf << 76) | (4 << 76);
        let bits = bits & !(0x3 << 62) | (0x2 << 62);
        let hex = format!("{bits:032x}");
        Self(format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        ))
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name a stream is published and played by: any text the user typed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(String);

impl StreamName {
    /// Takes a name as it came over the wire or from the user.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MediaSessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for MediaSessionId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl From<String> for StreamName {
    fn from(name: String) -> Self {
        Self(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_are_version_4_uuids() {
        for (bits, expected) in [
            (0, "00000000-0000-4000-8000-000000000000"),
            (u128::MAX, "ffffffff-ffff-4fff-bfff-ffffffffffff"),
            (
                0x0123_4567_89ab_cdef_0123_4567_89ab_cdef,
                "01234567-89ab-4def-8123-456789abcdef",
            ),
        ] {
            assert_eq!(MediaSessionId::from_random(bits).as_str(), expected);
        }
    }
}
