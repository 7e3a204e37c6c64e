//! Opens a file: finds out what is in it and whether it can be sent.

use std::collections::VecDeque;
use std::fs::File;
use std::time::{Duration, Instant};

use super::bytes::{Bytes, Pipe};
use super::container::{Coding, Container, Nanos, OpenError, Packet, ReadError, Track};
use super::ivf::Ivf;
use super::mkv::Mkv;
use super::mp4::Mp4;
use super::notices::Notices;
use super::pace::Pace;
use super::pipe::Piped;
use super::plain::Plain;
use super::sound::Sound;
use super::timeline::Timeline;
use super::video::{self, Pictures};
use super::{MediaFile, sentence};
use crate::Track as Wanted;
use crate::source::{AudioFormat, Format, SAMPLE_RATE, SourceError, VideoFormat};

/// What is looked at before a file is played.
struct Ahead {
    /// Frames, for their order: B-frames are rarely further from the start.
    frames: usize,
    /// Packets of sound, for codecs that tell only there what they make.
    sounds: usize,
    /// Attempts to read all these.
    reads: usize,
    /// What comes live is due when it comes, not when it is first asked for.
    live: bool,
}

impl Ahead {
    const FILE: Self = Self {
        frames: 64,
        sounds: 4,
        reads: 2_000,
        live: false,
    };
    /// Here each frame may cost time.
    const PIPE: Self = Self {
        frames: 4,
        sounds: 1,
        reads: 50,
        live: true,
    };
}

/// Bytes that are read ahead at most, but for the packet that is one too many.
const MAX_PRIMED_BYTES: usize = 8 << 20;

/// A pipe that has nothing for so long is asked again.
const PATIENCE: Duration = Duration::from_secs(1);

/// How a file is to be taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ivf,
    Mkv,
    Mp4,
    /// Sound alone: Ogg, WAV, FLAC, MP3, AAC.
    Plain,
}

impl Kind {
    /// What a file that starts with these bytes is; `None`: not known.
    pub(crate) fn of(start: &[u8]) -> Option<Self> {
        let behind_size = start.get(4..8).unwrap_or_default();
        let is_ogg_or_flac = start.starts_with(b"OggS") || start.starts_with(b"fLaC");
        let is_wav = start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WAVE");
        if start.starts_with(super::ivf::MAGIC) {
            Some(Self::Ivf)
        } else if start.starts_with(super::mkv::MAGIC) {
            Some(Self::Mkv)
        } else if super::mp4::MAGICS.contains(&behind_size) {
            Some(Self::Mp4)
        } else if is_ogg_or_flac || is_wav || is_mpeg_sound(start) {
            Some(Self::Plain)
        } else {
            None
        }
    }
}

/// MP3 and AAC: a tag (ID3v2 section 3.1) or a header's synchronisation bits.
fn is_mpeg_sound(start: &[u8]) -> bool {
    match *start {
        [b'I', b'D', b'3', ..] => true,
        [0xff, second, ..] => second & 0xe0 == 0xe0 && second != 0xff,
        _ => false,
    }
}

/// Opens a file that sentences call `name`; with `repeat` it never ends. Of what is
/// not `only` this track it takes no notice.
pub(crate) fn open_file(
    name: &str,
    file: File,
    kind: Kind,
    only: Option<Wanted>,
    repeat: bool,
) -> Result<MediaFile, SourceError> {
    let open = || {
        let again = repeat.then(|| file.try_clone()).transpose()?;
        let container = container(kind, file)?;
        let mut media = media_file(name, container, only, Ahead::FILE)?;
        media.again = again.map(|file| (file, kind));
        Ok(media)
    };
    open().map_err(|why| sentence(name, why))
}

/// Opens what comes from a pipe; `only` as for [`open_file`].
pub(crate) fn open_pipe(
    name: &str,
    pipe: Pipe,
    kind: Kind,
    only: Option<Wanted>,
) -> Result<MediaFile, SourceError> {
    let open = || {
        let piped = match kind {
            Kind::Ivf => Piped::start(Ivf::open(Bytes::pipe(pipe))?)?,
            Kind::Mkv => Piped::start(Mkv::open(Bytes::pipe(pipe))?)?,
            Kind::Plain => Piped::start(Plain::pipe(pipe)?)?,
            Kind::Mp4 => return Err(MP4_PIPE.into()),
        };
        media_file(name, Box::new(piped), only, Ahead::PIPE)
    };
    open().map_err(|why| sentence(name, why))
}

const MP4_PIPE: &str = "MP4 cannot be read from a pipe; name the file itself, or pipe Matroska \
                        instead (`-f matroska`)";

/// Opens a file from its beginning.
pub(super) fn container(kind: Kind, file: File) -> Result<Box<dyn Container>, OpenError> {
    Ok(match kind {
        Kind::Ivf => Box::new(Ivf::open(Bytes::file(file)?)?),
        Kind::Mkv => Box::new(Mkv::open(Bytes::file(file)?)?),
        Kind::Mp4 => Box::new(Mp4::open(Bytes::file(file)?)?),
        Kind::Plain => Box::new(Plain::file(file)?),
    })
}

/// What was read ahead.
struct Primed {
    packets: VecDeque<Packet>,
    /// When the first of them came.
    first_at: Option<Instant>,
    notices: Notices,
    broken_off: bool,
    ended: bool,
}

fn media_file(
    name: &str,
    mut container: Box<dyn Container>,
    only: Option<Wanted>,
    ahead: Ahead,
) -> Result<MediaFile, OpenError> {
    let tracks = container.tracks().to_vec();
    let is_wanted = |kind| only.is_none_or(|only| only == kind);
    let mut pictures = choose(&tracks, true).filter(|_| is_wanted(Wanted::Video));
    let mut sound = choose(&tracks, false).filter(|_| is_wanted(Wanted::Audio));
    // Before anything is waited for.
    if let Some(track) = pictures {
        refuse_unplayable(track)?;
    }
    let primed = prime(container.as_mut(), pictures, sound, &ahead)?;
    let of = |track: Option<&Track>| {
        let id = track.map(|track| track.id);
        let packets = primed.packets.iter();
        packets
            .filter(|packet| id == Some(packet.track))
            .collect::<Vec<_>>()
    };
    if primed.ended {
        // A track without anything in it.
        pictures = pictures.filter(|track| !of(Some(track)).is_empty());
        sound = sound.filter(|track| !of(Some(track)).is_empty());
    }
    let (frames, sounds) = (of(pictures), of(sound));
    let first = frames.first().map(|packet| packet.data.as_slice());
    let opened = pictures.map(|track| Pictures::open(&track.coding, first));
    let opened_pictures = opened.transpose()?;
    if pictures.is_some_and(|track| track.reordered) || are_reordered(&frames) {
        return Err(video::reordered());
    }
    let opened = sound.map(|track| Sound::open(&track.coding, &sounds));
    let opened_sound = opened.transpose()?;
    let format = Format {
        video: opened_pictures
            .as_ref()
            .map(|(_, codec)| VideoFormat::Encoded(*codec)),
        audio: opened_sound.as_ref().map(|(_, format)| *format),
    };
    if format.video.is_none() && format.audio.is_none() {
        return Err(nothing_of(only).into());
    }
    let origin = origin(&frames, &sounds);
    let pictures = pictures.zip(opened_pictures);
    let sound = sound.zip(opened_sound);
    let timeline = Timeline::new(
        pictures.map(|(track, (pictures, _))| (track.id, pictures)),
        sound.map(|(track, (sound, format))| (track.id, sound, rate(format))),
        origin,
    );
    let mut notices = primed.notices;
    if primed.broken_off {
        notices.broken_off(name);
    }
    Ok(MediaFile {
        name: name.to_owned(),
        format,
        container,
        primed: primed.packets,
        again: None,
        timeline,
        pace: Pace::new(primed.first_at.filter(|_| ahead.live)),
        notices,
        corrupt: 0,
        ended: false,
    })
}

/// Why a file without a track that could be sent is refused.
fn nothing_of(only: Option<Wanted>) -> &'static str {
    match only {
        None => "there are neither pictures nor sound in it that can be played",
        Some(Wanted::Video) => "there are no pictures in it that can be played",
        Some(Wanted::Audio) => "there is no sound in it that can be played",
    }
}

/// The first track of pictures, or of sound, that can be played; if there is
/// none, the first.
fn choose(tracks: &[Track], pictures: bool) -> Option<&Track> {
    let mut of_kind = tracks
        .iter()
        .filter(|track| track.coding.is_pictures() == pictures);
    let playable = of_kind.clone().find(|track| {
        !matches!(
            track.coding,
            Coding::OtherPictures(_) | Coding::OtherSound(_)
        )
    });
    playable.or_else(|| of_kind.next())
}

fn refuse_unplayable(track: &Track) -> Result<(), OpenError> {
    if matches!(track.coding, Coding::OtherPictures(_)) {
        Pictures::open(&track.coding, None)?;
    }
    Ok(())
}

/// Reads until enough of both tracks is there to know what they are.
fn prime(
    container: &mut dyn Container,
    pictures: Option<&Track>,
    sound: Option<&Track>,
    ahead: &Ahead,
) -> Result<Primed, OpenError> {
    let mut primed = Primed {
        packets: VecDeque::new(),
        first_at: None,
        notices: Notices::default(),
        broken_off: false,
        ended: false,
    };
    let mut missing_frames = pictures.map_or(0, |_| ahead.frames);
    let mut missing_sounds = sound.map_or(0, |_| ahead.sounds);
    let (mut bytes, mut reads) = (0, 0);
    while missing_frames + missing_sounds > 0 && reads < ahead.reads && bytes < MAX_PRIMED_BYTES {
        reads += 1;
        match container.next(Instant::now() + PATIENCE) {
            Ok(packet) => {
                primed.first_at.get_or_insert_with(Instant::now);
                let is_of = |track: Option<&Track>| track.is_some_and(|t| t.id == packet.track);
                missing_frames = missing_frames.saturating_sub(is_of(pictures).into());
                missing_sounds = missing_sounds.saturating_sub(is_of(sound).into());
                bytes += packet.data.len();
                if is_of(pictures) || is_of(sound) {
                    primed.packets.push_back(packet);
                }
            }
            Err(ReadError::Corrupt) => primed.notices.corrupt(),
            Err(ReadError::NotYet) => reads -= 1,
            Err(ReadError::Io(error)) => return Err(error.into()),
            Err(ReadError::End) => {
                primed.ended = true;
                break;
            }
            Err(ReadError::BrokenOff) => {
                (primed.ended, primed.broken_off) = (true, true);
                break;
            }
        }
    }
    Ok(primed)
}

fn are_reordered(frames: &[&Packet]) -> bool {
    let times: Vec<Nanos> = frames.iter().filter_map(|packet| packet.time).collect();
    !times.is_sorted()
}

/// The file's earliest time.
fn origin(frames: &[&Packet], sounds: &[&Packet]) -> Nanos {
    let shown = frames.iter().filter_map(|packet| packet.time);
    // What is cut is not heard.
    let heard = sounds
        .iter()
        .filter_map(|packet| Some(packet.time? + packet.cut_start));
    shown.chain(heard).min().unwrap_or(0)
}

/// Samples a second.
fn rate(format: AudioFormat) -> u32 {
    match format {
        AudioFormat::Raw { rate, .. } => rate,
        AudioFormat::Opus { .. } => SAMPLE_RATE,
    }
}
