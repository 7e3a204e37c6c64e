use std::f64::consts::TAU;

use super::*;

/// A sound card: how much too fast its clock is, and by how many seconds its
/// capture times are off.
struct Card {
    rate: u32,
    channels: u16,
    drift: f64,
    jitter: fn(u64) -> f64,
}

impl Card {
    fn steady(rate: u32, channels: u16) -> Self {
        Self {
            rate,
            channels,
            drift: 0.0,
            jitter: |_| 0.0,
        }
    }

    /// When sample `number` is taken, in seconds.
    fn time_of(&self, number: u64) -> f64 {
        number as f64 / f64::from(self.rate) / (1.0 + self.drift)
    }

    /// Samples `first..first + frames` of the sound `of` time and channel.
    fn chunk(
        &self,
        start: Instant,
        first: u64,
        frames: usize,
        of: impl Fn(f64, usize) -> f64,
    ) -> AudioChunk {
        let samples = (first..first + frames as u64).flat_map(|number| {
            let at = self.time_of(number);
            let of = &of;
            (0..usize::from(self.channels))
                .map(move |channel| (of(at, channel) * 32_767.0).round() as i16)
        });
        let at = self.time_of(first) + (self.jitter)(first);
        AudioChunk {
            capture_time: start + Duration::from_secs_f64(1.0 + at),
            samples: samples.collect(),
        }
    }
}

/// Hashes a number to -1..1.
fn noise(number: u64) -> f64 {
    let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as f64 / f64::from(1_u32 << 23) - 1.0
}

/// What comes of `seconds` of `sound`, taken in chunks of 10 ms.
fn condition(
    card: &Card,
    sent: u16,
    seconds: u32,
    sound: impl Fn(f64, usize) -> f64 + Copy,
) -> (Instant, Vec<Frame>) {
    let start = Instant::now();
    let mut conditioner = Conditioner::new(card.rate, card.channels, sent).unwrap();
    let mut frames = Vec::new();
    let length = card.rate as usize / 100;
    for number in 0..u64::from(seconds) * 100 {
        let first = number * length as u64;
        let chunk = card.chunk(start, first, length, sound);
        conditioner.push(&chunk).unwrap();
        frames.extend(std::iter::from_fn(|| conditioner.pop()));
    }
    (start + Duration::from_secs(1), frames)
}

fn tone(hertz: f64) -> impl Fn(f64, usize) -> f64 + Copy {
    move |at, _| 0.5 * (TAU * hertz * at).sin()
}

/// Fits a sine of `hertz` to `samples`: its phase at the first one, and the
/// ratio of its power to that of all that is not it, in dB.
fn fit(samples: &[f32], hertz: f64) -> (f64, f64) {
    let (mut re, mut im) = (0.0, 0.0);
    let phase = |number: usize| TAU * hertz * number as f64 / f64::from(SAMPLE_RATE);
    for (number, &sample) in samples.iter().enumerate() {
        re += f64::from(sample) * phase(number).sin();
        im += f64::from(sample) * phase(number).cos();
    }
    let scale = 2.0 / samples.len() as f64;
    let (re, im) = (re * scale, im * scale);
    let (mut power, mut rest) = (0.0, 0.0);
    for (number, &sample) in samples.iter().enumerate() {
        let ideal = re * phase(number).sin() + im * phase(number).cos();
        power += ideal * ideal;
        rest += (f64::from(sample) - ideal).powi(2);
    }
    (im.atan2(re), 10.0 * (power / rest).log10())
}

fn assert_even(frames: &[Frame]) {
    for pair in frames.windows(2) {
        let step = pair[1].capture_time - pair[0].capture_time;
        let off = step.abs_diff(Duration::from_millis(20));
        assert!(off <= Duration::from_nanos(1), "{step:?}");
    }
}

#[test]
fn sound_that_needs_no_change_gets_none() {
    for channels in [1, 2] {
        let card = Card {
            jitter: |number| 0.002 * noise(number),
            ..Card::steady(48_000, channels)
        };
        let sound = |at: f64, channel: usize| noise((at * 1e6) as u64 + channel as u64);
        let (_, frames) = condition(&card, channels, 3, sound);
        let whole = card.chunk(Instant::now(), 0, 3 * 48_000, sound);
        let exact = whole.samples.iter().map(|&s| f32::from(s) / 32_768.0);
        let out: Vec<f32> = frames.into_iter().flat_map(|frame| frame.samples).collect();
        // All of it, at once.
        assert!(exact.eq(out));
    }
}

#[test]
fn a_sine_stays_a_sine_at_any_rate() {
    for rate in [
        8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 96_000, 192_000,
    ] {
        let card = Card::steady(rate, 1);
        let (_, frames) = condition(&card, 1, 2, tone(1_000.0));
        assert_even(&frames);
        for frame in &frames[10..] {
            let (_, snr) = fit(&frame.samples, 1_000.0);
            assert!(snr > 80.0, "{rate} Hz: {snr} dB");
        }
    }
}

#[test]
fn what_cannot_be_at_48_khz_is_filtered_out() {
    let (_, frames) = condition(&Card::steady(96_000, 1), 1, 1, tone(30_000.0));
    let loudest = frames[5..]
        .iter()
        .flat_map(|frame| &frame.samples)
        .fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
    assert!(loudest < 1e-4, "{loudest}");
}

#[test]
fn frames_are_stamped_with_what_is_in_them() {
    // Slow enough for the phase to tell milliseconds apart.
    let hertz = 50.0;
    for rate in [8_000, 44_100, 48_000, 192_000] {
        let (start, frames) = condition(&Card::steady(rate, 1), 1, 2, tone(hertz));
        for frame in &frames[10..] {
            let (phase, _) = fit(&frame.samples, hertz);
            let at = (frame.capture_time - start).as_secs_f64();
            let off = (phase / TAU - hertz * at).rem_euclid(1.0);
            let off = off.min(1.0 - off) / hertz;
            assert!(off < 50e-6, "{rate} Hz: {off} s");
        }
    }
}

/// Cards whose drift is being corrected, through capture times that jitter.
fn drifting_cards() -> [Card; 2] {
    [(44_100, 300e-6), (48_000, -300e-6)].map(|(rate, drift)| Card {
        drift,
        jitter: |number| 0.010 * noise(number),
        ..Card::steady(rate, 1)
    })
}

#[test]
fn sound_stays_in_time_while_drift_is_corrected() {
    let hertz = 50.0;
    for card in drifting_cards() {
        let (start, frames) = condition(&card, 1, 60, tone(hertz));
        assert_even(&frames);
        for frame in &frames[10..] {
            let (phase, _) = fit(&frame.samples, hertz);
            let at = (frame.capture_time - start).as_secs_f64();
            let off = (phase / TAU - hertz * at).rem_euclid(1.0);
            let off = off.min(1.0 - off) / hertz;
            let allowed = if at < 5.0 { 0.008 } else { 0.005 };
            assert!(off < allowed, "{} Hz: {off} s at {at} s", card.rate);
        }
    }
}

#[test]
fn a_sine_stays_a_sine_while_drift_is_corrected() {
    for card in drifting_cards() {
        let (_, frames) = condition(&card, 1, 40, tone(2_000.0));
        for frame in &frames[10..] {
            // Half a percent of pitch at most, and neither seam nor click.
            let (first, second) = frame.samples.split_at(FRAME / 2);
            let turn = fit(second, 2_000.0).0 - fit(first, 2_000.0).0;
            let turn = (turn + TAU / 2.0).rem_euclid(TAU) - TAU / 2.0;
            let pitch = 2_000.0 + turn / TAU * 100.0;
            assert!((pitch / 2_000.0 - 1.0).abs() < 0.006, "{pitch} Hz");
            let (_, snr) = fit(&frame.samples, pitch);
            assert!(snr > 60.0, "{} Hz: {snr} dB", card.rate);
        }
    }
}

#[test]
fn stereo_stays_stereo() {
    let card = Card::steady(44_100, 6);
    let sound = |at: f64, channel: usize| match channel {
        0 => tone(1_000.0)(at, 0),
        1 => tone(3_000.0)(at, 0),
        _ => 0.0,
    };
    let (_, frames) = condition(&card, 2, 1, sound);
    for frame in &frames[10..] {
        for (side, hertz) in [(0, 1_000.0), (1, 3_000.0)] {
            let samples = frame.samples.iter().copied();
            let alone: Vec<f32> = samples.skip(side).step_by(2).collect();
            let (_, snr) = fit(&alone, hertz);
            assert!(snr > 75.0, "{side}: {snr} dB");
        }
    }
}

/// A conditioner at 48 kHz, mono, and a way to push samples of one value.
struct Bench {
    conditioner: Conditioner,
    start: Instant,
}

impl Bench {
    fn new() -> Self {
        Self {
            conditioner: Conditioner::new(48_000, 1, 1).unwrap(),
            start: Instant::now(),
        }
    }

    /// Pushes `millis` of sound of `value`, taken `at` milliseconds.
    fn push(&mut self, at: u64, millis: usize, value: i16) {
        let chunk = AudioChunk {
            capture_time: self.start + Duration::from_millis(at),
            samples: vec![value; millis * 48],
        };
        self.conditioner.push(&chunk).unwrap();
    }

    /// For each frame its time in milliseconds, and how many milliseconds of it
    /// are not silent.
    fn frames(&mut self) -> Vec<(u128, usize)> {
        let frames = std::iter::from_fn(|| self.conditioner.pop());
        let start = self.start;
        frames
            .map(|frame| {
                let at = (frame.capture_time - start).as_micros() + 1;
                let sounding = frame.samples.iter().filter(|sample| **sample != 0.0);
                (at / 1_000, sounding.count() / 48)
            })
            .collect()
    }
}

#[test]
fn a_gap_is_filled_with_silence() {
    let mut bench = Bench::new();
    bench.push(0, 30, 1_000);
    bench.push(110, 30, 1_000);
    let expected = [
        (0, 20),
        (20, 10),
        (40, 0),
        (60, 0),
        (80, 0),
        (100, 10),
        (120, 20),
    ];
    assert_eq!(bench.frames(), expected);
}

#[test]
fn after_a_long_gap_frames_start_anew() {
    let mut bench = Bench::new();
    bench.push(0, 30, 1_000);
    bench.push(5_007, 30, 1_000);
    bench.push(5_037, 10, 1_000);
    assert_eq!(
        bench.frames(),
        [(0, 20), (20, 10), (5_007, 20), (5_027, 20)]
    );
}

#[test]
fn what_is_there_twice_is_left_out_once() {
    let mut bench = Bench::new();
    bench.push(0, 200, 1_000);
    // Again from 100 on: half of it is new.
    bench.push(100, 80, 2_000);
    bench.push(180, 40, 2_000);
    bench.push(220, 20, 2_000);
    let times: Vec<_> = bench.frames();
    let expected: Vec<_> = (0..12).map(|number| (number * 20, 20)).collect();
    assert_eq!(times, expected);
}

#[test]
fn chunks_of_any_length_make_the_same_frames() {
    let card = Card::steady(44_100, 2);
    let start = Instant::now();
    let cut = |lengths: &[usize]| {
        let mut conditioner = Conditioner::new(card.rate, card.channels, 2).unwrap();
        let mut first = 0;
        for &length in lengths.iter().cycle() {
            if first + length as u64 > 44_100 {
                break;
            }
            let chunk = card.chunk(start, first, length, tone(440.0));
            conditioner.push(&chunk).unwrap();
            first += length as u64;
        }
        std::iter::from_fn(|| conditioner.pop())
            .take(45)
            .flat_map(|frame| frame.samples)
            .collect::<Vec<f32>>()
    };
    let even = cut(&[441]);
    assert_eq!(even.len(), 45 * 2 * FRAME);
    for lengths in [&[1, 7, 0, 100, 3_000][..], &[4_096], &[20_000, 5]] {
        let other = cut(lengths);
        assert_eq!(other.len(), even.len());
        let apart = even.iter().zip(&other).map(|(a, b)| (a - b).abs());
        assert!(apart.fold(0.0, f32::max) < 1e-3, "{lengths:?}");
    }
}

#[test]
fn formats_that_nothing_has_are_refused() {
    for (rate, channels) in [(0, 1), (7_999, 1), (192_001, 2), (48_000, 0), (48_000, 9)] {
        assert!(matches!(
            Conditioner::new(rate, channels, 1),
            Err(EncodeError::SoundFormat { .. })
        ));
    }
}
