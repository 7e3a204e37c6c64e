use super::*;

const SIZES: [&str; 6] = [
    "1280x720",
    "320x180",
    "160x90",
    "640x480",
    "720x1280",
    "3840x2160",
];

/// Reads a picture's strip.
pub(crate) fn stamp_of(picture: &Picture) -> Option<Stamp> {
    let size = picture.size();
    read_strip(&picture.y, size.width(), size.width(), size.height())
}

fn drawn(card: &TestCard, unix: Duration, frame: u32) -> Picture {
    let mut canvas = card.canvas();
    card.draw(&mut canvas, unix, frame);
    canvas
}

#[test]
fn the_strip_reads_back_at_every_size() {
    for size in SIZES {
        let card = TestCard::new(size.parse().unwrap());
        let picture = drawn(&card, Duration::from_millis(1_795_334_399_123), 77);
        let stamp = stamp_of(&picture).unwrap();
        assert_eq!((stamp.capture_ms, stamp.frame), (1_795_334_399_123, 77));
    }
}

#[test]
fn an_old_picture_is_as_good_a_canvas_as_a_new_one() {
    let card = TestCard::new("320x180".parse().unwrap());
    let mut used = drawn(&card, Duration::from_millis(1_000_050), 1);
    card.draw(&mut used, Duration::from_millis(1_003_777), 2);
    assert_eq!(used, drawn(&card, Duration::from_millis(1_003_777), 2));
}

#[test]
fn the_sweep_moves_in_every_frame() {
    let card = TestCard::new("1280x720".parse().unwrap());
    let sweep_at = |frame: u64| {
        let unix = Duration::from_nanos(frame * 1_000_000_000 / 60);
        let mut picture = drawn(&card, unix, 0);
        card.sweep
            .rows(&mut picture.y, 1280)
            .next()
            .unwrap()
            .to_vec()
    };
    for frame in 0..240 {
        assert_ne!(sweep_at(frame), sweep_at(frame + 1), "frame {frame}");
    }
}

#[test]
fn the_flash_is_on_for_the_first_tenth_of_a_second() {
    let card = TestCard::new("320x180".parse().unwrap());
    let flash_at = |ms| {
        let picture = drawn(&card, Duration::from_millis(ms), 0);
        picture.y[picture.size().height() * 14 / 30 * 320 + 160]
    };
    assert_eq!(
        [4_999, 5_000, 5_099, 5_100].map(flash_at),
        [BLACK, WHITE, WHITE, BLACK]
    );
}

#[test]
fn the_clock_shows_the_time_of_day_in_utc() {
    let noon_and_a_bit = Duration::from_millis(((12 * 60 + 34) * 60 + 56) * 1000 + 789);
    let days = Duration::from_secs(20_000 * 86_400);
    let digits = clock_glyphs(days + noon_and_a_bit)
        .map(|glyph| DIGITS.iter().position(|digit| *digit == glyph));
    let expected = [1, 2, 10, 3, 4, 10, 5, 6, 10, 7, 8, 9].map(|n| Some(n).filter(|n| *n < 10));
    assert_eq!(digits, expected);
}

#[test]
fn the_bars_are_three_quarters_of_full_colour() {
    let colours = [0b111, 0b110, 0b011, 0b010, 0b101, 0b100, 0b001, 0b000];
    for (bar, rgb) in BARS.iter().zip(colours) {
        let part = |bit: u32| f64::from(rgb >> bit & 1) * 0.75;
        let (r, g, b) = (part(2), part(1), part(0));
        let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        let expected = [
            16.0 + 219.0 * y,
            128.0 + 224.0 * (b - y) / 1.8556,
            128.0 + 224.0 * (r - y) / 1.5748,
        ];
        assert_eq!(*bar, expected.map(|part| part.round() as u8), "{rgb:03b}");
    }
}
