//! Who is let in, and how often.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Gathered, SettingsError};
use crate::access::jwt::Jwt;
use crate::access::tokens::Tokens;
use crate::access::{Access, Anonymous, Grant, Network, Origin, Origins, Proxies};
use crate::limits::AddressLimits;
use crate::net::Live;

/// Most bytes of a file with tokens or a key.
const MAX_FILE: u64 = 8 << 20;

/// Who may do what.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Access")]
pub(super) struct AccessArgs {
    /// File of access tokens, one a line: rights (publish, play, admin, with commas
    /// between them), streams (a name, or its beginning and *), token. With it, those
    /// who show none of these may do nothing
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// File with the key that JSON Web Tokens are checked by: a public key in PEM (RSA,
    /// ECDSA or Ed25519), or a secret shared with whoever signs (HS256), of 32 bytes at
    /// least. With it, those who show no such token may do nothing
    #[arg(long, value_name = "FILE")]
    jwt_key: Option<PathBuf>,
    /// Audience (aud) that JSON Web Tokens must be for
    #[arg(long, value_name = "TEXT")]
    jwt_audience: Option<String>,
    /// Issuer (iss) that JSON Web Tokens must be of
    #[arg(long, value_name = "TEXT")]
    jwt_issuer: Option<String>,
    /// What those may do who show no token, such as "play *" or "publish test-*"; may be
    /// given several times [default: nothing where there are tokens, else publish and
    /// play]
    #[arg(long, value_name = "RIGHT STREAMS")]
    anonymous: Vec<Anonymous>,
    /// Origin whose pages may use the server, such as https://example.org, over WebSocket,
    /// WHIP and WHEP; the server's own page is none unless it is named, too. May be given
    /// several times [default: all]
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<Origin>,
    /// Proxy in front of the server, or a network of them, such as 10.0.0.0/8: what it
    /// writes at the end of X-Forwarded-For is taken for the client's address. May be
    /// given several times
    #[arg(long, value_name = "IP[/BITS]")]
    trusted_proxy: Vec<Network>,
}

/// Limits on each address.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct AddressArgs {
    /// Most WebSockets from one address at a time, which is the client's behind a trusted
    /// proxy; 0 is no limit
    #[arg(long, value_name = "COUNT", default_value_t = AddressLimits::default().sockets)]
    max_sessions_per_address: usize,
    /// Most new TCP connections a second from one address but a trusted proxy's, ten
    /// times as many at once; 0 is no limit
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = AddressLimits::default().connections_per_second
    )]
    max_connection_rate: u32,
    /// Most HTTP requests a second from one address, which is the client's behind a
    /// trusted proxy, ten times as many at once; 0 is no limit
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = AddressLimits::default().requests_per_second
    )]
    max_request_rate: u32,
}

impl Gathered {
    /// What may change while the server runs, its files read now.
    ///
    /// # Errors
    /// A file cannot be read, or what is in it is wrong.
    pub fn live(&self) -> Result<Live, SettingsError> {
        let args = &self.settings.access;
        Ok(Live {
            access: Access {
                anonymous: anonymous(&args.anonymous),
                tokens: self.tokens()?,
                jwt: self.jwt()?,
            },
            origins: Origins::new(args.allow_origin.clone()),
            proxies: Proxies(args.trusted_proxy.clone()),
            limits: self.settings.addresses.limits(),
        })
    }

    fn tokens(&self) -> Result<Option<Tokens>, SettingsError> {
        let Some(path) = &self.settings.access.tokens else {
            return Ok(None);
        };
        let wrong = |why: String| self.wrong("tokens", about(path, &why));
        let bytes = read(path).map_err(|error| wrong(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
        let tokens = Tokens::parse(&text).map_err(|error| wrong(error.to_string()))?;
        warn_if_exposed(path);
        Ok(Some(tokens))
    }

    fn jwt(&self) -> Result<Option<Jwt>, SettingsError> {
        let args = &self.settings.access;
        let Some(path) = &args.jwt_key else {
            let told = [
                ("jwt-audience", args.jwt_audience.is_some()),
                ("jwt-issuer", args.jwt_issuer.is_some()),
            ];
            return match told.into_iter().find(|(_, is_told)| *is_told) {
                Some((name, _)) => {
                    let what = format!("{name} means nothing without jwt-key");
                    Err(self.wrong(name, what))
                }
                None => Ok(None),
            };
        };
        let wrong = |why: String| self.wrong("jwt-key", about(path, &why));
        let key = read(path).map_err(|error| wrong(error.to_string()))?;
        let audience = args.jwt_audience.as_deref();
        let jwt = Jwt::new(&key, audience, args.jwt_issuer.as_deref())
            .map_err(|error| wrong(error.to_string()))?;
        if jwt.is_by_secret() {
            warn_if_exposed(path);
        }
        Ok(Some(jwt))
    }
}

impl AddressArgs {
    fn limits(&self) -> AddressLimits {
        AddressLimits {
            sockets: self.max_sessions_per_address,
            connections_per_second: self.max_connection_rate,
            requests_per_second: self.max_request_rate,
        }
    }
}

fn anonymous(rights: &[Anonymous]) -> Option<Grant> {
    if rights.is_empty() {
        return None;
    }
    let mut grant = Grant::default();
    for Anonymous { right, names } in rights {
        grant.add(*right, names);
    }
    Some(grant)
}

pub(super) fn about(path: &Path, why: &str) -> String {
    format!("{}: {why}", path.display())
}

pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > MAX_FILE {
        let error = format!("it is larger than {MAX_FILE} bytes");
        return Err(io::Error::other(error));
    }
    fs::read(path)
}

/// Says so if a file with secrets is open to everybody on this host.
pub(super) fn warn_if_exposed(path: &Path) {
    if is_exposed(path) {
        let path = path.display();
        tracing::warn!(
            "{path} has secrets and everybody on this host can read it: chmod o= {path}"
        );
    }
}

#[cfg(unix)]
fn is_exposed(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o007 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &Path) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_that_everybody_reads_is_exposed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        fs::write(&path, "").unwrap();
        for (mode, exposed) in [(0o600, false), (0o640, false), (0o644, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_exposed(&path), exposed, "{mode:o}");
        }
    }
}
