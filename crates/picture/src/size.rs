//! How large a picture may be.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A picture's width and height in pixels, both even.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    width: u32,
    height: u32,
}

/// Not a size that can be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a picture size is WIDTHxHEIGHT, both even, from {}x{} to {}x{}",
    Size::MIN.width, Size::MIN.height, Size::MAX.width, Size::MAX.height
)]
pub struct BadSize;

impl Size {
    /// The smallest picture: below it the strip's cells are no longer readable.
    pub const MIN: Self = Self {
        width: 160,
        height: 90,
    };

    /// The largest picture `openh264` encodes.
    pub const MAX: Self = Self {
        width: 3840,
        height: 2160,
    };

    /// A size of so many pixels.
    ///
    /// # Errors
    /// An odd number, or one outside [`Size::MIN`] and [`Size::MAX`].
    pub fn new(width: u32, height: u32) -> Result<Self, BadSize> {
        let in_range = (Self::MIN.width..=Self::MAX.width).contains(&width)
            && (Self::MIN.height..=Self::MAX.height).contains(&height);
        if in_range && width.is_multiple_of(2) && height.is_multiple_of(2) {
            Ok(Self { width, height })
        } else {
            Err(BadSize)
        }
    }

    /// The largest size of the same aspect that fits into `most`, as near as even
    /// numbers allow; the same size if it fits. Nothing is below [`Size::MIN`].
    #[must_use]
    pub fn fit(self, most: Self) -> Self {
        let (width, height) = (u64::from(self.width), u64::from(self.height));
        let (most_width, most_height) = (u64::from(most.width), u64::from(most.height));
        if width <= most_width && height <= most_height {
            return self;
        }
        // Which side is the tighter one?
        let (width, height) = if width * most_height >= height * most_width {
            (most_width, height * most_width / width)
        } else {
            (width * most_height / height, most_height)
        };
        Self {
            width: (width as u32 & !1).max(Self::MIN.width),
            height: (height as u32 & !1).max(Self::MIN.height),
        }
    }

    /// `numerator / denominator` of this size, rounded down to even numbers;
    /// `None` if that is not a size.
    #[must_use]
    pub fn scaled(self, numerator: usize, denominator: usize) -> Option<Self> {
        let part = |pixels: usize| (pixels * numerator / denominator) as u32 & !1;
        Self::new(part(self.width()), part(self.height())).ok()
    }

    /// Pixels in a row.
    pub const fn width(self) -> usize {
        self.width as usize
    }

    /// Rows of pixels.
    pub const fn height(self) -> usize {
        self.height as usize
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for Size {
    type Err = BadSize;

    /// Reads `1280x720`.
    fn from_str(text: &str) -> Result<Self, BadSize> {
        let (width, height) = text.split_once('x').ok_or(BadSize)?;
        let number = |text: &str| text.parse().map_err(|_| BadSize);
        Self::new(number(width)?, number(height)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_fit_into_others_keeping_their_aspect() {
        let check = |size: &str, most: &str, expected: &str| {
            let fitted = size.parse::<Size>().unwrap().fit(most.parse().unwrap());
            assert_eq!(fitted.to_string(), expected, "{size} into {most}");
        };
        check("1920x1080", "1280x720", "1280x720");
        check("1280x720", "1920x1080", "1280x720");
        check("1920x1200", "1280x720", "1152x720");
        check("720x1280", "1280x720", "404x720");
        check("640x480", "640x360", "480x360");
        check("1366x768", "640x480", "640x358");
        check("3840x90", "640x360", "640x90");
    }

    #[test]
    fn parts_of_a_size_are_even() {
        let check = |size: &str, eighths, expected: Option<&str>| {
            let part = size.parse::<Size>().unwrap().scaled(eighths, 8);
            let part = part.map(|size| size.to_string());
            assert_eq!(part.as_deref(), expected, "{eighths}/8 of {size}");
        };
        check("1280x720", 6, Some("960x540"));
        check("1280x720", 3, Some("480x270"));
        check("854x480", 6, Some("640x360"));
        check("320x180", 4, Some("160x90"));
        check("320x180", 3, None);
    }

    #[test]
    fn sizes_are_read_and_refused() {
        let check = |text: &str, expected: Option<(usize, usize)>| {
            let size = text.parse::<Size>().ok();
            assert_eq!(size.map(|s| (s.width(), s.height())), expected, "{text}");
        };
        check("1280x720", Some((1280, 720)));
        check("160x90", Some((160, 90)));
        check("3840x2160", Some((3840, 2160)));
        for bad in [
            "",
            "x",
            "1280",
            "1280x",
            "x720",
            "1280X720",
            "1281x720",
            "1280x721",
            "158x90",
            "3842x2160",
            "-1280x720",
            "1280x720x3",
            " 1280x720",
            "99999999999x720",
        ] {
            check(bad, None);
        }
        assert_eq!(Size::MAX.to_string(), "3840x2160");
    }
}
