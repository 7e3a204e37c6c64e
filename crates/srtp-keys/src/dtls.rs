//! DTLS by dimpl, as str0m has it by itself, with a look at what passes and set up
//! once for all peers.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use dimpl::{Config, Dtls, DtlsCertificate};
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
};
use str0m::crypto::{CryptoError, from_feature_flags};

use crate::{Keying, NEWEST, Secret};

/// Makes DTLS instances that note their keys.
#[derive(Debug)]
pub(crate) struct Noting;

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
        let config = configuration(mtu)?;
        let certificate = DtlsCertificate {
            certificate: certificate.certificate.clone(),
            private_key: certificate.private_key.clone(),
        };
        let dtls = match version {
            DtlsVersion::Dtls12 => Dtls::new_12(config, certificate, now),
            DtlsVersion::Dtls13 => Dtls::new_13(config, certificate, now),
            DtlsVersion::Auto => Dtls::new_auto(config, certificate, now),
            other => return Err(CryptoError::Other(format!("DTLS {other} is not served"))),
        };
        let secret = Secret::default();
        NEWEST.set(Some(secret.clone()));
        Ok(Box::new(Noted { dtls, secret }))
    }
}

/// dimpl's configuration, for records that fit so many bytes. To make one has dimpl
/// try all of its cryptography, which takes longer than a handshake does, so peers
/// share it; randomness is each one's own.
fn configuration(mtu: Option<usize>) -> Result<Arc<Config>, CryptoError> {
    static MADE: OnceLock<(Option<usize>, Arc<Config>)> = OnceLock::new();
    if let Some((_, config)) = MADE.get().filter(|(of, _)| *of == mtu) {
        return Ok(config.clone());
    }
    // A cookie would show that the client is where it says, which ICE has shown.
    let mut builder = Config::builder().use_server_cookie(false);
    if let Some(mtu) = mtu {
        builder = builder.mtu(mtu);
    }
    let config = builder.build();
    let config = config.map_err(|error| CryptoError::Other(format!("DTLS: {error}")))?;
    let config = Arc::new(config);
    // Nothing is kept for a second size: all peers of a program have one.
    let _ = MADE.set((mtu, config.clone()));
    Ok(config)
}

/// A DTLS instance that notes its keys.
struct Noted {
    dtls: Dtls,
    secret: Secret,
}

/// Nothing of it is for a log.
impl fmt::Debug for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Noted")
    }
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
                material: material.as_ref().into(),
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

#[cfg(test)]
mod tests {
    use str0m::RtcConfig;

    use super::*;

    #[test]
    fn peers_share_a_configuration() {
        let usual = RtcConfig::new().mtu();
        let [first, second] = [usual; 2].map(|mtu| configuration(Some(mtu)).unwrap());
        assert!(Arc::ptr_eq(&first, &second));
        let other = configuration(Some(usual - 100)).unwrap();
        assert!(!Arc::ptr_eq(&first, &other));
    }
}
