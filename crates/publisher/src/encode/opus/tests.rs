use std::f64::consts::TAU;
use std::time::Instant;

use opus_pure::OpusDecoder;

use super::*;

fn chunk(capture_time: Instant, samples: Vec<i16>) -> AudioChunk {
    AudioChunk {
        capture_time,
        samples,
    }
}

fn encoder() -> AudioEncoder {
    AudioEncoder::new(AudioConfig::default()).unwrap()
}

fn encoder_with(rate: u32, channels: u16, options: AudioOptions) -> AudioEncoder {
    let config = AudioConfig {
        rate,
        channels,
        options,
    };
    AudioEncoder::new(config).unwrap()
}

fn tone(samples: usize, hertz: f64) -> Vec<i16> {
    (0..samples)
        .map(|n| (16_384.0 * (TAU * hertz * n as f64 / 48_000.0).sin()) as i16)
        .collect()
}

/// Something like a voice: a pulse train with a wandering pitch, loud and
/// quiet in turn.
fn speech(samples: usize) -> Vec<i16> {
    let mut phase = 0.0;
    (0..samples)
        .map(|n| {
            let at = n as f64 / 48_000.0;
            phase += (120.0 + 20.0 * (TAU * 1.5 * at).sin()) / 48_000.0;
            let loudness = 0.5 - 0.4 * (TAU * 3.0 * at).cos();
            let voice: f64 = (1..25)
                .map(|k| (TAU * phase * f64::from(k)).sin() / f64::from(k))
                .sum();
            (10_000.0 * loudness * voice) as i16
        })
        .collect()
}

/// Amplitude of the part of `samples` at `hertz` (Goertzel).
fn level(samples: &[i16], hertz: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (n, &sample) in samples.iter().enumerate() {
        let phase = TAU * hertz * n as f64 / 48_000.0;
        re += f64::from(sample) * phase.cos();
        im += f64::from(sample) * phase.sin();
    }
    2.0 * re.hypot(im) / samples.len() as f64
}

fn decode(packets: &[EncodedPacket]) -> Vec<i16> {
    let mut decoder = OpusDecoder::new(48_000, 1).unwrap();
    let mut out = vec![0; FRAME];
    let mut decoded = Vec::new();
    for packet in packets {
        let samples = decoder.decode_s16(&packet.data, FRAME, &mut out).unwrap();
        decoded.extend_from_slice(&out[..samples]);
    }
    decoded
}

#[test]
fn a_tone_comes_back_as_loud_and_alone() {
    let mut encoder = encoder();
    let packets = encoder
        .encode(&chunk(Instant::now(), tone(48_000, 1000.0)))
        .unwrap();
    assert_eq!(packets.len(), 50);
    let decoded = decode(&packets);
    let steady = &decoded[9_600..];
    let loud = level(steady, 1000.0);
    assert!((loud / 16_384.0 - 1.0).abs() < 0.05, "{loud}");
    for other in [300.0, 900.0, 1500.0, 2000.0, 3000.0, 7000.0] {
        assert!(level(steady, other) < loud / 100.0, "{other} Hz");
    }
}

#[test]
fn silence_stays_silent_and_small() {
    let mut encoder = encoder();
    let packets = encoder
        .encode(&chunk(Instant::now(), vec![0; 48_000]))
        .unwrap();
    assert!(decode(&packets).iter().all(|sample| sample.abs() < 8));
    assert!(packets.iter().all(|packet| packet.data.len() < 40));
}

#[test]
fn a_packet_s_time_is_that_of_what_is_heard() {
    let start = Instant::now() + Duration::from_secs(1);
    let mut samples = vec![0; 48_000];
    samples[24_000..].copy_from_slice(&tone(24_000, 1000.0));
    let packets = encoder().encode(&chunk(start, samples)).unwrap();
    let decoded = decode(&packets);
    let onset = decoded
        .iter()
        .position(|sample| sample.abs() > 4_000)
        .unwrap();
    let heard = packets[0].capture_time + duration_of(onset as u64);
    let taken = start + duration_of(24_000);
    let apart = heard.max(taken) - heard.min(taken);
    assert!(apart < Duration::from_millis(1), "{apart:?}");
}

#[test]
fn chunks_of_any_length_make_even_packets() {
    let mut encoder = encoder();
    let start = Instant::now() + Duration::from_secs(1);
    let mut taken = 0;
    let mut packets = Vec::new();
    for length in [1, 959, 960, 3_000, 441, 441, 441, 441, 77] {
        let at = start + duration_of(taken as u64);
        packets.extend(encoder.encode(&chunk(at, vec![0; length])).unwrap());
        taken += length;
    }
    assert_eq!(packets.len(), taken / FRAME);
    for pair in packets.windows(2) {
        let step = pair[1].capture_time - pair[0].capture_time;
        assert_eq!(step, Duration::from_millis(20));
    }
}

#[test]
fn after_a_gap_packets_start_anew() {
    let mut encoder = encoder();
    let start = Instant::now() + Duration::from_secs(1);
    let first = encoder.encode(&chunk(start, vec![0; 1_000])).unwrap();
    let later = start + Duration::from_secs(5);
    let second = encoder.encode(&chunk(later, vec![0; 960])).unwrap();
    // The rest of the first chunk comes with silence after it.
    assert_eq!((first.len(), second.len()), (1, 2));
    assert_eq!(
        second[1].capture_time - first[0].capture_time,
        Duration::from_secs(5)
    );
}

/// Whether a mono packet repeats the one before: it has a part for speech
/// (RFC 6716 section 3.1), whose second bit says so (section 4.2.4).
fn repeats(packet: &EncodedPacket) -> bool {
    let speech = packet.data[0] >> 3 < 16;
    speech && packet.data.get(1).is_some_and(|bits| bits & 0x40 != 0)
}

#[test]
fn under_loss_each_packet_repeats_the_one_before() {
    let mut encoder = encoder();
    let sound = chunk(Instant::now(), speech(96_000));
    let before = encoder.encode(&sound).unwrap();
    assert!(!before.iter().any(repeats));
    encoder.set_expected_loss(10);
    let sound = chunk(sound.capture_time + Duration::from_secs(2), speech(96_000));
    let packets = encoder.encode(&sound).unwrap();
    let repeating = packets.iter().filter(|packet| repeats(packet));
    let count = repeating.count();
    // Not those that repeat silence.
    assert!(count > 60, "{count}");
    let bits: usize = packets.iter().map(|packet| packet.data.len() * 8).sum();
    assert!(bits < 2 * 60_000, "{bits}");
    encoder.set_expected_loss(0);
    let sound = chunk(sound.capture_time + Duration::from_secs(2), speech(96_000));
    let after = encoder.encode(&sound).unwrap();
    assert!(!after[5..].iter().any(repeats));
}

#[test]
fn without_error_correction_loss_changes_little() {
    let options = AudioOptions {
        fec: false,
        ..AudioOptions::default()
    };
    let mut encoder = encoder_with(48_000, 1, options);
    encoder.set_expected_loss(10);
    let sound = chunk(Instant::now(), speech(48_000));
    let packets = encoder.encode(&sound).unwrap();
    assert!(!packets.iter().any(repeats));
}

#[test]
fn the_bitrate_is_about_what_was_asked_for() {
    for (channels, stereo) in [(1, false), (2, true)] {
        for bitrate_bps in [24_000, 64_000, 128_000] {
            let options = AudioOptions {
                bitrate_bps,
                stereo,
                fec: true,
            };
            let mut encoder = encoder_with(48_000, channels, options);
            let mono = speech(2 * 48_000);
            let samples = match channels {
                1 => mono,
                // Not the same on both sides.
                _ => mono.iter().flat_map(|&s| [s, s / 3]).collect(),
            };
            let packets = encoder.encode(&chunk(Instant::now(), samples)).unwrap();
            let bytes: usize = packets.iter().map(|packet| packet.data.len()).sum();
            let bps = bytes as f64 * 8.0 / 2.0;
            let ratio = bps / f64::from(bitrate_bps);
            assert!((0.5..1.15).contains(&ratio), "{channels}: {bps} bit/s");
            // RFC 6716 section 3.1.
            let is_stereo = packets[50].data[0] & 0b100 != 0;
            assert!(is_stereo == stereo || bitrate_bps < 32_000);
        }
    }
}

#[test]
fn muted_sound_is_silent_and_tiny_and_in_time() {
    let mut encoder = encoder();
    let start = Instant::now() + Duration::from_secs(1);
    let mut packets = Vec::new();
    for second in 0..3 {
        encoder.set_muted(second == 1);
        let at = start + Duration::from_secs(second);
        packets.extend(encoder.encode(&chunk(at, tone(48_000, 1_000.0))).unwrap());
    }
    for pair in packets.windows(2) {
        let step = pair[1].capture_time - pair[0].capture_time;
        assert_eq!(step, Duration::from_millis(20));
    }
    let bytes: usize = packets[50..100]
        .iter()
        .map(|packet| packet.data.len())
        .sum();
    assert!(bytes < 500, "{bytes}");
    let decoded = decode(&packets);
    let second = |number: usize| &decoded[number * 48_000 + 4_800..][..38_400];
    assert!(level(second(0), 1_000.0) > 15_000.0);
    assert!(second(1).iter().all(|sample| sample.abs() < 30));
    assert!(level(second(2), 1_000.0) > 15_000.0);
}

#[test]
fn sound_of_any_rate_is_stamped_with_the_time_of_what_is_heard() {
    for rate in [16_000, 44_100, 96_000] {
        let start = Instant::now() + Duration::from_secs(1);
        let mut encoder = encoder_with(rate, 1, AudioOptions::default());
        let half = rate as usize / 2;
        let beep = |n: usize| TAU * 1_000.0 * (n - half) as f64 / f64::from(rate);
        let samples = (0..2 * half).map(|n| match n {
            n if n < half => 0,
            n => (16_384.0 * beep(n).sin()) as i16,
        });
        let packets = encoder.encode(&chunk(start, samples.collect())).unwrap();
        let decoded = decode(&packets);
        let onset = decoded.iter().position(|sample| sample.abs() > 4_000);
        let heard = packets[0].capture_time + duration_of(onset.unwrap() as u64);
        let taken = start + Duration::from_millis(500);
        let apart = heard.max(taken) - heard.min(taken);
        assert!(apart < Duration::from_millis(1), "{rate} Hz: {apart:?}");
    }
}
