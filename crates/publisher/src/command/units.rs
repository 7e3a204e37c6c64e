//! Numbers as people read them.

use std::time::Duration;

/// `850 kbit/s`, `1.98 Mbit/s`.
pub(crate) fn bitrate(bps: u64) -> String {
    let bps = bps as f64;
    if bps < 999_500.0 {
        format!("{:.0} kbit/s", bps / 1e3)
    } else if bps < 9_995_000.0 {
        format!("{:.2} Mbit/s", bps / 1e6)
    } else {
        format!("{:.1} Mbit/s", bps / 1e6)
    }
}

/// `0.4 ms`, `12 ms`, `1.2 s`.
pub(crate) fn span(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1e3;
    if ms < 9.95 {
        format!("{ms:.1} ms")
    } else if ms < 999.5 {
        format!("{ms:.0} ms")
    } else {
        seconds(duration)
    }
}

/// `1.2 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// `1:02:03`, hours first, however many.
pub(crate) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!(
        "{}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// A part of one as `2.5 %`.
pub(crate) fn percent(part: f32) -> String {
    format!("{:.1} %", part * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitrates_have_the_unit_that_fits() {
        let check = |bps, expected: &str| assert_eq!(bitrate(bps), expected);
        check(0, "0 kbit/s");
        check(499, "0 kbit/s");
        check(64_000, "64 kbit/s");
        check(999_499, "999 kbit/s");
        check(999_500, "1.00 Mbit/s");
        check(1_984_000, "1.98 Mbit/s");
        check(9_994_999, "9.99 Mbit/s");
        check(9_995_000, "10.0 Mbit/s");
        check(100_000_000, "100.0 Mbit/s");
    }

    #[test]
    fn spans_have_the_unit_that_fits() {
        let check = |micros, expected: &str| {
            assert_eq!(span(Duration::from_micros(micros)), expected);
        };
        check(0, "0.0 ms");
        check(440, "0.4 ms");
        check(9_949, "9.9 ms");
        check(9_950, "10 ms");
        check(999_499, "999 ms");
        check(999_500, "1.0 s");
        check(61_000_000, "61.0 s");
    }

    #[test]
    fn clocks_count_hours() {
        let check = |seconds, expected: &str| {
            assert_eq!(clock(Duration::from_secs(seconds)), expected);
        };
        check(0, "0:00:00");
        check(59, "0:00:59");
        check(3_723, "1:02:03");
        check(360_000, "100:00:00");
    }

    #[test]
    fn parts_are_per_cent() {
        assert_eq!(percent(0.0), "0.0 %");
        assert_eq!(percent(0.0254), "2.5 %");
        assert_eq!(percent(1.0), "100.0 %");
    }
}
