//! Retransmissions to a viewer (RFC 4585 section 6.2.1).
//!
//! str0m answers NACKs with RTX packets (RFC 4588) out of a cache; how long that
//! lasts and how much of it may be sent again is decided here. To a viewer that
//! takes NACK without RTX the packet itself is sent again. It must be the very
//! same datagram: one packet index must not be used for two ciphertexts (RFC
//! 3711 section 9.1), so what was sent is kept as it was.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use str0m::Rtc;
use str0m::media::Mid;
use str0m::net::Transmit;
use str0m::rtp::RawPacket;
use str0m::rtp::rtcp::Rtcp;

use super::rtp_header::{RtpHeader, payload_type};
use super::sdp::Selection;

/// How often a viewer may ask for a packet before it no longer helps: with one
/// in ten lost each way, what is asked for comes in four rounds of five, and
/// after eight rounds all but two in a million packets have come.
const ROUNDS: u32 = 8;

/// What a round takes on top of the round trip: viewers gather what they miss
/// for a few frames, and their networks jitter.
const ROUND_MARGIN: Duration = Duration::from_millis(40);

/// The round trip while it has not been measured.
pub(super) const UNKNOWN_ROUND_TRIP: Duration = Duration::from_millis(100);

/// How much longer packets must be of use before they are kept longer: str0m
/// forgets all of them when that changes.
const WORTH_FORGETTING: f32 = 1.5;

/// Most bytes that may be sent again at once, and at first.
const MOST_BYTES: usize = 1 << 20;

/// How long a sent packet is kept for a viewer with this round trip, but no
/// longer than `longest`.
pub(super) fn kept_for(round_trip: Option<Duration>, longest: Duration) -> Duration {
    round_trip
        .map_or(longest, |trip| (trip + ROUND_MARGIN) * ROUNDS)
        .min(longest)
}

/// Bytes that may be sent again: as many as went out the first time, since a link
/// that loses more than that needs less, not more.
#[derive(Debug)]
pub(super) struct Credit(usize);

impl Default for Credit {
    fn default() -> Self {
        Self(MOST_BYTES)
    }
}

impl Credit {
    /// So much went out for the first time.
    pub(super) fn earn(&mut self, bytes: usize) {
        self.0 = (self.0 + bytes).min(MOST_BYTES);
    }

    /// False if so much is too much.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// What of one viewer's media goes out again.
#[derive(Debug)]
pub(super) struct Repair {
    /// Payload types of retransmissions.
    rtx: Vec<u8>,
    /// Payload types with NACK and without retransmissions of their own.
    plain: Vec<u8>,
    credit: Credit,
    /// The m-lines that may have retransmissions.
    mids: Vec<Mid>,
    longest: Duration,
    sent: Sent,
}

/// What to do with a datagram that str0m has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Send,
    /// A retransmission too many.
    Drop,
}

impl Repair {
    pub(super) fn new(taken: &Selection, packets: usize, age: Duration) -> Self {
        let codecs = || taken.codecs().filter(|_| !taken.sends());
        let plain = codecs().filter(|c| c.rtx.is_none() && c.has_feedback("nack"));
        Self {
            rtx: codecs().filter_map(|codec| codec.rtx).collect(),
            plain: plain.map(|codec| codec.pt).collect(),
            credit: Credit::default(),
            mids: taken.tracks().map(|(_, mid, _)| Mid::from(mid)).collect(),
            longest: age,
            sent: Sent::new(packets, age),
        }
    }

    /// Most packets that are kept, and how long.
    pub(super) fn cache(&self) -> (usize, Duration) {
        (self.sent.most, self.sent.age)
    }

    /// Takes in the first measured round trip: nothing is kept yet.
    pub(super) fn start(&mut self, round_trip: Option<Duration>) {
        self.sent.age = kept_for(round_trip, self.longest);
    }

    /// Takes in a round trip, and has str0m keep packets for longer if they are
    /// of use for much longer.
    pub(super) fn follow(&mut self, round_trip: Duration, rtc: &mut Rtc) {
        let age = kept_for(Some(round_trip), self.longest);
        if age > self.sent.age.mul_f32(WORTH_FORGETTING) {
            self.sent.age = age;
            self.forget(rtc);
        }
    }

    /// Has str0m forget what it could send again.
    pub(super) fn forget(&self, rtc: &mut Rtc) {
        let (packets, age) = self.cache();
        let mut api = rtc.direct_api();
        for mid in &self.mids {
            if let Some(stream) = api.stream_tx_by_mid(*mid, None) {
                stream.set_rtx_cache(packets, age, None);
            }
        }
    }

    /// NACKs have to be seen here.
    pub(super) fn is_plain(&self) -> bool {
        !self.plain.is_empty()
    }

    /// Takes note of a datagram on its way out.
    pub(super) fn pass(&mut self, transmit: &Transmit, now: Instant) -> Verdict {
        let datagram: &[u8] = &transmit.contents;
        let Some(pt) = payload_type(datagram) else {
            return Verdict::Send;
        };
        if self.rtx.contains(&pt) {
            return self.spend(datagram.len());
        }
        self.credit.earn(datagram.len());
        if self.plain.contains(&pt)
            && let Some(header) = RtpHeader::parse(datagram)
        {
            self.sent.keep(header, transmit, now);
        }
        Verdict::Send
    }

    /// The datagrams to send again for what a viewer without RTX has sent, each
    /// once a round trip.
    pub(super) fn answer(
        &mut self,
        packet: &RawPacket,
        round_trip: Option<Duration>,
        now: Instant,
    ) -> Vec<Transmit> {
        let RawPacket::RtcpRx(Rtcp::Nack(nack)) = packet else {
            return Vec::new();
        };
        let wait = round_trip.unwrap_or(UNKNOWN_ROUND_TRIP);
        let mut again = Vec::new();
        for entry in nack.reports.iter() {
            let following = (0..16_u16).filter(|bit| entry.blp & (1 << bit) != 0);
            let lost = following.map(|bit| entry.pid.wrapping_add(bit + 1));
            for sequence in std::iter::once(entry.pid).chain(lost) {
                let Some(transmit) = self.sent.again(*nack.ssrc, sequence, wait, now) else {
                    continue;
                };
                if self.spend(transmit.contents.len()) == Verdict::Drop {
                    return again;
                }
                again.push(transmit);
            }
        }
        again
    }

    fn spend(&mut self, bytes: usize) -> Verdict {
        if self.credit.spend(bytes) {
            Verdict::Send
        } else {
            Verdict::Drop
        }
    }
}

/// Datagrams as they were sent, the oldest first.
#[derive(Debug)]
struct Sent {
    packets: VecDeque<SentPacket>,
    /// How many have been before these.
    gone: usize,
    /// Which one of all each is, by SSRC and sequence number: one datagram of a
    /// viewer's may ask for thousands.
    places: HashMap<(u32, u16), usize>,
    most: usize,
    age: Duration,
}

#[derive(Debug)]
struct SentPacket {
    /// SSRC and sequence number.
    key: (u32, u16),
    /// When it was sent, for the last time.
    at: Instant,
    first_at: Instant,
    transmit: Transmit,
}

impl Sent {
    fn new(most: usize, age: Duration) -> Self {
        Self {
            packets: VecDeque::new(),
            gone: 0,
            places: HashMap::new(),
            most,
            age,
        }
    }

    fn keep(&mut self, header: RtpHeader<'_>, transmit: &Transmit, now: Instant) {
        let age = self.age;
        let is_old = |p: &SentPacket| now.saturating_duration_since(p.first_at) > age;
        while self.packets.len() >= self.most || self.packets.front().is_some_and(is_old) {
            if !self.forget_oldest() {
                return;
            }
        }
        let key = (header.ssrc, header.sequence);
        self.places.insert(key, self.gone + self.packets.len());
        self.packets.push_back(SentPacket {
            key,
            at: now,
            first_at: now,
            transmit: copy(transmit),
        });
    }

    /// False if there is none.
    fn forget_oldest(&mut self) -> bool {
        let Some(oldest) = self.packets.pop_front() else {
            return false;
        };
        // A later one may have the same number.
        if self.places.get(&oldest.key) == Some(&self.gone) {
            self.places.remove(&oldest.key);
        }
        self.gone += 1;
        true
    }

    /// A packet that is still there, unless it went out less than `wait` ago for
    /// another time: what was asked for then may be on its way.
    fn again(
        &mut self,
        ssrc: u32,
        sequence: u16,
        wait: Duration,
        now: Instant,
    ) -> Option<Transmit> {
        let place = *self.places.get(&(ssrc, sequence))?;
        let packet = self.packets.get_mut(place.checked_sub(self.gone)?)?;
        let is_again = packet.at != packet.first_at;
        if is_again && now.saturating_duration_since(packet.at) < wait {
            return None;
        }
        packet.at = now;
        Some(copy(&packet.transmit))
    }
}

fn copy(transmit: &Transmit) -> Transmit {
    Transmit {
        proto: transmit.proto,
        source: transmit.source,
        destination: transmit.destination,
        contents: transmit.contents.to_vec().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;
    use str0m::net::Protocol;
    use str0m::rtp::rtcp::{Nack, NackEntry};

    const SSRC: u32 = 7;
    const PLAIN: u8 = 96;
    const RTX: u8 = 97;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn repair(most: usize) -> Repair {
        Repair {
            rtx: vec![RTX],
            plain: vec![PLAIN],
            credit: Credit::default(),
            mids: Vec::new(),
            longest: ms(1_000),
            sent: Sent::new(most, ms(1_000)),
        }
    }

    fn packet(pt: u8, sequence: u16, size: usize) -> Transmit {
        let mut contents = vec![0x80, pt];
        contents.extend(sequence.to_be_bytes());
        contents.extend([0; 4]);
        contents.extend(SSRC.to_be_bytes());
        contents.resize(size, 9);
        Transmit {
            proto: Protocol::Udp,
            source: SocketAddr::from(([127, 0, 0, 1], 1)),
            destination: SocketAddr::from(([127, 0, 0, 1], 2)),
            contents: contents.into(),
        }
    }

    /// The numbers of what is sent again.
    fn asked(repair: &mut Repair, (pid, blp): (u16, u16), now: Instant) -> Vec<u16> {
        let nack = Nack {
            sender_ssrc: 1.into(),
            ssrc: SSRC.into(),
            reports: NackEntry { pid, blp }.into(),
        };
        let raw = RawPacket::RtcpRx(Rtcp::Nack(nack));
        let again = repair.answer(&raw, Some(ms(50)), now);
        let headers = again
            .iter()
            .map(|t| RtpHeader::parse(&t.contents).unwrap().sequence);
        headers.collect()
    }

    #[test]
    fn what_is_kept_depends_on_the_round_trip() {
        let longest = ms(3_000);
        let table = [
            (None, 3_000),
            (Some(20), 480),
            (Some(100), 1_120),
            (Some(900), 3_000),
        ];
        for (trip, expected) in table {
            assert_eq!(kept_for(trip.map(ms), longest), ms(expected), "{trip:?}");
        }
    }

    #[test]
    fn the_same_datagram_is_sent_again_once_a_round_trip() {
        let start = Instant::now();
        let mut repair = repair(100);
        for sequence in 65_530..=65_535 {
            repair.pass(&packet(PLAIN, sequence, 100), start);
        }
        repair.pass(&packet(PLAIN, 0, 100), start);
        assert_eq!(
            asked(&mut repair, (65_534, 0b11), start + ms(1)),
            [65_534, 65_535, 0]
        );
        assert_eq!(
            asked(&mut repair, (65_534, 0b11), start + ms(50)),
            [0_u16; 0]
        );
        assert_eq!(asked(&mut repair, (65_534, 0), start + ms(51)), [65_534]);
        assert_eq!(asked(&mut repair, (5, 0), start + ms(51)), [0_u16; 0]);
    }

    #[test]
    fn what_is_old_or_too_much_is_given_up() {
        let start = Instant::now();
        let mut repair = repair(3);
        for sequence in 0..5 {
            repair.pass(&packet(PLAIN, sequence, 100), start);
        }
        assert_eq!(asked(&mut repair, (0, 0b1111), start + ms(1)), [2, 3, 4]);
        repair.pass(&packet(PLAIN, 5, 100), start + ms(1_001));
        assert_eq!(asked(&mut repair, (2, 0b111), start + ms(1_001)), [5]);
        // Numbers come again, and nothing is left of those before.
        for _ in 0..10 {
            repair.pass(&packet(PLAIN, 5, 100), start + ms(1_001));
        }
        assert_eq!(asked(&mut repair, (4, 0b1), start + ms(1_001)), [5]);
        assert_eq!(repair.sent.places.len(), 1);
    }

    #[test]
    fn no_more_goes_out_again_than_went_out() {
        let now = Instant::now();
        let mut repair = repair(100);
        let resent = packet(RTX, 1, 1_024);
        let at_first = (0..2_000).filter(|_| repair.pass(&resent, now) == Verdict::Send);
        assert_eq!(at_first.count(), 1_024);
        for _ in 0..10 {
            assert_eq!(repair.pass(&packet(PLAIN, 1, 1_024), now), Verdict::Send);
        }
        let after = (0..2_000).filter(|_| repair.pass(&resent, now) == Verdict::Send);
        assert_eq!(after.count(), 10);
        assert_eq!(asked(&mut repair, (1, 0), now), [0_u16; 0]);
    }

    #[test]
    fn reports_and_sound_are_sent() {
        let mut repair = repair(100);
        repair.credit = Credit(0);
        for pt in [200, 205, 111] {
            let verdict = repair.pass(&packet(pt, 1, 100), Instant::now());
            assert_eq!(verdict, Verdict::Send);
        }
    }
}
