//! From the colours of cameras to those of [`Picture`](crate::Picture).

use crate::planes::Planes;

/// How a picture's numbers mean colours (ITU-T H.273 sections 8.2 and 8.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colours {
    /// What luma and chroma are made of.
    pub matrix: Matrix,
    /// 0 to 255 rather than 16 to 235, and 16 to 240 for chroma.
    pub full_range: bool,
}

/// What luma and chroma are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matrix {
    /// Standard definition, JPEG, and nearly all webcams.
    Bt601,
    /// High definition, and [`Picture`](crate::Picture).
    Bt709,
}

impl Colours {
    /// Those of [`Picture`](crate::Picture).
    pub const OURS: Self = Self {
        matrix: Matrix::Bt709,
        full_range: false,
    };

    /// Those of JPEG files (JFIF 1.02).
    pub const JPEG: Self = Self {
        matrix: Matrix::Bt601,
        full_range: true,
    };
}

impl Matrix {
    /// The parts of red and blue in luma.
    const fn red_blue(self) -> (f64, f64) {
        match self {
            Self::Bt601 => (0.299, 0.114),
            Self::Bt709 => (0.2126, 0.0722),
        }
    }

    /// Red, green and blue of luma and chroma; luma 0 to 1, chroma around 0.
    fn rgb(self, [y, cb, cr]: [f64; 3]) -> [f64; 3] {
        let (kr, kb) = self.red_blue();
        let red = y + 2.0 * (1.0 - kr) * cr;
        let blue = y + 2.0 * (1.0 - kb) * cb;
        let green = (y - kr * red - kb * blue) / (1.0 - kr - kb);
        [red, green, blue]
    }

    /// The way back.
    fn luma_chroma(self, [red, green, blue]: [f64; 3]) -> [f64; 3] {
        let (kr, kb) = self.red_blue();
        let y = kr * red + (1.0 - kr - kb) * green + kb * blue;
        let cb = (blue - y) / (2.0 * (1.0 - kb));
        let cr = (red - y) / (2.0 * (1.0 - kr));
        [y, cb, cr]
    }
}

/// Bits behind the point of [`Conversion`]'s numbers.
const FRACTION: u32 = 14;

/// Makes any colours ours. Grey stays grey, so chroma needs no luma.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conversion {
    black: i32,
    luma: i32,
    luma_of: [i32; 2],
    cb_of: [i32; 2],
    cr_of: [i32; 2],
}

impl Conversion {
    /// `None`: there is nothing to do.
    pub(crate) fn from(colours: Colours) -> Option<Self> {
        if colours == Colours::OURS {
            return None;
        }
        let ours = |parts| Colours::OURS.matrix.luma_chroma(colours.matrix.rgb(parts));
        let (black, luma_span, chroma_span) = match colours.full_range {
            true => (0, 255.0, 255.0),
            false => (16, 219.0, 224.0),
        };
        let fixed = |factor: f64| (factor * f64::from(1 << FRACTION)).round() as i32;
        let (cb, cr) = (ours([0.0, 1.0, 0.0]), ours([0.0, 0.0, 1.0]));
        let of =
            |part: usize, span: f64| [cb, cr].map(|unit| fixed(unit[part] * span / chroma_span));
        Some(Self {
            black,
            luma: fixed(219.0 / luma_span),
            luma_of: of(0, 219.0),
            cb_of: of(1, 224.0),
            cr_of: of(2, 224.0),
        })
    }

    pub(crate) fn apply(&self, planes: &mut Planes) {
        let width = planes.width;
        let chroma = planes.u.chunks_exact_mut(width / 2);
        let chroma = chroma.zip(planes.v.chunks_exact_mut(width / 2));
        for (rows, (cb, cr)) in planes.y.chunks_exact_mut(width * 2).zip(chroma) {
            let (above, below) = rows.split_at_mut(width);
            let lumas = above.chunks_exact_mut(2).zip(below.chunks_exact_mut(2));
            for ((above, below), (cb, cr)) in lumas.zip(cb.iter_mut().zip(cr)) {
                let parts = [i32::from(*cb) - 128, i32::from(*cr) - 128];
                let offset = dot(self.luma_of, parts) + point(16);
                for luma in above.iter_mut().chain(below) {
                    *luma = whole(self.luma * (i32::from(*luma) - self.black) + offset);
                }
                *cb = whole(dot(self.cb_of, parts) + point(128));
                *cr = whole(dot(self.cr_of, parts) + point(128));
            }
        }
    }
}

fn dot(factors: [i32; 2], parts: [i32; 2]) -> i32 {
    factors[0] * parts[0] + factors[1] * parts[1]
}

const fn point(whole: i32) -> i32 {
    whole << FRACTION
}

/// Rounded, and kept within a byte.
fn whole(number: i32) -> u8 {
    ((number + (1 << (FRACTION - 1))) >> FRACTION).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const TV: Colours = Colours {
        matrix: Matrix::Bt601,
        full_range: false,
    };

    fn check(colours: Colours, from: [u8; 3], expected: [u8; 3]) {
        let mut planes = Planes::default();
        planes.reset(4, 2);
        planes.y.fill(from[0]);
        planes.u.fill(from[1]);
        planes.v.fill(from[2]);
        Conversion::from(colours).unwrap().apply(&mut planes);
        for (plane, value) in [&planes.y, &planes.u, &planes.v].into_iter().zip(expected) {
            // The standards' numbers are rounded, both those from and to.
            let near = |byte: &u8| byte.abs_diff(value) <= 1;
            assert!(plane.iter().all(near), "{colours:?} {from:?}: {planes:?}");
        }
    }

    #[test]
    fn grey_keeps_its_colour_and_gets_our_range() {
        check(TV, [16, 128, 128], [16, 128, 128]);
        check(TV, [126, 128, 128], [126, 128, 128]);
        check(TV, [235, 128, 128], [235, 128, 128]);
        check(Colours::JPEG, [0, 128, 128], [16, 128, 128]);
        check(Colours::JPEG, [255, 128, 128], [235, 128, 128]);
    }

    /// The 100 % colour bars of BT.601 and BT.709.
    #[test]
    fn pure_colours_are_those_of_the_standards() {
        check(TV, [81, 90, 240], [63, 102, 240]);
        check(TV, [145, 54, 34], [173, 42, 26]);
        check(TV, [41, 240, 110], [32, 240, 118]);
        check(Colours::JPEG, [76, 85, 255], [63, 102, 240]);
    }

    #[test]
    fn what_has_our_colours_is_left_alone() {
        assert!(Conversion::from(Colours::OURS).is_none());
    }
}
