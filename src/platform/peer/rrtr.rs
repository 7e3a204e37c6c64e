//! Lets Chromium tell when a received frame was captured.
//!
//! To bring a sender's clock to its own it needs the round trip to the sender.
//! A peer that only receives learns it from extended reports (RFC 3611,
//! sections 4.4 and 4.5), and sends them only if both descriptions have the
//! feedback `rrtr`. It offers none, so the page adds it to what it applies
//! itself; what it sends to the server stays as the browser made it.

/// The line of a payload type that a video receiver always has (RFC 4585, section 4.2).
const PLI: &str = " nack pli";

/// `sdp` with the feedback `rrtr` for each video payload type that has
/// `nack pli` and not yet `rrtr`. Nothing else is touched, and text that is no
/// session description stays as it is.
pub(super) fn with_rrtr(sdp: &str) -> String {
    let mut result = String::with_capacity(sdp.len() + 1_024);
    let mut section = Section::default();
    for line in sdp.split_inclusive('\n') {
        if line.starts_with("m=") {
            section.finish(&mut result);
            section.is_video = line.starts_with("m=video");
        }
        section.lines.push(line);
    }
    section.finish(&mut result);
    result
}

/// A media section, or what comes before the first.
#[derive(Default)]
struct Section<'a> {
    is_video: bool,
    lines: Vec<&'a str>,
}

impl Section<'_> {
    /// Writes the section and empties it.
    fn finish(&mut self, result: &mut String) {
        for line in &self.lines {
            result.push_str(line);
            let text = line.trim_end();
            let feedback = text.strip_suffix(PLI).filter(|_| self.is_video);
            let Some(payload_type) = feedback.filter(|text| text.starts_with("a=rtcp-fb:")) else {
                continue;
            };
            let wanted = format!("{payload_type} rrtr");
            let ending = &line[text.len()..];
            let is_there = self.lines.iter().any(|line| line.trim_end() == wanted);
            // A line without an end is the last one, and cut off.
            if !is_there && !ending.is_empty() {
                result.push_str(&wanted);
                result.push_str(ending);
            }
        }
        self.lines.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sdp: &[&str], expected: &[&str]) {
        for ending in ["\r\n", "\n"] {
            let text = |lines: &[&str]| lines.join(ending) + ending;
            assert_eq!(with_rrtr(&text(sdp)), text(expected));
            // And never twice.
            assert_eq!(with_rrtr(&text(expected)), text(expected));
        }
    }

    #[test]
    fn each_video_payload_type_with_pli() {
        check(
            &[
                "v=0",
                "m=audio 9 UDP/TLS/RTP/SAVPF 111",
                "a=rtcp-fb:111 nack pli",
                "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98",
                "a=rtcp-fb:96 nack",
                "a=rtcp-fb:96 nack pli",
                "a=rtpmap:97 rtx/90000",
                "a=rtcp-fb:98 nack pli",
                "a=recvonly",
            ],
            &[
                "v=0",
                "m=audio 9 UDP/TLS/RTP/SAVPF 111",
                "a=rtcp-fb:111 nack pli",
                "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98",
                "a=rtcp-fb:96 nack",
                "a=rtcp-fb:96 nack pli",
                "a=rtcp-fb:96 rrtr",
                "a=rtpmap:97 rtx/90000",
                "a=rtcp-fb:98 nack pli",
                "a=rtcp-fb:98 rrtr",
                "a=recvonly",
            ],
        );
    }

    #[test]
    fn those_of_another_section_do_not_count() {
        check(
            &[
                "m=video 9 X 96",
                "a=rtcp-fb:96 nack pli",
                "m=video 9 X 96",
                "a=rtcp-fb:96 rrtr",
            ],
            &[
                "m=video 9 X 96",
                "a=rtcp-fb:96 nack pli",
                "a=rtcp-fb:96 rrtr",
                "m=video 9 X 96",
                "a=rtcp-fb:96 rrtr",
            ],
        );
    }

    #[test]
    fn what_is_there_already_and_what_is_no_sdp_stay() {
        for text in [
            "",
            "v=0 garbage",
            "m=video 9 X 96\r\na=rtcp-fb:96 rrtr\r\na=rtcp-fb:96 nack pli\r\n",
            "m=video 9 X 96\r\na=rtcp-fb:96 nack pli",
            "m=video 9 X 96\r\nb=x nack pli\r\n",
        ] {
            assert_eq!(with_rrtr(text), text);
        }
    }
}
