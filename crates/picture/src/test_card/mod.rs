//! The test picture, drawn straight into I420 planes.
//!
//! Everything that moves lies in colourless boxes, so after the background only
//! luma is ever written, and each box is written whole: any old test picture is
//! as good a canvas as a new one.

mod font;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use strip::Stamp;

use crate::{Picture, Size};
use font::{COLON, DIGITS, GLYPH_HEIGHT, GLYPH_WIDTH, Glyph, POINT};

/// How long the flash and the beep last from the start of each second.
pub const FLASH: Duration = Duration::from_millis(100);

/// Limited range, ITU-R BT.709-6 section 4.
const BLACK: u8 = 16;
const WHITE: u8 = 235;

/// The sweep's ground.
const GREY: u8 = 60;

/// From one side to the other and back.
const SWEEP_PERIOD: Duration = Duration::from_secs(4);

/// `12:34:56.789`
const CLOCK_GLYPHS: usize = 12;
/// A glyph and the gap after it, in glyph columns.
const GLYPH_PITCH: usize = GLYPH_WIDTH + 1;

/// 75 % colour bars, ITU-R BT.709-6: luma, blue and red difference.
const BARS: [[u8; 3]; 8] = [
    [180, 128, 128],
    [168, 44, 136],
    [145, 147, 44],
    [133, 63, 52],
    [63, 193, 204],
    [51, 109, 212],
    [28, 212, 120],
    [16, 128, 128],
];

/// Pixels of a box, on even coordinates so that it owns its chroma.
#[derive(Debug, Clone, Copy)]
struct Area {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

impl Area {
    /// Horizontally centred, `top` and `height` in thirtieths of the picture's height.
    fn centred(size: Size, width: usize, top: usize, height: usize) -> Self {
        let even = |n: usize| n & !1;
        let width = even(width.min(size.width()));
        Self {
            x: even((size.width() - width) / 2),
            y: even(size.height() * top / 30),
            width,
            height: even(size.height() * height / 30),
        }
    }

    /// The same box in a chroma plane.
    fn chroma(self) -> Self {
        Self {
            x: self.x / 2,
            y: self.y / 2,
            width: self.width / 2,
            height: self.height / 2,
        }
    }

    /// The box's part of each row of a plane.
    fn rows(self, plane: &mut [u8], stride: usize) -> impl Iterator<Item = &mut [u8]> {
        plane
            .chunks_exact_mut(stride)
            .skip(self.y)
            .take(self.height)
            .map(move |row| &mut row[self.x..self.x + self.width])
    }

    fn fill(self, plane: &mut [u8], stride: usize, value: u8) {
        self.rows(plane, stride).for_each(|row| row.fill(value));
    }
}

/// The test picture in one size: a clock, a flash, something that moves, and the
/// strip (crate `strip`), by which a machine reads when it was captured.
///
/// From top to bottom, in thirtieths of the height, all on colour bars: the
/// clock (2 to 8, UTC), the flash box (11 to 17, a quarter of the width), the
/// sweep (20 to 24, full width), the strip (26 to 30, full width).
#[derive(Debug)]
pub struct TestCard {
    background: Picture,
    clock: Area,
    glyph_scale: usize,
    flash: Area,
    sweep: Area,
}

impl TestCard {
    /// A test picture of `size`.
    pub fn new(size: Size) -> Self {
        let glyph_columns = CLOCK_GLYPHS * GLYPH_PITCH + 1;
        let glyph_scale = (size.width() * 4 / 5 / glyph_columns)
            .min(size.height() * 6 / 30 / (GLYPH_HEIGHT + 2))
            .max(1);
        let mut card = Self {
            background: Picture::black(size),
            clock: Area::centred(size, glyph_columns * glyph_scale, 2, 6),
            glyph_scale,
            flash: Area::centred(size, size.width() / 4, 11, 6),
            sweep: Area::centred(size, size.width(), 20, 4),
        };
        card.draw_background();
        card
    }

    fn size(&self) -> Size {
        self.background.size()
    }

    /// A new canvas for [`TestCard::draw`].
    pub fn canvas(&self) -> Picture {
        self.background.clone()
    }

    /// Draws the picture captured at `unix` (time since the Unix epoch) with
    /// the number `frame` onto one of this card's canvases, new or old.
    pub fn draw(&self, canvas: &mut Picture, unix: Duration, frame: u32) {
        let stride = self.size().width();
        let luma = canvas.y.as_mut_slice();
        self.draw_clock(luma, stride, unix);
        let flash = if is_flash(unix) { WHITE } else { BLACK };
        self.flash.fill(luma, stride, flash);
        self.draw_sweep(luma, stride, unix);
        let stamp = Stamp {
            capture_ms: unix.as_millis() as u64,
            frame,
        };
        self.draw_strip(luma, stride, stamp);
    }

    fn draw_background(&mut self) {
        let size = self.background.size();
        let Picture { y, u, v, .. } = &mut self.background;
        for (plane, part, stride) in [
            (y, 0, size.width()),
            (u, 1, size.width() / 2),
            (v, 2, size.width() / 2),
        ] {
            for row in plane.chunks_exact_mut(stride) {
                for (x, pixel) in row.iter_mut().enumerate() {
                    *pixel = BARS[x * BARS.len() / stride][part];
                }
            }
        }
        let strip_rows = size.height() * strip::ROWS / 30;
        let strip = Area {
            x: 0,
            y: (size.height() - strip_rows) & !1,
            width: size.width(),
            height: strip_rows.next_multiple_of(2),
        };
        for area in [self.clock, self.flash, self.sweep, strip] {
            let Picture { y, u, v, .. } = &mut self.background;
            area.fill(y, size.width(), BLACK);
            area.chroma().fill(u, size.width() / 2, 128);
            area.chroma().fill(v, size.width() / 2, 128);
        }
    }

    fn draw_clock(&self, luma: &mut [u8], stride: usize, unix: Duration) {
        let glyphs = clock_glyphs(unix);
        let scale = self.glyph_scale;
        let margin = (self.clock.height - GLYPH_HEIGHT * scale) / 2;
        for (line, row) in self.clock.rows(luma, stride).skip(margin).enumerate() {
            let Some(glyph_row) = Some(line / scale).filter(|row| *row < GLYPH_HEIGHT) else {
                return;
            };
            for (glyph, cells) in glyphs
                .iter()
                .zip(row[scale..].chunks_mut(GLYPH_PITCH * scale))
            {
                for (column, pixels) in cells.chunks_mut(scale).take(GLYPH_WIDTH).enumerate() {
                    let lit = glyph[glyph_row] >> (GLYPH_WIDTH - 1 - column) & 1 == 1;
                    pixels.fill(if lit { WHITE } else { BLACK });
                }
            }
        }
    }

    /// A white bar that goes from side to side, placed to a fraction of a pixel
    /// so that it moves evenly at any frame rate.
    fn draw_sweep(&self, luma: &mut [u8], stride: usize, unix: Duration) {
        let bar = self.sweep.width / 16;
        let way = (self.sweep.width - bar - 1) as u128;
        let period = SWEEP_PERIOD.as_nanos();
        let phase = unix.as_nanos() % period;
        let there = phase.min(period - phase) * 2;
        let place = (way * there * 256 / period) as usize;
        let (x, fraction) = (place / 256, place % 256);
        let blend =
            |white: usize| (usize::from(GREY) + usize::from(WHITE - GREY) * white / 256) as u8;
        for row in self.sweep.rows(luma, stride) {
            row.fill(GREY);
            row[x] = blend(256 - fraction);
            row[x + 1..x + bar].fill(WHITE);
            row[x + bar] = blend(fraction);
        }
    }

    fn draw_strip(&self, luma: &mut [u8], stride: usize, stamp: Stamp) {
        let size = self.size();
        let (width, height) = (size.width() as u32, size.height() as u32);
        for (row, cells) in strip::encode(stamp).iter().enumerate() {
            for (column, &white) in cells.iter().enumerate() {
                let (xs, ys) = strip::cell_bounds(column, row, width, height);
                let cell = Area {
                    x: xs.start as usize,
                    y: ys.start as usize,
                    width: xs.len(),
                    height: ys.len(),
                };
                cell.fill(luma, stride, if white { WHITE } else { BLACK });
            }
        }
    }
}

/// Reads the strip of a picture from its luma, whose rows begin `stride` bytes
/// after each other; `None` if it has none, or too few bytes.
pub fn read_strip(luma: &[u8], stride: usize, width: usize, height: usize) -> Option<Stamp> {
    strip::decode(|column, row| {
        let (x, y) = strip::cell_center(column, row, width as u32, height as u32);
        let at = y as usize * stride + x as usize;
        luma.get(at).copied().unwrap_or_default()
    })
}

/// Whether the flash is on and the beep sounds.
fn is_flash(unix: Duration) -> bool {
    Duration::from_nanos(unix.subsec_nanos().into()) < FLASH
}

/// The time of day in UTC, `HH:MM:SS.mmm`.
fn clock_glyphs(unix: Duration) -> [Glyph; CLOCK_GLYPHS] {
    let digit = |n: u64| DIGITS[(n % 10) as usize];
    let ms = unix.as_millis() as u64;
    let [seconds, minutes, hours] = [ms / 1000 % 60, ms / 60_000 % 60, ms / 3_600_000 % 24];
    [
        digit(hours / 10),
        digit(hours),
        COLON,
        digit(minutes / 10),
        digit(minutes),
        COLON,
        digit(seconds / 10),
        digit(seconds),
        POINT,
        digit(ms / 100),
        digit(ms / 10),
        digit(ms),
    ]
}
