//! The page over TLS, as people open it who are not on the server's own machine.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use e2e::{Browser, PATIENCE, Server, Spy, Stage, TwoWayPage};
use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tempfile::TempDir;

/// A name that browsers do not know for a machine's own (RFC 6761 section 6.2).
const HOST: &str = "streaming.test";

/// Frames that show that a picture goes on.
const SOME_FRAMES: u64 = 30;

/// What a page needs to be given the camera.
const MAY_ASK_FOR_CAMERA: &str = "return isSecureContext && !!navigator.mediaDevices";

#[tokio::test]
async fn a_viewer_plays_on_while_the_certificate_is_renewed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let first = renew(&folder)?;
    let server = start(&folder)?;
    let address = server.tls_address()?;
    assert!(shows(address, &first), "the first certificate");
    let stage = Stage::set_with(server, Browser::start_trusting(HOST)).await?;
    let spy = Spy::hide_in(&stage.browser).await?;
    let page = connected(&stage).await?;
    page.publish("camera").await?;
    page.play("camera").await?;
    spy.note_texts("connectStatus").await?;
    spy.wait_frames(SOME_FRAMES).await?;

    let second = renew(&folder)?;
    let deadline = Instant::now() + PATIENCE;
    while !shows(address, &second) {
        anyhow::ensure!(Instant::now() < deadline, "the old certificate is shown");
        // The viewer plays meanwhile.
        spy.wait_frames(1).await?;
    }
    assert!(!shows(address, &first), "the first certificate is over");
    spy.wait_frames(SOME_FRAMES).await?;
    assert_eq!(spy.texts().await?, ["ESTABLISHED"]);
    let asked = spy.sent().await?;
    for once in ["connection", "publishStream", "playStream"] {
        let times = asked.iter().filter(|name| *name == once).count();
        assert_eq!(times, 1, "{once} in {asked:?}");
    }

    stage.browser.new_tab().await?;
    let other = connected(&stage).await?;
    other.play("camera").await?;
    stage.clear().await
}

#[tokio::test]
async fn a_page_without_tls_is_sent_to_where_it_has_the_camera() -> Result<()> {
    let server = Server::start_with(&["--tls-port=0", "--tls-self-signed", "--redirect-to-tls"])?;
    let port = server.address()?.port();
    let stage = Stage::set_with(server, Browser::start_trusting(HOST)).await?;
    let address = format!("http://{HOST}:{port}/");
    let page = TwoWayPage::open_url(&stage.browser, &address).await?;
    let may = stage.browser.run(MAY_ASK_FOR_CAMERA, vec![]).await?;
    assert_eq!(may, true);
    page.click("connectBtn").await?;
    page.wait_text("connectStatus", "ESTABLISHED").await?;
    stage.clear().await
}

fn start(folder: &TempDir) -> Result<Server> {
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (certificate, key) = (path("certificate.pem"), path("key.pem"));
    let files = ["--tls-cert", &certificate, "--tls-key", &key];
    Server::start_with(&[&files[..], &["--tls-port", "0"]].concat())
}

/// Writes another certificate and its key.
fn renew(folder: &TempDir) -> Result<CertificateDer<'static>> {
    let params = CertificateParams::new([HOST.to_owned()])?;
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    put(folder.path(), "certificate.pem", &certificate.pem())?;
    put(folder.path(), "key.pem", &key.serialize_pem())?;
    Ok(certificate.der().clone())
}

/// Puts a file in another's place, as tools do that renew certificates.
fn put(folder: &Path, name: &str, text: &str) -> Result<()> {
    let new = folder.join(format!("{name}.new"));
    fs::write(&new, text)?;
    Ok(fs::rename(new, folder.join(name))?)
}

/// Opens the page by its name and connects it to where it came from.
async fn connected(stage: &Stage) -> Result<TwoWayPage<'_>> {
    let port = stage.server.tls_address()?.port();
    let address = format!("https://{HOST}:{port}/");
    let page = TwoWayPage::open_url(&stage.browser, &address).await?;
    let may = stage.browser.run(MAY_ASK_FOR_CAMERA, vec![]).await?;
    anyhow::ensure!(may == true, "the page may not ask for the camera");
    page.click("connectBtn").await?;
    page.wait_text("connectStatus", "ESTABLISHED").await?;
    Ok(page)
}

/// Whether a new connection is shown this certificate.
fn shows(address: SocketAddr, certificate: &CertificateDer<'static>) -> bool {
    handshake(address, certificate).is_ok()
}

fn handshake(address: SocketAddr, trusted: &CertificateDer<'static>) -> Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone())?;
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut session = ClientConnection::new(Arc::new(config), ServerName::try_from(HOST)?)?;
    let mut stream = TcpStream::connect(address).context("no connection")?;
    while session.is_handshaking() {
        session.complete_io(&mut stream)?;
    }
    Ok(())
}
