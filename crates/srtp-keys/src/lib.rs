//! The SRTP keys that a peer's DTLS handshake has made (RFC 5764 section 4.2), for
//! whoever seals or opens media beside str0m.
//!
//! str0m keeps them to itself, but it takes DTLS from outside, as a provider. The one
//! here is its own with a look at what passes: an instance notes the keying material
//! that it hands to str0m in the [`Secret`] of the peer it was made for.
//!
//! What the keys do is no matter of this crate: SRTP's own keys are derived from these
//! (RFC 3711 section 4.3).

mod dtls;
mod keying;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Instant;

use str0m::crypto::{CryptoProvider, from_feature_flags};
use str0m::{Rtc, RtcConfig};

pub use keying::{Keying, Master};

/// Where the keys of one peer are once they are made. Clones show the same.
#[derive(Clone, Default)]
pub struct Secret(Arc<OnceLock<Keying>>);

impl Secret {
    /// `None` before the handshake is done.
    pub fn keying(&self) -> Option<&Keying> {
        self.0.get()
    }
}

/// Keys that are there already, of a handshake that was made elsewhere.
impl From<Keying> for Secret {
    fn from(keying: Keying) -> Self {
        Self(Arc::new(OnceLock::from(keying)))
    }
}

/// Nothing of it is for a log.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

thread_local! {
    /// That of the DTLS instance made last on this thread, until it is taken.
    static NEWEST: Cell<Option<Secret>> = const { Cell::new(None) };
}

/// str0m of this configuration, with str0m's own cryptography, and where the keys of
/// its media will be.
pub fn build(config: RtcConfig, now: Instant) -> (Rtc, Secret) {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
        Arc::new(CryptoProvider {
            dtls_provider: &dtls::Noting,
            ..from_feature_flags()
        })
    });
    // Building makes the DTLS instance, on this thread.
    let rtc = config.set_crypto_provider(PROVIDER.clone()).build(now);
    (rtc, NEWEST.take().unwrap_or_default())
}
