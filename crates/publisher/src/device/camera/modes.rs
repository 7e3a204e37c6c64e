//! Which of a camera's modes to take.

use std::cmp::Reverse;

use picture::PixelFormat;

use crate::Size;

/// A format and size that a camera offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mode {
    pub(super) format: PixelFormat,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Pictures a second; empty: the camera does not tell.
    pub(super) fps: Vec<u32>,
}

/// A mode and a rate to open a camera in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) format: PixelFormat,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) fps: u32,
}

impl Mode {
    /// The rate nearest to `wanted`, rather a higher than a lower one.
    fn rate(&self, wanted: u32) -> u32 {
        let rates = self.fps.iter().copied();
        let enough = rates.clone().filter(|rate| *rate >= wanted).min();
        enough.or_else(|| rates.max()).unwrap_or(wanted)
    }

    /// Whether its pictures can be encoded.
    fn is_encodable(&self) -> bool {
        Size::new(self.width & !1, self.height & !1).is_ok()
    }
}

/// The mode of the nearest size; of those the one of the nearest rate; of
/// those one without compression if there is one.
pub(super) fn choose(modes: &[Mode], size: Size, fps: u32) -> Option<Choice> {
    let distance = |mode: &Mode| {
        let width = (mode.width as usize).abs_diff(size.width());
        let height = (mode.height as usize).abs_diff(size.height());
        width + height
    };
    let best = modes
        .iter()
        .filter(|mode| mode.is_encodable())
        .min_by_key(|mode| {
            let rate = mode.rate(fps);
            // Too slow is worse than too fast: the encoder can leave out.
            let slow = Reverse(rate.min(fps));
            (distance(mode), slow, rate, mode.format)
        })?;
    Some(Choice {
        format: best.format,
        width: best.width,
        height: best.height,
        fps: best.rate(fps),
    })
}

#[cfg(test)]
mod tests {
    use super::PixelFormat::{Mjpeg, Nv12, Yuyv};
    use super::*;

    fn mode(format: PixelFormat, (width, height): (u32, u32), fps: &[u32]) -> Mode {
        Mode {
            format,
            width,
            height,
            fps: fps.to_vec(),
        }
    }

    /// As webcams are: what does not fit through USB 2 comes as MJPEG.
    fn webcam() -> Vec<Mode> {
        vec![
            mode(Mjpeg, (1920, 1080), &[30, 15]),
            mode(Mjpeg, (1280, 720), &[60, 30]),
            mode(Mjpeg, (640, 480), &[30, 15]),
            mode(Yuyv, (1280, 720), &[10, 5]),
            mode(Yuyv, (640, 480), &[30, 15]),
            mode(Nv12, (161, 91), &[]),
            mode(Yuyv, (32, 24), &[30]),
            mode(Yuyv, (8000, 6000), &[1]),
        ]
    }

    fn check(size: &str, fps: u32, expected: (PixelFormat, u32, u32, u32)) {
        let choice = choose(&webcam(), size.parse().unwrap(), fps).unwrap();
        let choice = (choice.format, choice.width, choice.height, choice.fps);
        assert_eq!(choice, expected, "{size} {fps}");
    }

    #[test]
    fn uncompressed_if_it_carries_the_rate() {
        check("1280x720", 30, (Mjpeg, 1280, 720, 30));
        check("1280x720", 10, (Yuyv, 1280, 720, 10));
        check("640x480", 30, (Yuyv, 640, 480, 30));
    }

    #[test]
    fn the_nearest_rate_rather_faster_than_slower() {
        check("1280x720", 60, (Mjpeg, 1280, 720, 60));
        check("1280x720", 120, (Mjpeg, 1280, 720, 60));
        check("640x480", 10, (Yuyv, 640, 480, 15));
        check("640x480", 1, (Yuyv, 640, 480, 15));
    }

    #[test]
    fn the_nearest_size_that_can_be_encoded() {
        check("3840x2160", 30, (Mjpeg, 1920, 1080, 30));
        check("800x600", 30, (Yuyv, 640, 480, 30));
        check("160x90", 25, (Nv12, 161, 91, 25));
        assert_eq!(choose(&[], Size::MIN, 30), None);
        assert_eq!(choose(&webcam()[6..], Size::MIN, 30), None);
    }
}
