//! Everything the panel knows, as JSON for a bug report. Never a token.

use core::mem;

use serde::Serialize;
use serde_json::Value;

use super::{FirstFrame, Overview, Point, Record};
use crate::platform::peer::Milestones;

/// Where a report comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// The server's address as typed; the report has it [`without_secrets`].
    pub server: String,
    /// What the browser calls itself.
    pub user_agent: String,
    /// When it is made, milliseconds since the Unix epoch.
    pub unix_ms: f64,
    /// What the guard said last; empty if nothing.
    pub guard: String,
}

#[derive(Serialize)]
struct Report<'a> {
    page: &'static str,
    user_agent: &'a str,
    server: String,
    unix_ms: f64,
    guard: &'a str,
    milestones: Option<&'a Milestones>,
    first_frame: &'a FirstFrame,
    quality: Option<&'static str>,
    loss: Option<f64>,
    seconds: Vec<&'a Point>,
}

/// The report as JSON text: what happened so far, then each of the last 60 seconds, oldest first.
pub fn bug_report(
    about: &About,
    milestones: Option<&Milestones>,
    first_frame: &FirstFrame,
    record: &Record,
) -> String {
    let overview = record.overview();
    let quality = overview.as_ref().and_then(|overview| overview.quality);
    let report = Report {
        page: concat!("two-way-streaming ", env!("CARGO_PKG_VERSION")),
        user_agent: &about.user_agent,
        server: without_secrets(&about.server),
        unix_ms: about.unix_ms,
        guard: &about.guard,
        milestones,
        first_frame,
        quality: quality.map(|quality| quality.text()),
        loss: overview.and_then(|Overview { loss, .. }| loss),
        seconds: record.points().map(AsRef::as_ref).collect(),
    };
    // Only numbers, texts and names are in it, so that this cannot fail.
    match serde_json::to_value(report) {
        Ok(mut json) => {
            leave_out_unknown(&mut json);
            format!("{json:#}")
        }
        Err(error) => error.to_string(),
    }
}

/// Removes members that are `null`: what is not known is not there.
fn leave_out_unknown(json: &mut Value) {
    if let Some(members) = json.as_object_mut() {
        for (name, mut value) in mem::take(members) {
            if !value.is_null() {
                leave_out_unknown(&mut value);
                members.insert(name, value);
            }
        }
    } else if let Some(items) = json.as_array_mut() {
        items.iter_mut().for_each(leave_out_unknown);
    }
}

/// An address without what may be secret in it: user, password, query and
/// fragment (RFC 3986, section 3).
pub fn without_secrets(address: &str) -> String {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let address = &address[..end];
    let (scheme, rest) = address.find("://").map_or(("", address), |scheme| {
        let authority = scheme + 3;
        (&address[..authority], &address[authority..])
    });
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::super::{FrameTimes, Sample};
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_stay_out() {
        let check = |address, expected| assert_eq!(without_secrets(address), expected);
        check("ws://a.example:8080/ws", "ws://a.example:8080/ws");
        check("wss://a.example/x?token=y", "wss://a.example/x");
        check("wss://a.example/x#y", "wss://a.example/x");
        check("wss://me:pass@a.example/x", "wss://a.example/x");
        check("wss://me:p@ss@a.example?t=/@", "wss://a.example");
        check("https://a.example/user@home", "https://a.example/user@home");
        check("me@a.example", "a.example");
        check("me:pass@a.example/x@y", "a.example/x@y");
        check("?@://", "");
        check("", "");
    }

    #[test]
    fn golden() {
        let mut record = Record::default();
        let mut sample = Sample {
            at_ms: 1_500.0,
            ..Sample::default()
        };
        sample.video.width = Some(640.0);
        sample.video.height = Some(360.0);
        sample.video.codec = Some("video/VP8".to_owned());
        sample.path.round_trip_ms = Some(4.0);
        let frames = FrameTimes {
            delay_ms: Some(40.0),
            arrival_ms: Some(20.0),
            display_ms: Some(20.0),
            strip_ms: Some(41.0),
        };
        record.handle_sample(sample, &frames);
        let about = About {
            server: "wss://me:pass@a.example/ws?token=secret".to_owned(),
            user_agent: "Browser/1".to_owned(),
            unix_ms: 1_795_344_498_399.0,
            guard: "Caught up: was 2.3 s behind".to_owned(),
        };
        let milestones = Milestones {
            created_ms: 1_000.0,
            answered_ms: Some(1_020.0),
            ..Milestones::default()
        };
        let first_frame = FirstFrame::of(&milestones, None);
        let text = bug_report(&about, Some(&milestones), &first_frame, &record);
        assert!(!text.contains("secret") && !text.contains("pass"), "{text}");
        let report: Value = serde_json::from_str(&text).unwrap();
        let mut expected: Value = serde_json::from_str(include_str!("report_golden.json")).unwrap();
        expected["page"] = json!(concat!("two-way-streaming ", env!("CARGO_PKG_VERSION")));
        assert_eq!(report, expected, "{text}");
    }
}
