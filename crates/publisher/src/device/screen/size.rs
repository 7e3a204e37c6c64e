//! The size in which a screen is sent.

use crate::Size;

/// The size to send something of `width` and `height` in: not beyond `limit`
/// nor what can be encoded, the aspect kept as far as it can be, both even.
pub(super) fn sendable(width: usize, height: usize, limit: Option<Size>) -> Size {
    let limit = limit.unwrap_or(Size::MAX);
    let (mut columns, mut rows) = (width.max(1), height.max(1));
    if columns > limit.width() {
        rows = (rows * limit.width() / columns).max(1);
        columns = limit.width();
    }
    if rows > limit.height() {
        columns = (columns * limit.height() / rows).max(1);
        rows = limit.height();
    }
    let even = |length: usize, least: usize| (length & !1).max(least) as u32;
    let size = Size::new(
        even(columns, Size::MIN.width()),
        even(rows, Size::MIN.height()),
    );
    size.unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_keeps_the_aspect_within_the_limits() {
        let check = |size: (usize, usize), limit: Option<&str>, expected: &str| {
            let limit = limit.map(|limit| limit.parse().unwrap());
            assert_eq!(sendable(size.0, size.1, limit).to_string(), expected);
        };
        check((1920, 1080), None, "1920x1080");
        check((1367, 769), None, "1366x768");
        check((5120, 1440), None, "3840x1080");
        check((1080, 4320), None, "540x2160");
        check((1920, 1200), Some("1280x720"), "1152x720");
        check((300, 40), None, "300x90");
        check((1, 1), None, "160x90");
        check((0, 0), None, "160x90");
        check((100_000, 10), None, "3840x90");
    }
}
