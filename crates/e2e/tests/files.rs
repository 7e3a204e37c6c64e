//! Media files and pipes, published by the command and played in the page.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use e2e::{FRAMES, Films, Publisher, Seen, Spy, Stage, TwoWayPage, Watched};
use media_samples::{self as samples, Content, Sample};
use serde_json::json;

/// Frames that show that a picture goes on.
const SOME_FRAMES: u64 = 30;

/// A second of RTP's clock of pictures.
const RTP_SECOND: i64 = 90_000;

/// One frame of a film in it.
const RTP_FRAME: i64 = RTP_SECOND / 30;

/// By as much the sound of a film outlasts its pictures: encoders put a little
/// in front and behind.
const LONGER_SOUND: i64 = RTP_SECOND * 12 / 100;

/// Attempts at an undisturbed look: the machine may stall, and browsers leave
/// pictures out then. What is wrong with the stream is wrong in each of them.
const LOOKS: usize = 5;

/// H.264 and Opus in fragments.
const FRAGMENTED: Sample = Sample {
    name: "h264-opus-fragmented.mp4",
    content: Content::Both,
    options: &[
        "-c:v libx264 -preset veryfast -bf 0 -g 30 -c:a libopus",
        "-movflags +frag_keyframe+empty_moov+default_base_moof",
    ],
};

/// The files, and what their pictures are encoded with.
const KINDS: [(Sample, &str); 13] = [
    (samples::H264_AAC_MP4, "video/H264"),
    (FRAGMENTED, "video/H264"),
    (samples::H264_MP3_MKV, "video/H264"),
    (samples::H264_FLAC_MKV, "video/H264"),
    (samples::VP8_VORBIS_WEBM, "video/VP8"),
    (samples::VP9_OPUS_WEBM, "video/VP9"),
    (samples::AV1_OPUS_MKV, "video/AV1"),
    (samples::AV1_OPUS_MP4, "video/AV1"),
    (samples::VP8_IVF, "video/VP8"),
    (samples::AV1_IVF, "video/AV1"),
    (samples::OPUS_OGG, ""),
    (samples::PCM_WAV, ""),
    (samples::MP3, ""),
];

/// A browser that plays one stream after the other.
struct Player<'b> {
    page: TwoWayPage<'b>,
    spy: Spy<'b>,
}

impl<'b> Player<'b> {
    async fn open(stage: &'b Stage) -> Result<Self> {
        let spy = Spy::hide_in(&stage.browser).await?;
        let page = stage.connected().await?;
        Ok(Self { page, spy })
    }

    /// Plays a film and checks that it is one.
    async fn check(&self, name: &str, content: Content, codec: &str) -> Result<()> {
        if content == Content::Sound {
            self.page.listen(name).await?;
        } else {
            self.page.play(name).await?;
            let is_it = format!("now.codec === {}", json!(codec));
            self.spy.wait_playback(&is_it).await?;
            self.spy.wait_frames(SOME_FRAMES).await?;
            self.check_numbers().await?;
        }
        if content != Content::Pictures {
            self.page.wait_sound().await?;
        }
        println!("{name} plays");
        self.page.click("playBtn").await?;
        self.page.wait_text("playStatus", "STOPPED").await
    }

    /// The pictures are those of a film.
    async fn check_numbers(&self) -> Result<()> {
        let watched = self.page.watch(1).await?;
        let numbers = numbers(&watched);
        ensure!(
            !numbers.is_empty() && numbers.len() * 10 >= watched.seen.len() * 9,
            "only {} of {} strips are legible",
            numbers.len(),
            watched.seen.len()
        );
        let foreign = numbers.iter().find(|number| **number >= FRAMES);
        ensure!(foreign.is_none(), "a picture has number {foreign:?}");
        let still = numbers.windows(2).find(|pair| pair[0] == pair[1]);
        ensure!(still.is_none(), "a picture twice: {still:?}");
        Ok(())
    }
}

fn numbers(watched: &Watched) -> Vec<u32> {
    let stamps = watched.seen.iter().filter_map(|seen| seen.stamp);
    stamps.map(|stamp| stamp.frame).collect()
}

/// Without a dot, from which on a name in an address is left out.
fn stream_name(sample: &Sample) -> String {
    sample.name.replace('.', "-")
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path of plain text")
}

#[tokio::test]
async fn every_kind_of_file_plays_with_picture_and_sound() -> Result<()> {
    let films = Films::draw()?;
    let stage = Stage::set().await?;
    let player = Player::open(&stage).await?;
    for (sample, codec) in KINDS {
        let film = films.make(&sample)?;
        let options = [text(&film)?, "--loop"];
        let name = &stream_name(&sample);
        let publisher = Publisher::start_with(&stage.server, name, &options)?;
        let played = player.check(name, sample.content, codec).await;
        played.context(sample.name)?;
        assert_eq!(publisher.terminate()?, Some(0), "{}", sample.name);
    }
    stage.clear().await
}

#[tokio::test]
async fn what_a_pipe_brings_plays() -> Result<()> {
    let films = Films::draw()?;
    let film = films.make(&samples::H264_MP3_MKV)?;
    let stage = Stage::set().await?;
    let player = Player::open(&stage).await?;
    let pictures = ["-an", "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe"];
    let sound = ["-vn", "-f", "wav"];
    let both = ["-c", "copy", "-f", "matroska"];
    let pipes: [(&str, &[&str], Content); 3] = [
        ("y4m", &pictures, Content::Pictures),
        ("wav", &sound, Content::Sound),
        ("matroska", &both, Content::Both),
    ];
    for (name, options, content) in pipes {
        let mut ffmpeg = Films::piped(&film, options);
        let _publisher = Publisher::start_fed(&stage.server, name, &mut ffmpeg)?;
        let played = player.check(name, content, "video/H264").await;
        played.context(name)?;
    }
    stage.clear().await
}

#[tokio::test]
async fn a_loop_shows_no_seam() -> Result<()> {
    let films = Films::draw()?;
    let stage = Stage::set().await?;
    let player = Player::open(&stage).await?;
    for sample in [samples::H264_AAC_MP4, samples::VP9_OPUS_WEBM] {
        let film = films.make(&sample)?;
        let options = [text(&film)?, "--loop"];
        let name = &stream_name(&sample);
        let _publisher = Publisher::start_with(&stage.server, name, &options)?;
        player.page.play(name).await?;
        check_seams(&player).await.context(sample.name)?;
        player.page.click("playBtn").await?;
        player.page.wait_text("playStatus", "STOPPED").await?;
    }
    stage.clear().await
}

/// In one of a few looks, all is well over two seams at least.
async fn check_seams(player: &Player<'_>) -> Result<()> {
    let mut flaws = Vec::new();
    for _ in 0..LOOKS {
        let before = player.spy.playback().await?;
        let watched = player.page.watch(5).await?;
        let after = player.spy.playback().await?;
        flaws = seam_flaws(&watched.seen);
        let freezes = after.freeze_count - before.freeze_count;
        if freezes > 0 {
            flaws.push(format!("{freezes} freezes"));
        }
        if flaws.is_empty() {
            return Ok(());
        }
        println!("{flaws:?}");
    }
    anyhow::bail!("a seam shows: {flaws:?}")
}

/// What is wrong with the run of the pictures: RTP's time goes on as their
/// numbers do, from the last one to the first too, where no more are missing
/// than the browser leaves out elsewhere.
fn seam_flaws(seen: &[Seen]) -> Vec<String> {
    let legible: Vec<(i64, u32)> = seen
        .iter()
        .filter_map(|seen| Some((seen.stamp?.frame.into(), seen.rtp_time)))
        .collect();
    let (mut flaws, mut seams) = (Vec::new(), Vec::new());
    let mut longest_step = 1;
    for pair in legible.windows(2) {
        let ((from, rtp_from), (to, rtp_to)) = (pair[0], pair[1]);
        let step = (to - from).rem_euclid(FRAMES.into());
        let late = i64::from(rtp_to.wrapping_sub(rtp_from)) - step * RTP_FRAME;
        let longer = if to < from {
            seams.push((from, to, step));
            LONGER_SOUND
        } else {
            longest_step = longest_step.max(step);
            0
        };
        if !(-RTP_FRAME / 10..=longer + RTP_FRAME / 10).contains(&late) {
            flaws.push(format!("{from} to {to} takes {late} too long"));
        }
    }
    if seams.len() < 2 {
        flaws.push(format!("only {} seams", seams.len()));
    }
    let missing = seams.iter().find(|(_, _, step)| *step > longest_step);
    flaws.extend(missing.map(|seam| format!("{seam:?} after steps of {longest_step}")));
    println!("seams {seams:?}, steps up to {longest_step}");
    flaws
}
