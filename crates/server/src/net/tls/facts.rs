//! What a certificate says of itself, for operators.

use std::net::IpAddr;
use std::time::SystemTime;

use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::{Credentials, TlsError};

/// A certificate as people look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// When its time is over.
    pub(crate) ends: SystemTime,
    /// The names and addresses that it is for (RFC 5280 section 4.2.1.6).
    pub(crate) names: Vec<String>,
}

impl Credentials {
    /// The certificate that would be shown at `now`. Blocks.
    ///
    /// # Errors
    /// There is none that could be shown.
    pub(crate) fn certificate(&self, now: SystemTime) -> Result<Certificate, TlsError> {
        let identity = self.load(now)?;
        Ok(Certificate {
            ends: identity.ends,
            names: names(&identity.certified.cert[0]),
        })
    }
}

/// None if there are none, or none that can be read.
fn names(der: &[u8]) -> Vec<String> {
    let Ok(certificate) = x509_cert::Certificate::from_der(der) else {
        return Vec::new();
    };
    let extension = certificate.tbs_certificate().get_extension();
    let Ok(Some((_, SubjectAltName(names)))) = extension else {
        return Vec::new();
    };
    names.iter().filter_map(name).collect()
}

fn name(name: &GeneralName) -> Option<String> {
    if let GeneralName::DnsName(name) = name {
        return Some(name.to_string());
    }
    let GeneralName::IpAddress(address) = name else {
        return None;
    };
    let bytes = address.as_bytes();
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let address = v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
    address.ok().map(|address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_tells_its_names_and_its_end() {
        let now = SystemTime::now();
        let credentials = Credentials::SelfSigned {
            names: vec!["live.example".into(), "203.0.113.5".into()],
        };
        let certificate = credentials.certificate(now).unwrap();
        for name in ["live.example", "203.0.113.5", "localhost", "::1"] {
            assert!(certificate.names.iter().any(|n| n == name), "{name}");
        }
        assert!(certificate.ends > now);
    }
}
