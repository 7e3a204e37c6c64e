//! The digits of the test picture's clock.

/// A glyph's columns.
pub(super) const GLYPH_WIDTH: usize = 5;

/// A glyph's rows.
pub(super) const GLYPH_HEIGHT: usize = 7;

/// Rows from top to bottom; in each the leftmost column is bit 4.
pub(super) type Glyph = [u8; GLYPH_HEIGHT];

/// `0` to `9`.
pub(super) const DIGITS: [Glyph; 10] = [
    [
        0b01110, 0b11011, 0b11011, 0b11011, 0b11011, 0b11011, 0b01110,
    ],
    [
        0b00110, 0b01110, 0b11110, 0b00110, 0b00110, 0b00110, 0b11111,
    ],
    [
        0b11110, 0b00011, 0b00011, 0b01110, 0b11000, 0b11000, 0b11111,
    ],
    [
        0b11110, 0b00011, 0b00011, 0b01110, 0b00011, 0b00011, 0b11110,
    ],
    [
        0b11011, 0b11011, 0b11011, 0b11111, 0b00011, 0b00011, 0b00011,
    ],
    [
        0b11111, 0b11000, 0b11000, 0b11110, 0b00011, 0b00011, 0b11110,
    ],
    [
        0b01110, 0b11000, 0b11000, 0b11110, 0b11011, 0b11011, 0b01110,
    ],
    [
        0b11111, 0b00011, 0b00011, 0b00110, 0b00110, 0b01100, 0b01100,
    ],
    [
        0b01110, 0b11011, 0b11011, 0b01110, 0b11011, 0b11011, 0b01110,
    ],
    [
        0b01110, 0b11011, 0b11011, 0b01111, 0b00011, 0b00011, 0b01110,
    ],
];

/// `:`
pub(super) const COLON: Glyph = [0, 0b01100, 0b01100, 0, 0b01100, 0b01100, 0];

/// `.`
pub(super) const POINT: Glyph = [0, 0, 0, 0, 0, 0b01100, 0b01100];
