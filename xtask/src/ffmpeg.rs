//! ffmpeg, which makes the media files of the tests: found, or installed by apt
//! where it may.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::apt;
use crate::shell::Shell;

/// Names the program to every later step, and overrules the search.
const VARIABLE: &str = "TWOWAY_FFMPEG";

/// Finds ffmpeg, with ffprobe beside it, or installs both.
///
/// # Errors
/// One sentence when they are missing and cannot be installed.
pub(crate) fn ensure(shell: &mut Shell) -> Result<()> {
    let ffmpeg = match find(shell)? {
        Some(found) => found,
        None => {
            apt::install(shell, "the tests of media files", "ffmpeg", &["ffmpeg"])?;
            find(shell)?.context("apt installed ffmpeg, yet it is not on the path")?
        }
    };
    let probe = ffmpeg.with_file_name(format!("ffprobe{}", std::env::consts::EXE_SUFFIX));
    if !probe.is_file() {
        bail!("there is no ffprobe beside {}", ffmpeg.display());
    }
    eprintln!("  ffmpeg: {}", ffmpeg.display());
    shell.set_variable(VARIABLE, ffmpeg);
    Ok(())
}

fn find(shell: &Shell) -> Result<Option<PathBuf>> {
    Ok(match shell.given(VARIABLE)? {
        Some(given) => Some(given),
        None => shell.find("ffmpeg"),
    })
}
