//! Lets the sound come a little later than its picture.
//!
//! A browser plays sound later than it could show the picture, which then waits for
//! it. An attribute of our own in the audio's part of the offer says how much later it
//! may be; a server that knows the attribute grants it in its answer, and from then on
//! calls the sound that much younger than it is in its sender reports (RFC 3550,
//! section 6.4.1), so that the browser keeps the picture that much ahead of it. To
//! others the attribute means nothing (RFC 8866, section 5.13).

use std::time::Duration;

/// The attribute, in milliseconds.
const ATTRIBUTE: &str = "a=sound-lag:";

/// What the page asks for: nobody notices less than 60 ms (EBU Recommendation R 37).
const ASKED: Duration = Duration::from_millis(45);

/// `sdp` asking for it in each media section of audio.
pub(super) fn with_sound_lag(sdp: &str) -> String {
    let asked = format!("{ATTRIBUTE}{}\r\n", ASKED.as_millis());
    let mut result = String::with_capacity(sdp.len() + asked.len());
    let mut in_audio = false;
    for line in sdp.split_inclusive('\n') {
        if line.starts_with("m=") {
            if in_audio {
                result.push_str(&asked);
            }
            in_audio = line.starts_with("m=audio");
        }
        result.push_str(line);
    }
    if in_audio {
        result.push_str(&asked);
    }
    result
}

/// What an answer grants of it; nothing if it does not say.
pub(super) fn granted(sdp: &str) -> Duration {
    let mut lines = sdp.lines();
    let ms = lines.find_map(|line| line.strip_prefix(ATTRIBUTE)?.trim().parse().ok());
    Duration::from_millis(ms.unwrap_or_default()).min(ASKED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_for_where_there_is_sound() {
        let video = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=recvonly\r\n";
        assert_eq!(with_sound_lag(video), video);
        let both = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=recvonly\r\n\
                    m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=recvonly\r\n";
        let asked = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=recvonly\r\na=sound-lag:45\r\n\
                     m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=recvonly\r\n";
        assert_eq!(with_sound_lag(both), asked);
        let last = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";
        assert_eq!(with_sound_lag(last), format!("{last}a=sound-lag:45\r\n"));
    }

    #[test]
    fn nothing_is_granted_that_was_not_said_or_asked_for() {
        let ms = Duration::from_millis;
        assert_eq!(
            granted("v=0\r\nm=audio 9 X 111\r\na=sound-lag:30\r\n"),
            ms(30)
        );
        assert_eq!(granted("a=sound-lag:45"), ms(45));
        assert_eq!(granted("a=sound-lag:5000\r\n"), ms(45));
        for text in [
            "",
            "v=0\r\n",
            "a=sound-lag:",
            "a=sound-lag:-1",
            "a=sound-lag:x",
        ] {
            assert_eq!(granted(text), Duration::ZERO, "{text}");
        }
    }
}
