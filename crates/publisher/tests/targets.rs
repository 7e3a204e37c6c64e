//! Every kind of target against the real server and against handmade ones.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

#[path = "targets/failures.rs"]
mod failures;
#[path = "targets/handmade.rs"]
mod handmade;
#[path = "targets/tls.rs"]
mod tls;

mod loopback;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use failures::refusal;
use handmade::{Handmade, response};
use loopback::server;
use tempfile::tempdir;
use tls::{Authority, Terminator, self_signed};
use twoway_publisher::{
    Error, Event, Options, Publisher, PublisherEvent, StreamStatus, Target, TestPicture, TlsOptions,
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
