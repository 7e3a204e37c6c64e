//! Any number of channels to one or two.

/// -3 dB.
const HALF_POWER: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// What a channel of a source is, in the order of WAVE files, which sources
/// follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    Left,
    Right,
    Center,
    LowFrequency,
    SurroundLeft,
    SurroundRight,
    SurroundCenter,
}

use Speaker::{Center, Left, LowFrequency, Right, SurroundCenter, SurroundLeft, SurroundRight};

/// The usual speakers of a number of channels.
fn layout(channels: u16) -> &'static [Speaker] {
    match channels {
        0 | 1 => &[Center],
        2 => &[Left, Right],
        3 => &[Left, Right, Center],
        4 => &[Left, Right, SurroundLeft, SurroundRight],
        5 => &[Left, Right, Center, SurroundLeft, SurroundRight],
        6 => &[
            Left,
            Right,
            Center,
            LowFrequency,
            SurroundLeft,
            SurroundRight,
        ],
        7 => &[
            Left,
            Right,
            Center,
            LowFrequency,
            SurroundCenter,
            SurroundLeft,
            SurroundRight,
        ],
        _ => &[
            Left,
            Right,
            Center,
            LowFrequency,
            SurroundLeft,
            SurroundRight,
            SurroundLeft,
            SurroundRight,
        ],
    }
}

/// A channel's share of left and right (ITU-R BS.775-3 table 2; the low
/// frequency channel is left out).
fn stereo_share(speaker: Speaker) -> [f32; 2] {
    match speaker {
        Left => [1.0, 0.0],
        Right => [0.0, 1.0],
        Center => [HALF_POWER, HALF_POWER],
        SurroundLeft => [HALF_POWER, 0.0],
        SurroundRight => [0.0, HALF_POWER],
        SurroundCenter => [0.5, 0.5],
        LowFrequency => [0.0, 0.0],
    }
}

/// Mixes interleaved samples down.
#[derive(Debug)]
pub(super) struct Mix {
    from: usize,
    /// For each channel that comes out, the share of each that goes in.
    shares: Vec<Vec<f32>>,
}

impl Mix {
    /// From 1 to 8 channels `to` 1 or 2, and never more than come in. Each comes
    /// out no louder than full scale, so nothing is clipped.
    pub(super) fn new(from: u16, to: u16) -> Self {
        let stereo: Vec<[f32; 2]> = layout(from).iter().copied().map(stereo_share).collect();
        let shares = if to > 1 {
            (0..2)
                .map(|side| stereo.iter().map(|share| share[side]).collect())
                .collect()
        } else {
            vec![stereo.iter().map(|[left, right]| left + right).collect()]
        };
        Self {
            from: stereo.len(),
            shares: shares.into_iter().map(at_most_full_scale).collect(),
        }
    }

    /// Channels that come out.
    pub(super) fn channels(&self) -> usize {
        self.shares.len()
    }

    /// Appends the mix of `samples` to `mixed`, full scale being 1.
    pub(super) fn apply(&self, samples: &[i16], mixed: &mut Vec<f32>) {
        let frames = samples.chunks_exact(self.from);
        if self.from == self.channels() {
            let kept = frames.len() * self.from;
            mixed.extend(samples[..kept].iter().copied().map(to_float));
            return;
        }
        mixed.reserve(frames.len() * self.channels());
        for frame in frames {
            for shares in &self.shares {
                let parts = frame.iter().zip(shares);
                mixed.push(parts.map(|(&sample, share)| to_float(sample) * share).sum());
            }
        }
    }
}

/// Exact: the scale is a power of two.
fn to_float(sample: i16) -> f32 {
    f32::from(sample) / 32_768.0
}

fn at_most_full_scale(mut shares: Vec<f32>) -> Vec<f32> {
    let sum: f32 = shares.iter().sum();
    for share in &mut shares {
        *share /= sum;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(from: u16, to: u16, samples: &[i16]) -> Vec<f32> {
        let mut mixed = Vec::new();
        Mix::new(from, to).apply(samples, &mut mixed);
        mixed
    }

    #[test]
    fn what_needs_no_mixing_is_exact() {
        let all: Vec<i16> = (i16::MIN..=i16::MAX).collect();
        for channels in [1, 2] {
            let back: Vec<i16> = mixed(channels, channels, &all)
                .iter()
                .map(|sample| (sample * 32_768.0) as i16)
                .collect();
            assert!(back == all);
        }
    }

    #[test]
    fn both_sides_make_the_middle() {
        assert_eq!(mixed(2, 1, &[16_384, 8_192]), [0.375]);
    }

    #[test]
    fn five_channels_fold_into_two_as_the_table_says() {
        let check = |channel: usize, expected: [f32; 2]| {
            let mut frame = [0; 6];
            frame[channel] = 16_384;
            let full = 1.0 + 2.0 * HALF_POWER;
            let sides = mixed(6, 2, &frame);
            for (side, expected) in sides.iter().zip(expected) {
                assert!((side * full * 2.0 - expected).abs() < 1e-6, "{channel}");
            }
        };
        check(0, [1.0, 0.0]);
        check(1, [0.0, 1.0]);
        check(2, [HALF_POWER, HALF_POWER]);
        check(3, [0.0, 0.0]);
        check(4, [HALF_POWER, 0.0]);
        check(5, [0.0, HALF_POWER]);
    }

    #[test]
    fn nothing_clips_and_nothing_is_lost_whatever_the_channels() {
        for from in 1..=8 {
            for to in 1..=from.min(2) {
                let loud = vec![i16::MIN; usize::from(from) * 3];
                let out = mixed(from, to, &loud);
                assert_eq!(out.len(), 3 * usize::from(to));
                assert!(out.iter().all(|sample| (sample + 1.0).abs() < 1e-6));
            }
        }
    }

    #[test]
    fn half_a_frame_is_left_out() {
        assert_eq!(mixed(2, 2, &[1, 2, 3]).len(), 2);
    }
}
