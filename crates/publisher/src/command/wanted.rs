//! Opens what the command line names and makes one stream of it.

use std::cmp::Reverse;
use std::io::{self, IsTerminal};

use twoway_publisher::device::{
    Camera, CameraOptions, Microphone, MicrophoneOptions, Screen, ScreenOptions, ScreenTarget,
};
use twoway_publisher::{
    self as publisher, Input, Only, Size, Source, SourceError, Sources, TestPicture, Track,
};

/// Pictures a second, where none are asked for.
const FPS: u32 = 30;

/// What shall be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) pictures: Option<Pictures>,
    /// Sound, of this device or the system's choice.
    pub(crate) microphone: Option<Option<String>>,
    pub(crate) inputs: Vec<Input>,
    /// Files begin again at their end.
    pub(crate) repeat: bool,
    /// Leave the other track out.
    pub(crate) only: Option<Track>,
    pub(crate) size: Option<Size>,
    pub(crate) fps: Option<u32>,
    pub(crate) stereo: bool,
}

/// Where pictures come from, if not from an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pictures {
    Test,
    /// This one, or the first.
    Camera(Option<String>),
    Screen(ScreenTarget),
}

/// What is opened, and sentences for the user.
pub(crate) struct Opened {
    pub(crate) sources: Sources,
    pub(crate) notices: Vec<String>,
}

impl Wanted {
    /// Opens it all. Files come first: a name that is mistyped needs no camera.
    ///
    /// # Errors
    /// Something cannot be opened, or it does not make a stream; the text is one
    /// sentence.
    pub(crate) fn open(&self) -> Result<Opened, String> {
        let mut found = Vec::new();
        for input in &self.inputs {
            found.push(self.open_input(input)?);
        }
        if let Some(device) = &self.microphone {
            found.push(self.open_microphone(device.clone())?);
        }
        if let Some(pictures) = &self.pictures {
            found.push(self.open_pictures(pictures)?);
        } else if found.is_empty() {
            found.push(self.open_pictures(&Pictures::Test)?);
        }
        join(found, self.only)
    }

    fn open_input(&self, input: &Input) -> Result<Found, String> {
        let label = match input {
            Input::File(path) => path.display().to_string(),
            Input::StandardInput => "standard input".to_owned(),
        };
        if matches!(input, Input::StandardInput) && io::stdin().is_terminal() {
            return Err("standard input is a terminal: pipe media into it".to_owned());
        }
        let source =
            publisher::open(input, self.only, self.repeat).map_err(|error| error.to_string())?;
        Ok(Found::new(label, Rank::Input, source))
    }

    fn open_microphone(&self, device: Option<String>) -> Result<Found, String> {
        let channels = if self.stereo { 2 } else { 1 };
        let microphone = Microphone::open(MicrophoneOptions { device, channels });
        device_found("--microphone", microphone)
    }

    fn open_pictures(&self, pictures: &Pictures) -> Result<Found, String> {
        let fps = self.fps.unwrap_or(FPS);
        match pictures {
            Pictures::Test => {
                let usual = || Size::new(1280, 720).map_err(|error| error.to_string());
                let size = self.size.map_or_else(usual, Ok)?;
                let source = TestPicture::new(size, fps);
                let label = "--test-picture".to_owned();
                Ok(Found::new(label, Rank::TestPicture, Box::new(source)))
            }
            Pictures::Camera(device) => {
                let options = CameraOptions {
                    device: device.clone(),
                    size: self.size,
                    fps: self.fps,
                };
                device_found("--camera", Camera::open(options))
            }
            Pictures::Screen(what) => {
                let label = match what {
                    ScreenTarget::Display(_) => "--screen",
                    ScreenTarget::Window(_) => "--window",
                };
                let options = ScreenOptions {
                    what: what.clone(),
                    fps,
                    size: self.size,
                };
                device_found(label, Screen::open(options))
            }
        }
    }
}

fn device_found<S: Source + 'static>(
    option: &str,
    source: Result<S, SourceError>,
) -> Result<Found, String> {
    let source = source.map_err(|error| error.to_string())?;
    Ok(Found::new(
        option.to_owned(),
        Rank::Device,
        Box::new(source),
    ))
}

/// Who brings a track that several could: the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    TestPicture,
    Input,
    /// A device is named for its track, while a file may just have both.
    Device,
}

/// A source, and what the user calls it.
struct Found {
    label: String,
    rank: Rank,
    source: Box<dyn Source>,
}

impl Found {
    fn new(label: String, rank: Rank, source: Box<dyn Source>) -> Self {
        Self {
            label,
            rank,
            source,
        }
    }

    fn has(&self, track: Track) -> bool {
        let format = self.source.format();
        match track {
            Track::Video => format.video.is_some(),
            Track::Audio => format.audio.is_some(),
        }
    }
}

const TRACKS: [Track; 2] = [Track::Video, Track::Audio];

/// Makes one stream of them, which has one of each track, or only one.
fn join(found: Vec<Found>, only: Option<Track>) -> Result<Opened, String> {
    let [pictures, sound] = TRACKS.map(|track| chosen(&found, track, only));
    let winners = [pictures?, sound?];
    let labels: Vec<String> = found.iter().map(|found| found.label.clone()).collect();
    let winner_of = |track| {
        let winner = match track {
            Track::Video => winners[0],
            Track::Audio => winners[1],
        };
        winner.map(|at| labels[at].as_str())
    };
    let mut sources: Vec<Box<dyn Source>> = Vec::new();
    let mut notices = Vec::new();
    for (at, found) in found.into_iter().enumerate() {
        let has = TRACKS.map(|track| found.has(track));
        let kept = match winners.map(|winner| winner == Some(at)) {
            kept if kept == has => {
                sources.push(found.source);
                continue;
            }
            [true, _] => Track::Video,
            [_, true] => Track::Audio,
            [false, false] => return Err(superfluous(&found, winner_of, only)),
        };
        // The test picture's tone is missed by nobody.
        if found.rank == Rank::Input
            && let Some(winner) = winner_of(other(kept))
        {
            let what = word(other(kept));
            let label = &found.label;
            notices.push(format!(
                "the {what} of {label} is left out: {winner} brings it"
            ));
        }
        sources.push(Box::new(Only::new(kept, found.source)));
    }
    let sources = Sources::new(sources).map_err(|error| error.to_string())?;
    Ok(Opened { sources, notices })
}

/// The place of the one that brings `track`, if that is wanted.
fn chosen(found: &[Found], track: Track, only: Option<Track>) -> Result<Option<usize>, String> {
    if only.is_some_and(|only| only != track) {
        return Ok(None);
    }
    let having = found
        .iter()
        .enumerate()
        .filter(|(_, found)| found.has(track));
    let mut having: Vec<(usize, &Found)> = having.collect();
    having.sort_by_key(|(_, found)| Reverse(found.rank));
    match having[..] {
        [] => Ok(None),
        [(_, first), (_, second), ..] if first.rank == second.rank => {
            Err(both(&first.label, &second.label, track))
        }
        [(at, _), ..] => Ok(Some(at)),
    }
}

fn both(first: &str, second: &str, track: Track) -> String {
    let what = word(track);
    format!("{first} and {second} both bring a {what}: leave one of them out")
}

/// Says why nothing of a source would be sent.
fn superfluous<'a>(
    found: &Found,
    winner_of: impl Fn(Track) -> Option<&'a str>,
    only: Option<Track>,
) -> String {
    let label = &found.label;
    for track in TRACKS.into_iter().filter(|track| found.has(*track)) {
        if let Some(winner) = winner_of(track) {
            return both(label, winner, track);
        }
    }
    match only {
        Some(Track::Video) => format!("nothing is left of {label} with --no-audio"),
        Some(Track::Audio) => format!("nothing is left of {label} with --no-video"),
        None => format!("{label} has neither pictures nor sound"),
    }
}

fn other(track: Track) -> Track {
    match track {
        Track::Video => Track::Audio,
        Track::Audio => Track::Video,
    }
}

fn word(track: Track) -> &'static str {
    match track {
        Track::Video => "picture",
        Track::Audio => "sound",
    }
}

#[cfg(test)]
mod tests {
    use twoway_publisher::{AudioFormat, Captured, Format, VideoCodec, VideoFormat};

    use super::*;

    /// A source that is never started.
    struct Still(Format);

    impl Source for Still {
        fn format(&self) -> Format {
            self.0
        }

        fn next(&mut self) -> Result<Captured, SourceError> {
            Ok(Captured::End)
        }
    }

    /// `v`, `a` or both.
    fn found(label: &str, rank: Rank, tracks: &str) -> Found {
        let format = Format {
            video: tracks
                .contains('v')
                .then_some(VideoFormat::Encoded(VideoCodec::Vp8)),
            audio: tracks
                .contains('a')
                .then_some(AudioFormat::Opus { channels: 1 }),
        };
        Found::new(label.to_owned(), rank, Box::new(Still(format)))
    }

    fn device(label: &str, tracks: &str) -> Found {
        found(label, Rank::Device, tracks)
    }

    fn file(label: &str, tracks: &str) -> Found {
        found(label, Rank::Input, tracks)
    }

    fn tracks(format: Format) -> String {
        let video = format.video.map(|_| 'v');
        let audio = format.audio.map(|_| 'a');
        video.into_iter().chain(audio).collect()
    }

    fn check(found: Vec<Found>, only: Option<Track>, expected: &str, notices: &[&str]) {
        let opened = join(found, only)
            .map_err(|error| panic!("{error}"))
            .unwrap();
        assert_eq!(tracks(opened.sources.format()), expected);
        assert_eq!(opened.notices, notices);
    }

    #[test]
    fn each_track_is_brought_once() {
        check(vec![file("a.mp4", "va")], None, "va", &[]);
        check(vec![device("--camera", "v")], None, "v", &[]);
        check(
            vec![device("--microphone", "a"), device("--camera", "v")],
            None,
            "va",
            &[],
        );
        check(
            vec![file("a.ivf", "v"), file("b.ogg", "a")],
            None,
            "va",
            &[],
        );
        let test = found("--test-picture", Rank::TestPicture, "va");
        check(vec![device("--microphone", "a"), test], None, "va", &[]);
    }

    #[test]
    fn a_device_takes_the_place_of_a_files_track() {
        check(
            vec![file("a.mp4", "va"), device("--microphone", "a")],
            None,
            "va",
            &["the sound of a.mp4 is left out: --microphone brings it"],
        );
        check(
            vec![file("a.mp4", "va"), device("--camera", "v")],
            None,
            "va",
            &["the picture of a.mp4 is left out: --camera brings it"],
        );
    }

    #[test]
    fn a_track_that_is_not_wanted_is_left_out() {
        check(vec![file("a.mp4", "va")], Some(Track::Video), "v", &[]);
        check(vec![file("a.mp4", "va")], Some(Track::Audio), "a", &[]);
    }

    #[test]
    fn what_does_not_make_a_stream_is_told() {
        let check = |found, only, expected: &str| {
            assert_eq!(join(found, only).err().as_deref(), Some(expected));
        };
        check(
            vec![file("a.mp4", "va"), file("b.mp4", "va")],
            None,
            "a.mp4 and b.mp4 both bring a picture: leave one of them out",
        );
        check(
            vec![file("a.ogg", "a"), device("--microphone", "a")],
            None,
            "a.ogg and --microphone both bring a sound: leave one of them out",
        );
        check(
            vec![file("a.ivf", "v"), device("--camera", "v")],
            None,
            "a.ivf and --camera both bring a picture: leave one of them out",
        );
        check(
            vec![file("a.mp4", "va"), device("--camera", "v")],
            Some(Track::Video),
            "a.mp4 and --camera both bring a picture: leave one of them out",
        );
        let both = || vec![device("--microphone", "a"), device("--camera", "v")];
        check(
            both(),
            Some(Track::Video),
            "nothing is left of --microphone with --no-audio",
        );
        check(
            both(),
            Some(Track::Audio),
            "nothing is left of --camera with --no-video",
        );
    }
}
