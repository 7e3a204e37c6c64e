//! The pictures' times.

use std::collections::VecDeque;

use super::{Due, MAX_JUMP, Media, Refused};
use crate::file::container::{Nanos, Packet, SECOND};
use crate::file::video::{self, Frame, Pictures};

/// So far apart at least are the times of two frames: RTP's clock has to tell
/// them apart.
const MIN_SPACING: Nanos = SECOND / 90_000 + 1;

/// How long the last frame lasts if nothing tells.
const DEFAULT_SPACING: Nanos = SECOND / 30;

/// A file may be corrupt and have some times out of order. More in one pass are
/// B-frames.
const MAX_OUT_OF_ORDER: u32 = 3;

/// The pictures' part of the timeline.
pub(super) struct PictureLine {
    pub(super) track: u32,
    pictures: Pictures,
    pub(super) ready: VecDeque<Due>,
    /// The time of the last frame, in the file,
    last_in_file: Option<Nanos>,
    /// and here.
    last: Option<Nanos>,
    /// How long it lasts.
    spacing: Nanos,
    out_of_order: u32,
}

impl PictureLine {
    pub(super) fn new(track: u32, pictures: Pictures) -> Self {
        Self {
            track,
            pictures,
            ready: VecDeque::new(),
            last_in_file: None,
            last: None,
            spacing: DEFAULT_SPACING,
            out_of_order: 0,
        }
    }

    /// Takes a packet that is shown at `time`; returns whether it is a frame.
    pub(super) fn take(&mut self, packet: Packet, time: Option<Nanos>) -> Result<bool, Refused> {
        let is_cut = packet.cut_end > 0 && packet.cut_end >= packet.duration.unwrap_or(0);
        if packet.data.is_empty() || is_cut {
            return Ok(false);
        }
        self.check_order(packet.time)?;
        let Frame { keyframe, data } = self.pictures.frame(packet.data).ok_or(Refused::Corrupt)?;
        let earliest = self.last.map_or(0, |last| last + MIN_SPACING);
        let time = time.unwrap_or(earliest).max(earliest);
        if let Some(spacing) = packet.duration.filter(|duration| *duration > 0) {
            self.spacing = spacing;
        } else if let Some(last) = self.last {
            self.spacing = time - last;
        }
        self.last = Some(time);
        self.ready.push_back(Due {
            time,
            due: time,
            media: Media::Frame { keyframe, data },
        });
        Ok(true)
    }

    fn check_order(&mut self, time: Option<Nanos>) -> Result<(), Refused> {
        if let (Some(time), Some(last)) = (time, self.last_in_file)
            && time < last
            && last - time < MAX_JUMP
        {
            self.out_of_order += 1;
            if self.out_of_order > MAX_OUT_OF_ORDER {
                return Err(Refused::Reordered(video::reordered()));
            }
        }
        self.last_in_file = time.or(self.last_in_file);
        Ok(())
    }

    /// When the last frame is over.
    pub(super) fn end(&self) -> Nanos {
        self.last.map_or(0, |last| last + self.spacing)
    }

    pub(super) fn start_anew(&mut self) {
        self.last_in_file = None;
        self.out_of_order = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::container::Coding;

    const MS: Nanos = 1_000_000;

    fn line() -> PictureLine {
        let (pictures, _) = Pictures::open(&Coding::Vp8, None).unwrap();
        PictureLine::new(1, pictures)
    }

    /// Times of frames that were at `times` in the file, in milliseconds.
    fn take(line: &mut PictureLine, times: &[Nanos]) -> Result<Vec<Nanos>, Refused> {
        for time in times {
            let packet = Packet {
                track: 1,
                time: Some(time * MS),
                duration: None,
                cut_start: 0,
                cut_end: 0,
                data: vec![0x11, 0, 0, 0],
            };
            line.take(packet, Some(time * MS))?;
        }
        Ok(line.ready.drain(..).map(|due| due.time).collect())
    }

    #[test]
    fn frames_keep_their_times_and_the_last_one_its_length() {
        let mut line = line();
        let times = take(&mut line, &[0, 40, 80]).unwrap();
        assert_eq!(times, [0, 40 * MS, 80 * MS]);
        assert_eq!(line.end(), 120 * MS);
    }

    #[test]
    fn two_frames_never_have_one_time() {
        let times = take(&mut line(), &[10, 10]).unwrap();
        assert_eq!(times, [10 * MS, 10 * MS + MIN_SPACING]);
    }

    #[test]
    fn b_frames_end_it_but_a_wrong_time_does_not() {
        assert!(take(&mut line(), &[0, 40, 20, 80]).is_ok());
        let b_frames = [0, 40, 20, 80, 60, 120, 100, 160, 140];
        let refused = take(&mut line(), &b_frames).unwrap_err();
        assert!(matches!(refused, Refused::Reordered(_)));
    }
}
