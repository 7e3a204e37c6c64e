//! Media files as sources: pictures and Opus are sent as they are in the file,
//! other sound is decoded.
//!
//! ```text
//! container --packets--> timeline --frames, sound--> pace --> pipeline
//! mp4 mkv ivf plain      video/ sound
//! ```
//!
//! A container takes a file apart, the timeline gives every piece its time over
//! all passes of a loop, and the pace delivers it then. MP4, Matroska and IVF
//! have readers of their own here: they need what symphonia's do not tell (the
//! order pictures are shown in, the names of codecs), have to survive corrupt
//! files, and must not take more memory than a frame needs.

mod bits;
mod bytes;
mod container;
mod ivf;
mod mkv;
mod mp4;
mod notices;
mod open;
mod pace;
mod pipe;
mod plain;
mod sound;
#[cfg(test)]
mod tests;
mod timeline;
mod video;
mod xiph;

use std::collections::VecDeque;
use std::fs::File;
use std::time::{Duration, Instant};

use crate::source::{
    AudioChunk, Captured, EncodedFrame, EncodedPacket, Format, Source, SourceError,
};
pub(crate) use bytes::Pipe;
use container::{Container, Nanos, OpenError, Packet, ReadError};
use notices::Notices;
pub(crate) use open::{Kind, open_file, open_pipe};
use pace::Pace;
use timeline::{Due, Media, Refused, Timeline};

/// How long [`Source::next`] waits at most.
const PATIENCE: Duration = Duration::from_millis(500);

/// A file that is corrupt so often in a row is given up.
const MAX_CORRUPT: u32 = 10_000;

/// Why a file that people call `name` cannot be played.
fn sentence(name: &str, OpenError(why): OpenError) -> SourceError {
    SourceError(format!("cannot play {name}: {why}"))
}

/// A media file, or the same from a pipe.
pub(crate) struct MediaFile {
    name: String,
    format: Format,
    container: Box<dyn Container>,
    /// Read ahead when the file was opened.
    primed: VecDeque<Packet>,
    /// To start anew; `None`: played once.
    again: Option<(File, Kind)>,
    timeline: Timeline,
    pace: Pace,
    notices: Notices,
    /// Errors since the last packet.
    corrupt: u32,
    /// There is nothing more to read.
    ended: bool,
}

impl MediaFile {
    /// Reads until something is ready and surely the first to be due, but not
    /// longer than `patience`. Returns when it is due.
    fn prepare(&mut self, patience: Instant) -> Result<Option<Nanos>, SourceError> {
        loop {
            let next = self.timeline.next_due();
            let due = next.and_then(|time| self.pace.at(time));
            let until = due.map_or(patience, |due| due.min(patience));
            let late = Instant::now() >= until;
            if self.ended || !self.timeline.wants_more() || (late && next.is_some()) {
                return Ok(next);
            }
            if late {
                return Ok(None);
            }
            self.read(until)?;
        }
    }

    /// Reads a packet, or starts anew.
    fn read(&mut self, until: Instant) -> Result<(), SourceError> {
        let packet = match self.primed.pop_front() {
            Some(packet) => Ok(packet),
            None => self.container.next(until),
        };
        match packet {
            Ok(packet) => match self.timeline.take(packet) {
                Ok(()) => self.corrupt = 0,
                Err(Refused::Corrupt) => self.skip_corrupt(),
                Err(Refused::Reordered(why)) => return Err(sentence(&self.name, why)),
            },
            Err(ReadError::NotYet) => {}
            Err(ReadError::Corrupt) => self.skip_corrupt(),
            Err(ReadError::BrokenOff) => {
                self.notices.broken_off(&self.name);
                self.end_pass()?;
            }
            Err(ReadError::End) => self.end_pass()?,
            Err(ReadError::Io(error)) => return Err(sentence(&self.name, error.into())),
        }
        if self.corrupt >= MAX_CORRUPT {
            self.corrupt = 0;
            self.end_pass()?;
        }
        Ok(())
    }

    fn skip_corrupt(&mut self) {
        self.corrupt += 1;
        self.notices.corrupt();
    }

    fn end_pass(&mut self) -> Result<(), SourceError> {
        let Some((file, kind)) = &self.again else {
            self.ended = true;
            return Ok(());
        };
        if !self.timeline.start_anew() {
            let why = OpenError::from("nothing in it can be played");
            return Err(sentence(&self.name, why));
        }
        let reopened = file.try_clone().map_err(OpenError::from);
        let container = reopened.and_then(|file| open::container(*kind, file));
        self.container = container.map_err(|why| sentence(&self.name, why))?;
        Ok(())
    }

    /// What is due now, as the pipeline wants it.
    fn deliver(&mut self, due: Due, now: Instant) -> Captured {
        self.pace.settle(due.due, now);
        let capture_time = self.pace.at(due.time).unwrap_or(now);
        match due.media {
            Media::Frame { keyframe, data } => Captured::EncodedVideo(EncodedFrame {
                capture_time,
                keyframe,
                data,
            }),
            Media::Opus(data) => Captured::EncodedAudio(EncodedPacket { capture_time, data }),
            Media::Samples(samples) => Captured::Audio(AudioChunk {
                capture_time,
                samples,
            }),
        }
    }
}

impl Source for MediaFile {
    fn format(&self) -> Format {
        self.format
    }

    fn next(&mut self) -> Result<Captured, SourceError> {
        let start = Instant::now();
        self.pace.start(start);
        if let Some(text) = self.notices.take(&self.name, start) {
            return Ok(Captured::Notice(text));
        }
        let patience = start + PATIENCE;
        let Some(next) = self.prepare(patience)? else {
            if !self.ended {
                return Ok(Captured::Nothing);
            }
            let rest = self.notices.take_rest(&self.name, start);
            return Ok(rest.map_or(Captured::End, Captured::Notice));
        };
        let due = self.pace.at(next).unwrap_or(start);
        std::thread::sleep(due.min(patience).saturating_duration_since(Instant::now()));
        if due > patience {
            return Ok(Captured::Nothing);
        }
        let popped = self.timeline.pop();
        Ok(popped.map_or(Captured::Nothing, |due| self.deliver(due, Instant::now())))
    }
}
