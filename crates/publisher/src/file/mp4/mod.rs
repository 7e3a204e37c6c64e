//! MP4, QuickTime and fragmented MP4 (ISO/IEC 14496-12), from files only: the
//! index may be at the end.

mod boxes;
mod entry;
mod fragment;
mod samples;

use std::collections::VecDeque;
use std::time::Instant;

use super::bytes::Bytes;
use super::container::{
    Container, MAX_PACKET, Nanos, OpenError, Packet, ReadError, Track, clamped, nanos,
};
use boxes::{children, find, find_path, full};
use fragment::Defaults;
use samples::{Sample, Samples};

/// What an MP4 file has behind the size of its first box. Old QuickTime files
/// start with any of the others.
pub(super) const MAGICS: [&[u8]; 6] = [b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip"];

/// Bytes of the index; a day of 60 frames a second takes about half.
const MAX_INDEX: u64 = 64 << 20;

/// Samples of uncompressed sound in a packet.
const PCM_SAMPLES: usize = 1_024;

/// A reader of MP4.
pub(super) struct Mp4 {
    bytes: Bytes,
    tracks: Vec<Track>,
    states: Vec<TrackState>,
    defaults: Vec<Defaults>,
    /// Where the next box is that may be a fragment; `None`: there are no more.
    next_box: Option<u64>,
    /// The file is shorter than it says.
    is_cut_off: bool,
}

/// A track as it is read.
struct TrackState {
    id: u32,
    timing: Timing,
    is_pcm: bool,
    index: Samples,
    /// Of the fragment.
    fragment: VecDeque<Sample>,
    /// The sample that comes next.
    next: Option<Sample>,
    /// When the next fragment starts, if it does not say, in ticks.
    fragment_end: i64,
}

/// Where a track's ticks are in the movie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Timing {
    /// Ticks in a second.
    scale: u32,
    /// The tick that is first to be shown,
    start: i64,
    /// and when.
    delay: Nanos,
    /// What is later than this is not shown.
    end: Option<Nanos>,
}

impl Mp4 {
    /// Reads the index, wherever it is.
    pub(super) fn open(mut bytes: Bytes) -> Result<Self, OpenError> {
        let (index, next_box, is_cut_off) = read_index(&mut bytes)?;
        let mvhd = find(&index, b"mvhd").and_then(scale);
        let movie_scale = mvhd.ok_or("its index makes no sense")?;
        let mut tracks = Vec::new();
        let mut states = Vec::new();
        let traks = children(&index).filter(|(kind, _)| kind == b"trak");
        for (_, trak) in traks {
            if let Some((track, state)) = parse_track(trak, movie_scale) {
                tracks.push(track);
                states.push(state);
            }
        }
        let extends = find(&index, b"mvex");
        if extends.is_some() {
            // The lists know nothing of what the fragments add.
            states.iter_mut().for_each(|state| state.timing.end = None);
        }
        let defaults = children(extends.unwrap_or_default())
            .filter(|(kind, _)| kind == b"trex")
            .filter_map(|(_, trex)| Defaults::parse(trex))
            .collect();
        Ok(Self {
            bytes,
            tracks,
            states,
            defaults,
            next_box: extends.map(|_| next_box),
            is_cut_off: is_cut_off || extends.is_some(),
        })
    }

    fn read(&mut self) -> Result<Packet, ReadError> {
        loop {
            let next = self.states.iter_mut().filter_map(|state| {
                let time = state.peek()?;
                Some((time, state))
            });
            let earliest = next.min_by_key(|(time, _)| *time);
            if let Some((_, state)) = earliest {
                let packet = state.read(&mut self.bytes);
                if matches!(packet, Err(ReadError::BrokenOff)) && !self.is_cut_off {
                    // The file is whole, so the index is wrong.
                    return Err(ReadError::Corrupt);
                }
                return packet;
            }
            self.read_fragment()?;
        }
    }

    /// Reads boxes up to and including the next fragment.
    fn read_fragment(&mut self) -> Result<(), ReadError> {
        let position = self.next_box.take().ok_or(ReadError::End)?;
        self.bytes.seek(position)?;
        if self.bytes.at_end()? {
            return Err(ReadError::End);
        }
        let header = boxes::header(&mut self.bytes)?.ok_or(ReadError::Corrupt)?;
        let end = header.end.ok_or(ReadError::End)?;
        self.next_box = Some(end);
        if header.kind != *b"moof" {
            return Ok(());
        }
        let length = end - header.start;
        if length > MAX_INDEX {
            return Err(ReadError::Corrupt);
        }
        let moof = self.bytes.take(length as usize)?;
        let runs = fragment::parse(&moof, position, &self.defaults).ok_or(ReadError::Corrupt)?;
        for run in runs {
            if let Some(state) = self.states.iter_mut().find(|state| state.id == run.track) {
                state.append(run);
            }
        }
        Ok(())
    }
}

/// Reads everything up to the media, or up to the index if that is behind.
/// Returns the index, where fragments may start, and whether the file is shorter
/// than it says.
fn read_index(bytes: &mut Bytes) -> Result<(Vec<u8>, u64, bool), OpenError> {
    let mut index = None;
    let missing =
        || OpenError::from("its index is missing, so it is cut off or was never finished");
    loop {
        if bytes.at_end()? {
            let (index, behind) = index.ok_or_else(missing)?;
            return Ok((index, behind, false));
        }
        let Ok(Some(header)) = boxes::header(bytes) else {
            let (index, behind) = index.ok_or_else(missing)?;
            return Ok((index, behind, true));
        };
        if header.kind == *b"moov" && index.is_none() {
            let length = header.end.ok_or_else(missing)? - header.start;
            if length > MAX_INDEX {
                return Err("its index is too large".into());
            }
            let content = bytes.take(length as usize).map_err(|_| missing())?;
            index = Some((content, bytes.position()));
            continue;
        }
        let skipped = header.end.is_some_and(|end| bytes.seek(end).is_ok());
        if !skipped {
            let (index, behind) = index.ok_or_else(missing)?;
            return Ok((index, behind, header.end.is_some()));
        }
    }
}

fn parse_track(trak: &[u8], movie_scale: u32) -> Option<(Track, TrackState)> {
    let (version, _, mut fields) = full(find(trak, b"tkhd")?)?;
    fields.skip(if version == 1 { 16 } else { 8 })?;
    let id = fields.u32()?;
    let mdia = find(trak, b"mdia")?;
    let (_, _, mut handler) = full(find(mdia, b"hdlr")?)?;
    handler.skip(4)?;
    let stbl = find_path(mdia, &[b"minf", b"stbl"])?;
    let stsd = find(stbl, b"stsd")?;
    let entry = match &handler.array()? {
        b"vide" => entry::pictures(stsd)?,
        b"soun" => entry::sound(stsd)?,
        _ => return None,
    };
    let index = Samples::parse(stbl).unwrap_or_default();
    let mut timing = Timing {
        scale: scale(find(mdia, b"mdhd")?)?,
        ..Timing::default()
    };
    if let Some(edits) = find_path(trak, &[b"edts", b"elst"]) {
        // A list that is cut short counts as far as it goes.
        let _ = timing.edit(edits, movie_scale);
    }
    let track = Track {
        id,
        coding: entry.coding,
        reordered: index.are_reordered(),
    };
    let state = TrackState {
        id,
        timing,
        is_pcm: entry.is_pcm,
        index,
        fragment: VecDeque::new(),
        next: None,
        fragment_end: 0,
    };
    Some((track, state))
}

/// The ticks in a second that `mvhd` and `mdhd` tell.
fn scale(header: &[u8]) -> Option<u32> {
    let (version, _, mut fields) = full(header)?;
    fields.skip(if version == 1 { 16 } else { 8 })?;
    fields.u32().filter(|scale| *scale > 0)
}

impl Timing {
    /// Takes what an edit list (ISO/IEC 14496-12 section 8.6.6) says about the
    /// start and the end; what it cuts out of the middle is played.
    fn edit(&mut self, elst: &[u8], movie_scale: u32) -> Option<()> {
        let (version, _, mut fields) = full(elst)?;
        let size = if version == 1 { 8 } else { 4 };
        let count = fields.u32()?;
        for index in 1..=count {
            let duration = fields.number(size)?.min(i64::MAX as u64) as i64;
            let duration = nanos(duration, movie_scale);
            let start = fields.number(size)?;
            fields.skip(4)?; // rate
            let start = match version {
                1 => start.cast_signed(),
                _ => i64::from((start as u32).cast_signed()),
            };
            let shown_until = clamped(i128::from(self.delay) + i128::from(duration));
            if start >= 0 {
                self.start = start;
                self.end = (duration > 0 && index == count).then_some(shown_until);
                break;
            }
            // Nothing is shown for so long.
            self.delay = shown_until;
        }
        Some(())
    }

    fn time(&self, ticks: i64) -> Nanos {
        let since = nanos(ticks.saturating_sub(self.start), self.scale);
        clamped(i128::from(since) + i128::from(self.delay))
    }
}

impl TrackState {
    /// When the next sample is shown; `None` if there is none yet.
    fn peek(&mut self) -> Option<Nanos> {
        if self.next.is_none() {
            self.next = self.index.next().or_else(|| self.fragment.pop_front());
        }
        self.next.map(|sample| self.timing.time(sample.time))
    }

    /// The next sample, which is there, as a packet.
    fn read(&mut self, bytes: &mut Bytes) -> Result<Packet, ReadError> {
        let sample = self.next.take().ok_or(ReadError::End)?;
        let (mut size, mut duration) = (sample.size as usize, i64::from(sample.duration));
        if self.is_pcm {
            for _ in 1..PCM_SAMPLES {
                self.peek();
                let end = sample.offset.saturating_add(size as u64);
                let Some(next) = self.next.take_if(|next| next.offset == end) else {
                    break;
                };
                size = size.saturating_add(next.size as usize);
                duration += i64::from(next.duration);
            }
        }
        if size > MAX_PACKET {
            return Err(ReadError::Corrupt);
        }
        bytes.seek(sample.offset)?;
        let data = bytes.take(size)?;
        let time = self.timing.time(sample.time);
        let duration = nanos(duration, self.timing.scale);
        Ok(Packet {
            track: self.id,
            time: Some(time),
            duration: Some(duration),
            cut_start: (-time).max(0),
            cut_end: self
                .timing
                .end
                .map_or(0, |end| (time + duration - end).max(0)),
            data,
        })
    }

    /// Takes the samples of a fragment.
    fn append(&mut self, run: fragment::Run) {
        let before = self.fragment_end.max(self.index.end());
        let start = run.start.unwrap_or(before);
        self.fragment_end = start.saturating_add(run.length);
        self.fragment
            .extend(run.samples.into_iter().map(|sample| Sample {
                time: sample.time.saturating_add(start),
                ..sample
            }));
    }
}

impl Container for Mp4 {
    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn next(&mut self, _until: Instant) -> Result<Packet, ReadError> {
        self.read()
    }
}

#[cfg(test)]
mod tests {
    use super::samples::testing::numbers;
    use super::*;

    #[test]
    fn edit_lists_move_the_start_and_the_end() {
        let check = |numbers_in: &[u32], expected: Timing| {
            let mut timing = Timing {
                scale: 48_000,
                ..Timing::default()
            };
            timing.edit(&numbers(b"elst", 0, numbers_in)[8..], 1_000);
            assert_eq!(timing, expected);
        };
        let timing = |start, delay, end| Timing {
            scale: 48_000,
            start,
            delay,
            end,
        };
        const MS: Nanos = 1_000_000;
        let rate = 0x1_0000;
        check(&[1, 2_000, 1_024, rate], timing(1_024, 0, Some(2_000 * MS)));
        check(
            &[2, 500, u32::MAX, rate, 2_000, 0, rate],
            timing(0, 500 * MS, Some(2_500 * MS)),
        );
        check(&[1, 0, 312, rate], timing(312, 0, None));
        check(&[3, 500, 7], timing(0, 0, None));
        assert_eq!(timing(312, 0, None).time(0), -6_500_000);
        assert_eq!(timing(0, 500 * MS, None).time(48_000), 1_500 * MS);
    }
}
