//! Certificates and keys, good and bad, in files.

#![allow(dead_code, reason = "each test program uses its part")]

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd};
use tempfile::TempDir;
use twoway_server::net::Credentials;

/// A certificate and its key.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) der: Vec<u8>,
    pub(crate) key: KeyPair,
}

impl Pair {
    /// One for `localhost` that is right.
    pub(crate) fn new() -> Self {
        Self::with(KeyPair::generate().unwrap(), |_| {})
    }

    pub(crate) fn rsa() -> Self {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048);
        Self::with(key.unwrap(), |_| {})
    }

    /// One from the year `from` to the year `to`.
    pub(crate) fn of_years(from: i32, to: i32) -> Self {
        Self::with(KeyPair::generate().unwrap(), |params| {
            params.not_before = date_time_ymd(from, 1, 1);
            params.not_after = date_time_ymd(to, 1, 1);
        })
    }

    fn with(key: KeyPair, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        change(&mut params);
        let made = params.self_signed(&key).unwrap();
        Self {
            certificate: made.pem(),
            der: made.der().to_vec(),
            key,
        }
    }

    /// The key as it was written before PKCS #8: PKCS #1 of RSA, SEC 1 of elliptic curves.
    pub(crate) fn old_key(&self, label: &str) -> String {
        pem(label, &inner_key(&self.key.serialize_der()))
    }
}

/// A folder with `certificate.pem` and `key.pem`.
pub(crate) struct Files {
    folder: TempDir,
}

impl Files {
    pub(crate) fn of(pair: &Pair) -> Self {
        let files = Self::with(&pair.certificate, &pair.key.serialize_pem());
        assert_eq!(pair.key.serialize_pem(), files.key_text());
        files
    }

    pub(crate) fn with(certificate: &str, key: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = Self { folder };
        files.write("certificate.pem", certificate);
        files.write("key.pem", key);
        files
    }

    /// Puts the pair in the place of the one before, one file after the other.
    pub(crate) fn replace(&self, pair: &Pair) {
        self.write("certificate.pem", &pair.certificate);
        self.write("key.pem", &pair.key.serialize_pem());
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let new = self.path().join(format!("{name}.new"));
        fs::write(&new, text).unwrap();
        fs::rename(&new, self.path().join(name)).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.path().join("certificate.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.path().join("key.pem")
    }

    fn key_text(&self) -> String {
        fs::read_to_string(self.key()).unwrap()
    }

    pub(crate) fn credentials(&self) -> Credentials {
        Credentials::Files {
            certificate: self.certificate(),
            key: self.key(),
        }
    }
}

/// RFC 7468 section 2.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).collect();
    let lines = String::from_utf8(lines.join(&b'\n')).unwrap();
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}

/// The octet string in PKCS #8, RFC 5208 section 5: it follows a version and an
/// algorithm.
fn inner_key(pkcs8: &[u8]) -> Vec<u8> {
    let (_, fields, _) = element(pkcs8);
    let (_, _, rest) = element(fields);
    let (_, _, rest) = element(rest);
    let (tag, key, _) = element(rest);
    assert_eq!(tag, 4, "an octet string");
    key.to_vec()
}

/// Tag, content and what follows, X.690 section 8.1.
fn element(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (head, length) = match der[1] {
        short @ 0..0x80 => (2, usize::from(short)),
        long => {
            let head = 2 + usize::from(long & 0x7f);
            let bytes = der[2..head].iter();
            (
                head,
                bytes.fold(0, |length, byte| length << 8 | usize::from(*byte)),
            )
        }
    };
    (der[0], &der[head..head + length], &der[head + length..])
}
