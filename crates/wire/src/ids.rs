//! Newtype identifiers.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Identifies one publish or play within a session; made by the client, a UUID
/// by convention but any string on the wire (`mediaSessionId`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
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
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
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
