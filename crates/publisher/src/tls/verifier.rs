//! Judges a server's certificate.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_platform_verifier::Verifier as Authorities;
use thiserror::Error;
use tracing::debug;

/// A certificate signed with its own key and by nobody known.
#[derive(Debug, Error)]
#[error("self-signed")]
pub(super) struct SelfSigned;

/// The system's verifier, and what it lacks.
#[derive(Debug)]
pub(super) struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
enum Trust {
    All,
    Known {
        /// The system's and those of the files; `None` if there are none at
        /// all. Read when the first certificate comes: connections without TLS
        /// have no use for them, and it takes a while.
        authorities: OnceLock<Option<Authorities>>,
        files: Vec<CertificateDer<'static>>,
    },
}

impl Verifier {
    pub(super) fn trusting_all(provider: Arc<CryptoProvider>) -> Self {
        let trust = Trust::All;
        Self { trust, provider }
    }

    /// Trusts the system's authorities and those in `files`.
    pub(super) fn trusting(
        files: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Self {
        let trust = Trust::Known {
            authorities: OnceLock::new(),
            files,
        };
        Self { trust, provider }
    }

    fn authorities(&self, files: &[CertificateDer<'static>]) -> Option<Authorities> {
        Authorities::new_with_extra_roots(files.iter().cloned(), Arc::clone(&self.provider))
            .inspect_err(|error| debug!(%error, "no known authority"))
            .ok()
    }

    /// Whether a certificate that no authority signed stands for itself.
    fn is_self_signed(
        &self,
        certificate: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> bool {
        let mut itself = RootCertStore::empty();
        if itself.add(certificate.clone().into_owned()).is_err() {
            return false;
        }
        let provider = Arc::clone(&self.provider);
        WebPkiServerVerifier::builder_with_provider(Arc::new(itself), provider)
            .build()
            .is_ok_and(|verifier| {
                use CertificateError as E;
                let verified = verifier.verify_server_cert(certificate, &[], name, &[], now);
                matches!(
                    verified,
                    Ok(_)
                        | Err(Error::InvalidCertificate(
                            E::NotValidForName | E::NotValidForNameContext { .. } | E::Other(_)
                        ))
                )
            })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Trust::Known { authorities, files } = &self.trust else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified = match authorities.get_or_init(|| self.authorities(files)) {
            Some(authorities) => {
                authorities.verify_server_cert(certificate, intermediates, name, ocsp_response, now)
            }
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        match verified {
            // An authority's certificate is not taken for a server's, but most
            // tools make self-signed ones as such. Its dates were looked at.
            Err(Error::InvalidCertificate(CertificateError::Other(_)))
                if files.contains(certificate) =>
            {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            Err(Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::Other(_),
            )) if self.is_self_signed(certificate, name, now) => {
                let why = OtherError(Arc::new(SelfSigned));
                Err(CertificateError::Other(why).into())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
