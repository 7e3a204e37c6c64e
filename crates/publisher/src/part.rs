//! One track of a source that may have two.

use crate::source::{Captured, Format, Source, SourceError};

/// Pictures or sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Track {
    /// The pictures.
    Video,
    /// The sound.
    Audio,
}

/// A source of which only one track is wanted; the other is captured, too, and
/// left out.
pub struct Only {
    track: Track,
    source: Box<dyn Source>,
}

impl Only {
    /// Only this track of `source`.
    pub fn new(track: Track, source: Box<dyn Source>) -> Self {
        Self { track, source }
    }
}

impl Source for Only {
    fn format(&self) -> Format {
        let Format { video, audio } = self.source.format();
        match self.track {
            Track::Video => Format { video, audio: None },
            Track::Audio => Format { video: None, audio },
        }
    }

    fn next(&mut self) -> Result<Captured, SourceError> {
        let captured = self.source.next()?;
        let track = match &captured {
            Captured::Video(_) | Captured::EncodedVideo(_) => Track::Video,
            Captured::Audio(_) | Captured::EncodedAudio(_) => Track::Audio,
            Captured::Nothing | Captured::Notice(_) | Captured::End => return Ok(captured),
        };
        if track == self.track {
            Ok(captured)
        } else {
            Ok(Captured::Nothing)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestPicture;

    #[test]
    fn the_other_track_is_left_out() {
        let check = |track, video, audio| {
            let source = TestPicture::new("320x180".parse().unwrap(), 30);
            let mut only = Only::new(track, Box::new(source));
            let format = only.format();
            assert_eq!(
                (format.video.is_some(), format.audio.is_some()),
                (video, audio)
            );
            let (mut videos, mut audios, mut others) = (0, 0, 0);
            while videos + audios < 3 || others < 3 {
                match only.next().unwrap() {
                    Captured::Video(_) | Captured::EncodedVideo(_) => videos += 1,
                    Captured::Audio(_) | Captured::EncodedAudio(_) => audios += 1,
                    Captured::Nothing => others += 1,
                    Captured::Notice(_) | Captured::End => panic!("it says nothing, and goes on"),
                }
            }
            assert_eq!((videos > 0, audios > 0), (video, audio));
        };
        check(Track::Video, true, false);
        check(Track::Audio, false, true);
    }

    #[test]
    fn what_is_for_all_comes_through() {
        struct Ending(Vec<Captured>);
        impl Source for Ending {
            fn format(&self) -> Format {
                Format {
                    video: None,
                    audio: None,
                }
            }
            fn next(&mut self) -> Result<Captured, SourceError> {
                self.0.pop().ok_or(SourceError("gone".to_owned()))
            }
        }
        let ending = Ending(vec![Captured::End, Captured::Notice("bye".to_owned())]);
        let mut only = Only::new(Track::Audio, Box::new(ending));
        assert!(matches!(only.next(), Ok(Captured::Notice(text)) if text == "bye"));
        assert!(matches!(only.next(), Ok(Captured::End)));
        assert_eq!(only.next().unwrap_err().to_string(), "gone");
    }
}
