//! Movie fragments (ISO/IEC 14496-12 section 8.8).

use super::boxes::{children, find, full};
use super::samples::Sample;
use crate::file::bytes::Fields;

/// Samples in a fragment; more is a corrupt file.
const MAX_SAMPLES: u32 = 1 << 20;

/// What holds for the samples of a track, unless a fragment says otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Defaults {
    pub(super) track: u32,
    duration: u32,
    size: u32,
}

impl Defaults {
    /// Reads a `trex` box.
    pub(super) fn parse(trex: &[u8]) -> Option<Self> {
        let (_, _, mut fields) = full(trex)?;
        let track = fields.u32()?;
        fields.skip(4)?; // sample description
        Some(Self {
            track,
            duration: fields.u32()?,
            size: fields.u32()?,
        })
    }
}

/// The samples of one track in a fragment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) track: u32,
    /// Their times count from here, in ticks; `None`: from the end of what was
    /// there before.
    pub(super) start: Option<i64>,
    /// Times from zero on.
    pub(super) samples: Vec<Sample>,
    /// How much later the next fragment starts, in ticks.
    pub(super) length: i64,
}

/// Reads a `moof` box that starts at `position`; `None` if it makes no sense.
pub(super) fn parse(moof: &[u8], position: u64, defaults: &[Defaults]) -> Option<Vec<Run>> {
    let mut data_end = position;
    let mut budget = MAX_SAMPLES;
    children(moof)
        .filter(|(kind, _)| kind == b"traf")
        .map(|(_, traf)| track_run(traf, position, &mut data_end, defaults, &mut budget))
        .collect()
}

fn track_run(
    traf: &[u8],
    position: u64,
    data_end: &mut u64,
    defaults: &[Defaults],
    budget: &mut u32,
) -> Option<Run> {
    let (_, flags, mut fields) = full(find(traf, b"tfhd")?)?;
    let track = fields.u32()?;
    let known = defaults.iter().find(|defaults| defaults.track == track);
    let mut defaults = known.copied().unwrap_or_default();
    let mut optional = |flag: u32, size| match flags & flag {
        0 => Some(None),
        _ => fields.number(size).map(Some),
    };
    let base = optional(0x1, 8)?;
    optional(0x2, 4)?; // sample description
    defaults.duration = optional(0x8, 4)?.map_or(defaults.duration, |value| value as u32);
    defaults.size = optional(0x10, 4)?.map_or(defaults.size, |value| value as u32);
    let base_is_moof = flags & 0x2_0000 != 0;
    let base = match base {
        Some(base) => base,
        None if base_is_moof => position,
        None => *data_end,
    };
    let start = match find(traf, b"tfdt").map(full) {
        Some(Some((1, _, mut fields))) => Some(fields.u64()?.min(i64::MAX as u64) as i64),
        Some(Some((_, _, mut fields))) => Some(fields.u32()?.into()),
        Some(None) => return None,
        None => None,
    };
    let mut run = Run {
        track,
        start,
        samples: Vec::new(),
        length: 0,
    };
    let mut offset = base;
    for (_, trun) in children(traf).filter(|(kind, _)| kind == b"trun") {
        offset = samples(&mut run, trun, base, offset, defaults, budget)?;
    }
    *data_end = offset;
    Some(run)
}

/// Appends the samples of a `trun` box; returns where the next would be.
fn samples(
    run: &mut Run,
    trun: &[u8],
    base: u64,
    follows: u64,
    defaults: Defaults,
    budget: &mut u32,
) -> Option<u64> {
    let (_, flags, mut fields) = full(trun)?;
    let count = fields.u32()?;
    *budget = budget.checked_sub(count)?;
    let mut offset = match flags & 0x1 {
        0 => follows,
        _ => base.checked_add_signed(i64::from(fields.u32()?.cast_signed()))?,
    };
    if flags & 0x4 != 0 {
        fields.skip(4)?; // flags of the first sample
    }
    for _ in 0..count {
        let sample = sample(&mut fields, flags, defaults, offset, run.length)?;
        offset = offset.checked_add(sample.size.into())?;
        run.length = run.length.saturating_add(sample.duration.into());
        run.samples.push(sample);
    }
    Some(offset)
}

fn sample(
    fields: &mut Fields<'_>,
    flags: u32,
    defaults: Defaults,
    offset: u64,
    time: i64,
) -> Option<Sample> {
    let mut optional = |flag: u32, default: u32| match flags & flag {
        0 => Some(default),
        _ => fields.u32(),
    };
    let duration = optional(0x100, defaults.duration)?;
    let size = optional(0x200, defaults.size)?;
    optional(0x400, 0)?; // flags
    let shift = optional(0x800, 0)?.cast_signed();
    Some(Sample {
        offset,
        size,
        time: time.saturating_add(shift.into()),
        duration,
    })
}

#[cfg(test)]
mod tests {
    use super::super::samples::testing::{make, numbers};
    use super::*;

    fn defaults() -> Defaults {
        let trex = numbers(b"trex", 0, &[1, 1, 100, 7, 0]);
        Defaults::parse(&trex[8..]).unwrap()
    }

    fn traf(boxes: &[Vec<u8>]) -> Vec<u8> {
        make(b"traf", &boxes.concat())
    }

    #[test]
    fn runs_tell_place_and_time_of_their_samples() {
        let moof = traf(&[
            numbers(b"tfhd", 0x2_0000, &[1]),
            numbers(b"tfdt", 0, &[900]),
            numbers(b"trun", 0x201, &[2, 50, 10, 20]),
            numbers(b"trun", 0x100, &[1, 300]),
        ]);
        let [run] = &parse(&moof, 1_000, &[defaults()]).unwrap()[..] else {
            panic!("one track");
        };
        assert_eq!((run.track, run.start, run.length), (1, Some(900), 500));
        let sample = |offset, size, time, duration| Sample {
            offset,
            size,
            time,
            duration,
        };
        let expected = [
            sample(1_050, 10, 0, 100),
            sample(1_060, 20, 100, 100),
            sample(1_080, 7, 200, 300),
        ];
        assert_eq!(run.samples, expected);
    }

    #[test]
    fn a_fragment_of_too_many_samples_is_refused() {
        let moof = traf(&[
            numbers(b"tfhd", 0, &[1]),
            numbers(b"trun", 0, &[MAX_SAMPLES + 1]),
        ]);
        assert_eq!(parse(&moof, 0, &[defaults()]), None);
    }

    #[test]
    fn a_fragment_cut_short_is_refused() {
        let whole = traf(&[
            numbers(b"tfhd", 0x8, &[1, 40]),
            numbers(b"trun", 0x201, &[2, 50, 10, 20]),
        ]);
        assert!(parse(&whole, 0, &[]).is_some());
        let broken = traf(&[numbers(b"tfhd", 0x8, &[1])]);
        assert_eq!(parse(&broken, 0, &[]), None);
    }
}
