//! A server's answer, made fit for str0m.

use str0m::Candidate;
use str0m::net::{Protocol, TcpType};
use tracing::debug;

/// Stands for the formats of an m-line that is refused.
const REFUSED_PT: u8 = 96;

/// An answer without what str0m stumbles over.
#[derive(Debug)]
pub(crate) struct Answer {
    sdp: String,
    candidates: Vec<Candidate>,
    /// An m-line is taken.
    taken: bool,
}

impl Answer {
    /// Reads an answer.
    ///
    /// Left out are candidates that nothing can be sent to, such as names that
    /// only the server's own network resolves. An m-line that is refused need not
    /// say a word of its formats (RFC 8829 section 5.3.1), but str0m wants one.
    pub(crate) fn read(sdp: &str) -> Self {
        let mut answer = Self {
            sdp: String::with_capacity(sdp.len()),
            candidates: Vec::new(),
            taken: false,
        };
        let mut refused = false;
        for line in sdp.lines() {
            if let Some(candidate) = line.strip_prefix("a=candidate:") {
                answer.push_candidate(line, candidate);
            } else if let Some(media) = line.strip_prefix("m=") {
                refused = answer.push_media(line, media);
            } else {
                if refused && line.starts_with("a=") {
                    // Attributes follow the other lines (RFC 8866 section 9).
                    answer.push(&format!("a=rtpmap:{REFUSED_PT} none/90000"));
                    refused = false;
                }
                answer.push(line);
            }
        }
        answer
    }

    fn push(&mut self, line: &str) {
        self.sdp.push_str(line);
        self.sdp.push_str("\r\n");
    }

    fn push_candidate(&mut self, line: &str, candidate: &str) {
        match Candidate::from_sdp_string(&format!("candidate:{candidate}")) {
            Ok(candidate) => {
                self.candidates.push(candidate);
                self.push(line);
            }
            Err(error) => debug!(candidate, %error, "candidate ignored"),
        }
    }

    /// True if the m-line is refused.
    fn push_media(&mut self, line: &str, media: &str) -> bool {
        let mut words = media.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(kind), Some("0"), Some(protocol)) => {
                self.push(&format!("m={kind} 0 {protocol} {REFUSED_PT}"));
                true
            }
            _ => {
                self.taken = true;
                self.push(line);
                false
            }
        }
    }

    pub(crate) fn sdp(&self) -> &str {
        &self.sdp
    }

    /// No m-line is taken: there is nothing to connect for.
    pub(crate) fn refuses_all(&self) -> bool {
        !self.taken
    }

    /// There is an address to send datagrams to.
    pub(crate) fn takes_udp(&self) -> bool {
        let mut candidates = self.candidates.iter();
        candidates.any(|candidate| candidate.proto() == Protocol::Udp)
    }

    /// There is an address to connect to.
    pub(crate) fn takes_tcp(&self) -> bool {
        self.candidates.iter().any(|candidate| {
            candidate.proto() == Protocol::Tcp && candidate.tcptype() != Some(TcpType::Active)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UDP: &str = "a=candidate:1 1 udp 2113937151 192.0.2.7 31001 typ host";
    const NAME: &str = "a=candidate:3 1 udp 2113937151 0b1f.local 31001 typ host";
    const TCP: &str = "a=candidate:2 1 tcp 1518280447 192.0.2.7 31001 typ host tcptype passive";
    const ACTIVE: &str = "a=candidate:4 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active";

    fn check(lines: &[&str], expected: &[&str]) -> Answer {
        let answer = Answer::read(&lines.join("\r\n"));
        assert_eq!(answer.sdp(), expected.join("\r\n") + "\r\n");
        answer
    }

    #[test]
    fn candidates_that_nothing_can_be_sent_to_are_left_out() {
        let check = |candidates: &[&str], left: &[&str], udp, tcp| {
            let answer = check(&[&["v=0"], candidates].concat(), &[&["v=0"], left].concat());
            assert_eq!((answer.takes_udp(), answer.takes_tcp()), (udp, tcp));
        };
        check(&[UDP, NAME, TCP, ACTIVE], &[UDP, TCP, ACTIVE], true, true);
        check(&[NAME], &[], false, false);
        check(&[UDP], &[UDP], true, false);
        check(&[TCP], &[TCP], false, true);
        check(&[ACTIVE], &[ACTIVE], false, false);
    }

    #[test]
    fn a_refused_line_needs_no_formats() {
        let (refused, taken) = (
            "m=video 0 UDP/TLS/RTP/SAVPF 108 109",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        );
        let rest = ["c=IN IP4 0.0.0.0", "a=mid:1", "a=inactive"];
        let completed = [
            "m=video 0 UDP/TLS/RTP/SAVPF 96",
            rest[0],
            "a=rtpmap:96 none/90000",
        ];
        let expected = [&["v=0"], &completed[..], &rest[1..]].concat();
        let answer = check(&[&["v=0", refused], &rest[..]].concat(), &expected);
        assert!(answer.refuses_all());
        let answer = check(&["v=0", taken, rest[0]], &["v=0", taken, rest[0]]);
        assert!(!answer.refuses_all());
    }
}
