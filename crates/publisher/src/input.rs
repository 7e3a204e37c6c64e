//! Opens a media file, or what comes from standard input.

use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use crate::Track;
use crate::file::{self, Kind, Pipe};
use crate::raw::{self, Reopen};
use crate::source::{Source, SourceError};

/// Bytes that tell what a file is.
const START: usize = 12;

/// What uncompressed pictures start with,
const Y4M: &[u8] = b"YUV4MPEG2";

/// and sound, which from a pipe may be without a length.
const WAV: &[u8] = b"RIFF";

/// What can be played, for people.
const KNOWN: &str = "MP4, MKV, WebM, Ogg, IVF, WAV, FLAC, MP3 and Y4M can be played";

/// Where media come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// What another program writes.
    StandardInput,
}

/// Opens media to be played at their own pace: MP4 (plain and fragmented),
/// MKV and WebM, Ogg, IVF, WAV, FLAC, MP3 and Y4M, told apart by what they start
/// with. H.264, VP8, VP9, AV1 and Opus are passed through, other sound is
/// decoded. With `repeat` a file is played again and again, without a break in
/// the timestamps. What is not the `only` wanted track is left out, and need not
/// be anything that can be played.
///
/// Opening standard input blocks until its first frames have come.
///
/// # Errors
/// One sentence with the path: the file cannot be read, is not known, holds what
/// browsers cannot play, or has not the `only` track.
pub fn open(
    input: &Input,
    only: Option<Track>,
    repeat: bool,
) -> Result<Box<dyn Source>, SourceError> {
    match input {
        Input::File(path) => open_path(path, only, repeat),
        Input::StandardInput => {
            let pipe = Box::new(io::stdin());
            open_pipe("standard input", pipe, only, repeat)
        }
    }
}

fn open_path(
    path: &Path,
    only: Option<Track>,
    repeat: bool,
) -> Result<Box<dyn Source>, SourceError> {
    let name = path.display().to_string();
    let unreadable = |error: io::Error| {
        let kind = error.kind();
        if kind == io::ErrorKind::NotFound {
            refusal(&name, "there is no such file")
        } else if kind == io::ErrorKind::PermissionDenied {
            refusal(&name, "you are not allowed to read it")
        } else {
            refusal(&name, &format!("it cannot be read ({error})"))
        }
    };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(refusal(&name, "it is a folder"));
    }
    let mut file = File::open(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return open_pipe(&name, Box::new(file), only, repeat);
    }
    let start = start_of(&mut file).map_err(unreadable)?;
    if start.starts_with(Y4M) {
        refuse_without(only, Track::Video, &name)?;
        let copy = repeat.then(|| file.try_clone()).transpose();
        let again = copy.map_err(unreadable)?.map(again);
        file.rewind().map_err(unreadable)?;
        return Ok(Box::new(raw::open_y4m(file, &name, again)?));
    }
    let kind = kind_of(&name, &start)?;
    let media = file::open_file(&name, file, kind, only, repeat)?;
    Ok(Box::new(media))
}

/// Reads a file again and again, whatever its name leads to by then.
fn again(mut file: File) -> Reopen {
    Box::new(move || {
        file.rewind()?;
        Ok(Box::new(file.try_clone()?))
    })
}

fn open_pipe(
    name: &str,
    mut pipe: Pipe,
    only: Option<Track>,
    repeat: bool,
) -> Result<Box<dyn Source>, SourceError> {
    if repeat {
        return Err(refusal(
            name,
            "what comes from a pipe cannot be played again (--loop)",
        ));
    }
    let unreadable = |error| refusal(name, &format!("it cannot be read ({error})"));
    let start = start_of(&mut pipe).map_err(unreadable)?;
    let (is_y4m, is_wav) = (start.starts_with(Y4M), start.starts_with(WAV));
    let kind = kind_of(name, &start);
    let whole = Cursor::new(start).chain(pipe);
    if is_y4m {
        refuse_without(only, Track::Video, name)?;
        return Ok(Box::new(raw::open_y4m(whole, name, None)?));
    }
    if is_wav {
        refuse_without(only, Track::Audio, name)?;
        return Ok(Box::new(raw::open_wav(whole, name)?));
    }
    let media = file::open_pipe(name, Box::new(whole), kind?, only)?;
    Ok(Box::new(media))
}

/// Refuses a format that has one track alone where the other is wanted.
fn refuse_without(only: Option<Track>, has: Track, name: &str) -> Result<(), SourceError> {
    let Some(missing) = only.filter(|only| *only != has) else {
        return Ok(());
    };
    let why = match missing {
        Track::Video => "there are no pictures in it",
        Track::Audio => "there is no sound in it",
    };
    Err(refusal(name, why))
}

fn kind_of(name: &str, start: &[u8]) -> Result<Kind, SourceError> {
    if start.is_empty() {
        return Err(refusal(name, "it is empty"));
    }
    let unknown = || refusal(name, &format!("its format is not known; {KNOWN}"));
    Kind::of(start).ok_or_else(unknown)
}

/// What a file starts with; less if it is shorter.
fn start_of(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(START);
    reader.take(START as u64).read_to_end(&mut start)?;
    Ok(start)
}

fn refusal(name: &str, why: &str) -> SourceError {
    SourceError(format!("cannot play {name}: {why}"))
}
