//! What a viewer was sent and may ask for again.
//!
//! A stream's payloads are shared by all of its viewers; what is kept for each is
//! only which of them went out under which number. A viewer without RTX gets the
//! packet itself again, which must be the very same datagram: that is kept as it
//! was.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::media::packet::MediaPacket;
use crate::media::picture::Shift;

/// Most that can be told apart by 16 bits, whichever of them is the newest.
const MOST: usize = 1 << 15;

/// Packets sent, by their numbers.
#[derive(Debug)]
pub(super) struct History {
    /// From `first` on, with holes for numbers that nothing was sent under.
    packets: VecDeque<Option<Sent>>,
    first: u64,
    /// What [`Stamp`]s count from; `None` before the first packet.
    start: Option<Instant>,
    most: usize,
    /// How long they are of use.
    age: Duration,
}

/// A packet that was sent.
#[derive(Debug)]
struct Sent {
    what: What,
    at: Stamp,
    /// When it was sent again last.
    again_at: Option<Stamp>,
}

/// A time in milliseconds, which wraps after seven weeks and is compared with
/// what is seconds away: a viewer has hundreds of them.
#[derive(Debug, Clone, Copy)]
struct Stamp(NonZeroU32);

impl Stamp {
    fn new(since_start: Duration) -> Self {
        let after = since_start.as_millis() as u32;
        Self(NonZeroU32::new(after.wrapping_add(1)).unwrap_or(NonZeroU32::MIN))
    }

    fn since(self, earlier: Self) -> Duration {
        let passed = self.0.get().wrapping_sub(earlier.0.get());
        // One from before is not seven weeks ahead.
        let passed = i32::try_from(passed).map_or(0, i32::unsigned_abs);
        Duration::from_millis(passed.into())
    }
}

/// What goes out again.
#[derive(Debug)]
pub(super) enum What {
    /// In a packet of its own (RFC 4588).
    Packet(Shown),
    /// The datagram as it was.
    Datagram(Box<[u8]>),
}

/// A packet of the source as one viewer is shown it.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) packet: Arc<MediaPacket>,
    pub(super) timestamp: u32,
    pub(super) pt: u8,
    pub(super) pictures: Shift,
}

impl History {
    /// Keeps so many packets, and each so long.
    pub(super) fn new(most: usize, age: Duration) -> Self {
        Self {
            packets: VecDeque::new(),
            first: 0,
            start: None,
            most: most.min(MOST),
            age,
        }
    }

    /// Packets are of use so long from now on.
    pub(super) fn set_age(&mut self, age: Duration) {
        self.age = age;
    }

    /// Nothing that was sent is of use any more.
    pub(super) fn clear(&mut self) {
        self.packets.clear();
    }

    /// Keeps a packet that is sent now.
    pub(super) fn keep(&mut self, number: u64, what: What, now: Instant) {
        let now = self.stamp(now);
        self.forget_old(now);
        let end = self.first + self.packets.len() as u64;
        if self.packets.is_empty() || number >= end + self.most as u64 {
            self.packets.clear();
            self.first = number;
        }
        let Some(place) = number.checked_sub(self.first) else {
            return;
        };
        let place = place as usize;
        if self.packets.len() <= place {
            self.packets.resize_with(place + 1, || None);
        }
        self.packets[place] = Some(Sent {
            what,
            at: now,
            again_at: None,
        });
        while self.packets.len() > self.most {
            self.forget_first();
        }
    }

    /// The packet of a number's lower 16 bits, if it is still there, unless it has
    /// been sent again less than `wait` ago; with its number.
    pub(super) fn again(
        &mut self,
        number: u16,
        wait: Duration,
        now: Instant,
    ) -> Option<(u64, &What)> {
        let now = self.stamp(now);
        let place = number.wrapping_sub(self.first as u16);
        let sent = self.packets.get_mut(usize::from(place))?.as_mut()?;
        let is_old = now.since(sent.at) > self.age;
        let on_its_way = |at| now.since(at) < wait;
        if is_old || sent.again_at.is_some_and(on_its_way) {
            return None;
        }
        sent.again_at = Some(now);
        Some((self.first + u64::from(place), &sent.what))
    }

    /// Forgets what is old, and gives back room that is far more than the rest
    /// takes, but for what may come until next time.
    pub(super) fn give_back(&mut self, now: Instant) {
        let now = self.stamp(now);
        self.forget_old(now);
        let kept = self.packets.len();
        if self.packets.capacity() > 3 * kept {
            self.packets.shrink_to(2 * kept);
        }
    }

    fn stamp(&mut self, now: Instant) -> Stamp {
        let start = *self.start.get_or_insert(now);
        Stamp::new(now.saturating_duration_since(start))
    }

    fn forget_old(&mut self, now: Stamp) {
        let age = self.age;
        let is_old = |sent: &Option<Sent>| {
            let at = sent.as_ref().map(|sent| sent.at);
            at.is_none_or(|at| now.since(at) > age)
        };
        while self.packets.front().is_some_and(is_old) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        self.packets.pop_front();
        self.first += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: Duration = Duration::from_millis(1_000);
    const WAIT: Duration = Duration::from_millis(50);

    struct Fixture {
        history: History,
        start: Instant,
    }

    impl Fixture {
        fn new(most: usize) -> Self {
            Self {
                history: History::new(most, AGE),
                start: Instant::now(),
            }
        }

        fn at(&self, ms: u64) -> Instant {
            self.start + Duration::from_millis(ms)
        }

        fn keep(&mut self, numbers: impl IntoIterator<Item = u64>, ms: u64) {
            for number in numbers {
                let datagram = What::Datagram(number.to_be_bytes().into());
                self.history.keep(number, datagram, self.at(ms));
            }
        }

        /// Those of `numbers` that are there, having been what they are said to be.
        fn again(&mut self, numbers: impl IntoIterator<Item = u16>, ms: u64) -> Vec<u64> {
            let now = self.at(ms);
            let mut again = Vec::new();
            for asked in numbers {
                let Some((number, what)) = self.history.again(asked, WAIT, now) else {
                    continue;
                };
                assert_eq!(number as u16, asked);
                assert!(matches!(what, What::Datagram(d) if **d == number.to_be_bytes()));
                again.push(number);
            }
            again
        }
    }

    #[test]
    fn a_packet_is_sent_again_once_a_while() {
        let mut f = Fixture::new(100);
        f.keep(65_530..65_540, 0);
        assert_eq!(f.again([65_534, 0, 3, 4], 1), [65_534, 65_536, 65_539]);
        assert_eq!(f.again([65_534, 0, 1], 50), [65_537]);
        assert_eq!(f.again([65_534, 0], 51), [65_534, 65_536]);
    }

    #[test]
    fn a_packet_takes_little() {
        assert!(size_of::<Option<Sent>>() <= 32);
    }

    #[test]
    fn room_that_was_needed_once_is_given_back() {
        let mut f = Fixture::new(1_000);
        f.keep(0..1_000, 0);
        f.keep(1_000..1_100, 1_001);
        f.history.give_back(f.at(1_001));
        let room = f.history.packets.capacity();
        assert!((200..300).contains(&room), "{room}");
        assert_eq!(f.again([0, 999, 1_000, 1_099], 1_001), [1_000, 1_099]);
        f.keep(1_100..1_200, 1_001);
        f.history.give_back(f.at(1_001));
        assert_eq!(f.history.packets.capacity(), room);
        f.history.give_back(f.at(2_002));
        assert_eq!(f.history.packets.capacity(), 0);
    }

    #[test]
    fn times_wrap() {
        let week = Duration::from_hours(7 * 24);
        let before = Stamp::new(week * 7);
        for (later, expected) in [(20, 20), (week.as_millis() as u64, week.as_millis())] {
            let after = Stamp::new(week * 7 + Duration::from_millis(later));
            assert_eq!(after.since(before).as_millis(), expected);
            assert_eq!(before.since(after), Duration::ZERO);
        }
    }

    #[test]
    fn what_comes_late_or_never_has_its_place() {
        let mut f = Fixture::new(100);
        f.keep([10, 11, 14, 12, 9], 0);
        assert_eq!(f.again(0..100, 1), [10, 11, 12, 14]);
    }

    #[test]
    fn what_is_old_or_too_much_is_forgotten() {
        let mut f = Fixture::new(4);
        f.keep(0..6, 0);
        assert_eq!(f.again(0..10, 1), [2, 3, 4, 5]);
        f.keep([7], 600);
        assert_eq!(f.again(0..10, 700), [4, 5, 7]);
        assert_eq!(f.again(0..10, 1_001), [7]);
        f.keep([8], 1_100);
        assert_eq!((f.history.first, f.history.packets.len()), (7, 2));
        // Far ahead, and nothing at all.
        f.keep([5_000], 1_200);
        assert_eq!(f.again(0..u16::MAX, 1_200), [5_000]);
        f.history.clear();
        assert_eq!(f.again(0..u16::MAX, 1_300), [0_u64; 0]);
        f.keep([5_001], 1_300);
        assert_eq!(f.again(0..u16::MAX, 1_300), [5_001]);
    }
}
