//! Where the samples of a track are and when they are due: the tables of a
//! plain file (ISO/IEC 14496-12 section 8.6 and 8.7).

use super::boxes::{find, full};
use crate::file::bytes::Fields;

/// As many samples as are looked at for pictures out of order: an hour of them.
const CHECKED: usize = 108_000;

/// A piece of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    /// Where it is in the file.
    pub(super) offset: u64,
    /// In bytes.
    pub(super) size: u32,
    /// When it is shown, in ticks of the track.
    pub(super) time: i64,
    /// In ticks.
    pub(super) duration: u32,
}

/// The samples that a track's tables tell of, in the order they are decoded.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    sizes: Sizes,
    /// Samples left.
    left: u32,
    /// Where each chunk starts, the next one last.
    chunks: Vec<u64>,
    /// The number of the chunk that comes next, from 1.
    next_chunk: u32,
    /// First chunk and samples in each from there on, the next last.
    per_chunk: Vec<(u32, u32)>,
    in_chunk: u32,
    left_in_chunk: u32,
    /// Where the next sample is.
    offset: u64,
    durations: Runs,
    /// What is added to the time of decoding.
    shifts: Runs,
    /// When the next sample is decoded.
    time: i64,
}

#[derive(Debug, Clone)]
enum Sizes {
    All(u32),
    /// The next last.
    Each(Vec<u32>),
}

impl Default for Sizes {
    fn default() -> Self {
        Self::All(0)
    }
}

/// Values that hold for several samples in a row.
#[derive(Debug, Clone, Default)]
struct Runs {
    /// Counts and values, the next last.
    runs: Vec<(u32, u32)>,
    value: u32,
    left: u32,
}

impl Samples {
    /// Reads a sample table (`stbl`); `None` if it is not complete.
    pub(super) fn parse(stbl: &[u8]) -> Option<Self> {
        let (sizes, left) = sizes(find(stbl, b"stsz")?)?;
        let chunks = match find(stbl, b"stco") {
            Some(stco) => table(stco, |fields| fields.u32().map(u64::from))?,
            None => table(find(stbl, b"co64")?, Fields::u64)?,
        };
        let per_chunk = table(find(stbl, b"stsc")?, |fields| {
            let run = (fields.u32()?, fields.u32()?);
            fields.skip(4)?;
            Some(run)
        })?;
        let shifts = match find(stbl, b"ctts") {
            Some(ctts) => Runs::parse(ctts)?,
            None => Runs::default(),
        };
        Some(Self {
            sizes,
            left,
            chunks,
            next_chunk: 1,
            per_chunk,
            in_chunk: 0,
            left_in_chunk: 0,
            offset: 0,
            durations: Runs::parse(find(stbl, b"stts")?)?,
            shifts,
            time: 0,
        })
    }

    /// Whether samples are shown in another order than they are decoded in.
    pub(super) fn are_reordered(&self) -> bool {
        let mut before = i64::MIN;
        self.clone().take(CHECKED).any(|sample| {
            let back = sample.time < before;
            before = sample.time;
            back
        })
    }

    /// When the sample after the last is decoded, in ticks.
    pub(super) fn end(&self) -> i64 {
        self.time
    }

    /// Goes on with the next chunk that has samples.
    fn enter_chunk(&mut self) -> Option<()> {
        while self.left_in_chunk == 0 {
            self.offset = self.chunks.pop()?;
            let number = self.next_chunk;
            self.next_chunk = number.checked_add(1)?;
            while let Some((_, count)) = self.per_chunk.pop_if(|(first, _)| *first <= number) {
                self.in_chunk = count;
            }
            self.left_in_chunk = self.in_chunk;
        }
        Some(())
    }
}

impl Iterator for Samples {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        self.left = self.left.checked_sub(1)?;
        self.enter_chunk()?;
        self.left_in_chunk -= 1;
        let size = match &mut self.sizes {
            Sizes::All(size) => *size,
            Sizes::Each(sizes) => sizes.pop()?,
        };
        let duration = self.durations.next().unwrap_or(0);
        // A negative shift is written as its two's complement, by all.
        let shift = self.shifts.next().unwrap_or(0).cast_signed();
        let sample = Sample {
            offset: self.offset,
            size,
            time: self.time.saturating_add(shift.into()),
            duration,
        };
        self.offset = self.offset.checked_add(size.into())?;
        self.time = self.time.saturating_add(duration.into());
        Some(sample)
    }
}

impl Runs {
    fn parse(content: &[u8]) -> Option<Self> {
        let runs = table(content, |fields| Some((fields.u32()?, fields.u32()?)))?;
        Some(Self {
            runs,
            ..Self::default()
        })
    }

    fn next(&mut self) -> Option<u32> {
        while self.left == 0 {
            (self.left, self.value) = self.runs.pop()?;
        }
        self.left -= 1;
        Some(self.value)
    }
}

/// A table with a count in front, last row first.
fn table<'a, T>(
    content: &'a [u8],
    mut row: impl FnMut(&mut Fields<'a>) -> Option<T>,
) -> Option<Vec<T>> {
    let (_, _, mut fields) = full(content)?;
    let count = fields.u32()?;
    // A wrong count ends with the bytes.
    let mut rows: Vec<T> = (0..count).map_while(|_| row(&mut fields)).collect();
    rows.reverse();
    Some(rows)
}

/// The sizes and count of samples (ISO/IEC 14496-12 section 8.7.3.2).
fn sizes(stsz: &[u8]) -> Option<(Sizes, u32)> {
    let (_, _, mut fields) = full(stsz)?;
    let all = fields.u32()?;
    let count = fields.u32()?;
    if all > 0 {
        return Some((Sizes::All(all), count));
    }
    let mut each: Vec<u32> = (0..count).map_while(|_| fields.u32()).collect();
    each.reverse();
    Some((Sizes::Each(each), count))
}

#[cfg(test)]
pub(super) mod testing {
    /// A box with `content`.
    pub(in crate::file::mp4) fn make(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = content.len() as u32 + 8;
        [&size.to_be_bytes()[..], kind, content].concat()
    }

    /// A box with version, flags and numbers.
    pub(in crate::file::mp4) fn numbers(kind: &[u8; 4], flags: u32, numbers: &[u32]) -> Vec<u8> {
        let mut content = flags.to_be_bytes().to_vec();
        content.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        make(kind, &content)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::numbers;
    use super::*;

    fn stbl(ctts: &[u32]) -> Vec<u8> {
        [
            numbers(b"stsz", 0, &[0, 4, 10, 20, 30, 40]),
            numbers(b"stco", 0, &[2, 1_000, 2_000]),
            numbers(b"stsc", 0, &[2, 1, 3, 1, 2, 1, 1]),
            numbers(b"stts", 0, &[2, 3, 100, 1, 50]),
            numbers(b"ctts", 0, ctts),
        ]
        .concat()
    }

    #[test]
    fn tables_tell_place_size_and_time_of_each_sample() {
        let samples = Samples::parse(&stbl(&[0])).unwrap();
        let found: Vec<_> = samples
            .map(|sample| (sample.offset, sample.size, sample.time, sample.duration))
            .collect();
        let expected = [
            (1_000, 10, 0, 100),
            (1_010, 20, 100, 100),
            (1_030, 30, 200, 100),
            (2_000, 40, 300, 50),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn pictures_out_of_order_are_seen() {
        let check = |ctts: &[u32], expected| {
            let samples = Samples::parse(&stbl(ctts)).unwrap();
            assert_eq!(samples.are_reordered(), expected, "{ctts:?}");
        };
        check(&[0], false);
        check(&[1, 4, 100], false);
        check(&[3, 1, 100, 1, 300, 2, 0], true);
        check(&[2, 1, 0, 3, (-150_i32).cast_unsigned()], true);
    }

    #[test]
    fn tables_that_are_too_short_end_early() {
        let whole = stbl(&[0]);
        for length in 0..whole.len() {
            let samples = Samples::parse(&whole[..length]);
            assert!(samples.is_none_or(|samples| samples.count() <= 4));
        }
    }
}
