//! Media files each of whose pictures carries its number in the strip.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use media_samples::{Content, Sample, TONE};
use strip::Stamp;
use tempfile::TempDir;

/// Pictures of a film, numbered from 0. With its tone it lasts two seconds.
pub const FRAMES: u32 = 60;

const FPS: u32 = 30;
const WIDTH: u32 = 640;
const HEIGHT: u32 = 360;

/// White and black of limited range (ITU-R BT.709 section 4).
const WHITE: u8 = 235;
const BLACK: u8 = 16;

/// Makes films, which go with it.
#[derive(Debug)]
pub struct Films {
    folder: TempDir,
    /// The pictures, uncompressed.
    pictures: PathBuf,
}

impl Films {
    /// Draws the pictures.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn draw() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let pictures = folder.path().join("pictures.y4m");
        draw(&pictures).context("cannot draw the films' pictures")?;
        Ok(Self { folder, pictures })
    }

    /// Makes a file as `sample` says, of the numbered pictures.
    ///
    /// # Errors
    /// There is no ffmpeg, or it refuses.
    pub fn make(&self, sample: &Sample) -> Result<PathBuf> {
        let path = self.folder.path().join(sample.name);
        let mut command = media_samples::ffmpeg();
        command.args(["-v", "error", "-nostdin", "-y"]);
        if sample.content != Content::Sound {
            command.arg("-i").arg(&self.pictures);
        }
        if sample.content != Content::Pictures {
            command.args(["-f", "lavfi", "-i", TONE]);
        }
        // The encoders below ffmpeg say what they like.
        command
            .args(sample.outputs())
            .arg(&path)
            .env("SVT_LOG", "1");
        let output = command
            .stdin(Stdio::null())
            .output()
            .context("ffmpeg does not run: install it, or name it by the variable TWOWAY_FFMPEG")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {said}", sample.name);
        Ok(path)
    }

    /// ffmpeg, writing a film to its standard output again and again, in the
    /// way that `options` say.
    pub fn piped(film: &Path, options: &[&str]) -> Command {
        let mut command = media_samples::ffmpeg();
        command.args(["-v", "error", "-nostdin", "-stream_loop", "-1", "-i"]);
        command.arg(film).args(options).arg("-");
        command
    }
}

fn draw(path: &Path) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(
        file,
        "YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420mpeg2"
    )?;
    let grey = vec![128; (WIDTH * HEIGHT / 2) as usize];
    for frame in 0..FRAMES {
        writeln!(file, "FRAME")?;
        file.write_all(&luma(frame))?;
        file.write_all(&grey)?;
    }
    file.flush()?;
    ensure!(fs::metadata(path)?.len() > 0, "nothing was written");
    Ok(())
}

/// Slopes that wander to the left, above the strip.
fn luma(frame: u32) -> Vec<u8> {
    let shade = |x: u32, y: u32| 64 + ((x + 4 * frame + y / 2) % 128) as u8;
    let mut luma: Vec<u8> = (0..HEIGHT)
        .flat_map(|y| (0..WIDTH).map(move |x| shade(x, y)))
        .collect();
    let capture_ms = u64::from(frame * 1_000 / FPS);
    let cells = strip::encode(Stamp { capture_ms, frame });
    for (row, cells) in cells.iter().enumerate() {
        for (column, white) in cells.iter().enumerate() {
            let (xs, ys) = strip::cell_bounds(column, row, WIDTH, HEIGHT);
            fill(&mut luma, xs, ys, if *white { WHITE } else { BLACK });
        }
    }
    luma
}

fn fill(luma: &mut [u8], xs: Range<u32>, ys: Range<u32>, shade: u8) {
    for y in ys {
        let line = y * WIDTH;
        luma[(line + xs.start) as usize..(line + xs.end) as usize].fill(shade);
    }
}
