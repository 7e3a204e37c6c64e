//! Whom to trust: the system's authorities, further ones from files, or
//! everybody.

mod verifier;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use thiserror::Error;

use verifier::{SelfSigned, Verifier};

/// A list of all the world's authorities has a few hundred kilobytes.
const MAX_CA_FILE_BYTES: u64 = 8 << 20;

/// Names of a certificate that are told when none of them is the server's.
const NAMES_TOLD: usize = 3;

/// Whose certificates are trusted; of no effect without TLS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsOptions {
    /// Files of certificates in PEM form, trusted beside the system's: those
    /// of authorities, or a server's own.
    pub ca_files: Vec<PathBuf>,
    /// Trust every certificate: for tests in a closed network only.
    pub insecure: bool,
}

/// A file of certificates that cannot be used.
#[derive(Debug, Error)]
pub enum BadCaFile {
    /// The file cannot be read.
    #[error("the certificate file {path} cannot be read: {error}")]
    Unreadable {
        /// As it was given.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// There is no certificate in it, or a broken one.
    #[error("the certificate file {path} is of no use: {why}")]
    NoCertificates {
        /// As it was given.
        path: String,
        /// What is wrong.
        why: &'static str,
    },
}

impl TlsOptions {
    /// Whether all files can be used, to find out before anything is started.
    ///
    /// # Errors
    /// The first that cannot.
    pub fn check(&self) -> Result<(), BadCaFile> {
        self.certificates().map(drop)
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, BadCaFile> {
        let mut certificates = Vec::new();
        for path in &self.ca_files {
            certificates.extend(read_certificates(path)?);
        }
        Ok(certificates)
    }
}

/// How a connection to a server is made sure of. A system without a list of
/// authorities trusts only those of the files.
///
/// # Errors
/// A file of certificates cannot be used; a sentence.
pub(crate) fn client_config(options: &TlsOptions) -> Result<ClientConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = if options.insecure {
        Verifier::trusting_all(Arc::clone(&provider))
    } else {
        let files = options.certificates().map_err(|error| error.to_string())?;
        Verifier::trusting(files, Arc::clone(&provider))
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, BadCaFile> {
    let shown = || path.display().to_string();
    let useless = |why| BadCaFile::NoCertificates { path: shown(), why };
    let text = read(path).map_err(|error| BadCaFile::Unreadable {
        path: shown(),
        error,
    })?;
    if text.len() as u64 > MAX_CA_FILE_BYTES {
        return Err(useless("it is too long"));
    }
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|_| useless("its PEM text is damaged"))?;
    if certificates.is_empty() {
        return Err(useless("it has no certificate in PEM form"));
    }
    let mut store = RootCertStore::empty();
    for certificate in &certificates {
        let added = store.add(certificate.clone());
        added.map_err(|_| useless("a certificate in it is damaged"))?;
    }
    Ok(certificates)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?
        .take(MAX_CA_FILE_BYTES + 1)
        .read_to_end(&mut text)?;
    Ok(text)
}

/// What is wrong with a TLS connection and what to do, as the end of a sentence
/// about the server. `plain` is the scheme without TLS.
pub(crate) fn reason(error: &rustls::Error, plain: &str) -> String {
    if let rustls::Error::InvalidCertificate(error) = error {
        return reason_of_certificate(error);
    }
    // Something else than a TLS record came.
    if matches!(error, rustls::Error::InvalidMessage(_)) {
        return format!("it does not speak TLS: try {plain}");
    }
    if let rustls::Error::AlertReceived(alert) = error {
        return format!("it refuses the TLS connection ({alert:?})");
    }
    format!("TLS does not come about with it ({error})")
}

fn reason_of_certificate(error: &CertificateError) -> String {
    use CertificateError as E;
    // There are more errors than a person can do something about.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum may grow")]
    let fixed = match error {
        E::Expired | E::ExpiredContext { .. } => {
            "its certificate has expired: it needs a new one, or this machine's clock is wrong"
        }
        E::NotValidYet | E::NotValidYetContext { .. } => {
            "its certificate is not valid yet: this machine's clock is wrong, or the server's was"
        }
        // An authority of the same name with another key is another authority.
        E::UnknownIssuer | E::BadSignature => {
            "its certificate is of an authority unknown here: \
             name a file with that authority's certificate with --ca-file"
        }
        E::Revoked => "its certificate has been revoked: it needs a new one",
        E::NotValidForNameContext { presented, .. } => return wrong_name(presented),
        E::NotValidForName => return wrong_name(&[]),
        E::Other(other) if other.0.downcast_ref::<SelfSigned>().is_some() => {
            "its certificate is signed by nobody but itself: \
             name a file with it with --ca-file if you trust it"
        }
        error => return format!("its certificate is not accepted ({error})"),
    };
    fixed.to_owned()
}

fn wrong_name(presented: &[String]) -> String {
    let names: Vec<_> = presented
        .iter()
        .take(NAMES_TOLD)
        .map(|name| bare_name(name))
        .collect();
    if names.is_empty() {
        return "its certificate is for another name: use the one it was made for".to_owned();
    }
    let more = if presented.len() > NAMES_TOLD {
        ", ..."
    } else {
        ""
    };
    format!(
        "its certificate is for {}{more}, not for the name in the URL: use one of its names",
        names.join(", ")
    )
}

/// The verifier has names as in `DnsName("a.example")` and `IpAddress(::1)`.
fn bare_name(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner);
    inner.trim_end_matches(')').trim_matches('"')
}

#[cfg(test)]
mod tests {
    use rustls::{AlertDescription, InvalidMessage};

    use super::*;

    #[test]
    fn errors_say_what_to_do() {
        let check = |error: rustls::Error, expected: &str| {
            let sentence = reason(&error, "ws://");
            assert!(sentence.starts_with(expected), "{sentence}");
            assert!(!sentence.contains('\n'), "{sentence}");
        };
        use CertificateError as E;
        check(E::Expired.into(), "its certificate has expired: ");
        check(E::NotValidYet.into(), "its certificate is not valid yet: ");
        check(E::Revoked.into(), "its certificate has been revoked: ");
        let unknown = "its certificate is of an authority unknown here: ";
        check(E::UnknownIssuer.into(), unknown);
        check(E::BadSignature.into(), unknown);
        let another = "its certificate is for another name: ";
        check(E::NotValidForName.into(), another);
        let bad = "its certificate is not accepted (";
        check(E::BadEncoding.into(), bad);
        check(E::InvalidPurpose.into(), bad);
        let plain = "it does not speak TLS: try ws://";
        check(InvalidMessage::InvalidContentType.into(), plain);
        check(
            rustls::Error::AlertReceived(AlertDescription::CertificateRequired),
            "it refuses the TLS connection (CertificateRequired)",
        );
        check(
            rustls::Error::HandshakeNotComplete,
            "TLS does not come about with it (",
        );
    }

    #[test]
    fn names_are_told_bare_and_not_too_many() {
        let check = |presented: &[&str], expected: &str| {
            let presented: Vec<_> = presented.iter().map(|&name| name.to_owned()).collect();
            let sentence = wrong_name(&presented);
            assert!(sentence.contains(expected), "{sentence}");
        };
        check(&[r#"DnsName("a.example")"#], "is for a.example, not");
        check(&["IpAddress(::1)", "odd"], "is for ::1, odd, not");
        check(&["a", "b", "c"], "is for a, b, c, not");
        check(&["a", "b", "c", "d"], "is for a, b, c, ..., not");
    }
}
