//! What happens and how it goes, one JSON object a line, for machines.

use serde::Serialize;
use twoway_publisher::{Event, PublisherEvent, Stats};

use super::exit::Outcome;
use super::lines::session_status;

/// One line.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Line<'a> {
    Session {
        status: &'static str,
        reason: Option<&'a str>,
    },
    Stream {
        name: &'a str,
        status: &'a str,
        info: Option<&'a str>,
        error: Option<&'a str>,
    },
    Warning {
        text: &'a str,
    },
    Notice {
        text: &'a str,
    },
    Reconnecting {
        reason: String,
        attempt: u32,
        wait_seconds: f64,
    },
    Stats(&'a Stats),
    End(&'a Outcome),
}

impl<'a> Line<'a> {
    /// The line that tells of `event`, if it is worth one.
    pub(crate) fn of(event: &'a PublisherEvent) -> Option<Self> {
        match event {
            PublisherEvent::Signalling(event) => Self::of_signalling(event),
            PublisherEvent::Reconnecting {
                reason,
                attempt,
                wait,
            } => Some(Self::Reconnecting {
                reason: reason.to_string(),
                attempt: *attempt,
                wait_seconds: wait.as_secs_f64(),
            }),
            PublisherEvent::Notice(text) => Some(Self::Notice { text }),
        }
    }

    fn of_signalling(event: &'a Event) -> Option<Self> {
        match event {
            Event::Session { status, reason } => Some(Self::Session {
                status: session_status(*status),
                reason: reason.as_deref(),
            }),
            Event::Stream(update) => Some(Self::Stream {
                name: update.name.as_str(),
                status: update.status.as_str(),
                info: update.info.as_deref(),
                error: update.error.as_deref(),
            }),
            Event::Warning(text) => Some(Self::Warning { text }),
            Event::StreamEvent { .. }
            | Event::Available { .. }
            | Event::AppData(_)
            | Event::VideoRate { .. } => None,
        }
    }

    /// The line's text, told at `unix_ms` milliseconds of Unix time.
    pub(crate) fn text(&self, unix_ms: u64) -> String {
        #[derive(Serialize)]
        struct Timed<'a> {
            unix_ms: u64,
            #[serde(flatten)]
            line: &'a Line<'a>,
        }
        let line = Timed {
            unix_ms,
            line: self,
        };
        // Structures and texts cannot fail to be JSON.
        serde_json::to_string(&line).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::lines::testing::{session, stream};
    use super::*;
    use twoway_publisher::{Error, SessionStatus};

    #[test]
    fn lines_are_as_documented() {
        let check = |line: Line<'_>, expected: &str| {
            assert_eq!(line.text(1_700_000_000_123), expected);
        };
        check(
            Line::of(&session(SessionStatus::Failed, Some("no route"))).unwrap(),
            r#"{"unix_ms":1700000000123,"event":"session","status":"FAILED","reason":"no route"}"#,
        );
        check(
            Line::of(&stream("PUBLISHING", None, None)).unwrap(),
            r#"{"unix_ms":1700000000123,"event":"stream","name":"cam","status":"PUBLISHING","info":null,"error":null}"#,
        );
        let lost = PublisherEvent::Reconnecting {
            reason: Error::Connection("gone".to_owned()),
            attempt: 2,
            wait: Duration::from_millis(750),
        };
        check(
            Line::of(&lost).unwrap(),
            r#"{"unix_ms":1700000000123,"event":"reconnecting","reason":"connection lost: gone","attempt":2,"wait_seconds":0.75}"#,
        );
        check(
            Line::of(&PublisherEvent::Notice("a \"b\"\n".to_owned())).unwrap(),
            r#"{"unix_ms":1700000000123,"event":"notice","text":"a \"b\"\n"}"#,
        );
        check(
            Line::End(&Outcome::from(&Ok(()))),
            r#"{"unix_ms":1700000000123,"event":"end","exit_code":0,"error":null}"#,
        );
    }

    #[test]
    fn statistics_are_a_line_of_their_own() {
        let text = Line::Stats(&Stats::default()).text(1);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["event"], "stats");
        assert_eq!(value["unix_ms"], 1);
        assert_eq!(value["on_air_seconds"], 0.0);
        assert_eq!(value["network"]["bytes_sent"], 0);
    }
}
