//! When packets came, by the numbers of the whole transport.

use std::time::Instant;

use crate::clock;
use crate::rtcp::{self, MAX_TRANSPORT_PACKETS};

/// What is to be told in the next report.
#[derive(Debug, Default)]
pub(crate) struct TransportLog {
    /// With their roll-overs.
    packets: Vec<(u64, Instant)>,
    highest: u64,
    /// When the first of them came.
    since: Option<Instant>,
    reports: u8,
}

impl TransportLog {
    pub(crate) fn note(&mut self, number: u16, at: Instant) {
        if self.packets.len() >= MAX_TRANSPORT_PACKETS {
            return;
        }
        // The first round begins at 1, so that there is something before it.
        if self.highest == 0 {
            self.highest = u64::from(number) | 1 << 16;
        }
        let step = number.wrapping_sub(self.highest as u16) as i16;
        let number = self.highest.saturating_add_signed(i64::from(step));
        self.highest = self.highest.max(number);
        self.packets.push((number, at));
        self.since.get_or_insert(at);
    }

    /// Since when there is something to report.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Appends the report to an RTCP packet, and begins the next.
    pub(crate) fn report(&mut self, out: &mut Vec<u8>, source: u32) {
        self.since = None;
        self.packets.sort_unstable();
        self.packets.dedup_by_key(|(number, _)| *number);
        // A jump of the numbers tells nothing of what was between.
        if let Some(&(first, _)) = self.packets.first() {
            let end = first + MAX_TRANSPORT_PACKETS as u64;
            self.packets.retain(|(number, _)| *number < end);
        }
        let origin = clock::moment(0);
        rtcp::transport_wide(out, source, self.reports, &self.packets, origin);
        self.reports = self.reports.wrapping_add(1);
        self.packets.clear();
    }
}
