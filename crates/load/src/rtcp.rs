//! What a viewer says of what it receives, as a browser would: receiver reports,
//! negative acknowledgements, requests for keyframes and transport-wide feedback.

use std::time::{Duration, Instant};

/// What viewers call themselves: browsers that only receive say 1 too.
pub(crate) const OWN_SSRC: u32 = 1;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;

/// The most packets that one report of the transport's tells of.
pub(crate) const MAX_TRANSPORT_PACKETS: usize = 512;

/// One source in a receiver report (RFC 3550 section 6.4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) ssrc: u32,
    /// Of packets since the last report, in 256ths.
    pub(crate) fraction_lost: u8,
    pub(crate) lost: u32,
    /// With its roll-overs.
    pub(crate) highest: u32,
    /// In the media's ticks.
    pub(crate) jitter: u32,
    /// The middle bits of the last sender report's wall clock.
    pub(crate) last_report: u32,
    /// Since then, in 65,536ths of a second.
    pub(crate) delay: u32,
}

/// Starts a packet with a receiver report, as compound packets do (RFC 3550 section
/// 6.1).
pub(crate) fn receiver_report(out: &mut Vec<u8>, blocks: &[Block]) {
    head(
        out,
        blocks.len() as u8,
        RECEIVER_REPORT,
        1 + 6 * blocks.len(),
    );
    out.extend(OWN_SSRC.to_be_bytes());
    for block in blocks {
        out.extend(block.ssrc.to_be_bytes());
        let lost = block.lost.min(0x7f_ffff) | u32::from(block.fraction_lost) << 24;
        for word in [
            lost,
            block.highest,
            block.jitter,
            block.last_report,
            block.delay,
        ] {
            out.extend(word.to_be_bytes());
        }
    }
}

/// Asks for packets again (RFC 4585 section 6.2.1); `missing` is in order.
pub(crate) fn nack(out: &mut Vec<u8>, source: u32, missing: &[u16]) {
    let mut entries: Vec<(u16, u16)> = Vec::new();
    for &sequence in missing {
        match entries.last_mut() {
            Some((first, mask)) if (1..=16).contains(&sequence.wrapping_sub(*first)) => {
                *mask |= 1 << (sequence.wrapping_sub(*first) - 1);
            }
            _ => entries.push((sequence, 0)),
        }
    }
    feedback(out, 1, TRANSPORT_FEEDBACK, source, 4 * entries.len());
    for (first, mask) in entries {
        out.extend(first.to_be_bytes());
        out.extend(mask.to_be_bytes());
    }
}

/// Asks for a keyframe (RFC 4585 section 6.3.1).
pub(crate) fn picture_loss(out: &mut Vec<u8>, source: u32) {
    feedback(out, 1, PAYLOAD_FEEDBACK, source, 0);
}

/// Tells when packets came, by the transport's numbers: `packets` in order of them, none
/// twice (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1). Those of the
/// span that are not there are lost.
pub(crate) fn transport_wide(
    out: &mut Vec<u8>,
    source: u32,
    count: u8,
    packets: &[(u64, Instant)],
    origin: Instant,
) {
    const TICK_US: u128 = 250;
    let Some(&(base, first)) = packets.first() else {
        return;
    };
    // The reference is in 64 ms, deltas are counted from it.
    let reference = first.saturating_duration_since(origin).as_micros() / 64_000;
    let mut last = (reference * 64_000 / TICK_US) as i64;
    let (mut statuses, mut deltas) = (Vec::new(), Vec::new());
    for &(number, at) in packets {
        let missing = (number - base) as usize - statuses.len();
        statuses.extend(std::iter::repeat_n(0, missing));
        let tick = (at.saturating_duration_since(origin).as_micros() / TICK_US) as i64;
        let delta = (tick - last).clamp(i64::from(i16::MIN), i64::from(i16::MAX));
        last += delta;
        if let Ok(small) = u8::try_from(delta) {
            statuses.push(1);
            deltas.push(small);
        } else {
            statuses.push(2_u16);
            deltas.extend((delta as i16).to_be_bytes());
        }
    }
    // Vectors of seven packets each, two bits a packet.
    let chunks = statuses.len().div_ceil(7);
    let used = 8 + 2 * chunks + deltas.len();
    let padding = used.next_multiple_of(4) - used;
    let start = out.len();
    feedback(out, 15, TRANSPORT_FEEDBACK, source, used + padding);
    out.extend((base as u16).to_be_bytes());
    out.extend((statuses.len() as u16).to_be_bytes());
    out.extend(&(reference as u32).to_be_bytes()[1..]);
    out.push(count);
    for chunk in statuses.chunks(7) {
        let symbols = chunk.iter().enumerate();
        let vector = symbols.fold(0xc000, |bits, (at, status)| bits | status << (12 - 2 * at));
        out.extend(u16::to_be_bytes(vector));
    }
    out.extend(deltas);
    if padding > 0 {
        out[start] |= 0x20;
        out.extend(std::iter::repeat_n(0, padding - 1));
        out.push(padding as u8);
    }
}

fn feedback(out: &mut Vec<u8>, format: u8, packet_type: u8, source: u32, bytes: usize) {
    head(out, format, packet_type, 2 + bytes / 4);
    out.extend(OWN_SSRC.to_be_bytes());
    out.extend(source.to_be_bytes());
}

fn head(out: &mut Vec<u8>, count: u8, packet_type: u8, words: usize) {
    out.extend([0x80 | count, packet_type]);
    out.extend((words as u16).to_be_bytes());
}

/// The sender reports in a compound packet: source and the middle bits of its wall clock.
pub(crate) fn sender_reports(mut packet: &[u8]) -> Vec<(u32, u32)> {
    let mut reports = Vec::new();
    while let [_, packet_type, high, low, ..] = *packet {
        let length = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        let Some((one, rest)) = packet.split_at_checked(length) else {
            break;
        };
        if packet_type == SENDER_REPORT
            && let (Some(ssrc), Some(clock)) = (one.get(4..8), one.get(10..14))
        {
            let word = |bytes: &[u8]| {
                bytes
                    .iter()
                    .fold(0, |word, byte| word << 8 | u32::from(*byte))
            };
            reports.push((word(ssrc), word(clock)));
        }
        packet = rest;
    }
    reports
}

/// A span as receiver reports have it.
pub(crate) fn in_65536ths(span: Duration) -> u32 {
    u32::try_from(span.as_micros() * 65_536 / 1_000_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
