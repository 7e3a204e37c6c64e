//! Media files that come through a pipe.

use std::path::{Path, PathBuf};

use media_samples::{Content, FRAMES, Sample};
use twoway_publisher::Captured;

use super::played::{layout, open_file, play};
use super::{check_sound, expected};

/// A named pipe that ffmpeg writes a sample into, as programs do that stream.
fn pipe(sample: Sample, format: &str, folder: &Path) -> (PathBuf, std::process::Child) {
    let path = folder.join(sample.name);
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    let mut ffmpeg = media_samples::ffmpeg();
    ffmpeg.args(["-v", "error", "-nostdin", "-y", "-i"]);
    ffmpeg.arg(sample.make().unwrap());
    ffmpeg.args(["-c", "copy", "-f", format]).arg(&path);
    let child = ffmpeg.spawn().unwrap();
    (path, child)
}

#[test]
fn what_comes_through_a_pipe_plays_too() {
    let folder = tempfile::tempdir().unwrap();
    for (sample, format) in [
        (media_samples::H264_FLAC_MKV, "matroska"),
        (media_samples::VP8_OPUS_WEBM, "webm"),
        (media_samples::VP9_IVF, "ivf"),
        (media_samples::VORBIS_OGG, "ogg"),
    ] {
        let (path, mut ffmpeg) = pipe(sample, format, folder.path());
        let mut source = open_file(&path, false).unwrap();
        let format = source.format();
        expected(&sample, format);
        let played = play(source.as_mut(), |_| false);
        assert!(ffmpeg.wait().unwrap().success());
        assert_eq!(played.notices, [""; 0], "{}", sample.name);
        if sample.content != Content::Sound {
            assert_eq!(played.frames.len(), FRAMES, "{}", sample.name);
        }
        check_sound(&sample, format, &played);
    }
}

#[test]
fn uncompressed_sound_comes_through_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let (path, mut ffmpeg) = pipe(media_samples::PCM_WAV, "wav", folder.path());
    let mut source = open_file(&path, false).unwrap();
    assert_eq!(layout(source.format()), (44_100, 2));
    let mut samples = 0;
    loop {
        match source.next().unwrap() {
            Captured::Audio(chunk) => samples += chunk.samples.len(),
            Captured::End => break,
            Captured::Nothing => {}
            other @ (Captured::Video(_)
            | Captured::EncodedVideo(_)
            | Captured::EncodedAudio(_)
            | Captured::Notice(_)) => panic!("{other:?}"),
        }
    }
    assert!(ffmpeg.wait().unwrap().success());
    assert_eq!(samples, 2 * 2 * 44_100);
}

#[test]
fn a_pipe_is_refused_what_it_cannot_do() {
    let folder = tempfile::tempdir().unwrap();
    let (path, mut ffmpeg) = pipe(media_samples::VP9_IVF, "ivf", folder.path());
    let why = open_file(&path, true).err().unwrap();
    assert!(why.contains("cannot be played again (--loop)"), "{why}");
    // Without a reader ffmpeg never ends by itself.
    ffmpeg.kill().unwrap();
    ffmpeg.wait().unwrap();
}
