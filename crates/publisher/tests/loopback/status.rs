//! Statuses of a session and its streams, one like the other.

use twoway_publisher::Event;

/// A status as people know it.
pub(crate) fn status(event: &Event) -> Option<String> {
    match event {
        Event::Session { status, .. } => Some(format!("{status:?}")),
        Event::Stream(update) => Some(update.status.as_str().to_owned()),
        Event::StreamEvent { .. }
        | Event::Available { .. }
        | Event::Warning(_)
        | Event::AppData(_)
        | Event::VideoRate { .. } => None,
    }
}
