//! The beep: 1 kHz, in step with the flash.

use std::f64::consts::TAU;

use picture::FLASH;

use crate::source::SAMPLE_RATE;

/// In hertz. A whole number of periods fits into [`FLASH`], so the tone begins
/// and ends at zero and does not click.
const FREQUENCY: u64 = 1_000;

/// Half of full scale: clear, and safe for ears.
const AMPLITUDE: f64 = 16_384.0;

/// Sample `number` since the Unix epoch.
pub(super) fn sample(number: u64) -> i16 {
    let in_second = number % u64::from(SAMPLE_RATE);
    if in_second >= FLASH.as_millis() as u64 * u64::from(SAMPLE_RATE) / 1000 {
        return 0;
    }
    let period = u64::from(SAMPLE_RATE) / FREQUENCY;
    let phase = (in_second % period) as f64 / period as f64;
    (AMPLITUDE * (TAU * phase).sin()) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beep_is_a_tenth_of_a_second_of_one_kilohertz() {
        let second: Vec<i16> = (96_000..144_000).map(sample).collect();
        let crossings = second.windows(2).filter(|w| w[0] <= 0 && w[1] > 0).count();
        assert_eq!(crossings, 100);
        assert_eq!(second.iter().rposition(|&s| s != 0), Some(4799));
        assert!(second.iter().all(|s| s.unsigned_abs() <= 16_384));
    }
}
