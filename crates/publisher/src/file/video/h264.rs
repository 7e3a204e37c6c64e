//! H.264: from length prefixes and parameter sets apart (ISO/IEC 14496-15) to
//! an Annex B byte stream with the parameter sets in front of each keyframe.

use super::{Frame, unplayable};
use crate::file::bytes::Fields;
use crate::file::container::OpenError;

/// Parameter sets of one kind in a frame; more is a corrupt file.
const MAX_SETS: usize = 32;

/// In front of every NAL unit (H.264 annex B).
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// The `nal_unit_type`s (H.264 table 7-1) that matter here.
const IDR: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;
/// Access unit delimiter, ends of sequence and stream, filler: of no use in RTP.
const LEFT_OUT: [u8; 4] = [9, 10, 11, 12];
/// The last type that RTP can carry (RFC 6184 section 5.4).
const LAST_TYPE: u8 = 23;

/// The parameter sets of a track and how its NAL units are stored.
pub(in crate::file) struct H264 {
    /// Bytes of the length in front of each NAL unit.
    length_size: usize,
    /// From the header, until frames bring others.
    sps: Vec<Vec<u8>>,
    /// The same.
    pps: Vec<Vec<u8>>,
    profile_level_id: u32,
}

impl H264 {
    /// Reads an `AVCDecoderConfigurationRecord`.
    pub(super) fn open(config: &[u8]) -> Result<Self, OpenError> {
        let broken = || OpenError::from("its H.264 header makes no sense");
        let (length_size, sps, pps) = parameter_sets(config).ok_or_else(broken)?;
        let [_, profile, constraints, level, ..] = *sps.first().ok_or_else(broken)?.as_slice()
        else {
            return Err(broken());
        };
        if pps.is_empty() {
            return Err(broken());
        }
        check_profile(profile)?;
        if sps.len() > 1 || pps.len() > 1 {
            return Err(unplayable("H.264 with several parameter sets"));
        }
        Ok(Self {
            length_size,
            sps,
            pps,
            profile_level_id: u32::from_be_bytes([0, profile, constraints, level]),
        })
    }

    /// RFC 6184 section 8.1.
    pub(super) fn profile_level_id(&self) -> u32 {
        self.profile_level_id
    }

    /// `None`: the lengths do not fit, or there is no picture inside.
    pub(super) fn frame(&mut self, data: &[u8]) -> Option<Frame> {
        let mut units = Vec::new();
        let mut rest = Fields(data);
        while !rest.is_empty() {
            let length = rest.number(self.length_size)?;
            let unit = rest.take(usize::try_from(length).ok()?)?;
            // A length of zero is odd, but harms nobody.
            if let Some(first) = unit.first() {
                units.push((first & 0x1f, unit));
            }
        }
        let known = |kind| (1..=LAST_TYPE).contains(&kind);
        if !units.iter().all(|(kind, _)| known(*kind)) {
            return None;
        }
        let keyframe = units.iter().any(|(kind, _)| *kind == IDR);
        let has_picture = units.iter().any(|(kind, _)| (1..=IDR).contains(kind));
        if !has_picture {
            return None;
        }
        self.keep(&units);
        let mut annex_b = Vec::with_capacity(data.len() + 256);
        if keyframe {
            for set in self.sps.iter().chain(&self.pps) {
                push(&mut annex_b, set);
            }
        }
        let sets_are_there = |kind| keyframe && (kind == SPS || kind == PPS);
        for (kind, unit) in units {
            if !LEFT_OUT.contains(&kind) && !sets_are_there(kind) {
                push(&mut annex_b, unit);
            }
        }
        Some(Frame {
            keyframe,
            data: annex_b,
        })
    }

    /// Parameter sets among the frames replace the ones before.
    fn keep(&mut self, units: &[(u8, &[u8])]) {
        for (wanted, sets) in [(SPS, &mut self.sps), (PPS, &mut self.pps)] {
            let mut found = units.iter().filter(|(kind, _)| *kind == wanted).peekable();
            if found.peek().is_some() {
                *sets = found
                    .take(MAX_SETS)
                    .map(|(_, unit)| unit.to_vec())
                    .collect();
            }
        }
    }
}

fn push(annex_b: &mut Vec<u8>, unit: &[u8]) {
    annex_b.extend(START_CODE);
    annex_b.extend(unit);
}

/// Refuses the profiles (H.264 annex A.2) that browsers do not play: more than
/// eight bits, more colour than 4:2:0, or data partitioning.
fn check_profile(profile: u8) -> Result<(), OpenError> {
    match profile {
        66 | 77 | 100 => Ok(()),
        88 => Err(unplayable("H.264 of Extended profile")),
        110 => Err(unplayable("H.264 of High 10 profile")),
        122 => Err(unplayable("H.264 of High 4:2:2 profile")),
        44 | 244 => Err(unplayable("H.264 of High 4:4:4 profile")),
        other => Err(unplayable(&format!("H.264 of profile {other}"))),
    }
}

type Sets = Vec<Vec<u8>>;

/// The size of lengths, and the parameter sets (ISO/IEC 14496-15 section
/// 5.3.3.1).
fn parameter_sets(config: &[u8]) -> Option<(usize, Sets, Sets)> {
    let mut fields = Fields(config);
    if fields.u8()? != 1 {
        return None;
    }
    fields.skip(3)?;
    let length_size = usize::from(fields.u8()? & 3) + 1;
    let sps_count = fields.u8()? & 0x1f;
    let sps = sets(&mut fields, sps_count)?;
    let pps_count = fields.u8()?;
    let pps = sets(&mut fields, pps_count)?;
    Some((length_size, sps, pps))
}

fn sets(fields: &mut Fields<'_>, count: u8) -> Option<Sets> {
    (0..count)
        .map(|_| {
            let length = fields.u16()?;
            fields.take(length.into()).map(<[u8]>::to_vec)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: [u8; 18] = [
        1, 66, 0xc0, 30, 0xff, 0xe1, 0, 4, 0x67, 66, 0xc0, 30, 1, 0, 3, 0x68, 1, 2,
    ];
    const SETS: [u8; 15] = [0, 0, 0, 1, 0x67, 66, 0xc0, 30, 0, 0, 0, 1, 0x68, 1, 2];

    fn h264() -> H264 {
        H264::open(&CONFIG).unwrap()
    }

    #[test]
    fn a_keyframe_gets_the_parameter_sets_in_front() {
        let mut h264 = h264();
        assert_eq!(h264.profile_level_id(), 0x42_c01e);
        let delimiter = [0, 0, 0, 2, 0x09, 0x10];
        let frame = h264
            .frame(&[&delimiter[..], &[0, 0, 0, 2, 0x65, 7]].concat())
            .unwrap();
        assert!(frame.keyframe);
        assert_eq!(frame.data, [&SETS[..], &[0, 0, 0, 1, 0x65, 7]].concat());

        let frame = h264.frame(&[0, 0, 0, 2, 0x41, 7]).unwrap();
        assert!(!frame.keyframe);
        assert_eq!(frame.data, [0, 0, 0, 1, 0x41, 7]);
    }

    #[test]
    fn parameter_sets_among_the_frames_take_over() {
        let mut h264 = h264();
        let own = [0, 0, 0, 2, 0x68, 9, 0, 0, 0, 2, 0x65, 7];
        let expected = [&SETS[..8], &[0, 0, 0, 1, 0x68, 9, 0, 0, 0, 1, 0x65, 7]].concat();
        assert_eq!(h264.frame(&own).unwrap().data, expected);
        let later = h264.frame(&[0, 0, 0, 2, 0x65, 7]).unwrap();
        assert_eq!(later.data, expected);
    }

    #[test]
    fn frames_that_make_no_sense_are_corrupt() {
        let check = |data: &[u8]| assert_eq!(h264().frame(data), None, "{data:?}");
        check(&[]);
        check(&[0, 0, 0, 3, 0x65, 7]);
        check(&[0, 0, 0, 2, 0x65, 7, 0]);
        check(&[0, 0, 0, 2, 0x7c, 7, 0, 0, 0, 2, 0x65, 7]);
        check(&[0, 0, 0, 2, 0x06, 7]);
    }

    #[test]
    fn headers_that_make_no_sense_are_refused() {
        for length in 0..CONFIG.len() {
            assert!(H264::open(&CONFIG[..length]).is_err());
        }
        let mut high_10 = CONFIG;
        high_10[9] = 110;
        let OpenError(why) = H264::open(&high_10).err().unwrap();
        assert!(why.contains("High 10"), "{why}");
    }
}
