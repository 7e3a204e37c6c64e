//! The page's files: types, lifetimes, compression, conditions, and what is no
//! request for one.

use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;

use tempfile::TempDir;
use twoway_server::net::Running;

use crate::client::{config, start};
use crate::web::{Response, exchange, get, request};

const SCRIPT: &str = "/app-0123456789abcdef.js";

/// A page of five files, served.
async fn page() -> (TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "index.html",
        "app-0123456789abcdef_bg.wasm",
        "style-0123456789abcdef.css",
        "logo.svg",
    ] {
        write(folder.path(), name, name);
    }
    write(folder.path(), &SCRIPT[1..], &script());
    let mut config = config();
    config.page = folder.path().into();
    (folder, start(config).await)
}

fn script() -> String {
    "export const answer = 42;\n".repeat(1_000)
}

fn write(folder: &Path, name: &str, content: &str) {
    std::fs::write(folder.join(name), content).unwrap();
}

async fn get_coded(addr: SocketAddr, codings: &str) -> Response {
    request(addr, "GET", SCRIPT, &[("Accept-Encoding", codings)], &[]).await
}

/// Asks until the server has its brotli ready.
async fn get_brotli(addr: SocketAddr) -> Response {
    loop {
        let response = get_coded(addr, "gzip, br").await;
        if response.expect("content-encoding") == "br" {
            return response;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn files_have_the_right_types_and_lifetimes() {
    let (_folder, server) = page().await;
    for (name, kind, cache) in [
        ("index.html", "text/html; charset=utf-8", "no-cache"),
        (
            "app-0123456789abcdef_bg.wasm",
            "application/wasm",
            "immutable",
        ),
        (
            "style-0123456789abcdef.css",
            "text/css; charset=utf-8",
            "immutable",
        ),
        ("logo.svg", "image/svg+xml", "no-cache"),
    ] {
        let response = get(server.addr(), &format!("/{name}")).await;
        assert_eq!((response.status, response.text()), (200, name));
        assert_eq!(response.expect("content-type"), kind);
        assert!(response.expect("cache-control").contains(cache), "{name}");
    }
    for path in ["/", "/some/route", "/?name=test"] {
        let response = get(server.addr(), path).await;
        assert_eq!((response.status, response.text()), (200, "index.html"));
        assert_eq!(response.header("cache-control"), Some("no-cache"));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let (_folder, server) = page().await;
    for path in ["/", SCRIPT, "/missing.js"] {
        let response = get(server.addr(), path).await;
        assert_eq!(response.expect("x-content-type-options"), "nosniff");
        assert_eq!(response.expect("referrer-policy"), "no-referrer");
        let policy = response.expect("permissions-policy");
        for used in ["camera", "microphone", "display-capture", "autoplay"] {
            assert!(policy.contains(&format!("{used}=(self)")), "{policy}");
        }
        for framing in ["x-frame-options", "content-security-policy"] {
            assert_eq!(response.header(framing), None);
        }
    }
    server.shutdown().await;
}

#[tokio::test]
async fn files_are_compressed_as_the_client_takes_them() {
    let (_folder, server) = page().await;
    let plain = get_coded(server.addr(), "identity").await;
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(plain.text(), script());

    let gzip = get_coded(server.addr(), "gzip, br;q=0").await;
    assert_eq!(gzip.expect("content-encoding"), "gzip");
    let mut unpacked = String::new();
    let mut decoder = flate2::read::GzDecoder::new(gzip.body.as_slice());
    decoder.read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, script());

    let brotli = get_brotli(server.addr()).await;
    let mut unpacked = String::new();
    let mut decoder = brotli::Decompressor::new(brotli.body.as_slice(), 4_096);
    decoder.read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, script());

    let mut tags = [&plain, &gzip, &brotli].map(|r| r.expect("etag").to_owned());
    for response in [&plain, &gzip, &brotli] {
        assert_eq!(response.expect("vary"), "accept-encoding");
        assert_eq!(
            response.expect("content-type"),
            "text/javascript; charset=utf-8"
        );
    }
    tags.sort();
    assert!(tags[0] != tags[1] && tags[1] != tags[2], "{tags:?}");
    server.shutdown().await;
}

#[tokio::test]
async fn what_a_client_has_already_is_not_sent_again() {
    let (folder, server) = page().await;
    let first = get(server.addr(), "/").await;
    let tag = first.expect("etag").to_owned();
    let ask = async |tag: &str| {
        let condition = [("If-None-Match", tag)];
        request(server.addr(), "GET", "/", &condition, &[]).await
    };
    let same = ask(&tag).await;
    assert_eq!((same.status, same.body.len()), (304, 0));
    assert_eq!(same.expect("etag"), tag);
    assert_eq!(same.expect("cache-control"), "no-cache");
    assert_eq!(ask("\"other\"").await.status, 200);
    write(folder.path(), "index.html", "built again");
    let again = ask(&tag).await;
    assert_eq!((again.status, again.text()), (200, "built again"));
    server.shutdown().await;
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let (_folder, server) = page().await;
    let got = get(server.addr(), SCRIPT).await;
    let head = request(server.addr(), "HEAD", SCRIPT, &[], &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["content-length", "content-type", "etag", "cache-control"] {
        assert_eq!(head.expect(name), got.expect(name));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn what_is_no_file_is_not_found() {
    let (folder, server) = page().await;
    write(folder.path(), ".secret.js", "hidden");
    for path in [
        "/missing.wasm",
        "/app-ffffffffffffffff.js",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%2fCargo.toml",
        "/a/..%5c..%5cCargo.toml",
        "/.secret.js",
        "/index.html%00.js",
        "/%ff",
        "//etc/../../etc/passwd",
    ] {
        let response = get(server.addr(), path).await;
        assert_eq!(response.status, 404, "{path}: {}", response.text());
        assert_eq!(response.expect("cache-control"), "no-cache", "{path}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn odd_requests_are_answered_as_such() {
    let (_folder, server) = page().await;
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    let fields = format!("GET / HTTP/1.1\r\nCookie: {}\r\n\r\n", "x".repeat(200_000));
    for (bytes, statuses) in [
        ("POST / HTTP/1.1\r\nConnection: close\r\n\r\n", [405, 405]),
        (
            "DELETE /index.html HTTP/1.1\r\nConnection: close\r\n\r\n",
            [405, 405],
        ),
        (
            "BREW /tea HTTP/1.1\r\nConnection: close\r\n\r\n",
            [405, 405],
        ),
        ("G\u{e4}T / HTTP/1.1\r\n\r\n", [400, 400]),
        ("\0\0\0\r\n\r\n", [400, 400]),
        (long.as_str(), [414, 431]),
        (fields.as_str(), [431, 431]),
    ] {
        let response = exchange(server.addr(), bytes.as_bytes()).await;
        let line = &bytes[..bytes.len().min(20)];
        assert!(
            statuses.contains(&response.status),
            "{line}: {}",
            response.head
        );
    }
    let post = request(server.addr(), "POST", "/", &[], b"body").await;
    assert_eq!(post.expect("allow"), "GET, HEAD");
    assert_eq!(get(server.addr(), "/").await.status, 200);
    server.shutdown().await;
}

#[tokio::test]
async fn without_a_page_the_server_says_how_to_build_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config();
    config.page = folder.path().join("dist").as_path().into();
    let server = start(config).await;
    let response = get(server.addr(), "/").await;
    assert_eq!(response.status, 200);
    assert!(response.expect("content-type").starts_with("text/html"));
    assert!(response.text().contains("trunk build --release"));
    // Built while the server runs.
    std::fs::create_dir(folder.path().join("dist")).unwrap();
    write(&folder.path().join("dist"), "index.html", "built");
    assert_eq!(get(server.addr(), "/").await.text(), "built");
    server.shutdown().await;
}
