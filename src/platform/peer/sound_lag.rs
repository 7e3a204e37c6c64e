//! Lets the sound come a little later than its picture.
//!
//! A browser plays sound later than it could show the picture, which then waits for
//! it. An attribute of our own in the audio's part of the offer says how much later it
//! may be; a server that knows the attribute grants it in its answer, and from then on
//! calls the sound that much younger than it is in its sender reports (RFC 3550,
//! section 6.4.1), so that the browser keeps the picture that much ahead of it. To
//! others the attribute means nothing (RFC 8866, section 5.13).

use std::time::Duration;

/// How much later: nobody notices less than 60 ms (EBU Recommendation R 37).
const LAG: Duration = Duration::from_millis(45);

/// The attribute that says so, in milliseconds.
const ATTRIBUTE: &str = "a=sound-lag:45\r\n";

/// A player's offer asking for it; there the audio's part comes before the video's.
pub(super) fn with_sound_lag(offer: &str) -> String {
    const VIDEO: &str = "m=video";
    offer.replacen(VIDEO, &[ATTRIBUTE, VIDEO].concat(), 1)
}

/// What an answer grants of it: nothing, unless it says the same.
pub(super) fn granted(answer: &str) -> Duration {
    if answer.contains(ATTRIBUTE) {
        LAG
    } else {
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_for_in_the_part_of_the_sound() {
        let offer = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=recvonly\r\n\
                     m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=recvonly\r\n";
        let asked = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=recvonly\r\na=sound-lag:45\r\n\
                     m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=recvonly\r\n";
        assert_eq!(with_sound_lag(offer), asked);
    }

    #[test]
    fn it_is_granted_by_an_answer_that_says_the_same() {
        let answer = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sound-lag:45\r\n";
        assert_eq!(granted(answer), LAG);
        for other in ["", "v=0\r\n", "a=sound-lag:4\r\n", "a=sound-lag:450\r\n"] {
            assert_eq!(granted(other), Duration::ZERO, "{other}");
        }
    }
}
