//! Every kind of target against the real server and against handmade ones, and
//! what is said of those that are no good.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

#[path = "targets/handmade.rs"]
mod handmade;
#[path = "targets/tls.rs"]
mod tls;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use handmade::{Handmade, response};
use tempfile::tempdir;
use tls::{Authority, Identity, Terminator, self_signed};
use twoway_publisher::{
    Error, Event, Options, Publisher, PublisherEvent, StreamStatus, Target, TestPicture,
    TlsOptions, Token,
};
use twoway_server::{media, net};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What certificates are for here.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

async fn server() -> net::Running {
    let media = media::Config {
        bind: vec![Ipv4Addr::LOCALHOST.into()],
        ..media::Config::default()
    };
    let (running, _) = net::serve(net::Config::new(LOOPBACK), media).await.unwrap();
    running
}

fn options(url: &str, tls: &TlsOptions) -> Options {
    let target = Target::parse(url, Some("test")).unwrap();
    let mut options = Options::new(target.server, target.name);
    options.session.tls = tls.clone();
    options.retry.give_up_after = Some(Duration::ZERO);
    options
}

/// Publishes until it is PUBLISHING, then stops in good order.
async fn publish(options: Options) -> Result<(), Error> {
    let source = TestPicture::new("320x180".parse().unwrap(), 30);
    let mut publisher = Publisher::connect(options, source);
    while let Some(event) = publisher.event().await {
        if matches!(&event, PublisherEvent::Signalling(Event::Stream(update))
            if update.status == StreamStatus::Publishing)
        {
            publisher.stop();
        }
    }
    publisher.wait().await
}

fn trusting(file: PathBuf) -> TlsOptions {
    TlsOptions {
        ca_files: vec![file],
        ..TlsOptions::default()
    }
}

/// Why nothing can be published to `url`.
async fn refusal(url: &str, tls: &TlsOptions) -> String {
    match publish(options(url, tls)).await {
        Err(Error::Connection(sentence)) => sentence,
        other => panic!("{url}: {other:?}"),
    }
}

/// Both schemes with TLS.
const SECURE: [&str; 1] = ["wss"];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_authority_is_named_is_trusted() {
    let server = server().await;
    let folder = tempdir().unwrap();
    let authority = Authority::new();
    let tls = trusting(authority.file(folder.path()));
    let terminator = Terminator::start(authority.sign(&NAMES), server.addr()).await;
    for scheme in SECURE {
        // The name stands for addresses of which not all need to answer.
        for host in NAMES {
            let url = format!("{scheme}://{host}:{}", terminator.addr.port());
            assert_eq!(publish(options(&url, &tls)).await, Ok(()), "{url}");
        }
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_s_own_certificate_may_be_named() {
    let server = server().await;
    let folder = tempdir().unwrap();
    for is_ca in [true, false] {
        let identity = self_signed(&NAMES, is_ca);
        let tls = trusting(identity.file(folder.path()));
        let terminator = Terminator::start(identity, server.addr()).await;
        for scheme in SECURE {
            let url = format!("{scheme}://{}", terminator.addr);
            assert_eq!(publish(options(&url, &tls)).await, Ok(()), "{url} {is_ca}");
        }
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn insecure_trusts_everybody() {
    let server = server().await;
    let tls = TlsOptions {
        insecure: true,
        ..TlsOptions::default()
    };
    let authority = Authority::new();
    for identity in [
        authority.sign_expired(&["x.example"]),
        self_signed(&[], true),
    ] {
        let terminator = Terminator::start(identity, server.addr()).await;
        for scheme in SECURE {
            let url = format!("{scheme}://{}", terminator.addr);
            assert_eq!(publish(options(&url, &tls)).await, Ok(()), "{url}");
        }
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_are_no_good_are_explained() {
    let server = server().await;
    let folder = tempdir().unwrap();
    let authority = Authority::new();
    let known = trusting(authority.file(folder.path()));
    let unknown = TlsOptions::default();
    let many = ["a.example", "*.b.example", "c.example", "d.example"];
    let cases: [(Identity, &TlsOptions, &str); 8] = [
        (
            authority.sign_expired(&NAMES),
            &known,
            "its certificate has expired",
        ),
        (
            authority.sign_for_later(&NAMES),
            &known,
            "its certificate is not valid yet",
        ),
        (
            authority.sign(&many),
            &known,
            "its certificate is for a.example, *.b.example, c.example, ..., not for the name",
        ),
        (
            authority.sign(&["127.0.0.2"]),
            &known,
            "its certificate is for 127.0.0.2, not for the name",
        ),
        (
            authority.sign(&NAMES),
            &unknown,
            "its certificate is of an authority unknown here: name a file with that \
             authority's certificate with --ca-file",
        ),
        (
            self_signed(&NAMES, true),
            &known,
            "its certificate is signed by nobody but itself: name a file with it with --ca-file",
        ),
        (
            self_signed(&NAMES, false),
            &known,
            "its certificate is signed by nobody but itself",
        ),
        (
            Authority::new().sign(&NAMES),
            &known,
            "its certificate is of an authority unknown here",
        ),
    ];
    for (identity, tls, expected) in cases {
        let terminator = Terminator::start(identity, server.addr()).await;
        for scheme in SECURE {
            let url = format!("{scheme}://{}", terminator.addr);
            let sentence = refusal(&url, tls).await;
            assert!(sentence.contains(expected), "{sentence}");
            assert!(sentence.contains(&url), "{sentence}");
        }
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_s_own_certificate_must_be_for_its_name() {
    let server = server().await;
    let folder = tempdir().unwrap();
    for is_ca in [true, false] {
        let identity = self_signed(&["a.example"], is_ca);
        let tls = trusting(identity.file(folder.path()));
        let terminator = Terminator::start(identity, server.addr()).await;
        let sentence = refusal(&format!("wss://{}", terminator.addr), &tls).await;
        assert!(sentence.contains("is for a.example, not for"), "{sentence}");
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_on_one_side_only_is_explained() {
    let server = server().await;
    let terminator = Terminator::start(self_signed(&NAMES, true), server.addr()).await;
    let check = async |url: String, expected: &str| {
        let sentence = refusal(&url, &TlsOptions::default()).await;
        assert!(sentence.contains(expected), "{sentence}");
    };
    check(format!("wss://{}", server.addr()), "TLS: try ws://").await;
    let closing = Handmade::start(|_| String::new()).await;
    let if_not = "if it does not speak TLS, try ws://";
    check(format!("wss://{}", closing.addr), if_not).await;
    let if_so = "if it wants TLS, try wss://";
    check(format!("ws://{}", terminator.addr), if_so).await;
    check(format!("ws://{}", closing.addr), if_so).await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_upgrades_are_explained() {
    let check = async |answer: String, token: Option<&str>, expected: &str| {
        let server = Handmade::start(move |_| answer.clone()).await;
        let mut options = options(&format!("ws://{}", server.addr), &TlsOptions::default());
        options.session.token = token.map(|token| Token::new(token).unwrap());
        let sentence = format!("cannot connect to ws://{}: {expected}", server.addr);
        assert_eq!(publish(options).await, Err(Error::Connection(sentence)));
    };
    let status = |status| response(status, &[]);
    check(
        status("401 Unauthorized"),
        None,
        "it answered 401 Unauthorized: it wants an access token, give one with --token",
    )
    .await;
    check(
        status("403 Forbidden"),
        Some("s3cret"),
        "it answered 403 Forbidden: it does not take this access token",
    )
    .await;
    check(
        status("404 Not Found"),
        None,
        "it answered 404 Not Found: no WebSocket server is at this address",
    )
    .await;
    check(
        status("503 Service Unavailable"),
        None,
        "it answered 503 Service Unavailable: it is in trouble, try again later",
    )
    .await;
    check(
        status("200 OK"),
        None,
        "it answered 200 OK: it is no WebSocket server",
    )
    .await;
    check(
        response("301 Moved Permanently", &[("Location", "wss://a.example/")]),
        None,
        "it answered 301 Moved Permanently: it wants to be called at wss://a.example/",
    )
    .await;
    let headers = [("Upgrade", "websocket"), ("Connection", "Upgrade")];
    check(
        response("101 Switching Protocols", &headers),
        None,
        "it is no WebSocket server: it agrees to something else",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_not_there_are_explained() {
    let check = async |url: &str, expected: &str| {
        let sentence = refusal(url, &TlsOptions::default()).await;
        assert_eq!(sentence, format!("cannot connect to {url}: {expected}"));
    };
    // Free again as soon as the listener is dropped.
    let free = TcpListener::bind(LOOPBACK).unwrap().local_addr().unwrap();
    let nothing = "nothing listens on this port (connection refused)";
    check(&format!("ws://{free}"), nothing).await;
    check(&format!("wss://{free}"), nothing).await;
    // Longer than labels of names may be, which no resolver asks anybody about.
    let label = "a".repeat(64);
    let unknown = "its name cannot be looked up: is it right, and is this machine online";
    check(&format!("ws://{label}.example:80"), unknown).await;
    // It takes the connection, by the system's hand, and never says a word.
    let silent = TcpListener::bind(LOOPBACK).unwrap();
    let address = silent.local_addr().unwrap();
    check(&format!("ws://{address}"), "it does not answer within 8 s").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_certificates_that_are_no_good_are_named() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let url = "wss://127.0.0.1:1";
    let check = async |content: Option<&str>, expected: &str| {
        let _none = std::fs::remove_file(&path);
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let tls = trusting(path.clone());
        let sentence = tls.check().unwrap_err().to_string();
        let shown = path.display();
        assert!(
            sentence.starts_with(&format!("the certificate file {shown} {expected}")),
            "{sentence}"
        );
        assert!(refusal(url, &tls).await.ends_with(&sentence));
    };
    check(None, "cannot be read: ").await;
    let empty = "is of no use: it has no certificate in PEM form";
    check(Some(""), empty).await;
    check(Some("not PEM\n"), empty).await;
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    check(Some(key), empty).await;
    let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n";
    check(Some(cut), "is of no use: its PEM text is damaged").await;
    let wrong = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    check(Some(wrong), "is of no use: a certificate in it is damaged").await;
}

/// Runs the command against a server, with only the authorities in `folder`.
async fn command(url: String, authorities: PathBuf) -> Output {
    let run = move || {
        Command::new(env!("CARGO_BIN_EXE_twoway-publish"))
            .args([&url, "--size", "320x180", "--duration", "0.1"])
            .env_remove("RUST_LOG")
            .env("SSL_CERT_FILE", authorities.join("none.pem"))
            .env("SSL_CERT_DIR", authorities)
            .output()
            .unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// Nothing but the sentence: what libraries have to say of it is not shown.
#[tokio::test(flavor = "multi_thread")]
async fn a_system_without_authorities_trusts_nobody_but_needs_none_without_tls() {
    let server = server().await;
    let terminator = Terminator::start(Authority::new().sign(&NAMES), server.addr()).await;
    let folder = tempdir().unwrap();
    let plain = format!("ws://{}/test", server.addr());
    let output = command(plain, folder.path().to_owned()).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let secure = format!("wss://{}/test", terminator.addr);
    let output = command(secure, folder.path().to_owned()).await;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("of an authority unknown here"), "{stderr}");
    assert_eq!(output.status.code(), Some(1));
    server.shutdown().await;
}
