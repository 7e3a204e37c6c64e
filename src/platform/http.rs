//! Requests to WHIP and WHEP servers, by `fetch`.

use session::{HttpRequest, HttpResponse};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortSignal, Headers, ReferrerPolicy, RequestCredentials, RequestInit, Response, Url,
};

use super::Thrown;

/// Until the whole response is there.
const TIMEOUT_MS: u32 = 10_000;

/// Sends `request` and waits for the whole response; redirects are followed.
///
/// # Errors
/// There was no response in time, or the browser hides it: no network, a
/// certificate it does not trust, or a server without CORS headers.
pub async fn exchange(request: &HttpRequest) -> Result<HttpResponse, Thrown> {
    let init = RequestInit::new();
    init.set_method(request.method.as_str());
    init.set_headers_headers(&headers(request)?);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MS)));
    // Neither cookies nor the page's address are the server's business.
    init.set_credentials(RequestCredentials::Omit);
    init.set_referrer_policy(ReferrerPolicy::NoReferrer);
    if !request.body.is_empty() {
        init.set_body_opt_str(Some(&request.body));
    }
    // A stream is ended even when the page is being left.
    let _set = js_sys::Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE);
    let window = web_sys::window().ok_or_else(|| Thrown::from(JsValue::NULL))?;
    let fetched = window.fetch_with_str_and_init(&request.url, &init);
    read(JsFuture::from(fetched).await?.unchecked_into()).await
}

fn headers(request: &HttpRequest) -> Result<Headers, JsValue> {
    let headers = Headers::new()?;
    if let Some(token) = &request.bearer {
        headers.set("Authorization", &format!("Bearer {}", token.as_str()))?;
    }
    if let Some(content_type) = request.content_type {
        headers.set("Content-Type", content_type)?;
    }
    if let Some(etag) = &request.if_match {
        headers.set("If-Match", etag)?;
    }
    Ok(headers)
}

async fn read(response: Response) -> Result<HttpResponse, Thrown> {
    let body = JsFuture::from(response.text()?).await?;
    let headers = response.headers();
    let header = |name| headers.get(name).ok().flatten();
    Ok(HttpResponse {
        status: response.status(),
        location: header("Location").and_then(|location| absolute(&location, &response.url())),
        etag: header("ETag"),
        links: header("Link").into_iter().collect(),
        content_type: header("Content-Type"),
        retry_after: header("Retry-After"),
        body: body.as_string().unwrap_or_default(),
    })
}

fn absolute(location: &str, base: &str) -> Option<String> {
    Some(Url::new_with_base(location, base).ok()?.href())
}
