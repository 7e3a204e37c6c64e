use std::sync::Arc;

use openh264::decoder::Decoder;
use openh264::formats::YUVSource;
use picture::read_strip;

use super::*;
use crate::test_picture::TestPicture;
use crate::test_picture::testing::{frames, stamp_of};

fn config(source: &TestPicture, bitrate_bps: u32) -> VideoConfig {
    VideoConfig {
        size: source.size(),
        fps: 30,
        bitrate_bps,
        keyframe_interval: Duration::from_secs(4),
    }
}

/// Types of the NAL units of an Annex B stream.
fn nal_types(data: &[u8]) -> Vec<u8> {
    data.windows(4)
        .filter(|w| w[..3] == [0, 0, 1])
        .map(|w| w[3] & 0x1f)
        .collect()
}

fn check_strip_survives(size: &str, bitrate_bps: u32) {
    let mut source = TestPicture::new(size.parse().unwrap(), 30);
    let mut encoder = VideoEncoder::new(config(&source, bitrate_bps)).unwrap();
    let mut decoder = Decoder::new().unwrap();
    for frame in frames(&mut source, 40) {
        let encoded = encoder.encode(&frame, false).unwrap().unwrap();
        let decoded = decoder.decode(&encoded.data).unwrap().unwrap();
        let (width, height) = decoded.dimensions();
        let stamp = read_strip(decoded.y(), decoded.strides().0, width, height);
        assert!(stamp.is_some(), "{size}");
        assert_eq!(stamp, stamp_of(&frame.picture), "{size}");
    }
}

#[test]
fn the_strip_survives_at_720p() {
    check_strip_survives("1280x720", 2_000_000);
}

#[test]
fn the_strip_survives_at_180p_and_little_bitrate() {
    check_strip_survives("320x180", 150_000);
}

#[test]
fn a_keyframe_comes_with_the_next_picture_and_brings_its_parameters() {
    let mut source = TestPicture::new("320x180".parse().unwrap(), 30);
    let mut encoder = VideoEncoder::new(config(&source, 300_000)).unwrap();
    for (number, frame) in frames(&mut source, 20).iter().enumerate() {
        let wanted = number == 7 || number == 8;
        let encoded = encoder.encode(frame, wanted).unwrap().unwrap();
        assert_eq!(encoded.keyframe, wanted || number == 0, "frame {number}");
        let types = nal_types(&encoded.data);
        let expected: &[u8] = if encoded.keyframe { &[7, 8, 5] } else { &[1] };
        assert_eq!(types, expected, "frame {number}");
        assert_eq!(encoded.capture_time, frame.capture_time);
    }
}

#[test]
fn keyframes_come_by_themselves_at_the_interval() {
    let mut source = TestPicture::new("320x180".parse().unwrap(), 30);
    let keyframes = |source: &mut TestPicture, interval| {
        let mut config = config(source, 300_000);
        config.keyframe_interval = interval;
        let mut encoder = VideoEncoder::new(config).unwrap();
        let encoded = frames(source, 70).into_iter().enumerate();
        encoded
            .filter(|(_, frame)| encoder.encode(frame, false).unwrap().unwrap().keyframe)
            .map(|(number, _)| number)
            .collect::<Vec<_>>()
    };
    assert_eq!(keyframes(&mut source, Duration::from_secs(1)), [0, 30, 60]);
    assert_eq!(keyframes(&mut source, Duration::ZERO), [0]);
}

#[test]
fn the_bitrate_is_kept() {
    let mut source = TestPicture::new("640x360".parse().unwrap(), 30);
    let mut encoder = VideoEncoder::new(config(&source, 400_000)).unwrap();
    // Five seconds, after one to settle.
    let sizes = frames(&mut source, 180)
        .into_iter()
        .map(|frame| encoder.encode(&frame, false).unwrap())
        .map(|frame| frame.map_or(0, |frame| frame.data.len()));
    let bits: usize = sizes.skip(30).sum::<usize>() * 8;
    let bps = bits / 5;
    assert!((200_000..520_000).contains(&bps), "{bps} bit/s");
}

#[test]
fn the_stream_is_what_the_offer_says() {
    for size in ["1280x720", "320x180", "1920x1080"] {
        let mut source = TestPicture::new(size.parse().unwrap(), 30);
        let config = config(&source, 1_000_000);
        let frame = &frames(&mut source, 1)[0];
        let encoded = VideoEncoder::new(config)
            .unwrap()
            .encode(frame, false)
            .unwrap()
            .unwrap();
        let sps = encoded
            .data
            .windows(4)
            .position(|w| w[..3] == [0, 0, 1] && w[3] & 0x1f == 7);
        let sps = &encoded.data[sps.unwrap() + 4..];
        let offered = profile_level_id(config.size, config.fps, config.bitrate_bps);
        assert_eq!(u32::from(sps[0]), offered >> 16, "profile of {size}");
        assert_eq!(sps[1] & 0xc0, 0xc0, "constrained baseline at {size}");
        assert_eq!(u32::from(sps[2]), offered & 0xff, "level of {size}");
    }
}

#[test]
fn a_picture_of_another_size_starts_with_a_keyframe() {
    let mut source = TestPicture::new("320x180".parse().unwrap(), 30);
    let mut encoder = VideoEncoder::new(config(&source, 300_000)).unwrap();
    let mut frames = frames(&mut source, 2);
    encoder.encode(&frames[0], false).unwrap();
    frames[1].picture = Arc::new(crate::Picture::black("640x360".parse().unwrap()));
    let encoded = encoder.encode(&frames[1], false).unwrap();
    assert!(encoded.unwrap().keyframe);
}

/// Moving pictures that are hard to encode: several textures, each moving its
/// own way, under a little noise, as from a hand-held camera.
struct Busy {
    size: Size,
    texture: Vec<u8>,
    frame: u64,
    start: Instant,
}

impl Busy {
    const TEXTURE: usize = 512;

    fn new(size: &str) -> Self {
        let mut random = 1_u32;
        let mut next = move || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 24) as u8
        };
        let noise: Vec<u8> = (0..Self::TEXTURE * Self::TEXTURE).map(|_| next()).collect();
        let at =
            |x: usize, y: usize| noise[(y % Self::TEXTURE) * Self::TEXTURE + x % Self::TEXTURE];
        // Octaves, as in nature: the coarser the stronger.
        let octave = |x: usize, y: usize, step: usize| {
            let (fx, fy) = ((x % step) as u32, (y % step) as u32);
            let (left, top, n) = (x / step * step, y / step * step, step as u32);
            let row = |y| u32::from(at(left, y)) * (n - fx) + u32::from(at(left + step, y)) * fx;
            (row(top) * (n - fy) + row(top + step) * fy) / (n * n)
        };
        let texture = (0..Self::TEXTURE * Self::TEXTURE)
            .map(|n| (n % Self::TEXTURE, n / Self::TEXTURE))
            .map(|(x, y)| {
                let sum = 8 * octave(x, y, 64)
                    + 4 * octave(x, y, 16)
                    + 2 * octave(x, y, 4)
                    + octave(x, y, 2);
                (16 + sum / 17) as u8
            })
            .collect();
        Self {
            size: size.parse().unwrap(),
            texture,
            frame: 0,
            start: Instant::now(),
        }
    }

    fn next(&mut self) -> VideoFrame {
        let mut picture = crate::Picture::black(self.size);
        let (width, height) = (self.size.width(), self.size.height());
        let n = self.frame as usize;
        for y in 0..height {
            for x in 0..width {
                let inside = (width / 4..width * 3 / 4).contains(&x) && y > height / 4;
                let (dx, dy) = if inside {
                    (n * 3, 7 + n)
                } else {
                    (n / 4, n / 8)
                };
                let (tx, ty) = ((x + dx) % Self::TEXTURE, (y + dy) % Self::TEXTURE);
                let grain = (x * 7919 + y * 104_729 + n * 1_299_709) % 97 % 3;
                picture.y[y * width + x] = self.texture[ty * Self::TEXTURE + tx] + grain as u8;
            }
        }
        self.frame += 1;
        VideoFrame {
            capture_time: self.start + Duration::from_secs(self.frame) / 30,
            picture: Arc::new(picture),
        }
    }
}

/// The bits of each second of 640x360 pictures at 30 a second, and of its
/// largest keyframe, at each of these bitrates for four seconds.
fn seconds(bitrates_kbps: &[u32], keyframe_every: Duration) -> Vec<(usize, usize)> {
    let mut busy = Busy::new("640x360");
    let mut encoder = VideoEncoder::new(VideoConfig {
        size: busy.size,
        fps: 30,
        bitrate_bps: 1_000_000,
        keyframe_interval: keyframe_every,
    })
    .unwrap();
    let mut seconds = Vec::new();
    for kbps in bitrates_kbps {
        encoder.set_bitrate(kbps * 1_000);
        for _ in 0..4 {
            let (mut all, mut largest_keyframe) = (0, 0);
            for _ in 0..30 {
                if let Some(frame) = encoder.encode(&busy.next(), false).unwrap() {
                    let bits = frame.data.len() * 8;
                    all += bits;
                    largest_keyframe = largest_keyframe.max(usize::from(frame.keyframe) * bits);
                }
            }
            seconds.push((all, largest_keyframe));
        }
    }
    seconds
}

#[test]
fn a_changed_bitrate_is_kept_at_once_and_costs_no_keyframe() {
    let seconds = seconds(&[1_000, 150, 1_000], Duration::ZERO);
    let kept = |second: usize, kbps: usize| {
        let (bits, keyframe) = seconds[second];
        assert!(keyframe == 0 || second == 0, "in second {second}");
        let (least, most) = (kbps * 900, kbps * 1_100);
        assert!((least..most).contains(&bits), "{bits} in second {second}");
    };
    // The first brings a keyframe; the fifth may empty what the bucket holds.
    (1..4).for_each(|second| kept(second, 1_000));
    assert!(seconds[4].0 < 150_000 + 100_000, "{:?}", seconds[4]);
    (5..8).for_each(|second| kept(second, 150));
    (9..12).for_each(|second| kept(second, 1_000));
}

#[test]
fn keyframes_do_not_break_the_bitrate() {
    let seconds = seconds(&[1_000, 150], Duration::from_secs(2));
    for (second, (_, keyframe)) in seconds.iter().enumerate() {
        assert_eq!(*keyframe > 0, second % 2 == 0, "in second {second}");
        assert!(*keyframe < 150_000, "{keyframe} in second {second}");
    }
    // At most one keyframe more than allowed is ever under way.
    let squeezed: usize = seconds[5..].iter().map(|(bits, _)| bits).sum();
    assert!(squeezed < 3 * 150_000 * 11 / 10, "{squeezed}");
}

#[test]
fn planes_that_do_not_fit_are_refused() {
    let mut source = TestPicture::new("320x180".parse().unwrap(), 30);
    let mut encoder = VideoEncoder::new(config(&source, 300_000)).unwrap();
    let mut frame = frames(&mut source, 1).remove(0);
    let mut broken = (*frame.picture).clone();
    broken.u.pop();
    frame.picture = Arc::new(broken);
    let error = encoder.encode(&frame, false).unwrap_err();
    let expected = "a picture of 320x180 whose planes have another size";
    assert_eq!(error.to_string(), expected);
}
