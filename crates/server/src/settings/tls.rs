//! Settings of TLS.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::{Gathered, SettingsError};
use crate::net::{Credentials, TlsConfig, TlsError};

/// Encryption of signalling and page. Media is always encrypted.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "TLS")]
pub(super) struct TlsArgs {
    /// TCP port of HTTPS and WebSocket over TLS, once there is a certificate; 0 takes a
    /// free one
    #[arg(long, value_name = "PORT", default_value_t = 8443)]
    tls_port: u16,
    /// Certificates to show, in PEM, the server's own first, then those between it and
    /// its authority's; read again when the file changes
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM, without a password; read again when the
    /// file changes
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Make a certificate at each start, for localhost and the addresses of this host.
    /// Browsers warn of it, but then give pages of this host the camera
    #[arg(long)]
    tls_self_signed: bool,
    /// Name or address that the certificate made is for as well; may be given several
    /// times
    #[arg(long, value_name = "NAME")]
    tls_name: Vec<String>,
    /// Send whoever asks for the page without TLS to the page with it; signalling is
    /// served either way
    #[arg(long)]
    redirect_to_tls: bool,
}

impl TlsArgs {
    /// Whether there is a certificate, or shall be one.
    pub(super) fn is_on(&self) -> bool {
        self.tls_cert.is_some() || self.tls_self_signed
    }
}

impl Gathered {
    /// What TLS is served with, if it is; checked, so that a certificate that is wrong
    /// is told as every wrong setting is.
    pub(super) fn tls(&self) -> Result<Option<TlsConfig>, SettingsError> {
        let Some(credentials) = self.credentials()? else {
            return self.needs_no_tls();
        };
        credentials.check().map_err(|error| {
            let name = match error {
                TlsError::NoKey(_)
                | TlsError::EncryptedKey(_)
                | TlsError::UselessKey(_)
                | TlsError::Mismatch { .. } => "tls-key",
                TlsError::BadName(_) => "tls-name",
                TlsError::NotMade(_) => "tls-self-signed",
                TlsError::Unreadable { ref path, .. } | TlsError::Damaged { ref path, .. } => {
                    let is_key = self.settings.tls.tls_key.as_ref() == Some(path);
                    if is_key { "tls-key" } else { "tls-cert" }
                }
                TlsError::NoCertificate(_)
                | TlsError::Expired { .. }
                | TlsError::TooEarly { .. } => "tls-cert",
            };
            self.wrong(name, error.to_string())
        })?;
        let args = &self.settings.tls;
        let listen = SocketAddr::new(self.settings.bind, args.tls_port);
        Ok(Some(TlsConfig {
            redirect: args.redirect_to_tls,
            ..TlsConfig::new(listen, credentials)
        }))
    }

    fn credentials(&self) -> Result<Option<Credentials>, SettingsError> {
        let TlsArgs {
            tls_cert,
            tls_key,
            tls_self_signed,
            tls_name,
            ..
        } = &self.settings.tls;
        let wrong = |name, what: &str| Err(self.wrong(name, what.into()));
        match (tls_cert, tls_key, tls_self_signed) {
            (Some(_), None, _) => wrong("tls-cert", "there is no tls-key to go with it"),
            (None, Some(_), _) => wrong("tls-key", "there is no tls-cert to go with it"),
            (Some(_), Some(_), true) => {
                let what = "there is tls-cert, too: take one of them away";
                wrong("tls-self-signed", what)
            }
            (Some(certificate), Some(key), false) => Ok(Some(Credentials::Files {
                certificate: certificate.clone(),
                key: key.clone(),
            })),
            (None, None, true) => {
                let public = self.settings.media.public_address.iter();
                let public = public.map(|address| address.ip().to_string());
                let names = tls_name.iter().cloned().chain(public).collect();
                Ok(Some(Credentials::SelfSigned { names }))
            }
            (None, None, false) => Ok(None),
        }
    }

    /// Without a certificate, nothing may be said that needs one.
    fn needs_no_tls(&self) -> Result<Option<TlsConfig>, SettingsError> {
        let what = "there is no TLS: give tls-cert and tls-key, or tls-self-signed";
        let args = &self.settings.tls;
        if args.redirect_to_tls {
            return Err(self.wrong("redirect-to-tls", what.into()));
        }
        Ok(None)
    }
}
