//! WHIP (RFC 9725) and WHEP: an offer by POST, its answer in the response, and the
//! session deleted at the end. `{name}` in the address stands for the stream; without it,
//! `/whip/{name}` and `/whep/{name}` follow the address.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION};
use reqwest::{Client, Response, StatusCode, Url};
use session::{StreamRole, percent_encode};

use crate::draft::Draft;
use crate::error::{Error, Result};

/// How long a server may take to answer a request.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// How much of a refusal is quoted, characters.
const QUOTED: usize = 200;

/// What a path has plain beside letters and digits (RFC 3986 section 2.3).
const PLAIN: &[u8] = b"-._~";

/// A server that speaks WHIP and WHEP.
pub struct Http {
    url: String,
    token: Option<HeaderValue>,
    client: Client,
}

/// A session at it.
pub(super) struct Held {
    client: Client,
    resource: Option<Url>,
    token: Option<HeaderValue>,
}

impl Http {
    /// The server at `http://` or `https://` address, with a bearer token where it wants
    /// one. Nothing is connected yet.
    ///
    /// # Errors
    /// The token cannot stand in a header, or there is no TLS.
    pub fn new(url: &str, token: Option<&str>) -> Result<Self> {
        let client = Client::builder().timeout(ANSWER_WITHIN).no_proxy().build();
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            token: token.map(bearer).transpose()?,
            client: client.map_err(|error| Error::because("no HTTP client", error))?,
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Publishes or plays `stream`.
    pub(super) async fn negotiate(
        &self,
        role: StreamRole,
        stream: &str,
        draft: &mut Draft,
    ) -> Result<Held> {
        let endpoint = self.endpoint(role, stream)?;
        let request = self.client.post(endpoint.clone());
        let request = authorized(request, self.token.as_ref())
            .header(CONTENT_TYPE, "application/sdp")
            .body(draft.offer()?);
        let sent = request.send().await;
        let response = sent.map_err(|error| unreachable(&endpoint, &error))?;
        if response.status() != StatusCode::CREATED {
            return Err(refusal(&endpoint, response).await);
        }
        let location = response.headers().get(LOCATION);
        let location = location.and_then(|location| location.to_str().ok());
        let held = Held {
            client: self.client.clone(),
            resource: location.and_then(|location| response.url().join(location).ok()),
            token: self.token.clone(),
        };
        let answer = response.text().await;
        let answer = answer.map_err(|error| unreachable(&endpoint, &error))?;
        draft.accept(&answer)?;
        Ok(held)
    }

    fn endpoint(&self, role: StreamRole, stream: &str) -> Result<Url> {
        let name = percent_encode(stream, PLAIN);
        let url = if self.url.contains("{name}") {
            self.url.replace("{name}", &name)
        } else {
            let kind = match role {
                StreamRole::Publisher => "whip",
                StreamRole::Player => "whep",
            };
            format!("{}/{kind}/{name}", self.url)
        };
        Url::parse(&url).map_err(|error| Error::because(format!("{url} is no address"), error))
    }
}

fn bearer(token: &str) -> Result<HeaderValue> {
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    let sentence = "an access token has letters, digits and signs, and no line breaks";
    let mut value = value.map_err(|_| Error::new(sentence))?;
    value.set_sensitive(true);
    Ok(value)
}

impl Held {
    pub(super) async fn leave(self) {
        let Some(resource) = self.resource else {
            return;
        };
        let request = authorized(self.client.delete(resource), self.token.as_ref());
        if let Err(error) = request.send().await {
            tracing::debug!(%error, "the session is not deleted");
        }
    }
}

fn authorized(
    request: reqwest::RequestBuilder,
    token: Option<&HeaderValue>,
) -> reqwest::RequestBuilder {
    match token {
        Some(token) => request.header(AUTHORIZATION, token.clone()),
        None => request,
    }
}

fn unreachable(endpoint: &Url, error: &reqwest::Error) -> Error {
    let why = if error.is_timeout() {
        format!("it does not answer within {} s", ANSWER_WITHIN.as_secs())
    } else {
        innermost(error)
    };
    Error::because(format!("cannot reach {endpoint}"), why)
}

/// What the system said: what is around it repeats the address.
fn innermost(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => innermost(source),
        None => error.to_string(),
    }
}

async fn refusal(endpoint: &Url, response: Response) -> Error {
    let status = response.status();
    let text = response.text().await.unwrap_or_default();
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text: String = text.chars().take(QUOTED).collect();
    let why = if text.is_empty() {
        status.to_string()
    } else {
        format!("{status}, {text}")
    };
    Error::because(format!("{endpoint} refuses the stream"), why)
}
