//! The machine-readable strip of the test picture: capture time and frame
//! number as black and white cells, made to survive lossy video.
//!
//! The sender draws [`encode`]'s cells; whoever sees the picture samples one
//! pixel per cell at [`cell_center`] and gives them to [`decode`]. The
//! difference between its own clock and [`Stamp::capture_ms`] is the delay.
//!
//! # Format
//! The strip lies along the picture's bottom edge over its full width,
//! [`COLUMNS`] by [`ROWS`] equal cells, [`ROWS`] thirtieths of the picture
//! high. Its bits run from left to right, then from top to bottom, each byte
//! with its most significant bit first; white is 1:
//!
//! | bytes | field |
//! | --- | --- |
//! | 0..6 | capture time, milliseconds since the Unix epoch, big-endian, modulo 2^48 |
//! | 6..10 | frame number, big-endian |
//! | 10..14 | CRC-32 of bytes 0..10, big-endian |
//!
//! The CRC is that of IEEE 802.3, section 3.2.9: polynomial 0x04C11DB7, bits
//! reflected, initial value and final exclusive-or all ones. It finds every
//! pattern of up to three wrong cells and all but one in 2^32 of the others.
//!
//! Drawing, scaling and sampling are the caller's: this crate owns no pixels.

use core::ops::Range;

/// Cells in a row of the strip.
pub const COLUMNS: usize = 28;

/// Rows of the strip.
pub const ROWS: usize = 4;

/// A cell's height is the picture's height divided by this.
const ROWS_IN_PICTURE: u32 = 30;

/// Least difference between the darkest and the brightest cell, in luma steps.
/// Black on white has 219 (limited range); a strip that is this faint is noise.
const MIN_CONTRAST: u8 = 64;

const PAYLOAD_BYTES: usize = 10;
const BYTES: usize = PAYLOAD_BYTES + 4;
const _: () = assert!(COLUMNS * ROWS == BYTES * 8);

/// What the strip says of its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// When the frame was captured, in milliseconds since the Unix epoch. The
    /// strip carries 48 bits, enough until the year 10889.
    pub capture_ms: u64,
    /// The frame's number, one more with each captured frame, wrapping.
    pub frame: u32,
}

/// The strip's cells, row by row; `true` is white.
pub fn encode(stamp: Stamp) -> [[bool; COLUMNS]; ROWS] {
    let bytes = to_bytes(stamp);
    let mut cells = [[false; COLUMNS]; ROWS];
    for (bit, cell) in cells.as_flattened_mut().iter_mut().enumerate() {
        *cell = bytes[bit / 8] >> (7 - bit % 8) & 1 == 1;
    }
    cells
}

/// Reads the strip from each cell's luma, asked for once a cell.
///
/// Black and white are told apart at the middle between the darkest and the
/// brightest cell, so limited and full range, scaling and washed-out pictures
/// all do. `None` if there is no strip, or it is damaged.
pub fn decode(mut luma_at: impl FnMut(usize, usize) -> u8) -> Option<Stamp> {
    let mut luma = [[0; COLUMNS]; ROWS];
    for (row, cells) in luma.iter_mut().enumerate() {
        for (column, cell) in cells.iter_mut().enumerate() {
            *cell = luma_at(column, row);
        }
    }
    let darkest = *luma.as_flattened().iter().min()?;
    let brightest = *luma.as_flattened().iter().max()?;
    let contrast = brightest - darkest;
    if contrast < MIN_CONTRAST {
        return None;
    }
    let threshold = darkest + contrast / 2;
    let mut bytes = [0; BYTES];
    for (bit, &cell) in luma.as_flattened().iter().enumerate() {
        bytes[bit / 8] |= u8::from(cell > threshold) << (7 - bit % 8);
    }
    from_bytes(bytes)
}

/// The pixel in the middle of a cell, in a picture of any size: what a reader samples.
pub fn cell_center(column: usize, row: usize, width: u32, height: u32) -> (u32, u32) {
    let (xs, ys) = cell_bounds(column, row, width, height);
    (xs.start.midpoint(xs.end), ys.start.midpoint(ys.end))
}

/// The pixels of a cell, columns and rows: what a sender fills. The cells of a
/// picture touch without gaps and end at its right and bottom edge.
pub fn cell_bounds(column: usize, row: usize, width: u32, height: u32) -> (Range<u32>, Range<u32>) {
    let x = |column: usize| scale(column as u64, width, COLUMNS as u32);
    let from_bottom = |rows: usize| height - scale(rows as u64, height, ROWS_IN_PICTURE);
    (
        x(column)..x(column + 1),
        from_bottom(ROWS - row)..from_bottom(ROWS - row - 1),
    )
}

/// `size` times `part` of `parts`, without overflow.
fn scale(part: u64, size: u32, parts: u32) -> u32 {
    (part * u64::from(size) / u64::from(parts)) as u32
}

fn to_bytes(stamp: Stamp) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[..6].copy_from_slice(&stamp.capture_ms.to_be_bytes()[2..]);
    bytes[6..PAYLOAD_BYTES].copy_from_slice(&stamp.frame.to_be_bytes());
    let crc = crc32(&bytes[..PAYLOAD_BYTES]);
    bytes[PAYLOAD_BYTES..].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn from_bytes(bytes: [u8; BYTES]) -> Option<Stamp> {
    let big_endian =
        |range: Range<usize>| bytes[range].iter().fold(0, |n, &b| n << 8 | u64::from(b));
    let crc = crc32(&bytes[..PAYLOAD_BYTES]);
    (big_endian(PAYLOAD_BYTES..BYTES) == u64::from(crc)).then(|| Stamp {
        capture_ms: big_endian(0..6),
        frame: big_endian(6..PAYLOAD_BYTES) as u32,
    })
}

/// IEEE 802.3, section 3.2.9, bit by bit: ten bytes a frame need no table.
fn crc32(bytes: &[u8]) -> u32 {
    /// 0x04C11DB7 with its bits reflected.
    const POLYNOMIAL: u32 = 0xEDB8_8320;
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp {
        capture_ms: 1_795_334_399_123,
        frame: 86_399,
    };

    fn read(cells: &[[bool; COLUMNS]; ROWS]) -> Option<Stamp> {
        decode(|column, row| if cells[row][column] { 235 } else { 16 })
    }

    /// A generator of noise that is the same every time (xorshift, Marsaglia 2003).
    struct Noise(u64);

    impl Noise {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }
    }

    #[test]
    fn crc_has_the_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn the_bits_are_where_the_format_says() {
        let cells = encode(Stamp {
            capture_ms: 1 << 47,
            frame: 1,
        });
        let ones: Vec<usize> = (0..80).filter(|&bit| cells[bit / 28][bit % 28]).collect();
        assert_eq!(ones, [0, 79]);
    }

    #[test]
    fn every_stamp_comes_back() {
        let last = Stamp {
            capture_ms: (1 << 48) - 1,
            frame: u32::MAX,
        };
        let first = Stamp {
            capture_ms: 0,
            frame: 0,
        };
        for stamp in [STAMP, first, last] {
            assert_eq!(read(&encode(stamp)), Some(stamp));
        }
    }

    #[test]
    fn time_is_carried_modulo_48_bits() {
        let far = Stamp {
            capture_ms: STAMP.capture_ms | 1 << 48,
            ..STAMP
        };
        assert_eq!(read(&encode(far)), Some(STAMP));
    }

    #[test]
    fn up_to_three_wrong_cells_are_found() {
        let flip = |cells: &mut [[bool; COLUMNS]; ROWS], bit: usize| {
            let cell = &mut cells.as_flattened_mut()[bit];
            *cell = !*cell;
        };
        let bits = COLUMNS * ROWS;
        for a in 0..bits {
            for b in a..bits {
                for c in b..bits {
                    let mut cells = encode(STAMP);
                    let wrong = if a == b {
                        vec![c]
                    } else if b == c {
                        vec![a, b]
                    } else {
                        vec![a, b, c]
                    };
                    wrong.iter().for_each(|&bit| flip(&mut cells, bit));
                    assert_eq!(read(&cells), None, "wrong cells {wrong:?}");
                }
            }
        }
    }

    #[test]
    fn noise_and_flat_pictures_are_no_strip() {
        let mut noise = Noise(1);
        for _ in 0..20_000 {
            assert_eq!(decode(|_, _| noise.next() as u8), None);
        }
        for flat in 0..=255 {
            assert_eq!(decode(|_, _| flat), None);
        }
    }

    #[test]
    fn faint_noisy_and_full_range_cells_are_read() {
        let mut noise = Noise(7);
        let cells = encode(STAMP);
        for (black, white, spread) in [(0, 255, 0), (16, 235, 0), (60, 190, 25), (100, 180, 5)] {
            let stamp = decode(|column, row| {
                let level: u8 = if cells[row][column] { white } else { black };
                level - spread + (noise.next() % (2 * u64::from(spread) + 1)) as u8
            });
            assert_eq!(stamp, Some(STAMP), "black {black}, white {white}");
        }
        assert_eq!(
            decode(|column, row| 100 + u8::from(cells[row][column]) * (MIN_CONTRAST - 1)),
            None
        );
    }

    #[test]
    fn cells_tile_the_bottom_of_any_picture() {
        for (width, height) in [
            (320, 180),
            (640, 480),
            (1280, 720),
            (1080, 1920),
            (7680, 4320),
        ] {
            let (_, top) = cell_bounds(0, 0, width, height);
            assert_eq!(height - top.start, height * ROWS as u32 / 30);
            for row in 0..ROWS {
                for column in 0..COLUMNS {
                    let (xs, ys) = cell_bounds(column, row, width, height);
                    let (x, y) = cell_center(column, row, width, height);
                    assert!(xs.contains(&x) && ys.contains(&y));
                    if column > 0 {
                        assert_eq!(cell_bounds(column - 1, row, width, height).0.end, xs.start);
                    }
                    if row > 0 {
                        assert_eq!(cell_bounds(column, row - 1, width, height).1.end, ys.start);
                    }
                }
            }
            let (xs, ys) = cell_bounds(COLUMNS - 1, ROWS - 1, width, height);
            assert_eq!((xs.end, ys.end), (width, height));
        }
    }

    #[test]
    fn a_picture_too_small_for_cells_does_not_panic() {
        for size in 0..40 {
            for row in 0..ROWS {
                let (x, y) = cell_center(COLUMNS - 1, row, size, size);
                assert!(x <= size && y <= size);
            }
        }
    }
}
