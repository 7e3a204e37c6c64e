//! The page's files.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use tower::ServiceExt;
use tower_http::services::{ServeDir, ServeFile};

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

/// Serves the files in `folder`; it may be built while the server runs.
pub(super) fn router(folder: PathBuf) -> Router {
    let index = folder.join("index.html");
    let fallback = move |request: Request| not_a_file(index.clone(), request);
    let files = ServeDir::new(folder).fallback(tower::service_fn(move |request| {
        let response = fallback(request);
        async { Ok(response.await) }
    }));
    Router::new()
        .fallback_service(files)
        .layer(middleware::from_fn(set_cache_header))
}

/// A path that is no file is the page itself, unless it looks like a file.
async fn not_a_file(index: PathBuf, request: Request) -> Response {
    let path = request.uri().path();
    if path != "/" && path != "/index.html" && Path::new(path).extension().is_some() {
        return (StatusCode::NOT_FOUND, "no such file").into_response();
    }
    if !index.is_file() {
        return Html(NOT_BUILT).into_response();
    }
    match ServeFile::new(index).oneshot(request).await {
        Ok(response) => response.into_response(),
        Err(never) => match never {},
    }
}

async fn set_cache_header(request: Request, next: Next) -> Response {
    let hashed = has_hash(request.uri().path());
    let mut response = next.run(request).await;
    let cache = if hashed && response.status().is_success() {
        IMMUTABLE
    } else {
        REVALIDATE
    };
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    response
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
