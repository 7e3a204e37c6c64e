use std::sync::Weak;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::*;
use crate::test_picture::testing::frames;
use crate::{Captured, Source, TestPicture};

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
    for (number, frame) in frames(&mut source, 12).into_iter().enumerate() {
        if number == 5 {
            pipeline.controls().request_keyframe();
        }
        steps.send(Ok(Captured::Video(frame))).unwrap();
        let encoded = next_frame(&mut pipeline).await;
        assert_eq!(encoded.keyframe, number == 0 || number == 5, "{number}");
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
