//! Certificates that change while clients are served.

use std::net::SocketAddr;
use std::time::Duration;

use twoway_server::counters::Reason;
use twoway_server::net::{Running, TlsError};

use crate::certificates::{Files, Pair};
use crate::client::{Client, counted, play, soon, start};
use crate::secure::{Stream, connect, shown};
use crate::serving::{config, tls_addr};

/// Nobody waits for a check in these tests.
const NEVER: Duration = Duration::from_hours(1);

/// The server with these files, and a viewer over TLS.
async fn playing(files: &Files, check_interval: Duration) -> (Running, Client<Stream>) {
    let mut config = config(files.credentials());
    if let Some(tls) = &mut config.tls {
        tls.check_interval = check_interval;
    }
    let server = start(config).await;
    let mut viewer = Client::over(connect(tls_addr(&server)).await).await;
    viewer.establish().await;
    (server, viewer)
}

/// What a new connection sees.
async fn seen(addr: SocketAddr) -> Vec<u8> {
    shown(&connect(addr).await).to_vec()
}

#[tokio::test]
async fn another_certificate_leaves_open_connections_alone() {
    let (first, second) = (Pair::new(), Pair::rsa());
    let files = Files::of(&first);
    let (server, mut viewer) = playing(&files, NEVER).await;
    let addr = tls_addr(&server);
    let _publisher = Client::publishing(server.addr(), "live").await;
    viewer.send(&play("v", "live")).await;
    assert_eq!(viewer.status().await, "v PLAYING");

    files.replace(&second);
    assert_eq!(seen(addr).await, first.der);
    server.reload_certificate(&files.credentials()).unwrap();
    assert_eq!(seen(addr).await, second.der);
    viewer.assert_untouched("live").await;
    assert_eq!(server.counters().of(Reason::BadCertificate), 0);
    server.shutdown().await;
}

#[tokio::test]
async fn what_does_not_fit_leaves_the_certificate_as_it_was() {
    let pair = Pair::new();
    let files = Files::of(&pair);
    let (server, mut viewer) = playing(&files, NEVER).await;
    let _publisher = Client::publishing(server.addr(), "live").await;
    let other = Pair::new();
    let expired = Pair::of_years(2001, 2002);

    files.write("certificate.pem", &other.certificate);
    let mismatch = server.reload_certificate(&files.credentials());
    assert!(
        matches!(mismatch, Err(TlsError::Mismatch { .. })),
        "{mismatch:?}"
    );
    files.replace(&expired);
    let late = server.reload_certificate(&files.credentials());
    assert!(matches!(late, Err(TlsError::Expired { .. })), "{late:?}");
    files.write("certificate.pem", "gone");
    let none = server.reload_certificate(&files.credentials());
    assert!(matches!(none, Err(TlsError::NoCertificate(_))), "{none:?}");

    counted(&server, Reason::BadCertificate, 3).await;
    assert_eq!(seen(tls_addr(&server)).await, pair.der);
    viewer.assert_untouched("live").await;
    server.shutdown().await;
}

#[tokio::test]
async fn changed_files_are_taken_by_themselves_and_wrong_ones_told_once() {
    let (first, second) = (Pair::new(), Pair::new());
    let files = Files::of(&first);
    let (server, mut viewer) = playing(&files, Duration::from_millis(20)).await;
    let addr = tls_addr(&server);
    let _publisher = Client::publishing(server.addr(), "live").await;

    files.write("certificate.pem", &second.certificate);
    counted(&server, Reason::BadCertificate, 1).await;
    assert_eq!(seen(addr).await, first.der);
    files.write("key.pem", &second.key.serialize_pem());
    soon(async { while seen(addr).await != second.der {} }).await;
    assert_eq!(server.counters().of(Reason::BadCertificate), 1);
    viewer.assert_untouched("live").await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_certificate_made_here_stays_when_everything_is_read_again() {
    let credentials = twoway_server::net::Credentials::SelfSigned { names: Vec::new() };
    let server = start(config(credentials.clone())).await;
    let addr = tls_addr(&server);
    let before = seen(addr).await;
    server.reload_certificate(&credentials).unwrap();
    assert_eq!(seen(addr).await, before);

    let bought = Pair::new();
    let files = Files::of(&bought);
    server.reload_certificate(&files.credentials()).unwrap();
    assert_eq!(seen(addr).await, bought.der);
    assert_eq!(server.self_signed(), None);
    server.shutdown().await;
}
