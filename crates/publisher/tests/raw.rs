//! Real `ffmpeg` processes pipe pictures and sound into the raw sources.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use twoway_publisher::{
    AudioChunk, AudioFormat, Captured, Format, Source, VideoFormat, VideoFrame, open_wav, open_y4m,
};

/// A running `ffmpeg`; ended with its owner.
struct Ffmpeg(Child);

impl Ffmpeg {
    /// Runs with these arguments, divided by spaces, and returns what it writes.
    fn start(arguments: &str) -> (Self, ChildStdout) {
        let program = std::env::var("TWOWAY_FFMPEG").unwrap_or_else(|_| "ffmpeg".to_owned());
        let spawned = Command::new(&program)
            .args(["-hide_banner", "-loglevel", "error", "-nostdin"])
            .args(arguments.split(' '))
            .arg("-")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => panic!("{program} cannot be run: install ffmpeg ({error})"),
        };
        let output = child.stdout.take().unwrap();
        (Self(child), output)
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a source delivers up to its end, with the moment it came.
#[derive(Default)]
struct Played {
    pictures: Vec<(VideoFrame, Instant)>,
    sounds: Vec<(AudioChunk, Instant)>,
    notices: Vec<String>,
}

fn play(source: &mut impl Source) -> Played {
    let mut played = Played::default();
    loop {
        let captured = source.next().unwrap();
        let now = Instant::now();
        match captured {
            Captured::Video(frame) => played.pictures.push((frame, now)),
            Captured::Audio(chunk) => played.sounds.push((chunk, now)),
            Captured::Notice(text) => played.notices.push(text),
            Captured::Nothing => {}
            Captured::End => return played,
            Captured::EncodedVideo(_) | Captured::EncodedAudio(_) => panic!("it is raw"),
        }
    }
}

fn y4m_format(size: &str, fps: u32) -> Format {
    Format {
        video: Some(VideoFormat::Raw {
            size: size.parse().unwrap(),
            fps,
        }),
        audio: None,
    }
}

/// Plays pictures of any layout; they must look like the same ones in I420.
fn plays_like(arguments: &str) {
    let reference = "-f lavfi -i testsrc2=size=320x180:rate=25:duration=0.2 -pix_fmt yuv420p";
    let play = |arguments: &str| {
        let (_ffmpeg, output) = Ffmpeg::start(&format!("{arguments} -strict -1 -f yuv4mpegpipe"));
        let mut source = open_y4m(output, "pipe", None).unwrap();
        assert_eq!(source.format(), y4m_format("320x180", 25), "{arguments}");
        play(&mut source)
    };
    let (expected, played) = (play(reference), play(arguments));
    assert_eq!(played.pictures.len(), 5, "{arguments}");
    for ((expected, _), (played, _)) in expected.pictures.iter().zip(&played.pictures) {
        let (expected, played) = (&expected.picture, &played.picture);
        assert_similar(&expected.y, &played.y, arguments);
        assert_similar(&expected.u, &played.u, arguments);
        assert_similar(&expected.v, &played.v, arguments);
    }
}

fn assert_similar(expected: &[u8], played: &[u8], what: &str) {
    let apart = expected.iter().zip(played).map(|(a, b)| a.abs_diff(*b));
    let mean = apart.map(f64::from).sum::<f64>() / expected.len() as f64;
    assert!(mean < 3.0, "{what}: {mean}");
}

#[test]
fn pictures_of_every_layout_look_the_same() {
    let source = "-f lavfi -i testsrc2=size=320x180:rate=25:duration=0.2";
    for layout in ["yuv420p", "yuv422p", "yuv444p"] {
        plays_like(&format!("{source} -pix_fmt {layout}"));
    }
    // Full range, and one column and row too many.
    plays_like(&format!(
        "{source} -vf scale=out_range=full,format=yuvj420p"
    ));
    plays_like(&format!("{source} -vf pad=321:181,format=yuv444p"));
}

#[test]
fn pictures_that_come_at_once_are_played_at_their_rate() {
    let (_ffmpeg, output) = Ffmpeg::start(
        "-f lavfi -i testsrc2=size=320x180:rate=30000/1001:duration=1 -f yuv4mpegpipe",
    );
    let mut source = open_y4m(output, "pipe", None).unwrap();
    assert_eq!(source.format(), y4m_format("320x180", 30));
    let played = play(&mut source);
    assert_eq!(played.pictures.len(), 30);
    assert!(played.notices.is_empty());
    let (first, _) = &played.pictures[0];
    let (last, came) = &played.pictures[29];
    let between = last.capture_time - first.capture_time;
    let nominal = Duration::from_secs_f64(29.0 * 1001.0 / 30_000.0);
    // It is never early; on a busy machine it may be late.
    assert!(
        between >= nominal - Duration::from_millis(50),
        "{between:?}"
    );
    assert!(*came + Duration::from_millis(50) >= last.capture_time);
}

#[test]
fn sound_of_every_encoding_is_the_same_sine() {
    for encoding in ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"] {
        let (_ffmpeg, output) = Ffmpeg::start(&format!(
            "-f lavfi -i sine=frequency=1000:sample_rate=44100:duration=0.3 \
             -ac 2 -c:a {encoding} -f wav"
        ));
        let mut source = open_wav(output, "pipe").unwrap();
        let stereo = AudioFormat::Raw {
            rate: 44_100,
            channels: 2,
        };
        assert_eq!(source.format().audio, Some(stereo), "{encoding}");
        let played = play(&mut source);
        let samples: Vec<i16> = played
            .sounds
            .into_iter()
            .flat_map(|(chunk, _)| chunk.samples)
            .collect();
        assert_eq!(samples.len(), 2 * 44_100 * 3 / 10, "{encoding}");
        // ffmpeg's sine has an eighth of full scale, and each side 3 dB less.
        let peak = samples.iter().map(|sample| sample.unsigned_abs()).max();
        assert!(
            (2_700..3_200).contains(&peak.unwrap()),
            "{encoding}: {peak:?}"
        );
        let left: Vec<i16> = samples.iter().copied().step_by(2).collect();
        let crossings = left.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0);
        assert!((298..=300).contains(&crossings.count()), "{encoding}");
        assert!(played.notices.is_empty());
    }
}

#[test]
fn surround_sound_is_read_as_it_is() {
    let (_ffmpeg, output) = Ffmpeg::start(
        "-f lavfi -i anullsrc=channel_layout=5.1:sample_rate=96000 -t 0.1 -c:a pcm_s24le -f wav",
    );
    let source = open_wav(output, "pipe").unwrap();
    let surround = AudioFormat::Raw {
        rate: 96_000,
        channels: 6,
    };
    assert_eq!(source.format().audio, Some(surround));
}

#[test]
fn a_live_writer_is_not_delayed() {
    let (_ffmpeg, output) =
        Ffmpeg::start("-re -f lavfi -i testsrc2=size=320x180:rate=30:duration=1 -f yuv4mpegpipe");
    let mut source = open_y4m(output, "pipe", None).unwrap();
    let played = play(&mut source);
    assert_eq!(played.pictures.len(), 30);
    for pair in played.pictures.windows(2) {
        let step = pair[1].0.capture_time - pair[0].0.capture_time;
        assert!(step > Duration::from_millis(20), "{step:?}");
    }
}

#[test]
fn what_cannot_be_sent_is_refused_with_a_way_out() {
    let refused = |arguments: &str| {
        let (_ffmpeg, output) = Ffmpeg::start(&format!("{arguments} -strict -1 -f yuv4mpegpipe"));
        let error = open_y4m(output, "standard input", None).err().unwrap();
        error.to_string()
    };
    let source = "-f lavfi -i testsrc2=size=320x180:rate=25";
    assert_eq!(
        refused(&format!("{source} -pix_fmt yuv420p10le")),
        "cannot play standard input: Y4M pictures in C420p10 cannot be read, 8-bit C420, C422, C444 \
         and Cmono can; convert them, with ffmpeg by -pix_fmt yuv420p"
    );
    assert_eq!(
        refused("-f lavfi -i color=size=8192x4320:rate=25"),
        "cannot play standard input: pictures of 8192x4320 cannot be sent, 160x90 to 3840x2160 can; \
         scale them, with ffmpeg by -vf scale=1280:-2"
    );
    assert_eq!(
        refused(&format!(
            "{source} -vf setfield=tff,format=yuv420p -field_order tt"
        )),
        "cannot play standard input: interlaced pictures cannot be sent; deinterlace them, with ffmpeg \
         by -vf yadif"
    );
}

#[test]
fn a_writer_that_is_killed_ends_the_stream_in_good_order() {
    let (ffmpeg, output) =
        Ffmpeg::start("-re -f lavfi -i testsrc2=size=1280x720:rate=30 -f yuv4mpegpipe");
    let mut source = open_y4m(output, "pipe", None).unwrap();
    while !matches!(source.next().unwrap(), Captured::Video(_)) {}
    drop(ffmpeg);
    let played = play(&mut source);
    assert!(played.notices.len() <= 1, "{:?}", played.notices);
}
