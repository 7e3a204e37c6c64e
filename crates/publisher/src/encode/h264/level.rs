//! H.264's levels: what a decoder must be able to bear.

use openh264::encoder::Level;

use crate::Size;

/// One row of H.264's table A-1.
pub(super) struct Limits {
    /// Times ten.
    level: u32,
    /// Macroblocks a second.
    rate: u32,
    /// Macroblocks in a frame.
    frame: u32,
    /// In units of 1,000 bits per second.
    bitrate: u32,
    pub(super) openh264: Level,
}

/// From 3.1, the least any WebRTC endpoint takes (RFC 7742 section 6.2): nothing
/// is won by promising less.
const LEVELS: [Limits; 8] = [
    row(31, 108_000, 3_600, 14_000, Level::Level_3_1),
    row(32, 216_000, 5_120, 20_000, Level::Level_3_2),
    row(40, 245_760, 8_192, 20_000, Level::Level_4_0),
    row(41, 245_760, 8_192, 50_000, Level::Level_4_1),
    row(42, 522_240, 8_704, 50_000, Level::Level_4_2),
    row(50, 589_824, 22_080, 135_000, Level::Level_5_0),
    row(51, 983_040, 36_864, 240_000, Level::Level_5_1),
    row(52, 2_073_600, 36_864, 240_000, Level::Level_5_2),
];

const fn row(level: u32, rate: u32, frame: u32, bitrate: u32, openh264: Level) -> Limits {
    Limits {
        level,
        rate,
        frame,
        bitrate,
        openh264,
    }
}

impl Limits {
    /// The lowest level that holds it; the highest `openh264` knows if none does.
    pub(super) fn of(size: Size, fps: u32, bitrate_bps: u32) -> &'static Self {
        let frame = size.width().div_ceil(16) * size.height().div_ceil(16);
        let frame = frame as u32;
        let holds = |level: &&Self| {
            frame <= level.frame
                && frame.saturating_mul(fps) <= level.rate
                && bitrate_bps <= level.bitrate_bps()
        };
        let [.., highest] = &LEVELS;
        LEVELS.iter().find(holds).unwrap_or(highest)
    }

    /// The most it holds.
    pub(super) fn bitrate_bps(&self) -> u32 {
        self.bitrate * 1_000
    }
}

/// The `profile-level-id` (RFC 6184 section 8.1) of what a
/// [`VideoEncoder`](super::VideoEncoder) makes of pictures of `size` at `fps`
/// and at most `bitrate_bps`: constrained baseline, at the lowest level from 3.1
/// that holds it. Smaller or fewer pictures have the same.
pub fn profile_level_id(size: Size, fps: u32, bitrate_bps: u32) -> u32 {
    /// Profile 66 with constraint sets 0 to 2: constrained baseline.
    const CONSTRAINED_BASELINE: u32 = 0x42_e0_00;
    CONSTRAINED_BASELINE | Limits::of(size, fps, bitrate_bps).level
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_holds_size_rate_and_bitrate() {
        let check = |size: &str, fps, mbps: u32, expected| {
            let size = size.parse().unwrap();
            let id = profile_level_id(size, fps, mbps * 1_000_000);
            assert_eq!(id, expected, "{size} at {fps} and {mbps} Mbit/s");
        };
        check("320x180", 30, 1, 0x42e01f);
        check("1280x720", 30, 2, 0x42e01f);
        check("1280x720", 30, 15, 0x42e020);
        check("1280x720", 60, 2, 0x42e020);
        check("1920x1080", 30, 20, 0x42e028);
        check("1920x1080", 30, 21, 0x42e029);
        check("1920x1080", 60, 2, 0x42e02a);
        check("3840x2160", 30, 2, 0x42e033);
        check("3840x2160", 60, 2, 0x42e034);
        check("3840x2160", 120, 2, 0x42e034);
    }
}
