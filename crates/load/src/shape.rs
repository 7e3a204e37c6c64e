//! A stream's packets: H.264 by its headers, stamps and noise by its contents.
//!
//! Servers take it for H.264 as a real encoder sends it (RFC 6184, packetization mode
//! 1): a keyframe begins with a STAP-A of sequence and picture parameter sets, fragments
//! (FU-A) of a picture follow, each as full as the path allows but the last. No decoder
//! would make a picture of it.

use crate::results::MediaShape;
use crate::stamp::{Kind, STAMP_BYTES, Stamp};

/// The longest payload. With RTP header, extensions and authentication the datagram
/// stays under the 1,200 bytes that browsers keep to.
pub(crate) const MAX_PAYLOAD: usize = 1_140;

/// Bytes of a packet of sound: 20 ms at 32 kbit/s.
const SOUND_BYTES: usize = 80;

/// Packets of sound a second.
pub(crate) const SOUND_RATE: u32 = 50;

/// The most packets of a frame: what viewers keep count of.
pub(crate) const MAX_PACKETS: usize = 1_024;

/// Sequence parameter set of 1280 x 720, constrained baseline, level 3.1.
const SPS: [u8; 9] = [0x67, 0x42, 0xe0, 0x1f, 0xda, 0x01, 0x40, 0x16, 0xe4];
/// Picture parameter set for it.
const PPS: [u8; 4] = [0x68, 0xce, 0x3c, 0x80];
/// Head of a SEI message of unregistered user data (H.264 annex D.1.6): 48 bytes, of
/// which these sixteen say whose they are.
const SEI: [u8; 19] = *b"\x06\x05\x30twoway-load-----";

const STAP_A: u8 = 24;
const FU_A: u8 = 28;
const IDR: u8 = 5;
const NON_IDR: u8 = 1;
const NAL_TYPE: u8 = 0x1f;
/// The importance of a NAL unit, highest for parameter sets and keyframes.
const HIGH: u8 = 0x60;
const MIDDLE: u8 = 0x40;

/// Where the stamp stands in the packet of parameter sets.
const STAMP_IN_SETS: usize = 1 + 2 + SPS.len() + 2 + PPS.len() + 2 + SEI.len();
/// The whole of it; a SEI message ends with a stop bit.
const SETS_BYTES: usize = STAMP_IN_SETS + STAMP_BYTES + 1;
const STAMP_IN_FRAGMENT: usize = 2;
const STAMP_IN_SOUND: usize = 1;

/// A viewer that has this many bytes from a payload's start has the stamp.
pub(crate) const STAMP_WITHIN: usize = STAMP_IN_SETS + STAMP_BYTES;

/// A packet of Opus: 20 ms of both channels in one frame (RFC 6716 section 3.1).
const OPUS: u8 = 0xfc;

/// What makes a frame's packets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// See [`Stamp::stream`].
    pub(crate) stream: u32,
    /// See [`Stamp::frame`].
    pub(crate) number: u32,
    /// See [`Stamp::kind`].
    pub(crate) kind: Kind,
    /// See [`Stamp::sent_ns`].
    pub(crate) sent_ns: u64,
}

/// Bytes of a usual frame and of a keyframe, so that the stream has the wanted rate
/// where a keyframe comes when it is due and not before.
pub(crate) fn frame_bytes(shape: &MediaShape) -> (usize, usize) {
    let interval = u64::from(shape.keyframe_interval.max(1));
    let factor = u64::from(shape.keyframe_factor.max(1));
    let rate = u64::from(shape.frame_rate.max(1));
    let group = shape.bitrate_bps / 8 * interval / rate;
    let usual = group / (interval - 1 + factor);
    let most = (MAX_PACKETS * MAX_PAYLOAD / 2) as u64;
    let bytes = |bytes: u64| bytes.min(most) as usize;
    (bytes(usual), bytes(usual * factor))
}

/// The payloads of `frame`, which has about `bytes`.
pub(crate) fn payloads(frame: &Frame, bytes: usize) -> Vec<Vec<u8>> {
    if frame.kind == Kind::Sound {
        return vec![sound(frame)];
    }
    let is_key = frame.kind == Kind::Key;
    let sets = if is_key { SETS_BYTES } else { 0 };
    let least = STAMP_IN_FRAGMENT + STAMP_BYTES;
    let sizes = sizes(bytes.saturating_sub(sets), least);
    let count = sizes.len() + usize::from(is_key);
    let stamp = |index: usize, length: usize| Stamp {
        sent_ns: frame.sent_ns,
        stream: frame.stream,
        frame: frame.number,
        index: index as u16,
        count: count as u16,
        length: length as u16,
        kind: frame.kind,
    };
    let mut payloads = Vec::with_capacity(count);
    if is_key {
        payloads.push(parameter_sets(&stamp(0, SETS_BYTES)));
    }
    let last = sizes.len() - 1;
    for (fragment, length) in sizes.into_iter().enumerate() {
        let stamp = stamp(payloads.len(), length);
        payloads.push(self::fragment(&stamp, fragment == 0, fragment == last));
    }
    payloads
}

/// Full packets and a rest; at least two, since a picture in one fragment must not be
/// sent as one (RFC 6184 section 5.8).
fn sizes(bytes: usize, least: usize) -> Vec<usize> {
    let bytes = bytes.max(2 * least);
    if bytes <= MAX_PAYLOAD {
        return vec![bytes.div_ceil(2), (bytes / 2).max(least)];
    }
    let mut sizes = vec![MAX_PAYLOAD; bytes / MAX_PAYLOAD];
    match bytes % MAX_PAYLOAD {
        0 => {}
        rest => sizes.push(rest.max(least)),
    }
    sizes
}

fn parameter_sets(stamp: &Stamp) -> Vec<u8> {
    let mut payload = Vec::with_capacity(SETS_BYTES);
    let sei_bytes = SEI.len() + STAMP_BYTES + 1;
    payload.push(HIGH | STAP_A);
    payload.extend([0, SPS.len() as u8]);
    payload.extend(SPS);
    payload.extend([0, PPS.len() as u8]);
    payload.extend(PPS);
    payload.extend([0, sei_bytes as u8]);
    payload.extend(SEI);
    payload.extend(stamp.write());
    payload.push(0x80);
    payload
}

fn fragment(stamp: &Stamp, first: bool, last: bool) -> Vec<u8> {
    let (importance, unit) = if stamp.kind == Kind::Key {
        (HIGH, IDR)
    } else {
        (MIDDLE, NON_IDR)
    };
    let header = u8::from(first) << 7 | u8::from(last) << 6 | unit;
    filled(stamp, &[importance | FU_A, header])
}

fn sound(frame: &Frame) -> Vec<u8> {
    let stamp = Stamp {
        sent_ns: frame.sent_ns,
        stream: frame.stream,
        frame: frame.number,
        index: 0,
        count: 1,
        length: SOUND_BYTES as u16,
        kind: Kind::Sound,
    };
    filled(&stamp, &[OPUS])
}

fn filled(stamp: &Stamp, head: &[u8]) -> Vec<u8> {
    let mut payload = vec![0; usize::from(stamp.length)];
    let (start, rest) = payload.split_at_mut(head.len());
    start.copy_from_slice(head);
    let (place, filling) = rest.split_at_mut(STAMP_BYTES);
    place.copy_from_slice(&stamp.write());
    stamp.fill(filling);
    payload
}

/// Where the stamp of a payload stands that begins like this.
fn stamp_at(payload: &[u8], is_sound: bool) -> Option<usize> {
    let first = *payload.first()?;
    if is_sound {
        return (first == OPUS).then_some(STAMP_IN_SOUND);
    }
    match first & NAL_TYPE {
        STAP_A => Some(STAMP_IN_SETS),
        FU_A => Some(STAMP_IN_FRAGMENT),
        _ => None,
    }
}

/// The stamp of a payload of which at least the first [`STAMP_WITHIN`] bytes are here,
/// or all if there are fewer.
pub(crate) fn read_stamp(payload: &[u8], is_sound: bool) -> Option<Stamp> {
    Stamp::read(payload.get(stamp_at(payload, is_sound)?..)?)
}

/// Whether every byte of a payload is what was sent with its stamp.
pub(crate) fn is_whole(payload: &[u8], stamp: &Stamp) -> bool {
    if payload.len() != usize::from(stamp.length) {
        return false;
    }
    let is_sound = stamp.kind == Kind::Sound;
    let Some(at) = stamp_at(payload, is_sound) else {
        return false;
    };
    if at == STAMP_IN_SETS {
        payload == parameter_sets(stamp)
    } else {
        stamp.fills(&payload[at + STAMP_BYTES..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: MediaShape = MediaShape {
        bitrate_bps: 1_500_000,
        frame_rate: 30,
        keyframe_interval: 60,
        keyframe_factor: 6,
        audio: false,
    };

    fn frame(kind: Kind) -> Frame {
        Frame {
            stream: 3,
            number: 9,
            kind,
            sent_ns: 77,
        }
    }

    fn bytes_of(payloads: &[Vec<u8>]) -> usize {
        payloads.iter().map(Vec::len).sum()
    }

    #[test]
    fn a_group_has_the_wanted_rate() {
        let (usual, key) = frame_bytes(&SHAPE);
        assert_eq!(key, usual * 6);
        let usual = bytes_of(&payloads(&frame(Kind::Delta), usual));
        let key = bytes_of(&payloads(&frame(Kind::Key), key));
        let wanted = 1_500_000 / 8 * 60 / 30;
        let group = usual * 59 + key;
        assert!(
            group.abs_diff(wanted) < wanted / 100,
            "{group} for {wanted}"
        );
    }

    #[test]
    fn every_packet_says_what_it_is() {
        for (kind, bytes) in [
            (Kind::Delta, 6_000),
            (Kind::Key, 40_000),
            (Kind::Sound, 80),
            (Kind::Delta, 0),
            (Kind::Key, 2 * MAX_PAYLOAD),
        ] {
            let payloads = payloads(&frame(kind), bytes);
            for (index, payload) in payloads.iter().enumerate() {
                assert!(payload.len() <= MAX_PAYLOAD);
                let start = &payload[..payload.len().min(STAMP_WITHIN)];
                let stamp = read_stamp(start, kind == Kind::Sound).unwrap();
                assert_eq!(usize::from(stamp.index), index);
                assert_eq!(usize::from(stamp.count), payloads.len());
                assert_eq!((stamp.stream, stamp.frame), (3, 9));
                assert_eq!((stamp.kind, stamp.sent_ns), (kind, 77));
                assert!(is_whole(payload, &stamp));
            }
        }
    }

    #[test]
    fn a_keyframe_begins_with_parameter_sets() {
        let payloads = payloads(&frame(Kind::Key), 5_000);
        let sets = &payloads[0];
        assert_eq!(sets[0] & NAL_TYPE, STAP_A);
        let mut rest = &sets[1..];
        let mut types = Vec::new();
        while let [high, low, unit @ ..] = rest {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            types.push(unit[0] & NAL_TYPE);
            rest = &unit[length..];
        }
        assert_eq!(types, [7, 8, 6]);
        assert!(rest.is_empty());
    }

    #[test]
    fn fragments_begin_and_end_once() {
        let marks = |kind, bytes| -> Vec<u8> {
            let payloads = payloads(&frame(kind), bytes);
            let fragments = payloads.iter().filter(|p| p[0] & NAL_TYPE == FU_A);
            fragments.map(|p| p[1]).collect()
        };
        assert_eq!(marks(Kind::Delta, 3_000), [0x81, 0x01, 0x41]);
        assert_eq!(marks(Kind::Delta, 100), [0x81, 0x41]);
        assert_eq!(marks(Kind::Key, 2_500), [0x85, 0x05, 0x45]);
    }

    #[test]
    fn damage_anywhere_behind_the_stamp_is_seen() {
        for kind in [Kind::Key, Kind::Delta, Kind::Sound] {
            for payload in payloads(&frame(kind), 3_000) {
                let stamp = read_stamp(&payload, kind == Kind::Sound).unwrap();
                let mut damaged = payload.clone();
                *damaged.last_mut().unwrap() ^= 4;
                assert!(!is_whole(&damaged, &stamp));
                assert!(!is_whole(&payload[..payload.len() - 1], &stamp));
            }
        }
    }
}
