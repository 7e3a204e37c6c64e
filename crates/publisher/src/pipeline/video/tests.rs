use openh264::decoder::Decoder;
use openh264::formats::YUVSource;

use super::*;
use crate::TestPicture;
use crate::test_picture::testing::frames;

/// The stage without its thread: pictures in, frames out.
struct Bench {
    source: TestPicture,
    work: Work,
    controls: Arc<Controls>,
    counters: Arc<Counters>,
    decoder: Decoder,
}

impl Bench {
    fn new(size: &str, options: &VideoOptions) -> Self {
        let size = size.parse().unwrap();
        let controls = Arc::new(Controls::default());
        let counters = Arc::new(Counters::default());
        let shared = (Arc::clone(&controls), Arc::clone(&counters));
        Self {
            source: TestPicture::new(size, 30),
            work: Work::new(size, 30, options, Some(64_000), shared.0, shared.1),
            controls,
            counters,
            decoder: Decoder::new().unwrap(),
        }
    }

    /// Lets the next picture through.
    fn step(&mut self) -> Option<EncodedFrame> {
        let picture = frames(&mut self.source, 1).remove(0);
        let frame = self.work.make(&picture).unwrap()?;
        // However busy the machine is that runs the test.
        self.work.account(&frame, Duration::from_millis(5));
        assert_eq!(frame.capture_time, picture.capture_time);
        Some(frame)
    }

    /// The frames of so many pictures.
    fn run(&mut self, pictures: usize) -> Vec<EncodedFrame> {
        (0..pictures).filter_map(|_| self.step()).collect()
    }

    /// Size and mean brightness of a frame.
    fn decode(&mut self, frame: &EncodedFrame) -> ((usize, usize), u8) {
        let decoded = self.decoder.decode(&frame.data).unwrap().unwrap();
        let (width, height) = decoded.dimensions();
        let rows = decoded.y().chunks(decoded.strides().0).take(height);
        let sum: usize = rows
            .flat_map(|row| &row[..width])
            .map(|luma| usize::from(*luma))
            .sum();
        ((width, height), (sum / (width * height)) as u8)
    }
}

fn options() -> VideoOptions {
    VideoOptions {
        keyframe_interval: Duration::ZERO,
        ..VideoOptions::default()
    }
}

#[test]
fn pictures_are_made_smaller_and_fewer_as_told() {
    let mut bench = Bench::new(
        "1280x720",
        &VideoOptions {
            max_size: Some("640x480".parse().unwrap()),
            max_fps: Some(10),
            ..options()
        },
    );
    let frames = bench.run(30);
    assert_eq!(frames.len(), 10);
    assert_eq!(bench.counters.snapshot().skipped, 20);
    for pair in frames.windows(2) {
        let gap = pair[1].capture_time - pair[0].capture_time;
        assert!(gap.abs_diff(Duration::from_millis(100)) < Duration::from_millis(1));
    }
    assert_eq!(bench.decode(&frames[0]).0, (640, 360));
}

#[test]
fn what_is_promised_holds_what_is_sent() {
    let check = |most: Option<&str>, fps, mbps: u32, expected| {
        let options = VideoOptions {
            max_size: most.map(|size| size.parse().unwrap()),
            max_fps: fps,
            max_bitrate_bps: mbps * 1_000_000,
            ..options()
        };
        let codec = codec("1920x1080".parse().unwrap(), 60, &options);
        let profile_level_id = expected;
        assert_eq!(codec, VideoCodec::H264 { profile_level_id });
    };
    check(None, None, 2, 0x42e02a);
    check(None, Some(30), 2, 0x42e028);
    check(Some("1280x720"), None, 2, 0x42e020);
    check(Some("1280x720"), Some(30), 2, 0x42e01f);
    check(Some("1280x720"), Some(30), 18, 0x42e020);
}

#[test]
fn a_muted_video_is_black_and_slow_until_a_keyframe_ends_it() {
    let mut bench = Bench::new("320x180", &options());
    for frame in bench.run(20) {
        assert!(bench.decode(&frame).1 > 40);
    }
    bench.controls.mute(false, true);
    let muted = bench.run(60);
    assert_eq!(muted.len(), 4, "two a second");
    let last = muted.last().unwrap();
    for frame in &muted {
        let (size, brightness) = bench.decode(frame);
        assert_eq!(size, (320, 180));
        assert!(brightness <= 20, "{brightness}");
    }
    bench.controls.mute(false, false);
    let first = bench.step().unwrap();
    assert!(first.keyframe);
    assert!(first.capture_time > last.capture_time);
    assert!(bench.decode(&first).1 > 40);
}

#[test]
fn whoever_joins_a_muted_stream_does_not_wait() {
    let mut bench = Bench::new("320x180", &options());
    bench.controls.mute(false, true);
    bench.run(20);
    bench.controls.request_keyframe();
    assert!(bench.step().unwrap().keyframe);
    assert!(bench.step().is_none());
}

#[test]
fn a_keyframe_comes_at_once_even_at_a_low_rate_and_wishes_are_merged() {
    let options = VideoOptions {
        max_fps: Some(10),
        ..options()
    };
    let mut bench = Bench::new("320x180", &options);
    bench.run(20);
    let mut keyframes = Vec::new();
    for number in 0..30 {
        if number < 6 {
            bench.controls.request_keyframe();
        }
        if bench.step().is_some_and(|frame| frame.keyframe) {
            keyframes.push(number);
        }
    }
    assert_eq!(keyframes, [0, 9], "300 ms apart");
    assert_eq!(bench.controls.keyframe_requests(), 6);
}

#[test]
fn while_nobody_is_connected_nothing_is_encoded() {
    let mut bench = Bench::new("320x180", &options());
    bench.run(3);
    bench.controls.set_paused(true);
    assert_eq!(bench.run(10), []);
    assert_eq!(bench.counters.snapshot().dropped_before_send, 10);
    bench.controls.set_paused(false);
    bench.controls.need_keyframe();
    assert!(bench.step().unwrap().keyframe);
}

#[test]
fn a_squeezed_link_gets_what_it_can_carry_and_recovers() {
    let mut bench = Bench::new("640x360", &options());
    let mut second = |kbps: u64| {
        bench.controls.set_bandwidth(Some(kbps * 1_000));
        let frames = bench.run(30);
        let bits: usize = frames.iter().map(|frame| frame.data.len() * 8).sum();
        let encoding = bench.counters.snapshot().encoding.unwrap();
        (frames.len(), bits, encoding.size.to_string())
    };
    let wide: Vec<_> = (0..3).map(|_| second(3_000)).collect();
    assert!(wide.iter().all(|(_, _, size)| size == "640x360"));
    let narrow: Vec<_> = (0..10).map(|_| second(200)).collect();
    // The second in which it happens, and the keyframe of the smaller picture.
    let bits: usize = narrow[2..].iter().map(|(_, bits, _)| bits).sum();
    assert!(bits / 8 < 115_000, "{} bit/s", bits / 8);
    for (frames, _, size) in &narrow[2..] {
        assert!((12..=15).contains(frames), "{frames} frames");
        assert_eq!(size, "480x270");
    }
    let wide: Vec<_> = (0..15).map(|_| second(3_000)).collect();
    assert_eq!(wide[14].0, 30);
    assert_eq!(wide[14].2, "640x360");
}
