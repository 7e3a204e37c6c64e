//! What of a peer's datagrams str0m gets to see.
//!
//! A datagram may have been sent by anybody: from the peer's address, or with
//! the user name of its checks, which is no secret. What costs time or memory
//! before it has proved where it comes from is bounded here, and what proves
//! nothing is dropped and counted by reason.

use std::collections::{HashSet, VecDeque};
use std::time::Instant;

use str0m::Rtc;
use str0m::crypto::from_feature_flags;
use str0m::ice::{StunMessage, TransId};

use super::config::Config;
use super::demux::End;
use super::rtp_header::payload_type;
use super::sdp::{Offer, Selection};
use super::sources::Sources;
use crate::allowance::Allowance;
use crate::counters::Reason;

/// Checks (RFC 8445 section 7) from addresses that have had no answer yet. A
/// client tries each pair of addresses every 50 ms until one works.
const CHECKS_PER_SECOND: u32 = 50;
const CHECKS_AT_ONCE: u32 = 200;

/// Most addresses that one peer is answered at: each is remembered for as long
/// as the peer lives. A client that moves, or whose NAT forgets it, takes a new
/// one; a check that somebody replays makes one, too.
const MOST_ADDRESSES: usize = 1_024;

/// Checks that are remembered, so that none can be sent again from elsewhere and
/// draw the media there: ten minutes of them, one every 2.5 s.
const REMEMBERED_CHECKS: usize = 256;

/// RTCP datagrams. A viewer sends a report a second for each stream, feedback
/// on congestion every 50 ms, and a NACK for each frame with a loss.
const REPORTS_PER_SECOND: u32 = 200;
const REPORTS_AT_ONCE: u32 = 400;

/// DTLS datagrams: a handshake is four flights, and closing is one.
const HANDSHAKES_PER_SECOND: u32 = 20;
const HANDSHAKES_AT_ONCE: u32 = 100;

/// What one peer may send.
#[derive(Debug)]
pub(super) struct Gate {
    /// `None` for a peer that is to send no media.
    sources: Option<Sources>,
    /// Bytes of media; `None` without a limit.
    media: Option<Allowance>,
    reports: Allowance,
    handshakes: Allowance,
    checks: Allowance,
    answered: HashSet<End>,
    /// The latest checks and where they came from.
    seen: VecDeque<(TransId, End)>,
}

/// What a datagram is by its first bytes (RFC 7983 section 7, RFC 5761 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Check,
    Handshake,
    Media,
    Report,
}

impl Gate {
    pub(super) fn new(offer: &Offer, taken: &Selection, config: &Config) -> Self {
        let bytes_per_second = u32::try_from(config.publisher_bitrate_bps / 8).unwrap_or(u32::MAX);
        Self {
            sources: taken.sends().then(|| Sources::new(offer, taken)),
            media: (bytes_per_second > 0)
                .then(|| Allowance::new(bytes_per_second, bytes_per_second)),
            reports: Allowance::new(REPORTS_PER_SECOND, REPORTS_AT_ONCE),
            handshakes: Allowance::new(HANDSHAKES_PER_SECOND, HANDSHAKES_AT_ONCE),
            checks: Allowance::new(CHECKS_PER_SECOND, CHECKS_AT_ONCE),
            answered: HashSet::new(),
            seen: VecDeque::new(),
        }
    }

    /// Judges a datagram; [`Gate::settle`] must follow once str0m has had it.
    /// Media means nothing until the keys are there.
    ///
    /// # Errors
    /// str0m must not see it, and why.
    pub(super) fn admit(
        &mut self,
        rtc: &mut Rtc,
        user_name: &str,
        (source, datagram): (End, &[u8]),
        has_keys: bool,
        now: Instant,
    ) -> Result<(), Reason> {
        match sort(datagram).ok_or(Reason::BadDatagram)? {
            Sort::Check => self.admit_check(rtc, user_name, source, datagram, now),
            Sort::Handshake => grant(&mut self.handshakes, now, Reason::TooManyHandshakes),
            Sort::Report => grant(&mut self.reports, now, Reason::TooManyReports),
            Sort::Media => {
                let sources = self.sources.as_mut().ok_or(Reason::ViewerMedia)?;
                if !has_keys {
                    return Err(Reason::UselessMedia);
                }
                let bytes = u32::try_from(datagram.len()).unwrap_or(u32::MAX);
                if self.media.as_mut().is_some_and(|m| !m.take(bytes, now)) {
                    return Err(Reason::TooMuchMedia);
                }
                sources.admit(rtc, datagram, now)
            }
        }
    }

    /// str0m has had the datagram, and has `taken` media out of it or not.
    /// What it is worth counting for, if it came to nothing.
    pub(super) fn settle(&mut self, rtc: &mut Rtc, taken: bool, now: Instant) -> Option<Reason> {
        self.sources.as_mut()?.settle(rtc, taken, now)
    }

    fn admit_check(
        &mut self,
        rtc: &mut Rtc,
        user_name: &str,
        source: End,
        datagram: &[u8],
        now: Instant,
    ) -> Result<(), Reason> {
        let message = StunMessage::parse(datagram).map_err(|_| Reason::BadDatagram)?;
        if !message.is_binding_request() {
            // A lite agent asks nothing, so nothing answers it.
            return Err(Reason::BadDatagram);
        }
        let known = self.answered.contains(&source);
        if !known {
            grant(&mut self.checks, now, Reason::TooManyChecks)?;
        }
        if !is_proved(rtc, &message, user_name) {
            return Err(Reason::BadCredentials);
        }
        self.remember(message.trans_id(), source)?;
        if !known && self.answered.len() >= MOST_ADDRESSES {
            return Err(Reason::TooManyChecks);
        }
        self.answered.insert(source);
        Ok(())
    }

    /// A client numbers each check anew (RFC 8489 section 6.1), and sends it again
    /// only from where it was.
    fn remember(&mut self, id: TransId, source: End) -> Result<(), Reason> {
        let mut seen = self.seen.iter().rev();
        if let Some((_, from)) = seen.find(|(other, _)| *other == id) {
            return if *from == source {
                Ok(())
            } else {
                Err(Reason::ReplayedCheck)
            };
        }
        if self.seen.len() == REMEMBERED_CHECKS {
            self.seen.pop_front();
        }
        self.seen.push_back((id, source));
        Ok(())
    }
}

fn grant(allowance: &mut Allowance, now: Instant, otherwise: Reason) -> Result<(), Reason> {
    if allowance.take(1, now) {
        Ok(())
    } else {
        Err(otherwise)
    }
}

/// The check has both user names and our password (RFC 8445 section 7.1.2).
fn is_proved(rtc: &mut Rtc, message: &StunMessage<'_>, user_name: &str) -> bool {
    let hmac = from_feature_flags().sha1_hmac_provider;
    let password = rtc.direct_api().local_ice_credentials().pass;
    message.split_username() == user_name.split_once(':')
        && message.verify(password.as_bytes(), |key, parts| hmac.sha1_hmac(key, parts))
}

fn sort(datagram: &[u8]) -> Option<Sort> {
    let (&first, rest) = datagram.split_first()?;
    match first {
        0..=1 => Some(Sort::Check),
        20..=63 => Some(Sort::Handshake),
        128..=191 if rest.is_empty() => None,
        128..=191 if payload_type(datagram).is_some() => Some(Sort::Media),
        128..=191 => Some(Sort::Report),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_are_told_apart() {
        let table: &[(&[u8], Option<Sort>)] = &[
            (&[], None),
            (&[0, 1], Some(Sort::Check)),
            (&[4], None),
            (&[22, 254, 253], Some(Sort::Handshake)),
            (&[64], None),
            (&[0x80], None),
            (&[0x80, 96], Some(Sort::Media)),
            (&[0x80, 0x80 | 102], Some(Sort::Media)),
            (&[0x80, 0], Some(Sort::Media)),
            (&[0x80, 200], Some(Sort::Report)),
            (&[0x81, 205], Some(Sort::Report)),
            (&[0xff, 0xff], None),
        ];
        for (datagram, expected) in table {
            assert_eq!(sort(datagram), *expected, "{datagram:?}");
        }
    }
}
