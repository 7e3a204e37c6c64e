//! Planes of any 8-bit layout to I420.

use crate::{Picture, Size};

/// How many chroma samples there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chroma {
    /// None.
    Grey,
    /// A quarter of luma's.
    Quarter,
    /// Half: every other column.
    Half,
    /// As many.
    Full,
}

/// The layout of a frame, before anything is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Of luma; may be odd.
    pub(super) width: usize,
    /// See `width`.
    pub(super) height: usize,
    pub(super) chroma: Chroma,
    /// Full range, to be made limited.
    pub(super) full_range: bool,
}

impl Layout {
    /// Width and height of each chroma plane.
    fn chroma_size(self) -> (usize, usize) {
        let (width, height) = (self.width, self.height);
        match self.chroma {
            Chroma::Grey => (0, 0),
            Chroma::Quarter => (width.div_ceil(2), height.div_ceil(2)),
            Chroma::Half => (width.div_ceil(2), height),
            Chroma::Full => (width, height),
        }
    }

    /// Bytes of a frame.
    pub(super) fn bytes(self) -> usize {
        let (width, height) = self.chroma_size();
        self.width * self.height + 2 * width * height
    }

    /// Turns a frame of [`Self::bytes`] into a picture of `size`, which is this
    /// layout's but for an odd column or row.
    pub(super) fn picture(self, frame: &[u8], size: Size) -> Picture {
        let mut picture = Picture::black(size);
        let (luma, chroma) = frame.split_at(self.width * self.height);
        let rows = picture.y.chunks_exact_mut(size.width());
        for (to, from) in rows.zip(luma.chunks_exact(self.width)) {
            to.copy_from_slice(&from[..size.width()]);
        }
        let (width, height) = self.chroma_size();
        let (blue, red) = chroma.split_at(width * height);
        for (to, from) in [(&mut picture.u, blue), (&mut picture.v, red)] {
            self.shrink_chroma(from, width, to, size.width() / 2);
        }
        if self.full_range {
            limit_range(&mut picture);
        }
        picture
    }

    /// Brings a chroma plane to half of luma's width and height.
    fn shrink_chroma(self, from: &[u8], stride: usize, to: &mut [u8], width: usize) {
        for (row, to) in to.chunks_exact_mut(width).enumerate() {
            match self.chroma {
                Chroma::Grey => {}
                Chroma::Quarter => to.copy_from_slice(&from[row * stride..][..width]),
                Chroma::Half => {
                    let (upper, lower) =
                        (&from[2 * row * stride..], &from[(2 * row + 1) * stride..]);
                    for ((to, &upper), &lower) in to.iter_mut().zip(upper).zip(lower) {
                        *to = mean([upper, lower]);
                    }
                }
                Chroma::Full => {
                    let upper = from[2 * row * stride..].chunks_exact(2);
                    let lower = from[(2 * row + 1) * stride..].chunks_exact(2);
                    for ((to, upper), lower) in to.iter_mut().zip(upper).zip(lower) {
                        *to = mean([upper[0], upper[1], lower[0], lower[1]]);
                    }
                }
            }
        }
    }
}

fn mean<const N: usize>(samples: [u8; N]) -> u8 {
    let sum: usize = samples.into_iter().map(usize::from).sum();
    ((sum + N / 2) / N) as u8
}

/// 0 to 255 becomes 16 to 235, and 16 to 240 for chroma (ITU-R BT.709-6
/// section 3.5).
fn limit_range(picture: &mut Picture) {
    let luma: [u8; 256] = std::array::from_fn(|full| ((full * 219 + 127) / 255 + 16) as u8);
    let chroma: [u8; 256] = std::array::from_fn(|full| ((full * 224 + 127) / 255 + 16) as u8);
    let planes = [
        (&mut picture.y, luma),
        (&mut picture.u, chroma),
        (&mut picture.v, chroma),
    ];
    for (plane, table) in planes {
        for sample in plane {
            *sample = table[usize::from(*sample)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(width: usize, height: usize, chroma: Chroma) -> Layout {
        Layout {
            width,
            height,
            chroma,
            full_range: false,
        }
    }

    /// A frame whose luma is `x + y`, and whose chroma planes are 4 times where
    /// a sample lies in luma's columns, and in luma's rows.
    fn frame(layout: Layout) -> Vec<u8> {
        let (width, height) = layout.chroma_size();
        let (wide, high) = match layout.chroma {
            Chroma::Grey | Chroma::Full => (1, 1),
            Chroma::Quarter => (2, 2),
            Chroma::Half => (2, 1),
        };
        let plane = |width: usize, height: usize, of: fn(usize, usize) -> usize| {
            (0..height)
                .flat_map(move |y| (0..width).map(move |x| of(x, y) as u8))
                .collect::<Vec<u8>>()
        };
        let mut frame = plane(layout.width, layout.height, |x, y| x + y);
        let columns = plane(width, height, |x, _| x);
        let rows = plane(width, height, |_, y| y);
        frame.extend(columns.iter().map(|x| x.wrapping_mul(wide)));
        frame.extend(rows.iter().map(|y| y.wrapping_mul(high)));
        frame
    }

    #[test]
    fn every_layout_becomes_the_same_picture() {
        for chroma in [Chroma::Quarter, Chroma::Half, Chroma::Full] {
            for (width, height) in [(160, 90), (161, 91)] {
                let layout = layout(width, height, chroma);
                let size = "160x90".parse().unwrap();
                let bytes = frame(layout);
                assert_eq!(bytes.len(), layout.bytes());
                let picture = layout.picture(&bytes, size);
                let (x, y) = (30, 20);
                assert_eq!(picture.y[y * 160 + x], 50, "{chroma:?}");
                let of = |plane: &[u8]| plane[y / 2 * 80 + x / 2];
                // A mean of neighbours, rounded up, is one further.
                assert!((30..=31).contains(&of(&picture.u)), "{chroma:?}");
                assert!((20..=21).contains(&of(&picture.v)), "{chroma:?}");
            }
        }
    }

    #[test]
    fn grey_has_no_colours() {
        let layout = layout(160, 90, Chroma::Grey);
        let picture = layout.picture(&frame(layout), "160x90".parse().unwrap());
        assert_eq!(picture.y[161], 2);
        assert!(
            picture
                .u
                .iter()
                .chain(&picture.v)
                .all(|&sample| sample == 128)
        );
    }

    #[test]
    fn full_range_is_made_limited() {
        let full = Layout {
            full_range: true,
            ..layout(160, 90, Chroma::Quarter)
        };
        let size: Size = "160x90".parse().unwrap();
        let check = |sample: u8, luma: u8, chroma: u8| {
            let picture = full.picture(&vec![sample; full.bytes()], size);
            assert!(picture.y.iter().all(|&y| y == luma), "{sample}");
            assert!(picture.u.iter().all(|&u| u == chroma), "{sample}");
        };
        check(0, 16, 16);
        check(128, 126, 128);
        check(255, 235, 240);
    }
}
