//! The ICE sessions of a resource: which one a PATCH is about, and what it asks
//! for (RFC 9725 section 4.3).
//!
//! Each ICE session has an entity tag, which requests name in `If-Match`.
//! Requests overtake each other, so what names an earlier session, by its tag
//! or by its user name fragment, is refused and changes nothing.

use std::collections::VecDeque;

use super::{ClientId, Refusal};
use crate::fragment::{Fragment, users_of};

/// User name fragments kept of earlier ICE sessions, by which their late
/// requests are known.
const PAST_USERS: usize = 8;

/// A resource's ICE sessions.
#[derive(Debug)]
pub(super) struct IceSessions {
    /// Of the current one, counted from 1.
    number: u32,
    /// The client's user name fragments in the current one.
    users: Vec<String>,
    /// Those of earlier ones, the latest last.
    past: VecDeque<String>,
    restart: Option<Restart>,
}

/// A restart that media has not answered yet.
#[derive(Debug)]
struct Restart {
    /// The request that asked for it.
    request: ClientId,
    users: Vec<String>,
}

/// What a PATCH asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Patch {
    /// To take candidates.
    Candidates,
    /// To restart ICE.
    Restart,
}

impl IceSessions {
    /// The first one, by the client's offer.
    pub(super) fn new(offer: &str) -> Self {
        Self {
            number: 1,
            users: users_of(offer).map(str::to_owned).collect(),
            past: VecDeque::new(),
            restart: None,
        }
    }

    /// The entity tag of the current one.
    pub(super) fn tag(&self) -> String {
        format!("\"{}\"", self.number)
    }

    /// What a request with this `If-Match` and this body asks for. Candidates
    /// that say by their user name fragment whose they are need no tag: clients
    /// (`whip-whep` of npm) lose theirs with the first answer that has none.
    pub(super) fn judge(&self, if_match: Option<&str>, body: &str) -> Result<Patch, Refusal> {
        match if_match {
            Some(tags) if !self.is_matched_by(tags) => return Err(Refusal::TagMismatch),
            None if !self.names_current(body) => return Err(Refusal::TagMissing),
            Some(_) | None => {}
        }
        let fragment = Fragment::parse(body).ok_or(Refusal::BadFragment)?;
        let is_new = |user: &str| !self.users.iter().any(|known| known == user);
        if !fragment.users().any(is_new) {
            return Ok(Patch::Candidates);
        }
        if fragment
            .users()
            .any(|user| self.past.iter().any(|past| past == user))
        {
            return Err(Refusal::TagMismatch);
        }
        if self.restart.is_some() {
            return Err(Refusal::Restarting);
        }
        fragment
            .credentials()
            .map(|_| Patch::Restart)
            .ok_or(Refusal::BadFragment)
    }

    /// Whether the body has a user name fragment, and none but the current ones.
    fn names_current(&self, body: &str) -> bool {
        let known = |user: &str| self.users.iter().any(|known| known == user);
        users_of(body).next().is_some() && users_of(body).all(known)
    }

    /// Whether one of the tags is the current one, or any is meant. Tags are told
    /// apart by what is in them, since proxies weaken them and clients lose their
    /// quotes; `"*"` is what an example of early drafts had for `*`.
    fn is_matched_by(&self, if_match: &str) -> bool {
        let current = self.number.to_string();
        if_match.split(',').map(str::trim).any(|tag| {
            let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
            tag == "*" || tag == current
        })
    }

    /// Notes that media was asked to restart ICE.
    pub(super) fn begin_restart(&mut self, request: ClientId, fragment: &str) {
        let users = users_of(fragment).map(str::to_owned).collect();
        self.restart = Some(Restart { request, users });
    }

    /// The next ICE session begins; the request that waits for it, or `None` if
    /// nobody asked for one (any more).
    pub(super) fn finish_restart(&mut self) -> Option<ClientId> {
        let Restart { request, users } = self.restart.take()?;
        self.past.extend(std::mem::replace(&mut self.users, users));
        let excess = self.past.len().saturating_sub(PAST_USERS);
        self.past.drain(..excess);
        self.number += 1;
        Some(request)
    }

    /// The current ICE session goes on; the request that waits in vain.
    pub(super) fn give_up_restart(&mut self) -> Option<ClientId> {
        self.restart.take().map(|restart| restart.request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "a=ice-ufrag:first\r\na=ice-pwd:secret\r\n";
    const SECOND: &str = "a=ice-ufrag:second\r\na=ice-pwd:secret\r\n";
    const THIRD: &str = "a=ice-ufrag:third\r\na=ice-pwd:secret\r\n";

    fn restarted(sessions: &mut IceSessions, fragment: &str) {
        assert_eq!(sessions.judge(Some("*"), fragment), Ok(Patch::Restart));
        sessions.begin_restart(ClientId(1), fragment);
        assert_eq!(sessions.finish_restart(), Some(ClientId(1)));
    }

    #[test]
    fn tags_match_however_they_are_written() {
        let mut sessions = IceSessions::new(FIRST);
        restarted(&mut sessions, SECOND);
        assert_eq!(sessions.tag(), "\"2\"");
        for (tag, matches) in [
            ("\"2\"", true),
            ("*", true),
            ("\"*\"", true),
            ("2", true),
            ("W/\"2\"", true),
            ("\"1\", \"2\"", true),
            ("\"1\"", false),
            ("\"3\"", false),
            ("\"22\"", false),
            ("", false),
        ] {
            let expected = if matches {
                Ok(Patch::Candidates)
            } else {
                Err(Refusal::TagMismatch)
            };
            assert_eq!(sessions.judge(Some(tag), SECOND), expected, "{tag}");
        }
    }

    #[test]
    fn without_a_tag_the_body_must_say_whose_it_is() {
        let mut sessions = IceSessions::new(FIRST);
        restarted(&mut sessions, SECOND);
        assert_eq!(sessions.judge(None, SECOND), Ok(Patch::Candidates));
        let both = format!("{FIRST}{SECOND}");
        for body in ["", "a=mid:0\r\n", FIRST, THIRD, &both] {
            let judged = sessions.judge(None, body);
            assert_eq!(judged, Err(Refusal::TagMissing), "{body}");
        }
    }

    #[test]
    fn late_requests_of_earlier_sessions_are_refused() {
        let mut sessions = IceSessions::new(FIRST);
        restarted(&mut sessions, SECOND);
        restarted(&mut sessions, THIRD);
        for late in [FIRST, SECOND] {
            assert_eq!(
                sessions.judge(Some("*"), late),
                Err(Refusal::TagMismatch),
                "{late}"
            );
        }
        assert_eq!(sessions.judge(Some("*"), THIRD), Ok(Patch::Candidates));
    }

    #[test]
    fn one_restart_at_a_time() {
        let mut sessions = IceSessions::new(FIRST);
        sessions.begin_restart(ClientId(1), SECOND);
        assert_eq!(sessions.judge(Some("*"), THIRD), Err(Refusal::Restarting));
        assert_eq!(sessions.judge(Some("*"), FIRST), Ok(Patch::Candidates));
        assert_eq!(sessions.give_up_restart(), Some(ClientId(1)));
        assert_eq!(sessions.tag(), "\"1\"");
        assert_eq!(sessions.finish_restart(), None, "it was given up");
        restarted(&mut sessions, THIRD);
    }

    #[test]
    fn earlier_sessions_are_forgotten_in_the_end() {
        let mut sessions = IceSessions::new(FIRST);
        for number in 0..100 {
            let fragment = format!("a=ice-ufrag:u{number}\r\na=ice-pwd:secret\r\n");
            restarted(&mut sessions, &fragment);
        }
        assert_eq!(sessions.past.len(), PAST_USERS);
        assert_eq!(sessions.tag(), "\"101\"");
    }
}
