//! A certificate with its key, and what may be wrong with them.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error as RustlsError, InconsistentKeys};
use thiserror::Error;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::time::Time;

/// Most bytes of a file with certificates or with a key.
const MAX_FILE: u64 = 1 << 20;

/// How long a certificate that is made here lasts: the most that browsers take
/// (CA/Browser Forum, Baseline Requirements, section 6.3.2), before they took less.
const LASTS: Duration = Duration::from_hours(397 * 24);

/// How far a client's clock may be behind ours.
const BEHIND: Duration = Duration::from_hours(24);

/// Whose certificate TLS shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// What is in these files; they are read again when they change.
    Files {
        /// Certificates in PEM (RFC 7468), the server's own first.
        certificate: PathBuf,
        /// Its private key in PEM: PKCS #8, PKCS #1 or SEC 1.
        key: PathBuf,
    },
    /// A certificate made when it is needed, which nobody but itself has signed, for
    /// this host and these names and addresses.
    SelfSigned {
        /// Beside `localhost` and the addresses of this host.
        names: Vec<String>,
    },
}

/// Why there is no certificate to show.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file without a certificate.
    #[error(
        "there is no certificate in {}: it must be PEM, which begins with -----BEGIN CERTIFICATE-----",
        .0.display()
    )]
    NoCertificate(PathBuf),
    /// A file without a key.
    #[error(
        "there is no private key in {}: it must be PEM, which begins with -----BEGIN PRIVATE KEY-----",
        .0.display()
    )]
    NoKey(PathBuf),
    /// A key that needs a password.
    #[error(
        "the private key in {} is encrypted: write it without a password (openssl pkey -in FILE -out FILE)",
        .0.display()
    )]
    EncryptedKey(PathBuf),
    /// PEM that is cut off or otherwise damaged.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A key of a kind that TLS here has no use for.
    #[error(
        "the private key in {} is neither RSA (2048 to 8192 bits) nor ECDSA (P-256, P-384, P-521) nor Ed25519",
        .0.display()
    )]
    UselessKey(PathBuf),
    /// Two files that do not belong together.
    #[error(
        "the private key in {} is not that of the first certificate in {}",
        key.display(),
        certificate.display()
    )]
    Mismatch {
        /// The file with the certificates.
        certificate: PathBuf,
        /// The file with the key.
        key: PathBuf,
    },
    /// A certificate whose time is over.
    #[error("the certificate in {} expired at {at}: renew it", path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// When, in UTC.
        at: String,
    },
    /// A certificate whose time has not come.
    #[error(
        "the certificate in {} is valid from {from} only: is this host's clock right?",
        path.display()
    )]
    TooEarly {
        /// The file.
        path: PathBuf,
        /// When, in UTC.
        from: String,
    },
    /// A name that can be in no certificate.
    #[error("{0} is no host's name and no address, which a certificate could be for")]
    BadName(String),
    /// No certificate could be made.
    #[error("cannot make a certificate: {0}")]
    NotMade(String),
}

/// A certificate that can be shown.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) fingerprint: Fingerprint,
    /// When its time is over.
    pub(super) ends: SystemTime,
}

/// The SHA-256 of a certificate, by which people compare it with what their browser
/// shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl Credentials {
    /// Whether a server could be started with them now; warns of a key that is no
    /// secret. Blocks.
    ///
    /// # Errors
    /// It could not.
    pub fn check(&self) -> Result<(), TlsError> {
        self.load(SystemTime::now())?;
        self.warn_if_open();
        Ok(())
    }

    /// Warns of a key that is no secret. Blocks.
    pub(super) fn warn_if_open(&self) {
        if let Self::Files { key, .. } = self {
            warn_if_others_may_read(key);
        }
    }

    /// Reads or makes the certificate. Blocks.
    pub(super) fn load(&self, now: SystemTime) -> Result<Identity, TlsError> {
        match self {
            Self::Files { certificate, key } => from_files(certificate, key, now),
            Self::SelfSigned { names } => self_signed(names, now),
        }
    }
}

fn from_files(certificate: &Path, key_path: &Path, now: SystemTime) -> Result<Identity, TlsError> {
    let chain = chain(certificate)?;
    let key = private_key(key_path)?;
    let signer = any_supported_type(&key).map_err(|_| TlsError::UselessKey(key_path.into()))?;
    let certified = CertifiedKey::new(chain, signer);
    match certified.keys_match() {
        Ok(()) | Err(RustlsError::InconsistentKeys(InconsistentKeys::Unknown)) => {}
        Err(RustlsError::InconsistentKeys(_)) => {
            return Err(TlsError::Mismatch {
                certificate: certificate.into(),
                key: key_path.into(),
            });
        }
        Err(error) => return Err(damaged(certificate, &error)),
    }
    let ends = check_time(certificate, &certified.cert[0], now)?;
    Ok(Identity::new(certified, ends))
}

/// The certificates in a file, of which there is one at least.
fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|error| broken_pem(path, &error))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(path.into()));
    }
    Ok(chain)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(path)?;
    // RFC 7468 section 11; and how OpenSSL did it before, RFC 1421 section 4.6.1.1.
    let signs: [&[u8]; 2] = [b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];
    if signs.iter().any(|sign| contains(&text, sign)) {
        return Err(TlsError::EncryptedKey(path.into()));
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        if matches!(error, PemError::NoItemsFound) {
            return TlsError::NoKey(path.into());
        }
        broken_pem(path, &error)
    })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |source| TlsError::Unreadable {
        path: path.into(),
        source,
    };
    let no_file = |what| unreadable(io::Error::other(what));
    // Before it is opened, which would wait for a pipe's other end.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(no_file("it is no file"));
    }
    let mut text = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE + 1)
        .read_to_end(&mut text)
        .map_err(unreadable)?;
    if text.len() as u64 > MAX_FILE {
        return Err(no_file("it is larger than a mebibyte"));
    }
    Ok(text)
}

/// What is wrong with PEM, without a byte of what may be a key.
fn broken_pem(path: &Path, error: &PemError) -> TlsError {
    let what = match error {
        PemError::MissingSectionEnd { .. } => "a line -----END ...----- is missing",
        PemError::IllegalSectionStart { .. } => "a line -----BEGIN ...----- is incomplete",
        PemError::Base64Decode(_) => "what stands between its lines is not base64",
        PemError::Io(_) | PemError::NoItemsFound | PemError::SectionTooLarge | _ => "it is not PEM",
    };
    damaged(path, &what)
}

fn damaged(path: &Path, what: &dyn fmt::Display) -> TlsError {
    TlsError::Damaged {
        path: path.into(),
        what: what.to_string(),
    }
}

/// Checks the time of the server's own certificate and tells when it is over. Those
/// after it are not checked: chains with an expired root are in use.
fn check_time(path: &Path, der: &[u8], now: SystemTime) -> Result<SystemTime, TlsError> {
    let certificate = Certificate::from_der(der).map_err(|error| damaged(path, &error))?;
    let validity = certificate.tbs_certificate().validity();
    let time = |time: Time| UNIX_EPOCH + time.to_unix_duration();
    let ends = time(validity.not_after);
    if ends < now {
        return Err(TlsError::Expired {
            path: path.into(),
            at: validity.not_after.to_string(),
        });
    }
    if now < time(validity.not_before) {
        return Err(TlsError::TooEarly {
            path: path.into(),
            from: validity.not_before.to_string(),
        });
    }
    Ok(ends)
}

#[cfg(unix)]
fn warn_if_others_may_read(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    const OTHERS_READ: u32 = 0o004;
    let mode = std::fs::metadata(path).map(|metadata| metadata.permissions().mode());
    if mode.is_ok_and(|mode| mode & OTHERS_READ != 0) {
        let path = path.display();
        tracing::warn!("every user of this host may read the private key {path}: chmod o-r {path}");
    }
}

#[cfg(not(unix))]
fn warn_if_others_may_read(_: &Path) {}

fn self_signed(names: &[String], now: SystemTime) -> Result<Identity, TlsError> {
    let not_made = |error: &dyn fmt::Display| TlsError::NotMade(error.to_string());
    let key = KeyPair::generate().map_err(|error| not_made(&error))?;
    let mut params = params(names)?;
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch.saturating_sub(BEHIND);
    params.not_after = epoch + (since_epoch + LASTS - BEHIND);
    let made = params.self_signed(&key).map_err(|error| not_made(&error))?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|error| not_made(&error))?;
    let signer = any_supported_type(&key).map_err(|error| not_made(&error))?;
    let certified = CertifiedKey::new(vec![made.der().clone()], signer);
    Ok(Identity::new(certified, now + LASTS - BEHIND))
}

fn params(names: &[String]) -> Result<CertificateParams, TlsError> {
    let mut all = BTreeSet::from(["localhost".to_owned()]);
    all.extend(own_addresses().iter().map(ToString::to_string));
    for name in names {
        let is_name = name.parse::<IpAddr>().is_ok()
            || rustls::pki_types::DnsName::try_from(name.trim_start_matches("*.")).is_ok();
        if !is_name {
            return Err(TlsError::BadName(name.clone()));
        }
        all.insert(name.clone());
    }
    let all: Vec<_> = all.into_iter().collect();
    let mut params =
        CertificateParams::new(all).map_err(|error| TlsError::NotMade(error.to_string()))?;
    let who = "Two-way Streaming server";
    params.distinguished_name.push(DnType::CommonName, who);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

/// A host whose interfaces cannot be listed has its loopback still.
fn own_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let loopback = [
        IpAddr::from(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::from(std::net::Ipv6Addr::LOCALHOST),
    ];
    let own = interfaces.iter().map(if_addrs::Interface::ip);
    own.chain(loopback).collect()
}

impl Identity {
    fn new(certified: CertifiedKey, ends: SystemTime) -> Self {
        let hash = digest(&SHA256, &certified.cert[0]);
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(hash.as_ref());
        Self {
            certified: Arc::new(certified),
            fingerprint: Fingerprint(fingerprint),
            ends,
        }
    }
}
