//! The page over HTTP: which file a path is, and what is said about it.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use percent_encoding::percent_decode_str;

use super::files::{File, Files};
use super::http::Ends;
use super::negotiate::{Accepted, Coding, has_it_already};

const INDEX: &str = "/index.html";

/// For files whose name changes with their content: a year, the most that
/// caches take (RFC 9111 section 5.3, RFC 8246).
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// For everything else: kept, but asked about each time.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// Hexadecimal digits in the hash that trunk puts into file names.
const HASH_DIGITS: usize = 16;

const NOT_BUILT: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>Two-way Streaming</title>
<h1>The server runs, the page is not built</h1>
<p>Build it and reload:</p>
<pre>trunk build --release</pre>
<p>or let <code>cargo xtask demo</code> do everything. The server looks for the
page in the folder given by <code>--page</code>, <code>dist</code> by default.</p>
</html>
";

/// Sent with all of the page: it is read as what it is called, says nowhere who
/// links to it, and has what it uses of the device and nothing else. Who may
/// frame it is not limited: the embed view is there to be framed. What it may
/// load, it says itself.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("permissions-policy"),
        "autoplay=(self), camera=(self), display-capture=(self), fullscreen=(self), \
         microphone=(self), picture-in-picture=(self), accelerometer=(), geolocation=(), \
         gyroscope=(), hid=(), magnetometer=(), midi=(), payment=(), serial=(), usb=()",
    ),
];

/// The page, and where it is to be had.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) files: Files,
    /// The port with TLS that everybody is sent to; `None`: any will do.
    pub(super) only_at: Option<u16>,
}

/// Serves the page's files; it may be built while the server runs.
pub(super) fn router(page: Page) -> Router {
    let Page { files, only_at } = page;
    let files = Arc::new(files);
    let warmed = Arc::clone(&files);
    // Nobody waits for it.
    drop(tokio::task::spawn_blocking(move || warmed.warm_up()));
    Router::new().fallback(move |request: Request| async move {
        let (request, _) = request.into_parts();
        let mut response = match only_at.and_then(|port| secure(&request, port)) {
            Some(elsewhere) => Redirect::temporary(&elsewhere).into_response(),
            None => answer(files, request).await,
        };
        for (name, value) in HEADERS {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        response
    })
}

/// The address with TLS of what is asked for without, on the host that the client named.
fn secure(request: &Parts, port: u16) -> Option<String> {
    let ends: &Ends = request.extensions.get()?;
    let host = request.headers.get(header::HOST)?.to_str().ok()?;
    let host: Authority = host.parse().ok()?;
    let path = request.uri.path_and_query()?;
    let reads = matches!(request.method, Method::GET | Method::HEAD);
    (reads && !ends.is_secure).then(|| format!("https://{}:{port}{path}", host.host()))
}

async fn answer(files: Arc<Files>, request: Parts) -> Response {
    if !matches!(request.method, Method::GET | Method::HEAD) {
        let allow = [(header::ALLOW, "GET, HEAD")];
        return (StatusCode::METHOD_NOT_ALLOWED, allow).into_response();
    }
    let Ok(path) = percent_decode_str(request.uri.path()).decode_utf8() else {
        return not_found();
    };
    let path = path.into_owned();
    // The disk may be slow.
    let found = tokio::task::spawn_blocking(move || find(&files, path)).await;
    match found {
        Ok(Found::File { file, path }) => send(&file, &path, &request.headers),
        Ok(Found::NotBuilt) => {
            ([(header::CACHE_CONTROL, REVALIDATE)], Html(NOT_BUILT)).into_response()
        }
        Ok(Found::Nothing) | Err(_) => not_found(),
    }
}

/// What a path stands for.
enum Found {
    File { file: Arc<File>, path: String },
    NotBuilt,
    Nothing,
}

/// A path that is no file is the page itself, unless it looks like a file.
fn find(files: &Files, path: String) -> Found {
    if let Some(file) = files.file(&path) {
        return Found::File { file, path };
    }
    if path != INDEX && (Path::new(&path).extension().is_some() || path.contains("..")) {
        return Found::Nothing;
    }
    match files.file(INDEX) {
        Some(file) => Found::File {
            file,
            path: INDEX.into(),
        },
        None => Found::NotBuilt,
    }
}

fn send(file: &File, path: &str, headers: &HeaderMap) -> Response {
    let (coding, content) = file.content(Accepted::of(headers));
    let tag = file.tag(coding);
    let cache = if has_hash(path) {
        IMMUTABLE
    } else {
        REVALIDATE
    };
    let about = [
        (header::CACHE_CONTROL, cache),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    if has_it_already(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, about, [(header::ETAG, tag)]).into_response();
    }
    let kind = [(header::CONTENT_TYPE, content_type(path))];
    let mut response = (about, [(header::ETAG, tag)], kind, content.clone()).into_response();
    if coding != Coding::Identity {
        let coding = HeaderValue::from_static(coding.name());
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, coding);
    }
    response
}

fn not_found() -> Response {
    let about = [(header::CACHE_CONTROL, REVALIDATE)];
    (StatusCode::NOT_FOUND, about, "no such file").into_response()
}

/// The media type of what a page is made of, RFC 9110 section 8.3.1.
fn content_type(path: &str) -> &'static str {
    let extension = Path::new(path).extension().and_then(|e| e.to_str());
    match extension.unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Whether a file's name holds a hash of its content: `app-0123456789abcdef.js`,
/// `app-0123456789abcdef_bg.wasm`.
fn has_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split('-').skip(1).any(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        let next = part.as_bytes().get(digits);
        digits == HASH_DIGITS && matches!(next, Some(b'.' | b'_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, hashed: bool) {
        assert_eq!(has_hash(path), hashed, "{path}");
    }

    #[test]
    fn only_names_with_a_hash_never_change() {
        check("/two-way-streaming-0123456789abcdef.js", true);
        check("/two-way-streaming-0123456789abcdef_bg.wasm", true);
        check("/style-fedcba9876543210.css", true);
        check("/index.html", false);
        check("/", false);
        check("/logo-dark.svg", false);
        check("/two-way-0123.js", false);
        check("/0123456789abcdef-1/file.js", false);
    }
}
