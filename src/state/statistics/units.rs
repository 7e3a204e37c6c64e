//! Numbers as the page writes them.

/// Whole milliseconds, such as `41 ms`.
pub fn millis(ms: f64) -> String {
    format!("{} ms", ms.round() as i64)
}

/// A number with one digit after the point, such as `29.9`. (The formatting of
/// floats that Rust brings is as large as this panel.)
pub fn decimal(value: f64) -> String {
    let tenths = (value * 10.0).round() as i64;
    let sign = if tenths < 0 { "-" } else { "" };
    let tenths = tenths.unsigned_abs();
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

/// A share from 0 to 1, such as `0.5 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", decimal(share * 100.0))
}

/// Bits a second, such as `840 kbit/s` or `1.2 Mbit/s`.
pub fn bitrate(bps: f64) -> String {
    if bps < 999_500.0 {
        format!("{} kbit/s", (bps / 1_000.0).round() as i64)
    } else {
        format!("{} Mbit/s", decimal(bps / 1_000_000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        assert_eq!(millis(40.6), "41 ms");
        assert_eq!(millis(-3.2), "-3 ms");
        assert_eq!(decimal(29.95), "30.0");
        assert_eq!(decimal(-0.26), "-0.3");
        assert_eq!(decimal(-0.04), "0.0");
        assert_eq!(percent(0.0049), "0.5 %");
        assert_eq!(bitrate(840_400.0), "840 kbit/s");
        assert_eq!(bitrate(999_499.0), "999 kbit/s");
        assert_eq!(bitrate(999_500.0), "1.0 Mbit/s");
        assert_eq!(bitrate(12_340_000.0), "12.3 Mbit/s");
    }
}
