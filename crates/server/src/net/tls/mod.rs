//! TLS: a second port for the same clients, and its certificate, which may change
//! while it serves.
//!
//! A certificate that has changed is shown to whoever connects from then on;
//! connections that are open know nothing of it. Files are looked at every other
//! second and taken once they stay as they are, so that a certificate and a key
//! that are written one after the other are taken together. What does not fit
//! leaves the one before in use.

mod facts;
mod identity;
mod stamp;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::sign::SingleCertAndKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub(crate) use self::facts::Certificate;
pub use self::identity::{Credentials, Fingerprint, TlsError};
use self::stamp::Stamp;
use crate::counters::{Counters, Reason};

/// See [`TlsConfig::check_interval`].
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// How long before its end a certificate is made anew, or its renewal is asked for.
const SOON: Duration = Duration::from_hours(7 * 24);

/// The protocol that clients may ask for by ALPN (RFC 7301, RFC 9112).
const HTTP_1_1: &[u8] = b"http/1.1";

/// Where TLS is served, and as whom.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    /// Address of HTTPS and of WebSocket over TLS; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What is shown to clients.
    pub credentials: Credentials,
    /// How often the files are looked at. Default: 2 s.
    pub check_interval: Duration,
    /// Sends whoever asks for the page without TLS to the page with it.
    pub redirect: bool,
}

impl TlsConfig {
    /// With the defaults.
    pub fn new(listen: SocketAddr, credentials: Credentials) -> Self {
        Self {
            listen,
            credentials,
            check_interval: CHECK_INTERVAL,
            redirect: false,
        }
    }
}

/// The certificate in use.
#[derive(Debug)]
pub(super) struct Tls {
    counters: Arc<Counters>,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    credentials: Credentials,
    /// With the sessions that clients may resume: those of another certificate are
    /// none of its.
    config: Arc<ServerConfig>,
    fingerprint: Fingerprint,
    ends: SystemTime,
    /// The files as they were when they were read last, good or bad.
    tried: Stamp,
    /// Its end was told.
    told: bool,
}

impl Tls {
    /// Reads or makes the certificate. Blocks.
    pub(super) fn new(credentials: Credentials, counters: Arc<Counters>) -> Result<Self, TlsError> {
        let current = Current::load(&credentials)?;
        Ok(Self {
            counters,
            current: Mutex::new(current),
        })
    }

    /// Shakes hands with a client, as whom we are now.
    pub(super) async fn accept<S>(&self, stream: S) -> std::io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = Arc::clone(&self.lock().config);
        TlsAcceptor::from(config).accept(stream).await
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.lock().fingerprint
    }

    /// Whether nobody but itself has signed the certificate.
    pub(super) fn is_self_signed(&self) -> bool {
        matches!(self.lock().credentials, Credentials::SelfSigned { .. })
    }

    /// Goes on with these credentials; files are read, whether they have changed or not.
    /// What is wrong leaves everything as it is. Blocks.
    pub(super) fn reload(&self, credentials: &Credentials) -> Result<(), TlsError> {
        let is_made = matches!(credentials, Credentials::SelfSigned { .. });
        if is_made && self.lock().credentials == *credentials {
            return Ok(());
        }
        self.take(credentials)
    }

    fn take(&self, credentials: &Credentials) -> Result<(), TlsError> {
        let tried = Stamp::of(credentials);
        match Current::load(credentials) {
            Ok(current) => {
                credentials.warn_if_open();
                let mut before = self.lock();
                if before.fingerprint != current.fingerprint {
                    let fingerprint = current.fingerprint;
                    tracing::info!(%fingerprint, "new connections see another certificate");
                }
                *before = current;
                Ok(())
            }
            Err(error) => {
                let mut current = self.lock();
                if current.credentials == *credentials {
                    current.tried = tried;
                }
                self.counters.count(Reason::BadCertificate);
                tracing::warn!(%error, "the certificate stays as it was");
                Err(error)
            }
        }
    }

    /// Looks after the certificate for ever.
    pub(super) async fn watch(self: Arc<Self>, interval: Duration) {
        let mut checks = tokio::time::interval(interval);
        let mut before = None;
        loop {
            checks.tick().await;
            let tls = Arc::clone(&self);
            // The disk may be slow.
            let checked = tokio::task::spawn_blocking(move || tls.check(before));
            before = checked.await.ok();
        }
    }

    /// Reads the files if they have changed and stay as they were at the check
    /// `before`; how they are now.
    fn check(&self, before: Option<Stamp>) -> Stamp {
        let credentials = self.lock().credentials.clone();
        let now = Stamp::of(&credentials);
        let is_new = self.lock().tried != now;
        if is_new && before.as_ref() == Some(&now) {
            // It is told already.
            let _ = self.take(&credentials);
        }
        if self.ends_soon() {
            self.handle_end(&credentials);
        }
        now
    }

    /// Whether the certificate is about to end, or has ended.
    fn ends_soon(&self) -> bool {
        self.lock().ends < SystemTime::now() + SOON
    }

    fn handle_end(&self, credentials: &Credentials) {
        if matches!(credentials, Credentials::SelfSigned { .. }) {
            // It is told already; if it was not made, the next check does it.
            let _ = self.take(credentials);
            return;
        }
        let mut current = self.lock();
        if !std::mem::replace(&mut current.told, true) {
            let left = current.ends.duration_since(SystemTime::now());
            let days = left.unwrap_or_default().as_secs() / 86_400;
            tracing::warn!("the certificate expires in {days} days: renew it");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    /// Blocks.
    fn load(credentials: &Credentials) -> Result<Self, TlsError> {
        // Before they are read: what changes meanwhile is read again.
        let tried = Stamp::of(credentials);
        let identity = credentials.load(SystemTime::now())?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let versions = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::NotMade(error.to_string()))?;
        let shown = Arc::new(SingleCertAndKey::from(identity.certified));
        let mut config = versions.with_no_client_auth().with_cert_resolver(shown);
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Self {
            credentials: credentials.clone(),
            config: Arc::new(config),
            fingerprint: identity.fingerprint,
            ends: identity.ends,
            tried,
            told: false,
        })
    }
}
