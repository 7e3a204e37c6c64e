use std::sync::mpsc;
use std::sync::{Mutex, Weak};
use std::time::{Duration, Instant};

use super::*;
use crate::test_picture::testing::frames;
use crate::{Captured, Picture, Size, Source, TestPicture};

const FORMAT_SIZE: &str = "320x180";

/// Delivers what the test sends, and tells by `alive` when it is dropped.
struct Script {
    steps: mpsc::Receiver<Result<Captured, SourceError>>,
    _alive: Arc<()>,
}

impl Source for Script {
    fn format(&self) -> Format {
        Format {
            video: Some(VideoFormat::Raw {
                size: FORMAT_SIZE.parse().unwrap(),
                fps: 30,
            }),
            audio: Some(AudioFormat::Raw {
                rate: crate::SAMPLE_RATE,
                channels: 1,
            }),
        }
    }

    fn next(&mut self) -> Result<Captured, SourceError> {
        let wait = Duration::from_millis(20);
        self.steps
            .recv_timeout(wait)
            .unwrap_or(Ok(Captured::Nothing))
    }
}

type Steps = mpsc::Sender<Result<Captured, SourceError>>;

fn start() -> (Pipeline, Steps, Weak<()>) {
    let (steps, receiver) = mpsc::channel();
    let alive = Arc::new(());
    let dead = Arc::downgrade(&alive);
    let script = Script {
        steps: receiver,
        _alive: alive,
    };
    let mut options = MediaOptions::default();
    options.video.keyframe_interval = Duration::ZERO;
    let pipeline = Pipeline::start(Sources::one(script), &options).unwrap();
    (pipeline, steps, dead)
}

async fn next_frame(pipeline: &mut Pipeline) -> EncodedFrame {
    loop {
        if let Encoded::Video(frame) = pipeline.next().await.unwrap() {
            return frame;
        }
    }
}

#[tokio::test]
async fn a_requested_keyframe_is_the_very_next_frame() {
    let (mut pipeline, steps, _) = start();
    let mut source = TestPicture::new(FORMAT_SIZE.parse().unwrap(), 30);
    for (number, frame) in frames(&mut source, 20).into_iter().enumerate() {
        if number == 12 {
            pipeline.controls().request_keyframe();
        }
        steps.send(Ok(Captured::Video(frame))).unwrap();
        let encoded = next_frame(&mut pipeline).await;
        assert_eq!(encoded.keyframe, number == 0 || number == 12, "{number}");
    }
}

#[tokio::test]
async fn after_a_dropped_frame_the_next_one_sent_is_a_keyframe() {
    let (mut pipeline, steps, _) = start();
    let mut source = TestPicture::new(FORMAT_SIZE.parse().unwrap(), 30);
    let mut captured = Vec::new();
    // Nobody sends, so the queues overflow; then everything is encoded.
    for frame in frames(&mut source, 4 * FRAMES) {
        captured.push(frame.capture_time);
        let picture = Arc::downgrade(&frame.picture);
        steps.send(Ok(Captured::Video(frame))).unwrap();
        while Arc::strong_count(&picture.upgrade().unwrap()) > 2 {
            std::thread::yield_now();
        }
    }
    let first = next_frame(&mut pipeline).await;
    assert!(first.keyframe);
    assert!(first.capture_time > captured[0]);
}

#[tokio::test]
async fn sound_comes_through() {
    let (mut pipeline, steps, _) = start();
    let chunk = AudioChunk {
        capture_time: Instant::now(),
        samples: vec![0; 960],
    };
    steps.send(Ok(Captured::Audio(chunk))).unwrap();
    assert!(matches!(pipeline.next().await, Ok(Encoded::Audio(_))));
}

#[tokio::test]
async fn a_broken_source_says_so() {
    let (mut pipeline, steps, _) = start();
    let unplugged = SourceError("unplugged".to_owned());
    steps.send(Err(unplugged)).unwrap();
    let error = loop {
        match pipeline.next().await {
            Err(PipelineError::Ended) => {}
            Err(error) => break error,
            Ok(_) => panic!("nothing was captured"),
        }
    };
    assert_eq!(error.to_string(), "the source failed: unplugged");
}

#[tokio::test]
async fn a_source_that_ends_ends_the_pipeline_in_good_order() {
    let (mut pipeline, steps, _) = start();
    steps.send(Ok(Captured::Notice("bye".to_owned()))).unwrap();
    steps.send(Ok(Captured::End)).unwrap();
    let notice = pipeline.next().await.unwrap();
    assert!(matches!(notice, Encoded::Notice(text) if text == "bye"));
    assert!(matches!(pipeline.next().await, Ok(Encoded::End)));
}

#[tokio::test]
async fn dropping_the_pipeline_ends_its_threads() {
    let (pipeline, steps, dead) = start();
    drop(pipeline);
    let mut source = TestPicture::new(FORMAT_SIZE.parse().unwrap(), 30);
    while dead.strong_count() > 0 {
        for frame in frames(&mut source, 1) {
            // Fails once the source is gone.
            let _ = steps.send(Ok(Captured::Video(frame)));
        }
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_source_that_panics_says_so_instead_of_hanging() {
    struct Broken;
    impl Source for Broken {
        fn format(&self) -> Format {
            Format {
                video: None,
                audio: Some(AudioFormat::Opus { channels: 1 }),
            }
        }

        fn next(&mut self) -> Result<Captured, SourceError> {
            panic!("as the test wants")
        }
    }
    let options = MediaOptions::default();
    let mut pipeline = Pipeline::start(Sources::one(Broken), &options).unwrap();
    let error = pipeline.next().await.unwrap_err();
    let expected = "the program has a bug: a media thread panicked: as the test wants";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn after_a_pause_nothing_old_is_sent() {
    let (mut pipeline, steps, _) = start();
    let mut source = TestPicture::new(FORMAT_SIZE.parse().unwrap(), 30);
    let mut step = |steps: &Steps| {
        let frame = frames(&mut source, 1).remove(0);
        let captured = frame.capture_time;
        steps.send(Ok(Captured::Video(frame))).unwrap();
        captured
    };
    step(&steps);
    next_frame(&mut pipeline).await;
    pipeline.pause();
    step(&steps);
    let dropped = |pipeline: &mut Pipeline| {
        let (video, _) = pipeline.stats(Instant::now());
        video.unwrap().dropped_before_send
    };
    while dropped(&mut pipeline) < 1 {
        std::thread::yield_now();
    }
    pipeline.resume();
    let captured = step(&steps);
    let frame = next_frame(&mut pipeline).await;
    assert!(frame.keyframe);
    assert_eq!(frame.capture_time, captured);
}

#[tokio::test]
async fn the_numbers_add_up() {
    let (mut pipeline, steps, _) = start();
    let mut source = TestPicture::new(FORMAT_SIZE.parse().unwrap(), 30);
    let start = Instant::now();
    let mut bytes = 0;
    for frame in frames(&mut source, 5) {
        pipeline.controls().request_keyframe();
        steps.send(Ok(Captured::Video(frame))).unwrap();
        bytes += next_frame(&mut pipeline).await.data.len() as u64;
    }
    let (video, audio) = pipeline.stats(start + Duration::from_secs(1));
    let video = video.unwrap();
    assert_eq!(video.codec, "H264");
    assert_eq!((video.width, video.height), (320, 180));
    assert_eq!((video.frames_captured, video.frames_sent), (5, 5));
    assert_eq!((video.keyframes, video.keyframe_requests), (1, 5));
    assert_eq!(video.bytes, bytes);
    assert!(video.fps > 1.0 && video.bitrate_bps > 0);
    assert!(video.encode_time > Duration::ZERO);
    assert_eq!(video.target_bitrate_bps, Some(1_000_000));
    assert_eq!(audio.unwrap().channels, 1);
}

/// Comes with an hour of pictures in as little time as it takes: in bursts of
/// more than the pipeline holds, each as soon as the one before is dealt with.
/// It makes a new picture only while all others are under way.
struct Hour {
    start: Instant,
    delivered: usize,
    pictures: Arc<Mutex<Vec<Arc<Picture>>>>,
}

impl Hour {
    const PICTURES: usize = 108_000;
    const BURST: usize = 16 * PICTURES;

    fn free_picture(&self) -> Option<Arc<Picture>> {
        let mut pictures = self.pictures.lock().unwrap();
        let mut free = pictures.iter().filter(|it| Arc::strong_count(it) == 1);
        let busy = pictures.len() - free.clone().count();
        let burst_begins = self.delivered.is_multiple_of(Self::BURST);
        if burst_begins && busy > 0 {
            return None;
        }
        let picture = match free.next() {
            Some(picture) => Arc::clone(picture),
            None => Arc::new(Picture::black(Size::MIN)),
        };
        if busy == pictures.len() {
            pictures.push(Arc::clone(&picture));
        }
        Some(picture)
    }
}

impl Source for Hour {
    fn format(&self) -> Format {
        Format {
            video: Some(VideoFormat::Raw {
                size: Size::MIN,
                fps: 30,
            }),
            audio: None,
        }
    }

    fn next(&mut self) -> Result<Captured, SourceError> {
        if self.delivered == Self::PICTURES {
            return Ok(Captured::End);
        }
        let Some(picture) = self.free_picture() else {
            std::thread::yield_now();
            return Ok(Captured::Nothing);
        };
        self.delivered += 1;
        let since_start = Duration::from_secs(self.delivered as u64) / 30;
        Ok(Captured::Video(VideoFrame {
            capture_time: self.start + since_start,
            picture,
        }))
    }
}

#[tokio::test]
async fn an_hour_of_pictures_leaves_memory_flat() {
    let pictures = Arc::default();
    let source = Hour {
        start: Instant::now(),
        delivered: 0,
        pictures: Arc::clone(&pictures),
    };
    let options = MediaOptions::default();
    let mut pipeline = Pipeline::start(Sources::one(source), &options).unwrap();
    let mut sent = 0;
    while let Encoded::Video(_) = pipeline.next().await.unwrap() {
        sent += 1;
    }
    let (video, _) = pipeline.stats(Instant::now());
    let video = video.unwrap();
    let captured = Hour::PICTURES as u64;
    assert_eq!((video.frames_captured, video.frames_sent), (captured, sent));
    let gone = video.dropped_before_encoder + video.dropped_before_send + video.frames_skipped;
    assert_eq!(sent + gone, captured, "every picture is accounted for");
    assert!(sent > captured / 100, "{sent} frames");
    // Those that wait, one being encoded, and one on its way to the queue.
    let made = pictures.lock().unwrap().len();
    assert!(made <= PICTURES + 2, "{made} pictures were under way");
}

/// Delivers VP8 and Opus, or what the test sends.
struct Passing(mpsc::Receiver<Captured>);

impl Source for Passing {
    fn format(&self) -> Format {
        Format {
            video: Some(VideoFormat::Encoded(VideoCodec::Vp8)),
            audio: Some(AudioFormat::Opus { channels: 1 }),
        }
    }

    fn next(&mut self) -> Result<Captured, SourceError> {
        Ok(self.0.recv().unwrap_or(Captured::End))
    }
}

fn start_passing() -> (Pipeline, mpsc::Sender<Captured>) {
    let (steps, receiver) = mpsc::channel();
    let options = MediaOptions::default();
    let pipeline = Pipeline::start(Sources::one(Passing(receiver)), &options).unwrap();
    (pipeline, steps)
}

/// A frame that came encoded as VP8, a tenth of a second after that before it.
fn passed(start: Instant, number: u32, keyframe: bool) -> Captured {
    Captured::EncodedVideo(EncodedFrame {
        capture_time: start + Duration::from_millis(100) * number,
        keyframe,
        data: PASSED.to_vec(),
    })
}

const PASSED: [u8; 3] = [1, 2, 3];

/// How many tenths of a second after `start` frames were captured that are sent,
/// and whether they are those passed through, up to that of number `last`.
async fn sent(pipeline: &mut Pipeline, start: Instant, last: u128) -> Vec<(u128, bool)> {
    let mut sent = Vec::new();
    while sent.last().is_none_or(|(number, _)| *number < last) {
        let frame = next_frame(pipeline).await;
        let number = (frame.capture_time - start).as_millis() / 100;
        let is_passed = frame.data == PASSED;
        assert!(is_passed || frame.keyframe, "black is whole");
        sent.push((number, is_passed));
    }
    sent
}

#[tokio::test]
async fn pictures_that_are_passed_through_are_black_while_muted() {
    let (mut pipeline, steps) = start_passing();
    let start = Instant::now();
    let step = |numbers: std::ops::RangeInclusive<u32>| {
        for number in numbers {
            let keyframe = matches!(number, 0 | 3 | 18);
            steps.send(passed(start, number, keyframe)).unwrap();
        }
    };
    step(0..=1);
    assert_eq!(
        sent(&mut pipeline, start, 1).await,
        [(0, true), (1, true)],
        "not muted"
    );
    pipeline.controls().mute(false, true);
    step(2..=7);
    assert_eq!(
        sent(&mut pipeline, start, 7).await,
        [(2, false), (7, false)],
        "keyframes are hidden, too"
    );
    // What the next frames need was not sent.
    pipeline.controls().mute(false, false);
    step(8..=12);
    assert_eq!(sent(&mut pipeline, start, 12).await, [(12, false)]);
    step(13..=19);
    assert_eq!(
        sent(&mut pipeline, start, 19).await,
        [(17, false), (18, true), (19, true)]
    );
    let (video, _) = pipeline.stats(Instant::now());
    let video = video.unwrap();
    assert_eq!((video.frames_sent, video.frames_skipped), (8, 12));
}

#[tokio::test]
async fn a_new_connection_is_sent_black_until_a_keyframe_comes() {
    let (mut pipeline, steps) = start_passing();
    let start = Instant::now();
    steps.send(passed(start, 0, true)).unwrap();
    sent(&mut pipeline, start, 0).await;
    pipeline.pause();
    pipeline.resume();
    for (number, keyframe) in [(1, false), (2, false), (3, true)] {
        steps.send(passed(start, number, keyframe)).unwrap();
    }
    assert_eq!(sent(&mut pipeline, start, 3).await, [(1, false), (3, true)]);
}

#[tokio::test]
async fn sound_that_is_passed_through_is_silent_while_muted() {
    let (mut pipeline, steps) = start_passing();
    for (muted, expected) in [(true, &SILENT_PACKET[..]), (false, &[4, 5, 6])] {
        pipeline.controls().mute(muted, false);
        let packet = EncodedPacket {
            capture_time: Instant::now(),
            data: vec![4, 5, 6],
        };
        steps.send(Captured::EncodedAudio(packet)).unwrap();
        let Encoded::Audio(packet) = pipeline.next().await.unwrap() else {
            panic!("there is only sound");
        };
        assert_eq!(packet.data, expected);
    }
}

#[tokio::test]
async fn the_last_notice_comes_before_the_end() {
    for _ in 0..20 {
        let (mut pipeline, steps) = start_passing();
        steps.send(Captured::Notice("cut off".to_owned())).unwrap();
        drop(steps);
        // Both queues are closed before anything is read.
        while pipeline.shared.ended.load(Ordering::Acquire) == 0 {
            std::thread::yield_now();
        }
        let notice = pipeline.next().await.unwrap();
        assert!(matches!(notice, Encoded::Notice(text) if text == "cut off"));
        assert!(matches!(pipeline.next().await, Ok(Encoded::End)));
    }
}
