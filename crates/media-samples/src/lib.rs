//! Small media files for tests, made by ffmpeg when they are first needed.
//!
//! Every sample has two seconds of a moving picture, 320x180 at 30 frames a
//! second, and of a tone of 1 kHz, unless it says otherwise. They are kept in
//! the system's folder for temporary files.

mod recipes;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub use recipes::*;

/// Pictures of every sample.
pub const PICTURES: &str = "testsrc2=size=320x180:rate=30:duration=2";

/// Sound of every sample.
pub const TONE: &str = "sine=frequency=1000:sample_rate=48000:duration=2";

/// Frames in every sample with pictures.
pub const FRAMES: usize = 60;

/// Frames from one keyframe to the next.
pub const KEYFRAME_INTERVAL: usize = 30;

/// A file, and how ffmpeg makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sample {
    /// Its name; the end of it tells ffmpeg the format.
    pub name: &'static str,
    /// Whether it has the picture, and the tone.
    pub content: Content,
    /// How they are encoded and stored, as options of ffmpeg with spaces between.
    pub options: &'static [&'static str],
}

/// What is in a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// The picture and the tone.
    Both,
    /// The picture alone.
    Pictures,
    /// The tone alone.
    Sound,
}

impl Sample {
    /// Makes the file, unless it is there already, and returns where it is.
    ///
    /// # Errors
    /// A sentence: there is no ffmpeg, or it refuses.
    pub fn make(&self) -> Result<PathBuf, String> {
        let mut hasher = DefaultHasher::new();
        (self, PICTURES, TONE).hash(&mut hasher);
        let folder = env::temp_dir().join("twoway-media-samples");
        let path = folder.join(format!("{:016x}-{}", hasher.finish(), self.name));
        if !path.is_file() {
            let failed = |error: io::Error| format!("cannot make {}: {error}", self.name);
            fs::create_dir_all(&folder).map_err(failed)?;
            // Made aside, so that another test never sees half of it.
            let aside = tempfile::tempdir_in(&folder).map_err(failed)?;
            let unfinished = aside.path().join(self.name);
            self.make_at(&unfinished)?;
            fs::rename(unfinished, &path).map_err(failed)?;
        }
        Ok(path)
    }

    fn make_at(&self, path: &Path) -> Result<(), String> {
        let mut command = ffmpeg();
        command.args(["-v", "error", "-nostdin", "-y"]);
        command.args(self.inputs()).args(self.outputs()).arg(path);
        // The encoders below ffmpeg say what they like.
        command.env("SVT_LOG", "1");
        run(&mut command).map(drop)
    }

    /// The arguments of ffmpeg that encode and store it.
    pub fn outputs(&self) -> impl Iterator<Item = &'static str> {
        self.options.iter().flat_map(|some| some.split_whitespace())
    }

    /// The arguments of ffmpeg that make what is in the sample.
    pub fn inputs(&self) -> Vec<&'static str> {
        let input = |source| ["-f", "lavfi", "-i", source];
        match self.content {
            Content::Both => [input(PICTURES), input(TONE)].concat(),
            Content::Pictures => input(PICTURES).to_vec(),
            Content::Sound => input(TONE).to_vec(),
        }
    }
}

/// A packet as ffprobe reads it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probed {
    /// When it is shown, in seconds.
    pub time: f64,
    /// Decoding can start here.
    pub keyframe: bool,
}

/// The packets of the first track of pictures in a file, as ffprobe, which
/// comes with ffmpeg, reads them.
///
/// # Errors
/// A sentence: there is no ffprobe, or it refuses.
pub fn probe_pictures(path: &Path) -> Result<Vec<Probed>, String> {
    let mut command = Command::new(beside_ffmpeg("ffprobe"));
    command.args(["-v", "error", "-select_streams", "v:0"]);
    command.args(["-show_entries", "packet=pts_time,flags", "-of", "csv=p=0"]);
    let text = run(command.arg(path))?;
    let packets = text.lines().filter_map(|line| {
        let mut fields = line.split(',');
        let time = fields.next()?.parse().ok()?;
        let keyframe = fields.next()?.starts_with('K');
        Some(Probed { time, keyframe })
    });
    Ok(packets.collect())
}

/// How many pictures a decoder makes of a file.
///
/// # Errors
/// A sentence: there is no ffprobe, or the decoder complains.
pub fn count_decoded(path: &Path) -> Result<usize, String> {
    let mut command = Command::new(beside_ffmpeg("ffprobe"));
    command.args(["-v", "error", "-count_frames", "-select_streams", "v:0"]);
    command.args(["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"]);
    let text = run(command.arg(path))?;
    let count = text.trim().parse();
    count.map_err(|_| format!("ffprobe counts no pictures: {text}"))
}

/// ffmpeg: what the environment variable `TWOWAY_FFMPEG` names, or the one on
/// the path.
pub fn ffmpeg() -> Command {
    Command::new(beside_ffmpeg("ffmpeg"))
}

fn beside_ffmpeg(name: &str) -> OsString {
    match env::var_os("TWOWAY_FFMPEG") {
        Some(ffmpeg) => Path::new(&ffmpeg).with_file_name(name).into_os_string(),
        None => name.into(),
    }
}

/// What a program prints.
fn run(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| {
        format!("{program} does not run ({error}): install ffmpeg, or name it by TWOWAY_FFMPEG")
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    // Told to speak of errors alone, it need not fail for them.
    if !output.status.success() || (program.ends_with("ffprobe") && !said.is_empty()) {
        return Err(format!("{program} failed: {}", said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
