//! The keys of a peer's media, taken from its DTLS handshake.
//!
//! str0m keeps them to itself, but lets its DTLS be replaced. What is put in its place
//! here is its own, with a note made of the keying material that passes (RFC 5764
//! section 4.2). A peer's `Rtc` is polled on one thread, and the note is taken as soon
//! as it says that it is connected: so it is that peer's.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use str0m::config::{CryptoProvider, DtlsCert, DtlsVersion};
use str0m::crypto::dtls::{
    DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion, SrtpProfile,
};
use str0m::crypto::{CryptoError, from_feature_flags};

thread_local! {
    static NOTE: RefCell<Option<Keying>> = const { RefCell::new(None) };
}

/// What DTLS has agreed on.
pub(crate) struct Keying {
    pub(crate) profile: SrtpProfile,
    /// Key of client and server, then salt of client and server.
    pub(crate) material: Vec<u8>,
    /// This end was DTLS's client.
    pub(crate) is_client: bool,
}

/// The keying of the peer that has just said on this thread that it is connected.
pub(crate) fn take() -> Option<Keying> {
    NOTE.take()
}

/// str0m's own cryptography, with the note made.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        dtls_provider: &NotingDtls,
        ..from_feature_flags()
    })
}

#[derive(Debug)]
struct NotingDtls;

impl DtlsProvider for NotingDtls {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let provider = from_feature_flags().dtls_provider;
        let inner = provider.new_dtls(cert, now, version, mtu)?;
        Ok(Box::new(Noting { inner }))
    }
}

#[derive(Debug)]
struct Noting {
    inner: Box<dyn DtlsInstance>,
}

impl DtlsInstance for Noting {
    fn set_active(&mut self, active: bool) {
        self.inner.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.inner.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let is_client = self.inner.is_active();
        let output = self.inner.poll_output(buffer);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output {
            NOTE.set(Some(Keying {
                profile: *profile,
                material: material.to_vec(),
                is_client,
            }));
        }
        output
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.inner.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.inner.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.inner.close()
    }
}
