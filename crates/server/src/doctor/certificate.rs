//! Whether browsers will take the certificate, now and soon.

use std::time::{Duration, SystemTime};

use super::Finding;
use crate::net::{self, Certificate, Credentials};

/// A certificate should be renewed before so little of its time is left.
const SOON: Duration = Duration::from_hours(14 * 24);

const WHAT: &str = "certificate";

/// How the certificate is; one that is wrong is a mistake of the configuration.
pub(super) fn finding(config: &net::Config, now: SystemTime) -> Finding {
    let Some(tls) = &config.tls else {
        return none(config.listen.ip().is_loopback());
    };
    match (&tls.credentials, tls.credentials.certificate(now)) {
        (Credentials::SelfSigned { .. }, Ok(_)) => {
            let text = "is made at each start: browsers warn of it, so give --tls-cert and \
                        --tls-key for a server that is for everybody";
            Finding::warning(WHAT, text)
        }
        (Credentials::Files { .. }, Ok(certificate)) => judge(&certificate, now),
        (_, Err(error)) => Finding::wrong(WHAT, error.to_string()),
    }
}

fn none(is_local: bool) -> Finding {
    if is_local {
        return Finding::ok(WHAT, "there is none, and only this host is served");
    }
    let text = "there is none: browsers give their camera only to pages over https, and tokens \
                travel in the clear; give --tls-cert and --tls-key, unless a proxy does TLS";
    Finding::warning(WHAT, text)
}

fn judge(certificate: &Certificate, now: SystemTime) -> Finding {
    let left = certificate.ends.duration_since(now).unwrap_or_default();
    let days = left.as_secs() / 86_400;
    let names = certificate.names.join(", ");
    if certificate.names.is_empty() {
        let text = "names no host, so browsers refuse it: have it made with the server's name";
        return Finding::wrong(WHAT, text);
    }
    if left < SOON {
        let text = format!("for {names} ends in {days} days: renew it");
        return Finding::warning(WHAT, text);
    }
    Finding::ok(WHAT, format!("for {names} is good for {days} days"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn a_certificate_is_renewed_in_time() {
        let now = SystemTime::now();
        let with = |days: u64, names: &[&str]| {
            let certificate = Certificate {
                ends: now + Duration::from_hours(days * 24),
                names: names.iter().map(ToString::to_string).collect(),
            };
            judge(&certificate, now)
        };
        let good = with(14, &["live.example", "203.0.113.5"]);
        assert_eq!(good.level, Level::Ok);
        assert_eq!(
            good.text,
            "for live.example, 203.0.113.5 is good for 14 days"
        );
        assert_eq!(with(13, &["live.example"]).level, Level::Warning);
        assert_eq!(with(90, &[]).level, Level::Wrong);
    }

    #[test]
    fn without_tls_only_this_host_is_served_well() {
        assert_eq!(none(true).level, Level::Ok);
        assert_eq!(none(false).level, Level::Warning);
    }

    #[test]
    fn a_certificate_that_nobody_signed_is_warned_of() {
        let listen = "127.0.0.1:0".parse().unwrap();
        let names = Vec::new();
        let credentials = Credentials::SelfSigned { names };
        let config = net::Config {
            tls: Some(net::TlsConfig::new(listen, credentials)),
            ..net::Config::new(listen)
        };
        assert_eq!(finding(&config, SystemTime::now()).level, Level::Warning);
    }
}
