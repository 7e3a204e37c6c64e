//! Candidates that come one by one, put into the description they belong to.

use super::message::Candidate;

/// Whether a description says where its sender is reached.
pub(super) fn has_candidates(sdp: &str) -> bool {
    sdp.lines().any(|line| line.starts_with("a=candidate:"))
}

/// `sdp` with each candidate at the end of its media section, the first one if it names
/// none, and that there are no more (RFC 8838 section 14).
pub(super) fn with_candidates(sdp: &str, candidates: &[Candidate]) -> String {
    let mut whole = String::with_capacity(sdp.len() + candidates.len() * 100);
    // Before the first media section is the session's part.
    let mut section: Option<usize> = None;
    for line in sdp.lines() {
        if line.starts_with("m=") {
            append(&mut whole, section, candidates);
            section = Some(section.map_or(0, |section| section + 1));
        }
        whole.push_str(line);
        whole.push_str("\r\n");
    }
    append(&mut whole, section, candidates);
    whole
}

fn append(sdp: &mut String, section: Option<usize>, candidates: &[Candidate]) {
    let Some(section) = section else {
        return;
    };
    let of_section = |candidate: &&Candidate| candidate.sdp_m_line_index.unwrap_or(0) == section;
    let mut any = false;
    for candidate in candidates.iter().filter(of_section) {
        let Some(text) = &candidate.candidate else {
            continue;
        };
        any = true;
        sdp.push_str("a=");
        sdp.push_str(text.strip_prefix("a=").unwrap_or(text));
        sdp.push_str("\r\n");
    }
    if any {
        sdp.push_str("a=end-of-candidates\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "v=0\r\ns=-\r\nm=audio 9 x 111\r\na=mid:0\r\nm=video 9 x 96\r\na=mid:1\r\n";

    fn candidate(text: &str, section: Option<usize>) -> Candidate {
        Candidate {
            candidate: Some(text.to_owned()),
            sdp_m_line_index: section,
            completed: false,
        }
    }

    #[test]
    fn each_candidate_goes_to_the_end_of_its_section() {
        let candidates = [
            candidate("candidate:1 1 udp 1 192.0.2.1 9 typ host", Some(1)),
            candidate("a=candidate:2 1 udp 1 192.0.2.2 9 typ host", None),
        ];
        let whole = with_candidates(SDP, &candidates);
        assert_eq!(
            whole,
            "v=0\r\ns=-\r\n\
             m=audio 9 x 111\r\na=mid:0\r\n\
             a=candidate:2 1 udp 1 192.0.2.2 9 typ host\r\na=end-of-candidates\r\n\
             m=video 9 x 96\r\na=mid:1\r\n\
             a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=end-of-candidates\r\n"
        );
        assert!(has_candidates(&whole));
    }

    #[test]
    fn a_description_without_candidates_stays_as_it_is() {
        let completed = Candidate {
            candidate: None,
            sdp_m_line_index: None,
            completed: true,
        };
        assert_eq!(with_candidates(SDP, &[completed]), SDP);
        assert_eq!(
            with_candidates("v=0\r\n", &[candidate("x", None)]),
            "v=0\r\n"
        );
        assert!(!has_candidates(SDP));
    }
}
