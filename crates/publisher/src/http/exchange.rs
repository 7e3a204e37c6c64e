//! One request, through redirects, to its response.

use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH, LINK,
    LOCATION, RETRY_AFTER,
};
use reqwest::{Client, Method, Response, Url};
use session::{HttpRequest, HttpResponse, Input, MAX_BODY_BYTES, Severity, Token};
use tokio::time::timeout;
use tracing::warn;

use super::ANSWER_TIMEOUT;
use super::failure::{Failure, Scheme};

/// Balancing loads takes one, moving to TLS another.
const MAX_REDIRECTS: usize = 5;

/// What came of a request.
#[derive(Debug)]
pub(super) struct Exchanged {
    pub(super) input: Input,
    /// Of a failure, see [`Failure::severity`].
    pub(super) severity: Severity,
    pub(super) way: Way,
}

/// Where a request went.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// The origin that a redirect led to, if it was another one.
    pub(super) stranger: Option<String>,
    /// It may have got to the server that it is for: there was a connection.
    pub(super) arrived: bool,
}

/// Sends a request and waits for the whole response.
pub(super) async fn exchange(client: Client, mut request: HttpRequest) -> Exchanged {
    let id = request.id;
    let mut way = Way::default();
    let answered = timeout(ANSWER_TIMEOUT, follow(&client, &mut request, &mut way));
    let result = answered.await.unwrap_or_else(|_| {
        let seconds = ANSWER_TIMEOUT.as_secs();
        let why = format!("it does not answer within {seconds} s");
        Err(Failure::passing(why))
    });
    let (input, severity) = match result {
        Ok(response) => (Input::Response { id, response }, Severity::Passing),
        Err(Failure { why, severity }) => {
            let error = match &way.stranger {
                None => why,
                Some(origin) => format!("redirected to {origin}: {why}"),
            };
            (Input::RequestFailed { id, error }, severity)
        }
    };
    Exchanged {
        input,
        severity,
        way,
    }
}

/// Follows redirects with method and body kept, whatever their status. RFC 9725
/// section 4.5 wants 307 and 308, which say so; servers that say 301 or 302
/// mean the same, as no stream was ever made by a GET.
async fn follow(
    client: &Client,
    request: &mut HttpRequest,
    way: &mut Way,
) -> Result<HttpResponse, Failure> {
    let mut url = Url::parse(&request.url).map_err(|_| Failure::fatal("its URL is none"))?;
    for _ in 0..=MAX_REDIRECTS {
        way.arrived = true;
        let sent = send(client, request, url.clone()).await;
        let response = sent.map_err(|error| {
            way.arrived = !error.is_connect();
            Failure::of(&error, scheme(&url))
        })?;
        if !matches!(response.status().as_u16(), 301 | 302 | 307 | 308) {
            return read(response, &url).await;
        }
        let next = target(&response, &url).map_err(Failure::fatal)?;
        if next.origin() != url.origin() {
            let origin = next.origin().ascii_serialization();
            if request.bearer.take().is_some() {
                warn!(
                    to = origin,
                    "redirected: the access token is not sent there"
                );
            }
            way.stranger = Some(origin);
        }
        url = next;
    }
    let why = format!("it redirects more than {MAX_REDIRECTS} times");
    Err(Failure::fatal(why))
}

/// Where a redirect leads.
fn target(response: &Response, from: &Url) -> Result<Url, &'static str> {
    let to = text(response.headers(), LOCATION)
        .and_then(|location| from.join(&location).ok())
        .filter(|to| matches!(to.scheme(), "http" | "https"))
        .filter(|to| to.username().is_empty() && to.password().is_none())
        .ok_or("it redirects to nowhere")?;
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err("it redirects to an address without TLS");
    }
    Ok(to)
}

async fn send(client: &Client, request: &HttpRequest, url: Url) -> reqwest::Result<Response> {
    let method = match request.method {
        session::Method::Post => Method::POST,
        session::Method::Patch => Method::PATCH,
        session::Method::Delete => Method::DELETE,
    };
    let mut sending = client.request(method, url);
    if let Some(token) = &request.bearer {
        sending = sending.header(AUTHORIZATION, bearer(token));
    }
    if let Some(content_type) = request.content_type {
        sending = sending.header(CONTENT_TYPE, content_type);
    }
    if let Some(etag) = &request.if_match {
        sending = sending.header(IF_MATCH, etag);
    }
    if !request.body.is_empty() {
        sending = sending.body(request.body.clone());
    }
    sending.send().await
}

async fn read(mut response: Response, url: &Url) -> Result<HttpResponse, Failure> {
    let mut body = Vec::new();
    while body.len() <= MAX_BODY_BYTES {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| Failure::of(&error, scheme(url)))? else {
            break;
        };
        body.extend_from_slice(&chunk);
    }
    // One byte too many tells the session that it is too long.
    body.truncate(MAX_BODY_BYTES + 1);
    let headers = response.headers();
    Ok(HttpResponse {
        status: response.status().as_u16(),
        location: text(headers, LOCATION)
            .and_then(|location| url.join(&location).ok())
            .map(String::from),
        etag: text(headers, ETAG),
        links: headers.get_all(LINK).iter().filter_map(shown).collect(),
        content_type: text(headers, CONTENT_TYPE),
        retry_after: text(headers, RETRY_AFTER),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

fn scheme(url: &Url) -> Scheme {
    match url.scheme() {
        "https" => Scheme::Https,
        _ => Scheme::Http,
    }
}

/// `Authorization: Bearer` (RFC 6750 section 2.1), marked as not to be shown.
pub(crate) fn bearer(token: &Token) -> HeaderValue {
    // A token is visible ASCII, which a header takes.
    let text = format!("Bearer {}", token.as_str());
    let mut value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("Bearer"));
    value.set_sensitive(true);
    value
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).and_then(shown)
}

fn shown(value: &HeaderValue) -> Option<String> {
    Some(value.to_str().ok()?.to_owned())
}
