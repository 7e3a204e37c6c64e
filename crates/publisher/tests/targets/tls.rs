//! TLS before a server, with certificates good and bad.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate and its key.
pub(crate) struct Identity {
    pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// An authority made for one test.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, "an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// Its certificate, in a file.
    pub(crate) fn file(&self, folder: &Path) -> PathBuf {
        write(folder, &self.0.pem())
    }

    /// Signs a certificate for `names`.
    pub(crate) fn sign(&self, names: &[&str]) -> Identity {
        self.sign_as(names, |_| {})
    }

    /// One that is over.
    pub(crate) fn sign_expired(&self, names: &[&str]) -> Identity {
        self.sign_as(names, |params| {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        })
    }

    /// One for times to come.
    pub(crate) fn sign_for_later(&self, names: &[&str]) -> Identity {
        self.sign_as(names, |params| {
            params.not_before = date_time_ymd(4000, 1, 1)
        })
    }

    fn sign_as(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let mut params = params(names);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        identity(&certificate, &key)
    }
}

/// A certificate that nobody signed but itself, as most tools make them: one
/// that could sign others.
pub(crate) fn self_signed(names: &[&str], is_ca: bool) -> Identity {
    let mut params = params(names);
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().unwrap();
    identity(&params.self_signed(&key).unwrap(), &key)
}

impl Identity {
    /// The certificate, in a file.
    pub(crate) fn file(&self, folder: &Path) -> PathBuf {
        write(folder, &self.pem)
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    CertificateParams::new(names).unwrap()
}

fn identity(certificate: &rcgen::Certificate, key: &KeyPair) -> Identity {
    Identity {
        pem: certificate.pem(),
        chain: vec![certificate.der().clone()],
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    }
}

fn write(folder: &Path, pem: &str) -> PathBuf {
    let path = folder.join("certificate.pem");
    std::fs::write(&path, pem).unwrap();
    path
}

/// Takes TLS off and hands the rest to a server.
pub(crate) struct Terminator {
    pub(crate) addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Terminator {
    pub(crate) async fn start(identity: Identity, server: SocketAddr) -> Self {
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(identity.chain, identity.key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(join(acceptor.clone(), stream, server));
            }
        });
        Self { addr, task }
    }
}

impl Drop for Terminator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Until either side is gone; clients that do not trust us leave early.
async fn join(acceptor: TlsAcceptor, stream: TcpStream, server: SocketAddr) {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    if let Ok(mut server) = TcpStream::connect(server).await {
        let _gone = copy_bidirectional(&mut stream, &mut server).await;
    }
}
