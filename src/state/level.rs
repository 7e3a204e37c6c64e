//! The microphone's level, and whether it is silent for too long.

use core::time::Duration;

/// Silence longer than this is told: a muted or a wrong microphone.
const SILENCE: Duration = Duration::from_secs(4);
/// What counts as silence, in percent of [`percent`]'s scale.
const SILENT_PERCENT: u8 = 2;
/// The quietest level shown, in decibels below the loudest.
const RANGE_DB: f32 = 60.0;

/// The level of sound samples between -1 and 1, in percent: 0 at 60 dB below
/// full scale and less, 100 at full scale.
pub fn percent(samples: &[f32]) -> u8 {
    if samples.is_empty() {
        return 0;
    }
    let power = samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32;
    // Silence is minus infinity, which the clamp takes to 0.
    let decibels = 10.0 * power.log10();
    ((1.0 + decibels / RANGE_DB) * 100.0).clamp(0.0, 100.0) as u8
}

/// What the meter shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Level {
    /// 0 to 100.
    pub percent: u8,
    /// It was silent for seconds.
    pub silent: bool,
}

/// Watches one microphone.
#[derive(Debug, Clone, Copy, Default)]
pub struct LevelWatch {
    silent_since: Option<Duration>,
}

impl LevelWatch {
    /// Takes the level at `now`, on a clock that never goes back.
    pub fn level(&mut self, percent: u8, now: Duration) -> Level {
        if percent > SILENT_PERCENT {
            self.silent_since = None;
            return Level {
                percent,
                silent: false,
            };
        }
        let since = *self.silent_since.get_or_insert(now);
        Level {
            percent,
            silent: now.saturating_sub(since) >= SILENCE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels() {
        let check = |sample: f32, expected: u8| {
            assert_eq!(percent(&[sample, -sample, sample]), expected, "{sample}");
        };
        check(0.0, 0);
        check(0.000_1, 0);
        check(0.031_63, 50);
        check(1.0, 100);
        check(4.0, 100);
        assert_eq!(percent(&[]), 0);
    }

    #[test]
    fn seconds_of_silence_are_told_until_there_is_sound() {
        let mut watch = LevelWatch::default();
        let mut silent = |percent, seconds| {
            let now = Duration::from_secs(seconds);
            watch.level(percent, now).silent
        };
        assert!(!silent(0, 10));
        assert!(!silent(1, 13));
        assert!(silent(0, 14));
        assert!(!silent(30, 15));
        assert!(!silent(0, 16));
        assert!(!silent(0, 19));
        assert!(silent(0, 20));
    }
}
