//! Trickle ICE: candidates that media finds go to the server in the body of a
//! PATCH (RFC 9725 section 4.3.2, RFC 8840 section 4.4).

use tracing::debug;

use super::message::{LocalCandidate, RequestId};

/// Most candidates waiting to be sent of one stream; the others are dropped.
pub const MAX_CANDIDATES: usize = 64;

/// Most bytes of one candidate's line.
const MAX_CANDIDATE_BYTES: usize = 1_024;

/// The body's media type (RFC 8840 section 9).
pub(super) const SDP_FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// The candidates of one stream.
#[derive(Debug)]
pub(super) struct Trickle {
    mode: Mode,
    /// `a=candidate` values not sent yet.
    pending: Vec<String>,
    /// No more will come, and the server is not told yet.
    end_pending: bool,
    /// No more will come.
    ended: bool,
    /// One request at a time: what is found in the meantime goes together.
    in_flight: Option<RequestId>,
}

#[derive(Debug)]
enum Mode {
    /// Not known before the offer.
    Unknown,
    On(Section),
    /// The server does not want candidates, or the offer names no ICE.
    Off,
}

/// What the offer says of the one media section that carries candidates:
/// since all are bundled it is the first (RFC 9725 section 4.3.2).
#[derive(Debug)]
struct Section {
    /// `a=group:BUNDLE ...` and the section's `m=`, `a=mid`, `a=ice-ufrag` and
    /// `a=ice-pwd`, each a line.
    head: String,
    mid: String,
}

impl Trickle {
    /// Before the offer. A server that does not take candidates gets none.
    pub(super) fn new(wanted: bool) -> Self {
        Self {
            mode: if wanted { Mode::Unknown } else { Mode::Off },
            pending: Vec::new(),
            end_pending: false,
            ended: false,
            in_flight: None,
        }
    }

    /// The offer is made.
    pub(super) fn handle_offer(&mut self, offer: &str) {
        if matches!(self.mode, Mode::Unknown) {
            match Section::first_of(offer) {
                Some(section) => self.mode = Mode::On(section),
                None => self.turn_off(),
            }
        }
    }

    /// Media found a candidate; `None` if it found the last. So does an empty
    /// one (WebRTC section 4.8.1).
    pub(super) fn handle_candidate(&mut self, candidate: Option<LocalCandidate>) {
        if matches!(self.mode, Mode::Off) || self.ended {
            return;
        }
        let Some(candidate) = candidate.filter(|candidate| !candidate.candidate.is_empty()) else {
            self.ended = true;
            self.end_pending = true;
            return;
        };
        if self.pending.len() >= MAX_CANDIDATES || !self.is_of_section(&candidate) {
            debug!("candidate dropped");
            return;
        }
        match line_of(&candidate.candidate) {
            Some(line) => self.pending.push(line),
            None => debug!("what is no candidate dropped"),
        }
    }

    /// The body of the next PATCH, if there is something to say and the last
    /// one is answered. [`Self::sent`] follows.
    pub(super) fn take_fragment(&mut self) -> Option<String> {
        let Mode::On(section) = &self.mode else {
            return None;
        };
        if self.in_flight.is_some() || (self.pending.is_empty() && !self.end_pending) {
            return None;
        }
        let mut body = section.head.clone();
        for candidate in self.pending.drain(..) {
            body += "a=";
            body += &candidate;
            body += "\r\n";
        }
        if core::mem::take(&mut self.end_pending) {
            body += "a=end-of-candidates\r\n";
        }
        Some(body)
    }

    pub(super) fn sent(&mut self, request: RequestId) {
        self.in_flight = Some(request);
    }

    /// The server answered a PATCH. One that refuses is not asked again.
    pub(super) fn handle_reply(&mut self, request: RequestId, taken: bool) {
        if self.in_flight != Some(request) {
            return;
        }
        self.in_flight = None;
        if !taken {
            self.turn_off();
        }
    }

    fn turn_off(&mut self) {
        self.mode = Mode::Off;
        self.pending.clear();
        self.end_pending = false;
    }

    /// Candidates of other sections are of no use once all are bundled.
    fn is_of_section(&self, candidate: &LocalCandidate) -> bool {
        match (&self.mode, &candidate.mid) {
            (Mode::On(section), Some(mid)) => section.mid == *mid,
            (Mode::On(_) | Mode::Unknown | Mode::Off, _) => {
                candidate.line_index.is_none_or(|index| index == 0)
            }
        }
    }
}

impl Section {
    fn first_of(offer: &str) -> Option<Self> {
        let start = offer.find("\nm=")?;
        let (session, media) = offer.split_at(start + 1);
        let mut lines = media.lines();
        let media_line = lines.next()?;
        let section: Vec<_> = lines.take_while(|line| !line.starts_with("m=")).collect();
        let in_session = |name| attribute(session.lines(), name);
        let in_section = |name| attribute(section.iter().copied(), name);
        let either = |name| in_section(name).or_else(|| in_session(name));
        let mid = in_section("a=mid:")?;
        let ufrag = either("a=ice-ufrag:")?;
        let pwd = either("a=ice-pwd:")?;
        let mut head = String::new();
        if let Some(group) = in_session("a=group:BUNDLE ") {
            head += &format!("a=group:BUNDLE {group}\r\n");
        }
        head +=
            &format!("{media_line}\r\na=mid:{mid}\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\n");
        Some(Self {
            head,
            mid: mid.to_owned(),
        })
    }
}

/// The value of the first line that begins with `name`.
fn attribute<'a>(mut lines: impl Iterator<Item = &'a str>, name: &str) -> Option<&'a str> {
    lines.find_map(|line| line.strip_prefix(name))
}

/// The candidate as an attribute; `None` if it is none or would break the line.
fn line_of(candidate: &str) -> Option<String> {
    let candidate = candidate.strip_prefix("a=").unwrap_or(candidate).trim();
    let fits = candidate.len() <= MAX_CANDIDATE_BYTES
        && candidate.starts_with("candidate:")
        && !candidate.contains(char::is_control);
    fits.then(|| candidate.to_owned())
}
