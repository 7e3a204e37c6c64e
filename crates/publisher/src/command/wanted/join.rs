//! Makes one stream of several sources.

use std::cmp::Reverse;

use twoway_publisher::{AudioFormat, Only, Source, Sources, Track, VideoFormat};

use super::{EncodingGiven, Opened};

/// Who brings a track that several could: the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    TestPicture,
    Input,
    /// A device is named for its track, while a file may just have both.
    Device,
}

/// A source, and what the user calls it.
pub(super) struct Found {
    label: String,
    rank: Rank,
    source: Box<dyn Source>,
}

impl Found {
    pub(super) fn new(label: String, rank: Rank, source: Box<dyn Source>) -> Self {
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

    /// Whether it brings a track encoded, to be sent as it is.
    fn has_encoded(&self, track: Track) -> bool {
        let format = self.source.format();
        match track {
            Track::Video => matches!(format.video, Some(VideoFormat::Encoded(_))),
            Track::Audio => matches!(format.audio, Some(AudioFormat::Opus { .. })),
        }
    }
}

const TRACKS: [Track; 2] = [Track::Video, Track::Audio];

/// Makes one stream of them, which has one of each track, or only one.
///
/// # Errors
/// Two bring the same, or nothing of one would be sent; a sentence.
pub(super) fn join(
    found: Vec<Found>,
    only: Option<Track>,
    given: &EncodingGiven,
) -> Result<Opened, String> {
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
        notices.extend(not_applied(
            &found,
            winners.map(|winner| winner == Some(at)),
            given,
        ));
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

/// Says which encoding options are of no effect on the tracks taken of a source,
/// pictures and sound.
fn not_applied(found: &Found, taken: [bool; 2], given: &EncodingGiven) -> Option<String> {
    let as_it_is = [0, 1].map(|at| taken[at] && found.has_encoded(TRACKS[at]));
    let options: Vec<&str> = [&given.video, &given.audio]
        .into_iter()
        .zip(as_it_is)
        .filter(|(_, as_it_is)| *as_it_is)
        .flat_map(|(options, _)| options.iter().copied())
        .collect();
    let (last, before) = options.split_last()?;
    let options = match before {
        [] => format!("{last} is"),
        before => format!("{} and {last} are", before.join(", ")),
    };
    let label = &found.label;
    let sent = match as_it_is {
        [true, true] => label.clone(),
        [true, false] => format!("the picture of {label}"),
        [false, _] => format!("the sound of {label}"),
    };
    Some(format!(
        "{options} not applied: {sent} is sent as it is encoded"
    ))
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
    use twoway_publisher::{Captured, Format, SourceError, VideoCodec};

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

    /// Pictures of a device that are still to be encoded.
    fn raw(label: &str) -> Found {
        let size = "640x360".parse().unwrap();
        let format = Format {
            video: Some(VideoFormat::Raw { size, fps: 30 }),
            audio: None,
        };
        Found::new(label.to_owned(), Rank::Device, Box::new(Still(format)))
    }

    fn tracks(format: Format) -> String {
        let video = format.video.map(|_| 'v');
        let audio = format.audio.map(|_| 'a');
        video.into_iter().chain(audio).collect()
    }

    fn joined(found: Vec<Found>, only: Option<Track>) -> Result<Opened, String> {
        join(found, only, &EncodingGiven::default())
    }

    fn check(found: Vec<Found>, only: Option<Track>, expected: &str, notices: &[&str]) {
        let opened = joined(found, only)
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
            assert_eq!(joined(found, only).err().as_deref(), Some(expected));
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

    #[test]
    fn options_that_nothing_is_encoded_with_are_told() {
        let check = |found, video: &[&'static str], audio: &[&'static str], notices: &[&str]| {
            let given = EncodingGiven {
                video: video.to_vec(),
                audio: audio.to_vec(),
            };
            let opened = join(found, None, &given).map_err(|error| panic!("{error}"));
            assert_eq!(opened.unwrap().notices, notices);
        };
        let film = || vec![file("a.mp4", "va")];
        check(film(), &[], &[], &[]);
        check(
            film(),
            &["--size"],
            &[],
            &["--size is not applied: a.mp4 is sent as it is encoded"],
        );
        check(
            film(),
            &["--size", "--fps"],
            &["--stereo"],
            &["--size, --fps and --stereo are not applied: a.mp4 is sent as it is encoded"],
        );
        check(
            vec![file("a.ivf", "v"), file("b.ogg", "a")],
            &["--bitrate"],
            &["--stereo"],
            &[
                "--bitrate is not applied: the picture of a.ivf is sent as it is encoded",
                "--stereo is not applied: the sound of b.ogg is sent as it is encoded",
            ],
        );
        // What is encoded here, and what is not sent, needs no notice.
        check(
            vec![raw("film.y4m"), file("a.ogg", "a")],
            &["--size", "--bitrate"],
            &[],
            &[],
        );
        check(
            vec![file("a.mp4", "va"), raw("--camera")],
            &["--size"],
            &[],
            &["the picture of a.mp4 is left out: --camera brings it"],
        );
    }
}
