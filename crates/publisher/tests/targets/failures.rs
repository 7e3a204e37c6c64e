//! What is said of targets that are no good, and whether they are tried again.

use std::net::TcpListener;

use tempfile::tempdir;
use twoway_publisher::{
    Error, Options, Publisher, PublisherEvent, RetryOptions, TestPicture, TlsOptions, Token,
};

use crate::handmade::{Handmade, response};
use crate::loopback::{LOOPBACK, server};
use crate::tls::{Authority, Identity, Terminator, self_signed};
use crate::{NAMES, SECURE, options, publish, trusting};

/// Why nothing can be published to `url`.
pub(crate) async fn refusal(url: &str, tls: &TlsOptions) -> String {
    match publish(options(url, tls)).await {
        Err(Error::NoConnection(sentence)) => sentence,
        other => panic!("{url}: {other:?}"),
    }
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
        assert_eq!(publish(options).await, Err(Error::NoConnection(sentence)));
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
        "it answered 403 Forbidden: it does not take this access token, \
         give another one with --token",
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
    let (socket, http, socket_again, http_again) = tokio::join!(
        refusal(&urls[0], &tls),
        refusal(&urls[1], &tls),
        is_tried_again(options(&urls[0], &tls)),
        is_tried_again(options(&urls[1], &tls)),
    );
    assert!(socket_again && http_again);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_whip_server_that_wants_a_token_is_explained() {
    let check = async |status: &'static str, token: Option<&str>, expected: &str| {
        let server = Handmade::start(move |_| response(status, &[])).await;
        let mut options = options(&format!("http://{}", server.addr), &TlsOptions::default());
        options.session.token = token.map(|token| Token::new(token).unwrap());
        let sentence = format!("Restricted access: the server answered {expected}");
        assert_eq!(publish(options).await, Err(Error::Refused(sentence)));
    };
    let give_one = "401: it wants an access token, give one with --token";
    check("401 Unauthorized", None, give_one).await;
    let another = "403: it does not take this access token, give another one with --token";
    check("403 Forbidden", Some("s3cret"), another).await;
}

/// Whether another attempt follows the first, which fails.
async fn is_tried_again(mut options: Options) -> bool {
    options.retry = RetryOptions::default();
    let source = TestPicture::new("320x180".parse().unwrap(), 30);
    let mut publisher = Publisher::connect(options, source);
    while let Some(event) = publisher.event().await {
        if let PublisherEvent::Reconnecting { .. } = event {
            return true;
        }
    }
    assert!(publisher.wait().await.is_err());
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_mend_ends_at_once() {
    let tls = TlsOptions::default();
    let ssh = "SSH-2.0-Handmade\r\n".to_owned();
    let refusals = [
        "400 a", "401 a", "403 a", "404 a", "405 a", "410 a", "200 a",
    ];
    let refusals = refusals.map(|status| response(status, &[]));
    for answer in refusals.into_iter().chain([ssh]) {
        let said = answer.clone();
        let server = Handmade::start(move |_| said.clone()).await;
        for scheme in ["ws", "http"] {
            let options = options(&format!("{scheme}://{}", server.addr), &tls);
            assert!(!is_tried_again(options).await, "{scheme} {answer}");
        }
    }
    // Certificates, and TLS on one side only.
    let server = server().await;
    let terminator = Terminator::start(self_signed(&NAMES, true), server.addr()).await;
    for scheme in ["ws", "wss", "http", "https"] {
        let other_side = match scheme {
            "wss" | "https" => server.addr(),
            _ => terminator.addr,
        };
        for address in [terminator.addr, other_side] {
            let options = options(&format!("{scheme}://{address}"), &tls);
            assert!(!is_tried_again(options).await, "{scheme} {address}");
        }
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_mend_is_tried_again() {
    let tls = TlsOptions::default();
    let troubles = ["408 a", "425 a", "429 a", "500 a", "502 a", "503 a"];
    let troubles = troubles.map(|status| response(status, &[]));
    for answer in troubles.into_iter().chain([String::new()]) {
        let said = answer.clone();
        let server = Handmade::start(move |_| said.clone()).await;
        for scheme in ["ws", "http"] {
            let options = options(&format!("{scheme}://{}", server.addr), &tls);
            assert!(is_tried_again(options).await, "{scheme} {answer}");
        }
    }
    // Free again as soon as the listener is dropped.
    let free = TcpListener::bind(LOOPBACK).unwrap().local_addr().unwrap();
    for scheme in ["ws", "wss", "http", "https"] {
        let options = options(&format!("{scheme}://{free}"), &tls);
        assert!(is_tried_again(options).await, "{scheme}");
    }
}
