//! One source of a viewer: numbers, what is missing of them, and what reports say.

use std::time::{Duration, Instant};

use crate::rtcp::{Block, in_65536ths};

/// How long a packet that was asked for may take before it is asked for again: a round
/// trip on one machine and what a server may wait to answer several at once.
const ASK_AGAIN: Duration = Duration::from_millis(30);

/// How often at most, as in browsers.
const MAX_ASKS: u8 = 10;

/// A gap of more packets than this is not asked for: a keyframe is.
const MAX_GAP: u64 = 512;

#[derive(Clone, Copy, Debug)]
struct Missing {
    index: u64,
    asks: u8,
    ask_at: Instant,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Reception {
    pub(crate) ssrc: u32,
    /// Ticks a second.
    rate: u32,
    first: u64,
    highest: u64,
    received: u64,
    /// Expected and received up to the last report.
    reported: (u64, u64),
    /// Arrival less timestamp of the packet before, in ticks.
    transit: Option<i64>,
    jitter: f64,
    /// Whether what is missing is asked for.
    is_mended: bool,
    missing: Vec<Missing>,
    given_up: bool,
    /// The last sender report's clock and when it came.
    report: Option<(u32, Instant)>,
}

impl Reception {
    /// Of a source whose first packet is `sequence`.
    pub(crate) fn new(ssrc: u32, rate: u32, sequence: u16) -> Self {
        let first = u64::from(sequence);
        Self {
            ssrc,
            rate,
            first,
            highest: first,
            received: 0,
            reported: (0, 0),
            transit: None,
            jitter: 0.0,
            is_mended: false,
            missing: Vec::new(),
            given_up: false,
            report: None,
        }
    }

    /// The same of one whose missing packets are asked for.
    pub(crate) fn mended(ssrc: u32, rate: u32, sequence: u16) -> Self {
        Self {
            is_mended: true,
            ..Self::new(ssrc, rate, sequence)
        }
    }

    /// The number with its roll-overs: the one nearest to the highest so far (RFC 3711
    /// section 3.3.1).
    pub(crate) fn index(&self, sequence: u16) -> u64 {
        let step = sequence.wrapping_sub(self.highest as u16) as i16;
        self.highest.saturating_add_signed(i64::from(step))
    }

    /// Takes note of a packet; true if one with a higher number came before.
    pub(crate) fn arrived(&mut self, index: u64, timestamp: u32, at: Instant, at_ns: u64) -> bool {
        self.received += 1;
        if index > self.highest {
            self.note_gap(index, at);
            self.highest = index;
            self.measure_jitter(timestamp, at_ns);
            return false;
        }
        self.missing.retain(|missing| missing.index != index);
        index < self.highest
    }

    fn note_gap(&mut self, index: u64, at: Instant) {
        if !self.is_mended {
            return;
        }
        let gap = self.highest + 1..index;
        if index - self.highest > MAX_GAP {
            self.missing.clear();
            self.given_up = true;
            return;
        }
        self.missing.extend(gap.map(|index| Missing {
            index,
            asks: 0,
            ask_at: at,
        }));
    }

    /// RFC 3550 appendix A.8.
    fn measure_jitter(&mut self, timestamp: u32, at_ns: u64) {
        let ticks = u128::from(at_ns) * u128::from(self.rate) / 1_000_000_000;
        let transit = i64::from(ticks as u32) - i64::from(timestamp);
        if let Some(before) = self.transit.replace(transit) {
            // Both wrap at 32 bits.
            let change = f64::from((transit - before) as i32).abs();
            self.jitter += (change - self.jitter) / 16.0;
        }
    }

    /// When something is to be asked for.
    pub(crate) fn ask_at(&self) -> Option<Instant> {
        self.missing.iter().map(|missing| missing.ask_at).min()
    }

    /// What to ask for now, in order.
    pub(crate) fn asks(&mut self, now: Instant) -> Vec<u16> {
        let mut asks = Vec::new();
        let before = self.missing.len();
        self.missing
            .retain(|missing| missing.asks < MAX_ASKS || missing.ask_at > now);
        self.given_up |= self.missing.len() < before;
        for missing in self.missing.iter_mut().filter(|m| m.ask_at <= now) {
            missing.asks += 1;
            missing.ask_at = now + ASK_AGAIN;
            asks.push(missing.index as u16);
        }
        asks
    }

    /// Whether a packet has been given up since this was last asked, so that only a
    /// keyframe helps.
    pub(crate) fn take_given_up(&mut self) -> bool {
        std::mem::take(&mut self.given_up)
    }

    /// A sender report came.
    pub(crate) fn reported(&mut self, clock: u32, at: Instant) {
        self.report = Some((clock, at));
    }

    /// This source in a receiver report.
    pub(crate) fn block(&mut self, now: Instant) -> Block {
        let expected = self.highest - self.first + 1;
        let (expected_before, received_before) = self.reported;
        self.reported = (expected, self.received);
        let interval = expected - expected_before;
        let lost = interval.saturating_sub(self.received - received_before);
        let (last_report, delay) = self.report.map_or((0, 0), |(clock, at)| {
            (clock, in_65536ths(now.saturating_duration_since(at)))
        });
        Block {
            ssrc: self.ssrc,
            fraction_lost: (lost * 256).checked_div(interval).unwrap_or(0).min(255) as u8,
            lost: expected.saturating_sub(self.received) as u32,
            highest: self.highest as u32,
            jitter: self.jitter as u32,
            last_report,
            delay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, milliseconds: u64) -> Instant {
        start + Duration::from_millis(milliseconds)
    }

    /// Takes these numbers one after the other, all at `start`.
    fn after(numbers: &[u16], start: Instant) -> Reception {
        let mut reception = Reception::mended(9, 90_000, numbers[0]);
        for &number in numbers {
            let index = reception.index(number);
            reception.arrived(index, 0, start, 0);
        }
        reception
    }

    #[test]
    fn numbers_go_on_over_the_end() {
        let reception = after(&[65_534, 65_535, 0, 1], Instant::now());
        assert_eq!(reception.index(2), 65_538);
        assert_eq!(reception.index(65_535), 65_535);
        assert_eq!(reception.ask_at(), None);
    }

    #[test]
    fn what_is_missing_is_asked_for_until_it_comes() {
        let start = Instant::now();
        let mut reception = after(&[10, 13], start);
        assert_eq!(reception.ask_at(), Some(start));
        assert_eq!(reception.asks(start), [11, 12]);
        assert!(reception.asks(at(start, 1)).is_empty());
        let index = reception.index(11);
        assert!(reception.arrived(index, 0, start, 0));
        assert_eq!(reception.asks(at(start, 30)), [12]);
        assert!(!reception.take_given_up());
    }

    #[test]
    fn what_never_comes_is_given_up_once() {
        let start = Instant::now();
        let mut reception = after(&[10, 12], start);
        let asked = (0..100).map(|turn| reception.asks(at(start, turn * 30)).len());
        assert_eq!(asked.sum::<usize>(), usize::from(MAX_ASKS));
        assert!(reception.take_given_up());
        assert!(!reception.take_given_up());
        assert_eq!(reception.ask_at(), None);
    }

    #[test]
    fn too_wide_a_gap_is_not_asked_for() {
        let mut reception = after(&[10, 1_000], Instant::now());
        assert_eq!(reception.ask_at(), None);
        assert!(reception.take_given_up());
    }

    #[test]
    fn reports_tell_the_loss_since_the_last() {
        let start = Instant::now();
        let mut reception = after(&[10, 11, 13, 14], start);
        reception.reported(77, start);
        let block = reception.block(at(start, 500));
        assert_eq!((block.lost, block.fraction_lost), (1, 51));
        assert_eq!((block.highest, block.last_report), (14, 77));
        assert_eq!(block.delay, 32_768);
        let index = reception.index(15);
        reception.arrived(index, 0, start, 0);
        let block = reception.block(start);
        assert_eq!((block.lost, block.fraction_lost), (1, 0));
    }
}
