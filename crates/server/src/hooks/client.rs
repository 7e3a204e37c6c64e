//! One request to the application, and what its answer is.

use std::error::Error as _;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use reqwest::{RequestBuilder, Response, StatusCode, Url, redirect};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::Semaphore;

use super::{Config, Method, Secret};

/// Most bytes of an answer.
const MAX_ANSWER: usize = 64 << 10;

/// How long a connection waits for its next use: less than the five seconds after which
/// common servers close one, which a request could run into.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// What this server says it is.
const USER_AGENT: &str = concat!("twoway-server/", env!("CARGO_PKG_VERSION"));

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Why hooks cannot be.
#[derive(Debug, Error)]
pub enum StartError {
    /// The application's address is none.
    #[error("the application's address {0}")]
    Url(#[from] BadUrl),
    /// There is no HTTP client, most likely for want of certificates.
    #[error("cannot speak HTTPS to the application: {0}")]
    Client(String),
}

/// Why an application's address is none; goes on from its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadUrl {
    /// No URL, or no `http` or `https`.
    #[error("must be a URL that begins with http:// or https://")]
    Scheme,
    /// User, query or fragment.
    #[error("must have no user name, password, query or fragment: requests can be signed instead")]
    More,
}

/// Reads the application's address.
///
/// # Errors
/// It is none.
pub(super) fn base(url: &str) -> Result<Url, BadUrl> {
    let url = Url::parse(url).map_err(|_| BadUrl::Scheme)?;
    if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
        return Err(BadUrl::Scheme);
    }
    let more = !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some();
    if more { Err(BadUrl::More) } else { Ok(url) }
}

/// What the application says.
#[derive(Debug, PartialEq)]
pub(super) enum Reply {
    /// 200, and what came with it.
    Yes(Option<Value>),
    /// 4xx or 5xx.
    No,
}

/// Why there is no answer. `Display` is for the operator.
#[derive(Debug, Error)]
pub(super) enum Failure {
    #[error("the application does not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("the application cannot be reached: {0}")]
    Unreachable(String),
    #[error("the application answers {0}, which means nothing here")]
    Status(StatusCode),
    #[error("the application answers more than {MAX_ANSWER} bytes")]
    TooLong,
    #[error("the application's answer is no JSON")]
    NoJson,
}

/// Where requests go, and how many at a time.
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    /// What every message's id begins with.
    node_id: String,
    secret: Option<Secret>,
    timeout: Duration,
    places: Semaphore,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Client {
    pub(super) fn new(config: &Config, node_id: &str) -> Result<Self, StartError> {
        let base = base(&config.url)?;
        let mut builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(config.timeout)
            .pool_idle_timeout(POOL_IDLE)
            .user_agent(USER_AGENT);
        if base.scheme() == "http" {
            // Then it needs no certificates, which the host may not have.
            builder = builder.tls_certs_only([]);
        }
        let http = builder
            .build()
            .map_err(|error| StartError::Client(reason(&error)))?;
        Ok(Self {
            http,
            base: base.as_str().trim_end_matches('/').to_owned(),
            node_id: node_id.to_owned(),
            secret: config.secret.clone(),
            timeout: config.timeout,
            places: Semaphore::new(config.connections.get()),
        })
    }

    pub(super) fn node_id(&self) -> &str {
        &self.node_id
    }

    /// Sends the `number`-th request and reads its answer, all in time.
    pub(super) async fn post(
        &self,
        method: Method,
        number: u64,
        body: String,
    ) -> Result<Reply, Failure> {
        let exchange = async {
            // An error only once it is closed, which nobody does.
            let _place = self.places.acquire().await;
            let request = self.request(method, number, body);
            let response = request.send().await.map_err(unreachable)?;
            read(response).await
        };
        let late = |_| Failure::TimedOut(self.timeout);
        tokio::time::timeout(self.timeout, exchange)
            .await
            .map_err(late)?
    }

    fn request(&self, method: Method, number: u64, body: String) -> RequestBuilder {
        let url = format!("{}/{}", self.base, method.name());
        let mut request = self.http.post(url).header(CONTENT_TYPE, "application/json");
        if let Some(secret) = &self.secret {
            let id = format!("{}-{number}", self.node_id);
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let now = now.unwrap_or_default().as_secs();
            request = request
                .header(AUTHORIZATION, secret.wcs(body.as_bytes()))
                .header(WEBHOOK_SIGNATURE, secret.webhook(&id, now, body.as_bytes()))
                .header(WEBHOOK_TIMESTAMP, now)
                .header(WEBHOOK_ID, id);
        }
        request.body(body)
    }
}

async fn read(mut response: Response) -> Result<Reply, Failure> {
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        return Ok(Reply::No);
    }
    if status != StatusCode::OK {
        return Err(Failure::Status(status));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Failure::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    if body.is_empty() {
        return Ok(Reply::Yes(None));
    }
    let said = serde_json::from_slice(&body).map_err(|_| Failure::NoJson)?;
    Ok(Reply::Yes(Some(said)))
}

fn unreachable(error: reqwest::Error) -> Failure {
    Failure::Unreachable(reason(&error))
}

/// The innermost cause: what surrounds it says only that a request failed, and where to.
fn reason(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(|| "it does not speak HTTP".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Result<&str, BadUrl>) {
        let found = base(url);
        let found = found.as_ref().map(Url::as_str).map_err(|error| *error);
        assert_eq!(found, expected, "{url}");
    }

    #[test]
    fn an_address_is_http_and_nothing_more() {
        check(
            "http://localhost:8081/apps/EchoApp",
            Ok("http://localhost:8081/apps/EchoApp"),
        );
        check("https://a.example", Ok("https://a.example/"));
        for none in [
            "localhost:8081",
            "ftp://a.example/",
            "a.example/app",
            "",
            "http://",
        ] {
            check(none, Err(BadUrl::Scheme));
        }
        for more in [
            "http://me:secret@a.example/",
            "http://a.example/?key=1",
            "http://a.example/#x",
        ] {
            check(more, Err(BadUrl::More));
        }
    }
}
