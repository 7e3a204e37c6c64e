//! The microphone through the real sound library: ALSA, with a device that is
//! made of a pipe.
#![cfg(all(target_os = "linux", feature = "microphone"))]
#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use twoway_publisher::device::{self, Microphone, MicrophoneInfo, MicrophoneOptions};
use twoway_publisher::{AudioChunk, AudioFormat, Captured, Source};

/// Set for the process that has the configuration of the test.
const PIPE: &str = "TWOWAY_TEST_PIPE";

/// What is written to the pipe, for left and right.
const LEFT: i16 = 1000;
const RIGHT: i16 = -3000;

/// ALSA reads its configuration as a process starts, so the test runs itself
/// once more with another.
#[test]
fn sound_comes_from_the_system_as_it_is() {
    if let Some(pipe) = env::var_os(PIPE) {
        let pipe = File::options().read(true).write(true).open(pipe);
        return listen(pipe.unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let (pipe, config) = (
        folder.path().join("pipe"),
        folder.path().join("asound.conf"),
    );
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| ExitStatus::success(&status)));
    fs::write(&config, configuration(&pipe.display().to_string())).unwrap();
    let status = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "sound_comes_from_the_system_as_it_is",
            "--nocapture",
        ])
        .env("ALSA_CONFIG_PATH", &config)
        .env(PIPE, &pipe)
        .status();
    assert!(status.unwrap().success());
}

/// Two devices: the system's default, and another that is listed.
fn configuration(pipe: &str) -> String {
    let device = format!(
        "type file\n slave.pcm {{ type null }}\n file \"/dev/null\"\n \
         infile \"{pipe}\"\n format \"raw\"\n"
    );
    format!(
        "pcm.!default {{\n {device} }}\n\
         pcm.pipe {{\n {device} hint {{ show on description \"Sound of a pipe\" }}\n}}\n"
    )
}

/// Two channels at 48 kHz, as fast as they are played, while anybody listens.
fn write(mut pipe: File, listening: &Receiver<()>) {
    let frame = [LEFT.to_le_bytes(), RIGHT.to_le_bytes()].concat();
    let piece = frame.repeat(480);
    let mut next = Instant::now();
    while pipe.write_all(&piece).is_ok() {
        next += Duration::from_millis(10);
        let wait = next.saturating_duration_since(Instant::now());
        if listening.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}

fn listen(pipe: File) {
    let (_listens, listening) = mpsc::channel();
    thread::spawn(move || write(pipe, &listening));
    let pipe = MicrophoneInfo {
        index: 0,
        name: "Sound of a pipe".to_owned(),
        id: "pipe".to_owned(),
        default: false,
    };
    assert_eq!(device::list().microphones, [pipe]);
    check(None, 2);
    check(Some("sound of"), 2);
    check(Some("0"), 1);

    let error = Microphone::open(MicrophoneOptions {
        device: Some("Studio".to_owned()),
        channels: 1,
    });
    let expected = "there is no microphone \"Studio\"; there is 0 (Sound of a pipe)";
    assert_eq!(error.map(drop).unwrap_err().to_string(), expected);
}

/// Opens a microphone and hears the two values again and again, with silence
/// where the pipe was empty.
fn check(device: Option<&str>, channels: u16) {
    let options = MicrophoneOptions {
        device: device.map(str::to_owned),
        channels,
    };
    let mut microphone = Microphone::open(options).unwrap();
    let rate = 48_000;
    let format = microphone.format().audio;
    assert_eq!(format, Some(AudioFormat::Raw { rate, channels }));
    // In mono, each value is a frame of its own.
    let frames: &[&[i16]] = match channels {
        1 => &[&[LEFT], &[RIGHT]],
        _ => &[&[LEFT, RIGHT]],
    };
    let chunks: Vec<AudioChunk> = (0..10).map(|_| next(&mut microphone)).collect();
    for chunk in &chunks {
        assert!(chunk.capture_time <= Instant::now());
        let mut heard = chunk.samples.chunks(channels.into());
        assert!(heard.clone().any(|frame| frames.contains(&frame)));
        assert!(heard.all(|frame| frames.contains(&frame) || frame.iter().all(|s| *s == 0)));
    }
    let in_order = |pair: &[AudioChunk]| pair[0].capture_time < pair[1].capture_time;
    assert!(chunks.windows(2).all(in_order));
}

fn next(microphone: &mut Microphone) -> AudioChunk {
    loop {
        match microphone.next().unwrap() {
            Captured::Audio(chunk) => return chunk,
            Captured::Nothing => {}
            other @ (Captured::Video(_)
            | Captured::EncodedVideo(_)
            | Captured::EncodedAudio(_)
            | Captured::Notice(_)
            | Captured::End) => panic!("no sound but {other:?}"),
        }
    }
}
