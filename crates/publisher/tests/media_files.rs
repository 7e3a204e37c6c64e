//! Media files as sources, played at their own pace: what ffmpeg made comes out
//! as ffprobe sees it.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

#[cfg(unix)]
#[path = "media_files/pipes.rs"]
mod pipes;
#[path = "media_files/played.rs"]
mod played;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use media_samples::{Content, FRAMES, PLAYABLE, Sample, UNPLAYABLE, probe_pictures};
use played::{
    PADDING, Played, SECONDS, STALL, assert_seamless, layout, open_file, play, seconds, tone,
};
use twoway_publisher::{
    AudioFormat, Captured, Format, Input, SourceError, Track, VideoCodec, VideoFormat, open,
};

fn check_pictures(sample: &Sample, path: &Path, played: &Played) {
    let name = sample.name;
    if sample.content == Content::Sound {
        return assert!(played.frames.is_empty(), "{name}");
    }
    let mut probed = probe_pictures(path).unwrap();
    probed.truncate(played.frames.len());
    assert_eq!(played.frames.len(), probed.len(), "{name}");
    assert!(played.frames.len() >= FRAMES, "{name}");
    for (pair, expected) in played.frames.windows(2).zip(probed.windows(2)) {
        let off = seconds(pair[0].0, pair[1].0) - (expected[1].time - expected[0].time);
        let is_right = off.abs() < 0.0025 || off > STALL;
        assert!(is_right, "{name}: {off} s from {expected:?}");
        assert_eq!(pair[1].1, expected[1].keyframe, "{name}: {expected:?}");
    }
    assert!(played.frames[0].1, "{name}");
}

fn check_sound(sample: &Sample, format: Format, played: &Played) {
    let name = sample.name;
    if sample.content == Content::Pictures {
        return assert!(played.sound.is_empty(), "{name}");
    }
    let (rate, channels) = layout(format);
    assert_seamless(name, &played.sound, (rate, channels));
    let samples: Vec<i16> = played.sound.iter().flat_map(|(_, s)| s).copied().collect();
    let length = samples.len() as f64 / f64::from(channels) / f64::from(rate);
    assert!((length - SECONDS).abs() < PADDING, "{name}: {length} s");
    let from = rate as usize / 2 * usize::from(channels);
    let pure = tone(&samples[from..2 * from], rate, channels);
    assert!(pure > 0.95, "{name}: {pure} of it is the tone");
    if let Some((first, _)) = played.frames.first() {
        let apart = seconds(played.sound[0].0, *first);
        assert!(
            apart.abs() < PADDING,
            "{name}: {apart} s between sound and pictures"
        );
    }
}

/// The codecs that a sample's name tells.
fn expected(sample: &Sample, format: Format) {
    let name = sample.name;
    let video = match format.video {
        Some(VideoFormat::Encoded(VideoCodec::H264 { profile_level_id })) => {
            // High profile, as libx264 makes.
            assert_eq!(profile_level_id >> 16, 100, "{name}");
            "h264"
        }
        Some(VideoFormat::Encoded(VideoCodec::Vp8)) => "vp8",
        Some(VideoFormat::Encoded(VideoCodec::Vp9 { profile: 0 })) => "vp9",
        Some(VideoFormat::Encoded(VideoCodec::Av1)) => "av1",
        None => "",
        other => panic!("{name}: {other:?}"),
    };
    assert!(name.starts_with(video), "{name}: {video}");
    let is_opus = matches!(format.audio, Some(AudioFormat::Opus { channels: 1 }));
    let should_be = name.contains("opus") && !name.contains("surround");
    assert_eq!(is_opus, should_be, "{name}: {:?}", format.audio);
    let layout = match name {
        "pcm.wav" => (44_100, 2),
        "opus-surround.mkv" => (48_000, 6),
        _ => (48_000, 1),
    };
    assert_eq!(self::layout(format), layout, "{name}");
}

#[test]
fn every_kind_of_file_plays_as_it_is() {
    thread::scope(|scope| {
        for sample in PLAYABLE {
            scope.spawn(move || {
                let path = sample.make().unwrap();
                let mut source = open_file(&path, false).unwrap();
                let format = source.format();
                expected(sample, format);
                let played = play(source.as_mut(), |_| false);
                assert_eq!(played.notices, [""; 0], "{}", sample.name);
                check_pictures(sample, &path, &played);
                check_sound(sample, format, &played);
            });
        }
    });
}

#[test]
fn a_loop_has_no_seam() {
    thread::scope(|scope| {
        for sample in PLAYABLE {
            scope.spawn(move || {
                let mut source = open_file(&sample.make().unwrap(), true).unwrap();
                let layout = layout(source.format());
                let enough = |played: &Played| {
                    let last = played.frames.last().map(|(time, _)| *time);
                    let last = last.max(played.sound.last().map(|(time, _)| *time));
                    last.is_some_and(|last| seconds(played.start(), last) > 1.5 * SECONDS)
                };
                let played = play(source.as_mut(), enough);
                assert_seamless(sample.name, &played.sound, layout);
                check_frames_over_the_seam(sample.name, &played);
            });
        }
    });
}

fn check_frames_over_the_seam(name: &str, played: &Played) {
    for pair in played.frames.windows(2) {
        let apart = seconds(pair[0].0, pair[1].0);
        // At the seam the sound may last a little longer than the pictures.
        let plausible = 0.0 < apart && apart < 1.0 / 30.0 + 2.0 * PADDING || apart > STALL;
        assert!(plausible, "{name}: {apart} s between two frames");
    }
    if let Some((start, _)) = played.frames.first() {
        let second_pass = played.frames.iter().skip(FRAMES);
        let mut after = second_pass.filter(|(_, keyframe)| *keyframe);
        let (seam, _) = after.next().unwrap();
        let off = seconds(*start, *seam) - SECONDS;
        assert!(off.abs() < 2.0 * PADDING || off > STALL, "{name}: {off} s");
    }
}

/// A copy of a sample, cut off in the middle.
fn half(sample: Sample, folder: &Path) -> PathBuf {
    let content = fs::read(sample.make().unwrap()).unwrap();
    let path = folder.join(sample.name);
    fs::write(&path, &content[..content.len() / 2]).unwrap();
    path
}

#[test]
fn a_truncated_file_plays_up_to_where_it_breaks_off() {
    let folder = tempfile::tempdir().unwrap();
    for sample in [
        media_samples::H264_AAC_FAST_MP4,
        media_samples::H264_AAC_FRAGMENTED_MP4,
        media_samples::VP8_OPUS_WEBM,
        media_samples::AV1_IVF,
    ] {
        let path = half(sample, folder.path());
        let played = play(open_file(&path, false).unwrap().as_mut(), |_| false);
        let frames = played.frames.len();
        assert!(
            (FRAMES / 5..FRAMES).contains(&frames),
            "{}: {frames}",
            sample.name
        );
        let [notice] = &played.notices[..] else {
            panic!("{}: {:?}", sample.name, played.notices);
        };
        let expected = format!("{} is cut off: played up to there", path.display());
        assert_eq!(*notice, expected);
    }
    let path = half(media_samples::H264_AAC_MP4, folder.path());
    let refused = open_file(&path, false).err().unwrap();
    assert!(refused.contains("its index is missing"), "{refused}");
}

#[test]
fn a_truncated_file_loops() {
    let folder = tempfile::tempdir().unwrap();
    let path = half(media_samples::VP9_IVF, folder.path());
    let mut source = open_file(&path, true).unwrap();
    let played = play(source.as_mut(), |played| played.frames.len() > FRAMES);
    assert_eq!(played.notices.len(), 1, "{:?}", played.notices);
    check_intervals(&played, 1.0 / 30.0);
}

fn check_intervals(played: &Played, interval: f64) {
    for pair in played.frames.windows(2) {
        let off = seconds(pair[0].0, pair[1].0) - interval;
        assert!(off.abs() < 0.001 || off > STALL, "{off} s too far apart");
    }
}

#[test]
fn what_browsers_do_not_play_is_refused_with_what_to_do() {
    let named = [
        ("b-frames", "it has B-frames"),
        ("hevc", "HEVC (H.265)"),
        ("mpeg4", "MPEG-4 Part 2"),
        ("prores", "ProRes"),
        ("h264-10-bit", "High 10"),
        ("h264-ac3", "AC-3"),
        ("ac3", "AC-3"),
    ];
    for sample in UNPLAYABLE {
        let path = sample.make().unwrap();
        let why = open_file(&path, false).err().unwrap();
        let (_, codec) = named
            .iter()
            .find(|(name, _)| sample.name.starts_with(name))
            .unwrap();
        assert!(why.contains(codec), "{}: {why}", sample.name);
        assert!(why.contains("convert it with `ffmpeg -i FILE"), "{why}");
        let start = format!("cannot play {}: ", path.display());
        assert!(why.starts_with(&start) && !why.contains('\n'), "{why}");
    }
}

#[test]
fn what_is_left_out_need_not_be_playable() {
    let open = |sample: Sample, only| {
        let path = sample.make().unwrap();
        open(&Input::File(path), Some(only), false)
    };
    let mut source = open(media_samples::H264_AC3_MKV, Track::Video).unwrap();
    assert_eq!(source.format().audio, None);
    let played = play(source.as_mut(), |played| played.frames.len() > 3);
    assert!(played.frames[0].1 && played.sound.is_empty());

    let mut source = open(media_samples::MPEG4_AAC_MP4, Track::Audio).unwrap();
    assert_eq!(source.format().video, None);
    let played = play(source.as_mut(), |played| played.sound.len() > 3);
    assert!(played.frames.is_empty());

    for (sample, only, expected) in [
        (media_samples::H264_AC3_MKV, Track::Audio, "AC-3"),
        (media_samples::MPEG4_AAC_MP4, Track::Video, "MPEG-4 Part 2"),
        (media_samples::OPUS_OGG, Track::Video, "no pictures in it"),
        (media_samples::VP8_IVF, Track::Audio, "no sound in it"),
        (media_samples::RAW_Y4M, Track::Audio, "no sound in it"),
    ] {
        let SourceError(why) = open(sample, only).err().unwrap();
        assert!(why.contains(expected), "{}: {why}", sample.name);
    }
}

#[test]
fn what_is_no_media_file_is_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, content: Option<&[u8]>, expected: &str| {
        let path = folder.path().join(name);
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let why = open_file(&path, false).err().unwrap();
        assert_eq!(why, format!("cannot play {}: {expected}", path.display()));
    };
    check("missing.mp4", None, "there is no such file");
    check("", None, "it is a folder");
    check("empty.mp4", Some(b""), "it is empty");
    let known = "MP4, MKV, WebM, Ogg, IVF, WAV, FLAC, MP3 and Y4M can be played";
    let unknown = format!("its format is not known; {known}");
    check(
        "notes.mp4",
        Some(b"What it says is not what it is."),
        &unknown,
    );
    check(
        "short.ivf",
        Some(b"DKIF\0\0"),
        "it is cut off near its beginning",
    );
    check(
        "nothing.mkv",
        Some(&[0x1a, 0x45, 0xdf, 0xa3, 0x80]),
        "it is neither Matroska nor WebM",
    );
}

#[test]
fn uncompressed_pictures_loop() {
    let path = media_samples::RAW_Y4M.make().unwrap();
    let mut source = open_file(&path, true).unwrap();
    let raw = VideoFormat::Raw {
        size: "320x180".parse().unwrap(),
        fps: 30,
    };
    assert_eq!(source.format().video, Some(raw));
    let mut times = Vec::new();
    while times.len() < FRAMES + 5 {
        if let Captured::Video(frame) = source.next().unwrap() {
            times.push(frame.capture_time);
        }
    }
    assert!(times.is_sorted());
}
