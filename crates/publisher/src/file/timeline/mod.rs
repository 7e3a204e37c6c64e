//! Puts the packets of a file on one row of times without a break, over all its
//! passes.
//!
//! Time zero is where the first pass starts. The pass after it starts where the
//! longest track ended, so that neither pictures nor sound ever overlap. What
//! pictures and sound of one moment have in common is kept: each has the time
//! the file gives it, but that the sound's times count samples, which the
//! times of most files only round.

mod pictures;
mod sound;

use super::container::{Nanos, OpenError, Packet, SECOND, clamped};
use super::sound::Sound;
use super::video::Pictures;
use pictures::PictureLine;
use sound::SoundLine;

/// Times that jump further are wrong, or strung together; they go on where
/// the ones before ended.
const MAX_JUMP: Nanos = 60 * SECOND;

/// Bytes of frames and sound that are ready but not yet due.
const MAX_READY_BYTES: usize = 32 << 20;

/// The same, counted.
const MAX_READY: usize = 1_024;

/// Something that is due at its time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// When it was captured.
    pub(super) time: Nanos,
    /// When it is delivered: like a microphone's, sound is there once its last
    /// sample is taken.
    pub(super) due: Nanos,
    pub(super) media: Media,
}

/// A piece of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Media {
    Frame { keyframe: bool, data: Vec<u8> },
    Opus(Vec<u8>),
    Samples(Vec<i16>),
}

/// A packet that could not be put on the timeline.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is skipped.
    Corrupt,
    /// Nothing of this file can be sent.
    Reordered(OpenError),
}

/// The tracks of a file on one row of times.
pub(super) struct Timeline {
    pictures: Option<PictureLine>,
    sound: Option<SoundLine>,
    /// The time in the file at which a pass starts,
    origin: Nanos,
    /// and where that is on the timeline, in this pass.
    start: Nanos,
    /// Added to the file's times since they jumped.
    shift: Nanos,
    /// The latest of the file's times in this pass.
    latest: Nanos,
    /// There was something to play in this pass.
    played: bool,
}

impl Timeline {
    /// `origin` is the file's earliest time.
    pub(super) fn new(
        pictures: Option<(u32, Pictures)>,
        sound: Option<(u32, Sound, u32)>,
        origin: Nanos,
    ) -> Self {
        Self {
            pictures: pictures.map(|(track, pictures)| PictureLine::new(track, pictures)),
            sound: sound.map(|(track, sound, rate)| SoundLine::new(track, sound, rate)),
            origin,
            start: 0,
            shift: 0,
            latest: origin,
            played: false,
        }
    }

    /// Whether a packet could be the one that is due first.
    pub(super) fn wants_more(&self) -> bool {
        let pictures = self.pictures.as_ref().map(|line| &line.ready);
        let sound = self.sound.as_ref().map(|line| &line.ready);
        let queues = || pictures.into_iter().chain(sound);
        let count: usize = queues().map(|ready| ready.len()).sum();
        let bytes: usize = queues().flatten().map(|due| due.media.size()).sum();
        let one_is_empty = queues().any(|ready| ready.is_empty());
        one_is_empty && count < MAX_READY && bytes < MAX_READY_BYTES
    }

    /// When the next piece is due.
    pub(super) fn next_due(&self) -> Option<Nanos> {
        let [pictures, sound] = self.heads();
        pictures.into_iter().chain(sound).min()
    }

    /// The piece that is due next.
    pub(super) fn pop(&mut self) -> Option<Due> {
        let [pictures, sound] = self.heads();
        let pictures_first = match (pictures, sound) {
            (Some(pictures), Some(sound)) => pictures <= sound,
            (pictures, _) => pictures.is_some(),
        };
        if pictures_first {
            self.pictures.as_mut()?.ready.pop_front()
        } else {
            self.sound.as_mut()?.ready.pop_front()
        }
    }

    fn heads(&self) -> [Option<Nanos>; 2] {
        let pictures = self.pictures.as_ref().and_then(|line| line.ready.front());
        let sound = self.sound.as_ref().and_then(|line| line.ready.front());
        [pictures, sound].map(|due| due.map(|due| due.due))
    }

    /// Takes a packet of any track.
    pub(super) fn take(&mut self, packet: Packet) -> Result<(), Refused> {
        let heard = packet.time.map(|time| time + packet.cut_start);
        let track = packet.track;
        if self
            .pictures
            .as_ref()
            .is_some_and(|line| line.track == track)
        {
            let time = self.place(packet.time);
            if let Some(line) = &mut self.pictures {
                self.played |= line.take(packet, time)?;
            }
        } else if self.sound.as_ref().is_some_and(|line| line.track == track) {
            let time = self.place(heard);
            if let Some(line) = &mut self.sound {
                self.played |= line.take(packet, time)?;
            }
        }
        Ok(())
    }

    /// From a time in the file to that on the timeline.
    fn place(&mut self, time: Option<Nanos>) -> Option<Nanos> {
        let mut time = clamped(i128::from(time?) + i128::from(self.shift));
        let jump = time - self.latest;
        if jump.abs() > MAX_JUMP {
            self.shift = clamped(i128::from(self.shift) - i128::from(jump));
            time = self.latest;
        }
        self.latest = self.latest.max(time);
        Some(clamped(
            i128::from(self.start) + i128::from(time) - i128::from(self.origin),
        ))
    }

    /// The file is at its end and starts anew; returns whether there was
    /// anything in it.
    pub(super) fn start_anew(&mut self) -> bool {
        let pictures_end = self.pictures.as_ref().map(PictureLine::end);
        let sound_end = self.sound.as_ref().map(SoundLine::end);
        let end = pictures_end.max(sound_end).unwrap_or(0);
        self.start = match &self.sound {
            Some(sound) => sound.suitable_start(end),
            None => end,
        };
        self.shift = 0;
        self.latest = self.origin;
        if let Some(pictures) = &mut self.pictures {
            pictures.start_anew();
        }
        if let Some(sound) = &mut self.sound {
            sound.start_anew(self.start);
        }
        std::mem::take(&mut self.played)
    }
}

impl Media {
    fn size(&self) -> usize {
        match self {
            Self::Frame { data, .. } | Self::Opus(data) => data.len(),
            Self::Samples(samples) => 2 * samples.len(),
        }
    }
}
