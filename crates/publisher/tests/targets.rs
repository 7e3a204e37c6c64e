//! Every kind of target against the real server and against handmade ones, and
//! what is said of those that are no good.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

#[path = "targets/handmade.rs"]
mod handmade;
#[path = "targets/tls.rs"]
mod tls;

mod loopback;

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use handmade::{Handmade, response};
use loopback::{LOOPBACK, server};
use tempfile::tempdir;
use tls::{Authority, Identity, Terminator, self_signed};
use twoway_publisher::{
    Error, Event, Options, Publisher, PublisherEvent, StreamStatus, Target, TestPicture,
    TlsOptions, Token,
};

/// What certificates are for here.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

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
const SECURE: [&str; 2] = ["wss", "https"];

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
async fn a_server_may_move_to_tls_but_not_from_it() {
    let server = server().await;
    let folder = tempdir().unwrap();
    let authority = Authority::new();
    let tls = trusting(authority.file(folder.path()));
    let terminator = Terminator::start(authority.sign(&NAMES), server.addr()).await;
    let secure = format!("https://{}/whip/test", terminator.addr);
    let to_tls = Handmade::start(move |_| response("308 a", &[("Location", &secure)])).await;
    let url = format!("http://{}", to_tls.addr);
    assert_eq!(publish(options(&url, &tls)).await, Ok(()));
    // The stream's own URL is where it was made.
    let [request] = to_tls.requests().try_into().unwrap();
    assert!(request.starts_with("POST /whip/test "), "{request}");
    let plain = format!("http://{}/whip/test", server.addr());
    let from_tls = Handmade::start(move |_| response("308 a", &[("Location", &plain)])).await;
    let terminator = Terminator::start(authority.sign(&NAMES), from_tls.addr).await;
    let sentence = refusal(&format!("https://{}", terminator.addr), &tls).await;
    let expected = "it redirects to an address without TLS";
    assert!(sentence.ends_with(expected), "{sentence}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whip_endpoints_are_found_by_bare_hosts_and_by_paths() {
    let server = server().await;
    for path in ["", "/", "/whip/test", "/{protocol}/{name}"] {
        let url = format!("http://{}{path}", server.addr());
        let published = publish(options(&url, &TlsOptions::default())).await;
        assert_eq!(published, Ok(()), "{url}");
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
            let whole = match scheme {
                "wss" => format!("cannot connect to {url}: {expected}"),
                _ => format!("the server could not be reached: {expected}"),
            };
            assert!(sentence.starts_with(&whole), "{sentence}");
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
    check(format!("https://{}", server.addr()), "TLS: try http://").await;
    let if_so = "if it wants TLS, try https://";
    check(format!("http://{}", terminator.addr), if_so).await;
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
    let check = async |address: &str, expected: &str| {
        for scheme in ["ws", "wss", "http", "https"] {
            let url = format!("{scheme}://{address}");
            let said = refusal(&url, &TlsOptions::default()).await;
            let server = match scheme {
                "ws" | "wss" => format!("cannot connect to {url}: "),
                _ => "the server could not be reached: ".to_owned(),
            };
            assert_eq!(said, server + expected);
        }
    };
    // Free again as soon as the listener is dropped.
    let free = TcpListener::bind(LOOPBACK).unwrap().local_addr().unwrap();
    let nothing = "nothing listens on this port (connection refused)";
    check(&free.to_string(), nothing).await;
    // Longer than labels of names may be, which no resolver asks anybody about.
    let label = "a".repeat(64);
    let unknown = "its name cannot be looked up: is it right, and is this machine online";
    check(&format!("{label}.example:80"), unknown).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    // It takes connections, by the system's hand.
    let silent = TcpListener::bind(LOOPBACK).unwrap();
    let address = silent.local_addr().unwrap();
    let tls = TlsOptions::default();
    let urls = [format!("ws://{address}"), format!("http://{address}")];
    let (socket, http) = tokio::join!(refusal(&urls[0], &tls), refusal(&urls[1], &tls));
    for sentence in [socket, http] {
        let expected = "it does not answer within 8 s";
        assert!(sentence.ends_with(expected), "{sentence}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_certificates_that_are_no_good_are_named() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ca.pem");
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
        for scheme in SECURE {
            let url = format!("{scheme}://127.0.0.1:1");
            assert!(refusal(&url, &tls).await.ends_with(&sentence), "{url}");
        }
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
