//! What the page says of the reason that came with FAILED.

use wire::info;

use super::recovery::Wait;

/// Said where the session itself was lost, so that no reason came.
const SESSION_GONE: &str = "Other: the connection to the server ended";

/// Said where nobody publishes under the name.
const NOT_STARTED: &str = "Actual session does not exist";

/// The text for a failed publish. `error` is what the browser said, with
/// [`info::LOCAL_ERROR`] only.
pub fn publish_info(info: Option<&str>, error: Option<&str>) -> String {
    match (info, error) {
        (Some(info::STREAM_NAME_ALREADY_IN_USE), _) => {
            "Server already has a publish stream with the same name, try using different one"
                .to_owned()
        }
        (Some(info::LOCAL_ERROR), error) => {
            format!("Browser error detected: {}", error.unwrap_or("unknown"))
        }
        (info, error) => other(info, error),
    }
}

/// The text for a failed play.
pub fn play_info(info: Option<&str>, error: Option<&str>) -> String {
    let known = match info {
        Some(info::SESSION_DOES_NOT_EXIST) => NOT_STARTED,
        Some(info::STOPPED_BY_PUBLISHER_STOP) => {
            "Related publisher stopped its stream or lost connection"
        }
        Some(info::SESSION_NOT_READY) => {
            "Session is not initialized or terminated on play ordinary stream"
        }
        Some("Rtsp stream not found") => {
            "Rtsp stream not found where agent received '404-Not Found'"
        }
        Some("Failed to connect to rtsp stream") => "Failed to connect to rtsp stream",
        Some("File not found") => "File does not exist, check filename",
        Some("File has wrong format") => {
            "File has wrong format on play vod, this format is not supported"
        }
        Some(info::TRANSCODING_REQUIRED_BUT_DISABLED) => {
            "Transcoding required, but disabled in settings"
        }
        Some("No available transcoders") => "No available transcoders for stream",
        other_info => return other(other_info, error),
    };
    known.to_owned()
}

/// What is done about a lost connection.
pub(super) fn connection_notice(wait: &Wait) -> String {
    format!("The connection is tried again {}.", when(wait))
}

/// What is done about a stream that failed with the shown `info`.
pub(super) fn stream_notice(wait: &Wait, info: &str) -> String {
    if wait.delay.is_none() {
        "The stream is resumed when the connection is back.".to_owned()
    } else if info == NOT_STARTED {
        "Waiting for the stream to start.".to_owned()
    } else {
        format!("The stream is tried again {}.", when(wait))
    }
}

fn when(wait: &Wait) -> String {
    let seconds = wait.delay.unwrap_or_default().as_secs();
    let soon = if seconds == 0 {
        "at once".to_owned()
    } else {
        format!("in {seconds} s")
    };
    match wait.attempt {
        0 | 1 => soon,
        attempt => format!("{soon} (attempt {attempt})"),
    }
}

fn other(info: Option<&str>, error: Option<&str>) -> String {
    match (info, error) {
        (Some(info), Some(error)) => format!("Other: {info} ({error})"),
        (Some(info), None) => format!("Other: {info}"),
        (None, Some(error)) => format!("Other: {error}"),
        (None, None) => SESSION_GONE.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publish_reasons() {
        let check = |info: Option<&str>, error: Option<&str>, expected: &str| {
            assert_eq!(publish_info(info, error), expected, "{info:?} {error:?}");
        };
        check(
            Some("Stream name is already in use"),
            None,
            "Server already has a publish stream with the same name, try using different one",
        );
        check(
            Some("Local error"),
            Some("Permission denied"),
            "Browser error detected: Permission denied",
        );
        check(
            Some("Failed by ICE timeout"),
            None,
            "Other: Failed by ICE timeout",
        );
        check(None, None, SESSION_GONE);
    }

    #[test]
    fn play_reasons() {
        let check = |info: &str, expected: &str| {
            assert_eq!(play_info(Some(info), None), expected);
        };
        check("Session does not exist", "Actual session does not exist");
        check(
            "Stopped by publisher stop",
            "Related publisher stopped its stream or lost connection",
        );
        check(
            "Session not ready",
            "Session is not initialized or terminated on play ordinary stream",
        );
        check(
            "Rtsp stream not found",
            "Rtsp stream not found where agent received '404-Not Found'",
        );
        check(
            "Failed to connect to rtsp stream",
            "Failed to connect to rtsp stream",
        );
        check("File not found", "File does not exist, check filename");
        check(
            "File has wrong format",
            "File has wrong format on play vod, this format is not supported",
        );
        check(
            "Transcoding required, but disabled",
            "Transcoding required, but disabled in settings",
        );
        check(
            "No available transcoders",
            "No available transcoders for stream",
        );
        check("No common codecs", "Other: No common codecs");
        assert_eq!(
            play_info(Some("Local error"), Some("ICE failed")),
            "Other: Local error (ICE failed)"
        );
        assert_eq!(play_info(None, None), SESSION_GONE);
    }
}
