//! One RTP stream (SSRC) towards one viewer: which of its numbers are spent.
//!
//! A number stands for the key stream that a packet is encrypted with. Used for
//! two packets it gives away what both of them hold, and with AES-GCM the key
//! that authenticates all others (RFC 3711 section 9.1, RFC 7714 section 13.1).
//! Whatever a publisher sends and however it is spliced, each is used once.

/// How far behind the newest a packet may come, 18 s of 1.5 Mbit/s at the most
/// usual size. What is later is dropped.
const REACH: u64 = 2_048;
const WORDS: usize = (REACH / 64) as usize;

/// One RTP stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) ssrc: u32,
    /// Sent, without what was sent again: what sender reports say (RFC 3550
    /// section 6.4.1).
    pub(super) packets: u32,
    /// Bytes of their payloads.
    pub(super) bytes: u64,
    /// The newest number; `None` before the first.
    newest: Option<u64>,
    /// The last so many of them, each with its bit at its remainder.
    spent: Box<[u64; WORDS]>,
}

impl Stream {
    pub(super) fn new(ssrc: u32) -> Self {
        Self {
            ssrc,
            packets: 0,
            bytes: 0,
            newest: None,
            spent: Box::new([0; WORDS]),
        }
    }

    /// Takes a number, extended past 16 bits, for a packet; false if it has had
    /// one, or may have.
    pub(super) fn spend(&mut self, number: u64) -> bool {
        match self.newest {
            Some(newest) if number <= newest => {
                if newest - number >= REACH || self.is_spent(number) {
                    return false;
                }
            }
            Some(newest) => {
                for skipped in (newest + 1..=number).take(REACH as usize) {
                    self.clear(skipped);
                }
                self.newest = Some(number);
            }
            None => self.newest = Some(number),
        }
        let (word, bit) = place(number);
        self.spent[word] |= bit;
        true
    }

    /// Counts a packet that is sent for the first time.
    pub(super) fn count(&mut self, bytes: usize) {
        self.packets = self.packets.wrapping_add(1);
        self.bytes += bytes as u64;
    }

    fn is_spent(&self, number: u64) -> bool {
        let (word, bit) = place(number);
        self.spent[word] & bit != 0
    }

    fn clear(&mut self, number: u64) {
        let (word, bit) = place(number);
        self.spent[word] &= !bit;
    }
}

fn place(number: u64) -> (usize, u64) {
    let at = number % REACH;
    ((at / 64) as usize, 1 << (at % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_number_is_spent_once() {
        let mut stream = Stream::new(1);
        let table = [
            (10, true),
            (10, false),
            (12, true),
            (11, true),
            (11, false),
            (9, true),
            // Past 16 bits, and over everything kept.
            (65_546, true),
            (65_546, false),
            (10, false),
            (65_546 - REACH, false),
            (65_546 - REACH + 1, true),
            (65_546 - REACH + 1, false),
            (65_547, true),
            (65_545, true),
        ];
        for (number, expected) in table {
            assert_eq!(stream.spend(number), expected, "{number}");
        }
    }

    /// Whatever comes in whatever order.
    #[test]
    fn no_number_is_spent_twice() {
        let mut stream = Stream::new(1);
        let (mut taken, mut state) = (HashSet::new(), 1_u64);
        let mut base = 0;
        for _ in 0..200_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let random = state >> 40;
            if random % 1_000 == 0 {
                base += random % 10_000;
            }
            base += random % 3;
            let number = base + (random >> 8) % 3_000;
            if stream.spend(number) {
                assert!(taken.insert(number), "{number}");
            }
        }
        assert!(taken.len() > 50_000, "{}", taken.len());
    }
}
