//! Plays a source and keeps what it delivers.

use std::path::Path;
use std::time::{Duration, Instant};

use opus_pure::OpusDecoder;
use twoway_publisher::{AudioFormat, Captured, Format, Input, Source, open};

/// What every sample's sound lasts, in seconds.
pub(crate) const SECONDS: f64 = 2.0;

/// Encoders put that much in front and behind, in seconds.
pub(crate) const PADDING: f64 = 0.06;

/// A source that was not asked for so long, in seconds, because the machine had
/// no time for it, moves its times instead of hurrying.
pub(crate) const STALL: f64 = 0.9;

/// What a source delivered.
#[derive(Default)]
pub(crate) struct Played {
    pub(crate) frames: Vec<(Instant, bool)>,
    /// Start and samples of every piece.
    pub(crate) sound: Vec<(Instant, Vec<i16>)>,
    pub(crate) notices: Vec<String>,
}

impl Played {
    pub(crate) fn start(&self) -> Instant {
        let frames = self.frames.iter().map(|(time, _)| *time);
        let sound = self.sound.iter().map(|(time, _)| *time);
        frames.chain(sound).min().unwrap()
    }
}

pub(crate) fn open_file(path: &Path, repeat: bool) -> Result<Box<dyn Source>, String> {
    open(&Input::File(path.to_path_buf()), None, repeat).map_err(|error| error.0)
}

/// Samples a second, and channels.
pub(crate) fn layout(format: Format) -> (u32, u16) {
    match format.audio {
        Some(AudioFormat::Raw { rate, channels }) => (rate, channels),
        Some(AudioFormat::Opus { channels }) => (48_000, channels),
        None => (48_000, 1),
    }
}

/// Plays to the end, or until `enough`.
pub(crate) fn play(source: &mut dyn Source, enough: impl Fn(&Played) -> bool) -> Played {
    let (rate, channels) = layout(source.format());
    let mut decoder = OpusDecoder::new(48_000, channels.into()).ok();
    let mut played = Played::default();
    while !enough(&played) {
        let captured = source.next().unwrap();
        let now = Instant::now();
        match captured {
            Captured::EncodedVideo(frame) => {
                assert!(frame.capture_time <= now, "a frame came early");
                played.frames.push((frame.capture_time, frame.keyframe));
            }
            Captured::Audio(chunk) => {
                let length = chunk.samples.len() as f64 / f64::from(channels) / f64::from(rate);
                let end = chunk.capture_time + Duration::from_secs_f64(length - 1e-6);
                assert!(end <= now, "sound came early");
                played.sound.push((chunk.capture_time, chunk.samples));
            }
            Captured::EncodedAudio(packet) => {
                assert!(packet.capture_time <= now, "sound came early");
                let mut samples = vec![0; 5_760 * usize::from(channels)];
                let decoder = decoder.as_mut().unwrap();
                let made = decoder
                    .decode_s16(&packet.data, 5_760, &mut samples)
                    .unwrap();
                samples.truncate(made * usize::from(channels));
                played.sound.push((packet.capture_time, samples));
            }
            Captured::Notice(text) => played.notices.push(text),
            Captured::Nothing => {}
            Captured::End => break,
            Captured::Video(_) => panic!("files have no raw pictures"),
        }
    }
    played
}

pub(crate) fn seconds(from: Instant, to: Instant) -> f64 {
    if to < from {
        -seconds(to, from)
    } else {
        (to - from).as_secs_f64()
    }
}

/// The part of `samples` that is the tone (Goertzel), 1 if all of it.
pub(crate) fn tone(samples: &[i16], rate: u32, channels: u16) -> f64 {
    let frames = samples.chunks_exact(channels.into());
    let mono: Vec<f64> = frames
        .map(|frame| frame.iter().map(|s| f64::from(*s)).sum())
        .collect();
    let (mut re, mut im, mut power) = (0.0, 0.0, 0.0);
    for (n, sample) in mono.iter().enumerate() {
        let phase = std::f64::consts::TAU * 1_000.0 * n as f64 / f64::from(rate);
        re += sample * phase.cos();
        im += sample * phase.sin();
        power += sample * sample;
    }
    2.0 * (re * re + im * im) / (power * mono.len() as f64)
}

/// Every piece starts where the one before ended, to a few microseconds.
pub(crate) fn assert_seamless(
    name: &str,
    sound: &[(Instant, Vec<i16>)],
    (rate, channels): (u32, u16),
) {
    for pair in sound.windows(2) {
        let length = pair[0].1.len() as f64 / f64::from(channels) / f64::from(rate);
        let off = seconds(pair[0].0, pair[1].0) - length;
        let is_right = off.abs() < 1e-5 || off > STALL;
        assert!(is_right, "{name}: {off} s between two pieces");
    }
}
