//! The SRTP keys that a peer's DTLS handshake has made (RFC 5764 section 4.2).
//!
//! str0m keeps them to itself, but it takes DTLS from outside, as a provider. The
//! one here is its own with a look at what passes: an instance notes the keying
//! material that it hands to str0m where the peer finds it.

use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Instant;

use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
    SrtpProfile,
};
use str0m::crypto::{CryptoError, CryptoProvider, from_feature_flags};
use str0m::{Rtc, RtcConfig};

/// What both sides' SRTP keys come from.
pub(in crate::media) struct Keying {
    pub(super) profile: SrtpProfile,
    /// The keys of both, the DTLS client's first, then their salts.
    pub(super) material: Box<[u8]>,
    /// We are the DTLS client.
    pub(super) is_client: bool,
}

/// Where the keys of one peer are once they are made.
#[derive(Clone, Default)]
pub(in crate::media) struct Secret(Arc<OnceLock<Keying>>);

impl Secret {
    /// `None` before the handshake is done.
    pub(super) fn keying(&self) -> Option<&Keying> {
        self.0.get()
    }

    #[cfg(test)]
    pub(super) fn with(keying: Keying) -> Self {
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

/// str0m of this configuration, and where its keys will be.
pub(in crate::media) fn build(config: RtcConfig, now: Instant) -> (Rtc, Secret) {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
        Arc::new(CryptoProvider {
            dtls_provider: &Noting,
            ..from_feature_flags()
        })
    });
    // Building makes the DTLS instance, on this thread.
    let rtc = config.set_crypto_provider(PROVIDER.clone()).build(now);
    (rtc, NEWEST.take().unwrap_or_default())
}

/// Makes DTLS instances that note their keys.
#[derive(Debug)]
struct Noting;

impl DtlsProvider for Noting {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let provider = from_feature_flags().dtls_provider;
        let dtls = provider.new_dtls(certificate, now, version, mtu)?;
        let secret = Secret::default();
        NEWEST.set(Some(secret.clone()));
        Ok(Box::new(Noted { dtls, secret }))
    }
}

/// A DTLS instance that notes its keys.
#[derive(Debug)]
struct Noted {
    dtls: Box<dyn DtlsInstance>,
    secret: Secret,
}

impl DtlsInstance for Noted {
    fn set_active(&mut self, active: bool) {
        self.dtls.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.dtls.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.dtls.poll_output(buffer);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output {
            // One handshake makes keys once.
            let _ = self.secret.0.set(Keying {
                profile: *profile,
                material: material[..].into(),
                is_client: self.dtls.is_active(),
            });
        }
        output
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.dtls.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.dtls.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.dtls.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.dtls.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.dtls.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.dtls.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.dtls.close()
    }
}
