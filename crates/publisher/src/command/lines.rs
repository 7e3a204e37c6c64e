//! What happens, one plain line each, for people and scripts.

use twoway_publisher::{Event, PublisherEvent, SessionStatus, StreamUpdate};

use super::units;

/// The line that tells of `event`, if it is worth one.
pub(crate) fn line(event: &PublisherEvent) -> Option<String> {
    match event {
        PublisherEvent::Signalling(event) => signalling_line(event),
        PublisherEvent::Reconnecting { reason, wait, .. } => Some(format!(
            "reconnecting in {}: {reason}",
            units::seconds(*wait)
        )),
        PublisherEvent::Notice(text) => Some(format!("notice: {text}")),
    }
}

fn signalling_line(event: &Event) -> Option<String> {
    match event {
        Event::Session { status, reason } => Some(format!(
            "session: {}{}",
            session_status(*status),
            in_parentheses(reason.as_deref())
        )),
        Event::Stream(update) => Some(stream_line(update)),
        Event::Warning(text) => Some(format!("warning: {text}")),
        Event::StreamEvent { .. }
        | Event::Available { .. }
        | Event::AppData(_)
        | Event::VideoRate { .. } => None,
    }
}

fn stream_line(update: &StreamUpdate) -> String {
    let why = match (&update.info, &update.error) {
        (Some(info), Some(error)) => Some(format!("{info}: {error}")),
        (info, error) => info.clone().or_else(|| error.clone()),
    };
    format!(
        "stream {}: {}{}",
        update.name.as_str(),
        update.status.as_str(),
        in_parentheses(why.as_deref())
    )
}

fn in_parentheses(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(" ({text})"))
}

/// As the protocol spells it.
pub(crate) fn session_status(status: SessionStatus) -> &'static str {
    match status {
        SessionStatus::Pending => "PENDING",
        SessionStatus::Connected => "CONNECTED",
        SessionStatus::Established => "ESTABLISHED",
        SessionStatus::Disconnected => "DISCONNECTED",
        SessionStatus::Failed => "FAILED",
    }
}

/// Takes control characters out of what a server or a file said: they would
/// break the line, or steer the terminal.
pub(crate) fn on_one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use twoway_publisher::StreamName;

    pub(crate) fn session(status: SessionStatus, reason: Option<&str>) -> PublisherEvent {
        let reason = reason.map(str::to_owned);
        PublisherEvent::Signalling(Event::Session { status, reason })
    }

    pub(crate) fn stream(status: &str, info: Option<&str>, error: Option<&str>) -> PublisherEvent {
        PublisherEvent::Signalling(Event::Stream(StreamUpdate {
            id: "id".to_owned().into(),
            name: StreamName::new("cam"),
            role: session::StreamRole::Publisher,
            status: wire::StreamStatus::from_wire(status),
            info: info.map(str::to_owned),
            error: error.map(str::to_owned),
            severity: session::Severity::Passing,
            retry_after: None,
            muted: None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::testing::{session, stream};
    use super::*;
    use twoway_publisher::Error;

    #[test]
    fn statuses_are_spelt_as_the_protocol_has_them() {
        let check = |event, expected: &str| assert_eq!(line(&event).as_deref(), Some(expected));
        check(
            session(SessionStatus::Established, None),
            "session: ESTABLISHED",
        );
        check(
            session(SessionStatus::Failed, Some("no route")),
            "session: FAILED (no route)",
        );
        check(stream("PUBLISHING", None, None), "stream cam: PUBLISHING");
        check(
            stream("FAILED", Some("Stream name is already in use"), None),
            "stream cam: FAILED (Stream name is already in use)",
        );
        check(
            stream("FAILED", Some("Local error"), Some("no socket")),
            "stream cam: FAILED (Local error: no socket)",
        );
        check(
            stream("FAILED", None, Some("no socket")),
            "stream cam: FAILED (no socket)",
        );
    }

    #[test]
    fn what_goes_on_beside_the_signalling_has_lines_too() {
        let check = |event, expected: &str| assert_eq!(line(&event).as_deref(), Some(expected));
        let lost = PublisherEvent::Reconnecting {
            reason: Error::Connection("the server is gone".to_owned()),
            attempt: 1,
            wait: Duration::from_millis(1_240),
        };
        check(
            lost,
            "reconnecting in 1.2 s: connection lost: the server is gone",
        );
        let notice = PublisherEvent::Notice("the camera is back".to_owned());
        check(notice, "notice: the camera is back");
        let warning = PublisherEvent::Signalling(Event::Warning("slow down".to_owned()));
        check(warning, "warning: slow down");
        let data = PublisherEvent::Signalling(Event::AppData(serde_json::Value::Null));
        assert_eq!(line(&data), None);
    }

    #[test]
    fn control_characters_do_not_get_through() {
        assert_eq!(on_one_line("a\nb\u{1b}[2Jc\u{9b}é"), "a b [2Jc é");
    }
}
