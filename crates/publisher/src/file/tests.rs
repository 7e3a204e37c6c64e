//! Files that ffmpeg made, whole and damaged, taken apart without waiting for
//! the time to pass.

use std::io::Write;
use std::time::{Duration, Instant};

use media_samples::{FRAMES, Sample};

use super::*;
use crate::source::VideoFormat;
use crate::testing::stored;

/// More than any file here makes; a reader that does not end is stopped by it.
const MAX_PIECES: usize = 20_000;

/// Damaged copies of each sample, of each kind of damage.
const COPIES: usize = 25;

fn open(content: &[u8]) -> Result<MediaFile, SourceError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    let unknown = || SourceError("cannot play it: not known".to_owned());
    let kind = Kind::of(content).ok_or_else(unknown)?;
    open_file("it", file, kind, None, false)
}

/// All that is in a file, and what the user is told.
fn play(media: &mut MediaFile) -> Result<(Vec<Due>, Vec<String>), SourceError> {
    let mut pieces = Vec::new();
    let patience = Instant::now() + Duration::from_secs(600);
    while media.prepare(patience)?.is_some() {
        pieces.extend(media.timeline.pop());
        assert!(pieces.len() < MAX_PIECES, "it never ends");
    }
    let mut told = Vec::new();
    while let Some(text) = media.notices.take_rest("it", Instant::now()) {
        told.push(text);
    }
    Ok((pieces, told))
}

fn content(sample: Sample) -> Vec<u8> {
    std::fs::read(sample.make().unwrap()).unwrap()
}

fn frames(pieces: &[Due]) -> usize {
    let is_frame = |piece: &&Due| matches!(piece.media, Media::Frame { .. });
    pieces.iter().filter(is_frame).count()
}

fn data(piece: &Due) -> Option<&[u8]> {
    match &piece.media {
        Media::Frame { data, .. } => Some(data),
        Media::Opus(_) | Media::Samples(_) => None,
    }
}

#[test]
fn what_is_sent_decodes() {
    let folder = tempfile::tempdir().unwrap();
    for sample in media_samples::PLAYABLE {
        let mut media = open(&content(*sample)).unwrap();
        let Some(VideoFormat::Encoded(codec)) = media.format.video else {
            continue;
        };
        let (pieces, told) = play(&mut media).unwrap();
        assert_eq!(told, [""; 0], "{}", sample.name);
        let (ending, content) = stored(codec, pieces.iter().filter_map(data));
        let path = folder.path().join(sample.name).with_extension(ending);
        std::fs::write(&path, content).unwrap();
        let decoded = media_samples::count_decoded(&path);
        assert_eq!(decoded, Ok(FRAMES), "{}", sample.name);
    }
}

#[test]
fn sound_that_is_cut_off_plays_up_to_there() {
    for sample in [
        media_samples::PCM_WAV,
        media_samples::ADPCM_WAV,
        media_samples::FLAC,
        media_samples::MP3,
    ] {
        let mut content = content(sample);
        content.truncate(content.len() / 2);
        let (pieces, _) = play(&mut open(&content).unwrap()).unwrap();
        let end = pieces.last().unwrap().due as f64 / container::SECOND as f64;
        assert!((0.5..1.5).contains(&end), "{}: {end} s", sample.name);
    }
}

/// Numbers that look random and are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// Whatever is done to a file, it is refused in a sentence or played.
fn damage(sample: Sample, damage: impl Fn(&mut Vec<u8>, &mut Random)) {
    let whole = content(sample);
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for _ in 0..COPIES {
        let mut damaged = whole.clone();
        damage(&mut damaged, &mut random);
        let played = open(&damaged).and_then(|mut media| play(&mut media));
        if let Err(SourceError(why)) = played {
            assert!(why.starts_with("cannot play it: "), "{why}");
        }
    }
}

#[test]
fn files_cut_off_anywhere_are_refused_or_played() {
    for sample in media_samples::PLAYABLE {
        damage(*sample, |content, random| {
            content.truncate(random.below(content.len()));
        });
    }
}

#[test]
fn files_with_flipped_bits_are_refused_or_played() {
    for sample in media_samples::PLAYABLE {
        damage(*sample, |content, random| {
            for _ in 0..=random.below(20) {
                let at = random.below(content.len());
                content[at] ^= 1 << random.below(8);
            }
        });
    }
}

#[test]
fn headers_with_flipped_bits_are_refused_or_played() {
    for sample in media_samples::PLAYABLE {
        damage(*sample, |content, random| {
            // MP4 has its index at the end.
            let span = content.len().min(4_000);
            let start = random.below(2) * (content.len() - span);
            for _ in 0..=random.below(4) {
                content[start + random.below(span)] = random.below(256) as u8;
            }
        });
    }
}

#[test]
fn matroska_goes_on_behind_what_is_corrupt() {
    let mut content = content(media_samples::VP8_OPUS_WEBM);
    // Longer than a frame, in the first of two clusters.
    let early = content.len() / 5;
    content[early..early + 10_000].fill(0xff);
    let (pieces, told) = play(&mut open(&content).unwrap()).unwrap();
    let frames = frames(&pieces);
    assert!((FRAMES / 2..FRAMES).contains(&frames), "{frames}");
    assert!(told[0].starts_with("it: skipped"), "{told:?}");
}
