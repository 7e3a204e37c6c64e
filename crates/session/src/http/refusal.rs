//! What a response to an offer means: an answer, or a failure in the words of
//! the protocol's infos, so that texts and retries are the same for all
//! servers.

use core::time::Duration;

use serde_json::Value;
use wire::info;

use super::message::HttpResponse;
use crate::retry::{Severity, severity_of_info};
use crate::{StreamRole, identity::Failure};

/// Most bytes of a response's body. An answer takes a few thousand.
pub const MAX_BODY_BYTES: usize = 64 * 1_024;

/// Most characters of what a server says of its refusal.
pub const MAX_DETAIL_CHARS: usize = 200;

/// Most bytes of the URL that a server gives a stream.
pub const MAX_URL_BYTES: usize = 8 * 1_024;

/// The longest wait a server can ask for.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);

/// The media type of offers and answers (RFC 9725 section 4.2).
pub(super) const SDP: &str = "application/sdp";

/// What a successful POST made.
#[derive(Debug)]
pub(super) struct Created {
    pub(super) location: String,
    pub(super) etag: Option<String>,
    pub(super) answer: String,
}

/// Reads the response to an offer (RFC 9725 section 4.2).
pub(super) fn read(response: HttpResponse, role: StreamRole) -> Result<Created, Failure> {
    if !is_success(&response) {
        return Err(refusal(&response, role));
    }
    if !media_type(&response).is_none_or(is_sdp) {
        return Err(nonsense("its answer is not SDP"));
    }
    if response.body.len() > MAX_BODY_BYTES {
        return Err(nonsense("its answer is too long"));
    }
    if !response.body.starts_with("v=0") {
        return Err(nonsense("its answer is empty or not SDP"));
    }
    let Some(location) = made(&response) else {
        return Err(nonsense(
            "its answer has no usable Location, or CORS hides it",
        ));
    };
    Ok(Created {
        location: location.to_owned(),
        etag: response.etag,
        answer: response.body,
    })
}

/// The URL of what a response to a POST made, if it made anything.
pub(super) fn made(response: &HttpResponse) -> Option<&str> {
    let location = response.location.as_deref()?;
    let http = location.starts_with("http://") || location.starts_with("https://");
    (is_success(response) && http && location.len() <= MAX_URL_BYTES).then_some(location)
}

pub(super) fn is_success(response: &HttpResponse) -> bool {
    (200..300).contains(&response.status)
}

/// A request without a response.
pub(super) fn unreachable(error: &str) -> Failure {
    Failure {
        info: info::STREAM_FAILED,
        error: Some(format!("the server could not be reached: {}", clean(error))),
        severity: Severity::Passing,
        retry_after: None,
    }
}

fn nonsense(what: &str) -> Failure {
    Failure {
        info: info::FAILED_BY_ERROR,
        error: Some(format!("the server answers wrongly: {what}")),
        severity: Severity::Fatal,
        retry_after: None,
    }
}

fn refusal(response: &HttpResponse, role: StreamRole) -> Failure {
    let status = response.status;
    let (info, severity) = match (status, role) {
        // To a player, 409 says that nobody publishes yet (draft-ietf-wish-whep
        // section 4.2).
        (404 | 409 | 410, StreamRole::Player) => known(info::SESSION_DOES_NOT_EXIST),
        (409, StreamRole::Publisher) => known(info::STREAM_NAME_ALREADY_IN_USE),
        (401 | 403, _) => known(info::RESTRICTED_ACCESS),
        // Nothing it has fits what is offered (RFC 9110 section 15.5.7, RFC 9725
        // section 4.4.3).
        (406 | 422, _) => known(info::NO_COMMON_CODECS),
        (408 | 425 | 429 | 500.., _) => (info::STREAM_FAILED, Severity::Passing),
        _ => (info::FAILED_BY_ERROR, Severity::Fatal),
    };
    let counter_offer = status == 406 && media_type(response).is_some_and(is_sdp);
    let detail = if counter_offer {
        Some("it wants to make the offer itself, which is not supported".to_owned())
    } else {
        detail(response)
    };
    let error = match detail {
        Some(detail) => format!("the server answered {status}: {detail}"),
        None => format!("the server answered {status}"),
    };
    Failure {
        info,
        error: Some(error),
        severity,
        retry_after: retry_after(response),
    }
}

fn known(info: &'static str) -> (&'static str, Severity) {
    (info, severity_of_info(Some(info)))
}

/// `Retry-After` in seconds (RFC 9110 section 10.2.3); dates are not read.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let seconds = response.retry_after.as_deref()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

fn media_type(response: &HttpResponse) -> Option<&str> {
    let content_type = response.content_type.as_deref()?;
    content_type.split(';').next().map(str::trim)
}

fn is_sdp(media_type: &str) -> bool {
    media_type.eq_ignore_ascii_case(SDP)
}

/// What the server says of its refusal: a problem's detail (RFC 9457), the like
/// in other JSON, or a plain text. Never markup.
fn detail(response: &HttpResponse) -> Option<String> {
    if response.body.len() > MAX_BODY_BYTES {
        return None;
    }
    let media_type = media_type(response)?.to_ascii_lowercase();
    let text = if media_type == "application/json" || media_type == "application/problem+json" {
        let body: Value = serde_json::from_str(&response.body).ok()?;
        let members = ["detail", "title", "error", "message"];
        let said = members.iter().find_map(|member| body.get(member)?.as_str());
        clean(said?)
    } else if media_type == "text/plain" {
        clean(&response.body)
    } else {
        return None;
    };
    let markup = text.contains('<') && text.contains('>');
    (!text.is_empty() && !markup).then_some(text)
}

/// One short line.
fn clean(text: &str) -> String {
    let line: Vec<_> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = line.join(" ");
    match line.char_indices().nth(MAX_DETAIL_CHARS) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}
