//! The sound's times: counted in samples, so that there is never a gap or an
//! overlap that the file does not have.

use std::collections::VecDeque;

use super::{Due, Media, Refused};
use crate::file::container::{Nanos, Packet, SECOND, clamped};
use crate::file::sound::{Piece, Sound};

/// Times of files are rounded, to milliseconds for instance: what is off by
/// less, in seconds, is no gap.
const TOLERANCE: (i64, i64) = (20, 1_000);

/// Gaps up to this long, in seconds, are filled with silence.
const MAX_FILL: i64 = 1;

/// Samples in the shortest packet of Opus, 2.5 ms (RFC 6716 section 2.1.4).
const OPUS_GRID: i64 = 120;

/// Samples in packets of Opus and the first bytes of such packets (RFC 6716
/// section 3.1: CELT, full band, mono, one frame), longest first.
const OPUS_LENGTHS: [(i64, u8); 4] = [
    (960, 31 << 3),
    (480, 30 << 3),
    (240, 29 << 3),
    (120, 28 << 3),
];

/// What follows the first byte in a packet of silence (RFC 6716 section 4.3:
/// the silence flag).
const OPUS_SILENCE: [u8; 2] = [0xff, 0xfe];

/// The sound's part of the timeline.
pub(super) struct SoundLine {
    pub(super) track: u32,
    sound: Sound,
    rate: i64,
    channels: usize,
    pub(super) ready: VecDeque<Due>,
    /// The sample that comes next.
    next: Option<i64>,
    /// Samples from the start of a pass to the first piece in it.
    first: Option<i64>,
    /// The sample at which the pass starts.
    pass: i64,
    /// Nothing came in this pass yet.
    at_seam: bool,
}

impl SoundLine {
    pub(super) fn new(track: u32, sound: Sound, rate: u32) -> Self {
        Self {
            track,
            channels: sound.channels(),
            sound,
            rate: rate.into(),
            ready: VecDeque::new(),
            next: None,
            first: None,
            pass: 0,
            at_seam: true,
        }
    }

    /// Takes a packet that is heard from `time` on; returns whether there is
    /// anything to be heard.
    pub(super) fn take(&mut self, packet: Packet, time: Option<Nanos>) -> Result<bool, Refused> {
        if packet.data.is_empty() {
            return Ok(false);
        }
        let piece = self.sound.piece(packet).ok_or(Refused::Corrupt)?;
        if matches!(&piece, Piece::Samples(samples) if samples.is_empty()) {
            return Ok(false);
        }
        let wanted = time.map(|time| self.sample_at(time));
        let piece = self.place(piece, wanted);
        self.at_seam = false;
        match piece {
            Some(piece) => self.push(piece),
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Makes the next sample the one where the piece belongs: fills a gap or
    /// cuts what overlaps. `None`: nothing is left of it.
    fn place(&mut self, piece: Piece, wanted: Option<i64>) -> Option<Piece> {
        let next = *self.next.get_or_insert(wanted.unwrap_or(self.pass));
        let wanted = wanted.unwrap_or(next);
        if self.at_seam {
            self.first.get_or_insert(wanted - self.pass);
        }
        let gap = wanted - next;
        let tolerance = match self.at_seam {
            true => 0,
            false => self.rate * TOLERANCE.0 / TOLERANCE.1,
        };
        if gap > MAX_FILL * self.rate {
            self.next = Some(wanted);
        } else if gap > tolerance {
            self.fill(gap);
        } else if gap < -tolerance
            && let Piece::Samples(mut samples) = piece
        {
            let overlap = usize::try_from(-gap).unwrap_or(usize::MAX);
            let overlap = overlap.saturating_mul(self.channels).min(samples.len());
            samples.drain(..overlap);
            return (!samples.is_empty()).then_some(Piece::Samples(samples));
        }
        Some(piece)
    }

    /// Appends so many samples of silence.
    fn fill(&mut self, mut gap: i64) {
        match self.sound {
            Sound::Samples(_) => {
                let samples = vec![0; usize::try_from(gap).unwrap_or(0) * self.channels];
                self.push(Piece::Samples(samples));
            }
            Sound::Opus => {
                for (length, first) in OPUS_LENGTHS {
                    while gap >= length {
                        let packet = [&[first][..], &OPUS_SILENCE].concat();
                        self.push(Piece::Opus(packet, length as usize));
                        gap -= length;
                    }
                }
            }
        }
    }

    /// Appends a piece right behind what was there before.
    fn push(&mut self, piece: Piece) {
        match piece {
            Piece::Opus(packet, length) => self.push_due(length, Media::Opus(packet)),
            Piece::Samples(samples) => {
                // Pieces of 20 ms, as sound cards deliver them.
                let chunk = (self.rate / 50) as usize * self.channels;
                for chunk in samples.chunks(chunk) {
                    let length = chunk.len() / self.channels;
                    self.push_due(length, Media::Samples(chunk.to_vec()));
                }
            }
        }
    }

    fn push_due(&mut self, length: usize, media: Media) {
        let start = self.next.unwrap_or(self.pass);
        let end = start + length as i64;
        self.next = Some(end);
        self.ready.push_back(Due {
            time: self.time_of(start),
            due: self.time_of(end),
            media,
        });
    }

    /// When the last sample is over.
    pub(super) fn end(&self) -> Nanos {
        self.next.map_or(0, |next| self.time_of(next))
    }

    /// The first time from `earliest` on at which a pass may start so that what
    /// lies between can be filled.
    pub(super) fn suitable_start(&self, earliest: Nanos) -> Nanos {
        let (Sound::Opus, Some(next), Some(first)) = (&self.sound, self.next, self.first) else {
            return earliest;
        };
        let gap = (self.sample_at(earliest) + first - next).max(0);
        let gap = (gap + OPUS_GRID - 1) / OPUS_GRID * OPUS_GRID;
        self.time_of(next + gap - first).max(earliest)
    }

    pub(super) fn start_anew(&mut self, start: Nanos) {
        self.pass = self.sample_at(start);
        self.at_seam = true;
        self.sound.restart();
    }

    fn sample_at(&self, time: Nanos) -> i64 {
        let second = i128::from(SECOND);
        let scaled = i128::from(time) * i128::from(self.rate) + second / 2;
        clamped(scaled.div_euclid(second))
    }

    fn time_of(&self, sample: i64) -> Nanos {
        clamped(i128::from(sample) * i128::from(SECOND) / i128::from(self.rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::container::Coding;

    const MS: Nanos = 1_000_000;

    fn opus() -> SoundLine {
        let (sound, _) = Sound::open(&Coding::Opus(Vec::new()), &[]).unwrap();
        SoundLine::new(1, sound, 48_000)
    }

    /// Takes a packet of 20 ms.
    fn take(line: &mut SoundLine, time: Option<Nanos>) {
        let packet = Packet {
            track: 1,
            time,
            duration: None,
            cut_start: 0,
            cut_end: 0,
            data: vec![31 << 3, 1, 2, 3],
        };
        assert_eq!(line.take(packet, time), Ok(true));
    }

    /// Times and lengths, in samples.
    fn drain(line: &mut SoundLine) -> Vec<(i64, i64)> {
        let due: Vec<_> = line.ready.drain(..).collect();
        let samples = |time| line.sample_at(time);
        due.iter()
            .map(|due| (samples(due.time), samples(due.due) - samples(due.time)))
            .collect()
    }

    #[test]
    fn rounded_times_make_no_gaps() {
        let mut line = opus();
        for time in [Some(0), Some(21 * MS), None, Some(58 * MS)] {
            take(&mut line, time);
        }
        let expected = [(0, 960), (960, 960), (1_920, 960), (2_880, 960)];
        assert_eq!(drain(&mut line), expected);
    }

    #[test]
    fn a_gap_is_filled_and_a_long_one_is_a_jump() {
        let mut line = opus();
        take(&mut line, Some(0));
        take(&mut line, Some(60 * MS));
        let expected = [(0, 960), (960, 960), (1_920, 960), (2_880, 960)];
        assert_eq!(drain(&mut line), expected);
        take(&mut line, Some(5_000 * MS));
        assert_eq!(drain(&mut line), [(240_000, 960)]);
    }

    #[test]
    fn a_seam_is_closed_exactly() {
        let mut line = opus();
        take(&mut line, Some(-6_500_000));
        take(&mut line, None);
        // 33.5 ms are heard; the pictures last 43 ms.
        let start = line.suitable_start(43 * MS);
        line.start_anew(start);
        take(&mut line, Some(start - 6_500_000));
        let packets = drain(&mut line);
        for pair in packets.windows(2) {
            assert_eq!(pair[0].0 + pair[0].1, pair[1].0);
        }
        assert_eq!(packets.len(), 4, "5 ms of silence");
        assert!((43 * MS..45_500_000).contains(&start), "{start}");
    }

    #[test]
    fn silence_is_a_packet_that_decodes_to_nothing() {
        let mut decoder = opus_pure::OpusDecoder::new(48_000, 2).unwrap();
        for (length, first) in OPUS_LENGTHS {
            let packet = [&[first][..], &OPUS_SILENCE].concat();
            let mut samples = vec![9; 2 * length as usize];
            let made = decoder.decode_s16(&packet, length as usize, &mut samples);
            assert_eq!(made.unwrap(), length as usize);
            assert!(samples.iter().all(|sample| *sample == 0));
        }
    }
}
